//! Tokens by which a service on another port or machine knows a user, and the keys that verify them.

use axum::{body::Body, extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::openapi as doc;
use crate::http::openapi::Operation;
use crate::http::{
    answer::{self, Answer},
    app::App,
    body::Json,
    caller::Caller,
    length::Length,
    path::Id,
};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct AccessTokenBody {
    ttl: Option<Length>,
}

// Without `Debug`, since the token is a secret.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "AccessToken")]
#[serde(rename_all = "camelCase")]
struct IssuedJson<'a> {
    token: &'a str,
    service_id: String,
    expires_at: String,
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
    answer::created(&IssuedJson {
        token: token.secret.as_str(),
        service_id: token.service_id.to_string(),
        expires_at: answer::time(token.expires_at),
    })
}

/// RFC 7517, section 5: for everybody.
pub(super) async fn jwks(State(app): State<App>) -> Answer {
    let host = app.keyplate().clone();
    let jwks = app.blocking(move || host.get_jwks()).await?;
    Ok(answer::written(StatusCode::OK, Body::from(jwks.json)))
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::user(
            "post",
            "/api/services/{id}/access-token",
            "Issues an access token for a service",
        )
        .takes::<AccessTokenBody>()
        .gives::<IssuedJson<'_>>(201),
        doc::public(
            "get",
            "/.well-known/jwks.json",
            "Gives the keys that verify access tokens",
        )
        .gives_other("application/json"),
    ]
}
