//! Where a request comes from.

use std::{net::IpAddr, sync::Once};

use axum::http::{HeaderMap, HeaderName, header, request::Parts};
use keyplate::{ClientInfo, client_address};

use crate::{http::app::App, log, options::network::Network};

/// What the library, too, calls a client that no address is known of.
const UNKNOWN: &str = "unknown";

/// The other end of a connection; every request carries it as an extension.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Peer {
    Address(IpAddr),
    /// Of this machine, through a Unix socket.
    UnixSocket,
}

impl Peer {
    /// Does it speak for others?
    pub(crate) fn is_proxy(self, trusted: &[Network]) -> bool {
        trusted.iter().any(|network| match self {
            Self::Address(address) => network.contains(address),
            Self::UnixSocket => *network == Network::UnixSockets,
        })
    }
}

/// Beside that of a connection for which there is no place: it may ask for the health check alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reserve;

/// Address and user agent, for sessions and the audit log.
pub(crate) fn client_info(app: &App, parts: &Parts) -> ClientInfo {
    let peer = parts.extensions.get::<Peer>().copied();
    let user_agent = parts.headers.get(header::USER_AGENT);
    ClientInfo {
        address: peer.map(|peer| {
            let address = address(peer, &parts.headers, app.trusted_proxies());
            address.map_or_else(|| UNKNOWN.to_owned(), |address| address.to_string())
        }),
        user_agent: user_agent.map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned()),
        device_name: None,
    }
}

/// Each proxy appends whom it heard from, so the list is read from its end, for as long as it is proxies of ours that
/// wrote it. Whatever stands before that anybody may have invented. None where a proxy of ours names no address.
fn address(peer: Peer, headers: &HeaderMap, trusted: &[Network]) -> Option<IpAddr> {
    let mut nearest = peer;
    let mut hops = hops(headers);
    while nearest.is_proxy(trusted) {
        match hops.pop() {
            None => break,
            Some(hop) => nearest = Peer::Address(read(&hop)?),
        }
    }
    match nearest {
        Peer::Address(address) => Some(address.to_canonical()),
        Peer::UnixSocket => None,
    }
}

/// Whom the proxies heard from, the nearest last. `Forwarded` counts only where there is no `X-Forwarded-For`: most
/// proxies write that one, and pass the other on as anybody sent it.
fn hops(headers: &HeaderMap) -> Vec<String> {
    let of = |name: HeaderName| {
        let lines = headers.get_all(name).iter();
        let lines: Vec<String> = lines
            .map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned())
            .collect();
        lines.join(",")
    };
    let x_forwarded_for = HeaderName::from_static("x-forwarded-for");
    if headers.contains_key(&x_forwarded_for) {
        let text = of(x_forwarded_for);
        let hops = text.split(',').map(str::trim);
        return hops
            .filter(|hop| !hop.is_empty())
            .map(str::to_owned)
            .collect();
    }
    let text = of(header::FORWARDED);
    let elements = split(&text, ',')
        .into_iter()
        .filter(|e| !e.trim().is_empty());
    elements
        .map(|element| forwarded_for(element).to_owned())
        .collect()
}

/// RFC 7239, section 4: what an element says of whom the proxy heard from; nothing where it does not tell.
fn forwarded_for(element: &str) -> &str {
    let pairs = split(element, ';').into_iter();
    let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    found.map_or("", |(_, value)| value.trim())
}

/// Splits where this is not between quotes.
fn split(text: &str, at: char) -> Vec<&str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(move |c: char| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match c {
            '\\' if is_quoted && !was_escaped => is_escaped = true,
            '"' if !was_escaped => is_quoted = !is_quoted,
            _ => return c == at && !is_quoted,
        }
        false
    });
    parts.collect()
}

