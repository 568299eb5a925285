//! Is a file mounted by itself? SQLite's log then lies in another folder here than where it was mounted from, so that whoever
//! opens it there has another one (D1). Linux tells, in `/proc/self/mountinfo`; elsewhere nobody is asked.

use std::{fs, os::unix::ffi::OsStrExt, path::Path};

/// The path has no links in it.
pub(super) fn is_mounted_by_itself(path: &Path) -> bool {
    let Ok(mounts) = fs::read("/proc/self/mountinfo") else {
        return false;
    };
    is_mount_point(&mounts, path.as_os_str().as_bytes())
}

fn is_mount_point(mounts: &[u8], path: &[u8]) -> bool {
    mounts.split(|byte| *byte == b'\n').any(|line| {
        // proc_pid_mountinfo(5): id, parent, device, root, mount point.
        let point = line.split(|byte| *byte == b' ').nth(4);
        point.is_some_and(|point| unescaped(point) == path)
    })
}

/// Blanks, tabs, line ends and backslashes are written as three octal digits.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let digits = after
            .get(..3)
            .and_then(|digits| str::from_utf8(digits).ok());
        let number = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match number {
            Some(number) if first == b'\\' => {
                bytes.push(number);
                rest = &after[3..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_list_is_read_as_it_is_written() {
        let mounts = br"22 28 0:20 / /proc rw,nosuid shared:12 - proc proc rw
36 28 259:2 /srv/id.db /data/id.db rw,relatime master:1 - ext4 /dev/root rw
37 28 259:2 /srv/x /data/my\040own\134id.db rw - ext4 /dev/root rw
";
        for (path, expected) in [
            ("/data/id.db", true),
            (r"/data/my own\id.db", true),
            ("/srv/id.db", false),
            ("/data", false),
            ("", false),
        ] {
            assert_eq!(is_mount_point(mounts, path.as_bytes()), expected, "{path}");
        }
    }
}
