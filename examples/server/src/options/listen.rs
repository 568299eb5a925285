use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs},
    path::PathBuf,
    str::FromStr,
};

const PORT: u16 = 1411;
/// What a Unix socket's path begins with.
const UNIX: &str = "unix:";
/// Who may connect to a Unix socket unless something else was said: the server's user and group.
const MODE: u32 = 0o660;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    /// A host, which is asked for when the server starts, and a port.
    Address { host: String, port: u16 },
    /// A Unix socket, with the rights of its file.
    Socket { path: PathBuf, mode: u32 },
}

impl Listen {
    /// The addresses that a host and port mean.
    pub(crate) fn addresses(host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
        Ok((host, port).to_socket_addrs()?.collect())
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Address { host, port } => write!(f, "{host}:{port}"),
            Self::Socket { path, .. } => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

impl FromStr for Listen {
    type Err = String;

    /// Reads `127.0.0.1:1411`, `localhost:1411`, `[::1]:1411`; a port alone (`1411`, `:1411`), which is one of this machine's
    /// own address, so that nothing is open to others that was not meant to be; an address alone; and
    /// `unix:/run/keyplate.sock`, perhaps with `?mode=0600`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix(UNIX) {
            Some(rest) => socket(rest),
            None => address(text),
        }
    }
}

fn socket(text: &str) -> Result<Listen, String> {
    let wrong = || "is not a Unix socket such as unix:/run/keyplate.sock?mode=0660".to_owned();
    let (path, mode) = match text.rsplit_once('?') {
        None => (text, MODE),
        Some((path, query)) => {
            let digits = query.strip_prefix("mode=").ok_or_else(wrong)?;
            let is_octal = (3..=4).contains(&digits.len())
                && digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
            let mode = u32::from_str_radix(digits, 8).ok();
            let mode = mode.filter(|mode| is_octal && *mode <= 0o777);
            (path, mode.ok_or_else(wrong)?)
        }
    };
    // A relative path would be another one for each command.
    if !path.starts_with('/') || path.ends_with('/') {
        return Err(wrong());
    }
    let path = PathBuf::from(path);
    Ok(Listen::Socket { path, mode })
}

fn address(text: &str) -> Result<Listen, String> {
    let wrong = || {
        "is not an address and port such as 127.0.0.1:1411, nor a Unix socket such as unix:/run/keyplate.sock"
            .to_owned()
    };
    let port = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits
            .then(|| text.parse().ok())
            .flatten()
            .ok_or_else(wrong)
    };
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']').ok_or_else(wrong)? {
            (host, "") => (host, PORT),
            (host, after) => (host, port(after.strip_prefix(':').ok_or_else(wrong)?)?),
        },
        None if text.parse::<IpAddr>().is_ok() || text == "localhost" => (text, PORT),
        None => match text.rsplit_once(':') {
            Some((host, after)) => (host, port(after)?),
            None => ("", port(text)?),
        },
    };
    let host = match host {
        // The one of the two addresses that everything on this machine can reach.
        "" | "localhost" if !text.starts_with('[') => Ipv4Addr::LOCALHOST.to_string(),
        host => host.to_owned(),
    };
    let is_six = text.starts_with('[');
    let is_good = match is_six || host.contains(':') {
        true => {
            let address = host.split('%').next().unwrap_or_default();
            address.parse::<std::net::Ipv6Addr>().is_ok() && (is_six || text == host)
        }
        false => host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)),
    };
    is_good
        .then_some(Listen::Address { host, port })
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_listen() {
        for (text, means) in [
            ("127.0.0.1:1411", "127.0.0.1:1411"),
            ("localhost:1411", "127.0.0.1:1411"),
            ("localhost", "127.0.0.1:1411"),
            (":1411", "127.0.0.1:1411"),
            ("1411", "127.0.0.1:1411"),
            ("0", "127.0.0.1:0"),
            ("127.0.0.1", "127.0.0.1:1411"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::]:1411", "[::]:1411"),
            ("[::1]", "[::1]:1411"),
            ("::1", "[::1]:1411"),
            ("[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:80"),
            ("[fe80::1%1]:80", "[fe80::1%1]:80"),
            ("id.lan:8080", "id.lan:8080"),
        ] {
            let listen: Listen = text
                .parse()
                .unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(listen.to_string(), means, "{text}");
        }
        assert!(Listen::addresses("::ffff:127.0.0.1", 80).unwrap()[0].is_ipv6());
        for wrong in [
            "",
            ":",
            "here",
            "here:",
            "here:there",
            "70000",
            ":70000",
            "-1",
            "+80",
            "127.0.0.1:99999",
            "127.0.0.1:",
            "[::1",
            "[::1]80",
            "[::1]:",
            "[here]:80",
            "[]:80",
            "[localhost]:80",
            "::1:x",
            "1:2:80",
            "http://localhost:80",
            "a b:80",
            "localhost:80/",
            "１４１１",
        ] {
            assert!(wrong.parse::<Listen>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn unix_sockets() {
        for (text, file, rights) in [
            ("unix:/run/keyplate.sock", "/run/keyplate.sock", 0o660),
            ("unix:/run/a b?mode=0600", "/run/a b", 0o600),
            ("unix:/run/a?b?mode=666", "/run/a?b", 0o666),
            ("unix:///run/keyplate.sock", "/run/keyplate.sock", 0o660),
        ] {
            let Ok(Listen::Socket { path, mode }) = text.parse() else {
                panic!("{text}")
            };
            assert_eq!((path, mode), (PathBuf::from(file), rights), "{text}");
        }
        for wrong in [
            "unix:",
            "unix:keyplate.sock",
            "unix:/run/",
            "unix:/run/a?",
            "unix:/run/a?mode",
            "unix:/run/a?mode=",
            "unix:/run/a?mode=8",
            "unix:/run/a?mode=0o660",
            "unix:/run/a?mode=0980",
            "unix:/run/a?mode=1777",
            "unix:/run/a?mode=+66",
            "unix:/run/a?owner=www",
            "unix:@keyplate",
        ] {
            assert!(wrong.parse::<Listen>().is_err(), "{wrong}");
        }
    }
}
