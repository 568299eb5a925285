//! A1: whom a row names, and what of it each reader is shown.

use keyplate::{
    ActorKind, AuditEvent, AuditQuery, ClientInfo, EventKind, Keyplate, NewSignup, SettingsChanges,
    SignupMode, User, UserChanges,
};
use keyplate_testkit::Spoil;

use crate::common::{passkeys::Person, *};

fn rows(handle: &Keyplate) -> Vec<AuditEvent> {
    let all = AuditQuery {
        limit: Some(1_000),
        ..AuditQuery::default()
    };
    handle.list_audit_events(all).unwrap().items
}

/// Acts by a credential, from an address and agent that nobody else has.
fn from(f: &Fixture, credential: &str, address: &str) -> Keyplate {
    let found = f.keyplate.authenticate(credential).unwrap();
    let client = ClientInfo {
        address: Some(address.to_owned()),
        user_agent: Some(format!("agent of {address}")),
        device_name: None,
    };
    f.keyplate.acting_as(&found.principal, client).unwrap()
}

/// Everything that an administrator does to a user.
fn everything_to(admin: &Keyplate, bob: &User) {
    admin.disable_user(&bob.id).unwrap();
    admin.enable_user(&bob.id).unwrap();
    let name = UserChanges {
        display_name: Some("Bob".to_owned()),
        ..UserChanges::default()
    };
    admin.update_user(&bob.id, name).unwrap();
    let group = keyplate::NewGroup {
        name: format!(
            "group {}",
            admin.list_groups(Default::default()).unwrap().total
        ),
        ..Default::default()
    };
    let group = admin.create_group(group).unwrap();
    admin.set_user_groups(&bob.id, &[group.id]).unwrap();
    let claim = keyplate::Claim {
        key: "quota".to_owned(),
        value: group.name,
    };
    admin.set_user_claims(&bob.id, vec![claim]).unwrap();
    let key = admin
        .create_api_key(new_key(Some(bob), &["a:b"]))
        .unwrap()
        .api_key
        .id;
    admin.rotate_api_key(&key, Default::default()).unwrap();
    admin.revoke_api_key(&key).unwrap();
    let code = admin.create_one_time_token(&bob.id, None).unwrap();
    admin
        .revoke_one_time_token(&code.one_time_token.id)
        .unwrap();
    admin.create_recovery_token(&bob.id, None).unwrap();
    admin.revoke_user_sessions(&bob.id, None).unwrap();
}

/// What an ordinary user sees of what an administrator did to them, by a key and by a session.
#[test]
fn a_user_sees_that_an_administrator_did_it_and_not_who_or_from_where() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let key = f.key(&ann, &["*", "roles:write"]);
    let (_, _, session) = f.person(&ann);
    for (credential, address) in [
        (key.secret.as_str(), "192.0.2.66"),
        (session.secret.as_str(), "192.0.2.67"),
    ] {
        f.session(&bob);
        everything_to(&from(&f, credential, address), &bob);
    }
    let his = from(&f, f.session(&bob).secret.as_str(), "192.0.2.9");
    his.create_api_key(new_key(None, &["a:b"])).unwrap();
    let seen = rows(&his);
    let of_ann: Vec<&AuditEvent> = seen
        .iter()
        .filter(|row| row.actor_kind == ActorKind::User && row.address.is_none())
        .collect();
    assert!(of_ann.len() >= 20, "{}", of_ann.len());
    let secret = [
        ann.id.to_string(),
        "ann".to_owned(),
        "192.0.2.66".to_owned(),
        "192.0.2.67".to_owned(),
        key.api_key.id.to_string(),
        session.session.id.to_string(),
    ];
    for row in &seen {
        let told = format!("{row:?}");
        for word in &secret {
            assert!(!told.contains(&format!("\"{word}\"")), "{word} in {told}");
        }
        assert!(!told.contains("agent of 192.0.2.6"), "{told}");
    }
    for row in of_ann {
        assert_eq!(
            (&row.actor_id, &row.actor_name, &row.user_agent),
            (&None, &None, &None)
        );
        assert_eq!(row.username.as_deref(), Some("bob"));
    }
    // His own rows are whole, and administrators see everything.
    let own = seen
        .iter()
        .find(|row| row.kind == EventKind::ApiKeyCreated && row.address.is_some())
        .unwrap();
    assert_eq!(own.actor_name.as_deref(), Some("bob"));
    assert_eq!(own.address.as_deref(), Some("192.0.2.9"));
    assert!(own.details.iter().any(|detail| detail.name == "by_session"));
    let all = rows(&f.acting(f.key(&ann, &["audit:read"]).secret.as_str()));
    let whole = all
        .iter()
        .find(|row| row.kind == EventKind::UserDisabled)
        .unwrap();
    assert_eq!(whole.actor_name.as_deref(), Some("ann"));
    assert!(whole.address.is_some());
}

