//! The keys that sign: rotation, sealing, and who makes the first.

use std::{sync::Arc, thread};

use keyplate::{Config, ErrorCode, EventKind, Keyplate, KeyplateError, Secret};
use ring::signature::Ed25519KeyPair;
use serde_json::Value;

use super::{films, part};
use crate::common::*;

#[test]
fn rotation_overlaps() {
    let films = films();
    let f = &films.f;
    let ids = || {
        let jwks: Value = serde_json::from_str(&f.keyplate.get_jwks().unwrap().json).unwrap();
        let keys = jwks["keys"].as_array().unwrap().clone();
        keys.iter()
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let before = films.issue();
    let first = ids();
    let second = f.keyplate.rotate_signing_key(None).unwrap().key_id;
    assert_eq!(ids(), [second.clone(), first[0].clone()]);
    films.verify(before.secret.as_str()).unwrap();
    let after = films.issue();
    assert_eq!(part(after.secret.as_str(), 0)["kid"], second);
    let kept: i64 = raw(&f.path())
        .query_row(
            "SELECT count(*) FROM signing_keys WHERE private_key IS NOT NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(kept, 1, "the former private half is gone");
    f.clock.advance(3_600);
    assert_eq!(ids(), [second]);
    f.keyplate.rotate_signing_key(Some(7 * 24 * 3_600)).unwrap();
    assert_eq!(ids().len(), 2);
    let former = films.issue();
    f.keyplate.rotate_signing_key(Some(10)).unwrap();
    f.clock.advance(9);
    films.verify(former.secret.as_str()).unwrap();
    f.clock.advance(1);
    assert!(films.verify(former.secret.as_str()).is_err());
    // An end at once holds for those before too.
    f.keyplate.rotate_signing_key(Some(0)).unwrap();
    assert_eq!(ids().len(), 1);
    let refused = f
        .keyplate
        .rotate_signing_key(Some(7 * 24 * 3_600 + 1))
        .unwrap_err();
    assert_eq!(refused.field().as_deref(), Some("overlap_seconds"));
    let session = f.session(&films.member);
    assert_eq!(
        code(f.acting(session.secret.as_str()).rotate_signing_key(None)),
        ErrorCode::PermissionDenied
    );
    let made = f.heard.kinds();
    let count = |kind| made.iter().filter(|&&other| other == kind).count();
    assert_eq!(count(EventKind::SigningKeyCreated), 1);
    assert_eq!(count(EventKind::SigningKeyRotated), 4);
}

#[test]
fn the_key_is_sealed_when_there_is_an_encryption_key() {
    let films = films();
    let path = films.f.path();
    let open = |key: Option<&str>| {
        Keyplate::open(Config {
            encryption_key: key.map(|key| Arc::new(Secret::new(key.repeat(32)))),
            time_source: Some(films.f.clock.clone()),
            ..config(&path)
        })
        .unwrap()
    };
    let sealed = || -> (bool, Vec<u8>) {
        raw(&path)
            .query_row(
                "SELECT is_sealed, private_key FROM signing_keys WHERE ends_at IS NULL",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap()
    };
    let issue = |keyplate: &Keyplate| keyplate.issue_access_token(&films.session(), "films", None);

    let plain = films.issue();
    assert!(!sealed().0);
    // A key that lay open is not sealed but replaced.
    let (right, wrong) = (open(Some("a")), open(Some("b")));
    let token = issue(&right).unwrap();
    let (is_sealed, private) = sealed();
    assert!(is_sealed && Ed25519KeyPair::from_pkcs8(&private).is_err());
    right
        .verify_access_token(plain.secret.as_str(), "films")
        .unwrap();

    // With another key, or none, tokens alone stop; and they are still verified.
    for other in [&wrong, &films.f.keyplate] {
        let refused = issue(other).unwrap_err();
        assert!(
            matches!(&refused, KeyplateError::Configuration { option, .. } if option == "encryption_key")
        );
        other
            .verify_access_token(token.secret.as_str(), "films")
            .unwrap();
        other.get_jwks().unwrap();
    }
    assert!(issue(&right).is_ok());
    // What is sealed does not come to lie open by a command that has no key.
    let refused = films.f.keyplate.rotate_signing_key(None).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Configuration);
    wrong.rotate_signing_key(None).unwrap();
    assert!(sealed().0);
    assert!(issue(&wrong).is_ok() && issue(&right).is_err());
}

#[test]
fn of_many_who_ask_first_one_makes_the_key() {
    let films = films();
    let path = films.f.path();
    thread::scope(|scope| {
        for _ in 0..8 {
            let keyplate = films.f.open_again();
            scope.spawn(move || keyplate.get_jwks().unwrap());
        }
    });
    let keys: i64 = raw(&path)
        .query_row("SELECT count(*) FROM signing_keys", [], |row| row.get(0))
        .unwrap();
    assert_eq!(keys, 1);
}
