//! Restarts, other boots, several processes: from what time goes on.

use std::{sync::Arc, time::Duration};

use keyplate::{Config, Keyplate};

use super::*;

fn now(keyplate: &Keyplate) -> std::time::SystemTime {
    keyplate.get_clock_state().unwrap().now
}

fn stored(f: &Fixture) -> (i64, Option<String>, Option<i64>) {
    let sql = "SELECT last_time, boot_id, boot_millis FROM instance";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    raw(&f.path()).query_row(sql, [], row).unwrap()
}

#[test]
fn a_commit_stores_time_and_boot() {
    let f = Fixture::new();
    f.clock.advance(7);
    f.user("ann");
    let expected = (
        (START + 7) as i64 * 1_000,
        Some("boot 1".into()),
        Some(1_007_000),
    );
    assert_eq!(stored(&f), expected);
    // Neither what is read nor what is refused does.
    f.clock.advance(1);
    f.keyplate.get_settings().unwrap();
    assert!(f.keyplate.create_user(new_user("ann")).is_err());
    assert_eq!(stored(&f), expected);
}

#[test]
fn the_first_to_open_in_a_new_boot_stores_it() {
    let f = Fixture::new();
    ran_ahead(&f, 20 * HOUR);
    f.clock.advance(100);
    f.user("ann");
    let before = now(&f.keyplate);
    f.clock.reboot();
    // How long it was off only the clock can know, and that is behind.
    let again = f.open_again();
    let expected = (START + 20 * HOUR + 100) as i64 * 1_000;
    let boot = (expected, Some("boot 2".to_owned()), Some(10_000));
    assert_eq!(stored(&f), boot);
    assert_eq!(now(&again), before);
    f.clock.advance(5);
    assert_eq!(now(&again), before + Duration::from_secs(5));
    // The second finds it done.
    let third = f.open_again();
    assert_eq!(stored(&f), boot);
    assert_eq!(now(&third), before + Duration::from_secs(5));
}

#[test]
fn in_a_new_boot_the_clock_counts_if_it_is_later() {
    let f = Fixture::new();
    f.user("ann");
    f.clock.reboot();
    f.clock.ahead(DAY);
    let again = f.open_again();
    assert_eq!(now(&again), f.now());
    assert_eq!(stored(&f).0, (START + DAY) as i64 * 1_000);
}

/// What `open` could not store goes on in memory.
#[test]
fn a_handle_that_sees_another_boot_goes_on_from_there() {
    let f = Fixture::new();
    ran_ahead(&f, 20 * HOUR);
    let later = |seconds| {
        std::time::UNIX_EPOCH
            + Duration::from_secs(START + 20 * HOUR)
            + Duration::from_secs(seconds)
    };
    // Somebody wrote whose boot-time clock is not comparable.
    raw(&f.path())
        .execute(
            "UPDATE instance SET boot_id = 'elsewhere', boot_millis = 1",
            [],
        )
        .unwrap();
    assert_eq!(now(&f.keyplate), later(0));
    f.clock.advance(30);
    assert_eq!(now(&f.keyplate), later(30));
    let ann = f.user("ann");
    assert_eq!(ann.created_at, later(30));
    assert_eq!(stored(&f).1.as_deref(), Some("boot 1"));
    f.clock.advance(30);
    assert_eq!(now(&f.keyplate), later(60));
}

/// A machine that goes on from a checkpoint has the name of its boot and an earlier boot-time clock.
#[test]
fn a_boot_time_that_went_back_is_another_boot() {
    let f = Fixture::new();
    ran_ahead(&f, 20 * HOUR);
    f.clock.advance(600);
    f.user("ann");
    let before = now(&f.keyplate);
    f.clock.restore(1_000);
    assert_eq!(now(&f.keyplate), before);
    f.clock.advance(10);
    assert_eq!(now(&f.keyplate), before + Duration::from_secs(10));
    f.user("bob");
    f.clock.advance(10);
    assert_eq!(now(&f.keyplate), before + Duration::from_secs(20));
    f.clock.restore(1_000);
    // From what was stored: nobody knows more.
    let again = f.open_again();
    assert_eq!(now(&again), before + Duration::from_secs(10));
}

/// One has another boot: each goes on from what the other stored, and time runs away for neither.
#[test]
fn two_whose_boots_differ_do_not_drive_time_ahead() {
    let f = Fixture::new();
    let other = Arc::new(TestClock::at(START));
    other.reboot();
    other.suspend(DAY); // its boot-time clock is far ahead of the first one's
    let second = Keyplate::open_with_boot_clock(
        Config {
            time_source: Some(f.clock.clone()),
            ..config(&f.path())
        },
        other.clone(),
    )
    .unwrap();
    for number in 0..20 {
        f.clock.advance(10);
        other.suspend(10);
        let keyplate = if number % 2 == 0 {
            &f.keyplate
        } else {
            &second
        };
        let name = format!("user{number}");
        let made = keyplate.create_user(new_user(&name)).unwrap();
        assert_eq!(made.created_at, f.now(), "{number}");
    }
}

/// Between two commits as well: what was seen a moment ago is not undone by setting the clock back.
#[test]
fn a_clock_that_is_set_back_between_commits_undoes_nothing() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let code_for_her = f.keyplate.create_one_time_token(&ann.id, Some(60)).unwrap();
    f.clock.advance(100);
    f.clock.back(90); // still later than the last commit
    let redeemed = f
        .stranger()
        .redeem_one_time_token(code_for_her.secret.as_str());
    assert_eq!(code(redeemed), keyplate::ErrorCode::InvalidCredential);
}

/// A clock that stood in the year 9999 leaves a time that nothing is later than. It can be mended.
#[test]
fn the_end_of_time_can_be_left() {
    let f = Fixture::new();
    let ann = f.user("ann");
    f.clock.set(253_402_300_799);
    f.user("bob");
    f.clock.set(START);
    f.clock.advance(10);
    let made = f.keyplate.create_one_time_token(&ann.id, Some(60)).unwrap();
    assert!(f.keyplate.get_clock_state().unwrap().access_tokens_stopped);
    let redeemed = f.stranger().redeem_one_time_token(made.secret.as_str());
    assert_eq!(code(redeemed), keyplate::ErrorCode::InvalidCredential);
    let report = f.keyplate.reset_clock().unwrap();
    assert!(report.behind_seconds > 200_000_000_000);
    assert_eq!(now(&f.keyplate), f.now());
    let made = f.keyplate.create_one_time_token(&ann.id, Some(60)).unwrap();
    let redeemed = f.stranger().redeem_one_time_token(made.secret.as_str());
    assert!(redeemed.is_ok());
}
