use axum::{extract::State, response::IntoResponse};
use keyplate::{KeyplateError, Session, SessionId, SessionQuery, SignInMethod, UserId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::openapi as doc;
use crate::http::openapi::Operation;
use crate::http::{
    answer::{self, Answer},
    app::App,
    caller::{Browser, Caller, Enrolling},
    cookie,
    error::Failure,
    list::{self, Query},
    path::Id,
};

/// A session as JSON.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Session")]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionJson {
    id: String,
    method: &'static str,
    signed_in_at: String,
    last_seen_at: String,
    expires_at: String,
    ip_address: Option<String>,
    user_agent: Option<String>,
    device_name: Option<String>,
    /// Is it the one that asks?
    current: bool,
}

impl SessionJson {
    fn new(session: &Session, asking: Option<SessionId>) -> Self {
        Self {
            id: session.id.to_string(),
            method: method(session.method),
            signed_in_at: answer::time(session.signed_in_at),
            last_seen_at: answer::time(session.last_seen_at),
            expires_at: answer::time(session.expires_at),
            ip_address: session.address.clone(),
            user_agent: session.user_agent.clone(),
            device_name: session.device_name.clone(),
            current: asking == Some(session.id),
        }
    }
}

fn method(method: SignInMethod) -> &'static str {
    match method {
        SignInMethod::Setup => "setup",
        SignInMethod::SignUp => "signUp",
        SignInMethod::OneTimeToken => "oneTimeToken",
        SignInMethod::Recovery => "recovery",
        SignInMethod::Passkey => "passkey",
        SignInMethod::Host => "host",
        SignInMethod::Device => "device",
        SignInMethod::DeviceLink => "deviceLink",
        _ => "other",
    }
}

/// One's own sessions, the newest first.
pub(super) async fn list(caller: Caller, query: Query) -> Answer {
    let user_id = caller.who.user_id;
    list_of(&caller, user_id, &query).await
}

/// Those of a user.
pub(super) async fn list_of(caller: &Caller, user_id: UserId, query: &Query) -> Answer {
    let asked = query.unsearched::<()>(&[], &[])?;
    let (page, limit) = (asked.page, asked.limit);
    let sessions = SessionQuery {
        user_id: Some(user_id),
        limit: Some(limit),
        ..SessionQuery::default()
    };
    let page = caller
        .call(move |keyplate| {
            list::page_or_last(page, limit, |page| {
                keyplate.list_sessions(SessionQuery {
                    page: Some(page),
                    ..sessions.clone()
                })
            })
        })
        .await?;
    let asking = caller.who.session_id;
    let items = page
        .items
        .iter()
        .map(|s| SessionJson::new(s, asking))
        .collect();
    list::answer(items, page.total, page.page, limit)
}

/// The one that asks, also where it may list none (V5): a page shows by its method what it is good for.
pub(super) async fn current(State(app): State<App>, Browser(caller): Browser) -> Answer {
    let (user_id, asking) = (caller.who.user_id, caller.who.session_id);
    let host = app.keyplate().clone();
    let sessions = app
        .blocking(move || {
            list::every(|page| {
                let sessions = SessionQuery {
                    user_id: Some(user_id),
                    page: Some(page),
                    limit: Some(list::MANY),
                };
                let found = host.list_sessions(sessions)?;
                Ok((found.items, found.total))
            })
        })
        .await?;
    let current = sessions.iter().find(|one| Some(one.id) == asking);
    let current = current.ok_or(KeyplateError::InvalidCredential)?;
    answer::ok(&SessionJson::new(current, asking))
}

pub(super) async fn revoke(Enrolling(caller): Enrolling, id: Id) -> Answer {
    let id = SessionId::parse(&id.0).map_err(|_| Failure::not_found("session"))?;
    caller
        .call(move |keyplate| keyplate.revoke_session(&id))
        .await?;
    answer::no_content()
}

/// Ends all of one's own but the one that asks; an API key keeps none.
pub(super) async fn revoke_others(caller: Caller) -> Answer {
    let (user_id, asking) = (caller.who.user_id, caller.who.session_id);
    caller
        .call(move |keyplate| keyplate.revoke_user_sessions(&user_id, asking))
        .await?;
    answer::no_content()
}

/// Ends the session that asks and takes the cookie away. An API key is not logged out by it: it is revoked elsewhere.
pub(super) async fn log_out(State(app): State<App>, Enrolling(caller): Enrolling) -> Answer {
    if let Some(id) = caller.who.session_id {
        caller
            .call(move |keyplate| keyplate.revoke_session(&id))
            .await?;
    }
    let response = axum::http::StatusCode::NO_CONTENT.into_response();
    Ok(cookie::without_session(response, &app))
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::user("get", "/api/sessions", "Lists one's own sessions").lists::<SessionJson>(
            &[],
            &[],
            false,
        ),
        doc::user(
            "delete",
            "/api/sessions",
            "Ends all of one's own sessions but this one",
        )
        .gives_nothing(),
        doc::browser(
            "get",
            "/api/sessions/current",
            "Gives the session that asks",
        )
        .gives::<SessionJson>(200),
        doc::user("delete", "/api/sessions/{id}", "Ends a session").gives_nothing(),
        doc::user("post", "/api/webauthn/logout", "Signs out").gives_nothing(),
    ]
}
