//! P3: password managers change the flag of backup eligibility when a passkey moves into one.

use keyplate::{
    AuditQuery, BackupEligibilityPolicy, EventKind, Passkey, PasskeyFailure, SettingsChanges,
};
use keyplate_testkit::{Backup, Spoil};

use crate::common::{
    passkeys::{Person, reason},
    *,
};

fn only(f: &Fixture) -> Passkey {
    f.keyplate.list_passkeys(None).unwrap().remove(0)
}

fn flags(passkey: &Passkey) -> (bool, bool) {
    (passkey.backup_eligible, passkey.backup_state)
}

fn set_backup(person: &mut Person, backup: Backup) {
    person.authenticator.credentials[0].backup = backup;
}

/// The details of each row about it, the oldest first.
fn noted(f: &Fixture) -> Vec<(String, String)> {
    let query = AuditQuery {
        kind: Some(EventKind::PasskeyBackupEligibilityChanged),
        ..AuditQuery::default()
    };
    let mut rows = f.keyplate.list_audit_events(query).unwrap().items;
    rows.sort_by_key(|row| row.at);
    let details = rows.into_iter().map(|row| {
        let text = |name: &str| {
            let mut details = row.details.iter();
            let detail = details.find(|detail| detail.name == name).unwrap();
            detail.value.clone()
        };
        (text("before"), text("now"))
    });
    details.collect()
}

#[test]
fn it_may_change_both_ways_and_is_recorded() {
    let f = Fixture::new();
    let (mut bob, passkey, session) = f.person(&f.user("bob"));
    assert_eq!(flags(&passkey), (false, false));
    assert_eq!(passkey.backup_eligibility_changed_at, None);
    bob.log_in(&f.stranger()).unwrap();
    assert_eq!(only(&f).backup_eligibility_changed_at, None);

    // Into a password manager, at a sign-in.
    f.clock.advance(10);
    set_backup(&mut bob, Backup::BackedUp);
    bob.log_in(&f.stranger()).unwrap();
    assert_eq!(flags(&only(&f)), (true, true));
    assert_eq!(only(&f).backup_eligibility_changed_at, Some(f.now()));
    let first = f.now();

    // From then on that is what it is.
    f.clock.advance(10);
    bob.log_in(&f.stranger()).unwrap();
    assert_eq!(only(&f).backup_eligibility_changed_at, Some(first));
    set_backup(&mut bob, Backup::Eligible);
    bob.log_in(&f.stranger()).unwrap();
    assert_eq!(flags(&only(&f)), (true, false));
    assert_eq!(only(&f).backup_eligibility_changed_at, Some(first));

    // And out of it, backed up as it was, at a step-up.
    set_backup(&mut bob, Backup::BackedUp);
    bob.log_in(&f.stranger()).unwrap();
    f.clock.advance(10);
    set_backup(&mut bob, Backup::NotEligible);
    bob.step_up(&f.acting(session.secret.as_str())).unwrap();
    assert_eq!(flags(&only(&f)), (false, false));
    assert_eq!(only(&f).backup_eligibility_changed_at, Some(f.now()));

    let both = [("false", "true"), ("true", "false")];
    assert_eq!(noted(&f), both.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let heard = f.heard.kinds();
    let heard = heard
        .iter()
        .filter(|kind| **kind == EventKind::PasskeyBackupEligibilityChanged);
    assert_eq!(heard.count(), 2);
}

#[test]
fn it_is_refused_on_demand() {
    let f = Fixture::new();
    let (mut bob, _, session) = f.person(&f.user("bob"));
    let settings = f.keyplate.get_settings().unwrap();
    assert_eq!(
        settings.backup_eligibility_policy,
        BackupEligibilityPolicy::Record
    );
    let settings = f
        .keyplate
        .update_settings(SettingsChanges {
            backup_eligibility_policy: Some(BackupEligibilityPolicy::Deny),
            ..SettingsChanges::default()
        })
        .unwrap();
    assert_eq!(
        settings.backup_eligibility_policy,
        BackupEligibilityPolicy::Deny
    );

    f.clock.advance(10);
    let before = only(&f);
    set_backup(&mut bob, Backup::BackedUp);
    let refused = PasskeyFailure::BackupEligibilityChanged;
    assert_eq!(reason(bob.log_in(&f.stranger())), refused);
    assert_eq!(only(&f).backup_eligibility_changed_at, Some(f.now()));
    assert_eq!(flags(&only(&f)), (false, false), "what it was stays");
    assert_eq!(only(&f).last_used_at, before.last_used_at);
    f.clock.advance(10);
    let step_up = bob.step_up(&f.acting(session.secret.as_str()));
    assert_eq!(reason(step_up), refused);
    assert!(f.keyplate.verify_session(session.secret.as_str()).is_ok());
    assert_eq!(noted(&f).len(), 2);

    // What is as it was registered is not touched by it.
    set_backup(&mut bob, Backup::NotEligible);
    bob.log_in(&f.stranger()).unwrap();
}

#[test]
fn a_backup_without_eligibility_stays_refused() {
    let f = Fixture::new();
    for (name, backup) in [("bob", Backup::NotEligible), ("cid", Backup::BackedUp)] {
        let mut person = Person::new();
        person.authenticator.backup = backup;
        let session = f.session(&f.user(name));
        person.register(&f.acting(session.secret.as_str())).unwrap();
        let spoil = Spoil {
            backup_eligible: Some(false),
            backup_state: Some(true),
            ..Spoil::default()
        };
        let result = person.log_in_spoilt(&f.stranger(), &spoil);
        assert_eq!(reason(result), PasskeyFailure::WrongBackupFlags, "{name}");
    }
    assert_eq!(noted(&f), []);
}
