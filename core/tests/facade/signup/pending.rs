//! S7: who is let in while they wait for approval, and by what.

use keyplate::{
    ErrorCode, Keyplate, NewService, Result, SettingsChanges, SignInMethod, SignedIn, SignupMode,
    UserStatus,
};

use crate::common::{passkeys::Person, signups::*, *};

/// Sign-up is open and wants approval, and there is a service for everyone.
fn with_approval() -> Fixture {
    let f = Fixture::new();
    f.administrator("ann");
    set_mode(&f, SignupMode::Open);
    let approval = SettingsChanges {
        signup_approval: Some(true),
        ..SettingsChanges::default()
    };
    f.keyplate.update_settings(approval).unwrap();
    let service = NewService {
        slug: "films".to_owned(),
        ..Default::default()
    };
    let service = f.keyplate.create_service(service).unwrap();
    f.keyplate
        .set_service_access(&service.id, true, &[])
        .unwrap();
    f
}

/// Every question by which a host may let somebody in; `None` where it would.
fn doors(keyplate: &Keyplate, secret: &str) -> Vec<(&'static str, Option<ErrorCode>)> {
    let code = |result: Result<()>| result.err().map(|error| error.code());
    let principal = || {
        keyplate
            .authenticate_pending(secret)
            .map(|found| found.principal)
    };
    let authorize = principal().and_then(|principal| {
        let decision = keyplate.authorize(&principal, "films")?;
        match decision.allowed {
            true => Ok(()),
            false => Err(keyplate::KeyplateError::AccountPending),
        }
    });
    let issue = principal().and_then(|principal| {
        keyplate
            .issue_access_token(&principal, "films", None)
            .map(drop)
    });
    vec![
        (
            "authenticate",
            code(keyplate.authenticate(secret).map(drop)),
        ),
        (
            "verify_session",
            code(keyplate.verify_session(secret).map(drop)),
        ),
        ("authorize", code(authorize)),
        ("issue_access_token", code(issue)),
    ]
}

#[test]
fn nobody_is_let_in_who_waits_and_everybody_who_was_approved() {
    let f = with_approval();
    let by_name = f.stranger().sign_up(signup("bob", None)).unwrap();
    let by_passkey = Person::new()
        .sign_up(&f.stranger(), signup("cid", None))
        .unwrap();
    let dora = f.stranger().sign_up(signup("dora", None)).unwrap();
    Person::new()
        .register(&f.enrolling(dora.secret.as_str()))
        .unwrap();
    for SignedIn {
        user,
        session,
        secret,
    } in [&by_name, &by_passkey, &dora]
    {
        assert_eq!(session.method, SignInMethod::SignUp);
        for (door, refused) in doors(&f.keyplate, secret.as_str()) {
            assert_eq!(refused, Some(ErrorCode::AccountPending), "{door}");
        }
        let waiting = f.keyplate.authenticate_pending(secret.as_str()).unwrap();
        assert_eq!(
            (waiting.user_id, waiting.status, waiting.session_id),
            (user.id, UserStatus::Pending, Some(session.id))
        );
        assert_eq!(waiting.scopes, ["enrol"]);

        f.keyplate.approve_user(&user.id).unwrap();
        for (door, refused) in doors(&f.keyplate, secret.as_str()) {
            assert_eq!(refused, None, "{door}");
        }
        let active = f.keyplate.authenticate(secret.as_str()).unwrap();
        let asked = f.keyplate.authenticate_pending(secret.as_str()).unwrap();
        assert_eq!((active.status, &active), (UserStatus::Active, &asked));
        assert_eq!(active.scopes, ["*", "roles:write"]);

        f.keyplate.disable_user(&user.id).unwrap();
        for (door, refused) in doors(&f.keyplate, secret.as_str()) {
            assert_eq!(refused, Some(ErrorCode::AccountDisabled), "{door}");
        }
    }
}

/// Only the sign-up's own session waits with its user: no other credential opens even the enrolment.
#[test]
fn other_credentials_of_who_waits_open_nothing() {
    let f = with_approval();
    let bob = f.stranger().sign_up(signup("bob", None)).unwrap();
    let key = f.key(&bob.user, &["*"]);
    assert_eq!(
        code(f.keyplate.authenticate_pending(key.secret.as_str())),
        ErrorCode::AccountPending
    );
    assert_eq!(
        code(f.keyplate.verify_api_key(key.secret.as_str())),
        ErrorCode::AccountPending
    );
    f.keyplate.reject_user(&bob.user.id).unwrap();
    assert_eq!(
        code(f.keyplate.authenticate_pending(bob.secret.as_str())),
        ErrorCode::InvalidCredential
    );
}

/// A stranger's handle may ask as well: what is shown is the credential.
#[test]
fn anybody_may_ask() {
    let f = with_approval();
    let bob = f.stranger().sign_up(signup("bob", None)).unwrap();
    let stranger = f.stranger();
    assert!(stranger.authenticate_pending(bob.secret.as_str()).is_ok());
    for wrong in ["", "kp_ses_x", "kp_otp_x"] {
        assert_eq!(
            code(stranger.authenticate_pending(wrong)),
            ErrorCode::InvalidCredential
        );
    }
}
