//! P1–P7: the ceremonies, each spoilt in every way, and what the passkeys are afterwards.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use common::{
    passkeys::{ORIGIN, Person, reason},
    *,
};
use keyplate::{
    ClientInfo, CounterPolicy, ErrorCode, EventKind, KeyplateError, PasskeyFailure,
    SettingsChanges, SignInMethod, SignedIn,
};
use keyplate_testkit::{
    AttestationSpoil, Authenticator, Backup, PublicKeySpoil, SignatureSpoil, Spoil, UserHandleSpoil,
};

fn spoils_of_both() -> Vec<(&'static str, Spoil, PasskeyFailure)> {
    let other = Spoil::default;
    vec![
        (
            "another origin",
            Spoil {
                origin: Some("https://evil.example".to_owned()),
                ..other()
            },
            PasskeyFailure::WrongOrigin,
        ),
        (
            "another port",
            Spoil {
                origin: Some("https://media.example:8443".to_owned()),
                ..other()
            },
            PasskeyFailure::WrongOrigin,
        ),
        (
            "a subdomain",
            Spoil {
                origin: Some("https://x.media.example".to_owned()),
                ..other()
            },
            PasskeyFailure::WrongOrigin,
        ),
        (
            "without TLS",
            Spoil {
                origin: Some("http://media.example".to_owned()),
                ..other()
            },
            PasskeyFailure::WrongOrigin,
        ),
        (
            "another challenge",
            Spoil {
                challenge: Some(vec![7; 32]),
                ..other()
            },
            PasskeyFailure::WrongChallenge,
        ),
        (
            "in a frame",
            Spoil {
                cross_origin: true,
                ..other()
            },
            PasskeyFailure::CrossOrigin,
        ),
        (
            "under another page",
            Spoil {
                top_origin: Some("https://evil.example".to_owned()),
                ..other()
            },
            PasskeyFailure::CrossOrigin,
        ),
        (
            "another RP id",
            Spoil {
                rp_id: Some("evil.example".to_owned()),
                ..other()
            },
            PasskeyFailure::WrongRpId,
        ),
        (
            "nobody there",
            Spoil {
                no_user_presence: true,
                ..other()
            },
            PasskeyFailure::UserNotPresent,
        ),
        (
            "nobody verified",
            Spoil {
                no_user_verification: true,
                ..other()
            },
            PasskeyFailure::UserNotVerified,
        ),
        (
            "backed up though not eligible",
            Spoil {
                backup_state: Some(true),
                ..other()
            },
            PasskeyFailure::WrongBackupFlags,
        ),
        (
            "client data that is none",
            Spoil {
                client_data: Some(b"{}".to_vec()),
                ..other()
            },
            PasskeyFailure::Malformed,
        ),
        (
            "cut authenticator data",
            Spoil {
                truncated: 3,
                ..other()
            },
            PasskeyFailure::Malformed,
        ),
        (
            "something behind the authenticator data",
            Spoil {
                trailing_bytes: vec![0xa0],
                ..other()
            },
            PasskeyFailure::Malformed,
        ),
        (
            "another type of credential",
            Spoil {
                credential_type: Some("password".to_owned()),
                ..other()
            },
            PasskeyFailure::Malformed,
        ),
        (
            "id and rawId apart",
            Spoil {
                raw_id: Some(vec![1; 16]),
                ..other()
            },
            PasskeyFailure::Malformed,
        ),
    ]
}

