//! Who approves, and what the device then may do (V2, V3).

use keyplate::{
    ConflictReason, DenialReason, DeviceLoginState, ErrorCode, KeyplateError, NewApiKey,
    NewDeviceLogin, Role,
};

use super::{approve, begin, device_session, poll, signed_in, state, television};
use crate::common::*;

fn denied<T>(reason: DenialReason) -> keyplate::Result<T> {
    Err(KeyplateError::PermissionDenied { reason })
}

fn wanting(scopes: &[&str]) -> NewDeviceLogin {
    NewDeviceLogin {
        scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        ..television()
    }
}

/// V2: the traps of others: approved unclaimed, by somebody else, or twice.
#[test]
fn only_whoever_looked_at_it_approves_it_and_once() {
    let f = Fixture::new();
    let (bob, eve) = (f.user("bob"), f.user("eve"));
    let (bobs, eves) = (signed_in(&f, &bob), signed_in(&f, &eve));
    let started = begin(&f, television());
    let code = started.user_code.as_str();
    for acting in [&bobs, &eves] {
        let reason = DenialReason::DeviceNotInspected;
        assert_eq!(acting.approve_device_login(code), denied(reason.clone()));
        assert_eq!(acting.deny_device_login(code), denied(reason));
    }
    assert_eq!(state(&f, &started), DeviceLoginState::Pending);
    bobs.inspect_device_login(code).unwrap();
    let wrong = ErrorCode::InvalidCredential;
    assert_eq!(crate::common::code(eves.inspect_device_login(code)), wrong);
    assert_eq!(crate::common::code(eves.approve_device_login(code)), wrong);
    assert_eq!(crate::common::code(eves.deny_device_login(code)), wrong);
    bobs.inspect_device_login(code).unwrap();
    bobs.approve_device_login(code).unwrap();
    let what = ConflictReason::DeviceDecided;
    let twice = Err(KeyplateError::Conflict { what, field: None });
    assert_eq!(bobs.approve_device_login(code), twice);
    assert_eq!(bobs.inspect_device_login(code).map(drop), twice);
    assert_eq!(state(&f, &started), DeviceLoginState::Granted);
    assert_eq!(crate::common::code(bobs.approve_device_login(code)), wrong);
}

/// V3: a fresh sign-in, by a session, and not by a device's.
#[test]
fn an_approval_wants_a_fresh_sign_in() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let session = f.session(&bob);
    let bobs = f.acting(session.secret.as_str());
    let device = f.acting(&device_session(&f, &bobs, wanting(&["*"])));
    f.clock.advance(3_600);
    let started = begin(&f, television());
    let code = started.user_code.as_str();
    let old = approve(&bobs, &started);
    assert_eq!(crate::common::code(old), ErrorCode::StepUpRequired);
    let key = f.key(&bob, &["*"]);
    let by_key = f.acting(key.secret.as_str());
    let reason = DenialReason::SessionNeeded;
    assert_eq!(
        by_key.inspect_device_login(code).map(drop),
        denied(reason.clone())
    );
    assert_eq!(
        f.keyplate.inspect_device_login(code).map(drop),
        denied(reason)
    );
    // It was approved a moment ago, and yet it is nobody who signed in.
    let reason = DenialReason::DeviceSession;
    assert_eq!(
        device.inspect_device_login(code).map(drop),
        denied(reason.clone())
    );
    assert_eq!(device.approve_device_login(code), denied(reason));
    assert_eq!(approve(&signed_in(&f, &bob), &started), Ok(()));
}

/// V3: account and approving session are looked at anew when the device fetches.
#[test]
fn what_ended_meanwhile_gives_nothing() {
    for spoilt in ["session", "account", "deleted", "nothing"] {
        let f = Fixture::new();
        let bob = f.user("bob");
        let session = f.session(&bob);
        let started = begin(&f, television());
        approve(&f.acting(session.secret.as_str()), &started).unwrap();
        match spoilt {
            "session" => f.keyplate.revoke_session(&session.session.id).unwrap(),
            "account" => drop(f.keyplate.disable_user(&bob.id).unwrap()),
            "deleted" => f.keyplate.delete_user(&bob.id).unwrap(),
            _ => {}
        }
        let answer = poll(&f, &started).map(|answer| answer.state);
        let expected = match spoilt {
            "nothing" => Ok(DeviceLoginState::Granted),
            "deleted" => Err(KeyplateError::InvalidCredential),
            _ => Ok(DeviceLoginState::Denied),
        };
        assert_eq!(answer, expected, "{spoilt}");
        let again = code(poll(&f, &started));
        assert_eq!(again, ErrorCode::InvalidCredential, "{spoilt}");
    }
}

