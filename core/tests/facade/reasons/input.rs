//! Each rule that a value may break, reached by a value that breaks it.

use keyplate::{
    AuditQuery, Claim, ClientInfo, ConflictReason, Expiry, InputReason, KeyplateError, NewGroup,
    NewUser, Result, SignupMode, Thing, UserId, UserQuery,
};

use super::{assert_all, failed, service};
use crate::common::{
    signups::{set_mode, signup},
    *,
};

const OWN: &str = "operators-own-secret-0123456789-abcdef";

fn user_with(change: impl FnOnce(&mut NewUser)) -> NewUser {
    let mut user = new_user("bob");
    change(&mut user);
    user
}

/// Text and numbers that come in by records and arguments.
fn by_call(f: &Fixture) -> Vec<(&'static str, InputReason, Result<()>)> {
    let host = &f.keyplate;
    let create = |change: &dyn Fn(&mut NewUser)| failed(host.create_user(user_with(change)));
    let name = |name: &str| failed(host.create_user(new_user(name)));
    let group = |name: &str| {
        failed(host.create_group(NewGroup {
            name: name.to_owned(),
            ..Default::default()
        }))
    };
    let ann = f.administrator("ann");
    let scopes = |scopes: &[&str]| failed(host.create_api_key(new_key(Some(&ann), scopes)));
    let claims = |keys: &[&str]| {
        let claims = keys.iter().map(|key| Claim {
            key: (*key).to_owned(),
            value: String::new(),
        });
        failed(host.set_user_claims(&ann.id, claims.collect()))
    };
    let sign_up = |name: &str| {
        set_mode(f, SignupMode::Open);
        failed(host.sign_up(signup(name, None)))
    };
    let films = host.create_service(service("films")).unwrap();
    let expiring = |time| move |user: &mut NewUser| user.expires_at = Some(time);
    let year_10000 = std::time::UNIX_EPOCH + std::time::Duration::from_secs(253_402_300_800);
    let many = vec!["a:b"; 51];
    let path = f.path();
    let beside = |name: &str| path.with_file_name(name).to_str().unwrap().to_owned();
    vec![
        (
            "owner_id",
            InputReason::Missing,
            failed(host.create_api_key(new_key(None, &["*"]))),
        ),
        ("username", InputReason::Empty, name("")),
        (
            "first_name",
            InputReason::TooLong { most: 50 },
            create(&|user| user.first_name = Some("x".repeat(51))),
        ),
        (
            "lifetime_seconds",
            InputReason::OutOfRange {
                least: 1,
                most: 366 * 86_400,
            },
            failed(host.create_session(&ann.id, ClientInfo::default(), Some(-1))),
        ),
        (
            "page",
            InputReason::TooSmall { least: 1 },
            failed(host.list_users(UserQuery {
                page: Some(-7),
                ..Default::default()
            })),
        ),
        ("scopes", InputReason::TooFew { least: 1 }, scopes(&[])),
        ("scopes", InputReason::TooMany { most: 50 }, scopes(&many)),
        (
            "display_name",
            InputReason::ControlCharacters,
            create(&|user| user.display_name = Some("a\u{7}".to_owned())),
        ),
        (
            "display_name",
            InputReason::InvisibleCharacters,
            create(&|user| user.display_name = Some("a\u{200b}".to_owned())),
        ),
        (
            "display_name",
            InputReason::NothingVisible,
            create(&|user| user.display_name = Some("\u{2800}".to_owned())),
        ),
        (
            "email",
            InputReason::MixedScripts,
            create(&|user| user.email = Some("b\u{43e}b@x.example".to_owned())),
        ),
        ("username", InputReason::NotNormalised, name(" bob")),
        ("username", InputReason::BadEnds, name("_bob")),
        ("username", InputReason::NotUsername, name("b b")),
        (
            "username",
            InputReason::AddressAsUsername,
            sign_up("bob@x.example"),
        ),
        (
            "email",
            InputReason::NotEmail,
            create(&|user| user.email = Some("bob".to_owned())),
        ),
        (
            "locale",
            InputReason::NotLanguageTag,
            create(&|user| user.locale = Some("d_e".to_owned())),
        ),
        ("user_id", InputReason::NotUuid, failed(UserId::parse("7"))),
        (
            "credential_id",
            InputReason::NotBase64Url,
            failed(host.get_passkey_signals(Some("a=b".to_owned()))),
        ),
        (
            "origins",
            InputReason::NotOrigin,
            failed(host.set_service_origins(&films.id, &["films".to_owned()])),
        ),
        (
            "domains",
            InputReason::NotDomain,
            failed(host.set_signup_email_domains(&["-".to_owned()])),
        ),
        ("scopes", InputReason::NotScope, scopes(&["x y"])),
        (
            "scopes",
            InputReason::UnknownScope {
                area: "users".to_owned(),
            },
            scopes(&["users:fly"]),
        ),
        (
            "slug",
            InputReason::NotSlug,
            failed(host.create_service(service("Films"))),
        ),
        ("name", InputReason::NotGroupName, group("a,b")),
        (
            "friendly_name",
            InputReason::TooShort { least: 2 },
            failed(host.create_group(NewGroup {
                name: "friends".to_owned(),
                friendly_name: Some("f".to_owned()),
            })),
        ),
        ("claims", InputReason::NotClaimName, claims(&["a b"])),
        (
            "claims",
            InputReason::Reserved {
                name: "sub".to_owned(),
            },
            claims(&["sub"]),
        ),
        (
            "claims",
            InputReason::Duplicate {
                name: "a".to_owned(),
            },
            claims(&["a", "a"]),
        ),
        (
            "expires_at",
            InputReason::InThePast,
            create(&expiring(f.now())),
        ),
        (
            "expires_at",
            InputReason::TooLate,
            create(&expiring(year_10000)),
        ),
        (
            "since",
            InputReason::TooEarly,
            failed(host.list_audit_events(AuditQuery {
                since: Some(std::time::UNIX_EPOCH - std::time::Duration::from_secs(1)),
                ..Default::default()
            })),
        ),
        (
            "path",
            InputReason::OwnFile,
            failed(host.back_up_to(path.to_str().unwrap())),
        ),
        (
            "path",
            InputReason::NoFolder,
            failed(host.back_up_to(&beside("none/copy.db"))),
        ),
        (
            "path",
            InputReason::FolderReadOnly,
            failed(host.back_up_to("/sys/copy.db")),
        ),
        (
            "backup",
            InputReason::NotAFile,
            failed(keyplate::restore_backup(
                &path,
                beside("none.db").as_ref(),
                false,
            )),
        ),
        ("backup", InputReason::InUse, {
            std::fs::write(beside("used.db"), "").unwrap();
            std::fs::write(beside("used.db-wal"), "a log").unwrap();
            failed(keyplate::restore_backup(
                &path,
                beside("used.db").as_ref(),
                false,
            ))
        }),
        ("path", InputReason::SharedFolder, {
            let folder = f.folder.path().join("everybodys");
            std::fs::create_dir(&folder).unwrap();
            let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
            std::fs::set_permissions(&folder, all).unwrap();
            failed(host.back_up_to(folder.join("copy.db").to_str().unwrap()))
        }),
    ]
}

