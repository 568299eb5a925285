//! Cookies: that of the session, and those that hold a ceremony for a while.

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use cookie::{Cookie, SameSite};
use keyplate::SignedIn;
use time::Duration;

use crate::http::app::App;

/// The session's.
pub(super) const SESSION: &str = "access_token";
/// On a service's host: that of its own session, and of the browser that is to enter.
pub(crate) const SERVICE: &str = "keyplate-service";
pub(crate) const NONCE: &str = "keyplate-nonce";

/// Sets a cookie that scripts cannot read, and that goes to no other host.
pub(super) fn set(response: &mut Response, app: &App, mut cookie: Cookie<'_>) {
    cookie.set_name(full_name(app, cookie.name()));
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_secure(app.origins().are_secure());
    let cookie = HeaderValue::try_from(cookie.to_string());
    let cookie = cookie.expect("values are letters, digits, - _ and .");
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

/// With `__Host-`, a browser takes a cookie only from this very host, over TLS. Cookies know no ports: without TLS the name
/// tells which server of a host it is of, so that two of them do not sign each other's people out. No other name is read;
/// what stands under it anybody on another port may have written.
fn full_name(app: &App, name: &str) -> String {
    let origins = app.origins();
    if origins.are_secure() {
        format!("__Host-{name}")
    } else {
        format!("keyplate-{}-{name}", origins.own_port())
    }
}

/// What a request brings under this name.
pub(super) fn read(app: &App, headers: &HeaderMap, name: &str) -> Option<String> {
    let name = full_name(app, name);
    // Whoever sends several of one name, or empty ones, gets the first that says something.
    brought(headers)
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}

/// What a request brings under names that begin so: the rest of each name, and the value.
pub(super) fn read_all(app: &App, headers: &HeaderMap, prefix: &str) -> Vec<(String, String)> {
    let prefix = full_name(app, prefix);
    brought(headers)
        .filter_map(|cookie| {
            let rest = cookie.name().strip_prefix(&prefix)?.to_owned();
            let is_ours = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            rest.chars()
                .all(is_ours)
                .then(|| (rest, cookie.value().to_owned()))
        })
        .collect()
}

fn brought(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'static>> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines
        .flat_map(|line| Cookie::split_parse(String::from_utf8_lossy(line.as_bytes()).into_owned()))
        .filter_map(Result::ok)
        .filter(|cookie| !cookie.value().is_empty())
}

/// Gives the browser its session, before any other cookie: scripts take the token out of the first one.
pub(crate) fn set_session(response: &mut Response, app: &App, signed_in: &SignedIn) {
    let session = &signed_in.session;
    // A step-up gives a new token to a session that has lived for a while.
    let since = session.stepped_up_at.unwrap_or(session.signed_in_at);
    let lifetime = session.expires_at.duration_since(since).unwrap_or_default();
    let lifetime = lifetime.try_into().unwrap_or(Duration::MAX);
    set(
        response,
        app,
        of_session(signed_in.secret.as_str(), lifetime),
    );
}

/// Takes the session's cookie away.
pub(crate) fn without_session(mut response: Response, app: &App) -> Response {
    set(&mut response, app, of_session("", Duration::ZERO));
    response
}

/// F2: what a request brings under this name on the host of a service, whose origin this is.
pub(crate) fn read_of_service(headers: &HeaderMap, origin: &str, name: &str) -> Option<String> {
    let name = name_at(origin, name);
    brought(headers)
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}

/// F2: the cookies of a request on a service's host without ours, as the service may see them.
pub(crate) fn of_others(headers: &HeaderMap) -> HeaderValue {
    let lines = headers.get_all(header::COOKIE).iter();
    let cookies = lines.flat_map(|line| line.as_bytes().split(|&b| b == b';'));
    let others: Vec<&[u8]> = cookies
        .map(<[u8]>::trim_ascii)
        .filter(|cookie| !cookie.is_empty() && !is_ours(cookie))
        .collect();
    HeaderValue::from_bytes(&others.join(&b"; "[..])).expect("these are parts of such values")
}

fn is_ours(cookie: &[u8]) -> bool {
    let name = cookie.strip_prefix(b"__Host-").unwrap_or(cookie);
    name.starts_with(b"keyplate-")
}

/// Sets a cookie there, for that host alone.
pub(crate) fn set_of_service(
    response: &mut Response,
    origin: &str,
    name: &str,
    value: &str,
    lifetime: std::time::Duration,
) {
    let lifetime = lifetime.try_into().unwrap_or(Duration::MAX);
    let cookie = Cookie::build((name_at(origin, name), value))
        .path("/")
        .http_only(true)
        .secure(is_secure(origin))
        .max_age(lifetime)
        .same_site(SameSite::Lax)
        .build();
    let cookie = HeaderValue::try_from(cookie.to_string());
    let cookie = cookie.expect("values are letters, digits, - _ and .");
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

fn name_at(origin: &str, name: &str) -> String {
    match is_secure(origin) {
        true => format!("__Host-{name}"),
        false => name.to_owned(),
    }
}

fn is_secure(origin: &str) -> bool {
    origin.starts_with("https://")
}

fn of_session(value: &str, lifetime: Duration) -> Cookie<'_> {
    Cookie::build((SESSION, value))
        .max_age(lifetime)
        .same_site(SameSite::Lax)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_sees_all_cookies_but_ours() {
        for (lines, others) in [
            (&[][..], ""),
            (&["a=1; b=2"], "a=1; b=2"),
            (&["a=1;b=2 ; c"], "a=1; b=2; c"),
            (&["__Host-keyplate-service=x"], ""),
            (&["a=1; __Host-keyplate-service=x; b=2"], "a=1; b=2"),
            (&["keyplate-nonce=y; keyplate-service=x; b=2"], "b=2"),
            (
                &["a=1; keyplate-service=x", "__Host-keyplate-nonce=y; b=2"],
                "a=1; b=2",
            ),
            (
                &["xkeyplate-service=1; a=keyplate-service=1"],
                "xkeyplate-service=1; a=keyplate-service=1",
            ),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_static(line));
            }
            assert_eq!(of_others(&headers), others, "{lines:?}");
        }
    }
}
