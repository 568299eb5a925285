use std::net::IpAddr;

/// The origin at which people reach the server, as requests are compared with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    secure: bool,
    /// Host and port in small letters, without the scheme's own port.
    authority: String,
}

impl Origin {
    /// Splits an origin. Whether its host is well-formed is asked of the library.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (secure, authority) = match text.split_once("://")? {
            ("https", authority) => (true, authority),
            ("http", authority) => (false, authority),
            _ => return None,
        };
        Some(Self {
            secure,
            authority: without_default_port(authority, secure),
        })
    }

    /// Are people here by TLS?
    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }

    /// Does this `Host` name it?
    pub(crate) fn has_authority(&self, host: &str) -> bool {
        without_default_port(host, self.secure) == self.authority
    }

    /// Is this `Origin` header the same?
    pub(crate) fn is(&self, header: &str) -> bool {
        Self::parse(header).as_ref() == Some(self)
    }

    /// Does only this machine reach it under this name?
    pub(crate) fn is_local(&self) -> bool {
        let host = match self.authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next(),
            None => self.authority.split(':').next(),
        };
        let host = host.unwrap_or_default();
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

fn without_default_port(authority: &str, secure: bool) -> String {
    let port = if secure { ":443" } else { ":80" };
    let authority = authority.to_ascii_lowercase();
    match authority.strip_suffix(port) {
        Some(host) => host.to_owned(),
        None => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_hosts_and_origins() {
        let origin = Origin::parse("https://id.example").unwrap();
        assert!(origin.has_authority("ID.example") && origin.has_authority("id.example:443"));
        assert!(!origin.has_authority("id.example:80") && !origin.has_authority("x.id.example"));
        assert!(origin.is("https://id.example:443") && origin.is("https://id.example"));
        for other in [
            "http://id.example",
            "null",
            "",
            "https://id.example.evil",
            "ftp://id.example",
        ] {
            assert!(!origin.is(other), "{other}");
        }
    }

    #[test]
    fn knows_what_is_local() {
        for local in [
            "http://localhost:1411",
            "http://127.0.0.9",
            "https://[::1]:8443",
        ] {
            assert!(Origin::parse(local).unwrap().is_local(), "{local}");
        }
        for not in [
            "http://localhost.example",
            "http://10.0.0.1:1411",
            "https://[2001:db8::1]",
        ] {
            assert!(!Origin::parse(not).unwrap().is_local(), "{not}");
        }
    }
}