#[test]
fn a_spoilt_registration_is_refused_with_its_reason() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let acting = f.acting(f.session(&bob).secret.as_str());
    let other = Spoil::default;
    let mut spoils = spoils_of_both();
    spoils.extend([
        (
            "an assertion's client data",
            Spoil {
                client_data_type: Some("webauthn.get".to_owned()),
                ..other()
            },
            PasskeyFailure::WrongType,
        ),
        (
            "an algorithm that was not offered",
            Spoil {
                public_key: Some(PublicKeySpoil::Algorithm(-65535)),
                ..other()
            },
            PasskeyFailure::UnsupportedAlgorithm,
        ),
        (
            "a key off the curve",
            Spoil {
                public_key: Some(PublicKeySpoil::OffCurve),
                ..other()
            },
            PasskeyFailure::Malformed,
        ),
        (
            "half a key",
            Spoil {
                public_key: Some(PublicKeySpoil::Incomplete),
                ..other()
            },
            PasskeyFailure::Malformed,
        ),
        (
            "no key",
            Spoil {
                public_key: Some(PublicKeySpoil::NotCbor),
                ..other()
            },
            PasskeyFailure::Malformed,
        ),
        (
            "no credential",
            Spoil {
                no_attested_credential_data: true,
                ..other()
            },
            PasskeyFailure::Malformed,
        ),
        (
            "a bad attestation",
            Spoil {
                attestation: Some(AttestationSpoil::BadlySigned),
                ..other()
            },
            PasskeyFailure::BadAttestation,
        ),
        (
            "a statement that attests nothing",
            Spoil {
                attestation: Some(AttestationSpoil::NoneWithStatement),
                ..other()
            },
            PasskeyFailure::BadAttestation,
        ),
        (
            "an unknown attestation",
            Spoil {
                attestation: Some(AttestationSpoil::UnknownFormat),
                ..other()
            },
            PasskeyFailure::BadAttestation,
        ),
    ]);
    for (what, spoil, expected) in spoils {
        let result = Person::new().register_spoilt(&acting, &spoil);
        assert_eq!(reason(result), expected, "{what}");
    }
    assert!(f.keyplate.list_passkeys(None).unwrap().is_empty());
    let refused = f.heard.kinds();
    assert!(refused.contains(&EventKind::PasskeyRegistrationRefused));
    Person::new().register(&acting).unwrap();
}

#[test]
fn a_spoilt_sign_in_is_refused_with_its_reason() {
    let f = Fixture::new();
    let (mut bob, ..) = f.person(&f.user("bob"));
    let other = Spoil::default;
    let mut spoils = spoils_of_both();
    spoils.extend([
        (
            "a registration's client data",
            Spoil {
                client_data_type: Some("webauthn.create".to_owned()),
                ..other()
            },
            PasskeyFailure::WrongType,
        ),
        (
            "another backup eligibility",
            Spoil {
                backup_eligible: Some(true),
                ..other()
            },
            PasskeyFailure::WrongBackupFlags,
        ),
        (
            "a flipped bit",
            Spoil {
                signature: Some(SignatureSpoil::Corrupted),
                ..other()
            },
            PasskeyFailure::BadSignature,
        ),
        (
            "another key",
            Spoil {
                signature: Some(SignatureSpoil::OtherKey),
                ..other()
            },
            PasskeyFailure::BadSignature,
        ),
        (
            "no signature",
            Spoil {
                signature: Some(SignatureSpoil::Empty),
                ..other()
            },
            PasskeyFailure::BadSignature,
        ),
        (
            "no handle",
            Spoil {
                user_handle: Some(UserHandleSpoil::Removed),
                ..other()
            },
            PasskeyFailure::WrongUserHandle,
        ),
        (
            "another handle",
            Spoil {
                user_handle: Some(UserHandleSpoil::Replaced(vec![1; 32])),
                ..other()
            },
            PasskeyFailure::WrongUserHandle,
        ),
        (
            "an unknown credential",
            Spoil {
                credential_id: Some(vec![9; 16]),
                ..other()
            },
            PasskeyFailure::UnknownCredential,
        ),
    ]);
    for (what, spoil, expected) in spoils {
        let mut clone = Person {
            authenticator: bob.authenticator.clone(),
            origin: ORIGIN.to_owned(),
        };
        let result = clone.log_in_spoilt(&f.stranger(), &spoil);
        assert_eq!(reason(result), expected, "{what}");
        f.clock.advance(60); // each refusal has a row of its own
    }
    assert!(bob.log_in(&f.stranger()).is_ok());
    assert!(f.heard.kinds().contains(&EventKind::SignInRefused));
}

