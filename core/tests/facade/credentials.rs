//! Every kind of credential × state of its user × state of itself (C1, C2, U2), and no secret anywhere on disk.

use std::fs;

use keyplate::{
    Claim, ClientInfo, ErrorCode, Expiry, Identity, NewApiKey, NewGroup, NewService, Role,
    ServiceAccess, User, UserChanges, UserStatus,
};

use crate::common::*;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Session,
    ApiKey,
    RotatedApiKey,
    SetupToken,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Of {
    Active,
    Pending,
    Disabled,
    Expired,
    Deleted,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Valid,
    Expired,
    Revoked,
    Malformed,
    WrongChecksum,
}

#[test]
fn the_whole_table() {
    use State::*;
    let mut cases = 0;
    for kind in [Kind::Session, Kind::ApiKey, Kind::RotatedApiKey] {
        for user in [
            Of::Active,
            Of::Pending,
            Of::Disabled,
            Of::Expired,
            Of::Deleted,
        ] {
            for state in [Valid, Expired, Revoked, Malformed, WrongChecksum] {
                let expected = match (state, user) {
                    (Valid, Of::Active) => None,
                    (Valid, Of::Pending) => Some(ErrorCode::AccountPending),
                    (Valid, Of::Disabled) => Some(ErrorCode::AccountDisabled),
                    (Valid, Of::Expired) => Some(ErrorCode::AccountExpired),
                    _ => Some(ErrorCode::InvalidCredential),
                };
                assert_eq!(
                    outcome(kind, user, state),
                    [expected; 3],
                    "{kind:?} {user:?} {state:?}"
                );
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 75);
    assert_eq!(
        outcome(Kind::SetupToken, Of::Active, Valid)[1],
        Some(ErrorCode::InvalidCredential)
    );
}

/// What its own method says, `authenticate`, and a handle that was made before (the state comes after it).
fn outcome(kind: Kind, of: Of, state: State) -> [Option<ErrorCode>; 3] {
    let f = Fixture::new();
    let user = f.user("ann");
    let soon = Some(f.in_seconds(60));
    let (secret, revoke): (String, Box<dyn Fn()>) = match kind {
        Kind::Session => {
            let made = f
                .keyplate
                .create_session(&user.id, ClientInfo::default(), Some(60))
                .unwrap();
            let keyplate = f.keyplate.clone();
            (
                made.secret.reveal(),
                Box::new(move || keyplate.revoke_session(&made.session.id).unwrap()),
            )
        }
        Kind::ApiKey | Kind::RotatedApiKey => {
            let made = f
                .keyplate
                .create_api_key(NewApiKey {
                    expires_at: soon,
                    ..new_key(Some(&user), &["users:read"])
                })
                .unwrap();
            let keyplate = f.keyplate.clone();
            if matches!(kind, Kind::RotatedApiKey) {
                keyplate
                    .rotate_api_key(&made.api_key.id, Default::default())
                    .unwrap();
            }
            (
                made.secret.reveal(),
                Box::new(move || keyplate.revoke_api_key(&made.api_key.id).unwrap()),
            )
        }
        Kind::SetupToken => (
            f.keyplate.create_setup_token().unwrap().secret.reveal(),
            Box::new(|| ()),
        ),
    };
    let before = f.keyplate.authenticate(&secret).ok();
    let acting = before.map(|found| f.keyplate.acting_as(&found.principal, client()).unwrap());
    put_user(&f, &user, of);
    match state {
        State::Expired => f.clock.advance(60),
        State::Revoked if of != Of::Deleted => revoke(),
        _ => {}
    }
    let shown = match state {
        State::Malformed => secret[..secret.len() - 3].to_owned(),
        State::WrongChecksum => {
            let last = if secret.ends_with('0') { "1" } else { "0" };
            format!("{}{last}", &secret[..secret.len() - 1])
        }
        _ => secret.clone(),
    };
    let other = f.open_again();
    let own = match kind {
        Kind::Session => other.verify_session(&shown).err(),
        _ => other.verify_api_key(&shown).err(),
    };
    let any = other.authenticate(&shown).err().map(|error| error.code());
    let pending = other.authenticate_pending(&shown).err();
    assert_eq!(pending.map(|error| error.code()), any, "{kind:?} {of:?}");
    let own = own.map(|error| error.code());
    // A handle is not spoilt by a misspelt secret; for those states it says what the others say.
    let handle = match (&acting, state) {
        (_, State::Malformed | State::WrongChecksum) | (None, _) => own,
        (Some(acting), _) => acting.get_user(&user.id).err().map(|error| error.code()),
    };
    [own, any, handle]
}

fn put_user(f: &Fixture, user: &User, of: Of) {
    match of {
        Of::Active => {}
        Of::Pending => set_status(f, user, UserStatus::Pending),
        Of::Disabled => drop(f.keyplate.disable_user(&user.id).unwrap()),
        Of::Expired => {
            let end = Expiry::At {
                time: f.in_seconds(5),
            };
            f.keyplate
                .update_user(
                    &user.id,
                    UserChanges {
                        expiry: Some(end),
                        ..UserChanges::default()
                    },
                )
                .unwrap();
            f.clock.advance(5);
        }
        Of::Deleted => f.keyplate.delete_user(&user.id).unwrap(),
    }
}

/// No method makes an active user pending again: the file is changed beside the library.
fn set_status(f: &Fixture, user: &User, status: UserStatus) {
    assert_eq!(status, UserStatus::Pending);
    let connection = raw(&f.path());
    connection
        .execute(
            "UPDATE users SET status = 'pending' WHERE id = ?1",
            [user.id.as_str()],
        )
        .unwrap();
}

#[test]
fn no_secret_is_on_disk_in_the_log_or_in_any_debug_text() {
    let f = Fixture::new();
    let claimed = f.claim();
    let mut secrets = vec![claimed.secret.reveal()];
    let ann = f.acting(claimed.secret.as_str());
    let key = ann.create_api_key(new_key(None, &["*"])).unwrap();
    let rotated = f
        .keyplate
        .rotate_api_key(&key.api_key.id, Default::default())
        .unwrap();
    let session = f.session(&claimed.user);
    secrets.push(f.keyplate.create_setup_token().unwrap().secret.reveal());
    secrets.extend([&key.secret, &rotated.secret, &session.secret].map(|secret| secret.reveal()));
    let shown = format!(
        "{claimed:?} {key:?} {rotated:?} {session:?} {:?} {}",
        f.keyplate, key.secret
    );
    for secret in &secrets {
        let _ = f.keyplate.authenticate(secret);
        let _ = f.stranger().claim_setup(Some(secret.clone()), admin("eve"));
    }
    let log = format!(
        "{:?} {:?}",
        f.keyplate.list_audit_events(Default::default()),
        f.heard.0.lock().unwrap()
    );
    let files: Vec<_> = fs::read_dir(f.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(
        files
            .iter()
            .any(|path| path.to_string_lossy().ends_with("-wal"))
    );
    for secret in &secrets {
        // The random part, without the kind and the last four characters that lists show.
        let core = &secret[7..secret.len() - 4];
        assert!(!shown.contains(core) && !log.contains(core));
        for path in &files {
            let bytes = fs::read(path).unwrap();
            assert!(
                !bytes
                    .windows(core.len())
                    .any(|window| window == core.as_bytes()),
                "{}",
                path.display()
            );
        }
    }
}

/// One call tells what a host shows and decides by, as it is at that moment.
#[test]
fn whoever_is_behind_a_credential_is_described() {
    let f = Fixture::new();
    let (ann, bob) = (f.administrator("ann"), f.user("bob"));
    let group = |name: &str| {
        let group = NewGroup {
            name: name.to_owned(),
            friendly_name: Some(format!("The {name}")),
        };
        f.keyplate.create_group(group).unwrap()
    };
    let (friends, family) = (group("friends"), group("family"));
    let claim = |key: &str, value: &str| Claim {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    f.keyplate
        .set_group_claims(&friends.id, vec![claim("quota", "5"), claim("shelf", "b")])
        .unwrap();
    f.keyplate
        .set_user_claims(&bob.id, vec![claim("quota", "9")])
        .unwrap();
    f.keyplate
        .set_user_groups(&bob.id, &[friends.id, family.id])
        .unwrap();
    for (slug, access, group_ids) in [
        ("films", None, vec![friends.id]),
        ("music", Some(ServiceAccess::Everyone), vec![]),
        ("vault", None, vec![]),
    ] {
        let service = NewService {
            slug: slug.to_owned(),
            access,
            group_ids,
            ..Default::default()
        };
        f.keyplate.create_service(service).unwrap();
    }
    let principal = |credential: &str| f.keyplate.authenticate(credential).unwrap().principal;
    let slugs = |identity: &Identity| -> Vec<String> {
        identity.services.iter().map(|s| s.slug.clone()).collect()
    };

    let session = f.session(&bob);
    let bobs = principal(session.secret.as_str());
    let identity = f.keyplate.describe(&bobs).unwrap();
    assert_eq!((identity.user.id, identity.role), (bob.id, Role::User));
    let names: Vec<&str> = identity
        .groups
        .iter()
        .map(|group| group.friendly_name.as_str())
        .collect();
    assert_eq!(names, ["The family", "The friends"]);
    assert_eq!(identity.claims, [claim("quota", "9"), claim("shelf", "b")]);
    assert_eq!(slugs(&identity), ["films", "music"]);
    for service in &identity.services {
        assert!(f.keyplate.authorize(&bobs, &service.slug).unwrap().allowed);
    }

    // A key is described as far as it reaches, and an administrator's as it acts.
    let narrow = f.key(&bob, &["music:listen"]);
    let narrow = f
        .keyplate
        .describe(&principal(narrow.secret.as_str()))
        .unwrap();
    assert_eq!(slugs(&narrow), ["music"]);
    assert_eq!(narrow.scopes, ["music:listen"]);
    let key = f.key(&ann, &["*"]);
    let anns = principal(key.secret.as_str());
    assert_eq!(
        f.keyplate.describe(&anns).unwrap().role,
        Role::Administrator
    );
    f.administrator("root");
    f.keyplate.set_user_role(&ann.id, Role::User).unwrap();
    assert_eq!(f.keyplate.describe(&anns).unwrap().role, Role::User);
    f.keyplate
        .set_user_role(&ann.id, Role::Administrator)
        .unwrap();
    let again = f.keyplate.describe(&anns).unwrap();
    assert_eq!(
        (again.user.role, again.role),
        (Role::Administrator, Role::User),
        "K2"
    );

    // What ended, or who is kept out, is not described.
    f.keyplate.disable_user(&bob.id).unwrap();
    assert_eq!(code(f.keyplate.describe(&bobs)), ErrorCode::AccountDisabled);
    f.keyplate.enable_user(&bob.id).unwrap();
    f.keyplate.revoke_session(&session.session.id).unwrap();
    assert_eq!(
        code(f.keyplate.describe(&bobs)),
        ErrorCode::InvalidCredential
    );
}
