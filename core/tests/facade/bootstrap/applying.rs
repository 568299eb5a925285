//! What a plan makes and changes. Its API keys are in `keys.rs`.

use keyplate::{
    ApprovalRule, AuditQuery, BackupEligibilityPolicy, CounterPolicy, ErrorCode, EventKind, Expiry,
    Group, GroupQuery, GroupSort, Keyplate, Role, SetupStage, SignupMode, UserChanges, UserStatus,
};

use crate::common::{
    plans::{OPERATORS, WHOLE, everything, told},
    *,
};

fn kinds(keyplate: &Keyplate) -> Vec<EventKind> {
    let query = AuditQuery {
        limit: Some(1_000),
        ..AuditQuery::default()
    };
    let mut events = keyplate.list_audit_events(query).unwrap().items;
    events.reverse();
    events.iter().map(|event| event.kind).collect()
}

fn groups(f: &Fixture) -> Vec<Group> {
    let query = GroupQuery {
        sort: Some(GroupSort::Name),
        ..GroupQuery::default()
    };
    f.keyplate.list_groups(query).unwrap().items
}

#[test]
fn a_whole_plan_on_an_empty_file() {
    let f = Fixture::new();
    let report = f.keyplate.bootstrap(WHOLE).unwrap();
    assert_eq!(
        told(&report),
        [
            "+ family",
            "+ friends",
            "~ settings",
            "+ films",
            "+ wiki",
            "+ anna",
            "+ guest",
            "+ twenty friends",
            "+ anna/operator",
            "+ anna/films"
        ]
    );

    let settings = f.keyplate.get_settings().unwrap();
    let groups = groups(&f);
    let (family, friends) = (&groups[0], &groups[1]);
    assert_eq!(
        (family.name.as_str(), family.friendly_name.as_str()),
        ("family", "The family")
    );
    assert_eq!(
        (family.claims[0].value.as_str(), family.member_count),
        ("10", 1)
    );
    assert_eq!(settings.app_name, "Home");
    assert_eq!(settings.signup_mode, SignupMode::WithToken);
    assert!(settings.signup_approval && settings.username_change);
    assert_eq!(settings.open_signups_per_hour, 3);
    assert_eq!(
        (
            settings.session_idle_seconds,
            settings.session_lifetime_seconds
        ),
        (3_600, 7_200)
    );
    assert_eq!(settings.step_up_seconds, 600);
    assert_eq!(settings.counter_policy, CounterPolicy::Deny);
    assert_eq!(
        settings.backup_eligibility_policy,
        BackupEligibilityPolicy::Deny
    );
    assert_eq!(settings.default_group_ids, [family.id]);
    assert_eq!(settings.signup_email_domains, ["home.example"]);

    let services = f.keyplate.list_services(Default::default()).unwrap().items;
    assert_eq!(
        services[0].origins,
        ["https://a.films.example", "https://films.example"]
    );
    assert_eq!(services[0].group_ids.len(), 2);
    assert!(!services[0].for_everyone && services[1].for_everyone);
    assert_eq!(
        (services[0].name.as_str(), services[1].name.as_str()),
        ("Films", "wiki")
    );

    let anna = f.keyplate.find_user_by_username("anna").unwrap().unwrap();
    assert_eq!(anna.id.as_str(), "0190a1b2-0000-7000-8000-00000000abcd");
    assert_eq!(anna.email.as_deref(), Some("anna@home.example"));
    assert!(anna.email_verified);
    assert_eq!(anna.role, Role::Administrator);
    assert_eq!(anna.group_ids, [family.id]);
    assert_eq!(
        (anna.claims[0].key.as_str(), anna.claims[0].value.as_str()),
        ("room", "7")
    );
    assert_eq!(anna.last_name.as_deref(), Some("Berg"));
    let guest = f.keyplate.find_user_by_username("guest").unwrap().unwrap();
    assert_eq!(guest.status, UserStatus::Disabled);
    let end = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_801_414_800);
    assert_eq!(guest.expires_at, Some(end), "2027-01-31T17:00:00Z");

    let token = &report.signup_tokens[0];
    assert_eq!(token.signup_token.max_uses, Some(20));
    assert_eq!(token.signup_token.group_ids, [friends.id]);
    assert_eq!(token.signup_token.claims[0].value, "the link");
    assert_eq!(token.signup_token.approval, ApprovalRule::NotNeeded);
    assert_eq!(token.signup_token.expires_at, Some(f.in_seconds(86_400)));
    assert_eq!(
        token.signup_token.email.as_deref(),
        Some("@friends.example")
    );
    f.stranger()
        .inspect_signup_token(token.secret.as_str())
        .unwrap();

    let operator = f.keyplate.authenticate(OPERATORS).unwrap();
    assert_eq!(
        (operator.user_id, operator.role),
        (anna.id, Role::Administrator)
    );
    f.acting(OPERATORS).list_users(Default::default()).unwrap();
    let generated = &report.api_keys[0];
    assert_eq!(generated.api_key.expires_at, Some(f.in_seconds(3_600)));
    let films = f
        .keyplate
        .verify_api_key(generated.secret.as_str())
        .unwrap();
    assert_eq!(films.scopes, ["films:stream"]);
}

