//! API keys: C1, C2, K1, K2, P5.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use common::*;
use keyplate::{
    ApiKeyQuery, ApiKeySort, ErrorCode, EventKind, Expiry, KeyRotation, NewApiKey, Role,
    SessionQuery, UserChanges, UserQuery,
};

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
fn rotation_overlaps_renewal_extends_revocation_ends_all() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let first = f.key(&ann, &["a:b"]);
    let id = first.api_key.id;
    let rotation = KeyRotation {
        overlap_seconds: Some(60),
        expiry: None,
    };
    let second = f.keyplate.rotate_api_key(&id, rotation).unwrap();
    assert_eq!(second.api_key.id, id);
    let works = |secret: &str| f.keyplate.verify_api_key(secret).is_ok();
    assert!(works(first.secret.as_str()) && works(second.secret.as_str()));
    f.clock.advance(60);
    assert!(!works(first.secret.as_str()) && works(second.secret.as_str()));

    let at_once = KeyRotation {
        overlap_seconds: Some(0),
        expiry: Some(Expiry::At {
            time: f.in_seconds(100),
        }),
    };
    let third = f.keyplate.rotate_api_key(&id, at_once).unwrap();
    assert!(!works(second.secret.as_str()) && works(third.secret.as_str()));
    f.clock.advance(100);
    assert!(!works(third.secret.as_str()), "the new end");
    assert_eq!(
        code(f.keyplate.rotate_api_key(&id, KeyRotation::default())),
        ErrorCode::NotFound,
        "an expired key wants a new end"
    );
    let renewed = f
        .keyplate
        .renew_api_key(
            &id,
            Expiry::At {
                time: f.in_seconds(50),
            },
        )
        .unwrap();
    assert_eq!(renewed.expires_at, Some(f.in_seconds(50)));
    assert!(works(third.secret.as_str()), "renewed at any time");
    let fourth = f
        .keyplate
        .rotate_api_key(&id, KeyRotation::default())
        .unwrap();
    assert!(works(third.secret.as_str()));
    f.keyplate.revoke_api_key(&id).unwrap();
    f.keyplate.revoke_api_key(&id).expect("again does nothing");
    let kinds = f.heard.kinds();
    let revoked = |kind: &&EventKind| **kind == EventKind::ApiKeyRevoked;
    assert_eq!(kinds.iter().filter(revoked).count(), 1);
    assert!(!works(third.secret.as_str()) && !works(fourth.secret.as_str()));
    assert_eq!(
        code(f.keyplate.rotate_api_key(&id, KeyRotation::default())),
        ErrorCode::NotFound
    );
    assert_eq!(
        code(f.keyplate.renew_api_key(&id, Expiry::Never)),
        ErrorCode::NotFound
    );
    assert!(
        f.keyplate.get_api_key(&id).unwrap().revoked_at.is_some(),
        "kept for the audit"
    );
    let too_long = KeyRotation {
        overlap_seconds: Some(u32::MAX),
        expiry: None,
    };
    assert_eq!(
        refusal(f.keyplate.rotate_api_key(&id, too_long))
            .1
            .as_deref(),
        Some("overlap_seconds")
    );
}

#[test]
fn last_use_is_collected_and_written_with_the_next_write_and_at_close() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let key = f.key(&ann, &["a:b"]);
    f.clock.advance(10);
    let used = f.now();
    f.keyplate.verify_api_key(key.secret.as_str()).unwrap();
    f.user("bob");
    assert_eq!(
        f.keyplate
            .get_api_key(&key.api_key.id)
            .unwrap()
            .last_used_at,
        Some(used)
    );
    // By the secret from before a rotation too.
    f.keyplate
        .rotate_api_key(&key.api_key.id, KeyRotation::default())
        .unwrap();
    let other = f.open_again();
    f.clock.advance(10);
    other.verify_api_key(key.secret.as_str()).unwrap();
    drop(other);
    assert_eq!(
        f.keyplate
            .get_api_key(&key.api_key.id)
            .unwrap()
            .last_used_at,
        Some(f.now())
    );
}

