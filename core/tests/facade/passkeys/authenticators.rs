//! Authenticators that people have, from their registration to their second sign-in. docs/passkeys.md shows the same table.

use std::{fs, path::Path};

use keyplate::{EventKind, KeyplateError};
use keyplate_testkit::{AttestationSpoil, Backup, Model, Spoil, models};

use crate::common::{passkeys::Person, *};

/// A model's row.
fn row(model: &Model) -> String {
    let authenticator = &model.authenticator;
    let spoil = &model.registration;
    let algorithm = serde_json::to_value(authenticator.algorithm).unwrap();
    let mut flags = flags(authenticator.backup, spoil.backup_state).to_owned();
    if let Some(later) = model.later {
        flags = format!("{flags}, then {}", self::flags(later, None));
    }
    let (registers, signs_in, reason) = outcome(model);
    format!(
        "| {} | {} | {} | {flags} | {} | {registers} | {signs_in} | {reason} |",
        model.name,
        statement(spoil.attestation),
        algorithm.as_str().unwrap(),
        authenticator.transports.join(" "),
    )
}

fn statement(spoil: Option<AttestationSpoil>) -> &'static str {
    use AttestationSpoil as S;
    match spoil {
        None => "none",
        Some(S::Tpm) => "tpm",
        Some(S::SafetyNet) => "android-safetynet",
        Some(S::AndroidKey) => "android-key",
        Some(S::Apple) => "apple",
        Some(S::FidoU2f) => "fido-u2f",
        Some(S::Certified) => "packed",
        Some(S::SelfSigned) => "packed, self",
        Some(other) => panic!("no model has {other:?}"),
    }
}

fn flags(backup: Backup, state: Option<bool>) -> &'static str {
    match (backup, state) {
        (Backup::NotEligible, Some(true)) => "UV BS",
        (Backup::NotEligible, _) => "UV",
        (Backup::Eligible, _) => "UV BE",
        (Backup::BackedUp, _) => "UV BE BS",
    }
}

/// Does it register, does it sign in twice, and why not, or what is noted.
fn outcome(model: &Model) -> (&'static str, &'static str, String) {
    let f = Fixture::new();
    let acting = f.acting(f.session(&f.user("bob")).secret.as_str());
    let mut person = Person::new();
    person.authenticator = model.authenticator.clone();
    let registered = match person.register_spoilt(&acting, &model.registration) {
        Ok(registered) => registered.passkey,
        Err(KeyplateError::PasskeyCeremonyFailed { reason }) => {
            return ("no", "–", format!("`{reason:?}`"));
        }
        Err(error) => panic!("{}: {error}", model.name),
    };
    assert_eq!(registered.transports, model.authenticator.transports);
    for _ in 0..2 {
        if let Some(later) = model.later {
            person.authenticator.credentials[0].backup = later;
        }
        let signed_in = person.log_in_spoilt(&f.stranger(), &Spoil::default());
        assert!(signed_in.is_ok(), "{}: {signed_in:?}", model.name);
    }
    let heard = f.heard.kinds();
    let noted = [
        EventKind::PasskeyBackupEligibilityChanged,
        EventKind::PasskeyCounterWentBack,
    ];
    let noted = noted.iter().filter(|kind| heard.contains(kind));
    let noted: Vec<String> = noted.map(|kind| format!("noted: `{kind:?}`")).collect();
    ("yes", "yes", noted.join(", "))
}

#[test]
fn the_table_of_authenticators_is_what_they_do() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/passkeys.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, table) = text.split_once("| authenticator | statement |").unwrap();
    let shown: Vec<&str> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    let rows: Vec<String> = models().iter().map(row).collect();
    assert_eq!(shown, rows, "the table should be:\n{}", rows.join("\n"));
}
