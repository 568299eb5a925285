//! Tokens by which a service on another port or machine knows a user, and the keys that verify them.

use axum::{body::Body, extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::http::{
    answer::{self, Answer},
    app::App,
    body::Json,
    caller::Caller,
    length::Length,
    path::Id,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AccessTokenBody {
    ttl: Option<Length>,
}

/// A token for a service, named by id or slug, for whoever asks, if it is open to them.
pub(super) async fn issue(caller: Caller, id: Id, Json(body): Json<AccessTokenBody>) -> Answer {
    let seconds = body.ttl.map(|ttl| ttl.seconds_or_default("ttl"));
    let seconds = seconds.transpose()?.flatten();
    let principal = caller.who.principal.clone();
    let token = caller
        .call(move |keyplate| keyplate.issue_access_token(&principal, &id.0, seconds))
        .await
        .map_err(|failure| failure.renamed("lifetimeSeconds", "ttl"))?;
    answer::created(&json!({
        "token": token.secret.as_str(),
        "serviceId": token.service_id.as_str(),
        "expiresAt": answer::time(token.expires_at),
    }))
}

/// RFC 7517, section 5: for everybody.
pub(super) async fn jwks(State(app): State<App>) -> Answer {
    let host = app.keyplate().clone();
    let jwks = app.blocking(move || host.get_jwks()).await?;
    Ok(answer::written(StatusCode::OK, Body::from(jwks.json)))
}
