//! C5: time that expires anything never runs back and never stands still, whatever the clock does.

mod apart;
mod boots;
mod ends;
mod machine;
mod resetting;

use crate::common::*;

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// The clock was ahead while somebody wrote, and was put right.
fn ran_ahead(f: &Fixture, seconds: u64) {
    f.clock.ahead(seconds);
    let users = f.keyplate.get_statistics().unwrap().active_users;
    f.user(&format!("meanwhile{users}"));
    f.clock.back(seconds);
}

/// By the library's time.
fn in_seconds(f: &Fixture, seconds: u64) -> std::time::SystemTime {
    f.keyplate.get_clock_state().unwrap().now + std::time::Duration::from_secs(seconds)
}

/// Wrong codes from one address, until it is told to wait; for how long.
fn guess_until_limited(f: &Fixture) -> u64 {
    for _ in 0..11 {
        let wrong = f.stranger().redeem_one_time_token("0000-0000").unwrap_err();
        if let Some(wait) = wrong.retry_after() {
            return wait.as_secs();
        }
    }
    panic!("nobody was told to wait");
}
