//! O3: who has lost his passkey, and what a weak credential cannot make of that (K2).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use common::{passkeys::Person, *};
use keyplate::{
    ApiKeyQuery, AuditQuery, ErrorCode, EventKind, Expiry, Keyplate, NewGroup, NewSignupToken,
    Passkey, Role, SessionQuery, SettingsChanges, SignInMethod, SignedIn, SignupTokenQuery, User,
    UserChanges, UserQuery,
};
use keyplate_testkit::Spoil;

/// By the host's token.
fn recover(f: &Fixture, user: &User) -> SignedIn {
    let token = f.keyplate.create_recovery_token(&user.id, None).unwrap();
    redeem(f, token.secret.as_str())
}

fn redeem(f: &Fixture, secret: &str) -> SignedIn {
    f.stranger().redeem_one_time_token(secret).unwrap()
}

fn is_dead(f: &Fixture, session: &SignedIn) -> bool {
    f.keyplate.verify_session(session.secret.as_str()).is_err()
}

#[test]
fn a_lost_passkey_is_replaced() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let (mut lost, old, by_old) = f.person(&bob);
    let by_host = f.session(&bob);
    let key = f.key(&bob, &["library:stream"]);
    let anns = f.session(&f.user("ann"));

    let token = f.keyplate.create_recovery_token(&bob.id, None).unwrap();
    assert!(token.one_time_token.is_recovery);
    assert!(!is_dead(&f, &by_old), "nothing ends before it is used");
    let recovered = redeem(&f, token.secret.as_str());
    let session = &recovered.session;
    assert_eq!(session.method, SignInMethod::Recovery);
    assert_eq!(session.stepped_up_at, None);
    assert_eq!(session.expires_at, f.in_seconds(15 * 60));
    assert!(is_dead(&f, &by_old) && is_dead(&f, &by_host));
    assert!(!is_dead(&f, &anns));
    f.keyplate.verify_api_key(key.secret.as_str()).unwrap();
    let again = f.stranger().redeem_one_time_token(token.secret.as_str());
    assert_eq!(code(again), ErrorCode::InvalidCredential);

    let acting = f.acting(recovered.secret.as_str());
    let mut bobs = Person::new();
    let registered = bobs.register(&acting).unwrap();
    let by_new = registered.signed_in.unwrap();
    assert_eq!(by_new.session.method, SignInMethod::Passkey);
    assert!(is_dead(&f, &recovered) && !is_dead(&f, &by_new));
    let second = Person::new().register(&acting);
    assert_eq!(code(second), ErrorCode::InvalidCredential);

    f.acting(by_new.secret.as_str())
        .delete_passkey(&old.id)
        .unwrap();
    assert!(lost.log_in(&f.stranger()).is_err());
    bobs.log_in(&f.stranger()).unwrap();

    let expected = [
        EventKind::RecoveryTokenCreated,
        EventKind::RecoveryTokenRedeemed,
        EventKind::PasskeyRegistered,
        EventKind::PasskeyDeleted,
    ];
    let heard = f.heard.kinds();
    let heard: Vec<_> = heard
        .iter()
        .filter(|kind| expected.contains(kind))
        .collect();
    let first = EventKind::PasskeyRegistered; // the one that was lost
    assert_eq!(
        heard,
        [&first].into_iter().chain(&expected).collect::<Vec<_>>()
    );
    for (kind, by_host) in expected.into_iter().zip([true, false, false, false]) {
        let query = AuditQuery {
            user_id: Some(bob.id),
            kind: Some(kind),
            ..AuditQuery::default()
        };
        let row = f.keyplate.list_audit_events(query).unwrap().items.remove(0);
        assert_eq!(row.username.as_deref(), Some("bob"), "{kind:?}");
        let address = row.address.as_deref();
        assert_eq!(address, (!by_host).then_some("192.0.2.7"), "{kind:?}");
    }
}

