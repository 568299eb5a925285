//! Signing in by a passkey, and showing it again.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use keyplate::Keyplate;

use crate::{
    http::{
        answer::{self, Answer},
        body::JsonText,
        caller::{Browser, Stranger},
        ceremony::{self, Kind},
        cookie,
    },
    serve::connections::App,
};

/// Nothing is stored by it: a page may ask whenever it is shown, for autofill.
pub(crate) async fn begin(State(app): State<App>, stranger: Stranger) -> Answer {
    let begun = app
        .blocking(move || stranger.handle.begin_passkey_login())
        .await?;
    ceremony::begun(&app, Kind::Login, begun)
}

pub(crate) async fn finish(
    State(app): State<App>,
    stranger: Stranger,
    headers: HeaderMap,
    JsonText(credential): JsonText,
) -> Answer {
    let ceremony = ceremony::named(&app, Kind::Login, &headers)?;
    let signed_in = app
        .blocking(move || stranger.handle.finish_passkey_login(&ceremony, &credential))
        .await?;
    let response = answer::signed_in(&app, StatusCode::OK, signed_in).await?;
    Ok(ceremony::ended(&app, Kind::Login, response))
}

pub(crate) async fn begin_step_up(State(app): State<App>, Browser(caller): Browser) -> Answer {
    let begun = caller.call(Keyplate::begin_step_up).await?;
    ceremony::begun(&app, Kind::Reauthenticate, begun)
}

/// P5: the session has a new token from now on. Scripts take it out of the cookie, as everywhere.
pub(crate) async fn finish_step_up(
    State(app): State<App>,
    Browser(caller): Browser,
    headers: HeaderMap,
    JsonText(credential): JsonText,
) -> Answer {
    let ceremony = ceremony::named(&app, Kind::Reauthenticate, &headers)?;
    let signed_in = caller
        .call(move |keyplate| keyplate.finish_step_up(&ceremony, &credential))
        .await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    cookie::set_session(&mut response, &app, &signed_in);
    Ok(ceremony::ended(&app, Kind::Reauthenticate, response))
}
