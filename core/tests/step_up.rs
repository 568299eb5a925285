//! P5: who must show his passkey again, and what a step-up gives.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use common::{
    passkeys::{Person, reason},
    signups::{set_mode, signup},
    *,
};
use keyplate::{
    ErrorCode, EventKind, Expiry, Keyplate, NewAdmin, NewUser, Passkey, PasskeyFailure, Role,
    SettingsChanges, SignInMethod, SignedIn, SignupMode, User, UserChanges,
};
use keyplate_testkit::Spoil;

const HOUR: u64 = 3_600;

/// Every act of P5 by everybody's credential. `step`: step-up required; `no`: permission denied; `none`: not found;
/// `-`: does not occur. The credentials are an administrator's, save that of sign-up, which is an ordinary user's: so
/// his `users:read` is no administrator scope. Sessions are fresh; those called old began an hour ago. `area` is a key
/// with the scope of the act's area only, then the same with `keys:write` or `roles:write` besides.
const TABLE: &str = "
                           setup signup code recovery host old-host passkey old-passkey stepped-up  *   full area +keys +roles
register the first         ok    ok     ok   ok       ok   ok       ok      ok          ok          no  no   no   no    no
register a second          ok    step   step ok       step step     ok      step        ok          no  no   no   no    no
rename one's own           step  step   step step     step step     ok      step        ok          ok  ok   no   ok    ok
delete one's own           step  step   step ok       step step     ok      step        ok          ok  ok   no   ok    ok
delete another's           step  none   step none     step step     ok      step        ok          ok  ok   no   ok    ok
make a key of scope users  ok    ok     step no       step step     ok      step        ok          ok  ok   no   no    no
make a key of host's scope ok    ok     ok   no       ok   step     ok      step        ok          ok  ok   no   no    no
rotate a key of users      ok    ok     step no       step step     ok      step        ok          ok  ok   no   no    no
renew a key of users       ok    ok     step no       step step     ok      step        ok          ok  ok   no   no    no
renew a key of host's      ok    ok     ok   no       ok   step     ok      step        ok          ok  ok   no   no    no
promote                    step  no     step no       step step     ok      step        ok          no  ok   no   no    no
promote by update          step  none   step no       step step     ok      step        ok          no  ok   no   no    no
make an administrator      step  no     step no       step step     ok      step        ok          no  ok   no   no    no
make a recovery token      step  no     step no       step step     ok      step        ok          ok  ok   no   no    no
make oneself a code        ok    no     ok   no       ok   step     ok      step        ok          ok  ok   ok   ok    ok
make an admin a code       step  no     step no       step step     ok      step        ok          no  ok   no   no    no
";

/// The scope that an act wants of an API key at least.
fn area(act: &str) -> &'static str {
    match act.split(' ').next().unwrap() {
        "register" | "rename" | "delete" => "passkeys:write",
        "promote" => "users:write",
        _ if act == "make an administrator" => "users:write",
        _ if act.ends_with("token") || act.ends_with("code") => "one_time_tokens:write",
        _ => "keys:write",
    }
}

/// For one cell of the table.
struct World {
    f: Fixture,
    /// Who acts, an administrator besides others; by `signup` he is none.
    ann: User,
    signed_up: Option<SignedIn>,
    person: Option<(Person, Passkey, SignedIn)>,
    /// Whom administrators act on.
    bob: User,
    bobs: Option<Passkey>,
    /// Another administrator, who has no passkey.
    root: User,
}

impl World {
    fn new(act: &str, by: &str) -> Self {
        let f = Fixture::new();
        let root = f.administrator("root");
        let signed_up = (by == "signup").then(|| {
            set_mode(&f, SignupMode::Open);
            f.stranger().sign_up(signup("ann", None)).unwrap()
        });
        let ann = match &signed_up {
            Some(signed_in) => signed_in.user.clone(),
            None => f.administrator("ann"),
        };
        let signs_in_by_passkey = by.ends_with("passkey") || by == "stepped-up";
        if act == "register the first" && signs_in_by_passkey {
            f.person(&root); // so that ann's can be taken away (U3)
        }
        let of_passkeys = ["register a second", "rename one's own", "delete one's own"];
        let person = (signs_in_by_passkey || of_passkeys.contains(&act)).then(|| f.person(&ann));
        if act == "delete one's own"
            && let Some((_, _, session)) = &person
        {
            let acting = f.acting(session.secret.as_str());
            Person::new().register(&acting).unwrap();
        }
        let bob = f.user("bob");
        Self {
            ann,
            signed_up,
            person,
            bobs: (act == "delete another's").then(|| f.person(&bob).1),
            bob,
            root,
            f,
        }
    }

