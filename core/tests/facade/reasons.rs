//! Every value of every reason is reached by a call, with its numbers, and its name never changes.

mod configuration;
mod input;

use std::{collections::BTreeSet, fs, path::Path};

use keyplate::{
    ClientInfo, ConflictReason, DenialReason, ErrorCode, Expiry, Keyplate, KeyplateError, NewAdmin,
    NewService, NewSignup, NewSignupToken, Result, Role, SettingsChanges, SignupMode,
    SignupRefusal, SignupTokenChanges, Thing, UserChanges, UserId, UserQuery,
};

use crate::common::{passkeys::Person, plans::long_claims, signups::set_mode, *};

/// The codes of an enum of `core/src/error/reasons.rs`, as they are serialised.
fn codes(name: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/error/reasons.rs");
    let text = fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once(&format!("pub enum {name} {{\n")).unwrap();
    let (body, _) = rest.split_once("\n}\n").unwrap();
    let variant = |line: &str| {
        let name = line.strip_prefix("    ")?.trim_end_matches([',', ' ', '{']);
        let first = name.chars().next()?;
        first.is_ascii_uppercase().then(|| snake(name))
    };
    body.lines().filter_map(variant).collect()
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// Each of these errors is the expected one, and together they are the whole enum but `elsewhere`.
fn assert_all(name: &str, cases: Vec<(KeyplateError, Result<()>)>, elsewhere: &[&str]) {
    let mut reached = BTreeSet::new();
    for (expected, result) in cases {
        assert_eq!(result, Err(expected.clone()));
        reached.extend(expected.reason_code());
    }
    reached.extend(elsewhere.iter().map(|&code| code.to_owned()));
    assert_eq!(reached, codes(name), "{name}");
}

/// Nobody has this id.
const NOBODY: &str = "0190a1b2-0000-7000-8000-000000000000";

fn failed<T>(result: Result<T>) -> Result<()> {
    result.map(drop)
}

#[test]
fn things_that_are_not_found() {
    let f = Fixture::new();
    let host = &f.keyplate;
    let cases = vec![
        (Thing::User, failed(host.get_user(&id(NOBODY)))),
        (Thing::Group, failed(host.get_group(&id(NOBODY)))),
        (Thing::Service, failed(host.get_service(&id(NOBODY)))),
        (Thing::Session, host.revoke_session(&id(NOBODY))),
        (Thing::ApiKey, failed(host.get_api_key(&id(NOBODY)))),
        (Thing::SignupToken, host.revoke_signup_token(&id(NOBODY))),
        (Thing::OneTimeToken, host.revoke_one_time_token(&id(NOBODY))),
        (Thing::Passkey, host.delete_passkey(&id(NOBODY))),
        (Thing::AppPassword, host.revoke_app_password(&id(NOBODY))),
        (Thing::DeviceLink, {
            let bob = f.user("bob");
            let acting = f.acting(f.session(&bob).secret.as_str());
            acting.disown_device_link(&id(NOBODY))
        }),
        (Thing::ClaimedSetup, failed(host.resume_setup(None))),
    ];
    let cases = cases
        .into_iter()
        .map(|(what, result)| (KeyplateError::NotFound { what }, result));
    assert_all("Thing", cases.collect(), &[]);
}

/// An id of any kind.
fn id<T: ParsedId>(text: &str) -> T {
    T::parsed(text)
}

trait ParsedId {
    fn parsed(text: &str) -> Self;
}

macro_rules! parsed_ids {
    ($($name:ident),*) => { $(
        impl ParsedId for keyplate::$name {
            fn parsed(text: &str) -> Self {
                Self::parse(text).unwrap()
            }
        }
    )* };
}
parsed_ids!(
    UserId,
    GroupId,
    ServiceId,
    SessionId,
    ApiKeyId,
    SignupTokenId,
    OneTimeTokenId,
    PasskeyId,
    AppPasswordId,
    DeviceLinkId
);

#[test]
fn conflicts_with_what_is_stored() {
    let f = Fixture::on_disk();
    let host = &f.keyplate;
    let stage = host.get_setup_state().unwrap();
    let not_claimed = failed(host.complete_setup());
    let open = failed(host.reset_setup(stage.generation));
    let other = failed(host.reset_setup(stage.generation + 1));
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let taken = failed(host.create_user(new_user("bob")));
    let last = host.delete_user(&ann.id);
    let mut person = Person::new();
    let acting = f.acting(f.session(&bob).secret.as_str());
    let passkey = person.register(&acting).unwrap().passkey;
    let acting = f.acting(person.log_in(&f.stranger()).unwrap().secret.as_str());
    let last_passkey = acting.delete_passkey(&passkey.id);
    let not_pending = failed(host.approve_user(&bob.id));
    let pending = {
        set_mode(&f, SignupMode::Open);
        let approval = SettingsChanges {
            signup_approval: Some(true),
            ..Default::default()
        };
        host.update_settings(approval).unwrap();
        let carol = f.stranger().sign_up(signup("carol")).unwrap().user;
        failed(host.enable_user(&carol.id))
    };
    let other_email = {
        let changes = |email: &str, email_verified| UserChanges {
            email: Some(email.to_owned()),
            email_verified,
            ..Default::default()
        };
        host.update_user(&bob.id, changes("new@x.example", None))
            .unwrap();
        failed(host.update_user(&bob.id, changes("bob@x.example", Some(true))))
    };
    let former = {
        let dave = f.user("dave");
        host.delete_user(&dave.id).unwrap();
        let name = UserChanges {
            username: Some("dave".to_owned()),
            ..Default::default()
        };
        failed(host.update_user(&bob.id, name))
    };
    let token = host.create_signup_token(NewSignupToken::default()).unwrap();
    host.revoke_signup_token(&token.signup_token.id).unwrap();
    let changes = SignupTokenChanges {
        enabled: Some(false),
        ..Default::default()
    };
    let revoked = failed(host.update_signup_token(&token.signup_token.id, changes));
    let films = host.create_service(service("films")).unwrap();
    host.set_service_access(&films.id, true, &[]).unwrap();
    host.set_user_claims(&bob.id, long_claims()).unwrap();
    let found = host.authenticate(f.session(&bob).secret.as_str()).unwrap();
    let too_long = failed(host.issue_access_token(&found.principal, "films", None));
    let copy = f.folder.path().join("copy.db");
    fs::write(&copy, "theirs").unwrap();
    let exists = failed(host.back_up_to(copy.to_str().unwrap()));

    let decided = {
        let login = f.stranger().begin_device_login(Default::default()).unwrap();
        let code = login.user_code.as_str();
        acting.inspect_device_login(code).unwrap();
        acting.approve_device_login(code).unwrap();
        acting.approve_device_login(code)
    };

    let of = |what, field: Option<&str>| KeyplateError::Conflict {
        what,
        field: field.map(str::to_owned),
    };
    let cases = vec![
        (of(ConflictReason::Taken, Some("username")), taken),
        (of(ConflictReason::LastAdministrator, None), last),
        (of(ConflictReason::LastPasskey, None), last_passkey),
        (of(ConflictReason::UserPending, None), pending),
        (of(ConflictReason::UserNotPending, None), not_pending),
        (of(ConflictReason::SignupTokenRevoked, None), revoked),
        (of(ConflictReason::SetupNotClaimed, None), not_claimed),
        (of(ConflictReason::SetupOpen, None), open),
        (
            of(ConflictReason::OtherGeneration, Some("generation")),
            other,
        ),
        (of(ConflictReason::OtherEmail, Some("email")), other_email),
        (of(ConflictReason::ClaimsTooLong, None), too_long),
        (of(ConflictReason::FileExists, None), exists),
        (of(ConflictReason::DeviceDecided, None), decided),
        (of(ConflictReason::Former, Some("username")), former),
    ];
    assert_all("ConflictReason", cases, &[]);
}

fn signup(username: &str) -> NewSignup {
    crate::common::signups::signup(username, None)
}

fn service(slug: &str) -> NewService {
    NewService {
        slug: slug.to_owned(),
        ..Default::default()
    }
}

#[test]
fn sign_up_is_refused() {
    let f = Fixture::new();
    let disabled = failed(f.stranger().sign_up(signup("bob")));
    set_mode(&f, SignupMode::WithToken);
    let token_needed = failed(f.stranger().sign_up(signup("bob")));
    set_mode(&f, SignupMode::Open);
    let domains = ["home.example".to_owned()];
    f.keyplate.set_signup_email_domains(&domains).unwrap();
    let domain = failed(f.stranger().sign_up(signup("bob")));
    let of = |reason| KeyplateError::SignupRefused { reason };
    let cases = vec![
        (of(SignupRefusal::Disabled), disabled),
        (of(SignupRefusal::TokenNeeded), token_needed),
        (of(SignupRefusal::EmailDomain), domain),
    ];
    assert_all("SignupRefusal", cases, &[]);
}

/// What a handle may not do, by what it lacks.
fn denials(f: &Fixture) -> Vec<(DenialReason, Result<()>)> {
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let stranger = f.stranger();
    let bobs = f.acting(f.session(&bob).secret.as_str());
    let by_key = |scopes: &[&str]| f.acting(f.key(&ann, scopes).secret.as_str());
    let scope = |scope: &str| DenialReason::MissingScope {
        scope: scope.to_owned(),
    };
    let own_key = f.key(&ann, &["keys:write"]);
    let services = f.keyplate.create_service(service("films")).unwrap();
    let token = |keyplate: &Keyplate, credential: &str| {
        let found = keyplate.authenticate(credential)?;
        failed(
            f.keyplate
                .issue_access_token(&found.principal, "films", None),
        )
    };
    let bobs_session = f.session(&bob);
    let closed = token(&f.keyplate, bobs_session.secret.as_str());
    let friends = f
        .keyplate
        .create_group(keyplate::NewGroup {
            name: "friends".to_owned(),
            ..Default::default()
        })
        .unwrap();
    let group_ids = [friends.id];
    f.keyplate
        .set_service_access(&services.id, false, &group_ids)
        .unwrap();
    let not_open = token(&f.keyplate, bobs_session.secret.as_str());
    f.keyplate
        .set_service_access(&services.id, true, &[])
        .unwrap();
    let other = f.key(&bob, &["music:play"]);
    let no_scope = token(&f.keyplate, other.secret.as_str());
    let (origin, shared, for_others) = {
        let visit = |origin: &str, credential: Option<&str>| {
            failed(f.keyplate.verify_service_session(keyplate::ServiceVisit {
                service: "films".to_owned(),
                origin: origin.to_owned(),
                credential: credential.map(str::to_owned),
            }))
        };
        let set = |origin: &str| {
            let origins = [origin.to_owned()];
            f.keyplate
                .set_service_origins(&services.id, &origins)
                .unwrap();
        };
        set("https://media.example");
        let shared = visit("https://media.example", None);
        set("https://films.example");
        (
            visit("https://other.example", None),
            shared,
            visit("https://films.example", Some(other.secret.as_str())),
        )
    };
    let profile = UserChanges {
        external_id: Some("7".to_owned()),
        ..Default::default()
    };
    let ending = {
        let mut key = new_key(Some(&ann), &["keys:write", "users:read"]);
        key.expires_at = Some(f.in_seconds(600));
        let made = f.keyplate.create_api_key(key).unwrap();
        let endless = new_key(None, &["users:read"]);
        failed(f.acting(made.secret.as_str()).create_api_key(endless))
    };
    vec![
        (DenialReason::HostOnly, failed(stranger.purge_expired())),
        (
            DenialReason::NotSignedIn,
            failed(stranger.list_users(UserQuery::default())),
        ),
        (
            DenialReason::AdministratorsOnly,
            failed(bobs.list_users(UserQuery::default())),
        ),
        (
            scope("users:read"),
            failed(by_key(&["groups:read"]).list_users(UserQuery::default())),
        ),
        (
            scope("roles:write"),
            failed(by_key(&["*"]).set_user_role(&bob.id, Role::Administrator)),
        ),
        (
            DenialReason::FullRightsNeeded,
            failed(by_key(&["users:write"]).disable_user(&ann.id)),
        ),
        (
            DenialReason::OwnProfileOnly,
            failed(bobs.update_user(&bob.id, profile)),
        ),
        (
            DenialReason::OwnPasskeysOnly,
            failed(f.keyplate.begin_passkey_registration()),
        ),
        (
            DenialReason::SessionNeeded,
            failed(by_key(&["*"]).begin_step_up()),
        ),
        (DenialReason::NarrowSession, {
            let code = by_key(&["one_time_tokens:write", "passkeys:write"])
                .create_one_time_token(&bob.id, None);
            let code = code.unwrap();
            let narrow = stranger
                .redeem_one_time_token(code.secret.as_str())
                .unwrap();
            failed(
                f.acting(narrow.secret.as_str())
                    .begin_passkey_registration(),
            )
        }),
        (
            DenialReason::MoreThanItself,
            failed(by_key(&["keys:write"]).create_api_key(new_key(None, &["users:read"]))),
        ),
        (DenialReason::OutlivesItself, ending),
        (
            DenialReason::KeyItself,
            failed(
                f.acting(own_key.secret.as_str())
                    .renew_api_key(&own_key.api_key.id, Expiry::Never),
            ),
        ),
        (DenialReason::ServiceClosed, closed),
        (DenialReason::ServiceNotOpen, not_open),
        (DenialReason::ServiceScope, no_scope),
        (DenialReason::ServiceOrigin, origin),
        (DenialReason::ServiceHostShared, shared),
        (DenialReason::ForOthersToo, for_others),
        (DenialReason::DeviceNotInspected, {
            let login = stranger.begin_device_login(Default::default()).unwrap();
            bobs.approve_device_login(login.user_code.as_str())
        }),
        (DenialReason::DeviceSession, {
            let login = stranger.begin_device_login(Default::default()).unwrap();
            let code = login.user_code.as_str();
            bobs.inspect_device_login(code).unwrap();
            bobs.approve_device_login(code).unwrap();
            let device = stranger.poll_device_login(login.device_code.as_str());
            let device = device.unwrap().signed_in.unwrap();
            failed(f.acting(device.secret.as_str()).begin_step_up())
        }),
        (DenialReason::OwnAppPasswordsOnly, {
            let others = keyplate::NewAppPassword {
                name: "a client".to_owned(),
                owner_id: Some(ann.id),
                ..Default::default()
            };
            failed(bobs.create_app_password(others))
        }),
    ]
}

#[test]
fn what_callers_lack() {
    let mut cases = denials(&Fixture::new());
    cases.push((DenialReason::NoLongerAdministrator, {
        let f = Fixture::new();
        let ann = f.claim().user;
        let bob = f.user("bob");
        f.keyplate
            .set_user_role(&bob.id, Role::Administrator)
            .unwrap();
        f.keyplate.set_user_role(&ann.id, Role::User).unwrap();
        failed(f.keyplate.resume_setup(None))
    }));
    cases.push((DenialReason::OwnProfileClosed, {
        let f = Fixture::new();
        let bob = f.user("bob");
        let closed = SettingsChanges {
            own_profile: Some(false),
            ..Default::default()
        };
        f.keyplate.update_settings(closed).unwrap();
        let name = UserChanges {
            first_name: Some("B".to_owned()),
            ..Default::default()
        };
        let own = f.acting(f.session(&bob).secret.as_str());
        failed(own.update_user(&bob.id, name))
    }));
    cases.push((DenialReason::ResetNeeded, {
        let f = Fixture::new();
        let bob = f.user("bob");
        let existing = NewAdmin {
            existing_user_id: Some(bob.id),
            ..admin("")
        };
        failed(f.keyplate.claim_setup(None, existing))
    }));
    cases.push((DenialReason::OnePasskeyUntilApproval, {
        let f = Fixture::new();
        set_mode(&f, SignupMode::Open);
        let approval = SettingsChanges {
            signup_approval: Some(true),
            ..Default::default()
        };
        f.keyplate.update_settings(approval).unwrap();
        let signed_in = Person::new()
            .sign_up(&f.stranger(), signup("carol"))
            .unwrap();
        let waiting = f.enrolling(signed_in.secret.as_str());
        failed(waiting.begin_passkey_registration())
    }));
    let cases = cases
        .into_iter()
        .map(|(reason, result)| (KeyplateError::PermissionDenied { reason }, result));
    assert_all("DenialReason", cases.collect(), &[]);
}

#[test]
fn a_reason_is_told_as_json_with_its_numbers() {
    let f = Fixture::new();
    let error = f
        .keyplate
        .create_session(&id::<UserId>(NOBODY), ClientInfo::default(), Some(-1))
        .unwrap_err();
    assert_eq!(
        (error.code(), error.http_status()),
        (ErrorCode::InvalidInput, 400)
    );
    assert_eq!(
        error.reason_json().as_deref(),
        Some(r#"{"code":"out_of_range","least":1,"most":31622400}"#)
    );
    assert_eq!(error.reason_code().as_deref(), Some("out_of_range"));
    let none = KeyplateError::Busy;
    assert_eq!((none.reason_code(), none.reason_json()), (None, None));
    assert_eq!(none.http_status(), 503);
}