/// K2, V3: within what the approver has, and of an administrator's only what is named.
#[test]
fn a_device_has_what_was_asked_within_its_approvers() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let (_, _, passkey) = f.person(&ann);
    let anns = f.acting(passkey.secret.as_str());
    let get = |acting, login| {
        let secret = device_session(&f, acting, login);
        let found = f.keyplate.authenticate(&secret).unwrap();
        (found.role, found.scopes.join(" "))
    };
    let told = |role, scopes: &str| (role, scopes.to_owned());
    assert_eq!(get(&anns, television()), told(Role::User, "*"));
    assert_eq!(
        get(&anns, wanting(&["films:watch"])),
        told(Role::User, "films:watch")
    );
    assert_eq!(
        get(&anns, wanting(&["users:read"])),
        told(Role::Administrator, "users:read")
    );
    let seen = begin(&f, wanting(&["users:read"]));
    let seen = anns.inspect_device_login(seen.user_code.as_str()).unwrap();
    assert!(seen.administrator && seen.scopes == ["users:read"]);
    let bobs = signed_in(&f, &bob);
    assert_eq!(
        get(&bobs, wanting(&["users:read"])),
        told(Role::User, "users:read")
    );
    // P5: an administrator's rights want a passkey first.
    let weak = signed_in(&f, &ann);
    let started = begin(&f, wanting(&["users:read"]));
    assert_eq!(code(approve(&weak, &started)), ErrorCode::StepUpRequired);
    // A narrow session approves what is as narrow.
    let narrow = f.key(
        &bob,
        &["one_time_tokens:write", "sessions:write", "films:watch"],
    );
    let own = f.administrator("cleo");
    let by_key = f.key(
        &own,
        &["one_time_tokens:write", "sessions:write", "films:watch"],
    );
    drop(narrow);
    let made = f
        .acting(by_key.secret.as_str())
        .create_one_time_token(&bob.id, None)
        .unwrap();
    let narrow = f
        .stranger()
        .redeem_one_time_token(made.secret.as_str())
        .unwrap();
    let narrow = f.acting(narrow.secret.as_str());
    let (role, scopes) = get(&narrow, television());
    assert_eq!(role, Role::User);
    assert!(
        !scopes.contains('*') && scopes.contains("films:watch"),
        "{scopes}"
    );
    let more = begin(&f, wanting(&["*"]));
    assert_eq!(
        narrow
            .inspect_device_login(more.user_code.as_str())
            .map(drop),
        denied(DenialReason::MoreThanItself)
    );
}

/// K1: the end of the key behind the approver is the device's.
#[test]
fn an_approval_hands_on_the_end_of_a_key() {
    let f = Fixture::new();
    let (ann, bob) = (f.administrator("ann"), f.user("bob"));
    let service = crate::app_passwords::open_service(&f, "books");
    let key = NewApiKey {
        expires_at: Some(f.in_seconds(900)),
        ..new_key(Some(&ann), &["*", "roles:write"])
    };
    let key = f.keyplate.create_api_key(key).unwrap();
    let made = f
        .acting(key.secret.as_str())
        .create_one_time_token(&bob.id, None)
        .unwrap();
    let session = f
        .stranger()
        .redeem_one_time_token(made.secret.as_str())
        .unwrap();
    let acting = f.acting(session.secret.as_str());
    let device = device_session(&f, &acting, television());
    let reader = NewDeviceLogin {
        service: Some(service.slug),
        ..television()
    };
    let started = begin(&f, reader);
    approve(&acting, &started).unwrap();
    let password = poll(&f, &started).unwrap().app_password.unwrap();
    assert_eq!(password.app_password.expires_at, key.api_key.expires_at);
    f.clock.advance(899);
    assert!(f.keyplate.verify_session(&device).is_ok());
    f.clock.advance(1);
    let ended = f.keyplate.verify_session(&device);
    assert_eq!(code(ended), ErrorCode::InvalidCredential);
}

/// C5, D8: what a wrong clock or a restored copy leaves behind.
#[test]
fn requests_end_with_a_reset_and_a_restored_copy() {
    let f = Fixture::on_disk();
    let bob = f.user("bob");
    f.clock.ahead(1_000);
    let ahead = begin(&f, television());
    f.clock.back(1_000);
    let report = f.keyplate.reset_clock().unwrap();
    assert_eq!((report.device_logins, report.app_passwords_kept), (1, 0));
    assert_eq!(code(poll(&f, &ahead)), ErrorCode::InvalidCredential);
    let started = begin(&f, television());
    approve(&signed_in(&f, &bob), &started).unwrap();
    let copy = f.folder.path().join("copy.db");
    f.keyplate.back_up_to(copy.to_str().unwrap()).unwrap();
    let restored = keyplate::Config {
        time_source: Some(f.clock.clone()),
        ..config(&copy)
    };
    let restored = keyplate::Keyplate::open_with_boot_clock(restored, f.clock.clone()).unwrap();
    let stranger = restored.anonymous(client()).unwrap();
    let polled = stranger.poll_device_login(started.device_code.as_str());
    assert_eq!(code(polled), ErrorCode::InvalidCredential);
    assert_eq!(restored.get_statistics().unwrap().device_logins, 0);
    assert_eq!(f.keyplate.get_statistics().unwrap().device_logins, 1);
}
