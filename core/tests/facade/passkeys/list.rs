//! What passkeys are afterwards: their names, their signals, and which may be deleted.

use keyplate::{ErrorCode, KeyplateError, PasskeyFailure, SignInMethod};
use keyplate_testkit::{Authenticator, Backup, Spoil};

use crate::common::{
    passkeys::{Person, reason},
    *,
};

/// P4: names, from the authenticator where none is given.
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
    assert_eq!(passkey.transports, ["internal", "hybrid", "carrier-pigeon"]);
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

/// P7.
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
