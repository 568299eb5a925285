//! The end of the process. A thread that comes back from the library when Python has begun to take itself down is ended by
//! Python in the middle of our frames, which aborts the process (seen up to Python 3.13). So before that the package asks,
//! by `atexit`, that nobody is on the way back, and nobody sets out any more but the thread that ends everything.

use std::{
    cell::Cell,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use pyo3::prelude::*;

/// How long calls that are under way are waited for. Whoever takes longer stays where they are until the process is gone.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct State {
    under_way: usize,
    /// The thread that takes Python down.
    ending: Option<ThreadId>,
    /// Nobody waits for anybody any more.
    over: bool,
}

static STATE: Mutex<State> = Mutex::new(State {
    under_way: 0,
    ending: None,
    over: false,
});
static CAME_BACK: Condvar = Condvar::new();

thread_local! {
    /// How many calls this thread is in: a function of the host's may call the library.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn is_for_others(&self) -> bool {
        self.ending
            .is_some_and(|thread| thread != thread::current().id())
    }
}

/// A call, from before it gives up the GIL until its result is made: that runs code of Python's, too.
#[derive(Debug)]
pub(crate) struct UnderWay(());

impl UnderWay {
    /// A thread that Python does not wait for, and that comes when everything ends, goes no further: Python would end it at
    /// its next step. One that is under way already, and is waited for, goes on.
    pub(crate) fn begin(py: Python<'_>) -> Self {
        let depth = DEPTH.get();
        let mut state = state();
        if depth == 0 && state.is_for_others() {
            drop(state);
            py.detach(stay);
        } else {
            state.under_way += 1;
        }
        DEPTH.set(depth + 1);
        Self(())
    }

    /// The last thing that a call does without the GIL.
    pub(crate) fn before_return(&self) {
        let state = state();
        let never = state.over && state.is_for_others();
        drop(state);
        if never {
            stay();
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get().saturating_sub(1));
        let mut state = state();
        // A child that was forked in a call of its own begins at nought.
        state.under_way = state.under_way.saturating_sub(1);
        drop(state);
        CAME_BACK.notify_all();
    }
}

/// Until the process is gone.
fn stay() {
    loop {
        thread::park();
    }
}

/// Are functions of the host's still called in this thread?
pub(crate) fn hears() -> bool {
    !state().is_for_others()
}

/// From now on only this thread calls and hears; the others' calls are waited for.
#[pyfunction]
pub(crate) fn _at_exit(py: Python<'_>) {
    state().ending = Some(thread::current().id());
    py.detach(|| {
        let deadline = Instant::now() + PATIENCE;
        let mut state = state();
        while state.under_way > 0 {
            let patience = deadline.saturating_duration_since(Instant::now());
            if patience.is_zero() {
                break;
            }
            state = CAME_BACK
                .wait_timeout(state, patience)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state.over = true;
    });
}

/// In a child of `fork` no other thread is left, and none is under way.
pub(crate) fn forget_others() {
    let mut state = state();
    state.under_way = 0;
    state.ending = None;
}
