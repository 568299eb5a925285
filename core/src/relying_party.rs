//! The relying party (P6): which origins and which RP id, and whether passkeys can work there at all.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::Url;

use crate::{
    Config, KeyplateError, PasskeyFailure, Result,
    db::{self, Reader},
    passkeys::verifier::Verifier,
};

/// Why passkeys cannot work at the configured origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum PasskeyProblem {
    /// The origin is an IP address, which browsers take for no RP id.
    IpAddress,
    /// The origin is neither https nor localhost: browsers offer no passkeys there.
    InsecureOrigin,
}

/// What the configuration says of the relying party.
pub(crate) struct RelyingParty {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) problem: Option<PasskeyProblem>,
    pub(crate) verifier: Verifier,
    pub(crate) is_maintenance: bool,
}

impl RelyingParty {
    pub(crate) fn of(config: &Config) -> Result<Self> {
        let origin = Origin::parse("origin", &config.origin)?;
        let problem = origin.problem();
        if let Some(problem) = problem
            && !config.allow_insecure_origin
            && !config.maintenance
        {
            return Err(insecure(problem));
        }
        let id = config.rp_id.clone().unwrap_or_else(|| origin.host.clone());
        let id = id.to_ascii_lowercase();
        if problem.is_none() && !origin.is_within(&id) {
            return Err(wrong(
                "rp_id",
                "must be the origin's host, or a domain above it",
            ));
        }
        let mut origins = vec![origin.url];
        for more in &config.more_origins {
            let more = Origin::parse("more_origins", more)?;
            if problem.is_none() && !(more.is_within(&id) && more.problem().is_none()) {
                return Err(wrong(
                    "more_origins",
                    "must be https or localhost, and of the RP id; others are related_origins",
                ));
            }
            origins.push(more.url);
        }
        for related in &config.related_origins {
            let related = Origin::parse("related_origins", related)?;
            if related.problem().is_some() {
                return Err(wrong("related_origins", "must be https"));
            }
            origins.push(related.url);
        }
        for native in &config.native_origins {
            origins.push(native_origin(native)?);
        }
        let verifier = Verifier::new(&id, origins);
        Ok(Self {
            id,
            name: config.rp_name.clone().filter(|name| !name.is_empty()),
            problem,
            verifier,
            is_maintenance: config.maintenance,
        })
    }

    /// Fails where no ceremony can be held: at such an origin, under another RP id than the database's, and for
    /// commands that only recover.
    pub(crate) fn check_available(&self, reader: &Reader<'_>) -> Result<()> {
        let other = db::passkeys::rp_id(reader)?.is_some_and(|id| id != self.id);
        if self.problem.is_some() || self.is_maintenance || other {
            return Err(PasskeyFailure::Unavailable.into());
        }
        Ok(())
    }
}

/// An origin as RFC 6454, section 6.2 writes it: scheme, host, perhaps a port, and nothing after it.
pub(crate) struct Origin {
    url: Url,
    host: String,
    is_https: bool,
    is_address: bool,
}

impl Origin {
    pub(crate) fn parse(option: &str, text: &str) -> Result<Self> {
        let scheme = ["https://", "http://"]
            .into_iter()
            .find(|scheme| text.starts_with(scheme))
            .ok_or_else(|| wrong(option, "must begin with https:// or http://"))?;
        let host = host_of(&text[scheme.len()..]);
        let (Some(host), Ok(url)) = (host, Url::parse(text)) else {
            return Err(wrong(
                option,
                "must be scheme, host in small letters and perhaps a port, without a path",
            ));
        };
        Ok(Self {
            url,
            is_https: scheme == "https://",
            is_address: host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok(),
            host: host.to_owned(),
        })
    }

    /// Secure Contexts, section 3.1, and WebAuthn's rule that an RP id is a domain.
    fn problem(&self) -> Option<PasskeyProblem> {
        let local = self.host == "localhost" || self.host.ends_with(".localhost");
        if self.is_address {
            Some(PasskeyProblem::IpAddress)
        } else if !self.is_https && !local {
            Some(PasskeyProblem::InsecureOrigin)
        } else {
            None
        }
    }

    /// Is this RP id the host, or a domain above it? What no registry gives out as a whole cannot be known here;
    /// browsers know it. A name without a dot must be the host itself.
    fn is_within(&self, rp_id: &str) -> bool {
        let above = || {
            rp_id.contains('.')
                && self
                    .host
                    .strip_suffix(rp_id)
                    .is_some_and(|rest| rest.ends_with('.'))
        };
        self.host == rp_id || above()
    }
}

/// The host of a well-formed authority, brackets included.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            let _: Ipv6Addr = address.parse().ok()?;
            (&authority[..address.len() + 2], port)
        }
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let (host, port) = authority.split_at(end);
            let label = |label: &str| {
                !label.is_empty()
                    && label
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            };
            host.split('.').all(label).then_some((host, port))?
        }
    };
    let good_port = match port.strip_prefix(':') {
        None => port.is_empty(),
        Some(port) => port.parse::<u16>().is_ok_and(|port| port > 0),
    };
    good_port.then_some(host)
}