#[test]
fn a_ceremony_is_used_once_and_in_time() {
    let f = Fixture::new();
    let (mut bob, _, session) = f.person(&f.user("bob"));
    let acting = f.acting(session.secret.as_str());
    let stranger = f.stranger();

    let login = stranger.begin_passkey_login().unwrap();
    let response = bob.get(&login, &Spoil::default());
    stranger
        .finish_passkey_login(&login.ceremony, &response)
        .unwrap();
    let again = stranger.finish_passkey_login(&login.ceremony, &response);
    assert_eq!(reason(again), PasskeyFailure::SpentChallenge);

    // A try that fails has used it up as well, and the same bytes written otherwise are the same ceremony.
    let login = stranger.begin_passkey_login().unwrap();
    let response = bob.get(&login, &Spoil::default());
    assert_eq!(
        reason(stranger.finish_passkey_login(&login.ceremony, "{}")),
        PasskeyFailure::Malformed
    );
    for ceremony in [
        login.ceremony.clone(),
        login.ceremony.replacen("login.", "login.0", 1),
    ] {
        let late = stranger.finish_passkey_login(&ceremony, &response);
        assert_eq!(reason(late), PasskeyFailure::SpentChallenge);
    }

    let registration = acting.begin_passkey_registration().unwrap();
    let mut phone = Person::new();
    let response = phone.create(&registration, &Spoil::default());
    let finish = || acting.finish_passkey_registration(&registration.ceremony, &response, None);
    finish().unwrap();
    assert_eq!(reason(finish()), PasskeyFailure::UnknownCeremony);

    for begun in ["login", "registration", "step-up"] {
        let ceremony = match begun {
            "login" => stranger.begin_passkey_login(),
            "registration" => acting.begin_passkey_registration(),
            _ => acting.begin_step_up(),
        }
        .unwrap();
        let response = match begun {
            "registration" => Person::new().create(&ceremony, &Spoil::default()),
            _ => bob.get(&ceremony, &Spoil::default()),
        };
        f.clock.advance(300);
        let late = match begun {
            "login" => stranger
                .finish_passkey_login(&ceremony.ceremony, &response)
                .map(drop),
            "registration" => acting
                .finish_passkey_registration(&ceremony.ceremony, &response, None)
                .map(drop),
            _ => acting
                .finish_step_up(&ceremony.ceremony, &response)
                .map(drop),
        };
        assert_eq!(reason(late), PasskeyFailure::ExpiredCeremony, "{begun}");
    }
}

#[test]
fn a_ceremony_is_of_its_kind_user_and_database() {
    let f = Fixture::new();
    let (mut bob, _, session) = f.person(&f.user("bob"));
    let acting = f.acting(session.secret.as_str());
    let (_, _, others) = f.person(&f.user("cid"));
    let other = f.acting(others.secret.as_str());
    let stranger = f.stranger();

    let login = stranger.begin_passkey_login().unwrap();
    let response = bob.get(&login, &Spoil::default());
    for result in [
        acting.finish_step_up(&login.ceremony, &response).map(drop),
        acting
            .finish_passkey_registration(&login.ceremony, &response, None)
            .map(drop),
        stranger
            .finish_passkey_signup(&login.ceremony, &response)
            .map(drop),
    ] {
        assert_eq!(reason(result), PasskeyFailure::WrongKind);
    }
    let step_up = acting.begin_step_up().unwrap();
    let response = bob.get(&step_up, &Spoil::default());
    assert_eq!(
        reason(stranger.finish_passkey_login(&step_up.ceremony, &response)),
        PasskeyFailure::WrongKind
    );
    assert_eq!(
        reason(other.finish_step_up(&step_up.ceremony, &response)),
        PasskeyFailure::WrongUser
    );
    // Another session of the same user.
    let second = bob.log_in(&stranger).unwrap();
    assert_eq!(
        reason(
            f.acting(second.secret.as_str())
                .finish_step_up(&step_up.ceremony, &response)
        ),
        PasskeyFailure::WrongUser
    );
    // Somebody else's trying has not spent it.
    acting.finish_step_up(&step_up.ceremony, &response).unwrap();

    let elsewhere = Fixture::new();
    let (mut eve, ..) = elsewhere.person(&elsewhere.user("bob"));
    let login = elsewhere.stranger().begin_passkey_login().unwrap();
    let response = eve.get(&login, &Spoil::default());
    assert_eq!(
        reason(stranger.finish_passkey_login(&login.ceremony, &response)),
        PasskeyFailure::UnknownCeremony
    );
    for nonsense in [
        "",
        "x",
        "login.",
        "login.1.",
        "login.1.AAAA",
        "registration.AAAA",
    ] {
        let expected = if nonsense.starts_with("registration") {
            PasskeyFailure::WrongKind
        } else {
            PasskeyFailure::UnknownCeremony
        };
        let result = stranger.finish_passkey_login(nonsense, &response);
        assert_eq!(reason(result), expected, "{nonsense:?}");
    }
}