#[test]
fn every_change_has_the_event_of_the_ordinary_method_and_the_plan_one_of_its_own() {
    let f = Fixture::new();
    f.keyplate.bootstrap(WHOLE).unwrap();
    use EventKind as E;
    let expected = [
        E::GroupCreated,
        E::GroupClaimsChanged,
        E::GroupCreated,
        E::SettingsChanged,
        E::SettingsChanged,
        E::ServiceCreated,
        E::ServiceAccessChanged,
        E::ServiceCreated,
        E::ServiceAccessChanged,
        E::UserCreated,
        E::UserClaimsChanged,
        E::UserCreated,
        E::SignupTokenCreated,
        E::SignupTokenUpdated,
        E::ApiKeyCreated,
        E::ApiKeyCreated,
        E::SetupCompleted,
        E::Bootstrapped,
    ];
    assert_eq!(kinds(&f.keyplate), expected);
    assert_eq!(f.heard.kinds(), expected);
    let last = f.heard.0.lock().unwrap().last().unwrap().clone();
    let counts: Vec<_> = last
        .details
        .iter()
        .map(|d| (d.name.as_str(), d.value.as_str()))
        .collect();
    assert_eq!(counts, [("created", "9"), ("updated", "1")]);
}

#[test]
fn a_second_run_changes_nothing() {
    let f = Fixture::new();
    f.keyplate.bootstrap(WHOLE).unwrap();
    let before = everything(&f.path());
    for _ in 0..3 {
        // Long enough for all that the plan ends in time.
        f.clock.advance(200 * 24 * 3_600);
        let report = f.open_again().bootstrap(WHOLE).unwrap();
        assert_eq!(told(&report), [""; 0]);
        assert!(report.api_keys.is_empty() && report.signup_tokens.is_empty());
    }
    assert!(everything(&f.path()) == before);
    // Names are found without regard to case.
    let shouted = r#"{"groups": [{"name": "FAMILY"}], "users": [{"username": "Anna", "groups": ["Family"]}]}"#;
    assert_eq!(told(&f.keyplate.bootstrap(shouted).unwrap()), [""; 0]);
    assert_eq!(told(&f.keyplate.bootstrap("{}").unwrap()), [""; 0]);
    assert!(everything(&f.path()) == before);
}

