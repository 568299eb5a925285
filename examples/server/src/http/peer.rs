//! Whose process is at the other end of a connection, as far as the kernel tells (B2).
//!
//! An address says nothing about that: every user of a machine, and whatever forwards connections for somebody else, is
//! at 127.0.0.1. Linux lists both ends of a connection within a machine, each with the user who made the socket, and keeps
//! for a Unix socket the user who connected (`SO_PEERCRED`). On other systems nobody is known.

use std::net::SocketAddr;

use tokio::net::{TcpStream, UnixStream};

/// A connection as the kernel knows it; every request carries it as an extension.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Connection {
    Tcp(End),
    /// A Unix socket, to which this user has connected.
    Unix(u32),
    Unknown,
}

/// Our end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    local: SocketAddr,
    remote: SocketAddr,
    inode: u64,
}

impl Connection {
    pub(crate) fn of(stream: &TcpStream) -> Self {
        let end = || {
            Some(End {
                local: canonical(stream.local_addr().ok()?),
                remote: canonical(stream.peer_addr().ok()?),
                inode: system::inode(stream)?,
            })
        };
        end().map_or(Self::Unknown, Self::Tcp)
    }

    pub(crate) fn of_unix(stream: &UnixStream) -> Self {
        let credentials = stream.peer_cred();
        credentials.map_or(Self::Unknown, |peer| Self::Unix(peer.uid()))
    }

    /// Was the other end made by this operating-system user, on this machine, and is it still there? Reads files of the
    /// kernel's.
    pub(crate) fn is_of_our_user(self) -> bool {
        match self {
            Self::Tcp(end) => system::is_ours(&end),
            Self::Unix(uid) => system::our_uid() == Some(uid),
            Self::Unknown => false,
        }
    }
}

