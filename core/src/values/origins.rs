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

/// A web origin: scheme, host, perhaps a port.
pub(crate) struct Origin {
    pub(crate) url: Url,
    /// As browsers write it: small letters, an international name in its ASCII form, an address in its one form, and
    /// IPv6 with its brackets.
    pub(crate) host: String,
    /// As RFC 6454, section 6.2 has it and browsers send it: without the scheme's own port and without a path.
    pub(crate) text: String,
}

impl Origin {
    /// Reads what people write: the scheme's own port, a slash at the end and capital letters say nothing, and an
    /// international name is taken in its ASCII form (UTS 46).
    pub(crate) fn parse(option: &str, text: &str) -> Result<Self> {
        let authority = authority(text)
            .ok_or_else(|| configuration(option, ConfigurationReason::NotWebOrigin))?;
        let url = Url::parse(text).ok();
        let url = url.filter(|url| is_bare(authority) && url.port() != Some(0));
        let host = url.as_ref().and_then(Url::host_str);
        let host = host.filter(|host| is_host(host)).map(str::to_owned);
        url.zip(host)
            .map(|(url, host)| Self {
                text: url.origin().ascii_serialization(),
                url,
                host,
            })
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

/// F2: the longest path that is kept, to come back to.
const MAX_RETURN_PATH: usize = 2_048;
/// What answers there is the way in itself.
const ENTRANCE: &str = "/.keyplate";

/// A path with its query, which leads to no other host however a browser reads it; `/` for what is none.
pub(crate) fn local_path(text: &str) -> String {
    let is_good = |b: u8| b.is_ascii_graphic() && b != b'\\' && b != b'#';
    let leads_back = text.starts_with(ENTRANCE);
    let is_local = text.starts_with('/') && !text.starts_with("//") && !leads_back;
    if is_local && text.len() <= MAX_RETURN_PATH && text.bytes().all(is_good) {
        text.to_owned()
    } else {
        "/".to_owned()
    }
}

/// An RP id in the form of an origin's host. What is none is given back as it is, and is above no origin.
pub(crate) fn rp_id(text: &str) -> String {
    let is_bare = !text.contains([':', '/']);
    let host = is_bare.then(|| Origin::parse("rp_id", &format!("https://{text}")).ok());
    let host = host.flatten().map(|origin| origin.host);
    host.unwrap_or_else(|| text.to_owned())
}

/// What stands after the scheme of a web origin, without a slash at its end.
fn authority(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    let is_web = ["https", "http"]
        .iter()
        .any(|s| s.eq_ignore_ascii_case(scheme));
    is_web.then(|| rest.strip_suffix('/').unwrap_or(rest))
}

/// Is there a host and perhaps a port, and nothing else? `Url` would leave out white space, take a backslash for a slash,
/// and read a user, escapes and a path.
fn is_bare(authority: &str) -> bool {
    let is_other = |c: char| c.is_whitespace() || c.is_control() || "/\\?#@%".contains(c);
    !authority.contains(is_other) && !authority.ends_with(':')
}

/// Is this, as `Url` gives it, an address or a name that DNS has?
fn is_host(host: &str) -> bool {
    let is_good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    host.starts_with('[')
        || host
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(is_good))
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
