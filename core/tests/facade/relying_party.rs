//! P6: where passkeys work, and what becomes of them when the RP id changes.

use keyplate::{
    Config, ConfigurationReason, ErrorCode, EventKind, Keyplate, KeyplateError, Passkey,
    PasskeyFailure, PasskeyProblem, SignupMode,
};
use keyplate_testkit::Spoil;

use crate::common::{
    passkeys::{Person, reason},
    signups::{set_mode, signup},
    *,
};

const NEW: &str = "https://new.example";

/// The same file, as a process with another configuration opens it.
fn open(f: &Fixture, change: impl FnOnce(&mut Config)) -> keyplate::Result<Keyplate> {
    let mut config = Config {
        time_source: Some(f.clock.clone()),
        events: Some(f.heard.clone()),
        ..config(&f.path())
    };
    change(&mut config);
    Keyplate::open(config)
}

fn at(f: &Fixture, origin: &str, accept: bool) -> keyplate::Result<Keyplate> {
    open(f, |config| {
        config.origin = origin.to_owned();
        config.accept_rp_id_change = accept;
    })
}

fn stranger(keyplate: &Keyplate) -> Keyplate {
    keyplate.anonymous(client()).unwrap()
}

fn acting(keyplate: &Keyplate, credential: &str) -> Keyplate {
    let found = keyplate.authenticate(credential).unwrap();
    keyplate.acting_as(&found.principal, client()).unwrap()
}

/// A session of a user's by the host, on that handle.
fn signed_in(keyplate: &Keyplate, passkey: &Passkey) -> Keyplate {
    let session = keyplate.create_session(&passkey.user_id, client(), None);
    acting(keyplate, session.unwrap().secret.as_str())
}

/// Somebody whose browser has found the list of related origins.
fn person_at(origin: &str) -> Person {
    let mut person = Person {
        origin: origin.to_owned(),
        ..Person::new()
    };
    person.authenticator.related_origins = vec!["https://films.example".to_owned()];
    person
}

/// Every ceremony is refused at its beginning.
fn begins_nothing(keyplate: &Keyplate, session: &str) {
    let acting = acting(keyplate, session);
    let stranger = stranger(keyplate);
    for begun in [
        stranger.begin_passkey_login(),
        stranger.begin_passkey_signup(signup("eve", None)),
        acting.begin_passkey_registration(),
        acting.begin_step_up(),
    ] {
        assert_eq!(reason(begun), PasskeyFailure::Unavailable);
    }
}

#[test]
fn another_rp_id_is_refused_and_named() {
    let f = Fixture::new();
    f.person(&f.user("bob"));
    let Err(KeyplateError::Configuration { option, reason }) = at(&f, NEW, false) else {
        panic!("it opened");
    };
    assert_eq!(option, "rp_id");
    let other = ConfigurationReason::OtherRpId {
        stored: "media.example".to_owned(),
        configured: "new.example".to_owned(),
    };
    assert_eq!(reason, other);
    // The same RP id at another origin is none.
    open(&f, |config| {
        config.origin = "https://tv.media.example:8443".to_owned();
        config.rp_id = Some("media.example".to_owned());
    })
    .unwrap();
    // Nothing was changed by being refused.
    at(&f, "https://media.example", false).unwrap();
    assert!(f.keyplate.list_passkeys(None).unwrap()[0].usable);
}

#[test]
fn without_passkeys_any_rp_id_will_do() {
    let f = Fixture::new();
    let bob = f.user("bob");
    at(&f, NEW, false).unwrap();
    let (_, passkey, _) = f.person(&bob);
    assert!(at(&f, NEW, false).is_err());
    f.keyplate.delete_passkey(&passkey.id).unwrap();
    let new = at(&f, NEW, false).unwrap();
    let session = new.create_session(&bob.id, client(), None).unwrap();
    person_at(NEW)
        .register(&acting(&new, session.secret.as_str()))
        .unwrap();
}

