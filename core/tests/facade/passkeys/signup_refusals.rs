//! S8, S4, S6: what refuses a passkey-first sign-up, and that it uses nothing then.

use keyplate::{
    CreatedSignupToken, ErrorCode, Expiry, PasskeyCeremony, PasskeyFailure, SignupMode,
    SignupTokenChanges,
};
use keyplate_testkit::{AttestationSpoil, PublicKeySpoil, Spoil};

use crate::common::{
    passkeys::{Person, reason},
    signups::*,
    *,
};

type Meanwhile = fn(&Fixture, &CreatedSignupToken);

#[test]
fn what_happens_to_the_token_meanwhile_counts() {
    let table: [(&str, Meanwhile, ErrorCode); 6] = [
        (
            "revoked",
            |f, made| {
                f.keyplate
                    .revoke_signup_token(&made.signup_token.id)
                    .unwrap()
            },
            ErrorCode::InvalidCredential,
        ),
        (
            "expired",
            |f, made| {
                let expiry = Expiry::At {
                    time: f.in_seconds(60),
                };
                let changes = SignupTokenChanges {
                    expiry: Some(expiry),
                    ..SignupTokenChanges::default()
                };
                update(f, made, changes);
                f.clock.advance(60);
            },
            ErrorCode::InvalidCredential,
        ),
        (
            "paused",
            |f, made| {
                let changes = SignupTokenChanges {
                    enabled: Some(false),
                    ..SignupTokenChanges::default()
                };
                update(f, made, changes);
            },
            ErrorCode::InvalidCredential,
        ),
        (
            "bound to another address",
            |f, made| {
                let changes = SignupTokenChanges {
                    email: Some("@y.example".to_owned()),
                    ..SignupTokenChanges::default()
                };
                update(f, made, changes);
            },
            ErrorCode::InvalidCredential,
        ),
        (
            "sign-up is disabled",
            |f, _| set_mode(f, SignupMode::Disabled),
            ErrorCode::SignupRefused,
        ),
        (
            "the name is taken",
            |f, _| drop(f.user("BOB")),
            ErrorCode::Conflict,
        ),
    ];
    for (what, meanwhile, expected) in table {
        let (f, made) = invited(1);
        let (ceremony, response) = begun(&f, signup("bob", Some(made.secret.as_str())));
        meanwhile(&f, &made);
        let refused = f
            .stranger()
            .finish_passkey_signup(&ceremony.ceremony, &response);
        assert_eq!(code(refused), expected, "{what}");
        assert_untouched(&f, i64::from(expected == ErrorCode::Conflict));
    }
}

fn update(f: &Fixture, made: &CreatedSignupToken, changes: SignupTokenChanges) {
    let id = &made.signup_token.id;
    f.keyplate.update_signup_token(id, changes).unwrap();
}

#[test]
fn a_token_used_up_meanwhile_lets_nobody_in() {
    let (f, made) = invited(1);
    let secret = Some(made.secret.as_str());
    let (ceremony, response) = begun(&f, signup("bob", secret));
    f.stranger().sign_up(signup("eve", secret)).unwrap();
    let refused = f
        .stranger()
        .finish_passkey_signup(&ceremony.ceremony, &response);
    assert_eq!(code(refused), ErrorCode::InvalidCredential);
    assert_eq!(counts(&f.keyplate), (1, 1, 1));
    assert!(f.keyplate.list_passkeys(None).unwrap().is_empty());
    // S4: without a token that works, names are not told.
    let known = f.stranger().begin_passkey_signup(signup("eve", secret));
    let unknown = f.stranger().begin_passkey_signup(signup("dan", secret));
    assert_eq!(code(known), ErrorCode::InvalidCredential);
    assert_eq!(code(unknown), ErrorCode::InvalidCredential);
}

#[test]
fn refused_at_the_beginning() {
    let (f, made) = invited(1);
    f.user("bob");
    let secret = Some(made.secret.as_str());
    let begin = |signup| refusal(f.stranger().begin_passkey_signup(signup));
    let taken = (ErrorCode::Conflict, Some("username".to_owned()));
    assert_eq!(begin(signup("Bob", secret)), taken);
    assert_eq!(begin(signup("x y", secret)).0, ErrorCode::InvalidInput);
    assert_eq!(begin(signup("eve", None)).0, ErrorCode::SignupRefused);
    let wrong = Some("kp_inv_wrong");
    assert_eq!(begin(signup("eve", wrong)).0, ErrorCode::InvalidCredential);
    assert_untouched(&f, 1);
}