/// A sign-in is a stranger's act, and its user must recognise where it came from.
#[test]
fn a_user_sees_where_their_sign_ins_came_from() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let (mut person, _, _) = f.person(&bob);
    let signed_in = person.log_in(&f.stranger()).unwrap();
    let seen = rows(&f.acting(signed_in.secret.as_str()));
    let sign_in = seen
        .iter()
        .find(|row| row.kind == EventKind::PasskeySignedIn)
        .unwrap();
    assert_eq!(sign_in.address, client().address);
    assert_eq!(sign_in.user_agent, client().user_agent);
}

/// Who made a code is an administrator's business too.
#[test]
fn a_user_does_not_see_who_made_their_code() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let hers = f.acting(f.key(&ann, &["*"]).secret.as_str());
    hers.create_one_time_token(&bob.id, None).unwrap();
    let maker = |handle: &Keyplate| {
        let listed = handle.list_one_time_tokens(Some(bob.id)).unwrap();
        listed[0].created_by.clone()
    };
    assert_eq!(maker(&hers), Some(ann.id.to_string()));
    assert_eq!(maker(&f.acting(f.session(&bob).secret.as_str())), None);
}

/// Every refusal of a signed-in person's.
#[test]
fn a_refusal_names_whoever_is_signed_in() {
    let f = Fixture::new();
    let closed = SettingsChanges {
        signup_mode: Some(SignupMode::Disabled),
        ..SettingsChanges::default()
    };
    f.keyplate.update_settings(closed).unwrap();
    let bob = f.user("bob");
    let (mut person, _, signed_in) = f.person(&bob);
    let his = f.acting(signed_in.secret.as_str());
    let wrong = Spoil {
        challenge: Some(vec![7; 32]),
        ..Spoil::default()
    };
    assert!(Person::new().register_spoilt(&his, &wrong).is_err());
    let ceremony = his.begin_step_up().unwrap();
    let response = person.get(&ceremony, &wrong);
    assert!(his.finish_step_up(&ceremony.ceremony, &response).is_err());
    assert!(his.finish_passkey_login("login.x", "{}").is_err());
    assert!(his.redeem_one_time_token("0000-0000").is_err());
    assert!(his.claim_setup(None, admin("eve")).is_err());
    assert!(his.create_session(&bob.id, client(), None).is_err());
    assert!(his.sign_up(NewSignup::default()).is_err());
    let key = f.key(&bob, &["passkeys:write"]);
    let by_key = f.acting(key.secret.as_str());
    assert!(by_key.begin_passkey_registration().is_err());
    let refusals = [
        EventKind::PasskeyRegistrationRefused,
        EventKind::StepUpRefused,
        EventKind::SignInRefused,
        EventKind::OneTimeTokenRefused,
        EventKind::SetupRefused,
        EventKind::SignupRefused,
    ];
    let all = rows(&f.keyplate);
    let detail = |row: &AuditEvent, name: &str| {
        let found = row.details.iter().find(|detail| detail.name == name);
        found.map(|detail| detail.value.clone())
    };
    for kind in refusals {
        let named: Vec<_> = all.iter().filter(|row| row.kind == kind).collect();
        assert!(!named.is_empty(), "{kind:?}");
        for row in named {
            assert_eq!(row.actor_kind, ActorKind::User, "{kind:?}");
            assert_eq!(row.actor_name.as_deref(), Some("bob"), "{kind:?}");
            let by = (detail(row, "by_session"), detail(row, "by_api_key"));
            let session = Some(signed_in.session.id.to_string());
            let key = Some(key.api_key.id.to_string());
            assert!(by == (session, None) || by == (None, key), "{kind:?}");
        }
    }
    let by_key = |row: &&AuditEvent| detail(row, "by_api_key").is_some();
    let refused = all.iter().find(by_key).unwrap();
    assert_eq!(refused.kind, EventKind::PasskeyRegistrationRefused);
    // They find their own.
    let own = rows(&f.acting(signed_in.secret.as_str()));
    for kind in refusals {
        assert!(own.iter().any(|row| row.kind == kind), "{kind:?}");
    }
}

/// Two people behind one address are two rows, and one who has been disabled meanwhile is named too.
#[test]
fn refusals_of_two_people_are_not_counted_together() {
    let f = Fixture::new();
    let (bob, carol) = (f.user("bob"), f.user("carol"));
    let handles = [&bob, &carol].map(|user| f.acting(f.session(user).secret.as_str()));
    f.keyplate.disable_user(&carol.id).unwrap();
    for handle in [&handles[0], &handles[1], &handles[0], &f.stranger()] {
        assert!(handle.redeem_one_time_token("kp_otp_x").is_err());
    }
    let counted: Vec<_> = rows(&f.keyplate)
        .into_iter()
        .filter(|row| row.kind == EventKind::OneTimeTokenRefused)
        .map(|row| (row.actor_name, row.count))
        .collect();
    assert_eq!(counted.len(), 3, "{counted:?}");
    assert!(counted.contains(&(Some("bob".to_owned()), 2)));
    assert!(counted.contains(&(Some("carol".to_owned()), 1)));
    assert!(counted.contains(&(None, 1)));
}
