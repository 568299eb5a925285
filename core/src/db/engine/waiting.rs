//! Waiting for another writer, which a face may give up before the time-out: Python must hear of Ctrl-C.

use std::{
    cell::Cell,
    sync::OnceLock,
    time::{Duration, Instant},
};

/// How long somebody waits without giving back what they hold, and does not ask.
pub(super) const ASK_EVERY: Duration = Duration::from_millis(100);

static GIVE_UP: OnceLock<fn() -> bool> = OnceLock::new();

thread_local! {
    static ASKED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Whoever waits for another writer asks `give_up` now and then, in the thread that waits; if it says so, the call fails
/// as `Busy` at once. Only the first function of a process counts.
///
/// For the library's own faces.
pub fn give_up_waiting_if(give_up: fn() -> bool) {
    let _ = GIVE_UP.set(give_up);
}

/// Asks at most every [`ASK_EVERY`].
pub(super) fn is_given_up() -> bool {
    let Some(give_up) = GIVE_UP.get() else {
        return false;
    };
    let now = Instant::now();
    let due = ASKED
        .get()
        .is_none_or(|asked| now.duration_since(asked) >= ASK_EVERY);
    if due {
        ASKED.set(Some(now));
    }
    due && give_up()
}
