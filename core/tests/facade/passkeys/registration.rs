//! Registering a passkey.

use keyplate::{EventKind, PasskeyFailure, SignInMethod, SignedIn};
use keyplate_testkit::{AttestationSpoil, PublicKeySpoil, Spoil};

use super::spoils_of_both;
use crate::common::{
    passkeys::{ORIGIN, Person, reason},
    *,
};

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
            "an RSA key of another size",
            Spoil {
                public_key: Some(PublicKeySpoil::Rsa3072),
                ..other()
            },
            PasskeyFailure::UnsupportedAlgorithm,
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
            "a statement that attests nothing",
            Spoil {
                attestation: Some(AttestationSpoil::NoneWithStatement),
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

/// P3: not even parsed, and so none of them can be bad.
#[test]
fn a_statement_that_nobody_asked_for_is_not_evaluated() {
    use AttestationSpoil as S;
    let f = Fixture::new();
    let statements = [
        S::SelfSigned,
        S::BadlySigned,
        S::UnknownFormat,
        S::Certified,
        S::Tpm,
        S::SafetyNet,
        S::AndroidKey,
        S::Apple,
        S::FidoU2f,
        S::Compound,
    ];
    for (number, statement) in statements.into_iter().enumerate() {
        let user = f.user(&format!("user{number}"));
        let mut person = Person::new();
        let spoil = Spoil {
            attestation: Some(statement),
            ..Spoil::default()
        };
        let acting = f.acting(f.session(&user).secret.as_str());
        let registered = person.register_spoilt(&acting, &spoil);
        assert!(registered.is_ok(), "{statement:?}: {registered:?}");
        assert_eq!(person.log_in(&f.stranger()).unwrap().user.id, user.id);
    }
}

/// P3.
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

/// P1.
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
