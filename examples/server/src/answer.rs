//! What goes back.

use std::time::SystemTime;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use keyplate::{ClientInfo, Keyplate, SignedIn};
use serde::Serialize;

use crate::{error::Failure, groups::Visible, origin::Origin, server::App, users::UserJson};

/// What a route gives.
pub(crate) type Answer = Result<Response, Failure>;

pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => {
            let mut response = Response::new(Body::from(text));
            *response.status_mut() = status;
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
            response
        }
        Err(error) => Failure::internal(error).into_response(),
    }
}

pub(crate) fn ok(value: &impl Serialize) -> Answer {
    Ok(json(StatusCode::OK, value))
}

pub(crate) fn created(value: &impl Serialize) -> Answer {
    Ok(json(StatusCode::CREATED, value))
}

pub(crate) fn no_content() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The user who has just signed in, with a cookie for his browser. Scripts take the token out of the cookie.
pub(crate) async fn signed_in(app: &App, status: StatusCode, signed_in: SignedIn) -> Answer {
    let session = &signed_in.session;
    let lifetime = session.expires_at.duration_since(session.signed_in_at);
    let seconds = lifetime.map_or(0, |lifetime| lifetime.as_secs());
    let secret = signed_in.secret.clone();
    let host = app.keyplate().clone();
    let user = app
        .blocking(move || {
            // He is signed in; that his groups cannot be read takes nothing back.
            let groups = own_groups(&host, &signed_in).unwrap_or_default();
            Ok(UserJson::new(&signed_in.user, &groups))
        })
        .await?;
    let mut response = json(status, &user);
    set_cookie(&mut response, app.origin(), secret.as_str(), seconds);
    Ok(response)
}

/// His groups, as far as the new session may see them.
fn own_groups(host: &Keyplate, signed_in: &SignedIn) -> keyplate::Result<Visible> {
    let ids = &signed_in.user.group_ids;
    if ids.is_empty() {
        return Ok(Visible::default());
    }
    let who = host.authenticate(signed_in.secret.as_str())?;
    let own = host.acting_as(&who.principal, ClientInfo::default())?;
    Visible::load(&own, ids.iter())
}

/// Takes the cookie away.
pub(crate) fn without_cookie(mut response: Response, origin: &Origin) -> Response {
    set_cookie(&mut response, origin, "", 0);
    response
}

/// The cookie's name: with the prefix, a browser takes it only from this very host, over TLS.
pub(crate) fn cookie_name(origin: &Origin) -> &'static str {
    if origin.is_secure() {
        "__Host-access_token"
    } else {
        "access_token"
    }
}

fn set_cookie(response: &mut Response, origin: &Origin, value: &str, seconds: u64) {
    let name = cookie_name(origin);
    let secure = if origin.is_secure() { "; Secure" } else { "" };
    let cookie =
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let cookie = HeaderValue::try_from(cookie).expect("tokens are letters and digits");
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

/// A time as RFC 3339 writes it.
pub(crate) fn time(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| String::new(), |time| time.to_string())
}