    /// The credential of that column.
    fn acting(&mut self, act: &str, by: &str) -> Keyplate {
        let (f, ann) = (&self.f, &self.ann);
        let session = |signed_in: SignedIn| f.acting(signed_in.secret.as_str());
        let redeem = |secret: &str| session(f.stranger().redeem_one_time_token(secret).unwrap());
        let key = |scopes: &[&str]| f.acting(f.key(ann, scopes).secret.as_str());
        match by {
            "setup" => session(claim_again(f, ann)),
            "signup" => session(self.signed_up.take().unwrap()),
            "code" => {
                let code = f.keyplate.create_one_time_token(&ann.id, None).unwrap();
                redeem(code.secret.as_str())
            }
            "recovery" => {
                let token = f.keyplate.create_recovery_token(&ann.id, None).unwrap();
                redeem(token.secret.as_str())
            }
            "host" | "old-host" => {
                let acting = session(f.session(ann));
                f.clock.advance(if by == "host" { HOUR - 1 } else { HOUR });
                acting
            }
            "passkey" | "old-passkey" | "stepped-up" => self.by_passkey(by),
            "*" => key(&["*"]),
            "full" => key(&["*", "roles:write"]),
            "area" => key(&[area(act)]),
            "+keys" => key(&[area(act), "keys:write"]),
            "+roles" => key(&[area(act), "roles:write"]),
            other => panic!("no such credential: {other}"),
        }
    }

    fn by_passkey(&mut self, by: &str) -> Keyplate {
        let f = &self.f;
        let (person, _, session) = self.person.as_mut().unwrap();
        f.clock.advance(HOUR);
        *session = person.log_in(&f.stranger()).unwrap();
        f.clock.advance(HOUR - 1);
        if by == "passkey" {
            return f.acting(session.secret.as_str());
        }
        f.clock.advance(1);
        let acting = f.acting(session.secret.as_str());
        if by == "old-passkey" {
            return acting;
        }
        *session = person.step_up(&acting).unwrap();
        f.clock.advance(HOUR - 1);
        f.acting(session.secret.as_str())
    }

    fn outcome(&mut self, act: &str, by: &str) -> Option<ErrorCode> {
        let acting = self.acting(act, by);
        let (f, ann, bob) = (&self.f, &self.ann, &self.bob);
        let own = self.person.as_ref().map(|(_, passkey, _)| passkey.id);
        let code = |result: keyplate::Result<()>| result.err().map(|error| error.code());
        code(match act {
            "register the first" => {
                for passkey in f.keyplate.list_passkeys(Some(ann.id)).unwrap() {
                    f.keyplate.delete_passkey(&passkey.id).unwrap();
                }
                Person::new().register(&acting).map(drop)
            }
            "register a second" => Person::new().register(&acting).map(drop),
            "rename one's own" => acting.rename_passkey(&own.unwrap(), "Blue").map(drop),
            "delete one's own" => acting.delete_passkey(&own.unwrap()),
            "delete another's" => acting.delete_passkey(&self.bobs.as_ref().unwrap().id),
            "make a key of scope users" => make_key(&acting, "users:read"),
            "make a key of host's scope" => make_key(&acting, "library:stream"),
            "rotate a key of users" => {
                let key = f.key(ann, &["users:read"]).api_key;
                acting.rotate_api_key(&key.id, Default::default()).map(drop)
            }
            "renew a key of users" => renew_key(f, &acting, ann, "users:read"),
            "renew a key of host's" => renew_key(f, &acting, ann, "library:stream"),
            "promote" => acting.set_user_role(&bob.id, Role::Administrator).map(drop),
            "promote by update" => {
                let changes = UserChanges {
                    role: Some(Role::Administrator),
                    ..UserChanges::default()
                };
                acting.update_user(&bob.id, changes).map(drop)
            }
            "make an administrator" => {
                let user = NewUser {
                    role: Some(Role::Administrator),
                    ..new_user("eve")
                };
                acting.create_user(user).map(drop)
            }
            "make a recovery token" => acting.create_recovery_token(&bob.id, None).map(drop),
            "make oneself a code" => acting.create_one_time_token(&ann.id, None).map(drop),
            "make an admin a code" => acting.create_one_time_token(&self.root.id, None).map(drop),
            other => panic!("no such act: {other}"),
        })
    }
}

/// The one way to a setup session of somebody who has a passkey (B5).
fn claim_again(f: &Fixture, user: &User) -> SignedIn {
    f.keyplate.reset_setup(1).unwrap();
    let token = f.keyplate.create_setup_token().unwrap().secret.reveal();
    let named = NewAdmin {
        existing_user_id: Some(user.id),
        ..NewAdmin::default()
    };
    f.stranger().claim_setup(Some(token), named).unwrap()
}