#[test]
fn the_old_one_may_be_deleted_first_but_not_the_last() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let (_, first, session) = f.person(&bob);
    let by_passkey = f.acting(session.secret.as_str());
    let second = Person::new().register(&by_passkey).unwrap().passkey;
    let (_, anns, _) = f.person(&f.user("ann"));
    f.clock.advance(7_200);
    let acting = f.acting(recover(&f, &bob).secret.as_str());
    acting.delete_passkey(&first.id).unwrap();
    assert_eq!(code(acting.delete_passkey(&second.id)), ErrorCode::Conflict);
    assert_eq!(code(acting.delete_passkey(&anns.id)), ErrorCode::NotFound);
    Person::new().register(&acting).unwrap();
}

#[test]
fn it_ends_after_a_quarter_of_an_hour() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let recovered = recover(&f, &bob);
    let acting = f.acting(recovered.secret.as_str());
    f.clock.advance(15 * 60 - 1);
    let mut person = Person::new();
    let ceremony = acting.begin_passkey_registration().unwrap();
    let response = person.create(&ceremony, &Spoil::default());
    f.clock.advance(1);
    let late = acting.finish_passkey_registration(&ceremony.ceremony, &response, None);
    assert_eq!(code(late), ErrorCode::InvalidCredential);
    assert!(f.keyplate.list_passkeys(Some(bob.id)).unwrap().is_empty());
}

#[test]
fn two_ceremonies_of_one_recovery_give_one_passkey() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let acting = f.acting(recover(&f, &bob).secret.as_str());
    let begun = [(); 2].map(|()| {
        let ceremony = acting.begin_passkey_registration().unwrap();
        let response = Person::new().create(&ceremony, &Spoil::default());
        (ceremony, response)
    });
    let outcomes = begun.map(|(ceremony, response)| {
        let finished = acting.finish_passkey_registration(&ceremony.ceremony, &response, None);
        finished.err().map(|error| error.code())
    });
    assert_eq!(outcomes, [None, Some(ErrorCode::InvalidCredential)]);
    assert_eq!(f.keyplate.list_passkeys(Some(bob.id)).unwrap().len(), 1);
}

/// What a recovery session is refused, an administrator's too.
#[test]
fn it_is_for_nothing_else() {
    let f = Fixture::new();
    f.person(&f.administrator("root"));
    let ann = f.administrator("ann");
    let (_, passkey, _) = f.person(&ann);
    let bob = f.user("bob");
    let (_, bobs, bobs_session) = f.person(&bob);
    let key = f.key(&ann, &["library:stream"]).api_key;
    let recovered = recover(&f, &ann);
    let found = f.keyplate.authenticate(recovered.secret.as_str()).unwrap();
    assert_eq!(found.role, Role::User, "no administrator's rights");
    let acting = f.acting(recovered.secret.as_str());

    assert_eq!(acting.get_user(&ann.id).unwrap().username, "ann");
    assert_eq!(
        acting.list_passkeys(None).unwrap(),
        std::slice::from_ref(&passkey)
    );
    for (act, outcome) in forbidden(&acting, &ann, &key.id) {
        assert_eq!(outcome, Some(ErrorCode::PermissionDenied), "{act}");
    }
    let rename = acting.rename_passkey(&passkey.id, "Blue");
    assert_eq!(code(rename), ErrorCode::StepUpRequired);
    assert_eq!(code(acting.get_user(&bob.id)), ErrorCode::NotFound);
    assert_eq!(code(acting.delete_passkey(&bobs.id)), ErrorCode::NotFound);
    let revoke = acting.revoke_session(&bobs_session.session.id);
    assert_eq!(code(revoke), ErrorCode::NotFound);
    let of_bob = SessionQuery {
        user_id: Some(bob.id),
        ..SessionQuery::default()
    };
    assert!(
        acting
            .list_sessions(of_bob)
            .map_or(true, |page| page.items.is_empty())
    );
}

