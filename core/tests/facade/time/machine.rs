//! By the machine's own boot-time clock, as every host has it: these tests wait.

use std::{
    io::{BufRead, BufReader},
    sync::Arc,
    thread,
    time::{Duration, SystemTime},
};

use keyplate::{Config, ErrorCode, Keyplate, TimeSource};

use super::HOUR;
use crate::common::{
    process::{job, said_in, say, start},
    *,
};

/// A database by the real clocks, in which somebody wrote while the clock was 20 hours ahead.
fn behind(folder: &tempfile::TempDir) -> Keyplate {
    let path = folder.path().join("id.db");
    let keyplate = Keyplate::open(config(&path)).unwrap();
    let sql = format!(
        "UPDATE instance SET last_time = last_time + {}",
        20 * HOUR * 1_000
    );
    assert_eq!(raw(&path).execute(&sql, []).unwrap(), 1);
    keyplate
}

fn wait(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
}

/// The job of another process: tells at each line when a code that it makes has ended, and whether it takes another's.
#[test]
fn worker() {
    let Some((job, keyplate)) = job() else { return };
    let stranger = keyplate.anonymous(client()).unwrap();
    assert!(stranger.redeem_one_time_token(&job).is_ok());
    say("taken");
    let ann = keyplate.find_user_by_username("ann").unwrap().unwrap();
    let made = keyplate.create_one_time_token(&ann.id, Some(1)).unwrap();
    say(made.secret.as_str());
    wait(1_100);
    let late = stranger.redeem_one_time_token(made.secret.as_str());
    assert_eq!(code(late), ErrorCode::InvalidCredential);
    say("ended");
}

#[test]
fn after_a_clock_that_ran_ahead_time_goes_on() {
    let folder = folder();
    let keyplate = behind(&folder);
    let ann = keyplate.create_user(new_user("ann")).unwrap();
    let soon = keyplate.create_one_time_token(&ann.id, Some(1)).unwrap();
    let session = keyplate.create_session(&ann.id, client(), Some(1));
    let session = session.unwrap().secret;
    assert!(keyplate.verify_session(session.as_str()).is_ok());
    wait(1_100);
    let stranger = keyplate.anonymous(client()).unwrap();
    let redeemed = stranger.redeem_one_time_token(soon.secret.as_str());
    assert_eq!(code(redeemed), ErrorCode::InvalidCredential);
    let verified = keyplate.verify_session(session.as_str());
    assert_eq!(code(verified), ErrorCode::InvalidCredential);
    let state = keyplate.get_clock_state().unwrap();
    assert!(state.access_tokens_stopped);
    let off = state.behind_seconds - 20 * HOUR as i64;
    assert!((-2..=0).contains(&off), "{state:?}");
}

/// The other process has the same boot: it goes on by the same clock, and after a restart so does the next.
#[test]
fn other_processes_go_by_the_same_time() {
    let folder = folder();
    let path = folder.path().join("id.db");
    let keyplate = behind(&folder);
    let ann = keyplate.create_user(new_user("ann")).unwrap();
    for _restart in 0..2 {
        let for_child = keyplate.create_one_time_token(&ann.id, Some(5)).unwrap();
        let mut child = start(worker, for_child.secret.as_str(), &path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || lines.find_map(|line| said_in(&line.ok()?)).unwrap();
        assert_eq!(line(), "taken");
        let made_there = line();
        assert_eq!(line(), "ended");
        let stranger = keyplate.anonymous(client()).unwrap();
        let late = stranger.redeem_one_time_token(&made_there);
        assert_eq!(code(late), ErrorCode::InvalidCredential);
        assert!(child.wait().unwrap().success());
    }
    let behind = keyplate.get_clock_state().unwrap().behind_seconds;
    assert!((behind - 20 * HOUR as i64).abs() <= 1, "{behind}");
}

/// A host that tells the time itself, beside one that does not: the time of the host's is 20 hours behind from the
/// beginning, and it stands still besides.
#[test]
fn a_time_source_that_stands_still_behind_ends_things_too() {
    let folder = folder();
    let path = folder.path().join("id.db");
    let by_the_machine = Keyplate::open(config(&path)).unwrap();
    let ann = by_the_machine.create_user(new_user("ann")).unwrap();
    let now = by_the_machine.get_clock_state().unwrap().clock;
    let source = Arc::new(TestClock::at(
        now.duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_secs()
            - 20 * HOUR,
    ));
    let told = Keyplate::open(Config {
        time_source: Some(source),
        ..config(&path)
    })
    .unwrap();
    let soon = told.create_one_time_token(&ann.id, Some(1)).unwrap();
    let state = told.get_clock_state().unwrap();
    assert!((20 * HOUR as i64 - 2..=20 * HOUR as i64 + 2).contains(&state.behind_seconds));
    assert_eq!(by_the_machine.get_clock_state().unwrap().behind_seconds, 0);
    wait(1_100);
    for keyplate in [&told, &by_the_machine] {
        let stranger = keyplate.anonymous(client()).unwrap();
        let late = stranger.redeem_one_time_token(soon.secret.as_str());
        assert_eq!(code(late), ErrorCode::InvalidCredential);
    }
}

/// A host's time source may stand still for a moment, as in its own tests: what it says is what is stored.
#[test]
fn a_time_source_that_stands_still_is_taken_at_its_word() {
    let folder = folder();
    let clock = Arc::new(TestClock::at(START));
    let keyplate = Keyplate::open(Config {
        time_source: Some(clock.clone()),
        ..config(&folder.path().join("id.db"))
    })
    .unwrap();
    wait(50);
    let ann = keyplate.create_user(new_user("ann")).unwrap();
    assert_eq!(ann.created_at, clock.now());
    clock.advance(1);
    wait(50);
    let bob = keyplate.create_user(new_user("bob")).unwrap();
    assert_eq!(bob.created_at, clock.now());
    assert_eq!(keyplate.get_clock_state().unwrap().behind_seconds, 0);
}
