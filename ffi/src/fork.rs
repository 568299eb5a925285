//! Holds the library still while the process forks (D4).

#[cfg(unix)]
pub(crate) use unix::watch;

/// Nothing to do: the system has no `fork`.
#[cfg(not(unix))]
pub(crate) fn watch() {}

#[cfg(unix)]
mod unix {
    use std::{cell::RefCell, panic::catch_unwind, sync::Once};

    use ::keyplate::ForkGuard;

    thread_local! {
        /// Between the handlers, which all run in the thread that forks; in the child it is the only thread.
        static GUARD: RefCell<Option<ForkGuard>> = const { RefCell::new(None) };
    }

    /// Asks the system to tell us of every `fork` from now on.
    pub(crate) fn watch() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // SAFETY: three functions that live as long as the library; the C library forgets them when it is unloaded.
            unsafe { libc::pthread_atfork(Some(prepare), Some(release), Some(release)) };
        });
    }

    extern "C" fn prepare() {
        // A panic must not cross into C. A thread that forks while it ends has no thread-local storage any more: then
        // there is no guard, and core finds out by itself that it was forked.
        let _ =
            catch_unwind(|| GUARD.try_with(|guard| guard.replace(Some(::keyplate::before_fork()))));
    }

    extern "C" fn release() {
        let _ = GUARD.try_with(RefCell::take);
    }
}