fn forbidden(
    acting: &Keyplate,
    ann: &User,
    key: &keyplate::ApiKeyId,
) -> Vec<(&'static str, Option<ErrorCode>)> {
    let outcome = |result: keyplate::Result<()>| result.err().map(|error| error.code());
    let names = UserChanges {
        display_name: Some("Eve".to_owned()),
        ..UserChanges::default()
    };
    let group = NewGroup {
        name: "family".to_owned(),
        friendly_name: None,
    };
    let settings = SettingsChanges::default();
    [
        (
            "key",
            acting
                .create_api_key(new_key(None, &["library:stream"]))
                .map(drop),
        ),
        (
            "rotate",
            acting.rotate_api_key(key, Default::default()).map(drop),
        ),
        ("renew", acting.renew_api_key(key, Expiry::Never).map(drop)),
        ("revoke key", acting.revoke_api_key(key)),
        (
            "keys",
            acting.list_api_keys(ApiKeyQuery::default()).map(drop),
        ),
        ("profile", acting.update_user(&ann.id, names).map(drop)),
        (
            "code",
            acting.create_one_time_token(&ann.id, None).map(drop),
        ),
        (
            "recovery",
            acting.create_recovery_token(&ann.id, None).map(drop),
        ),
        ("codes", acting.list_one_time_tokens(None).map(drop)),
        ("user", acting.create_user(new_user("eve")).map(drop)),
        ("users", acting.list_users(UserQuery::default()).map(drop)),
        ("role", acting.set_user_role(&ann.id, Role::User).map(drop)),
        ("disable", acting.disable_user(&ann.id).map(drop)),
        ("delete", acting.delete_user(&ann.id)),
        ("group", acting.create_group(group).map(drop)),
        (
            "claims",
            acting.set_user_claims(&ann.id, Vec::new()).map(drop),
        ),
        ("settings", acting.get_settings().map(drop)),
        (
            "change settings",
            acting.update_settings(settings).map(drop),
        ),
        (
            "sign-up token",
            acting
                .create_signup_token(NewSignupToken::default())
                .map(drop),
        ),
        (
            "sign-up tokens",
            acting
                .list_signup_tokens(SignupTokenQuery::default())
                .map(drop),
        ),
        ("setup", acting.complete_setup().map(drop)),
        (
            "audit",
            acting.list_audit_events(AuditQuery::default()).map(drop),
        ),
        (
            "session",
            acting.create_session(&ann.id, client(), None).map(drop),
        ),
    ]
    .map(|(act, result)| (act, outcome(result)))
    .to_vec()
}

#[test]
fn an_administrator_makes_one_after_a_step_up() {
    let f = Fixture::new();
    let (mut root, _, session) = f.person(&f.administrator("root"));
    let (ann, bob) = (f.administrator("ann"), f.user("bob"));
    f.person(&bob);
    f.clock.advance(3_600);
    let acting = f.acting(session.secret.as_str());
    for user in [&ann, &bob] {
        let refused = acting.create_recovery_token(&user.id, None);
        assert_eq!(code(refused), ErrorCode::StepUpRequired);
    }
    let acting = f.acting(root.step_up(&acting).unwrap().secret.as_str());
    for user in [&ann, &bob] {
        let made = acting.create_recovery_token(&user.id, Some(901)).unwrap();
        let maker = made.one_time_token.created_by;
        assert_eq!(maker, Some(session.user.id.to_string()));
        let recovered = redeem(&f, made.secret.as_str());
        let signed_in = Person::new()
            .register(&f.acting(recovered.secret.as_str()))
            .unwrap()
            .signed_in
            .unwrap();
        // He is wholly himself again.
        let found = f.keyplate.authenticate(signed_in.secret.as_str()).unwrap();
        assert_eq!(found.role, user.role);
    }
    let bobs = f.acting(f.session(&bob).secret.as_str());
    let refused = bobs.create_recovery_token(&bob.id, None);
    assert_eq!(code(refused), ErrorCode::PermissionDenied);
}