#[test]
fn after_a_change_the_former_passkeys_stay_and_count_nowhere() {
    let f = Fixture::new();
    let (ann, ben) = (f.administrator("ann"), f.administrator("ben"));
    let (mut anns, former, old_session) = f.person(&ann);
    f.clock.advance(3_600);
    let refused = f.keyplate.disable_user(&ann.id);
    assert_eq!(code(refused), ErrorCode::Conflict, "ben has no passkey");
    let begun = f.stranger().begin_passkey_login().unwrap();
    let answer = anns.get(&begun, &Spoil::default());

    let new = at(&f, NEW, true).unwrap();
    assert!(f.heard.kinds().contains(&EventKind::RpIdChanged));
    let unusable = Passkey {
        usable: false,
        ..former.clone()
    };
    assert_eq!(new.list_passkeys(Some(ann.id)).unwrap(), [unusable]);

    // They sign in and step up nobody: neither with what was begun before, nor when the browser finds them still.
    let late = stranger(&new).finish_passkey_login(&begun.ceremony, &answer);
    assert_eq!(reason(late), PasskeyFailure::UnknownCeremony);
    let login = stranger(&new).begin_passkey_login().unwrap();
    let mut moved = Person {
        authenticator: anns.authenticator.clone(),
        origin: NEW.to_owned(),
    };
    moved.authenticator.credentials[0].rp_id = "new.example".to_owned();
    let answer = moved.get(&login, &Spoil::default());
    let refused = stranger(&new).finish_passkey_login(&login.ceremony, &answer);
    assert_eq!(reason(refused), PasskeyFailure::UnknownCredential);
    let old = acting(&new, old_session.secret.as_str());
    assert_eq!(code(old.begin_step_up()), ErrorCode::NotFound);

    // U3: as nobody has a passkey that works, all administrators count.
    new.disable_user(&ann.id).unwrap();
    new.enable_user(&ann.id).unwrap();

    // P5: the next one is a first, for whoever signs in by other means.
    let acting = signed_in(&new, &former);
    let mut again = person_at(NEW);
    let registered = again.register(&acting).unwrap();
    again.log_in(&stranger(&new)).unwrap();
    let signed_in = acting_for(&new, &registered.signed_in.unwrap());
    // U3 and P4: that one is the last, the former one is not.
    assert_eq!(code(new.disable_user(&ann.id)), ErrorCode::Conflict);
    let last = signed_in.delete_passkey(&registered.passkey.id);
    assert_eq!(code(last), ErrorCode::Conflict);
    signed_in.delete_passkey(&former.id).unwrap();
    new.disable_user(&ben.id).unwrap();
}

fn acting_for(keyplate: &Keyplate, signed_in: &keyplate::SignedIn) -> Keyplate {
    acting(keyplate, signed_in.secret.as_str())
}

#[test]
fn going_back_makes_them_usable_again() {
    let f = Fixture::new();
    let (mut bob, former, _) = f.person(&f.user("bob"));
    let new = at(&f, NEW, true).unwrap();
    let newer = person_at(NEW)
        .register(&signed_in(&new, &former))
        .unwrap()
        .passkey;
    assert!(at(&f, "https://media.example", false).is_err());
    let back = at(&f, "https://media.example", true).unwrap();
    let usable = |keyplate: &Keyplate| -> Vec<_> {
        let passkeys = keyplate.list_passkeys(None).unwrap();
        passkeys.into_iter().filter(|one| one.usable).collect()
    };
    let ids = |passkeys: Vec<Passkey>| passkeys.iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(ids(usable(&back)), [former.id]);
    bob.log_in(&stranger(&back)).unwrap();
    // The handle from before the change works again too.
    bob.log_in(&f.stranger()).unwrap();
    assert_eq!(
        reason(stranger(&new).begin_passkey_login()),
        PasskeyFailure::Unavailable
    );
    let changes = || {
        let kinds = f.heard.kinds();
        let changes = kinds.iter().filter(|kind| **kind == EventKind::RpIdChanged);
        changes.count()
    };
    assert_eq!(changes(), 2);
    at(&f, "https://media.example", true).unwrap();
    assert_eq!(changes(), 2, "it is none when it is the same");
    at(&f, NEW, true).unwrap();
    assert_eq!(ids(usable(&f.keyplate)), [newer.id]);
}

#[test]
fn a_process_under_the_former_rp_id_holds_no_more_ceremonies() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::Open);
    let (mut bob, _, session) = f.person(&f.user("bob"));
    let acting = f.acting(session.secret.as_str());
    let stranger = f.stranger();
    let login = stranger.begin_passkey_login().unwrap();
    let step_up = acting.begin_step_up().unwrap();
    let registration = acting.begin_passkey_registration().unwrap();
    let sign_up = stranger.begin_passkey_signup(signup("eve", None)).unwrap();
    let whole = Spoil::default();
    let answers = [
        bob.get(&login, &whole),
        bob.get(&step_up, &whole),
        Person::new().create(&registration, &whole),
        Person::new().create(&sign_up, &whole),
    ];

    let new = at(&f, NEW, true).unwrap();
    begins_nothing(&f.keyplate, session.secret.as_str());
    let [by_login, by_step_up, by_registration, by_sign_up] = &answers;
    let unavailable = PasskeyFailure::Unavailable;
    let refused = stranger.finish_passkey_login(&login.ceremony, by_login);
    assert_eq!(reason(refused), unavailable);
    let refused = acting.finish_step_up(&step_up.ceremony, by_step_up);
    assert_eq!(reason(refused), unavailable);
    let refused = stranger.finish_passkey_signup(&sign_up.ceremony, by_sign_up);
    assert_eq!(reason(refused), unavailable);
    let refused = acting.finish_passkey_registration(&registration.ceremony, by_registration, None);
    assert_eq!(reason(refused), unavailable);

    assert_eq!(new.list_passkeys(None).unwrap().len(), 1);
    assert!(new.find_user_by_username("eve").unwrap().is_none());
    // What is no ceremony goes on.
    acting.list_passkeys(None).unwrap();
    f.keyplate.create_user(new_user("cid")).unwrap();
}

