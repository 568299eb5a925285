//! The header of the index of the log, read beside SQLite (D7, ADR 22).
//!
//! # What always holds
//!
//! 1. Two equal headers are of the same content of the database. A commit changes the header before it returns, and so does
//!    whatever begins the log anew. One by which a log cannot be told from another (`is_of_a_log`) is no header here.
//! 2. No descriptor of the index is closed as long as an engine of this process has a connection to the database: the
//!    system would drop SQLite's own locks on it, which are the process's (POSIX, `fcntl`). Whoever is about to open a
//!    connection has told so before (`InUse::of`), and whoever has closed theirs tells it after.
//! 3. A child of `fork` closes what it inherited together with the connections, before it opens one (`forget_inherited`).

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};

use rustix::fs::OFlags;

use super::{
    file::{Entry, entry},
    fork,
};
use crate::error::Result;

/// The length of one copy; there are two, one after the other, at the beginning of the file.
const LEN: usize = 48;
/// Where the checksum of what stands before it begins.
const CHECKSUM: usize = 40;
/// The two numbers by which a log is told from those before it.
const SALTS: std::ops::Range<usize> = 32..40;
/// The only version that there has been since there are logs.
const VERSION: u32 = 3_007_000;

/// A whole header, of a log that can be told from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header([u8; LEN]);

impl Header {
    /// What stands in the index now; nothing while somebody is writing it, or has died while they were.
    pub(super) fn read(index: &File) -> Option<Self> {
        Self::read_whole(index).filter(Self::is_of_a_log)
    }

    /// The index is whole, and was made while there was no log.
    pub(super) fn is_without_log(index: &File) -> bool {
        Self::read_whole(index).is_some_and(|header| !header.is_of_a_log())
    }

    fn read_whole(index: &File) -> Option<Self> {
        let mut copies = [0; 2 * LEN];
        let read = index.read_at(&mut copies, 0).ok()?;
        let (header, copy) = copies.split_first_chunk::<LEN>()?;
        let header = Self(*header);
        (read == copies.len() && header.0 == *copy && header.is_whole()).then_some(header)
    }

    /// As SQLite checks it before it believes it.
    fn is_whole(&self) -> bool {
        let (mut first, mut second) = (0_u32, 0_u32);
        for words in self.0[..CHECKSUM].chunks_exact(8) {
            first = first.wrapping_add(word(words, 0)).wrapping_add(second);
            second = second.wrapping_add(word(words, 4)).wrapping_add(first);
        }
        let is_initialised = self.0[12] != 0;
        let checksum = (word(&self.0, CHECKSUM), word(&self.0, CHECKSUM + 4));
        is_initialised && word(&self.0, 0) == VERSION && checksum == (first, second)
    }

    /// An index that was made anew while there was no log begins with the same header whatever was committed before. It has
    /// no salts, which are random in every other.
    fn is_of_a_log(&self) -> bool {
        self.0[SALTS] != [0; 8]
    }
}

/// In the byte order of the machine, as the whole header is.
fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_ne_bytes(word)
}

/// The databases that engines of this process have open.
static USED: Mutex<Vec<Used>> = Mutex::new(Vec::new());

struct Used {
    database: Entry,
    engines: usize,
    /// The indexes that were read, by what they are. After one was replaced there is more than one.
    indexes: Vec<(Entry, Arc<File>)>,
}

/// An engine has a database open, or is about to.
#[derive(Debug)]
pub(super) struct InUse {
    database: Entry,
}

impl InUse {
    /// Before the first connection is opened.
    pub(super) fn of(database: Entry) -> Result<Self> {
        let mut used = used()?;
        match used.iter_mut().find(|used| used.database == database) {
            Some(used) => used.engines += 1,
            None => used.push(Used {
                database,
                engines: 1,
                indexes: Vec::new(),
            }),
        }
        Ok(Self { database })
    }

