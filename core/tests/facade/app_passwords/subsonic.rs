//! Subsonic's tokens (W4), against the `md5sum` of the machine.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use keyplate::{Config, ErrorCode, Keyplate, NewAppPassword, NewService, ServiceAccess};

use crate::common::*;

/// As another program computes it.
pub(super) fn md5sum(text: &str) -> String {
    let mut child = Command::new("md5sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap().stdout;
    String::from_utf8(output).unwrap()[..32].to_owned()
}

struct Ground {
    keyplate: Keyplate,
    clock: std::sync::Arc<TestClock>,
    _folder: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        let folder = folder();
        let clock = std::sync::Arc::new(TestClock::at(START));
        let config = Config {
            encryption_key: Some(secret("an encryption key of the test's, 0123456789")),
            time_source: Some(clock.clone()),
            ..config(&folder.path().join("id.db"))
        };
        let keyplate = Keyplate::open_with_boot_clock(config, clock.clone()).unwrap();
        for slug in ["music", "films"] {
            let service = NewService {
                slug: slug.to_owned(),
                access: Some(ServiceAccess::Everyone),
                ..NewService::default()
            };
            keyplate.create_service(service).unwrap();
        }
        for name in ["bob", "eve"] {
            keyplate.create_user(new_user(name)).unwrap();
        }
        Self {
            keyplate,
            clock,
            _folder: folder,
        }
    }

    fn make(&self, recoverable: bool) -> keyplate::CreatedAppPassword {
        let bob = self.keyplate.find_user_by_username("bob").unwrap().unwrap();
        self.keyplate
            .create_app_password(NewAppPassword {
                name: "a player".to_owned(),
                service: Some("music".to_owned()),
                recoverable,
                owner_id: Some(bob.id),
                ..NewAppPassword::default()
            })
            .unwrap()
    }

    fn ask(&self, name: &str, token: &str, salt: &str, service: Option<&str>) -> ErrorCode {
        let service = service.map(str::to_owned);
        let found = self
            .keyplate
            .verify_subsonic_token(name, token, salt, service, client());
        match found {
            Ok(found) => {
                assert_eq!(found.username, "bob");
                ErrorCode::Ok
            }
            Err(error) => error.code(),
        }
    }
}

#[test]
fn a_token_is_the_md5_of_secret_and_salt_in_any_of_four_spellings() {
    let g = Ground::new();
    g.make(true);
    let made = g.make(true);
    let shown = made.secret.reveal();
    let spellings = [
        shown.clone(),
        shown.to_uppercase(),
        shown.replace('-', ""),
        shown.to_uppercase().replace('-', ""),
    ];
    for salt in ["c19b2d", "", "é-ß ✓"] {
        for spelling in &spellings {
            let token = md5sum(&format!("{spelling}{salt}"));
            assert_eq!(g.ask("bob", &token, salt, Some("music")), ErrorCode::Ok);
            let capitals = token.to_uppercase();
            assert_eq!(g.ask("BOB", &capitals, salt, None), ErrorCode::Ok);
            for (name, token, salt, service) in [
                ("eve", token.as_str(), salt, Some("music")),
                ("bob", &token, "another", Some("music")),
                ("bob", &token, salt, Some("films")),
                ("bob", &token[..31], salt, Some("music")),
                ("bob", &format!("{token}0"), salt, Some("music")),
                ("bob", shown.as_str(), salt, Some("music")),
                ("bob", "", salt, Some("music")),
            ] {
                let refused = g.ask(name, token, salt, service);
                assert_eq!(refused, ErrorCode::InvalidCredential);
            }
            g.clock.advance(600);
        }
    }
    let spelling = shown.replace('-', " ");
    let token = md5sum(&format!("{spelling}c19b2d"));
    assert_eq!(
        g.ask("bob", &token, "c19b2d", None),
        ErrorCode::InvalidCredential
    );
    let long = "x".repeat(257);
    assert_eq!(g.ask("bob", &token, &long, None), ErrorCode::InvalidInput);
}

#[test]
fn only_what_was_made_for_it_and_until_it_is_revoked() {
    let g = Ground::new();
    let (plain, made) = (g.make(false), g.make(true));
    let token = |secret: &keyplate::Secret| md5sum(&format!("{}salt", secret.as_str()));
    let ask = |token: &str| g.ask("bob", token, "salt", Some("music"));
    assert_eq!(ask(&token(&plain.secret)), ErrorCode::InvalidCredential);
    assert_eq!(ask(&token(&made.secret)), ErrorCode::Ok);
    // W2: wrong ones are limited, and the right one passes.
    for _ in 0..25 {
        ask(&md5sum("wrong"));
    }
    assert_eq!(ask(&md5sum("wrong")), ErrorCode::RateLimited);
    assert_eq!(ask(&token(&made.secret)), ErrorCode::Ok);
    g.clock.advance(5);
    let bob = g.keyplate.find_user_by_username("bob").unwrap().unwrap();
    g.keyplate.disable_user(&bob.id).unwrap();
    assert_eq!(ask(&token(&made.secret)), ErrorCode::AccountDisabled);
    g.keyplate.enable_user(&bob.id).unwrap();
    assert!(made.app_password.is_recoverable && !plain.app_password.is_recoverable);
    g.keyplate
        .revoke_app_password(&made.app_password.id)
        .unwrap();
    g.clock.advance(600);
    assert_eq!(ask(&token(&made.secret)), ErrorCode::InvalidCredential);
}

#[test]
fn a_user_has_twenty_of_them_at_most() {
    let g = Ground::new();
    for _ in 0..20 {
        g.make(true);
    }
    let bob = g.keyplate.find_user_by_username("bob").unwrap().unwrap();
    let one_more = g.keyplate.create_app_password(NewAppPassword {
        name: "a player".to_owned(),
        service: Some("music".to_owned()),
        recoverable: true,
        owner_id: Some(bob.id),
        ..NewAppPassword::default()
    });
    let refused = (ErrorCode::InvalidInput, Some("recoverable".to_owned()));
    assert_eq!(refusal(one_more), refused);
}
