//! The origins at which people reach the server, as requests are compared with them.

use std::net::IpAddr;

use crate::options::Options;

/// All of them, as they were configured.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    /// `--origin` first, then further ones of the RP id, then those of other domains.
    all: Vec<Origin>,
    texts: Vec<String>,
    have_related: bool,
    rp_id: String,
}

impl Origins {
    /// Splits them. Whether they are well-formed, and of the RP id, is asked of the library.
    pub(crate) fn of(options: &Options) -> Result<Self, String> {
        let own = Origin::own(options)?;
        let mut all = vec![own];
        let mut texts = vec![options.origin.clone()];
        let extra = options.extra_origins.iter().map(|o| ("--extra-origin", o));
        let related = options.related_origins.iter();
        for (flag, text) in extra.chain(related.map(|o| ("--related-origin", o))) {
            let origin = Origin::parse(text)
                .ok_or_else(|| format!("{flag} must begin with https:// or http://"))?;
            // One name of the cookie is meant for all: `__Host-` works on https only.
            if origin.secure != all[0].secure {
                return Err(format!("{flag} must have the scheme of --origin: {text}"));
            }
            all.push(origin);
            texts.push(text.clone());
        }
        let rp_id = match &options.rp_id {
            Some(id) => id.to_ascii_lowercase(),
            None => all[0].host().to_owned(),
        };
        Ok(Self {
            all,
            texts,
            have_related: !options.related_origins.is_empty(),
            rp_id,
        })
    }

    /// What `--origin` says.
    pub(crate) fn own(&self) -> &str {
        self.texts.first().map_or("", String::as_str)
    }

    /// What was configured, in this order.
    pub(crate) fn texts(&self) -> &[String] {
        &self.texts
    }

    pub(crate) fn have_related(&self) -> bool {
        self.have_related
    }

    /// Are people here by TLS?
    pub(super) fn are_secure(&self) -> bool {
        self.all.iter().all(|origin| origin.secure)
    }

    /// Does this `Host` name one of them?
    pub(super) fn have_authority(&self, host: &str) -> bool {
        self.all.iter().any(|origin| origin.has_authority(host))
    }

    /// Is this `Host` the RP id, where browsers look for the related origins?
    pub(super) fn have_rp_id(&self, host: &str) -> bool {
        without_default_port(host, true) == self.rp_id
    }

    /// Is this `Origin` header one of them?
    pub(super) fn contain(&self, header: &str) -> bool {
        let origin = Origin::parse(header);
        origin.is_some_and(|origin| self.all.contains(&origin))
    }

    /// Does only this machine reach the server under these names?
    pub(crate) fn are_local(&self) -> bool {
        self.all.iter().all(Origin::is_local)
    }
}

/// One origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    secure: bool,
    /// Host and port in small letters, without the scheme's own port.
    authority: String,
}

impl Origin {
    /// What `--origin` says.
    pub(crate) fn own(options: &Options) -> Result<Self, String> {
        let reason = "--origin must begin with https:// or http://, for example https://id.example";
        Self::parse(&options.origin).ok_or_else(|| reason.to_owned())
    }

    fn parse(text: &str) -> Option<Self> {
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

    fn has_authority(&self, host: &str) -> bool {
        without_default_port(host, self.secure) == self.authority
    }

    fn host(&self) -> &str {
        let host = match self.authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next(),
            None => self.authority.split(':').next(),
        };
        host.unwrap_or_default()
    }

    fn is_local(&self) -> bool {
        let host = self.host();
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

    fn origins(own: &str, extra: &[&str], related: &[&str]) -> Result<Origins, String> {
        let mut options = Options::of(own);
        options.extra_origins = extra.iter().map(|&o| o.to_owned()).collect();
        options.related_origins = related.iter().map(|&o| o.to_owned()).collect();
        Origins::of(&options)
    }

    #[test]
    fn compares_hosts_and_origins() {
        let origins = origins("https://id.example", &[], &[]).unwrap();
        assert!(origins.have_authority("ID.example") && origins.have_authority("id.example:443"));
        assert!(!origins.have_authority("id.example:80"));
        assert!(!origins.have_authority("x.id.example"));
        assert!(origins.contain("https://id.example:443") && origins.contain("https://id.example"));
        for other in [
            "http://id.example",
            "null",
            "",
            "https://id.example.evil",
            "ftp://id.example",
        ] {
            assert!(!origins.contain(other), "{other}");
        }
    }

    #[test]
    fn there_may_be_several() {
        let (extra, related) = (["https://tv.id.example:8443"], ["https://other.example"]);
        let several = origins("https://id.example", &extra, &related).unwrap();
        for host in ["id.example", "tv.id.example:8443", "other.example:443"] {
            assert!(several.have_authority(host), "{host}");
            assert!(several.contain(&format!("https://{host}")), "{host}");
        }
        assert!(!several.have_authority("tv.id.example"));
        assert!(several.have_rp_id("id.example:443") && !several.have_rp_id("other.example"));
        let local = origins("http://localhost:1411", &["http://localhost:1412"], &[]);
        assert!(local.unwrap().are_local());
        let not = origins("http://localhost:1411", &["http://media.lan"], &[]);
        assert!(!not.unwrap().are_local());
        for (extra, reason) in [
            (
                "http://tv.id.example",
                "--extra-origin must have the scheme of --origin: http://tv.id.example",
            ),
            (
                "tv.id.example",
                "--extra-origin must begin with https:// or http://",
            ),
        ] {
            let refused = origins("https://id.example", &[extra], &[]);
            assert_eq!(refused.err().as_deref(), Some(reason));
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
