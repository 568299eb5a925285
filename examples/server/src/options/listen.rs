use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs},
    str::FromStr,
};

const PORT: u16 = 1411;

/// Where to listen: a host, which is asked for when the server starts, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    host: String,
    port: u16,
}

impl Listen {
    /// The addresses that this means.
    pub(crate) fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        Ok((self.host.as_str(), self.port).to_socket_addrs()?.collect())
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        match host.contains(':') {
            true => write!(f, "[{host}]:{port}"),
            false => write!(f, "{host}:{port}"),
        }
    }
}

impl FromStr for Listen {
    type Err = String;

    /// Reads `127.0.0.1:1411`, `localhost:1411`, `[::1]:1411`; a port alone (`1411`, `:1411`), which is one of this machine's
    /// own address, so that nothing is open to others that was not meant to be; and an address alone.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "is not an address and port such as 127.0.0.1:1411".to_owned();
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
        is_good.then_some(Self { host, port }).ok_or_else(wrong)
    }
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
        let mapped: Listen = "[::ffff:127.0.0.1]:80".parse().unwrap();
        assert!(mapped.addresses().unwrap()[0].is_ipv6());
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
}
