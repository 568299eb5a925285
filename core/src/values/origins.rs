use std::net::{Ipv4Addr, Ipv6Addr};

use url::Url;

use crate::error::{Result, configuration};

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

/// An origin as RFC 6454, section 6.2 writes it: scheme, host, perhaps a port, and nothing after it.
pub(crate) struct Origin {
    pub(crate) url: Url,
    pub(crate) host: String,
    is_https: bool,
    is_address: bool,
}

impl Origin {
    pub(crate) fn parse(option: &str, text: &str) -> Result<Self> {
        let scheme = ["https://", "http://"]
            .into_iter()
            .find(|scheme| text.starts_with(scheme))
            .ok_or_else(|| configuration(option, "must begin with https:// or http://"))?;
        let host = host_of(&text[scheme.len()..]);
        let (Some(host), Ok(url)) = (host, Url::parse(text)) else {
            return Err(configuration(
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
    pub(crate) fn problem(&self) -> Option<PasskeyProblem> {
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
    pub(crate) fn is_within(&self, rp_id: &str) -> bool {
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
pub(crate) fn native_origin(text: &str) -> Result<Url> {
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
        _ => Err(configuration(
            "native_origins",
            "must be android:apk-key-hash: and 43 characters of base64url; applications of Apple have web origins",
        )),
    }
}
