//! Whatever lives for a while ends when it should, however the clock fares meanwhile.

use keyplate::{
    ErrorCode, Expiry, KeyRotation, Keyplate, NewApiKey, NewSignupToken, Result, SignupMode,
    UserChanges,
};
use keyplate_testkit::Spoil;

use super::*;
use crate::common::{passkeys::Person, signups::set_mode};

/// How the clock fares before something is made and while it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    /// It is right.
    Right,
    /// It had been 20 hours ahead.
    RanAhead,
    /// It had been ahead, and goes on being set to and fro.
    SetToAndFro,
    /// It stands still while the machine sleeps.
    Asleep,
    /// It had been ahead, and the process is restarted in between.
    Restarted,
    /// It had been ahead, and the machine is started anew, which takes no time.
    Rebooted,
    /// It is in the last century.
    LastCentury,
}

const COURSES: [Course; 7] = [
    Course::Right,
    Course::RanAhead,
    Course::SetToAndFro,
    Course::Asleep,
    Course::Restarted,
    Course::Rebooted,
    Course::LastCentury,
];

impl Course {
    fn begin(self) -> Fixture {
        let f = Fixture::new();
        match self {
            Self::Right => {}
            Self::Asleep => {
                // Longer than a host's time source may be late.
                f.clock.suspend(10);
                f.keyplate.purge_expired().unwrap();
            }
            Self::LastCentury => f.clock.set(600_000_000),
            _ => ran_ahead(&f, 20 * HOUR),
        }
        f
    }

    fn pass(self, f: &mut Fixture, seconds: u64) {
        let half = seconds / 2;
        match self {
            Self::Right | Self::RanAhead | Self::LastCentury => f.clock.advance(seconds),
            Self::SetToAndFro => {
                f.clock.back(3 * HOUR);
                f.clock.advance(half);
                f.keyplate.get_settings().unwrap();
                f.clock.ahead(2 * HOUR);
                f.clock.advance(seconds - half);
            }
            Self::Asleep => f.clock.suspend(seconds),
            Self::Restarted => {
                f.clock.advance(half);
                f.keyplate = f.open_again();
                f.clock.advance(seconds - half);
            }
            Self::Rebooted => {
                f.clock.advance(half);
                f.keyplate.purge_expired().unwrap(); // stores the time
                f.clock.reboot();
                f.keyplate = f.open_again();
                f.clock.advance(seconds - half);
            }
        }
    }
}

/// Tries it, once.
type Try = Box<dyn Fn(&Fixture) -> Result<()>>;

/// Made now, it works for `life` seconds and is then refused like this.
struct Thing {
    name: &'static str,
    life: u64,
    refusal: ErrorCode,
    make: fn(&Fixture) -> Try,
}

fn try_session(secret: String) -> Try {
    Box::new(move |f| f.keyplate.verify_session(&secret).map(drop))
}

fn try_one_time(f: &Fixture, life: i64) -> Try {
    let ann = f.user("ann");
    let made = f.keyplate.create_one_time_token(&ann.id, Some(life));
    let secret = made.unwrap().secret.reveal();
    Box::new(move |f| f.stranger().redeem_one_time_token(&secret).map(drop))
}

fn try_key(secret: String) -> Try {
    Box::new(move |f| f.keyplate.verify_api_key(&secret).map(drop))
}

fn acting(keyplate: &Keyplate, secret: &str) -> Result<Keyplate> {
    let found = keyplate.authenticate(secret)?;
    keyplate.acting_as(&found.principal, client())
}

