//! A recovery session is for nothing else, and no weak credential comes to a passkey.

use keyplate::{
    ApiKeyQuery, AuditQuery, ErrorCode, Expiry, Keyplate, NewGroup, NewSignupToken, Passkey, Role,
    SessionQuery, SettingsChanges, SignupTokenQuery, User, UserChanges, UserQuery,
};

use super::{recover, redeem};
use crate::common::*;

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
