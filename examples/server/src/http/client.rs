//! Where a request comes from.

use std::net::IpAddr;

use axum::http::{HeaderMap, header, request::Parts};
use keyplate::ClientInfo;

use crate::{http::app::App, options::network::Network};

/// The other end of a connection; every request carries it as an extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Beside that of a connection for which there is no place: it may ask for the health check alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reserve;

/// Address and user agent, for sessions and the audit log.
pub(crate) fn client_info(app: &App, parts: &Parts) -> ClientInfo {
    let peer = parts.extensions.get::<Peer>().map(|peer| peer.0);
    let user_agent = parts.headers.get(header::USER_AGENT);
    ClientInfo {
        address: peer.map(|peer| address(peer, &parts.headers, app.trusted_proxies()).to_string()),
        user_agent: user_agent.map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned()),
        device_name: None,
    }
}

/// Each proxy appends whom it heard from, so the list is read from its end, for as long as it is proxies of ours that
/// wrote it. Whatever stands before that anybody may have invented.
fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address| trusted.iter().any(|network| network.contains(address));
    let mut nearest = peer.to_canonical();
    let lines: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|line| line.to_str().ok())
        .collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !is_trusted(nearest) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(address) => nearest = address.to_canonical(),
            Err(_) => break,
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn forwarded(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_header_is_believed_as_far_as_trusted_proxies_wrote_it() {
        let proxies: Vec<Network> =
            vec!["127.0.0.1".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        let client =
            |peer: &str, lines: &[&str]| address(ip(peer), &forwarded(lines), &proxies).to_string();
        assert_eq!(client("127.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("198.51.100.1", &["203.0.113.9"]), "198.51.100.1");
        assert_eq!(
            client("127.0.0.1", &["1.1.1.1, 203.0.113.9, 10.1.1.1"]),
            "203.0.113.9"
        );
        assert_eq!(
            client("127.0.0.1", &["1.1.1.1", "203.0.113.9"]),
            "203.0.113.9"
        );
        assert_eq!(client("127.0.0.1", &["1.1.1.1, rubbish"]), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &[]), "127.0.0.1");
    }
}