/// T1: a call that verifies writes by itself, once a minute at most.
#[test]
fn last_use_is_written_within_a_minute_when_nothing_else_is() {
    let f = Fixture::new();
    let key = f.key(&f.user("ann"), &["a:b"]);
    let used = || {
        f.open_again()
            .get_api_key(&key.api_key.id)
            .unwrap()
            .last_used_at
    };
    f.keyplate.verify_api_key(key.secret.as_str()).unwrap();
    f.clock.advance(59);
    f.keyplate.verify_api_key(key.secret.as_str()).unwrap();
    assert_eq!(used(), None);
    f.clock.advance(1);
    f.keyplate.verify_api_key(key.secret.as_str()).unwrap();
    assert_eq!(used(), Some(f.now()));
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
fn a_promotion_widens_no_older_credential_and_a_demotion_narrows_at_once() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let key = f.key(&bob, &["*", "roles:write"]);
    let session = f.session(&bob);
    f.keyplate
        .set_user_role(&bob.id, Role::Administrator)
        .unwrap();
    for secret in [key.secret.as_str(), session.secret.as_str()] {
        assert_eq!(f.keyplate.authenticate(secret).unwrap().role, Role::User);
        assert_eq!(
            code(f.acting(secret).list_users(UserQuery::default())),
            ErrorCode::PermissionDenied
        );
        assert_eq!(
            code(f.acting(secret).get_user(&ann.id)),
            ErrorCode::NotFound
        );
    }
    let by_older = f
        .acting(session.secret.as_str())
        .create_api_key(new_key(None, &["*"]))
        .unwrap();
    let found = f.keyplate.verify_api_key(by_older.secret.as_str());
    assert_eq!(found.unwrap().role, Role::User, "nor by what it makes");
    let newer = f.key(&bob, &["*"]);
    let acting = f.acting(newer.secret.as_str());
    assert!(acting.list_users(UserQuery::default()).is_ok());
    let later = f.session(&bob);
    f.keyplate.set_user_role(&bob.id, Role::User).unwrap();
    assert_eq!(
        code(acting.list_users(UserQuery::default())),
        ErrorCode::PermissionDenied
    );
    for secret in [newer.secret.as_str(), later.secret.as_str()] {
        assert_eq!(f.keyplate.authenticate(secret).unwrap().role, Role::User);
    }
}

#[test]
fn roles_want_their_own_scope_and_all_others() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    for scopes in [
        &["*"][..],
        &["roles:write"],
        &["users:write", "roles:write"],
    ] {
        let weak = f.acting(f.key(&ann, scopes).secret.as_str());
        assert_eq!(
            code(weak.set_user_role(&bob.id, Role::Administrator)),
            ErrorCode::PermissionDenied,
            "{scopes:?}"
        );
        let changes = UserChanges {
            role: Some(Role::Administrator),
            ..Default::default()
        };
        assert_eq!(
            code(weak.update_user(&bob.id, changes)),
            ErrorCode::PermissionDenied,
            "{scopes:?}"
        );
        let promoted = keyplate::NewUser {
            role: Some(Role::Administrator),
            ..new_user("eve")
        };
        assert_eq!(
            code(weak.create_user(promoted)),
            ErrorCode::PermissionDenied,
            "{scopes:?}"
        );
    }
    let full = f.acting(f.key(&ann, &["*", "roles:write"]).secret.as_str());
    assert_eq!(
        full.set_user_role(&bob.id, Role::Administrator)
            .unwrap()
            .role,
        Role::Administrator
    );
}

#[test]
fn a_weak_administrators_key_does_not_touch_administrators() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let carol = f.administrator("carol");
    let dora = f.user("dora");
    let weak = f.acting(
        f.key(&ann, &["users:write", "sessions:write"])
            .secret
            .as_str(),
    );
    let email = || UserChanges {
        email: Some("evil@x.example".to_owned()),
        ..UserChanges::default()
    };
    let name = || UserChanges {
        display_name: Some("C".to_owned()),
        ..UserChanges::default()
    };
    let session = f.session(&carol);
    assert_eq!(
        code(weak.disable_user(&carol.id)),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(weak.delete_user(&carol.id)),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(weak.update_user(&carol.id, email())),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(weak.revoke_session(&session.session.id)),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(weak.revoke_user_sessions(&carol.id, None)),
        ErrorCode::PermissionDenied
    );
    let eve = keyplate::NewUser {
        role: Some(Role::Administrator),
        status: Some(keyplate::UserStatus::Pending),
        ..new_user("eve")
    };
    let eve = f.keyplate.create_user(eve).unwrap();
    assert_eq!(
        code(weak.approve_user(&eve.id)),
        ErrorCode::PermissionDenied
    );
    assert_eq!(code(weak.reject_user(&eve.id)), ErrorCode::PermissionDenied);
    weak.update_user(&carol.id, name()).unwrap();
    weak.update_user(&dora.id, email()).unwrap();
    weak.disable_user(&dora.id).unwrap();
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