#[test]
fn another_ceremony_and_one_used_before() {
    let (f, made) = invited(3);
    let stranger = f.stranger();
    let secret = Some(made.secret.as_str());
    let bob = f.user("bob");
    let acting = f.acting(f.session(&bob).secret.as_str());
    let (ceremony, response) = begun(&f, signup("eve", secret));

    let login = stranger.begin_passkey_login().unwrap();
    let registration = acting.begin_passkey_registration().unwrap();
    for other in [&login, &registration] {
        let refused = stranger.finish_passkey_signup(&other.ceremony, &response);
        assert_eq!(reason(refused), PasskeyFailure::WrongKind);
    }
    let refused = acting.finish_passkey_registration(&ceremony.ceremony, &response, None);
    assert_eq!(reason(refused), PasskeyFailure::WrongKind);
    for nonsense in [
        "",
        "signup.",
        "signup.AAAA",
        &ceremony.ceremony.replace("signup", "x"),
    ] {
        let refused = stranger.finish_passkey_signup(nonsense, &response);
        assert_eq!(
            reason(refused),
            PasskeyFailure::UnknownCeremony,
            "{nonsense}"
        );
    }
    // None of that spent it.
    stranger
        .finish_passkey_signup(&ceremony.ceremony, &response)
        .unwrap();
    let twice = stranger.finish_passkey_signup(&ceremony.ceremony, &response);
    assert_eq!(reason(twice), PasskeyFailure::UnknownCeremony);

    let (late, response) = begun(&f, signup("dan", secret));
    f.clock.advance(300);
    let refused = stranger.finish_passkey_signup(&late.ceremony, &response);
    assert_eq!(reason(refused), PasskeyFailure::ExpiredCeremony);
    assert_eq!(counts(&f.keyplate), (1, 1, 2));
}

#[test]
fn a_spoilt_answer_uses_nothing() {
    let (f, made) = invited(1);
    let secret = Some(made.secret.as_str());
    let taken = {
        let (bob, ..) = f.person(&f.user("bob"));
        bob.authenticator.credentials[0].id.clone()
    };
    let whole = Spoil::default;
    let spoils = [
        (
            PasskeyFailure::WrongOrigin,
            Spoil {
                origin: Some("https://evil.example".to_owned()),
                ..whole()
            },
        ),
        (
            PasskeyFailure::WrongChallenge,
            Spoil {
                challenge: Some(vec![7; 32]),
                ..whole()
            },
        ),
        (
            PasskeyFailure::WrongRpId,
            Spoil {
                rp_id: Some("evil.example".to_owned()),
                ..whole()
            },
        ),
        (
            PasskeyFailure::UserNotVerified,
            Spoil {
                no_user_verification: true,
                ..whole()
            },
        ),
        (
            PasskeyFailure::WrongType,
            Spoil {
                client_data_type: Some("webauthn.get".to_owned()),
                ..whole()
            },
        ),
        (
            PasskeyFailure::BadAttestation,
            Spoil {
                attestation: Some(AttestationSpoil::NoneWithStatement),
                ..whole()
            },
        ),
        (
            PasskeyFailure::Malformed,
            Spoil {
                public_key: Some(PublicKeySpoil::NotCbor),
                ..whole()
            },
        ),
        (
            PasskeyFailure::CredentialTaken,
            Spoil {
                credential_id: Some(taken),
                ..whole()
            },
        ),
    ];
    let mut begun = Vec::new();
    for (expected, spoil) in spoils {
        let stranger = f.stranger();
        let ceremony = stranger
            .begin_passkey_signup(signup("eve", secret))
            .unwrap();
        let response = Person::new().create(&ceremony, &spoil);
        let refused = stranger.finish_passkey_signup(&ceremony.ceremony, &response);
        assert_eq!(reason(refused), expected);
        assert_eq!(counts(&f.keyplate), (0, 0, 1));
        assert_eq!(f.keyplate.list_passkeys(None).unwrap().len(), 1);
        begun.push((expected, ceremony));
    }
    // P2: what was verified has used its ceremony up, and nothing else has.
    let (expected, taken) = begun.pop().unwrap();
    assert_eq!(expected, PasskeyFailure::CredentialTaken);
    let finish = |ceremony: &PasskeyCeremony| {
        let answer = Person::new().create(ceremony, &whole());
        f.stranger()
            .finish_passkey_signup(&ceremony.ceremony, &answer)
    };
    assert_eq!(reason(finish(&taken)), PasskeyFailure::UnknownCeremony);
    let (_, first) = begun.remove(0);
    assert_eq!(finish(&first).unwrap().user.username, "eve");
    for (_, ceremony) in begun {
        // They are there, and the token's only use is gone.
        assert_eq!(code(finish(&ceremony)), ErrorCode::InvalidCredential);
    }
}
