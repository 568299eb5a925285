//! Schema 6: what is made by a key is bound by its end (K1), in files from before that was stored too.

use keyplate::{ErrorCode, Expiry, KeyRotation, Keyplate, Role, User};

use super::{SCHEMA_3, upgraded};
use crate::common::*;

/// A file of schema 3 in which Ann's keys and Bob's sessions are as these statements make them.
fn with(statements: &str) -> (tempfile::TempDir, Keyplate, User) {
    let folder = tempfile::tempdir().unwrap();
    let fixture = format!("{SCHEMA_3}\n{statements}");
    let keyplate = upgraded(folder.path(), &fixture, 3);
    let ann = keyplate.find_user_by_username("Ann").unwrap().unwrap();
    assert_eq!(ann.role, Role::Administrator);
    (folder, keyplate, ann)
}

/// The second is that from before the rotation of the first; both worked for a day, whatever the key's end.
#[test]
fn an_overlap_of_an_older_file_ends_with_its_key() {
    let end = (START + 30) * 1_000;
    let (_folder, keyplate, _) = with(&format!(
        "UPDATE api_keys SET expires_at = {end}
         WHERE id IN (SELECT api_key_id FROM api_key_overlaps);"
    ));
    let [.., rotated, old] = super::KEYS_OF_SCHEMA_3;
    let keys = keyplate.list_api_keys(Default::default()).unwrap().items;
    let ended = keys.iter().find(|key| key.expires_at.is_some()).unwrap();
    for secret in [rotated, old] {
        assert_eq!(
            code(keyplate.verify_api_key(secret)),
            ErrorCode::InvalidCredential
        );
    }
    keyplate.renew_api_key(&ended.id, Expiry::Never).unwrap();
    let works = [rotated, old].map(|secret| keyplate.verify_api_key(secret).is_ok());
    assert_eq!(works.iter().filter(|works| **works).count(), 1, "{works:?}");
}

/// Which key made it is not known, nor its end: the session hands on its own, as it did before.
#[test]
fn the_session_of_a_weak_keys_code_stays_bound() {
    let (_, session) = super::SESSIONS_OF_SCHEMA_3[1];
    let all = "UPDATE sessions SET method = 'one_time_token'";
    for (scopes, bound) in [
        ("keys:write library:stream", true),
        ("* roles:write", false),
    ] {
        let (_folder, keyplate, _) = with(&format!("{all}, ceiling_scopes = '{scopes}';"));
        let found = keyplate.verify_session(session).unwrap();
        let acting = keyplate.acting_as(&found.principal, client()).unwrap();
        let endless = acting.create_api_key(new_key(None, &["library:stream"]));
        match bound {
            true => assert_eq!(code(endless), ErrorCode::PermissionDenied),
            false => assert!(endless.is_ok()),
        }
        let within = keyplate::NewApiKey {
            expires_at: found.expires_at,
            ..new_key(None, &["library:stream"])
        };
        assert!(acting.create_api_key(within).is_ok());
    }
}

/// Nobody knows what older keys were made by: each may rotate the others, and none itself.
#[test]
fn older_keys_rotate_each_other_and_not_themselves() {
    let (_folder, keyplate, ann) = with("UPDATE api_keys SET scopes = '* roles:write';");
    let keys = keyplate.list_api_keys(Default::default()).unwrap().items;
    let own: Vec<_> = keys.iter().filter(|key| key.owner_id == ann.id).collect();
    let found = keyplate.verify_api_key(super::KEYS_OF_SCHEMA_3[0]).unwrap();
    let acting = keyplate.acting_as(&found.principal, client()).unwrap();
    for key in own {
        let rotated = acting.rotate_api_key(&key.id, KeyRotation::default());
        let is_itself = found.api_key_id == Some(key.id);
        assert_eq!(rotated.is_err(), is_itself, "{rotated:?}");
    }
}
