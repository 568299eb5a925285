//! Signing in by a passkey, and showing it again.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use keyplate::{ClientInfo, GroupQuery, Keyplate, SignInMethod, SignedIn};

use crate::http::openapi as doc;
use crate::http::openapi::Operation;
use crate::{
    http::{
        answer::{self, Answer},
        app::App,
        body::JsonText,
        caller::{Browser, Stranger},
        ceremony::{self, Kind},
        cookie,
    },
    json::{groups::Visible, users::UserJson},
};
use serde_json::{Map, Value};

/// Nothing is stored by it: a page may ask whenever it is shown, for autofill.
pub(super) async fn begin(
    State(app): State<App>,
    stranger: Stranger,
    headers: HeaderMap,
) -> Answer {
    let begun = app
        .blocking(move || stranger.handle.begin_passkey_login())
        .await?;
    ceremony::begun(&app, Kind::Login, &headers, begun)
}

pub(super) async fn finish(
    State(app): State<App>,
    stranger: Stranger,
    headers: HeaderMap,
    JsonText(credential): JsonText,
) -> Answer {
    let kept = ceremony::answered(&app, Kind::Login, &headers, &credential)?;
    let ceremony = kept.ceremony.clone();
    let signed_in = app
        .blocking(move || stranger.handle.finish_passkey_login(&ceremony, &credential))
        .await?;
    let response = self::signed_in(&app, StatusCode::OK, signed_in).await?;
    Ok(ceremony::ended(&app, &kept, response))
}

pub(super) async fn begin_step_up(
    State(app): State<App>,
    Browser(caller): Browser,
    headers: HeaderMap,
) -> Answer {
    let begun = caller.call(Keyplate::begin_step_up).await?;
    ceremony::begun(&app, Kind::Reauthenticate, &headers, begun)
}

/// P5: the session has a new token from now on. Scripts take it out of the cookie, as everywhere.
pub(super) async fn finish_step_up(
    State(app): State<App>,
    Browser(caller): Browser,
    headers: HeaderMap,
    JsonText(credential): JsonText,
) -> Answer {
    let kept = ceremony::answered(&app, Kind::Reauthenticate, &headers, &credential)?;
    let ceremony = kept.ceremony.clone();
    let signed_in = caller
        .call(move |keyplate| keyplate.finish_step_up(&ceremony, &credential))
        .await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    cookie::set_session(&mut response, &app, &signed_in);
    Ok(ceremony::ended(&app, &kept, response))
}

/// The user who has just signed in, with a cookie for their browser. Scripts take the token out of the cookie.
pub(super) async fn signed_in(app: &App, status: StatusCode, signed_in: SignedIn) -> Answer {
    let host = app.keyplate().clone();
    let (user, signed_in) = app
        .blocking(move || {
            // They are signed in, even if their groups cannot be read.
            let groups = own_groups(&host, &signed_in).unwrap_or_default();
            Ok((UserJson::new(&signed_in.user, &groups), signed_in))
        })
        .await?;
    let mut response = answer::json(status, &user);
    cookie::set_session(&mut response, app, &signed_in);
    Ok(response)
}

/// The user's groups, as far as the new session may see them. One that has just been made by a person's own sign-in may, and
/// is not authenticated once more; others may do less than their user.
fn own_groups(host: &Keyplate, signed_in: &SignedIn) -> keyplate::Result<Visible> {
    let user = &signed_in.user;
    if user.group_ids.is_empty() {
        return Ok(Visible::default());
    }
    if signed_in.session.method != SignInMethod::Passkey {
        let who = host.authenticate(signed_in.secret.as_str())?;
        let own = host.acting_as(&who.principal, ClientInfo::default())?;
        return Visible::load(&own, user.group_ids.iter());
    }
    let own = host.list_groups(GroupQuery {
        user_id: Some(user.id),
        limit: Some(Visible::MOST),
        ..GroupQuery::default()
    })?;
    Ok(Visible::of(&own.items))
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::public(
            "get",
            "/api/webauthn/login/start",
            "Begins a sign-in with a passkey",
        )
        .gives_other("application/json"),
        doc::public(
            "post",
            "/api/webauthn/login/finish",
            "Signs in with a passkey",
        )
        .takes::<Map<String, Value>>()
        .gives::<UserJson>(200)
        .refuses(&[401, 429]),
        doc::browser(
            "get",
            "/api/webauthn/reauthenticate/start",
            "Begins a step-up",
        )
        .gives_other("application/json")
        .refuses(&[404]),
        doc::browser(
            "post",
            "/api/webauthn/reauthenticate",
            "Steps up with a passkey",
        )
        .takes::<Map<String, Value>>()
        .gives_nothing(),
    ]
}