    /// The index at this path, if it is the one that is meant.
    pub(super) fn index(&self, path: &Path, index: Entry) -> Option<Arc<File>> {
        let mut used = used().ok()?;
        let used = used
            .iter_mut()
            .find(|used| used.database == self.database)?;
        let known = |used: &Used| {
            let mut indexes = used.indexes.iter();
            let (_, file) = indexes.find(|(entry, _)| *entry == index)?;
            Some(Arc::clone(file))
        };
        if let Some(file) = known(used) {
            return Some(file);
        }
        let file = OpenOptions::new()
            .read(true)
            .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
            .open(path)
            .ok()?;
        // Whatever it is, it stays open: it may be the index of somebody else's connection.
        let found = file.metadata().map(|found| entry(&found));
        used.indexes
            .push((found.unwrap_or_default(), Arc::new(file)));
        known(used)
    }
}

impl Drop for InUse {
    /// After the last connection was closed.
    fn drop(&mut self) {
        // A lock that only a thread of the parent could free: the descriptors stay open, which harms nobody.
        let Ok(mut used) = used() else { return };
        for used in used
            .iter_mut()
            .filter(|used| used.database == self.database)
        {
            used.engines -= 1;
        }
        used.retain(|used| used.engines > 0);
    }
}

/// In a child that has closed all connections that it inherited, and has opened none.
pub(super) fn forget_inherited() -> Result<()> {
    for used in used()?.iter_mut() {
        used.indexes.clear();
    }
    Ok(())
}

fn used() -> Result<MutexGuard<'static, Vec<Used>>> {
    fork::patiently(|| USED.try_lock())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copies(change: impl FnOnce(&mut [u8; LEN])) -> Vec<u8> {
        let mut header = [0; LEN];
        header[..4].copy_from_slice(&VERSION.to_ne_bytes());
        header[12] = 1;
        header[SALTS].copy_from_slice(&[7; 8]);
        change(&mut header);
        let (mut first, mut second) = (0_u32, 0_u32);
        for at in (0..CHECKSUM).step_by(8) {
            first = first.wrapping_add(word(&header, at)).wrapping_add(second);
            second = second
                .wrapping_add(word(&header, at + 4))
                .wrapping_add(first);
        }
        header[40..44].copy_from_slice(&first.to_ne_bytes());
        header[44..].copy_from_slice(&second.to_ne_bytes());
        header.repeat(2)
    }

    fn read(bytes: &[u8]) -> Option<Header> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Header::read(file.as_file())
    }

    /// D7: each of these is a moment at which SQLite would not believe it either, or one that recurs.
    #[test]
    fn only_a_whole_header_of_a_log_is_one() {
        let whole = copies(|_| {});
        assert!(read(&whole).is_some());
        for at in [0, 8, 16, 44, 48, 95] {
            let mut torn = whole.clone();
            torn[at] ^= 1;
            assert_eq!(read(&torn), None, "{at}");
        }
        let mut damaged = whole.clone();
        damaged[16] ^= 1;
        damaged[48 + 16] ^= 1;
        assert_eq!(read(&damaged), None, "its checksum is wrong");
        assert_eq!(read(&whole[..95]), None);
        assert_eq!(read(&copies(|header| header[12] = 0)), None);
        assert_eq!(read(&copies(|header| header[0] ^= 1)), None, "version");
        assert_eq!(read(&copies(|header| header[SALTS].fill(0))), None);
        assert!(read(&copies(|header| header[39] = 0)).is_some());
    }

    /// D7: the trap of POSIX locks.
    #[test]
    fn an_index_stays_open_as_long_as_an_engine_uses_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id.db-shm");
        let other = folder.path().join("id.db");
        std::fs::write(&path, []).unwrap();
        std::fs::write(&other, []).unwrap();
        let what = |path: &Path| entry(&std::fs::metadata(path).unwrap());
        let database = what(&other);
        let (first, second) = (InUse::of(database).unwrap(), InUse::of(database).unwrap());
        assert!(first.index(&path, database).is_none(), "not that file");
        let index = first.index(&path, what(&path)).unwrap();
        let same = second.index(&path, what(&path)).unwrap();
        let is_open = Arc::downgrade(&index);
        assert!(Arc::ptr_eq(&index, &same));
        drop((index, same, first));
        assert_eq!(is_open.strong_count(), 1);
        drop(second);
        assert_eq!(is_open.strong_count(), 0);
    }
}