#[test]
fn what_began_under_the_former_rp_id_does_not_end_under_the_new() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::Open);
    let (_, passkey, _) = f.person(&f.user("bob"));
    let bob = signed_in(&f.keyplate, &passkey);
    f.keyplate.delete_passkey(&passkey.id).unwrap();
    let registration = bob.begin_passkey_registration().unwrap();
    let sign_up = f.stranger().begin_passkey_signup(signup("eve", None));
    let sign_up = sign_up.unwrap();
    let by_registration = Person::new().create(&registration, &Spoil::default());
    let by_sign_up = Person::new().create(&sign_up, &Spoil::default());
    let new = at(&f, NEW, true).unwrap();
    let bob = signed_in(&new, &passkey);
    let refused = bob.finish_passkey_registration(&registration.ceremony, &by_registration, None);
    assert_eq!(reason(refused), PasskeyFailure::WrongOrigin);
    let refused = stranger(&new).finish_passkey_signup(&sign_up.ceremony, &by_sign_up);
    assert_eq!(reason(refused), PasskeyFailure::WrongOrigin);
    assert!(new.list_passkeys(None).unwrap().is_empty());
    assert!(new.find_user_by_username("eve").unwrap().is_none());
}

const WITHOUT_PASSKEYS: [(&str, PasskeyProblem); 4] = [
    ("http://192.0.2.1:1411", PasskeyProblem::IpAddress),
    ("https://192.0.2.1", PasskeyProblem::IpAddress),
    ("https://[2001:db8::1]:8443", PasskeyProblem::IpAddress),
    ("http://nas.lan:1411", PasskeyProblem::InsecureOrigin),
];

#[test]
fn without_a_secure_name_all_but_passkeys_works() {
    for (origin, problem) in WITHOUT_PASSKEYS {
        let f = Fixture::new();
        set_mode(&f, SignupMode::Open);
        let bob = f.user("bob");
        let refused = at(&f, origin, true).unwrap_err();
        assert_eq!(refused.field().as_deref(), Some("origin"), "{origin}");
        let keyplate = open(&f, |config| {
            config.origin = origin.to_owned();
            config.allow_insecure_origin = true;
        })
        .unwrap();
        let state = keyplate.get_setup_state().unwrap();
        assert_eq!(state.passkey_problem, Some(problem), "{origin}");
        assert_eq!(f.keyplate.get_setup_state().unwrap().passkey_problem, None);
        let stranger = stranger(&keyplate);
        let claimed = stranger.claim_setup(Some(setup_token(&keyplate)), admin("ann"));
        let claimed = claimed.unwrap();
        begins_nothing(&keyplate, claimed.secret.as_str());
        let ann = acting_for(&keyplate, &claimed);
        let key = ann.create_api_key(new_key(None, &["*"])).unwrap();
        ann.complete_setup().unwrap();
        let by_key = acting(&keyplate, key.secret.as_str());
        let code = by_key.create_one_time_token(&bob.id, None).unwrap();
        stranger
            .redeem_one_time_token(code.secret.as_str())
            .unwrap();
        stranger.sign_up(signup("cid", None)).unwrap();
        by_key.delete_user(&bob.id).unwrap();
    }
}

fn setup_token(keyplate: &Keyplate) -> String {
    keyplate.create_setup_token().unwrap().secret.reveal()
}

#[test]
fn maintenance_opens_whatever_the_origin_and_holds_no_ceremony() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::Open);
    let (mut bob, passkey, session) = f.person(&f.user("bob"));
    let origins = WITHOUT_PASSKEYS.map(|(origin, _)| origin);
    for origin in origins.into_iter().chain([NEW, "https://media.example"]) {
        let keyplate = open(&f, |config| {
            config.origin = origin.to_owned();
            config.maintenance = true;
        })
        .unwrap();
        begins_nothing(&keyplate, session.secret.as_str());
        let user = keyplate.get_user(&passkey.user_id).unwrap();
        keyplate.create_recovery_token(&user.id, None).unwrap();
        keyplate.create_setup_token().unwrap();
        assert!(keyplate.list_passkeys(None).unwrap()[0].usable, "{origin}");
    }
    // Even asked to, it changes no RP id.
    open(&f, |config| {
        config.origin = NEW.to_owned();
        config.maintenance = true;
        config.accept_rp_id_change = true;
    })
    .unwrap();
    assert!(!f.heard.kinds().contains(&EventKind::RpIdChanged));
    bob.log_in(&f.stranger()).unwrap();
}