/// Without the form in which IPv6 sockets know IPv4 addresses.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{End, TcpStream};

    pub(super) fn inode(_: &TcpStream) -> Option<u64> {
        None
    }

    pub(super) fn is_ours(_: &End) -> bool {
        false
    }

    pub(super) fn our_uid() -> Option<u32> {
        None
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::{
        fs::{self, File},
        net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
        os::{
            fd::{AsFd, OwnedFd},
            unix::fs::MetadataExt,
        },
        thread,
        time::Duration,
    };

    use super::{End, TcpStream, canonical};

    /// The kernel writes a table while connections come and go, and may leave one out or write one twice.
    const READINGS: usize = 20;
    /// Between two of them.
    const PAUSE: Duration = Duration::from_millis(1);
    /// `TCP_ESTABLISHED` of the kernel's `include/net/tcp_states.h`.
    const ESTABLISHED: u8 = 1;
    /// What stands for every user whom this user namespace does not know, unless the kernel says another.
    const OVERFLOW_UID: u32 = 65_534;

    pub(super) fn inode(stream: &TcpStream) -> Option<u64> {
        let copy: OwnedFd = stream.as_fd().try_clone_to_owned().ok()?;
        let metadata = File::from(copy).metadata().ok()?;
        Some(metadata.ino())
    }

    pub(super) fn is_ours(end: &End) -> bool {
        let Some(uid) = our_uid() else {
            return false;
        };
        for _ in 0..READINGS {
            let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
            let texts = tables.map(|table| fs::read_to_string(table).unwrap_or_default());
            let rows: Vec<Row> = texts.iter().flat_map(|text| rows(text)).collect();
            if let Some(is_ours) = judged(&rows, end, uid) {
                return is_ours;
            }
            thread::sleep(PAUSE);
        }
        false
    }

    /// This process's, if it is one that is nobody else's.
    pub(super) fn our_uid() -> Option<u32> {
        let overflow = fs::read_to_string("/proc/sys/kernel/overflowuid").ok();
        let overflow = overflow.and_then(|text| text.trim().parse().ok());
        let status = fs::read_to_string("/proc/self/status").ok()?;
        effective_uid(&status).filter(|uid| *uid != overflow.unwrap_or(OVERFLOW_UID))
    }

    fn effective_uid(status: &str) -> Option<u32> {
        let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        line.split_ascii_whitespace().nth(1)?.parse().ok()
    }

    /// A socket, as `/proc/net/tcp` has it: proc_pid_net(5).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Row {
        local: SocketAddr,
        remote: SocketAddr,
        state: u8,
        uid: u32,
        inode: u64,
    }

    impl Row {
        /// One that a process holds: what is left of a closed connection is said to be root's.
        fn is_held_by(&self, uid: u32) -> bool {
            self.state == ESTABLISHED && self.inode != 0 && self.uid == uid
        }
    }

    fn rows(text: &str) -> impl Iterator<Item = Row> {
        text.lines().skip(1).filter_map(|line| {
            let mut fields = line.split_ascii_whitespace().skip(1);
            let (local, remote) = (address(fields.next()?)?, address(fields.next()?)?);
            let state = u8::from_str_radix(fields.next()?, 16).ok()?;
            Some(Row {
                local,
                remote,
                state,
                uid: fields.nth(3)?.parse().ok()?,
                inode: fields.nth(1)?.parse().ok()?,
            })
        })
    }

    /// Address and port in hexadecimal digits, the address in words as they lie in memory.
    fn address(text: &str) -> Option<SocketAddr> {
        let (address, port) = text.split_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        let word = |at: usize| {
            let digits = address.get(at * 8..at * 8 + 8)?;
            u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
        };
        let ip = match address.len() {
            8 => IpAddr::from(Ipv4Addr::from(word(0)?)),
            32 => {
                let words = [word(0)?, word(1)?, word(2)?, word(3)?];
                let bytes: [u8; 16] = words.as_flattened().try_into().ok()?;
                IpAddr::from(Ipv6Addr::from(bytes))
            }
            _ => return None,
        };
        Some(canonical(SocketAddr::new(ip, port)))
    }

    /// None where an end is missing.
    fn judged(rows: &[Row], end: &End, uid: u32) -> Option<bool> {
        let ours = rows
            .iter()
            .find(|row| (row.local, row.remote, row.inode) == (end.local, end.remote, end.inode))?;
        let mut others = rows
            .iter()
            .filter(|row| (row.local, row.remote) == (end.remote, end.local));
        let other = others.next()?;
        let mut others = others.filter(|row| *row != other);
        Some(ours.is_held_by(uid) && other.is_held_by(uid) && others.next().is_none())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
        const SERVER: &str = "0100007F:0583";
        const CLIENT: &str = "0100007F:8DA0";

        fn line(local: &str, remote: &str, state: &str, uid: u32, inode: u64) -> String {
            format!(
                "   2: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 {uid:5}        0 {inode} 1 000000009507f28e 20 0 0 10 -1\n"
            )
        }

        fn verdict(lines: &[String], uid: u32) -> Option<bool> {
            let end = End {
                local: "127.0.0.1:1411".parse().unwrap(),
                remote: "127.0.0.1:36256".parse().unwrap(),
                inode: 4711,
            };
            let text = format!("{HEAD}{}", lines.concat());
            judged(&rows(&text).collect::<Vec<_>>(), &end, uid)
        }

        /// B2.
        #[test]
        fn the_other_end_must_be_there_once_and_ours() {
            let listener = line(SERVER, "00000000:0000", "0A", 1000, 4700);
            let ours = line(SERVER, CLIENT, "01", 1000, 4711);
            let with = |others: &[String]| {
                let lines = [&[listener.clone(), ours.clone()], others].concat();
                verdict(&lines, 1000)
            };
            let other = |state: &str, uid: u32, inode: u64| line(CLIENT, SERVER, state, uid, inode);
            assert_eq!(with(&[other("01", 1000, 4712)]), Some(true));
            for (why, row) in [
                ("another user's", other("01", 1001, 4712)),
                ("root's", other("01", 0, 4712)),
                ("nobody we know", other("01", 65_534, 4712)),
                ("half closed", other("04", 1000, 4712)),
                ("given up", other("05", 1000, 0)),
                ("without a process", other("01", 1000, 0)),
            ] {
                assert_eq!(with(&[row]), Some(false), "{why}");
            }
            let twice = [other("01", 1000, 4712), other("06", 0, 0)];
            assert_eq!(with(&twice), Some(false));
            let written_twice = [other("01", 1000, 4712), other("01", 1000, 4712)];
            assert_eq!(with(&written_twice), Some(true), "one socket all the same");
            assert_eq!(with(&[]), None, "gone, or on another machine");

            // Of root's server, what is left of anybody's closed connection looks like root's.
            let roots = line(SERVER, CLIENT, "01", 0, 4711);
            assert_eq!(
                verdict(&[roots.clone(), other("06", 0, 0)], 0),
                Some(false),
                "TIME_WAIT"
            );
            assert_eq!(verdict(&[roots, other("01", 0, 4712)], 0), Some(true));
        }

        #[test]
        fn our_own_end_must_be_there() {
            let other = line(CLIENT, SERVER, "01", 1000, 4712);
            for (why, ours, verdict_is) in [
                (
                    "another socket",
                    line(SERVER, CLIENT, "01", 1000, 4713),
                    None,
                ),
                (
                    "another connection",
                    line(SERVER, "0100007F:8DA1", "01", 1000, 4711),
                    None,
                ),
                (
                    "another user's",
                    line(SERVER, CLIENT, "01", 1001, 4711),
                    Some(false),
                ),
                (
                    "closed by the other side",
                    line(SERVER, CLIENT, "08", 1000, 4711),
                    Some(false),
                ),
            ] {
                assert_eq!(verdict(&[ours, other.clone()], 1000), verdict_is, "{why}");
            }
        }

        #[test]
        fn mapped_addresses_are_the_same() {
            let mapped = |v4: &str| format!("0000000000000000FFFF0000{v4}");
            let (server, client) = (mapped(SERVER), mapped(CLIENT));
            let ours = line(&server, &client, "01", 1000, 4711);
            for (uid, is_ours) in [(1000, true), (1001, false)] {
                for (local, remote) in [(CLIENT, SERVER), (&*client, &*server)] {
                    let other = line(local, remote, "01", uid, 4712);
                    assert_eq!(verdict(&[ours.clone(), other], 1000), Some(is_ours));
                }
            }
            let both = [
                line(CLIENT, SERVER, "01", 1000, 4712),
                line(&client, &server, "01", 1000, 4713),
            ];
            let lines = [&[ours][..], &both].concat();
            assert_eq!(verdict(&lines, 1000), Some(false), "which of them?");
        }

        #[test]
        fn reads_what_the_kernel_writes() {
            let six = address("00000000000000000000000001000000:0583").unwrap();
            assert_eq!(six, "[::1]:1411".parse().unwrap());
            let global = address("B80D0120000000000000000007000000:01BB").unwrap();
            assert_eq!(global, "[2001:db8::7]:443".parse().unwrap());
            for wrong in [
                "",
                "0100007F",
                "0100007:0583",
                "0100007G:0583",
                ":",
                "0100007F:10583",
            ] {
                assert_eq!(address(wrong), None, "{wrong}");
            }
            assert_eq!(rows(HEAD).count() + rows("").count(), 0);
            assert_eq!(
                rows(&format!("{HEAD}   2: {SERVER} {CLIENT} 01\n")).count(),
                0
            );
            let status = "Name:\tx\nUid:\t1000\t1001\t1002\t1003\nGid:\t7\t7\t7\t7\n";
            assert_eq!(
                (effective_uid(status), effective_uid("")),
                (Some(1001), None)
            );
        }
    }
}
