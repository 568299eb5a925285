//! Cookies: that of the session, and those that hold a ceremony for a while.

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use keyplate::SignedIn;

use crate::http::app::App;

/// The session's.
pub(super) const SESSION: &str = "access_token";

/// A cookie to be set. Scripts cannot read it, and it goes to no other host.
#[derive(Debug)]
pub(super) struct Cookie<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    pub(super) seconds: u64,
    pub(super) same_site: &'static str,
}

impl Cookie<'_> {
    pub(super) fn add_to(&self, response: &mut Response, app: &App) {
        let name = full_name(app, self.name);
        let Self { value, seconds, .. } = self;
        let same_site = self.same_site;
        let secure = if app.origins().are_secure() {
            "; Secure"
        } else {
            ""
        };
        let cookie = format!(
            "{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}"
        );
        let cookie = HeaderValue::try_from(cookie).expect("values are letters, digits, - _ and .");
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// With the prefix, a browser takes a cookie only from this very host, over TLS.
fn full_name(app: &App, name: &str) -> String {
    let prefix = if app.origins().are_secure() {
        "__Host-"
    } else {
        ""
    };
    format!("{prefix}{name}")
}

/// What a request brings under this name.
pub(super) fn read(app: &App, headers: &HeaderMap, name: &str) -> Option<String> {
    let name = full_name(app, name);
    let lines = headers.get_all(header::COOKIE).iter();
    let mut pairs = lines
        .flat_map(|line| line.as_bytes().split(|b| *b == b';'))
        .map(String::from_utf8_lossy)
        .filter_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        });
    pairs.find(|value| !value.is_empty())
}

/// Gives the browser its session, before any other cookie: scripts take the token out of the first one.
pub(crate) fn set_session(response: &mut Response, app: &App, signed_in: &SignedIn) {
    let session = &signed_in.session;
    // A step-up gives a new token to a session that has lived for a while.
    let since = session.stepped_up_at.unwrap_or(session.signed_in_at);
    let lifetime = session.expires_at.duration_since(since);
    let cookie = Cookie {
        name: SESSION,
        value: signed_in.secret.as_str(),
        seconds: lifetime.map_or(0, |lifetime| lifetime.as_secs()),
        same_site: "Lax",
    };
    cookie.add_to(response, app);
}

/// Takes the session's cookie away.
pub(crate) fn without_session(mut response: Response, app: &App) -> Response {
    let cookie = Cookie {
        name: SESSION,
        value: "",
        seconds: 0,
        same_site: "Lax",
    };
    cookie.add_to(&mut response, app);
    response
}
