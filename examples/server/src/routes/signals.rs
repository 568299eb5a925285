//! What a page tells the browser, so that its list of passkeys agrees with ours (P7).

use axum::{
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
};
use keyplate::Keyplate;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::http::openapi as doc;
use crate::http::openapi::Operation;
use crate::http::{
    answer::{self, Answer},
    app::App,
    caller::{Caller, Stranger},
    error::Failure,
    list::Query,
};

/// The payloads of the Signal API of WebAuthn Level 3, one a method.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Signals")]
#[serde(rename_all = "camelCase")]
struct SignalsJson {
    /// Left out when no credential was asked about; null when it is registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown_credential: Option<Value>,
    all_accepted_credentials: Value,
    current_user_details: Value,
}

/// Whoever asks about a credential: it is one that did not sign them in, so a session that has ended is none.
#[derive(Debug)]
pub(super) struct Asker {
    handle: Keyplate,
    credential: Option<String>,
}

impl FromRequestParts<App> for Asker {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Ok(query) = Query::from_request_parts(parts, app).await;
        let credential = query.get("credential").map(str::to_owned);
        let handle = match Caller::from_request_parts(parts, app).await {
            Ok(caller) => caller.handle,
            Err(failure) if credential.is_some() && is_no_sign_in(&failure) => {
                Stranger::from_request_parts(parts, app).await?.handle
            }
            Err(failure) => return Err(failure),
        };
        Ok(Self { handle, credential })
    }
}

pub(super) async fn get(State(app): State<App>, asker: Asker) -> Answer {
    let is_asked = asker.credential.is_some();
    let signals = app
        .blocking(move || asker.handle.get_passkey_signals(asker.credential))
        .await
        .map_err(|failure| failure.renamed("credentialId", "credential"))?;
    let unknown = json(signals.unknown_credential)?;
    answer::ok(&SignalsJson {
        unknown_credential: is_asked.then_some(unknown),
        all_accepted_credentials: json(signals.all_accepted_credentials)?,
        current_user_details: json(signals.current_user_details)?,
    })
}

fn is_no_sign_in(failure: &Failure) -> bool {
    matches!(
        failure.status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
    )
}

fn json(text: Option<String>) -> Result<Value, Failure> {
    match text {
        Some(text) => serde_json::from_str(&text).map_err(Failure::internal),
        None => Ok(Value::Null),
    }
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::user(
            "get",
            "/api/webauthn/signals",
            "Gives what browsers tell password managers",
        )
        .parameter("credential", "Of a credential: whether it is known")
        .gives::<SignalsJson>(200),
    ]
}