const THINGS: [Thing; 13] = [
    Thing {
        name: "a code",
        life: 3,
        refusal: ErrorCode::InvalidCredential,
        make: |f| try_one_time(f, 3),
    },
    Thing {
        name: "a long one-time token",
        life: 1_000,
        refusal: ErrorCode::InvalidCredential,
        make: |f| try_one_time(f, 1_000),
    },
    Thing {
        name: "a session",
        life: 50,
        refusal: ErrorCode::InvalidCredential,
        make: |f| {
            let ann = f.user("ann");
            let session = f.keyplate.create_session(&ann.id, client(), Some(50));
            try_session(session.unwrap().secret.reveal())
        },
    },
    Thing {
        name: "a session that nobody uses",
        life: 7 * DAY,
        refusal: ErrorCode::InvalidCredential,
        make: |f| try_session(f.session(&f.user("ann")).secret.reveal()),
    },
    Thing {
        name: "a handle that acts by a session",
        life: 50,
        refusal: ErrorCode::InvalidCredential,
        make: |f| {
            let ann = f.user("ann");
            let session = f.keyplate.create_session(&ann.id, client(), Some(50));
            let principal = f.keyplate.authenticate(session.unwrap().secret.as_str());
            let principal = principal.unwrap().principal;
            Box::new(move |f| {
                let acting = f.keyplate.acting_as(&principal, client())?;
                acting.get_user(&ann.id).map(drop)
            })
        },
    },
    Thing {
        name: "an API key",
        life: 10,
        refusal: ErrorCode::InvalidCredential,
        make: |f| {
            let key = NewApiKey {
                expires_at: Some(in_seconds(f, 10)),
                ..new_key(Some(&f.user("ann")), &["a:b"])
            };
            try_key(f.keyplate.create_api_key(key).unwrap().secret.reveal())
        },
    },
    Thing {
        name: "the former secret of an API key",
        life: 60,
        refusal: ErrorCode::InvalidCredential,
        make: |f| {
            let key = f.key(&f.user("ann"), &["a:b"]);
            let rotation = KeyRotation {
                overlap_seconds: Some(60),
                ..KeyRotation::default()
            };
            f.keyplate
                .rotate_api_key(&key.api_key.id, rotation)
                .unwrap();
            try_key(key.secret.reveal())
        },
    },
    Thing {
        name: "a setup token",
        life: DAY,
        refusal: ErrorCode::InvalidCredential,
        make: |f| {
            let token = f.keyplate.create_setup_token().unwrap().secret.reveal();
            Box::new(move |f| {
                let claimed = f.stranger().claim_setup(Some(token.clone()), admin("ann"));
                claimed.map(drop)
            })
        },
    },
    Thing {
        name: "a ceremony that is stored",
        life: 300,
        refusal: ErrorCode::PasskeyCeremonyFailed,
        make: |f| {
            let session = f.session(&f.user("ann")).secret.reveal();
            let begun = f.acting(&session).begin_passkey_registration().unwrap();
            let answer = Person::new().create(&begun, &Spoil::default());
            Box::new(move |f| {
                let acting = acting(&f.keyplate, &session)?;
                let made = acting.finish_passkey_registration(&begun.ceremony, &answer, None);
                made.map(drop)
            })
        },
    },
    Thing {
        name: "a ceremony that travels sealed",
        life: 300,
        refusal: ErrorCode::PasskeyCeremonyFailed,
        make: |f| {
            let (mut person, ..) = f.person(&f.user("ann"));
            let begun = f.stranger().begin_passkey_login().unwrap();
            let answer = person.get(&begun, &Spoil::default());
            Box::new(move |f| {
                let stranger = f.stranger();
                let signed_in = stranger.finish_passkey_login(&begun.ceremony, &answer);
                signed_in.map(drop)
            })
        },
    },
    Thing {
        name: "an account",
        life: 90,
        refusal: ErrorCode::AccountExpired,
        make: |f| {
            let ann = f.user("ann");
            let session = f.session(&ann).secret.reveal();
            let changes = UserChanges {
                expiry: Some(Expiry::At {
                    time: in_seconds(f, 90),
                }),
                ..UserChanges::default()
            };
            f.keyplate.update_user(&ann.id, changes).unwrap();
            try_session(session)
        },
    },
    Thing {
        name: "a sign-up token",
        life: 90,
        refusal: ErrorCode::InvalidCredential,
        make: |f| {
            set_mode(f, SignupMode::WithToken);
            let token = NewSignupToken {
                expiry: Some(Expiry::At {
                    time: in_seconds(f, 90),
                }),
                ..NewSignupToken::default()
            };
            let token = f.keyplate.create_signup_token(token).unwrap();
            let secret = token.secret.reveal();
            Box::new(move |f| f.stranger().inspect_signup_token(&secret).map(drop))
        },
    },
    Thing {
        name: "a fresh sign-in",
        life: HOUR,
        refusal: ErrorCode::StepUpRequired,
        make: |f| {
            let (_, _, signed_in) = f.person(&f.administrator("ann"));
            let secret = signed_in.secret.reveal();
            Box::new(move |f| {
                let acting = acting(&f.keyplate, &secret)?;
                acting.create_api_key(new_key(None, &["*"])).map(drop)
            })
        },
    },
];