fn make_key(acting: &Keyplate, scope: &str) -> keyplate::Result<()> {
    acting.create_api_key(new_key(None, &[scope])).map(drop)
}

fn renew_key(f: &Fixture, acting: &Keyplate, owner: &User, scope: &str) -> keyplate::Result<()> {
    let key = f.key(owner, &[scope]).api_key;
    acting.renew_api_key(&key.id, Expiry::Never).map(drop)
}

#[test]
fn the_whole_table() {
    let mut lines = TABLE.lines().filter(|line| !line.is_empty());
    let credentials: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    let mut wrong = Vec::new();
    for line in lines {
        let (act, cells) = line.split_at(27);
        let act = act.trim();
        let cells: Vec<&str> = cells.split_whitespace().collect();
        assert_eq!(cells.len(), credentials.len(), "{act}");
        for (by, expected) in credentials.iter().zip(cells) {
            let outcome = match World::new(act, by).outcome(act, by) {
                None => "ok",
                Some(ErrorCode::StepUpRequired) => "step",
                Some(ErrorCode::PermissionDenied) => "no",
                Some(ErrorCode::NotFound) => "none",
                Some(other) => panic!("{act} by {by}: {other:?}"),
            };
            if outcome != expected {
                wrong.push(format!("{act} by {by}: {outcome}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_step_up_gives_a_new_token_and_the_old_one_is_dead() {
    let f = Fixture::new();
    let (mut ann, _, first) = f.person(&f.administrator("ann"));
    f.clock.advance(HOUR);
    let acting = f.acting(first.secret.as_str());
    let other = f.session(&first.user);
    let second = ann.step_up(&acting).unwrap();

    assert_eq!(second.session.id, first.session.id);
    assert_eq!(second.session.signed_in_at, first.session.signed_in_at);
    assert_eq!(second.session.expires_at, first.session.expires_at);
    assert_eq!(second.session.stepped_up_at, Some(f.now()));
    assert_ne!(second.session.masked_secret, first.session.masked_secret);
    for keyplate in [&f.keyplate, &f.open_again()] {
        let dead = keyplate.verify_session(first.secret.as_str());
        assert_eq!(code(dead), ErrorCode::InvalidCredential);
        keyplate.verify_session(second.secret.as_str()).unwrap();
        keyplate.verify_session(other.secret.as_str()).unwrap();
    }
    let stepped_up = || {
        let kinds = f.heard.kinds();
        let stepped_up = kinds.iter().filter(|kind| **kind == EventKind::SteppedUp);
        stepped_up.count()
    };
    assert_eq!(stepped_up(), 1);

    // A session by other means is stepped up in the same way, and is still of its method.
    let third = ann.step_up(&f.acting(other.secret.as_str())).unwrap();
    assert_eq!(third.session.method, SignInMethod::Host);
    make_key(&f.acting(third.secret.as_str()), "*").unwrap();
    assert_eq!(stepped_up(), 2);
}

#[test]
fn a_step_up_wants_ones_own_passkey_and_session() {
    let f = Fixture::new();
    let (mut ann, _, first) = f.person(&f.administrator("ann"));
    let (mut bob, _, bobs) = f.person(&f.user("bob"));
    let acting = f.acting(first.secret.as_str());
    let by_bob = f.acting(bobs.secret.as_str());

    // Another's passkey, though his answer is to his own ceremony's challenge.
    let ceremony = acting.begin_step_up().unwrap();
    let bobs_ceremony = f.stranger().begin_passkey_login().unwrap();
    let response = bob.get(&bobs_ceremony, &Spoil::default());
    let refused = acting.finish_step_up(&ceremony.ceremony, &response);
    assert_eq!(reason(refused), PasskeyFailure::UnknownCredential);

    // Another's ceremony, or that of another session; neither spends it.
    let ceremony = acting.begin_step_up().unwrap();
    let response = ann.get(&ceremony, &Spoil::default());
    let second = f.acting(f.session(&first.user).secret.as_str());
    for stranger in [&by_bob, &second] {
        let refused = stranger.finish_step_up(&ceremony.ceremony, &response);
        assert_eq!(reason(refused), PasskeyFailure::WrongUser);
    }
    acting
        .finish_step_up(&ceremony.ceremony, &response)
        .unwrap();

    let key = f.acting(f.key(&first.user, &["*", "roles:write"]).secret.as_str());
    assert_eq!(code(key.begin_step_up()), ErrorCode::PermissionDenied);
    assert_eq!(
        code(f.keyplate.begin_step_up()),
        ErrorCode::PermissionDenied
    );
    let eve = f.acting(f.session(&f.user("eve")).secret.as_str());
    assert_eq!(code(eve.begin_step_up()), ErrorCode::NotFound);
}

#[test]
fn a_session_that_ended_steps_up_no_more() {
    let f = Fixture::new();
    let (mut ann, _, first) = f.person(&f.user("ann"));
    let acting = f.acting(first.secret.as_str());
    let ceremony = acting.begin_step_up().unwrap();
    let response = ann.get(&ceremony, &Spoil::default());
    f.keyplate.revoke_session(&first.session.id).unwrap();
    let refused = acting.finish_step_up(&ceremony.ceremony, &response);
    assert_eq!(code(refused), ErrorCode::InvalidCredential);
}

#[test]
fn the_setting_says_how_long_it_lasts() {
    let f = Fixture::new();
    let set = |seconds: u32| {
        f.keyplate.update_settings(SettingsChanges {
            step_up_seconds: Some(seconds),
            ..SettingsChanges::default()
        })
    };
    let (mut ann, _, first) = f.person(&f.administrator("ann"));
    let acting = f.acting(first.secret.as_str());
    f.clock.advance(59);
    set(60).unwrap();
    make_key(&acting, "*").unwrap();
    make_key(&acting, "library:stream").unwrap();
    f.clock.advance(1);
    for scope in ["*", "library:stream"] {
        assert_eq!(code(make_key(&acting, scope)), ErrorCode::StepUpRequired);
    }
    let stepped_up = ann.step_up(&acting).unwrap();
    let acting = f.acting(stepped_up.secret.as_str());
    make_key(&acting, "*").unwrap();
    f.clock.advance(60);
    assert_eq!(code(make_key(&acting, "*")), ErrorCode::StepUpRequired);
    set(24 * 3_600).unwrap();
    f.clock.advance(24 * HOUR - 61);
    make_key(&acting, "*").unwrap();
    f.clock.advance(1);
    assert_eq!(code(make_key(&acting, "*")), ErrorCode::StepUpRequired);
    assert_eq!(code(set(59)), ErrorCode::InvalidInput);
    assert_eq!(code(set(24 * 3_600 + 1)), ErrorCode::InvalidInput);
}

#[test]
fn an_old_session_does_not_make_itself_fresh_by_the_setting() {
    let f = Fixture::new();
    let (mut ann, _, first) = f.person(&f.administrator("ann"));
    let longer = SettingsChanges {
        step_up_seconds: Some(24 * 3_600),
        ..SettingsChanges::default()
    };
    f.clock.advance(HOUR);
    let acting = f.acting(first.secret.as_str());
    let refused = acting.update_settings(longer.clone());
    assert_eq!(code(refused), ErrorCode::StepUpRequired);
    assert_eq!(code(make_key(&acting, "*")), ErrorCode::StepUpRequired);
    let stepped_up = ann.step_up(&acting).unwrap();
    let acting = f.acting(stepped_up.secret.as_str());
    acting.update_settings(longer).unwrap();
}

#[test]
fn freshness_is_asked_for_again_at_the_end() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let (_, _, first) = f.person(&ann);
    let acting = f.acting(first.secret.as_str());
    f.clock.advance(HOUR - 1);
    let mut second = Person::new();
    let ceremony = acting.begin_passkey_registration().unwrap();
    let response = second.create(&ceremony, &Spoil::default());
    f.clock.advance(1);
    let late = acting.finish_passkey_registration(&ceremony.ceremony, &response, None);
    assert_eq!(code(late), ErrorCode::StepUpRequired);

    // Two sessions begin with what would be the first passkey of each: only one of them is.
    let bob = f.user("bob");
    let sessions = [f.session(&bob), f.session(&bob)];
    let begun = sessions.map(|session| {
        let acting = f.acting(session.secret.as_str());
        let ceremony = acting.begin_passkey_registration().unwrap();
        let response = Person::new().create(&ceremony, &Spoil::default());
        (acting, ceremony, response)
    });
    let outcomes = begun.map(|(acting, ceremony, response)| {
        let finished = acting.finish_passkey_registration(&ceremony.ceremony, &response, None);
        finished.err().map(|error| error.code())
    });
    assert_eq!(outcomes, [None, Some(ErrorCode::StepUpRequired)]);
}

#[test]
fn a_clock_that_goes_back_makes_nothing_fresh() {
    let f = Fixture::new();
    let (_, _, first) = f.person(&f.administrator("ann"));
    f.clock.advance(HOUR);
    let acting = f.acting(first.secret.as_str());
    f.user("bob"); // commits the time (C5)
    f.clock.back(HOUR);
    assert_eq!(code(make_key(&acting, "*")), ErrorCode::StepUpRequired);
}