/// The address of a hop. What is none is told once: it is the proxy's configuration that is wrong. `unknown` and hidden
/// names are none on purpose (RFC 7239, section 6).
fn read(hop: &str) -> Option<IpAddr> {
    static TOLD: Once = Once::new();
    let address = client_address(hop);
    let bare = hop.trim_matches('"');
    let is_meant = bare.starts_with('_') || bare.eq_ignore_ascii_case(UNKNOWN);
    if address.is_none() && !is_meant {
        TOLD.call_once(|| {
            log::line(format_args!(
                "warning: a trusted proxy named a client by what is no address; such clients are \"unknown\" and share \
                 their limits"
            ));
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn headers(name: &'static str, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            let value = HeaderValue::from_bytes(line.as_bytes());
            headers.append(name, value.unwrap());
        }
        headers
    }

    fn client(peer: &str, headers: &HeaderMap) -> String {
        let proxies: Vec<Network> = ["127.0.0.1", "10.0.0.0/8", "fe80::/10"]
            .map(|network| network.parse().unwrap())
            .to_vec();
        let found = address(Peer::Address(ip(peer)), headers, &proxies);
        found.map_or_else(|| UNKNOWN.to_owned(), |address| address.to_string())
    }

    #[test]
    fn the_header_is_believed_as_far_as_trusted_proxies_wrote_it() {
        let client = |peer: &str, lines: &[&str]| client(peer, &headers("x-forwarded-for", lines));
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
        assert_eq!(client("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &["", " , "]), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &["10.1.1.1"]), "10.1.1.1");
    }

    /// It has no address of its own, and says whose it speaks for only if it is told to be a proxy.
    #[test]
    fn a_unix_socket_has_the_address_that_a_proxy_names() {
        let proxies: Vec<Network> = ["unix", "10.0.0.0/8"]
            .map(|network| network.parse().unwrap())
            .to_vec();
        let named = headers("x-forwarded-for", &["1.1.1.1, 203.0.113.9, 10.1.1.1"]);
        let none = HeaderMap::new();
        let of = |headers, trusted| address(Peer::UnixSocket, headers, trusted);
        assert_eq!(of(&named, &proxies), Some(ip("203.0.113.9")));
        assert_eq!(of(&none, &proxies), None);
        assert_eq!(of(&named, &proxies[1..]), None);
    }

    #[test]
    fn an_address_is_understood_however_a_proxy_writes_it() {
        for (hop, address) in [
            ("203.0.113.9:51234", "203.0.113.9"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("2001:db8::1%eth0", "2001:db8::1"),
            ("203.0.113.9,", "203.0.113.9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("203.0.113.9, 10.1.1.1:80,", "203.0.113.9"),
            ("203.0.113.9, fe80::1%eth0", "203.0.113.9"),
            ("203.0.113.9, [::ffff:10.1.1.1]:80", "203.0.113.9"),
            // Nobody knows who that is; the proxy is not the client.
            ("1.1.1.1, rubbish", UNKNOWN),
            ("unknown", UNKNOWN),
            ("_hidden", UNKNOWN),
            ("1.1.1.1, unknown, 10.1.1.1", UNKNOWN),
            ("schl\u{fc}ssel", UNKNOWN),
        ] {
            let headers = headers("x-forwarded-for", &[hop]);
            assert_eq!(client("127.0.0.1", &headers), address, "{hop}");
            assert_eq!(client("::ffff:127.0.0.1", &headers), address, "{hop}");
            assert_eq!(client("198.51.100.1", &headers), "198.51.100.1", "{hop}");
        }
    }

    /// RFC 7239.
    #[test]
    fn forwarded_is_read_where_there_is_no_other() {
        for (lines, address) in [
            (&["for=203.0.113.9"][..], "203.0.113.9"),
            (&["For=\"[2001:db8:cafe::17]:4711\""], "2001:db8:cafe::17"),
            (&["for=192.0.2.60;proto=http;by=203.0.113.43"], "192.0.2.60"),
            (&["proto=https; FOR = \"192.0.2.60:80\" "], "192.0.2.60"),
            (&["for=192.0.2.43, for=\"[2001:db8::17]\""], "2001:db8::17"),
            (&["for=1.1.1.1, for=192.0.2.43,for=10.1.1.1,"], "192.0.2.43"),
            (&["for=1.1.1.1", "for=192.0.2.43"], "192.0.2.43"),
            (&["for=192.0.2.43;host=\"a,b;for=1.1.1.1\""], "192.0.2.43"),
            (&["host=\"a\\\",for=1.1.1.1\";for=192.0.2.43"], "192.0.2.43"),
            (&["for=unknown"], UNKNOWN),
            (&["for=_SEVKISEK"], UNKNOWN),
            (&["for=\"_gazonk:80\""], UNKNOWN),
            (&["for=1.1.1.1, proto=https"], UNKNOWN),
            (&["for=1.1.1.1, for="], UNKNOWN),
            (&["203.0.113.9"], UNKNOWN),
            (&[""], "127.0.0.1"),
        ] {
            let headers = headers("forwarded", lines);
            assert_eq!(client("127.0.0.1", &headers), address, "{lines:?}");
            assert_eq!(client("198.51.100.1", &headers), "198.51.100.1");
        }
        let mut both = headers("x-forwarded-for", &["203.0.113.9"]);
        both.append("forwarded", "for=1.1.1.1".parse().unwrap());
        assert_eq!(client("127.0.0.1", &both), "203.0.113.9");
    }
}
