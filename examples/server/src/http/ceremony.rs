//! The cookie that holds a passkey ceremony between its two requests.

use axum::{
    http::{HeaderMap, StatusCode},
    response::Response,
};
use cookie::{Cookie, SameSite};
use keyplate::{KeyplateError, PasskeyCeremony, PasskeyFailure};
use time::Duration;

use crate::http::{
    answer::{self, Answer},
    app::App,
    cookie as cookies,
    error::Failure,
};

/// P2.
const LIFETIME: Duration = Duration::minutes(5);

/// What a ceremony is for. Each kind has a cookie of its own: a page that waits for autofill does not lose its sign-in to
/// a registration in another tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Register,
    Login,
    Reauthenticate,
    SignUp,
}

impl Kind {
    fn cookie(self) -> &'static str {
        match self {
            Self::Register => "ceremony-register",
            Self::Login => "ceremony-login",
            Self::Reauthenticate => "ceremony-reauthenticate",
            Self::SignUp => "ceremony-signup",
        }
    }
}

/// The options for the browser, as they are, and the cookie.
pub(crate) fn begun(app: &App, kind: Kind, begun: PasskeyCeremony) -> Answer {
    let mut response = answer::written(StatusCode::OK, begun.options.into());
    set(app, kind, &mut response, &begun.ceremony, LIFETIME);
    Ok(response)
}

/// What the cookie names.
pub(crate) fn named(app: &App, kind: Kind, headers: &HeaderMap) -> Result<String, Failure> {
    let ceremony = cookies::read(app, headers, kind.cookie());
    ceremony.ok_or_else(|| {
        let error = KeyplateError::from(PasskeyFailure::UnknownCeremony);
        Failure::from(error)
    })
}

/// Takes the cookie away. Whoever sets the session's cookie has done so before: that one comes first.
pub(crate) fn ended(app: &App, kind: Kind, mut response: Response) -> Response {
    set(app, kind, &mut response, "", Duration::ZERO);
    response
}

fn set(app: &App, kind: Kind, response: &mut Response, value: &str, lifetime: Duration) {
    let cookie = Cookie::build((kind.cookie(), value))
        .max_age(lifetime)
        .same_site(SameSite::Strict);
    cookies::set(response, app, cookie.into());
}
