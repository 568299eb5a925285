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

use crate::{
    http::{cookie, error::Failure},
    routes::{groups::Visible, users::UserJson},
    serve::connections::App,
};

/// What a route gives.
pub(crate) type Answer = Result<Response, Failure>;

pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => written(status, text.into()),
        Err(error) => Failure::internal(error).into_response(),
    }
}

/// JSON that somebody else has written.
pub(crate) fn written(status: StatusCode, json: Body) -> Response {
    let mut response = Response::new(json);
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
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
    let host = app.keyplate().clone();
    let (user, signed_in) = app
        .blocking(move || {
            // He is signed in; that his groups cannot be read takes nothing back.
            let groups = own_groups(&host, &signed_in).unwrap_or_default();
            Ok((UserJson::new(&signed_in.user, &groups), signed_in))
        })
        .await?;
    let mut response = json(status, &user);
    cookie::set_session(&mut response, app, &signed_in);
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

/// A time as RFC 3339 writes it.
pub(crate) fn time(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| String::new(), |time| time.to_string())
}