#[test]
fn beginning_to_sign_in_leaves_nothing_behind() {
    let f = Fixture::new();
    let stranger = f.stranger();
    stranger.begin_passkey_login().unwrap(); // the day's key
    let pages = || {
        std::fs::metadata(f.path()).unwrap().len()
            + std::fs::metadata(f.folder.path().join("id.db-wal")).map_or(0, |wal| wal.len())
    };
    let before = pages();
    for _ in 0..1_000 {
        stranger.begin_passkey_login().unwrap();
    }
    assert_eq!(pages(), before);
}

#[test]
fn begun_by_one_handle_and_finished_by_another() {
    let f = Fixture::new();
    let (mut bob, ..) = f.person(&f.user("bob"));
    let second = f.open_again();
    for day in 0..3 {
        let login = f.stranger().begin_passkey_login().unwrap();
        let response = bob.get(&login, &Spoil::default());
        let stranger = second.anonymous(ClientInfo::default()).unwrap();
        stranger
            .finish_passkey_login(&login.ceremony, &response)
            .unwrap();
        // The key of the last minute of its day still opens.
        let late = stranger.begin_passkey_login().unwrap();
        f.clock.advance(299);
        let next = f.stranger().begin_passkey_login().unwrap();
        let response = bob.get(&late, &Spoil::default());
        f.stranger()
            .finish_passkey_login(&late.ceremony, &response)
            .unwrap();
        let response = bob.get(&next, &Spoil::default());
        stranger
            .finish_passkey_login(&next.ceremony, &response)
            .unwrap();
        f.clock.advance(24 * 3_600 - 299 - 299 - day);
    }
}

#[test]
fn a_counter_that_goes_back_is_noted_and_refused_on_demand() {
    let f = Fixture::new();
    let (mut bob, passkey, _) = f.person(&f.user("bob"));
    bob.log_in(&f.stranger()).unwrap();
    let mut clone = Person {
        authenticator: bob.authenticator.clone(),
        origin: ORIGIN.to_owned(),
    };
    bob.log_in(&f.stranger()).unwrap();
    let get = || f.keyplate.list_passkeys(None).unwrap().remove(0);
    assert_eq!(get().counter_went_back_at, None);

    f.clock.advance(10);
    clone.log_in(&f.stranger()).unwrap();
    assert_eq!(get().counter_went_back_at, Some(f.now()));
    assert_eq!(get().id, passkey.id);
    let noted = || {
        let kinds = f.heard.kinds();
        kinds
            .iter()
            .filter(|kind| **kind == EventKind::PasskeyCounterWentBack)
            .count()
    };
    assert_eq!(noted(), 1);

    f.keyplate
        .update_settings(SettingsChanges {
            counter_policy: Some(CounterPolicy::Deny),
            ..SettingsChanges::default()
        })
        .unwrap();
    f.clock.advance(10);
    let spoil = Spoil {
        counter: Some(1),
        ..Spoil::default()
    };
    let refused = clone.log_in_spoilt(&f.stranger(), &spoil);
    assert_eq!(reason(refused), PasskeyFailure::CounterWentBack);
    assert_eq!((get().counter_went_back_at, noted()), (Some(f.now()), 2));
    assert_eq!(
        f.keyplate.list_sessions(Default::default()).unwrap().total,
        4
    );
    bob.log_in(&f.stranger()).unwrap();
}

#[test]
fn a_passkey_imported_by_a_manager_that_does_not_count_works_on() {
    let f = Fixture::new();
    let (mut bob, ..) = f.person(&f.user("bob"));
    bob.log_in(&f.stranger()).unwrap();
    bob.authenticator.counts = false;
    bob.authenticator.credentials[0].counter = 0;
    bob.log_in(&f.stranger()).unwrap();
    bob.log_in(&f.stranger()).unwrap();
    let kinds = f.heard.kinds();
    let noted = kinds
        .iter()
        .filter(|kind| **kind == EventKind::PasskeyCounterWentBack);
    assert_eq!(noted.count(), 1, "from then on it is known not to count");
}

