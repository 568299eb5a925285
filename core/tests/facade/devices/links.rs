//! Another device of one's own (V5).

use keyplate::{DenialReason, ErrorCode, EventKind, KeyplateError, SignInMethod};

use crate::common::{passkeys::Person, *};

#[test]
fn a_second_phone_registers_its_passkey_and_is_told_of() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let (_, _, session) = f.person(&bob);
    let bobs = f.acting(session.secret.as_str());
    let made = bobs.create_device_link().unwrap();
    assert!(made.secret.as_str().starts_with("kp_otp_"));
    assert_eq!(made.device_link.expires_at, f.in_seconds(300));
    let opened = f
        .stranger()
        .redeem_one_time_token(made.secret.as_str())
        .unwrap();
    assert_eq!(opened.session.method, SignInMethod::DeviceLink);
    let again = f.stranger().redeem_one_time_token(made.secret.as_str());
    assert_eq!(code(again), ErrorCode::InvalidCredential);
    let new_device = f.acting(opened.secret.as_str());
    assert_eq!(new_device.get_user(&bob.id).unwrap().id, bob.id);
    let mut phone = Person::new();
    let registered = phone.register(&new_device).unwrap();
    let own = registered.signed_in.unwrap();
    assert_eq!(own.session.method, SignInMethod::Passkey);
    let one_more = Person::new().register(&new_device);
    assert_eq!(
        code(one_more),
        ErrorCode::InvalidCredential,
        "its session is over"
    );
    let told = bobs.list_device_links().unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].passkey_id, Some(registered.passkey.id));
    assert_eq!(told[0].address.as_deref(), Some("192.0.2.7"));
    assert!(told[0].used_at.is_some());
    assert!(phone.log_in(&f.stranger()).is_ok());
    // "Not mine."
    let theirs = phone.log_in(&f.stranger()).unwrap();
    bobs.disown_device_link(&made.device_link.id).unwrap();
    assert!(phone.log_in(&f.stranger()).is_err());
    for session in [&own, &theirs] {
        let refused = f.keyplate.verify_session(session.secret.as_str());
        assert_eq!(code(refused), ErrorCode::InvalidCredential);
    }
    assert!(f.keyplate.verify_session(session.secret.as_str()).is_ok());
    assert!(bobs.list_device_links().unwrap().is_empty());
    let gone = bobs.disown_device_link(&made.device_link.id);
    assert_eq!(code(gone), ErrorCode::NotFound);
    let kinds = f.heard.kinds();
    for kind in [
        EventKind::DeviceLinkCreated,
        EventKind::DeviceLinkRedeemed,
        EventKind::DeviceLinkDisowned,
    ] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}

#[test]
fn it_wants_a_step_up_and_there_is_one_at_a_time() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let by_host = f.acting(f.session(&bob).secret.as_str());
    assert_eq!(
        code(by_host.create_device_link()),
        ErrorCode::StepUpRequired
    );
    let (mut phone, _, session) = f.person(&bob);
    let bobs = f.acting(session.secret.as_str());
    let (first, second) = (
        bobs.create_device_link().unwrap(),
        bobs.create_device_link().unwrap(),
    );
    let stranger = f.stranger();
    let redeem = |secret: &keyplate::Secret| stranger.redeem_one_time_token(secret.as_str());
    let earlier = redeem(&first.secret);
    assert_eq!(code(earlier), ErrorCode::InvalidCredential);
    f.clock.advance(300);
    let late = redeem(&second.secret);
    assert_eq!(code(late), ErrorCode::InvalidCredential);
    f.clock.advance(3_600);
    assert_eq!(code(bobs.create_device_link()), ErrorCode::StepUpRequired);
    let fresh = phone.log_in(&stranger).unwrap();
    let fresh = f
        .acting(fresh.secret.as_str())
        .create_device_link()
        .unwrap();
    assert!(redeem(&fresh.secret).is_ok());
    let key = f.key(&bob, &["*"]);
    let reason = DenialReason::SessionNeeded;
    let by_key = f.acting(key.secret.as_str()).create_device_link();
    assert_eq!(
        by_key.map(drop),
        Err(KeyplateError::PermissionDenied { reason })
    );
}

/// V5: link and session are dead with the session that made it, in every process.
#[test]
fn it_is_dead_with_its_makers_session() {
    for opened_before in [false, true] {
        let f = Fixture::new();
        let bob = f.user("bob");
        let (_, _, session) = f.person(&bob);
        let made = f
            .acting(session.secret.as_str())
            .create_device_link()
            .unwrap();
        let open = || f.stranger().redeem_one_time_token(made.secret.as_str());
        let opened = opened_before.then(|| open().unwrap());
        let acting = opened.as_ref().map(|one| f.acting(one.secret.as_str()));
        f.open_again().revoke_session(&session.session.id).unwrap();
        match (opened, acting) {
            (Some(opened), Some(acting)) => {
                let verified = f.keyplate.verify_session(opened.secret.as_str());
                assert_eq!(code(verified), ErrorCode::InvalidCredential);
                let refused = Person::new().register(&acting);
                assert_eq!(code(refused), ErrorCode::InvalidCredential);
            }
            _ => assert_eq!(code(open()), ErrorCode::InvalidCredential),
        }
    }
}

/// V5: it may look at its user and register one passkey, and nothing else.
#[test]
fn its_session_can_do_nothing_else() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let (_, passkey, session) = f.person(&bob);
    let bobs = f.acting(session.secret.as_str());
    let made = bobs.create_device_link().unwrap();
    let opened = f
        .stranger()
        .redeem_one_time_token(made.secret.as_str())
        .unwrap();
    let new_device = f.acting(opened.secret.as_str());
    let denied = ErrorCode::PermissionDenied;
    let key = new_device.create_api_key(new_key(None, &["users:read"]));
    assert_eq!(code(key), denied);
    let password = keyplate::NewAppPassword {
        name: "a client".to_owned(),
        ..Default::default()
    };
    assert_eq!(code(new_device.create_app_password(password)), denied);
    assert_eq!(code(new_device.revoke_user_sessions(&bob.id, None)), denied);
    assert_eq!(code(new_device.inspect_device_login("0000-0000")), denied);
    let step_up = ErrorCode::StepUpRequired;
    assert_eq!(code(new_device.delete_passkey(&passkey.id)), step_up);
    assert_eq!(code(new_device.rename_passkey(&passkey.id, "x")), step_up);
    assert_eq!(code(new_device.create_device_link()), denied);
    let own = made.device_link.id;
    assert_eq!(
        code(new_device.disown_device_link(&own)),
        ErrorCode::NotFound
    );
}