#[test]
fn keys_are_listed_for_those_whom_they_concern() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let name = |name: &str, owner| NewApiKey {
        name: name.to_owned(),
        ..new_key(Some(owner), &["*"])
    };
    for (n, owner) in [("tv", &bob), ("Backup", &ann), ("phone", &bob)] {
        f.clock.advance(1);
        f.keyplate.create_api_key(name(n, owner)).unwrap();
    }
    let query = ApiKeyQuery::default;
    let all = f.keyplate.list_api_keys(query()).unwrap();
    assert_eq!(names(&all.items), ["phone", "Backup", "tv"]);
    let by_name = ApiKeyQuery {
        sort: Some(ApiKeySort::Name),
        ascending: true,
        ..query()
    };
    assert_eq!(
        names(&f.keyplate.list_api_keys(by_name).unwrap().items),
        ["Backup", "phone", "tv"]
    );
    let his = f.acting(f.session(&bob).secret.as_str());
    assert_eq!(
        names(&his.list_api_keys(query()).unwrap().items),
        ["phone", "tv"]
    );
    let hers = ApiKeyQuery {
        owner_id: Some(ann.id),
        ..query()
    };
    assert_eq!(code(his.list_api_keys(hers)), ErrorCode::PermissionDenied);
    assert_eq!(code(his.get_api_key(&all.items[1].id)), ErrorCode::NotFound);
    assert_eq!(
        code(his.revoke_api_key(&all.items[1].id)),
        ErrorCode::NotFound
    );
    assert_eq!(
        code(his.rotate_api_key(&all.items[1].id, KeyRotation::default())),
        ErrorCode::NotFound
    );
    assert_eq!(
        code(his.create_api_key(new_key(Some(&ann), &["a:b"]))),
        ErrorCode::NotFound
    );
    his.revoke_api_key(&all.items[0].id).unwrap();
    assert_eq!(his.list_api_keys(query()).unwrap().total, 1);
    assert_eq!(
        his.list_api_keys(ApiKeyQuery {
            include_revoked: true,
            ..query()
        })
        .unwrap()
        .total,
        2
    );
    assert_eq!(
        f.keyplate
            .list_api_keys(ApiKeyQuery {
                search: Some("BACK".to_owned()),
                ..query()
            })
            .unwrap()
            .total,
        1
    );
    assert!(his.list_sessions(SessionQuery::default()).is_ok());
}

#[test]
fn what_expires_soon_is_listed() {
    let f = Fixture::new();
    let ann = f.user("ann");
    for (name, seconds) in [("later", 900), ("soon", 100), ("sooner", 50)] {
        let key = NewApiKey {
            name: name.to_owned(),
            expires_at: Some(f.in_seconds(seconds)),
            ..new_key(Some(&ann), &["*"])
        };
        f.keyplate.create_api_key(key).unwrap();
    }
    f.key(&ann, &["*"]);
    let revoked = NewApiKey {
        expires_at: Some(f.in_seconds(70)),
        ..new_key(Some(&ann), &["*"])
    };
    let revoked = f.keyplate.create_api_key(revoked).unwrap().api_key;
    f.keyplate.revoke_api_key(&revoked.id).unwrap();
    assert_eq!(
        names(&f.keyplate.list_expiring_api_keys(100).unwrap()),
        ["sooner", "soon"]
    );
    f.clock.advance(50);
    assert_eq!(
        names(&f.keyplate.list_expiring_api_keys(u32::MAX).unwrap()),
        ["soon", "later"]
    );
}

