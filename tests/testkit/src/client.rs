//! The browser's part: may this origin use this RP id, and the client data.

use std::net::IpAddr;

use ring::digest::{SHA256, digest};
use serde::Serialize;

use crate::{Authenticator, CeremonyError, Spoil, base64url};

/// `clientDataJSON`, and the hash of it that is signed.
pub(crate) struct ClientData {
    pub(crate) json: Vec<u8>,
    pub(crate) hash: Vec<u8>,
}

/// The members in the order that section 5.8.1.1 lays down.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    challenge: String,
    origin: &'a str,
    cross_origin: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_origin: Option<&'a str>,
}

impl ClientData {
    pub(crate) fn new(kind: &str, challenge: &[u8], origin: &str, spoil: &Spoil) -> Self {
        let members = Members {
            kind: spoil.client_data_type.as_deref().unwrap_or(kind),
            challenge: base64url::encode(spoil.challenge.as_deref().unwrap_or(challenge)),
            origin: spoil.origin.as_deref().unwrap_or(origin),
            cross_origin: spoil.cross_origin,
            top_origin: spoil.top_origin.as_deref(),
        };
        let json = match &spoil.client_data {
            Some(bytes) => bytes.clone(),
            None => serde_json::to_vec(&members).expect("texts and booleans"),
        };
        let hash = digest(&SHA256, &json).as_ref().to_vec();
        Self { json, hash }
    }
}

/// The RP id of a ceremony, which is the origin's domain unless the options name one (sections 5.1.3 and 5.1.4.1).
///
/// There is no list of public suffixes here: only an RP id of a single label is taken for one.
pub(crate) fn rp_id(
    authenticator: &Authenticator,
    origin: &str,
    wanted: Option<&str>,
) -> Result<String, CeremonyError> {
    let Some(host) = web_host(origin)? else {
        // An app, such as `android:apk-key-hash:…`: the platform asks the domain whether it is known.
        let no_id = || CeremonyError::Security("an app's options must name the RP id".to_owned());
        return wanted.map(str::to_owned).ok_or_else(no_id);
    };
    let Some(wanted) = wanted else {
        return Ok(host.to_owned());
    };
    let is_parent = || {
        let parent = host.strip_suffix(wanted);
        parent.is_some_and(|rest| rest.ends_with('.')) && wanted.contains('.')
    };
    let is_related = || {
        authenticator
            .related_origins
            .iter()
            .any(|one| one == origin)
    };
    if host == wanted || is_parent() || is_related() {
        Ok(wanted.to_owned())
    } else {
        let text = format!("the origin {origin} may not use the RP id {wanted}");
        Err(CeremonyError::Security(text))
    }
}

/// The domain of a web origin that is a secure context; `None` for an app's origin.
fn web_host(origin: &str) -> Result<Option<&str>, CeremonyError> {
    let (secure, authority) = match origin.split_once("://") {
        Some(("https", authority)) => (true, authority),
        Some(("http", authority)) => (false, authority),
        _ => return Ok(None),
    };
    let host = authority
        .split_once(':')
        .map_or(authority, |(host, _)| host);
    let refused = |what: &str| Err(CeremonyError::Security(format!("{origin} {what}")));
    if authority.contains(['/', '?', '#', '@']) || host.is_empty() {
        return refused("is no origin: scheme, host and perhaps a port");
    }
    if authority.starts_with('[') || host.parse::<IpAddr>().is_ok() {
        return refused("is an IP address, which cannot be an RP id");
    }
    if !secure && host != "localhost" && !host.ends_with(".localhost") {
        return refused("is no secure context");
    }
    Ok(Some(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_uses_its_own_domain_and_its_parents() {
        let authenticator = Authenticator::new();
        let accepted = [
            ("https://example.org", None, "example.org"),
            ("https://a.example.org:8443", None, "a.example.org"),
            ("https://a.example.org", Some("example.org"), "example.org"),
            ("http://localhost:1411", Some("localhost"), "localhost"),
            ("http://tv.localhost", Some("tv.localhost"), "tv.localhost"),
            (
                "android:apk-key-hash:AAAA",
                Some("example.org"),
                "example.org",
            ),
        ];
        for (origin, wanted, expected) in accepted {
            assert_eq!(
                rp_id(&authenticator, origin, wanted).as_deref(),
                Ok(expected),
                "{origin}"
            );
        }
    }

    #[test]
    fn an_origin_uses_no_other_domain() {
        let authenticator = Authenticator::new();
        let refused = [
            ("https://example.org", Some("a.example.org")),
            ("https://badexample.org", Some("example.org")),
            ("https://example.org", Some("org")),
            ("https://example.org", Some("")),
            ("https://example.org/", None),
            ("https://me@example.org", None),
            ("https://", None),
            ("http://example.org", None),
            ("https://192.0.2.1", None),
            ("http://127.0.0.1:1411", None),
            ("https://[::1]", None),
            ("android:apk-key-hash:AAAA", None),
        ];
        for (origin, wanted) in refused {
            let result = rp_id(&authenticator, origin, wanted);
            assert!(
                matches!(result, Err(CeremonyError::Security(_))),
                "{origin}: {result:?}"
            );
        }
    }

    #[test]
    fn a_related_origin_uses_the_rp_id() {
        let mut authenticator = Authenticator::new();
        let ask = |authenticator: &Authenticator| {
            rp_id(authenticator, "https://example.net", Some("example.org"))
        };
        assert!(ask(&authenticator).is_err());
        authenticator
            .related_origins
            .push("https://example.net".to_owned());
        assert_eq!(ask(&authenticator).as_deref(), Ok("example.org"));
    }
}
