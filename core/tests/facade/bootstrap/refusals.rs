//! Plans that are refused (B6): one bad entry changes nothing and is named.

use keyplate::{
    ConflictReason, ErrorCode, InputReason, Keyplate, KeyplateError, SettingsChanges, SignupMode,
    UserStatus,
};

use crate::common::{
    plans::{WHOLE, everything, told},
    *,
};

/// Applies a plan that must be refused, and looks that it changed nothing; gives field and reason.
fn refused(f: &Fixture, plan: &str) -> (String, InputReason) {
    let before = everything(&f.path());
    let error = f.keyplate.bootstrap(plan).unwrap_err();
    assert!(everything(&f.path()) == before, "{plan}");
    match error {
        KeyplateError::InvalidInput { field, reason } => (field, reason),
        error => panic!("{error:?} for {plan}"),
    }
}

#[test]
fn one_bad_entry_changes_nothing_and_is_named() {
    let f = Fixture::new();
    let root = r#"{"users": [{"username": "root", "role": "administrator"}]}"#;
    f.keyplate.bootstrap(root).unwrap();
    f.keyplate
        .create_user(keyplate::NewUser {
            email: Some("taken@x.example".into()),
            ..new_user("taken")
        })
        .unwrap();
    let good = r#""groups": [{"name": "family"}]"#;
    let cases = [
        (
            r#""settings": {"step_up_seconds": 5}"#,
            "settings.step_up_seconds",
        ),
        (
            r#""settings": {"signup_mode": "shut"}"#,
            "settings.signup_mode",
        ),
        (
            r#""settings": {"default_groups": ["family", "x"]}"#,
            "settings.default_groups[1]",
        ),
        (
            r#""settings": {"signup_email_domains": ["a@b"]}"#,
            "settings.signup_email_domains",
        ),
        (r#""settings": {"colour": "red"}"#, "settings.colour"),
        (
            r#""services": [{"slug": "films"}, {"slug": "users"}]"#,
            "services[1].slug",
        ),
        (
            r#""services": [{"slug": "films", "origins": ["films"]}]"#,
            "services[0].origins",
        ),
        (
            r#""services": [{"slug": "films", "groups": ["x"]}]"#,
            "services[0].groups[0]",
        ),
        (r#""services": [{"name": "Films"}]"#, "services[0].slug"),
        (
            r#""users": [{"username": "a"}, {"username": "b", "email": "TAKEN@x.example"}]"#,
            "users[1].email",
        ),
        (
            r#""users": [{"username": "a", "groups": ["family", "x"]}]"#,
            "users[0].groups[1]",
        ),
        (
            r#""users": [{"username": "a", "email": 7}]"#,
            "users[0].email",
        ),
        (
            r#""users": [{"username": "a", "role": "king"}]"#,
            "users[0].role",
        ),
        (r#""users": [{"username": "a", "id": "7"}]"#, "users[0].id"),
        (
            r#""users": [{"username": "root", "id": "0190a1b2-0000-7000-8000-00000000abcd"}]"#,
            "users[0].id",
        ),
        (
            r#""users": [{"username": "a", "claims": {"sub": "1"}}]"#,
            "users[0].claims",
        ),
        (
            r#""users": [{"username": "a", "expires_at": "tomorrow"}]"#,
            "users[0].expires_at",
        ),
        (
            r#""users": [{"username": "a", "expires_at": "2020-01-01T00:00:00Z"}]"#,
            "users[0].expires_at",
        ),
        (
            r#""users": [{"username": "taken@x.example"}]"#,
            "users[0].username",
        ),
        (
            r#""users": [{"username": "a"}, {"username": "A"}]"#,
            "users[1].username",
        ),
        (
            r#""users": [{"username": "root", "role": "user"}]"#,
            "users[0]",
        ),
        (
            r#""signup_tokens": [{"note": "a", "max_uses": 0}]"#,
            "signup_tokens[0].max_uses",
        ),
        (
            r#""signup_tokens": [{"note": "a", "max_uses": -1}]"#,
            "signup_tokens[0].max_uses",
        ),
        (
            r#""signup_tokens": [{"note": "a", "groups": ["x"]}]"#,
            "signup_tokens[0].groups[0]",
        ),
        (
            r#""signup_tokens": [{"note": ""}]"#,
            "signup_tokens[0].note",
        ),
        (
            r#""signup_tokens": [{"note": "a", "approval": "no"}]"#,
            "signup_tokens[0].approval",
        ),
        (
            r#""signup_tokens": [{"note": "a", "email": "x"}]"#,
            "signup_tokens[0].email",
        ),
        (
            r#""signup_tokens": [{"note": "a", "lifetime_seconds": 0}]"#,
            "signup_tokens[0].lifetime_seconds",
        ),
        (
            r#""signup_tokens": [{"note": "a"}, {"note": "A "}]"#,
            "signup_tokens[1].note",
        ),
        (
            r#""api_keys": [{"owner": "nobody", "name": "k", "scopes": ["*"], "generate": true}]"#,
            "api_keys[0].owner",
        ),
        (
            r#""api_keys": [{"owner": "root", "name": "k", "generate": true}]"#,
            "api_keys[0].scopes",
        ),
        (
            r#""api_keys": [{"owner": "root", "name": "", "scopes": ["*"], "generate": true}]"#,
            "api_keys[0].name",
        ),
        (
            r#""api_keys": [{"owner": "root", "name": "k", "scopes": ["*"]}]"#,
            "api_keys[0].secret",
        ),
        (r#""plans": []"#, "plans"),
        (r#""users": {}"#, "users"),
    ];
    for (bad, field) in cases {
        assert_eq!(refused(&f, &format!("{{{good}, {bad}}}")).0, field, "{bad}");
    }
    for (bad, field) in [
        (
            r#"{"groups": [{"name": "ok"}, {"name": "x"}]}"#,
            "groups[1].name",
        ),
        (
            r#"{"groups": [{"name": "family"}, {"name": "FAMILY"}]}"#,
            "groups[1].name",
        ),
        (
            r#"{"groups": [{"name": "family", "claims": {"a": 1}}]}"#,
            "groups[0].claims.a",
        ),
        (
            r#"{"groups": [{"name": "family", "name": "family"}]}"#,
            "groups[0].name",
        ),
        ("", "plan"),
        ("[]", "plan"),
        (r#"{"groups": [["family", null, {}]]}"#, "groups[0]"),
        (r#"{"settings": ["Home"]}"#, "settings"),
        ("{} {}", "plan"),
        (r#"{"groups": "#, "plan"),
    ] {
        assert_eq!(refused(&f, bad).0, field, "{bad}");
    }
    let wrong_type = |expected: &str| InputReason::WrongType {
        expected: expected.to_owned(),
    };
    let (_, reason) = refused(&f, r#"{"groups": null}"#);
    assert_eq!(reason, wrong_type("a list"));
    let (_, reason) = refused(&f, r#"{"users": [{"username": "a", "role": "king"}]}"#);
    assert_eq!(reason, wrong_type("one of user, administrator"));
}

#[test]
fn a_plan_may_replace_the_last_administrator_but_not_remove_him() {
    let f = Fixture::new();
    let anna = r#"{"users": [{"username": "anna", "role": "administrator"}]}"#;
    f.keyplate.bootstrap(anna).unwrap();
    for change in [
        r#""role": "user""#,
        r#""disabled": true"#,
        r#""expires_at": "2030-01-01T00:00:00Z""#,
    ] {
        let plan =
            format!(r#"{{"users": [{{"username": "bob"}}, {{"username": "anna", {change}}}]}}"#);
        let (field, reason) = refused(&f, &plan);
        let last = InputReason::Contradicts {
            what: ConflictReason::LastAdministrator,
        };
        assert_eq!((field.as_str(), reason), ("users[1]", last));
    }
    let both = r#"{"users": [{"username": "anna", "role": "user"}, {"username": "bob", "role": "administrator"}]}"#;
    assert_eq!(
        told(&f.keyplate.bootstrap(both).unwrap()),
        ["~ anna", "+ bob"]
    );

    // Once an administrator has a passkey, one without is no replacement.
    let bob = f.keyplate.find_user_by_username("bob").unwrap().unwrap();
    f.person(&bob);
    let back = r#"{"users": [{"username": "anna", "role": "administrator"}, {"username": "bob", "disabled": true}]}"#;
    assert_eq!(refused(&f, back).0, "users[1]");
}

#[test]
fn what_waits_for_approval_or_was_revoked_stays_so() {
    let f = Fixture::new();
    let open = SettingsChanges {
        signup_mode: Some(SignupMode::Open),
        signup_approval: Some(true),
        ..Default::default()
    };
    f.keyplate.update_settings(open).unwrap();
    let profile = keyplate::NewSignup {
        username: "bob".into(),
        ..Default::default()
    };
    let id = f.stranger().sign_up(profile).unwrap().user.id;
    let bob = |disabled: bool| {
        format!(r#"{{"users": [{{"username": "bob", "id": "{id}", "disabled": {disabled}}}]}}"#)
    };
    f.keyplate.bootstrap(&bob(false)).unwrap();
    assert_eq!(
        f.keyplate
            .find_user_by_username("bob")
            .unwrap()
            .unwrap()
            .status,
        UserStatus::Pending
    );
    assert_eq!(refused(&f, &bob(true)).0, "users[0]");

    let plan = r#"{"signup_tokens": [{"note": "friends", "max_uses": 5}]}"#;
    let made = f.keyplate.bootstrap(plan).unwrap().signup_tokens.remove(0);
    f.keyplate
        .revoke_signup_token(&made.signup_token.id)
        .unwrap();
    let more = r#"{"signup_tokens": [{"note": "friends", "max_uses": 9}]}"#;
    assert_eq!(told(&f.keyplate.bootstrap(more).unwrap()), [""; 0]);
}

/// Whoever took a name before a plan speaks of it gets nothing of what that gives.
#[test]
fn nobody_is_taken_for_a_user_of_the_plan() {
    let f = Fixture::new();
    f.administrator("root");
    let mallory = f.user("bob");
    let plan = r#"{"users": [{"username": "Bob", "role": "administrator"}]}"#;
    assert_eq!(refused(&f, plan).0, "users[0].username");
    // It is he: the operator says so.
    let id = format!(r#""id": "{}", "#, mallory.id);
    let known = plan.replace(r#""username""#, &format!(r#"{id}"username""#));
    assert_eq!(told(&f.keyplate.bootstrap(&known).unwrap()), ["~ Bob"]);
    assert_eq!(told(&f.keyplate.bootstrap(plan).unwrap()), [""; 0]);

    // Who renames himself stays who he is, and who takes his name then does not become him.
    let renamed = keyplate::UserChanges {
        username: Some("bobby".into()),
        ..Default::default()
    };
    f.keyplate.update_user(&mallory.id, renamed).unwrap();
    let other = f.user("bob");
    let more =
        r#"{"groups": [{"name": "family"}], "users": [{"username": "bob", "groups": ["family"]}]}"#;
    f.keyplate.bootstrap(more).unwrap();
    let groups = |id| f.keyplate.get_user(id).unwrap().group_ids.len();
    assert_eq!((groups(&mallory.id), groups(&other.id)), (1, 0));
    // A key that the plan makes for him is his.
    let key =
        r#"{"api_keys": [{"owner": "bob", "name": "op", "scopes": ["a:b"], "generate": true}]}"#;
    let made = f.keyplate.bootstrap(key).unwrap().api_keys.remove(0);
    assert_eq!(made.api_key.owner_id, mallory.id);

    // Once he is deleted the plan makes a user of that name anew, when it is free.
    f.keyplate.delete_user(&mallory.id).unwrap();
    assert_eq!(refused(&f, more).0, "users[0].username");
    f.keyplate.delete_user(&other.id).unwrap();
    assert_eq!(told(&f.keyplate.bootstrap(more).unwrap()), ["+ bob"]);
}

/// U6: he may have given himself another address since.
#[test]
fn an_address_is_verified_only_with_its_name() {
    let f = Fixture::new();
    let plan = r#"{"users": [{"username": "bob", "email_verified": true}]}"#;
    assert_eq!(refused(&f, plan).0, "users[0].email_verified");
}

/// K2: what somebody of few rights made in the plan's name gets nothing from it.
#[test]
fn a_plan_widens_no_sign_up_token_of_somebody_else() {
    let f = Fixture::new();
    let plan = r#"{"groups": [{"name": "friends"}], "signup_tokens": [{"note": "friends", "groups": ["friends"]}]}"#;
    f.keyplate.bootstrap(plan).unwrap();
    let weak = f.key(&f.administrator("root"), &["signup_tokens:write"]);
    f.clock.advance(1);
    let planted = keyplate::NewSignupToken {
        note: Some("friends".into()),
        ..Default::default()
    };
    let planted = f
        .acting(weak.secret.as_str())
        .create_signup_token(planted)
        .unwrap();
    assert_eq!(told(&f.keyplate.bootstrap(plan).unwrap()), [""; 0]);
    let token = f
        .keyplate
        .get_signup_token(&planted.signup_token.id)
        .unwrap();
    assert!(token.group_ids.is_empty());
}

#[test]
fn only_the_host_applies_plans_and_storage_errors_stay_what_they_are() {
    let f = Fixture::new();
    f.administrator("root");
    let root = f.keyplate.find_user_by_username("root").unwrap().unwrap();
    let key = f.key(&root, &["*", "roles:write"]);
    for handle in [f.stranger(), f.acting(key.secret.as_str())] {
        assert_eq!(code(handle.bootstrap(WHOLE)), ErrorCode::PermissionDenied);
    }
    // What is wrong with the storage is no entry's fault.
    let lock = raw(&f.path());
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let impatient = Keyplate::open(keyplate::Config {
        busy_timeout_ms: Some(50),
        ..config(&f.path())
    })
    .unwrap();
    assert_eq!(code(impatient.bootstrap(WHOLE)), ErrorCode::Busy);
    // A mistake is told without the lock, and so is that there is nothing to do.
    let mistaken = impatient.bootstrap(r#"{"users": [{"username": "a b"}]}"#);
    assert_eq!(code(mistaken), ErrorCode::InvalidInput);
    lock.execute_batch("COMMIT").unwrap();
    // Nor is it in the middle of the last entry, and then too all or nothing.
    let before = everything(&f.path());
    let trigger =
        "CREATE TRIGGER broken BEFORE INSERT ON api_keys BEGIN SELECT RAISE(ABORT, 'broken'); END";
    lock.execute_batch(trigger).unwrap();
    let error = f.keyplate.bootstrap(WHOLE).unwrap_err();
    assert_ne!(error.code(), ErrorCode::InvalidInput);
    assert!(everything(&f.path()) == before);
}
