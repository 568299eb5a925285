//! K1: time, by every detour. A weak key makes codes, sessions and keys; each of them makes more, in every order, three
//! steps deep. Nothing of it lives longer than the key, nothing leads back to it, and nobody gets a passkey by it who
//! could not be given one for good.

use std::collections::BTreeSet;

use keyplate::{
    CreatedApiKey, ErrorCode, Expiry, KeyRotation, Keyplate, NewApiKey, Result, Role, User,
};

use crate::common::{passkeys::Person, *};

/// One step from a credential to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A code or token, and its session.
    Code(i64, Whose),
    Recovery(Whose),
    NewKey(End),
    Rotate(Which, End),
    /// A key of the world's that is renewed is no new credential: it is looked at for its end.
    Renew(Which, End),
    /// The session that replaces one by a passkey's registration.
    Passkey,
    /// The session of a device that is approved.
    Device,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Own,
    Bobs,
    Carols,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Itself,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Kept,
    Within,
    Later,
    Never,
}

fn steps() -> Vec<Step> {
    let mut steps = vec![Step::Passkey, Step::Device];
    for whose in [Whose::Own, Whose::Bobs, Whose::Carols] {
        steps.extend([60, 100_000].map(|seconds| Step::Code(seconds, whose)));
        steps.push(Step::Recovery(whose));
    }
    for end in [End::Within, End::Later, End::Never] {
        steps.push(Step::NewKey(end));
    }
    for which in [Which::Itself, Which::Other] {
        for end in [End::Kept, End::Within, End::Later, End::Never] {
            steps.push(Step::Rotate(which, end));
        }
        for end in [End::Within, End::Later, End::Never] {
            steps.push(Step::Renew(which, end));
        }
    }
    steps
}

/// How long the key lives, in seconds.
const LIFE: u64 = 5_000;

struct Land {
    f: Fixture,
    ann: User,
    bob: User,
    carol: User,
    key: CreatedApiKey,
    scopes: Vec<String>,
    /// Ends before the key.
    other: CreatedApiKey,
}

impl Land {
    fn new(scopes: &[&str]) -> Self {
        let f = Fixture::new();
        let ann = f.administrator("ann");
        let until = |seconds| NewApiKey {
            expires_at: Some(f.in_seconds(seconds)),
            ..new_key(Some(&ann), scopes)
        };
        let key = f.keyplate.create_api_key(until(LIFE)).unwrap();
        let other = f.keyplate.create_api_key(until(LIFE - 1)).unwrap();
        Self {
            ann,
            bob: f.user("bob"),
            carol: f.administrator("carol"),
            key,
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            other,
            f,
        }
    }

    /// At the end of a path that is allowed, with what was made on it, the key first.
    fn at(scopes: &[&str], path: &[Step]) -> (Self, Vec<String>) {
        let land = Self::new(scopes);
        let mut made = vec![land.other.secret.reveal(), land.key.secret.reveal()];
        for step in path {
            let acting = land.f.acting(made.last().unwrap());
            made.extend(land.step(&acting, *step).unwrap());
        }
        (land, made)
    }

    fn end(&self, end: End) -> Option<Expiry> {
        let at = |time| Some(Expiry::At { time });
        match end {
            End::Kept => None,
            End::Within => at(self.key.api_key.expires_at.unwrap()),
            End::Later => at(self.f.in_seconds(10 * LIFE)),
            End::Never => Some(Expiry::Never),
        }
    }

    fn step(&self, acting: &Keyplate, step: Step) -> Result<Option<String>> {
        let user = |whose| match whose {
            Whose::Own => &self.ann,
            Whose::Bobs => &self.bob,
            Whose::Carols => &self.carol,
        };
        let key = |which| match which {
            Which::Itself => &self.key.api_key.id,
            Which::Other => &self.other.api_key.id,
        };
        let redeemed = |secret: &str| {
            let session = self.f.stranger().redeem_one_time_token(secret)?;
            Ok(Some(session.secret.reveal()))
        };
        match step {
            Step::Code(seconds, whose) => {
                let made = acting.create_one_time_token(&user(whose).id, Some(seconds))?;
                redeemed(made.secret.as_str())
            }
            Step::Recovery(whose) => {
                let made = acting.create_recovery_token(&user(whose).id, None)?;
                redeemed(made.secret.as_str())
            }
            Step::NewKey(end) => {
                let key = NewApiKey {
                    name: "child".to_owned(),
                    scopes: self.scopes.clone(),
                    expires_at: self.end(end).and_then(|expiry| match expiry {
                        Expiry::At { time } => Some(time),
                        _ => None,
                    }),
                    ..NewApiKey::default()
                };
                Ok(Some(acting.create_api_key(key)?.secret.reveal()))
            }
            Step::Rotate(which, end) => {
                let rotation = KeyRotation {
                    overlap_seconds: None,
                    expiry: self.end(end),
                };
                let rotated = acting.rotate_api_key(key(which), rotation)?;
                assert!(which == Which::Other, "the key rotated itself");
                Ok(Some(rotated.secret.reveal()))
            }
            Step::Renew(which, end) => {
                let expiry = self.end(end).expect("a renewal has an end");
                acting.renew_api_key(key(which), expiry)?;
                assert!(which == Which::Other, "the key renewed itself");
                Ok(None)
            }
            Step::Device => {
                let stranger = self.f.stranger();
                let started = stranger.begin_device_login(Default::default())?;
                let code = started.user_code.as_str();
                acting.inspect_device_login(code)?;
                acting.approve_device_login(code)?;
                let answer = stranger.poll_device_login(started.device_code.as_str())?;
                Ok(answer.signed_in.map(|session| session.secret.reveal()))
            }
            Step::Passkey => {
                let mut person = Person::new();
                let registered = person.register(acting)?;
                let user = self.f.keyplate.get_user(&registered.passkey.user_id)?;
                assert_eq!(user.role, Role::User, "an administrator got a passkey");
                assert_ne!(user.id, self.ann.id, "the owner got a passkey");
                Ok(registered
                    .signed_in
                    .map(|signed_in| signed_in.secret.reveal()))
            }
        }
    }
}