#[test]
fn everything_ends_when_it_should() {
    for course in COURSES {
        for Thing {
            name,
            life,
            refusal,
            make,
        } in THINGS
        {
            let what = format!("{name}, {course:?}");
            let mut f = course.begin();
            let works = make(&f);
            course.pass(&mut f, life - 1);
            assert_eq!(works(&f), Ok(()), "{what}: too early");
            let mut f = course.begin();
            let ends = make(&f);
            course.pass(&mut f, life);
            let ended = ends(&f).map_err(|error| error.code());
            assert_eq!(ended, Err(refusal), "{what}: too late");
        }
    }
}

/// C3, S1.
#[test]
fn whoever_has_to_wait_waits_no_longer() {
    for course in COURSES {
        let mut f = course.begin();
        assert_eq!(guess_until_limited(&f), 600, "{course:?}");
        course.pass(&mut f, 250);
        assert_eq!(guess_until_limited(&f), 350, "{course:?}");
        course.pass(&mut f, 350);
        let wrong = f.stranger().redeem_one_time_token("0000-0000");
        assert_eq!(code(wrong), ErrorCode::InvalidCredential, "{course:?}");
    }
}

/// T1: a use puts the idle time off, and no further than that.
#[test]
fn a_use_while_the_clock_is_behind_counts_from_then() {
    for course in COURSES {
        let mut f = course.begin();
        let session = f.session(&f.user("ann")).secret.reveal();
        for _ in 0..2 {
            course.pass(&mut f, 6 * DAY);
            assert!(f.keyplate.verify_session(&session).is_ok(), "{course:?}");
            f.keyplate.purge_expired().unwrap(); // writes when it was used
        }
        course.pass(&mut f, 7 * DAY);
        let ended = f.keyplate.verify_session(&session);
        assert_eq!(code(ended), ErrorCode::InvalidCredential, "{course:?}");
    }
}

/// A1: a row a minute, at the time that it is.
#[test]
fn refusals_are_counted_by_the_minute_that_it_is() {
    let f = Course::RanAhead.begin();
    f.clock.advance(30 * MINUTE);
    f.user("bob");
    // The clock shows the same minutes once more.
    f.clock.back(30 * MINUTE);
    let refused = |f: &Fixture| {
        let wrong = Some("guess".to_owned());
        let _ = f.stranger().claim_setup(wrong, admin("eve"));
    };
    let rows = |f: &Fixture| {
        let query = keyplate::AuditQuery {
            kind: Some(keyplate::EventKind::SetupRefused),
            ..Default::default()
        };
        let page = f.keyplate.list_audit_events(query).unwrap();
        let rows = page.items.into_iter().map(|row| (row.at, row.count));
        rows.collect::<Vec<_>>()
    };
    for _ in 0..3 {
        refused(&f);
    }
    let first = in_seconds(&f, 0);
    assert_eq!(rows(&f), [(first, 3)]);
    f.clock.advance(MINUTE);
    refused(&f);
    assert_eq!(rows(&f), [(in_seconds(&f, 0), 1), (first, 3)]);
}
