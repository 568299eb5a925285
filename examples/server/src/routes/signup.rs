//! How strangers become users.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use keyplate::{NewSignup, Secret, SignedIn, SignupTokenPreview, UserStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::openapi as doc;
use crate::http::openapi::Operation;
use crate::json::users::UserJson;
use crate::{
    http::{
        answer::{self, Answer},
        app::App,
        body::{self, Json, JsonText},
        caller::Stranger,
        ceremony::{self, Kind},
        error::Failure,
    },
    routes::login,
};
use serde_json::{Map, Value};

// Without `Debug`, since the token is a secret.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SignupBody {
    username: Option<String>,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    display_name: Option<String>,
    locale: Option<String>,
    token: Option<String>,
}

// Without `Debug`, since the token is a secret.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct InspectBody {
    token: Option<String>,
}

/// What the holder of a sign-up token may know of it.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "SignupTokenPreview")]
#[serde(rename_all = "camelCase")]
struct PreviewJson {
    expires_at: Option<String>,
    needs_approval: bool,
    email: Option<String>,
    account_lifetime: Option<i64>,
}

impl From<&SignupTokenPreview> for PreviewJson {
    fn from(preview: &SignupTokenPreview) -> Self {
        Self {
            expires_at: preview.expires_at.map(answer::time),
            needs_approval: preview.needs_approval,
            email: preview.email.clone(),
            account_lifetime: preview.account_lifetime_seconds,
        }
    }
}

impl From<SignupBody> for NewSignup {
    fn from(body: SignupBody) -> Self {
        Self {
            username: body.username.unwrap_or_default(),
            token: body::token(body.token).map(|token| Arc::new(Secret::new(token))),
            email: body.email,
            display_name: body.display_name,
            first_name: body.first_name,
            last_name: body.last_name,
            locale: body.locale,
        }
    }
}

/// Signs somebody up and in.
pub(super) async fn sign_up(
    State(app): State<App>,
    stranger: Stranger,
    Json(body): Json<SignupBody>,
) -> Answer {
    let signed_in = app
        .blocking(move || stranger.handle.sign_up(body.into()))
        .await?;
    signed_up(&app, signed_in).await
}

/// S8: the account is made when the passkey is there.
pub(super) async fn begin_by_passkey(
    State(app): State<App>,
    stranger: Stranger,
    headers: HeaderMap,
    Json(body): Json<SignupBody>,
) -> Answer {
    let begun = app
        .blocking(move || stranger.handle.begin_passkey_signup(body.into()))
        .await?;
    ceremony::begun(&app, Kind::SignUp, &headers, begun)
}

pub(super) async fn finish_by_passkey(
    State(app): State<App>,
    stranger: Stranger,
    headers: HeaderMap,
    JsonText(credential): JsonText,
) -> Answer {
    let kept = ceremony::answered(&app, Kind::SignUp, &headers, &credential)?;
    let ceremony = kept.ceremony.clone();
    let signed_in = app
        .blocking(move || {
            stranger
                .handle
                .finish_passkey_signup(&ceremony, &credential)
        })
        .await?;
    let response = signed_up(&app, signed_in).await?;
    Ok(ceremony::ended(&app, &kept, response))
}

/// Somebody who has to be approved first can look at their own account meanwhile, so they get a cookie too.
async fn signed_up(app: &App, signed_in: SignedIn) -> Answer {
    let status = match signed_in.user.status {
        UserStatus::Pending => StatusCode::ACCEPTED,
        _ => StatusCode::CREATED,
    };
    login::signed_in(app, status, signed_in).await
}

/// Looks at a sign-up token without using it.
pub(super) async fn inspect(
    State(app): State<App>,
    stranger: Stranger,
    Json(body): Json<InspectBody>,
) -> Answer {
    let token = body::token(body.token);
    let token = token.ok_or_else(|| Failure::field("token", "required", "is required"))?;
    let preview = app
        .blocking(move || stranger.handle.inspect_signup_token(&token))
        .await?;
    answer::ok(&PreviewJson::from(&preview))
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::public("post", "/api/signup", "Signs up")
            .takes::<SignupBody>()
            .gives::<UserJson>(201)
            .gives::<UserJson>(202)
            .refuses(&[401, 429]),
        doc::public("post", "/api/signup/inspect", "Looks at a sign-up token")
            .takes::<InspectBody>()
            .gives::<PreviewJson>(200)
            .refuses(&[401, 429]),
        doc::public(
            "post",
            "/api/signup/passkey/start",
            "Begins a sign-up with a passkey",
        )
        .takes::<SignupBody>()
        .gives_other("application/json")
        .refuses(&[401, 429]),
        doc::public(
            "post",
            "/api/signup/passkey/finish",
            "Signs up with a passkey",
        )
        .takes::<Map<String, Value>>()
        .gives::<UserJson>(201)
        .gives::<UserJson>(202)
        .refuses(&[401, 429]),
    ]
}