/// Every path of so many steps from the key; gives which steps were allowed.
fn walk(scopes: &[&str], depth: usize) -> BTreeSet<String> {
    let mut allowed = BTreeSet::new();
    let mut paths: Vec<Vec<Step>> = vec![Vec::new()];
    for _ in 0..depth {
        let mut longer = Vec::new();
        for path in &paths {
            for step in allowed_after(scopes, path) {
                allowed.insert(format!("{step:?}"));
                longer.push([&path[..], &[step]].concat());
            }
        }
        paths = distinct(longer);
    }
    allowed
}

/// Paths whose steps are of the same kinds lead to the same credential: one of each is gone on from.
fn distinct(paths: Vec<Vec<Step>>) -> Vec<Vec<Step>> {
    let mut seen = BTreeSet::new();
    let kind = |step: &Step| match step {
        Step::Code(_, whose) => format!("code {whose:?}"),
        Step::Recovery(whose) => format!("recovery {whose:?}"),
        Step::NewKey(_) => "key".to_owned(),
        Step::Rotate(..) => "rotated".to_owned(),
        Step::Renew(..) => "renewed".to_owned(),
        Step::Passkey => "passkey".to_owned(),
        Step::Device => "device".to_owned(),
    };
    paths
        .into_iter()
        .filter(|path| !matches!(path.last(), Some(Step::Renew(..))))
        .filter(|path| seen.insert(path.iter().map(&kind).collect::<Vec<_>>()))
        .collect()
}

/// Which steps are allowed at the end of a path. Whatever is made by the path and that step is dead when the key is. What
/// is refused changes nothing, so the same land serves until a step is allowed.
fn allowed_after(scopes: &[&str], path: &[Step]) -> Vec<Step> {
    let mut allowed = Vec::new();
    let mut here = Land::at(scopes, path);
    for step in steps() {
        let (land, made) = &mut here;
        let acting = land.f.acting(made.last().unwrap());
        match land.step(&acting, step) {
            Ok(next) => made.extend(next),
            Err(error) => {
                let known = [
                    ErrorCode::PermissionDenied,
                    ErrorCode::NotFound,
                    ErrorCode::StepUpRequired,
                ];
                assert!(
                    known.contains(&error.code()),
                    "{path:?} {step:?}: {error:?}"
                );
                continue;
            }
        }
        land.f.clock.advance(LIFE);
        for secret in made {
            let outcome = land.f.keyplate.authenticate(secret);
            assert_eq!(
                outcome.map_err(|error| error.code()).err(),
                Some(ErrorCode::InvalidCredential),
                "{scopes:?} {path:?} {step:?}: it outlives the key"
            );
        }
        allowed.push(step);
        here = Land::at(scopes, path);
    }
    allowed
}

#[test]
fn whatever_a_key_makes_by_any_detour_ends_with_it() {
    let cases: [&[&str]; 3] = [
        &["*", "roles:write"],
        &["*"],
        &["one_time_tokens:write", "keys:write", "passkeys:write"],
    ];
    let allowed: Vec<_> = std::thread::scope(|scope| {
        let walks = cases.map(|scopes| scope.spawn(move || walk(scopes, 3)));
        walks.into_iter().map(|walk| walk.join().unwrap()).collect()
    });
    for steps in &allowed {
        for step in ["Code(60, Own)", "NewKey(Within)", "Rotate(Other, Kept)"] {
            assert!(steps.contains(step), "{step} was refused: {steps:?}");
        }
    }
    assert!(allowed[0].contains("Passkey"), "{:?}", allowed[0]);
    assert!(allowed[0].contains("Device"), "{:?}", allowed[0]);
    assert!(allowed[0].contains("Recovery(Bobs)"), "{:?}", allowed[0]);
}