#[test]
fn what_is_known_of_a_passkey() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let mut person = Person::new();
    person.authenticator = Authenticator {
        aaguid: *uuid::Uuid::parse_str("bada5566-a7aa-401f-bd96-45619a55120d")
            .unwrap()
            .as_bytes(),
        backup: Backup::Eligible,
        transports: vec![
            "internal".to_owned(),
            "hybrid".to_owned(),
            "carrier-pigeon".to_owned(),
        ],
        ..Authenticator::new()
    };
    let acting = f.acting(f.session(&bob).secret.as_str());
    let registered = person.register(&acting).unwrap();
    let passkey = &registered.passkey;
    assert_eq!(passkey.name, "1Password");
    assert_eq!(passkey.transports, ["internal", "hybrid"]);
    assert_eq!(
        (
            passkey.backup_eligible,
            passkey.backup_state,
            passkey.usable
        ),
        (true, false, true)
    );
    assert_eq!(
        (passkey.rp_id.as_str(), passkey.created_at),
        ("media.example", f.now())
    );
    assert_eq!(passkey.last_used_at, None);

    f.clock.advance(60);
    let spoil = Spoil {
        backup_state: Some(true),
        ..Spoil::default()
    };
    let session = person.log_in_spoilt(&f.stranger(), &spoil).unwrap();
    assert_eq!(session.session.method, SignInMethod::Passkey);
    assert_eq!(session.session.stepped_up_at, Some(f.now()));
    let acting = f.acting(session.secret.as_str());
    let seen = acting.list_passkeys(None).unwrap().remove(0);
    assert_eq!(
        (seen.backup_state, seen.last_used_at),
        (true, Some(f.now()))
    );

    let mut second = Person::new();
    second.authenticator.aaguid = person.authenticator.aaguid;
    assert_eq!(
        second.register(&acting).unwrap().passkey.name,
        "1Password 2"
    );
    let mut third = Person::new();
    let ceremony = acting.begin_passkey_registration().unwrap();
    let response = third.create(&ceremony, &Spoil::default());
    let too_long =
        acting.finish_passkey_registration(&ceremony.ceremony, &response, Some("x".repeat(101)));
    assert_eq!(too_long.unwrap_err().field().as_deref(), Some("name"));
    let named = acting
        .finish_passkey_registration(
            &ceremony.ceremony,
            &response,
            Some("  Blue key ".to_owned()),
        )
        .unwrap();
    assert_eq!(named.passkey.name, "Blue key");
    let renamed = acting.rename_passkey(&named.passkey.id, "Red key").unwrap();
    assert_eq!(renamed.name, "Red key");
    assert!(acting.rename_passkey(&named.passkey.id, " ").is_err());
}

#[test]
fn a_credential_is_one_users() {
    let f = Fixture::new();
    let (bob, _, session) = f.person(&f.user("bob"));
    let acting = f.acting(f.session(&f.user("cid")).secret.as_str());
    let taken = Spoil {
        credential_id: Some(bob.authenticator.credentials[0].id.clone()),
        ..Spoil::default()
    };
    assert_eq!(
        reason(Person::new().register_spoilt(&acting, &taken)),
        PasskeyFailure::CredentialTaken
    );
    // The same authenticator is not asked twice for the same user.
    let again = f
        .acting(session.secret.as_str())
        .begin_passkey_registration()
        .unwrap();
    let refused = bob
        .authenticator
        .clone()
        .register(ORIGIN, &again.options, &Spoil::default());
    assert!(refused.is_err());
}

#[test]
fn the_options_ask_for_what_p1_says() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let acting = f.acting(f.session(&bob).secret.as_str());
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let first = json(&acting.begin_passkey_registration().unwrap().options);
    let selection = &first["authenticatorSelection"];
    assert_eq!(selection["residentKey"], "required");
    assert_eq!(selection["requireResidentKey"], true);
    assert_eq!(selection["userVerification"], "required");
    assert_eq!(first["attestation"], "none");
    assert_eq!(first["rp"]["id"], "media.example");
    assert_eq!(first["rp"]["name"], "Keyplate");
    assert_eq!(first["user"]["name"], "bob");
    assert_eq!(first["timeout"], 300_000);
    let second = json(&acting.begin_passkey_registration().unwrap().options);
    assert_eq!(
        first["user"]["id"], second["user"]["id"],
        "the handle stays"
    );
    assert_ne!(first["challenge"], second["challenge"]);
    let login = json(&f.stranger().begin_passkey_login().unwrap().options);
    assert_eq!(login["userVerification"], "required");
    assert_eq!(login["rpId"], "media.example");
    assert_eq!(login["allowCredentials"], serde_json::json!([]));
}

