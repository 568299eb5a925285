//! What `fork` needs (D4): nobody is inside SQLite at that moment, and a child begins with connections of its own.

use std::{
    fs::Metadata,
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
        TryLockResult, Weak,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use super::{Sqlite, index};
use crate::error::{KeyplateError, Result};

/// Every call holds this shared while it uses a connection; `before_fork` holds it alone.
static IN_USE: RwLock<()> = RwLock::new(());
/// All open engines: SQLite keeps its locks by file, so a child closes what it inherited of every one.
static ENGINES: Mutex<Vec<Weak<Sqlite>>> = Mutex::new(Vec::new());
/// The process that `ENGINES` was last looked through for.
static PROCESS: AtomicU32 = AtomicU32::new(0);
/// How many hooks wait for calls to end.
static WANTED: AtomicUsize = AtomicUsize::new(0);
/// Set in a child that was forked while a call was under way: the lock above may never come free in it.
static STUCK: AtomicBool = AtomicBool::new(false);

/// Keeps every open database still while the process forks; see `before_fork`.
#[must_use = "keep it until fork has returned, in both processes"]
#[derive(Debug)]
pub struct ForkGuard {
    _still: Option<RwLockWriteGuard<'static, ()>>,
}

/// Waits until no call is under way on any open database and holds further ones back. Calls that merely wait for another
/// process's lock are not waited for: they go on waiting after the fork.
///
/// Call it before `fork`, drop what it gives after `fork`, in the parent and in the child. The handles then work in
/// both. The C and Python faces do this by themselves. Threads that wait for a lock which the calling thread holds
/// (Python's GIL) must be able to go on while this waits.
pub fn before_fork() -> ForkGuard {
    let stuck =
        STUCK.load(Ordering::Relaxed) || PROCESS.load(Ordering::Relaxed) != std::process::id();
    let guard = if stuck {
        // This is itself a child that has not used its handles: nobody is here to wait for.
        IN_USE.try_write().ok()
    } else {
        WANTED.fetch_add(1, Ordering::SeqCst);
        let guard = IN_USE.write().unwrap_or_else(PoisonError::into_inner);
        WANTED.fetch_sub(1, Ordering::SeqCst);
        Some(guard)
    };
    ForkGuard { _still: guard }
}

/// Whoever merely waits for another process, or for another call, lets go of everything then, and begins to wait anew after
/// the fork: how long others hold their locks is nothing that a fork waits for.
pub(in crate::db::engine) fn is_wanted() -> bool {
    WANTED.load(Ordering::SeqCst) > 0
}

/// For a process that has used its handles: no hook of another process can hold this.
pub(in crate::db::engine) fn hold_still() -> RwLockReadGuard<'static, ()> {
    IN_USE.read().unwrap_or_else(PoisonError::into_inner)
}

/// For a handle that is dropped. It may be dropped by a thread that holds this already, while a hook waits for that
/// very thread; or with a lock that the hook's thread wants (Python's GIL). So it does not wait for ever: a fork takes
/// milliseconds.
pub(super) fn hold_still_if_possible() -> Option<RwLockReadGuard<'static, ()>> {
    patiently(|| IN_USE.try_read()).ok()
}

/// Marks a call of this process that uses connections.
pub(in crate::db::engine) fn enter(pid: u32) -> Result<RwLockReadGuard<'static, ()>> {
    let process = PROCESS.load(Ordering::Relaxed);
    if process == 0 || process == pid {
        return Ok(hold_still());
    }
    // A child that has not used its handles: a hook may have been waiting, or held, in a thread that only the parent has.
    patiently(|| IN_USE.try_read())
}

pub(super) fn register(engine: &Arc<Sqlite>) {
    let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
    engines.retain(|engine| engine.strong_count() > 0);
    engines.push(Arc::downgrade(engine));
    PROCESS.store(std::process::id(), Ordering::Relaxed);
}

/// Does an engine of this process have this file open? Locks do not tell: they are the process's.
pub(super) fn is_open_here(file: &Metadata) -> bool {
    let engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
    let mut open = engines.iter().filter_map(Weak::upgrade);
    open.any(|engine| engine.file.is(file))
}

/// In a child, before it opens its first connection: closes every inherited one.
pub(super) fn close_inherited(pid: u32) -> Result<()> {
    if PROCESS.load(Ordering::Relaxed) == pid {
        return Ok(());
    }
    let mut engines = patiently(|| ENGINES.try_lock())?;
    if PROCESS.load(Ordering::Relaxed) == pid {
        return Ok(()); // another thread of this child was quicker
    }
    let inherited: Vec<Arc<Sqlite>> = engines
        .iter()
        .filter_map(Weak::upgrade)
        .filter(|engine| engine.owner.load(Ordering::Relaxed) != pid)
        .collect();
    // All or none: a single connection that stays open makes every new one a danger.
    let Some(idle) = inherited
        .iter()
        .map(|engine| engine.pool().if_idle())
        .collect::<Option<Vec<_>>>()
    else {
        STUCK.store(true, Ordering::Relaxed);
        return Err(KeyplateError::ForkedHandle);
    };
    // D7: nothing that the parent knew, and nothing by which it knew it.
    if !inherited.iter().all(|engine| engine.cache.forget()) {
        STUCK.store(true, Ordering::Relaxed);
        return Err(KeyplateError::ForkedHandle);
    }
    for idle in idle {
        idle.close_inherited();
    }
    index::forget_inherited()?;
    for engine in &inherited {
        engine.file.forget_beside();
        engine.owner.store(pid, Ordering::Relaxed);
    }
    // Whose hooks those were is not here.
    WANTED.store(0, Ordering::SeqCst);
    engines.retain(|engine| engine.strong_count() > 0);
    PROCESS.store(pid, Ordering::Relaxed);
    Ok(())
}

/// Waits for another thread of this child, but not for ever for a thread that only the parent has.
pub(super) fn patiently<T>(mut try_lock: impl FnMut() -> TryLockResult<T>) -> Result<T> {
    for _ in 0..1_000 {
        match try_lock() {
            Ok(guard) => return Ok(guard),
            Err(TryLockError::Poisoned(guard)) => return Ok(guard.into_inner()),
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
        }
    }
    Err(KeyplateError::ForkedHandle)
}
