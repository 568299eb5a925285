//! Whose a file is (D1): who owns a file, or may replace it, decides what is in it.
//!
//! What is looked at, from the root to the file, through every link:
//!
//! - a folder on the way in which everybody may replace entries: writable by all, without the sticky bit;
//! - a link, which must be this user's or root's, as the file that it leads to;
//! - the folder that the file, or a link to it, lies in: this user's or root's, and writable by nobody else. A group may
//!   write if its number is that of the folder's owner, as the private groups of users are numbered where the umask is
//!   002, or if it is root's, as in containers that run as any user.

use std::{
    collections::VecDeque,
    env,
    ffi::OsString,
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

use crate::error::ConfigurationReason;

const STICKY: u32 = 0o1000;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// Reading or writing by the group or by others.
pub(super) const SHARED_BITS: u32 = 0o066;
/// As many as Linux follows.
const MOST_LINKS: usize = 40;
/// What SQLite keeps beside a database, and believes.
const SIDE_FILES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Why a path is not trusted, if it is not: with or without a file at its end.
pub(super) fn distrust(path: &Path) -> Option<ConfigurationReason> {
    // What is not there, or cannot be looked at, is refused by whoever opens it.
    walk(path).unwrap_or_default()
}

/// The same for what SQLite keeps beside the database.
pub(super) fn distrust_beside(path: &Path) -> Option<ConfigurationReason> {
    let target = fs::canonicalize(path).ok()?;
    let unsafe_one = SIDE_FILES.into_iter().find(|suffix| {
        let mut file = OsString::from(&target);
        file.push(suffix);
        let Ok(found) = fs::symlink_metadata(&file) else {
            return false;
        };
        !found.is_file() || !is_ours(&found) || found.mode() & SHARED_BITS != 0
    });
    unsafe_one.map(|suffix| ConfigurationReason::UnsafeSideFile {
        suffix: suffix.to_owned(),
    })
}

fn walk(path: &Path) -> io::Result<Option<ConfigurationReason>> {
    let mut current = PathBuf::from("/");
    let mut rest = components(&env::current_dir()?.join(path));
    let mut links = 0;
    while let Some(name) = rest.pop_front() {
        let Some(name) = name else {
            current.pop();
            continue;
        };
        let is_last = rest.is_empty();
        let folder = fs::symlink_metadata(&current)?;
        if is_last && !is_private_folder(&folder) || may_be_replaced_by_all(&folder) {
            return Ok(Some(ConfigurationReason::SharedFolder));
        }
        let entry = current.join(name);
        let found = match fs::symlink_metadata(&entry) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            found => found?,
        };
        if (is_last || found.is_symlink()) && !is_ours(&found) {
            return Ok(Some(ConfigurationReason::OthersFile));
        }
        if !found.is_symlink() {
            current = entry;
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Ok(Some(ConfigurationReason::NotAFile));
        }
        let target = fs::read_link(&entry)?;
        if target.is_absolute() {
            current = PathBuf::from("/");
        }
        let mut ahead = components(&target);
        ahead.append(&mut rest);
        rest = ahead;
    }
    Ok(None)
}

/// The names of a path, without its root; none for `..`.
fn components(path: &Path) -> VecDeque<Option<OsString>> {
    let name = |component| match component {
        Component::Normal(name) => Some(Some(name.to_owned())),
        Component::ParentDir => Some(None),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    };
    path.components().filter_map(name).collect()
}

/// This user's, or root's, who may do everything in any case.
fn is_ours(found: &Metadata) -> bool {
    let user = rustix::process::geteuid().as_raw();
    found.uid() == user || found.uid() == 0
}

fn may_be_replaced_by_all(folder: &Metadata) -> bool {
    folder.mode() & OTHERS_WRITE != 0 && folder.mode() & STICKY == 0
}

fn is_private_folder(folder: &Metadata) -> bool {
    let private_group = folder.gid() == folder.uid() || folder.gid() == 0;
    let group_replaces = folder.mode() & (GROUP_WRITES | STICKY) == GROUP_WRITES;
    is_ours(folder) && !may_be_replaced_by_all(folder) && (private_group || !group_replaces)
}