#[test]
fn a_deleted_passkey_and_a_user_who_may_not() {
    let f = Fixture::new();
    let admin = f.administrator("ann");
    let (_, _, ann) = f.person(&admin);
    let (mut bob, passkey, session) = f.person(&f.user("bob"));
    let own = f.acting(session.secret.as_str());
    let last = own.delete_passkey(&passkey.id).unwrap_err();
    assert_eq!(last.code(), ErrorCode::Conflict, "P4");
    f.keyplate.disable_user(&passkey.user_id).unwrap();
    assert_eq!(
        bob.log_in(&f.stranger()),
        Err(KeyplateError::AccountDisabled)
    );
    f.keyplate.enable_user(&passkey.user_id).unwrap();

    let mut second = Person::new();
    let second_passkey = second.register(&own).unwrap().passkey;
    own.delete_passkey(&passkey.id).unwrap();
    assert_eq!(
        reason(bob.log_in(&f.stranger())),
        PasskeyFailure::UnknownCredential
    );
    let ann = f.acting(ann.secret.as_str());
    ann.delete_passkey(&second_passkey.id).unwrap();
    let stranger = own.get_passkey_signals(None).unwrap();
    assert!(
        stranger
            .all_accepted_credentials
            .unwrap()
            .contains("\"allAcceptedCredentialIds\":[]")
    );

    // U3: nobody takes the last administrator's passkey.
    let anns = ann.list_passkeys(Some(admin.id)).unwrap().remove(0);
    assert_eq!(
        f.keyplate.delete_passkey(&anns.id).unwrap_err().code(),
        ErrorCode::Conflict
    );
}

#[test]
fn once_an_administrator_has_a_passkey_only_those_count_who_have() {
    let f = Fixture::new();
    let (ann, ben) = (f.administrator("ann"), f.administrator("ben"));
    f.keyplate.disable_user(&ann.id).unwrap();
    f.keyplate.enable_user(&ann.id).unwrap();
    f.person(&ann);
    let last = f.keyplate.disable_user(&ann.id).unwrap_err();
    assert_eq!(last.code(), ErrorCode::Conflict, "ben has no passkey");
    f.keyplate.disable_user(&ben.id).unwrap();
    f.keyplate.enable_user(&ben.id).unwrap();
    f.person(&ben);
    f.keyplate.delete_user(&ann.id).unwrap();
}

#[test]
fn signals() {
    let f = Fixture::new();
    let (bob, passkey, session) = f.person(&f.user("bob"));
    let stranger = f.stranger();
    let known = stranger
        .get_passkey_signals(Some(passkey.credential_id.clone()))
        .unwrap();
    assert_eq!(known.unknown_credential, None);
    assert_eq!(
        (known.all_accepted_credentials, known.current_user_details),
        (None, None)
    );
    let unknown = stranger
        .get_passkey_signals(Some("AAAA".to_owned()))
        .unwrap();
    assert_eq!(
        unknown.unknown_credential.as_deref(),
        Some(r#"{"credentialId":"AAAA","rpId":"media.example"}"#)
    );
    assert!(
        stranger
            .get_passkey_signals(Some("a=b".to_owned()))
            .is_err()
    );
    let own = f
        .acting(session.secret.as_str())
        .get_passkey_signals(None)
        .unwrap();
    let accepted: serde_json::Value =
        serde_json::from_str(&own.all_accepted_credentials.unwrap()).unwrap();
    assert_eq!(
        accepted["allAcceptedCredentialIds"],
        serde_json::json!([passkey.credential_id])
    );
    let handle = &bob.authenticator.credentials[0].user_handle;
    let details: serde_json::Value =
        serde_json::from_str(&own.current_user_details.unwrap()).unwrap();
    assert_eq!((details["name"].as_str(), handle.len()), (Some("bob"), 32));
    assert_eq!(details["userId"], accepted["userId"]);
}

#[test]
fn a_first_passkey_takes_over_the_session() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let code = f.keyplate.create_one_time_token(&bob.id, None).unwrap();
    let by_code = f
        .stranger()
        .redeem_one_time_token(code.secret.as_str())
        .unwrap();
    let acting = f.acting(by_code.secret.as_str());
    let mut person = Person::new();
    let registered = person.register(&acting).unwrap();
    let now: SignedIn = registered.signed_in.unwrap();
    assert_eq!(now.session.method, SignInMethod::Passkey);
    assert!(f.keyplate.verify_session(by_code.secret.as_str()).is_err());
    assert!(f.keyplate.verify_session(now.secret.as_str()).is_ok());
    // By a passkey's session a second one is only added.
    let acting = f.acting(now.secret.as_str());
    assert!(Person::new().register(&acting).unwrap().signed_in.is_none());
}