#[test]
fn not_for_who_may_not_sign_in_and_not_twice() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let (first, second) = (
        f.keyplate.create_recovery_token(&bob.id, None).unwrap(),
        f.keyplate.create_recovery_token(&bob.id, None).unwrap(),
    );
    f.keyplate.disable_user(&bob.id).unwrap();
    let refused = f.keyplate.create_recovery_token(&bob.id, None);
    assert_eq!(code(refused), ErrorCode::AccountDisabled);
    let refused = f.stranger().redeem_one_time_token(first.secret.as_str());
    assert_eq!(code(refused), ErrorCode::AccountDisabled);
    f.keyplate.enable_user(&bob.id).unwrap();
    let by_first = redeem(&f, first.secret.as_str()); // it was not used up
    let by_second = redeem(&f, second.secret.as_str());
    assert!(is_dead(&f, &by_first) && !is_dead(&f, &by_second));
}

/// A passkey signs its user in with all his rights: no key with less may bring one about, by whatever way.
#[test]
fn weak_keys_bring_no_passkey_about() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let all_areas: Vec<String> = [
        "users",
        "groups",
        "settings",
        "signup_tokens",
        "one_time_tokens",
        "passkeys",
        "sessions",
        "keys",
        "audit",
    ]
    .iter()
    .map(|area| format!("{area}:write"))
    .collect();
    let all_areas: Vec<&str> = all_areas.iter().map(String::as_str).collect();
    let all_and_roles = [&all_areas[..], &["roles:write"]].concat();
    let codes = "one_time_tokens:write";
    let ways: [(&[&str], &User, bool); 10] = [
        (&[codes], &bob, false),
        (&[codes, "passkeys:write"], &bob, false),
        (&[codes, "passkeys:write", "keys:write"], &bob, false),
        (&[codes, "passkeys:write", "roles:write"], &bob, false),
        (&all_areas, &bob, false),
        (&all_and_roles, &ann, false),
        (&["*"], &ann, false),
        (&["*"], &bob, true), // all that an ordinary user can do
        (&["*", "roles:write"], &bob, true),
        (&["*", "roles:write"], &ann, true),
    ];
    for (scopes, user, may) in ways {
        let acting = f.acting(f.key(&ann, scopes).secret.as_str());
        let expected = (!may).then_some(ErrorCode::PermissionDenied);
        let recovery = acting.create_recovery_token(&user.id, None);
        let recovery = recovery.err().map(|error| error.code());
        assert_eq!(
            recovery, expected,
            "recovery of {} by {scopes:?}",
            user.username
        );

        let made = acting.create_one_time_token(&user.id, None).unwrap();
        let by_code = f.acting(redeem(&f, made.secret.as_str()).secret.as_str());
        let begun = by_code.begin_passkey_registration();
        let begun = begun.err().map(|error| error.code());
        assert_eq!(
            begun, expected,
            "a passkey of {} by {scopes:?}",
            user.username
        );
        // Nor by a key that the session makes, or a second code.
        if !may {
            let full = by_code.create_api_key(new_key(None, &["*", "roles:write"]));
            assert!(full.is_err(), "{scopes:?}");
            let refused = by_code.create_recovery_token(&user.id, None);
            assert!(refused.is_err(), "{scopes:?}");
        }
    }
    assert!(f.keyplate.list_passkeys(None).unwrap().is_empty());
}

/// The same when its maker's ceiling is stored: a session by a weak code stays weak though its user shows his passkey.
#[test]
fn a_step_up_widens_no_session() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let (mut bobs, passkey, _) = f.person(&bob);
    let scopes = ["one_time_tokens:write", "passkeys:write", "sessions:write"];
    let acting = f.acting(f.key(&ann, &scopes).secret.as_str());
    let made = acting.create_one_time_token(&bob.id, None).unwrap();
    let by_code = f.acting(redeem(&f, made.secret.as_str()).secret.as_str());
    assert!(refuses_all(&by_code, &passkey));
    let stepped_up = bobs.step_up(&by_code).unwrap();
    let by_code = f.acting(stepped_up.secret.as_str());
    let begun = by_code.begin_passkey_registration();
    assert_eq!(code(begun), ErrorCode::PermissionDenied);
}

fn refuses_all(acting: &Keyplate, passkey: &Passkey) -> bool {
    acting.delete_passkey(&passkey.id).is_err()
        && acting.rename_passkey(&passkey.id, "Blue").is_err()
        && acting.begin_passkey_registration().is_err()
}