/// What stands in plans.
fn by_plan(f: &Fixture) -> Vec<(&'static str, InputReason, Result<()>)> {
    let plan = |plan: &str| failed(f.keyplate.bootstrap(plan));
    let key = |secret: &str| {
        plan(&format!(
            r#"{{"api_keys": [{{"owner": "ann", "name": "k", "scopes": ["*"], "secret": "{secret}"}}]}}"#
        ))
    };
    let made = r#"{"users": [{"username": "carol"}]}"#;
    f.keyplate.bootstrap(made).unwrap();
    f.user("dora");
    let mut again =
        format!(r#"{{"owner": "ann", "name": "k", "scopes": ["*"], "secret": "{OWN}"}}"#);
    again = format!(
        r#"{{"api_keys": [{again}, {}]}}"#,
        again.replace("\"k\"", "\"l\"")
    );
    vec![
        (
            "api_keys[0].secret",
            InputReason::TooShort { least: 32 },
            key("short"),
        ),
        (
            "api_keys[0].secret",
            InputReason::TooManyBytes { most: 512 },
            key(&"0123456789".repeat(52)),
        ),
        (
            "api_keys[0].secret",
            InputReason::TooUniform { least: 10 },
            key(&"ab".repeat(20)),
        ),
        (
            "api_keys[0].secret",
            InputReason::BlankEnds,
            key(&format!(" {OWN}")),
        ),
        (
            "api_keys[0].secret",
            InputReason::BrokenToken,
            key(&format!("kp_{OWN}")),
        ),
        ("api_keys[1].secret", InputReason::SecretTaken, plan(&again)),
        (
            "users[0].email_verified",
            InputReason::Needs {
                field: "email".to_owned(),
            },
            plan(r#"{"users": [{"username": "eve", "email_verified": true}]}"#),
        ),
        (
            "api_keys[0].secret",
            InputReason::EitherOr {
                field: "generate".to_owned(),
            },
            plan(r#"{"api_keys": [{"owner": "ann", "name": "k", "scopes": ["*"]}]}"#),
        ),
        (
            "signup_tokens[0].lifetime_seconds",
            InputReason::Excludes {
                field: "expires_at".to_owned(),
            },
            plan(
                r#"{"signup_tokens": [{"note": "n", "lifetime_seconds": 5, "expires_at": "2099-01-01T00:00:00Z"}]}"#,
            ),
        ),
        (
            "users[0].groups[0]",
            InputReason::NamesNothing { what: Thing::Group },
            plan(r#"{"users": [{"username": "eve", "groups": ["nowhere"]}]}"#),
        ),
        (
            "users[0].username",
            InputReason::NotOfPlan { what: Thing::User },
            plan(r#"{"users": [{"username": "dora"}]}"#),
        ),
        (
            "users[0].id",
            InputReason::OtherUser,
            plan(
                r#"{"users": [{"username": "carol", "id": "0190a1b2-0000-7000-8000-00000000abcd"}]}"#,
            ),
        ),
        (
            "users[0]",
            InputReason::Contradicts {
                what: ConflictReason::LastAdministrator,
            },
            {
                let f = Fixture::new();
                let root = r#"{"users": [{"username": "root", "role": "administrator"}]}"#;
                f.keyplate.bootstrap(root).unwrap();
                failed(f.keyplate.bootstrap(&root.replace("administrator", "user")))
            },
        ),
        (
            "groups[1].name",
            InputReason::DuplicateEntry,
            plan(r#"{"groups": [{"name": "family"}, {"name": "Family"}]}"#),
        ),
        (
            "plan",
            InputReason::NotJson { line: 1, column: 4 },
            plan("{} x"),
        ),
        ("plans", InputReason::UnknownField, plan(r#"{"plans": []}"#)),
        (
            "groups",
            InputReason::WrongType {
                expected: "a list".to_owned(),
            },
            plan(r#"{"groups": {}}"#),
        ),
    ]
}

#[test]
fn rules_that_values_break() {
    let f = Fixture::on_disk();
    let mut cases = by_call(&f);
    cases.extend(by_plan(&f));
    let cases = cases.into_iter().map(|(field, reason, result)| {
        let field = field.to_owned();
        (KeyplateError::InvalidInput { field, reason }, result)
    });
    // The C face gives these three (ffi/tests/facade_test.c).
    let of_c = ["not_utf8", "null", "not_enum_value"];
    assert_all("InputReason", cases.collect(), &of_c);
}

/// Every number of the facade is signed: a negative one is refused with its field, and nothing is changed.
#[test]
fn negative_numbers_are_refused() {
    let f = Fixture::new();
    let host = &f.keyplate;
    let ann = f.administrator("ann");
    let before = host.get_settings().unwrap();
    let settings = |change: &dyn Fn(&mut keyplate::SettingsChanges)| {
        let mut changes = keyplate::SettingsChanges::default();
        change(&mut changes);
        failed(host.update_settings(changes))
    };
    let key = f.key(&ann, &["users:read"]);
    let token = |change: &dyn Fn(&mut keyplate::NewSignupToken)| {
        let mut token = keyplate::NewSignupToken::default();
        change(&mut token);
        failed(host.create_signup_token(token))
    };
    let minus = Some(-1);
    for (field, result) in [
        (
            "open_signups_per_hour",
            settings(&|s| s.open_signups_per_hour = minus),
        ),
        (
            "session_idle_seconds",
            settings(&|s| s.session_idle_seconds = minus),
        ),
        (
            "session_lifetime_seconds",
            settings(&|s| s.session_lifetime_seconds = minus),
        ),
        ("step_up_seconds", settings(&|s| s.step_up_seconds = minus)),
        (
            "open_signups_per_hour_in_all",
            settings(&|s| s.open_signups_per_hour_in_all = minus),
        ),
        (
            "audit_retention_seconds",
            settings(&|s| s.audit_retention_seconds = minus),
        ),
        (
            "uses",
            token(&|t| t.uses = Some(keyplate::Limit::AtMost { most: -1 })),
        ),
        (
            "account_lifetime_seconds",
            token(&|t| t.account_lifetime_seconds = minus),
        ),
        ("within_seconds", failed(host.list_expiring_api_keys(-1))),
        (
            "overlap_seconds",
            failed(host.rotate_api_key(
                &key.api_key.id,
                keyplate::KeyRotation {
                    overlap_seconds: minus,
                    ..Default::default()
                },
            )),
        ),
        ("overlap_seconds", failed(host.rotate_signing_key(minus))),
        (
            "lifetime_seconds",
            failed(host.create_one_time_token(&ann.id, minus)),
        ),
        (
            "lifetime_seconds",
            failed(host.create_recovery_token(&ann.id, minus)),
        ),
        ("lifetime_seconds", {
            let found = host.authenticate(key.secret.as_str()).unwrap();
            failed(host.issue_access_token(&found.principal, "films", minus))
        }),
        (
            "expiring_within_seconds",
            failed(host.list_users(UserQuery {
                expiring_within_seconds: minus,
                ..Default::default()
            })),
        ),
        (
            "limit",
            failed(host.list_users(UserQuery {
                limit: minus,
                ..Default::default()
            })),
        ),
        (
            "limit",
            failed(host.list_audit_events(keyplate::AuditQuery {
                limit: minus,
                ..Default::default()
            })),
        ),
    ] {
        assert_eq!(
            refusal(result),
            (keyplate::ErrorCode::InvalidInput, Some(field.to_owned()))
        );
    }
    assert_eq!(host.get_settings().unwrap(), before);
    assert!(matches!(
        host.reset_setup(-1),
        Err(KeyplateError::Conflict { .. })
    ));
    let never = Expiry::Never;
    assert!(host.renew_api_key(&key.api_key.id, never).is_ok());
}
