//! The cookie that holds a passkey ceremony between its two requests.

use axum::{
    http::{HeaderMap, StatusCode},
    response::Response,
};
use keyplate::{PasskeyCeremony, PasskeyFailure};

use crate::http::{
    answer::{self, Answer},
    app::App,
    cookie::{self, Cookie},
    error::{self, Failure},
};

/// P2: in seconds.
const LIFETIME: u64 = 5 * 60;

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
    let ceremony = cookie::read(app, headers, kind.cookie());
    ceremony.ok_or_else(|| error::ceremony_failed(PasskeyFailure::UnknownCeremony))
}

/// Takes the cookie away. Whoever sets the session's cookie has done so before: that one comes first.
pub(crate) fn ended(app: &App, kind: Kind, mut response: Response) -> Response {
    set(app, kind, &mut response, "", 0);
    response
}

fn set(app: &App, kind: Kind, response: &mut Response, value: &str, seconds: u64) {
    let cookie = Cookie {
        name: kind.cookie(),
        value,
        seconds,
        same_site: "Strict",
    };
    cookie.add_to(response, app);
}