/// What Android's Credential Manager sends as the origin: the hash of the certificate that signed the application.
fn native_origin(text: &str) -> Result<Url> {
    let well_formed = text
        .strip_prefix("android:apk-key-hash:")
        .is_some_and(|hash| {
            hash.len() == 43
                && hash
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        });
    match Url::parse(text) {
        Ok(url) if well_formed => Ok(url),
        _ => Err(wrong(
            "native_origins",
            "must be android:apk-key-hash: and 43 characters of base64url; applications of Apple have web origins",
        )),
    }
}

fn insecure(problem: PasskeyProblem) -> KeyplateError {
    wrong(
        "origin",
        match problem {
            PasskeyProblem::IpAddress => {
                "is an IP address, where passkeys cannot work: use a host name, or allow_insecure_origin to do without"
            }
            PasskeyProblem::InsecureOrigin => {
                "is neither https nor localhost, where passkeys cannot work: use https, or allow_insecure_origin to do without"
            }
        },
    )
}

/// P6: other passkeys than these were registered.
pub(crate) fn other_rp_id(ours: &str, stored: &str) -> KeyplateError {
    KeyplateError::Configuration {
        option: "rp_id".to_owned(),
        reason: format!(
            "the passkeys in this database are of the RP id {stored} and cannot work under {ours}: keep the former \
             origin or RP id, or set accept_rp_id_change, by which everybody registers a new one"
        ),
    }
}

fn wrong(option: &str, reason: &str) -> KeyplateError {
    KeyplateError::Configuration {
        option: option.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(origin: &str, change: impl FnOnce(&mut Config)) -> Result<RelyingParty> {
        let mut config = Config {
            origin: origin.to_owned(),
            ..Config::default()
        };
        change(&mut config);
        RelyingParty::of(&config)
    }

    fn refused(result: Result<RelyingParty>) -> Option<String> {
        result.err().and_then(|error| error.field())
    }

    #[test]
    fn origins() {
        for (good, id) in [
            ("https://a.example", "a.example"),
            ("http://localhost:1411", "localhost"),
            ("http://media.localhost", "media.localhost"),
            ("https://a.example:8443", "a.example"),
        ] {
            let party = party(good, |_| {}).map(|party| (party.id, party.problem));
            assert_eq!(party, Ok((id.to_owned(), None)), "{good}");
        }
        for bad in [
            "",
            "a.example",
            "ftp://a",
            "https://",
            "https://a/",
            "https://a/b",
            "https://A.example",
            "https://a:0",
            "https://a:x",
            "https://[::g]",
            "https://a b",
            "https://u@a",
            "https://a?q",
            "https://a:99999",
        ] {
            assert_eq!(
                refused(party(bad, |_| {})).as_deref(),
                Some("origin"),
                "{bad}"
            );
        }
    }

    #[test]
    fn where_passkeys_cannot_work() {
        for (origin, problem) in [
            ("http://media.lan", PasskeyProblem::InsecureOrigin),
            ("http://192.0.2.1:1411", PasskeyProblem::IpAddress),
            ("https://192.0.2.1", PasskeyProblem::IpAddress),
            ("https://[::1]:8443", PasskeyProblem::IpAddress),
            ("http://127.0.0.1", PasskeyProblem::IpAddress),
        ] {
            assert_eq!(refused(party(origin, |_| {})).as_deref(), Some("origin"));
            let allowed = party(origin, |config| config.allow_insecure_origin = true).unwrap();
            assert_eq!(allowed.problem, Some(problem), "{origin}");
            assert!(party(origin, |config| config.maintenance = true).is_ok());
        }
    }

    #[test]
    fn an_rp_id_is_of_the_origin() {
        let with = |id: &str| {
            party("https://media.home.example", |c| {
                c.rp_id = Some(id.to_owned())
            })
        };
        for good in ["media.home.example", "home.example", "Home.Example"] {
            assert!(with(good).is_ok(), "{good}");
        }
        for bad in [
            "example",
            "ome.example",
            "other.example",
            "x.media.home.example",
            "",
        ] {
            assert_eq!(refused(with(bad)).as_deref(), Some("rp_id"), "{bad}");
        }
    }

    #[test]
    fn further_origins() {
        let more = |origin: &str| {
            party("https://home.example", |c| {
                c.more_origins = vec![origin.to_owned()]
            })
        };
        assert!(more("https://media.home.example:8443").is_ok());
        for bad in [
            "http://media.home.example",
            "https://other.example",
            "media.home.example",
        ] {
            assert_eq!(refused(more(bad)).as_deref(), Some("more_origins"), "{bad}");
        }
        let related = |origin: &str| {
            party("https://home.example", |c| {
                c.related_origins = vec![origin.to_owned()]
            })
        };
        assert!(related("https://other.example").is_ok());
        assert_eq!(
            refused(related("http://other.example")).as_deref(),
            Some("related_origins")
        );
        let native = |origin: &str| {
            party("https://home.example", |c| {
                c.native_origins = vec![origin.to_owned()]
            })
        };
        assert!(native(&format!("android:apk-key-hash:{}", "a".repeat(43))).is_ok());
        for bad in [
            "android:apk-key-hash:abc",
            "https://home.example",
            "ios:bundle-id:x",
        ] {
            assert_eq!(
                refused(native(bad)).as_deref(),
                Some("native_origins"),
                "{bad}"
            );
        }
    }
}
