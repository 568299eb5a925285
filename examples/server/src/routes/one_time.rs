//! Signing in once, by a code or a link.

use axum::{extract::State, http::StatusCode};
use keyplate::{KeyplateError, OneTimeTokenId, Thing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::openapi as doc;
use crate::http::openapi::Operation;
use crate::json::users::UserJson;
use crate::{
    http::{
        answer::{self, Answer},
        app::App,
        body::Json,
        caller::{Administrator, Stranger},
        error::Failure,
        length::Length,
        list::Query,
        path::{self, Id, Ids},
    },
    json::one_time::OneTimeTokenJson,
    routes::login,
};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct NewTokenBody {
    ttl: Option<Length>,
    recovery: bool,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct NothingBody {}

// Without `Debug`, since the token is a secret.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "IssuedOneTimeToken")]
struct IssuedJson<'a> {
    token: &'a str,
}

/// A code for up to 15 minutes, beyond that a long token; of either kind also for somebody who has lost their passkey (O3).
pub(super) async fn create(
    Administrator(caller): Administrator,
    id: Id,
    Json(body): Json<NewTokenBody>,
) -> Answer {
    let id = path::user_id(&id)?;
    let seconds = body.ttl.map(|ttl| ttl.seconds_or_default("ttl"));
    let seconds = seconds.transpose()?.flatten();
    let created = caller
        .call(move |keyplate| match body.recovery {
            true => keyplate.create_recovery_token(&id, seconds),
            false => keyplate.create_one_time_token(&id, seconds),
        })
        .await
        .map_err(|failure| failure.renamed("lifetimeSeconds", "ttl"))?;
    answer::created(&IssuedJson {
        token: created.secret.as_str(),
    })
}

/// Those of a user that still work, the newest first.
pub(super) async fn list(Administrator(caller): Administrator, id: Id, query: Query) -> Answer {
    query.nothing_more()?;
    let id = path::user_id(&id)?;
    let tokens = caller
        .call(move |keyplate| keyplate.list_one_time_tokens(Some(id)))
        .await?;
    let tokens: Vec<OneTimeTokenJson> = tokens.iter().map(OneTimeTokenJson::from).collect();
    answer::ok(&tokens)
}

pub(super) async fn revoke(Administrator(caller): Administrator, ids: Ids) -> Answer {
    let user_id = path::user_id(&Id(ids.0))?;
    let id = OneTimeTokenId::parse(&ids.1).map_err(|_| Failure::not_found("one-time token"))?;
    caller
        .call(move |keyplate| {
            // A path that names another user names nothing.
            let tokens = keyplate.list_one_time_tokens(Some(user_id))?;
            if !tokens.iter().any(|token| token.id == id) {
                return Err(KeyplateError::NotFound {
                    what: Thing::OneTimeToken,
                });
            }
            keyplate.revoke_one_time_token(&id)
        })
        .await?;
    answer::no_content()
}

/// Signs in, and uses the token up.
pub(super) async fn redeem(
    State(app): State<App>,
    stranger: Stranger,
    token: Id,
    Json(_): Json<NothingBody>,
) -> Answer {
    let signed_in = app
        .blocking(move || stranger.handle.redeem_one_time_token(token.0.trim()))
        .await?;
    login::signed_in(&app, StatusCode::OK, signed_in).await
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::administrator(
            "post",
            "/api/users/{id}/one-time-access-token",
            "Creates a one-time token for a user",
        )
        .takes::<NewTokenBody>()
        .gives::<IssuedJson<'_>>(201),
        doc::administrator(
            "get",
            "/api/users/{id}/one-time-access-tokens",
            "Gives a user's one-time tokens",
        )
        .gives::<Vec<OneTimeTokenJson>>(200),
        doc::administrator(
            "delete",
            "/api/users/{id}/one-time-access-tokens/{token}",
            "Revokes a one-time token",
        )
        .gives_nothing(),
        doc::public(
            "post",
            "/api/one-time-access-token/{token}",
            "Signs in with a one-time token",
        )
        .takes::<NothingBody>()
        .gives::<UserJson>(200)
        .refuses(&[401, 429]),
    ]
}
