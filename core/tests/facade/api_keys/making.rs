//! A key that is made: what is shown of it, and what its maker must have.

use keyplate::{ApiKeyQuery, ErrorCode, Expiry, KeyRotation, NewApiKey, Role, UserChanges};

use crate::common::*;

#[test]
fn a_key_is_shown_once_and_masked_afterwards() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let made = f.key(&ann, &["library:stream", "users:read"]);
    let secret = made.secret.reveal();
    assert!(secret.starts_with("kp_key_") && secret.len() == "kp_key_".len() + 49);
    assert_eq!(
        made.api_key.masked_secret,
        format!("kp_key_…{}", &secret[secret.len() - 4..])
    );
    assert!(!format!("{made:?}").contains(&secret));
    let found = f.keyplate.verify_api_key(&secret).unwrap();
    assert_eq!(
        (found.user_id, found.username.as_str(), found.role),
        (ann.id, "ann", Role::User)
    );
    assert_eq!(found.scopes, ["library:stream", "users:read"]);
    assert_eq!(
        (found.api_key_id, found.session_id, found.expires_at),
        (Some(made.api_key.id), None, None)
    );
    assert_eq!(f.keyplate.authenticate(&secret).unwrap(), found);
    assert_eq!(
        f.keyplate.get_api_key(&made.api_key.id).unwrap(),
        made.api_key
    );
}

#[test]
fn bad_input_names_its_field() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let key = || new_key(Some(&ann), &["*"]);
    for (field, bad) in [
        (
            "name",
            NewApiKey {
                name: String::new(),
                ..key()
            },
        ),
        (
            "name",
            NewApiKey {
                name: "x".repeat(101),
                ..key()
            },
        ),
        (
            "note",
            NewApiKey {
                note: Some("a\u{0}".to_owned()),
                ..key()
            },
        ),
        ("scopes", new_key(Some(&ann), &[])),
        ("scopes", new_key(Some(&ann), &["everything"])),
        (
            "expires_at",
            NewApiKey {
                expires_at: Some(f.now()),
                ..key()
            },
        ),
        ("owner_id", new_key(None, &["*"])),
    ] {
        assert_eq!(
            refusal(f.keyplate.create_api_key(bad)),
            (ErrorCode::InvalidInput, Some(field.to_owned()))
        );
    }
    let id = made_up_id();
    let nobody = NewApiKey {
        owner_id: Some(id),
        ..key()
    };
    assert_eq!(code(f.keyplate.create_api_key(nobody)), ErrorCode::NotFound);
    assert_eq!(
        f.keyplate
            .list_api_keys(ApiKeyQuery::default())
            .unwrap()
            .total,
        0
    );
}

fn made_up_id() -> keyplate::UserId {
    keyplate::UserId::parse("00000000-0000-7000-8000-000000000000").unwrap()
}

