//! The cookies that hold passkey ceremonies between their two requests: one for each ceremony, named by its id, so that
//! tabs do not disturb each other.

use std::cmp::Reverse;

use axum::{
    http::{HeaderMap, StatusCode},
    response::Response,
};
use cookie::{Cookie, SameSite};
use keyplate::{KeyplateError, PasskeyCeremony, PasskeyFailure};
use time::{Duration, OffsetDateTime};

use crate::http::{
    answer::{self, Answer},
    app::App,
    cookie as cookies,
    error::Failure,
};

/// P2: twice the five minutes that a ceremony has, so that whoever comes too late is told so.
const LIFETIME: Duration = Duration::minutes(10);
/// So many of a kind stay with a browser. Servers and proxies take only so much in a request's headers.
const MOST: usize = 4;

/// What a ceremony is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Register,
    Login,
    Reauthenticate,
    SignUp,
}

impl Kind {
    /// What the names of its cookies begin with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Register => "ceremony-register-",
            Self::Login => "ceremony-login-",
            Self::Reauthenticate => "ceremony-reauthenticate-",
            Self::SignUp => "ceremony-signup-",
        }
    }
}

/// A ceremony that a browser has a cookie of.
#[derive(Debug)]
pub(crate) struct Kept {
    kind: Kind,
    id: String,
    /// When it expires, in milliseconds since 1970: cookies come in no order that can be relied on.
    until: i128,
    /// For the library.
    pub(crate) ceremony: String,
}

/// The options for the browser, as they are, and the cookie. Where there are too many by now, the oldest go.
pub(crate) fn begun(app: &App, kind: Kind, headers: &HeaderMap, begun: PasskeyCeremony) -> Answer {
    let mut response = answer::written(StatusCode::OK, begun.options.into());
    let until = OffsetDateTime::from(begun.expires_at).unix_timestamp_nanos() / 1_000_000;
    let value = format!("{until}.{}", begun.ceremony);
    set(app, kind, &begun.id, &mut response, &value, LIFETIME);
    let others = kept(app, kind, headers).into_iter().skip(MOST - 1);
    Ok(others.fold(response, |response, old| ended(app, &old, response)))
}

/// The ceremony that an answer belongs to. Of an answer that belongs to none of this browser's, the library says what is
/// wrong with it, as an answer to the last one.
pub(crate) fn answered(
    app: &App,
    kind: Kind,
    headers: &HeaderMap,
    response: &str,
) -> Result<Kept, Failure> {
    let told = app.keyplate().inspect_passkey_answer(response).ok();
    let mut kept = kept(app, kind, headers);
    let own = kept
        .iter()
        .position(|one| told.as_ref().is_some_and(|told| told.ceremony_id == one.id));
    if kept.is_empty() {
        let error = KeyplateError::from(PasskeyFailure::UnknownCeremony);
        return Err(Failure::from(error));
    }
    Ok(kept.swap_remove(own.unwrap_or(0)))
}

/// Takes the cookie away. Whoever sets the session's cookie has done so before: that one comes first.
pub(crate) fn ended(app: &App, kept: &Kept, mut response: Response) -> Response {
    set(app, kept.kind, &kept.id, &mut response, "", Duration::ZERO);
    response
}

/// Those that the browser has, the latest first.
fn kept(app: &App, kind: Kind, headers: &HeaderMap) -> Vec<Kept> {
    let cookies = cookies::read_all(app, headers, kind.prefix()).into_iter();
    let read = |(id, value): (String, String)| {
        let (until, ceremony) = value.split_once('.')?;
        Some(Kept {
            kind,
            id,
            until: until.parse().ok()?,
            ceremony: ceremony.to_owned(),
        })
    };
    let mut kept: Vec<Kept> = cookies.filter_map(read).collect();
    kept.sort_by_key(|one| Reverse(one.until));
    kept
}

fn set(app: &App, kind: Kind, id: &str, response: &mut Response, value: &str, lifetime: Duration) {
    let cookie = Cookie::build((format!("{}{id}", kind.prefix()), value))
        .max_age(lifetime)
        .same_site(SameSite::Strict);
    cookies::set(response, app, cookie.into());
}