#[test]
fn the_end_of_a_sign_up_token_may_have_passed() {
    let f = Fixture::new();
    let plan = r#"{"signup_tokens": [{"note": "friends", "expires_at": "2026-11-02T00:00:00Z"}]}"#;
    f.keyplate.bootstrap(plan).unwrap();
    f.clock.advance(3 * 24 * 3_600);
    assert_eq!(told(&f.keyplate.bootstrap(plan).unwrap()), [""; 0]);
    let later = plan.replace("11-02", "11-09");
    let again = f.keyplate.bootstrap(&later).unwrap();
    assert_eq!(told(&again), ["~ friends"]);
    assert!(
        again.signup_tokens.is_empty(),
        "its secret is not shown again"
    );
}

#[test]
fn what_the_plan_names_becomes_so_and_the_rest_stays() {
    let f = Fixture::new();
    f.keyplate.bootstrap(WHOLE).unwrap();
    let ids = |names: [&str; 2]| {
        names.map(|name| f.keyplate.find_user_by_username(name).unwrap().unwrap().id)
    };
    let [anna, guest] = ids(["anna", "guest"]);
    f.keyplate
        .set_user_claims(&anna, vec![claim("own", "1"), claim("room", "8")])
        .unwrap();
    let plan = r#"{
        "settings": {"app_name": "New home", "default_groups": []},
        "groups": [{"name": "family", "friendly_name": "Kin", "claims": {"wing": "east"}}],
        "services": [{"slug": "films", "origins": []}, {"slug": "wiki", "for_everyone": false, "groups": ["friends"]}],
        "users": [
            {"username": "anna", "display_name": "", "groups": ["friends"], "claims": {"room": "9"}},
            {"username": "guest", "disabled": false, "expires_at": "never", "email": "guest@home.example"}
        ],
        "signup_tokens": [{"note": "twenty friends", "max_uses": "unlimited", "expires_at": "never", "groups": [],
                           "lifetime_seconds": null}]
    }"#;
    let report = f.keyplate.bootstrap(plan).unwrap();
    let all = [
        "~ family",
        "~ settings",
        "~ films",
        "~ wiki",
        "~ anna",
        "~ guest",
        "~ twenty friends",
    ];
    assert_eq!(told(&report), all);

    let settings = f.keyplate.get_settings().unwrap();
    assert_eq!(
        (settings.app_name.as_str(), settings.step_up_seconds),
        ("New home", 600)
    );
    assert!(settings.default_group_ids.is_empty());
    let family = &groups(&f)[0];
    assert_eq!(family.friendly_name, "Kin");
    assert_eq!(family.claims, [claim("quota", "10"), claim("wing", "east")]);
    let services = f.keyplate.list_services(Default::default()).unwrap().items;
    assert_eq!(
        (services[0].origins.len(), services[0].group_ids.len()),
        (0, 2)
    );
    assert_eq!(
        (services[1].for_everyone, services[1].group_ids.len()),
        (false, 1)
    );
    let anna = f.keyplate.get_user(&anna).unwrap();
    assert_eq!(
        (anna.display_name.as_deref(), anna.first_name.as_deref()),
        (Some("Anna Berg"), Some("Anna"))
    );
    assert_eq!(anna.group_ids.len(), 2, "groups are only added");
    assert_eq!(anna.claims, [claim("own", "1"), claim("room", "9")]);
    let guest = f.keyplate.get_user(&guest).unwrap();
    assert_eq!((guest.status, guest.expires_at), (UserStatus::Active, None));
    let token = &f
        .keyplate
        .list_signup_tokens(Default::default())
        .unwrap()
        .items[0];
    assert_eq!((token.max_uses, token.expires_at), (None, None));
    assert_eq!((token.group_ids.len(), token.claims.len()), (0, 1));
    assert_eq!(token.account_lifetime_seconds, Some(1_000_000));

    assert_eq!(told(&f.keyplate.bootstrap(plan).unwrap()), [""; 0]);
}