#[test]
fn a_second_promotion_widens_nothing_from_the_first_term() {
    for promote_by_update in [false, true] {
        let f = Fixture::new();
        f.administrator("ann");
        let bob = f.administrator("bob");
        let key = f.key(&bob, &["*", "roles:write"]);
        let session = f.session(&bob);
        let code_for_him = f.keyplate.create_one_time_token(&bob.id, None).unwrap();
        f.keyplate.set_user_role(&bob.id, Role::User).unwrap();
        if promote_by_update {
            let changes = UserChanges {
                role: Some(Role::Administrator),
                ..Default::default()
            };
            f.keyplate.update_user(&bob.id, changes).unwrap();
        } else {
            f.keyplate
                .set_user_role(&bob.id, Role::Administrator)
                .unwrap();
        }
        for secret in [key.secret.as_str(), session.secret.as_str()] {
            assert_eq!(f.keyplate.authenticate(secret).unwrap().role, Role::User);
        }
        let redeemed = f
            .stranger()
            .redeem_one_time_token(code_for_him.secret.as_str())
            .unwrap();
        assert_eq!(
            f.keyplate
                .verify_session(redeemed.secret.as_str())
                .unwrap()
                .role,
            Role::User
        );
    }
}

#[test]
fn a_rotation_without_overlap_ends_every_older_secret() {
    let f = Fixture::new();
    let first = f.key(&f.user("ann"), &["a:b"]);
    let id = first.api_key.id;
    let rotate = |seconds| {
        f.keyplate
            .rotate_api_key(
                &id,
                KeyRotation {
                    overlap_seconds: Some(seconds),
                    expiry: None,
                },
            )
            .unwrap()
    };
    let second = rotate(1_000);
    let third = rotate(500);
    let works = |secret: &keyplate::Secret| f.keyplate.verify_api_key(secret.as_str()).is_ok();
    assert!(works(&first.secret) && works(&second.secret) && works(&third.secret));
    f.clock.advance(500);
    assert!(
        !works(&first.secret) && !works(&second.secret),
        "no later than the one before"
    );
    rotate(0);
    assert!(!works(&third.secret));
}

#[test]
fn a_sign_in_from_the_future_is_not_fresh() {
    let f = Fixture::new();
    let bob = f.user("bob");
    f.clock.advance(4 * 24 * 3_600);
    let his = f.acting(f.session(&bob).secret.as_str());
    f.clock.back(4 * 24 * 3_600);
    f.keyplate.reset_clock().unwrap();
    assert_eq!(
        code(his.create_api_key(new_key(None, &["a:b"]))),
        ErrorCode::StepUpRequired
    );
}

#[test]
fn roles_write_alone_reads_nobody_and_users_write_does_not_unverify_administrators() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let carol = f.administrator("carol");
    let verified = UserChanges {
        email: Some("carol@x.example".to_owned()),
        email_verified: Some(true),
        ..Default::default()
    };
    f.keyplate.update_user(&carol.id, verified).unwrap();
    let roles = f.acting(f.key(&ann, &["roles:write"]).secret.as_str());
    assert_eq!(
        code(roles.set_user_role(&carol.id, Role::Administrator)),
        ErrorCode::PermissionDenied
    );
    assert_eq!(code(roles.get_user(&ann.id)), ErrorCode::PermissionDenied);
    let users = f.acting(f.key(&ann, &["users:write"]).secret.as_str());
    let unverify = UserChanges {
        email_verified: Some(false),
        ..Default::default()
    };
    assert_eq!(
        code(users.update_user(&carol.id, unverify)),
        ErrorCode::PermissionDenied
    );
}

/// A1: the log tells who did it, and by which credential.
#[test]
fn a_change_is_logged_with_its_credential() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let key = f.key(&ann, &["users:write"]);
    let bob = f
        .acting(key.secret.as_str())
        .create_user(new_user("bob"))
        .unwrap();
    let about_bob = keyplate::AuditQuery {
        user_id: Some(bob.id),
        ..Default::default()
    };
    let row = f
        .keyplate
        .list_audit_events(about_bob)
        .unwrap()
        .items
        .remove(0);
    assert_eq!(row.actor_id.as_deref(), Some(ann.id.as_str()));
    assert_eq!(row.address.as_deref(), Some("192.0.2.7"));
    let by = |detail: &keyplate::Detail| {
        detail.name == "by_api_key" && detail.value == key.api_key.id.as_str()
    };
    assert!(row.details.iter().any(by), "{:?}", row.details);
    let done_by_ann = |since| keyplate::AuditQuery {
        user_id: Some(ann.id),
        kind: Some(EventKind::UserCreated),
        since: Some(since),
        ..Default::default()
    };
    let total = |since| {
        let page = f.keyplate.list_audit_events(done_by_ann(since));
        let page = page.unwrap();
        (page.total, page.items.len())
    };
    assert_eq!(total(f.now()), (2, 2), "she was made, and made him");
    assert_eq!(total(f.in_seconds(1)), (0, 0));
}