#[test]
fn a_key_gives_no_more_than_its_maker_has() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let maker = f
        .keyplate
        .create_api_key(NewApiKey {
            expires_at: Some(f.in_seconds(1_000)),
            ..new_key(Some(&ann), &["keys:write", "users:read"])
        })
        .unwrap();
    let weak = f.acting(maker.secret.as_str());
    let ends = |key: NewApiKey| NewApiKey {
        expires_at: Some(f.in_seconds(1_000)),
        ..key
    };
    for scopes in [
        &["*"][..],
        &["users:write"],
        &["roles:write"],
        &["keys:write", "audit:read"],
    ] {
        assert_eq!(
            code(weak.create_api_key(ends(new_key(Some(&bob), scopes)))),
            ErrorCode::PermissionDenied
        );
    }
    assert_eq!(
        code(weak.create_api_key(new_key(Some(&bob), &["users:read"]))),
        ErrorCode::PermissionDenied,
        "it would outlive its maker"
    );
    let made = weak
        .create_api_key(ends(new_key(Some(&bob), &["users:read"])))
        .unwrap();

    // Rotating or renewing somebody else's stronger key would hand it over, or lengthen it.
    let strong = f.key(&bob, &["audit:read"]);
    assert_eq!(
        code(weak.rotate_api_key(
            &strong.api_key.id,
            KeyRotation {
                expiry: Some(Expiry::At {
                    time: f.in_seconds(9)
                }),
                ..Default::default()
            }
        )),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(weak.renew_api_key(
            &strong.api_key.id,
            Expiry::At {
                time: f.in_seconds(9)
            }
        )),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(weak.renew_api_key(&made.api_key.id, Expiry::Never)),
        ErrorCode::PermissionDenied
    );
    weak.renew_api_key(
        &made.api_key.id,
        Expiry::At {
            time: f.in_seconds(500),
        },
    )
    .unwrap();
    // Itself, it may not lengthen either.
    assert_eq!(
        code(weak.renew_api_key(
            &maker.api_key.id,
            Expiry::At {
                time: f.in_seconds(900)
            }
        )),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(weak.rotate_api_key(&maker.api_key.id, KeyRotation::default())),
        ErrorCode::PermissionDenied
    );
    // Another administrator's credentials want rights like his.
    let carol = f.administrator("carol");
    let hers = f.key(&carol, &["users:read"]);
    assert_eq!(
        code(weak.create_api_key(ends(new_key(Some(&carol), &["users:read"])))),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(weak.revoke_api_key(&hers.api_key.id)),
        ErrorCode::PermissionDenied
    );
    let soon = || Expiry::At {
        time: f.in_seconds(9),
    };
    let rotation = KeyRotation {
        expiry: Some(soon()),
        ..Default::default()
    };
    assert_eq!(
        code(weak.rotate_api_key(&hers.api_key.id, rotation)),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(weak.renew_api_key(&hers.api_key.id, soon())),
        ErrorCode::PermissionDenied
    );
}

#[test]
fn step_up_is_asked_of_sessions() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    // A session by the host never satisfies step-up.
    let hers = f.acting(f.session(&ann).secret.as_str());
    assert_eq!(
        code(hers.create_api_key(new_key(None, &["users:read"]))),
        ErrorCode::StepUpRequired
    );
    assert_eq!(
        code(hers.set_user_role(&bob.id, Role::Administrator)),
        ErrorCode::StepUpRequired
    );
    let key = f.key(&ann, &["users:read"]);
    assert_eq!(
        code(hers.rotate_api_key(&key.api_key.id, KeyRotation::default())),
        ErrorCode::StepUpRequired
    );
    hers.create_api_key(new_key(None, &["library:stream"]))
        .expect("the host's own scopes want a sign-in within the hour");
    hers.revoke_api_key(&key.api_key.id)
        .expect("the safe direction asks for nothing");
    let his = f.acting(f.session(&bob).secret.as_str());
    his.create_api_key(new_key(None, &["*"]))
        .expect("no administrator's key");
    f.clock.advance(3_600);
    assert_eq!(
        code(his.create_api_key(new_key(None, &["library:stream"]))),
        ErrorCode::StepUpRequired
    );

    // A setup session's own keys ask for nothing more; anything else of weight does.
    let f = Fixture::new();
    let setup = f.acting(f.claim().secret.as_str());
    let bob = f.user("bob");
    setup
        .create_api_key(new_key(None, &["*", "roles:write"]))
        .unwrap();
    assert_eq!(
        code(setup.set_user_role(&bob.id, Role::Administrator)),
        ErrorCode::StepUpRequired
    );
    let promote = UserChanges {
        role: Some(Role::Administrator),
        ..Default::default()
    };
    assert_eq!(
        code(setup.update_user(&bob.id, promote)),
        ErrorCode::StepUpRequired
    );

    let f = Fixture::new();
    let claimed = f.claim();
    let everything = f.key(&claimed.user, &["*", "roles:write"]);
    let eve = keyplate::NewUser {
        role: Some(Role::Administrator),
        ..new_user("eve")
    };
    let eve = f.acting(everything.secret.as_str()).create_user(eve);
    assert_eq!(
        code(
            f.acting(claimed.secret.as_str())
                .create_api_key(new_key(Some(&eve.unwrap()), &["users:read"]))
        ),
        ErrorCode::StepUpRequired,
        "it is not its own"
    );
}
