//! Web origins and origins of applications, and whether passkeys can work there (P6).

use url::{Host, Url};

use crate::error::{ConfigurationReason, Result, configuration};

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
    /// As browsers write it: an address has one form only, and IPv6 its brackets.
    pub(crate) host: String,
}

impl Origin {
    pub(crate) fn parse(option: &str, text: &str) -> Result<Self> {
        let authority = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .ok_or_else(|| configuration(option, ConfigurationReason::NotWebOrigin))?;
        let url = Url::parse(text).ok();
        let url = url.filter(|url| is_bare(authority) && url.port() != Some(0));
        let host = url.as_ref().and_then(Url::host_str).map(str::to_owned);
        url.zip(host)
            .map(|(url, host)| Self { url, host })
            .ok_or_else(|| configuration(option, ConfigurationReason::NotOrigin))
    }

    /// Secure Contexts, section 3.1, and WebAuthn's rule that an RP id is a domain.
    pub(crate) fn problem(&self) -> Option<PasskeyProblem> {
        let Some(Host::Domain(name)) = self.url.host() else {
            return Some(PasskeyProblem::IpAddress);
        };
        let is_local = name == "localhost" || name.ends_with(".localhost");
        (!is_local && self.url.scheme() != "https").then_some(PasskeyProblem::InsecureOrigin)
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

/// Is there a host and perhaps a port, and nothing else? `Url` would mend capital letters and white space, and take a
/// user, a path, and names that no DNS has.
fn is_bare(authority: &str) -> bool {
    let is_good = match authority.starts_with('[') {
        true => |b: u8| b.is_ascii_hexdigit() || b"[]:.".contains(&b),
        false => |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:".contains(&b),
    };
    let name = authority.split(':').next().unwrap_or_default();
    authority.bytes().all(is_good)
        && name.split('.').all(|label| !label.is_empty())
        && !authority.ends_with(':')
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
            ConfigurationReason::NotNativeOrigin,
        )),
    }
}
