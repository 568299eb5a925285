//! What a reverse proxy asks about: the request that it holds back, as each kind of proxy tells of it (F1).

use axum::http::{HeaderMap, Method, Uri};

/// All that is answered on a service's host is under this path.
pub(crate) const ENTRANCE: &str = "/.keyplate";

/// A reverse proxy that asks before it lets a request through, by the name that its operator writes into the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proxy {
    /// `auth_request`: it passes a status on, and a header if it is told to.
    Nginx,
    /// `forward_auth`: it passes whole answers on.
    Caddy,
    /// `forwardAuth`: as Caddy does.
    Traefik,
}

/// The request that a proxy holds back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// Scheme, host and perhaps a port.
    pub(crate) origin: String,
    /// With its query.
    pub(crate) path: String,
}

impl Proxy {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "nginx" => Some(Self::Nginx),
            "caddy" => Some(Self::Caddy),
            "traefik" => Some(Self::Traefik),
            _ => None,
        }
    }

    /// None where the proxy does not tell, or tells more than once: then somebody else may have.
    pub(crate) fn asks(self, headers: &HeaderMap) -> Option<Asked> {
        match self {
            Self::Nginx => {
                let url = one(headers, "x-original-url")?;
                let method = one(headers, "x-original-method")?;
                let (scheme, rest) = url.split_once("://")?;
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                let (host, path) = rest.split_at(end);
                Asked::new(method, scheme, host, path)
            }
            Self::Caddy | Self::Traefik => Asked::new(
                one(headers, "x-forwarded-method")?,
                one(headers, "x-forwarded-proto")?,
                one(headers, "x-forwarded-host")?,
                one(headers, "x-forwarded-uri")?,
            ),
        }
    }
}

impl Asked {
    fn new(method: &str, scheme: &str, host: &str, path: &str) -> Option<Self> {
        // Traefik says how a WebSocket is reached.
        let scheme = match scheme {
            "https" | "wss" => "https",
            "http" | "ws" => "http",
            _ => return None,
        };
        let is_bare = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
        let is_host = !host.is_empty() && host.bytes().all(is_bare);
        let path = if path.is_empty() { "/" } else { path };
        let is_path = path.starts_with('/') && path.parse::<Uri>().is_ok();
        (is_host && is_path).then_some(Self {
            method: method.parse().ok()?,
            origin: format!("{scheme}://{host}"),
            path: path.to_owned(),
        })
    }

    /// Is it about the way in itself, however that is written? It must never seem to be the service's (F1).
    pub(crate) fn is_of_entrance(&self) -> bool {
        let path = self.path.split('?').next().unwrap_or_default();
        let once = unescaped(path);
        let twice = unescaped(&once);
        [path, &once, &twice].into_iter().any(|path| {
            let mut parts = path
                .split(['/', '\\'])
                .filter(|part| !part.is_empty() && *part != "." && *part != "..");
            // What dots lead to depends on who reads them, so no part at all may have this name.
            parts.any(|part| {
                part.split(';')
                    .next()
                    .unwrap_or(part)
                    .eq_ignore_ascii_case(".keyplate")
            })
        })
    }
}

/// F3: a header that the service would take for ours. Servers behind a proxy read `_` as `-`.
pub(crate) fn has_header_of_ours(headers: &HeaderMap) -> bool {
    headers
        .keys()
        .any(|name| name.as_str().replace('_', "-").starts_with("remote-"))
}

/// The value of a header that is there once.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// A path whose escapes are read.
fn unescaped(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, more)) = rest.split_first() {
        let escaped = more.get(..2).filter(|_| first == b'%');
        let byte = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &more[2..] } else { more };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn asked(origin: &str, path: &str) -> Option<Asked> {
        Some(Asked {
            method: Method::GET,
            origin: origin.to_owned(),
            path: path.to_owned(),
        })
    }

    #[test]
    fn nginx_tells_by_two_headers() {
        let ask = |url: &str| {
            let lines = [("x-original-method", "GET"), ("x-original-url", url)];
            Proxy::Nginx.asks(&headers(&lines))
        };
        for (url, origin, path) in [
            ("https://films.example/", "https://films.example", "/"),
            ("https://films.example", "https://films.example", "/"),
            (
                "https://films.example:8443/a?b=c",
                "https://films.example:8443",
                "/a?b=c",
            ),
            ("http://[::1]:80/a", "http://[::1]:80", "/a"),
        ] {
            assert_eq!(ask(url), asked(origin, path), "{url}");
        }
        for other in [
            "",
            "/a",
            "films.example/a",
            "ftp://films.example/",
            "https:///a",
            "https://me@films.example/",
            "https://films.example\\@evil/",
            "https://films.example?a",
            "https://films.example, evil.example/",
        ] {
            assert_eq!(ask(other), None, "{other}");
        }
        let twice = [
            ("x-original-method", "GET"),
            ("x-original-url", "https://films.example/"),
            ("x-original-url", "https://evil.example/"),
        ];
        assert_eq!(Proxy::Nginx.asks(&headers(&twice)), None);
        assert_eq!(Proxy::Nginx.asks(&headers(&twice[..1])), None);
    }

    #[test]
    fn the_others_tell_by_four() {
        let ask = |proto: &str, host: &str, uri: &str| {
            let lines = [
                ("x-forwarded-method", "GET"),
                ("x-forwarded-proto", proto),
                ("x-forwarded-host", host),
                ("x-forwarded-uri", uri),
            ];
            let headers = headers(&lines);
            assert_eq!(Proxy::Caddy.asks(&headers), Proxy::Traefik.asks(&headers));
            Proxy::Traefik.asks(&headers)
        };
        let films = asked("https://films.example", "/a?b");
        assert_eq!(ask("https", "films.example", "/a?b"), films);
        assert_eq!(ask("wss", "films.example", "/a?b"), films);
        for (proto, host, uri) in [
            ("https", "films.example", "a"),
            ("https", "films.example, evil.example", "/"),
            ("https", "", "/"),
            ("https, http", "films.example", "/"),
            ("https", "films.example", "https://evil.example/"),
        ] {
            assert_eq!(ask(proto, host, uri), None, "{proto} {host} {uri}");
        }
        assert_eq!(Proxy::Caddy.asks(&HeaderMap::new()), None);
    }

    #[test]
    fn the_way_in_is_known_however_it_is_written() {
        let is = |path: &str| {
            asked("https://films.example", path)
                .unwrap()
                .is_of_entrance()
        };
        for path in [
            "/.keyplate",
            "/.keyplate/",
            "/.keyplate/start?x=1",
            "//.keyplate/start",
            "/./.keyplate/start",
            "/a/../.keyplate/start",
            "/%2ekeyplate/start",
            "/%2Ekeyplate/start",
            "/%252ekeyplate/start",
            "/.KEYPLATE/start",
            "/.keyplate%2fstart",
            "/.keyplate;a=b/start",
            "/a%2f..%2f.keyplate/start",
            "/\\.keyplate",
        ] {
            assert!(is(path), "{path}");
        }
        for path in [
            "/",
            "/keyplate",
            "/.keyplates",
            "/a?p=/.keyplate/start",
            "/%",
            "/%zz",
        ] {
            assert!(!is(path), "{path}");
        }
    }

    #[test]
    fn headers_of_ours_are_known_however_they_are_written() {
        for (name, is_ours) in [
            ("remote-user", true),
            ("remote_user", true),
            ("remote-groups", true),
            ("remote-anything", true),
            ("x-remote-user", false),
            ("remote", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, "x".parse().unwrap());
            assert_eq!(has_header_of_ours(&headers), is_ours, "{name}");
        }
    }
}