#[test]
fn ceremonies_from_every_configured_origin_and_no_other() {
    let f = Fixture::new();
    let hash = |letter: &str| format!("android:apk-key-hash:{}", letter.repeat(43));
    let keyplate = open(&f, |config| {
        config.more_origins = vec!["https://tv.media.example:8443".to_owned()];
        config.related_origins = vec!["https://films.example".to_owned()];
        config.native_origins = vec![hash("a")];
    })
    .unwrap();
    let good = [
        "https://media.example".to_owned(),
        "https://tv.media.example:8443".to_owned(),
        "https://films.example".to_owned(),
        hash("a"),
    ];
    let bad = [
        "https://tv.media.example".to_owned(),
        "https://media.example:8443".to_owned(),
        "https://x.media.example".to_owned(),
        "https://x.films.example".to_owned(),
        "http://films.example".to_owned(),
        "https://media.example.evil.example".to_owned(),
        hash("b"),
        hash("A"),
        hash("a").replace("android", "ios"),
    ];
    for (number, origin) in good.iter().enumerate() {
        let mut person = person_at(origin);
        let user = keyplate
            .create_user(new_user(&format!("u{number}")))
            .unwrap();
        let session = keyplate.create_session(&user.id, client(), None).unwrap();
        let host = acting_for(&keyplate, &session);
        for origin in &bad {
            let spoil = Spoil {
                origin: Some(origin.clone()),
                ..Spoil::default()
            };
            let refused = person_at(&person.origin).register_spoilt(&host, &spoil);
            assert_eq!(reason(refused), PasskeyFailure::WrongOrigin, "{origin}");
        }
        let registered = person.register(&host).unwrap();
        assert_eq!(registered.passkey.rp_id, "media.example");
        let signed_in = acting_for(&keyplate, &registered.signed_in.unwrap());
        person.step_up(&signed_in).unwrap();
        for elsewhere in &good {
            person.origin.clone_from(elsewhere);
            person.log_in(&stranger(&keyplate)).unwrap();
        }
        for origin in &bad {
            let spoil = Spoil {
                origin: Some(origin.clone()),
                ..Spoil::default()
            };
            let refused = person.log_in_spoilt(&stranger(&keyplate), &spoil);
            assert_eq!(reason(refused), PasskeyFailure::WrongOrigin, "{origin}");
        }
    }
}

/// P6: other processes make links to where people are, and only the host says where that is.
#[test]
fn the_origin_is_remembered_for_other_processes() {
    let f = Fixture::new();
    let origin = || f.keyplate.get_settings().unwrap().origin;
    assert_eq!(origin(), None);
    let server = at(&f, "https://Media.bücher.example:443/", false).unwrap();
    let normal = Some("https://media.xn--bcher-kva.example".to_owned());
    for _ in 0..2 {
        assert_eq!(server.remember_origin().unwrap().origin, normal);
    }
    let command = open(&f, |config| {
        config.origin = "http://localhost:1411".to_owned();
        config.maintenance = true;
    });
    let command = command.unwrap();
    assert_eq!(command.get_settings().unwrap().origin, normal);
    let changes = || {
        let query = keyplate::AuditQuery {
            kind: Some(EventKind::SettingsChanged),
            ..Default::default()
        };
        f.keyplate.list_audit_events(query).unwrap()
    };
    assert_eq!(changes().total, 1, "what is known leaves no trace");
    let told = &changes().items[0].details[0];
    assert_eq!(Some(&told.value), normal.as_ref());
    assert_eq!(told.name, "origin");

    // Nobody else sets it, and no setting is it.
    let ann = f.administrator("ann");
    let key = f.key(&ann, &["*", "roles:write"]);
    let denied = keyplate::ErrorCode::PermissionDenied;
    let anns = acting(&server, key.secret.as_str());
    for handle in [&anns, &stranger(&server)] {
        assert_eq!(code(handle.remember_origin()), denied);
    }
    let changes = keyplate::SettingsChanges {
        app_name: Some("Films".to_owned()),
        ..Default::default()
    };
    assert_eq!(anns.update_settings(changes).unwrap().origin, normal);
    let plan = r#"{"settings": {"origin": "https://evil.example"}}"#;
    assert!(f.keyplate.bootstrap(plan).is_err());
    assert_eq!(origin(), normal);
    at(&f, "https://other.example", true)
        .unwrap()
        .remember_origin()
        .unwrap();
    let other = Some("https://other.example".to_owned());
    assert_eq!(origin(), other);
}