fn claim(key: &str, value: &str) -> keyplate::Claim {
    keyplate::Claim {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

#[test]
fn an_administrator_of_the_plan_completes_setup() {
    let f = Fixture::new();
    f.keyplate
        .bootstrap(r#"{"users": [{"username": "bob"}]}"#)
        .unwrap();
    let stage = || f.keyplate.get_setup_state().unwrap().stage;
    assert_eq!(stage(), SetupStage::Uninitialised);
    let token = f.keyplate.create_setup_token().unwrap();
    let disabled = r#"{"users": [{"username": "eve", "role": "administrator", "disabled": true}]}"#;
    f.keyplate.bootstrap(disabled).unwrap();
    assert_eq!(stage(), SetupStage::Uninitialised);
    let promoted = r#"{"users": [{"username": "bob", "role": "administrator"}]}"#;
    f.keyplate.bootstrap(promoted).unwrap();
    assert_eq!(stage(), SetupStage::Complete);
    let claim = f
        .stranger()
        .claim_setup(Some(token.secret.reveal()), admin("mallory"));
    assert_eq!(code(claim), ErrorCode::SetupAlreadyComplete);

    // Whoever recovers is not shut out by a plan that is applied at each start.
    f.keyplate.reset_setup(1).unwrap();
    let more = promoted.replacen('{', r#"{"groups": [{"name": "new"}], "#, 1);
    assert_eq!(told(&f.keyplate.bootstrap(&more).unwrap()), ["+ new"]);
    assert_eq!(stage(), SetupStage::Uninitialised);
}

#[test]
fn a_promotion_by_a_plan_widens_no_older_key() {
    let f = Fixture::new();
    f.keyplate
        .bootstrap(r#"{"users": [{"username": "bob"}]}"#)
        .unwrap();
    let bob = f.keyplate.find_user_by_username("bob").unwrap().unwrap();
    let key = f.key(&bob, &["*"]);
    let plan = r#"{"users": [{"username": "bob", "role": "administrator"}]}"#;
    f.keyplate.bootstrap(plan).unwrap();
    assert_eq!(
        f.keyplate.verify_api_key(key.secret.as_str()).unwrap().role,
        Role::User
    );
}

#[test]
fn a_person_may_change_what_a_plan_left_open() {
    let f = Fixture::new();
    let plan = r#"{"users": [{"username": "bob", "email": "bob@x.example"}]}"#;
    f.keyplate.bootstrap(plan).unwrap();
    let bob = f.keyplate.find_user_by_username("bob").unwrap().unwrap();
    let changes = UserChanges {
        display_name: Some("Bobby".into()),
        email: Some("b@x.example".into()),
        expiry: Some(Expiry::At {
            time: f.in_seconds(9_000),
        }),
        ..Default::default()
    };
    f.keyplate.update_user(&bob.id, changes).unwrap();
    assert_eq!(told(&f.keyplate.bootstrap(plan).unwrap()), ["~ bob"]);
    let bob = f.keyplate.get_user(&bob.id).unwrap();
    assert_eq!(bob.email.as_deref(), Some("bob@x.example"));
    assert_eq!(bob.display_name.as_deref(), Some("Bobby"));
    assert!(bob.expires_at.is_some());
}

#[test]
fn a_plan_with_nothing_to_do_takes_no_lock() {
    let f = Fixture::new();
    f.keyplate.bootstrap(WHOLE).unwrap();
    let lock = raw(&f.path());
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let impatient = Keyplate::open(keyplate::Config {
        busy_timeout_ms: Some(50),
        ..config(&f.path())
    })
    .unwrap();
    assert_eq!(impatient.bootstrap(WHOLE).unwrap().changes, []);
    // The smallest difference takes it.
    let more = r#"{"groups": [{"name": "more"}]}"#;
    assert_eq!(code(impatient.bootstrap(more)), ErrorCode::Busy);
    lock.execute_batch("COMMIT").unwrap();
    assert_eq!(impatient.bootstrap(more).unwrap().changes.len(), 1);
}
