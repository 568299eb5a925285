//! The walk by devices (V3, V5): the session of a device that somebody approved, with all that it could be given, and that
//! of a link, call every method. Afterwards there is no credential that was not there before.

use std::collections::BTreeSet;

use keyplate::{DenialReason, KeyplateError, NewDeviceLogin, Role};

use super::{calls::call, methods, world::World};
use crate::common::*;

/// Whatever lets somebody in, by its secret.
fn credentials(w: &World) -> BTreeSet<String> {
    let connection = raw(&w.f.path());
    let mut statement = connection
        .prepare(
            "SELECT 'key ' || hex(secret_hash) FROM api_keys
             UNION ALL SELECT 'overlap ' || hex(secret_hash) FROM api_key_overlaps
             UNION ALL SELECT 'session ' || hex(secret_hash) FROM sessions
             UNION ALL SELECT 'app password ' || hex(secret_hash) FROM app_passwords
             UNION ALL SELECT 'code ' || hex(secret_hash) FROM one_time_tokens
             UNION ALL SELECT 'invitation ' || hex(secret_hash) FROM signup_tokens
             UNION ALL SELECT 'setup ' || hex(secret_hash) FROM setup_tokens
             UNION ALL SELECT 'passkey ' || hex(credential_id) FROM passkeys
             UNION ALL SELECT 'approved ' || hex(device_hash) FROM device_logins WHERE state = 'approved'
             UNION ALL SELECT 'link ' || hex(secret_hash) FROM device_links
             UNION ALL SELECT 'longer ' || id || expires_at FROM api_keys WHERE expires_at IS NOT NULL
             UNION ALL SELECT 'fresh ' || id || stepped_up_at FROM sessions WHERE stepped_up_at IS NOT NULL
             UNION ALL SELECT 'administrator ' || id FROM users WHERE role = 'administrator'
             UNION ALL SELECT 'ceremony ' || hex(token_hash) FROM ceremonies WHERE user_id IS NOT NULL",
        )
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// A device of the owner's with everything that can be named; an administrator has stepped up for that.
fn device(w: &World) -> String {
    let (_, _, session) = w.f.person(&w.owner);
    let acting = w.f.acting(session.secret.as_str());
    let login = NewDeviceLogin {
        scopes: vec!["*".to_owned(), "roles:write".to_owned()],
        ..NewDeviceLogin::default()
    };
    let stranger = w.f.stranger();
    let started = stranger.begin_device_login(login).unwrap();
    let code = started.user_code.as_str();
    acting.inspect_device_login(code).unwrap();
    acting.approve_device_login(code).unwrap();
    let answer = stranger.poll_device_login(started.device_code.as_str());
    answer.unwrap().signed_in.unwrap().secret.reveal()
}

fn link(w: &World) -> String {
    let (_, _, session) = w.f.person(&w.owner);
    let made = w.f.acting(session.secret.as_str()).create_device_link();
    let redeemed =
        w.f.stranger()
            .redeem_one_time_token(made.unwrap().secret.as_str());
    redeemed.unwrap().secret.reveal()
}

#[test]
fn a_device_makes_no_credential() {
    let mut allowed = 0;
    for role in [Role::Administrator, Role::User] {
        for (what, credential) in [("device", device as fn(&World) -> String), ("link", link)] {
            for (method, authority) in methods() {
                // What anybody may do, a stranger with the same arguments does too.
                if authority == "anyone" {
                    continue;
                }
                let mut w = World::new(role, "*", method);
                let secret = credential(&w);
                w.found = w.f.keyplate.authenticate(&secret).unwrap();
                w.weak = w.f.acting(&secret);
                let before = credentials(&w);
                let refusals = call(method, &w);
                let after = credentials(&w);
                let mut made: Vec<_> = after.difference(&before).collect();
                // V5: a link's session begins to register its one passkey.
                if what == "link" && method.ends_with("passkey_registration") {
                    made.retain(|made| !made.starts_with("ceremony "));
                }
                assert!(made.is_empty(), "{role:?} {what} {method}: {made:?}");
                allowed += usize::from(refusals.is_empty());
            }
        }
    }
    assert!(allowed > 60, "the walk was refused everywhere: {allowed}");
}

/// V3: and it is told why.
#[test]
fn a_device_is_told_why() {
    let w = World::new(Role::Administrator, "*", "");
    let acting = w.f.acting(&device(&w));
    let reason = DenialReason::DeviceSession;
    let refused = Err(KeyplateError::PermissionDenied { reason });
    let key = acting.create_api_key(new_key(None, &["films:watch"]));
    assert_eq!(key.map(drop), refused);
    assert_eq!(acting.begin_passkey_registration().map(drop), refused);
    assert_eq!(acting.begin_step_up().map(drop), refused);
    let renaming = keyplate::UserChanges {
        email: Some("other@x.example".to_owned()),
        ..Default::default()
    };
    assert_eq!(acting.update_user(&w.owner.id, renaming).map(drop), refused);
}
