//! A transaction may run again (D6): a server that serialises transactions refuses one of two that met, and wants it
//! anew. So what a closure of `read` or `write` does is done to the transaction and to what it returns, and to nothing
//! else: it takes `Fn`, and what leaves the process or changes what it holds in memory waits for the commit.
//!
//! SQLite never asks for it. Tests do, of one thread, and then nothing may be there twice.

use std::cell::Cell;

use crate::error::Result;

/// A transaction that has begun. It is rolled back unless it is committed.
pub(super) trait Transaction {
    fn commit(self) -> Result<()>;
}

thread_local! {
    static TWICE: Cell<bool> = const { Cell::new(false) };
}

/// From now on every transaction that this thread begins is run once for nothing, rolled back, and run again.
///
/// For the library's own tests; it changes no result, only the time that a call takes.
pub fn run_transactions_twice(twice: bool) {
    TWICE.set(twice);
}

/// Every transaction is to run twice.
#[cfg(feature = "postgres")]
pub(super) fn is_twice() -> bool {
    TWICE.get()
}

/// Begins a transaction, runs it and commits it, as often as it takes.
pub(super) fn committed<T, X: Transaction>(
    begin: impl Fn() -> Result<X>,
    run: impl Fn() -> Result<T>,
) -> Result<T> {
    let attempt = || {
        let transaction = begin()?;
        run().map(|result| (result, transaction))
    };
    if TWICE.get() {
        drop(attempt());
    }
    let (result, transaction) = attempt()?;
    transaction.commit()?;
    Ok(result)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        clock::Clock,
        db::{Engine, Options, Place, params},
        error::internal,
    };

    fn engine(folder: &tempfile::TempDir) -> Engine {
        let options = Options {
            place: Place::File(folder.path().join("id.db")),
            busy_timeout: Duration::from_secs(1),
            allow_shared_file: false,
            cache_bytes: 0,
        };
        Engine::open(options, Clock::new(None)).unwrap()
    }

    fn rows(engine: &Engine) -> i64 {
        let sql = "SELECT count(*) FROM attempts";
        engine.read(|reader| reader.value(sql, &[])).unwrap()
    }

    #[test]
    fn what_ran_twice_is_there_once() {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(&folder);
        let runs = Cell::new(0);
        let insert = || {
            engine.write(|writer| {
                runs.set(runs.get() + 1);
                let sql = "INSERT INTO attempts (kind, source, at) VALUES ('wrong_code', ?1, 0)";
                writer.execute(sql, params!["here"])
            })
        };
        insert().unwrap();
        assert_eq!((runs.get(), rows(&engine)), (1, 1));

        run_transactions_twice(true);
        insert().unwrap();
        assert_eq!((runs.get(), rows(&engine)), (3, 2));

        let refused = engine.write(|writer| {
            runs.set(runs.get() + 1);
            writer.execute("DELETE FROM attempts", &[])?;
            Err::<(), _>(internal("changed its mind"))
        });
        assert!(refused.is_err());
        assert_eq!(
            (runs.get(), rows(&engine)),
            (5, 2),
            "and an error leaves nothing"
        );

        let read = engine.read(|_| {
            runs.set(runs.get() + 1);
            Ok(())
        });
        assert!(read.is_ok());
        assert_eq!(runs.get(), 7, "reads too");
        run_transactions_twice(false);
    }
}
