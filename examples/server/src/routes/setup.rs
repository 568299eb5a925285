//! The way from an empty server to its first administrator.

use std::time::Duration;

use axum::{
    extract::{FromRequestParts, State},
    http::{HeaderMap, StatusCode, Version, request::Parts},
};
use keyplate::{Keyplate, KeyplateError, NewAdmin, SetupStage, SignedIn, Thing, UserId, UserQuery};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::http::openapi as doc;
use crate::http::openapi::Operation;
use crate::json::users::UserJson;
use crate::{
    http::{
        answer::{self, Answer},
        app::App,
        body::{self, Json},
        caller::{self, Caller, Source, Stranger},
        client::{self, Peer},
        cookie,
        error::Failure,
        peer::Connection,
    },
    json::setup::CompletionJson,
    routes::login,
};

/// For how long the older route takes setup up again.
const RESUMABLE: Duration = Duration::from_secs(3_600);

/// A stranger at one of the routes that sign the first administrator in.
#[derive(Debug)]
pub(super) struct Claimant {
    stranger: Stranger,
    /// The host's handle, with the claimant's address.
    host: Keyplate,
    needs_token: bool,
    header_token: Option<String>,
}

impl Claimant {
    /// The handle to claim with, and the token. Who shows none and need not is spoken for by the host.
    fn authority(self, body_token: Option<String>) -> (Keyplate, Option<String>) {
        let needs_token = self.needs_token;
        let host = self.host.clone();
        match self.with_token(body_token) {
            (_, None) if !needs_token => (host, None),
            stranger => stranger,
        }
    }

    /// The same where there is no way without a token.
    fn with_token(self, body_token: Option<String>) -> (Keyplate, Option<String>) {
        let token = body::token(body_token).or(self.header_token);
        (self.stranger.handle, token)
    }
}

impl FromRequestParts<App> for Claimant {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let token = parts.headers.get("x-setup-token");
        let token = token.and_then(|t| t.to_str().ok()).map(str::trim);
        Ok(Self {
            needs_token: !(app.open_setup() || is_local_script(app, parts).await),
            header_token: token.filter(|t| !t.is_empty()).map(str::to_owned),
            stranger: Stranger::from_request_parts(parts, app).await?,
            host: app
                .keyplate()
                .with_client(client::client_info(app, parts))?,
        })
    }
}

/// A script of the same operating-system user on this very machine may set a fresh server up without the secret (B2). A
/// proxy in front looks much like one, so all of these must hold; that `Host` is an origin's was asked of every request
/// before. The last condition, that setup was never reset, is the library's: the host then needs a token too (B5).
async fn is_local_script(app: &App, parts: &Parts) -> bool {
    let is_near = parts
        .extensions
        .get::<Peer>()
        .is_some_and(|peer| match peer {
            Peer::Address(address) => address.to_canonical().is_loopback(),
            // Who was told that a proxy comes this way is told so of everybody.
            Peer::UnixSocket => !peer.is_proxy(app.trusted_proxies()),
        });
    app.origins().are_local()
        && app.listens_on_this_machine()
        && is_near
        && parts.version >= Version::HTTP_11
        && !came_through_proxy(&parts.headers)
        && caller::has_no_foreign_site(&parts.headers)
        && caller::has_no_foreign_origin(app, &parts.headers)
        && is_of_our_user(parts).await
}

/// The kernel's tables may be long, and are read away from the threads that serve.
async fn is_of_our_user(parts: &Parts) -> bool {
    let Some(&connection) = parts.extensions.get::<Connection>() else {
        return false;
    };
    let asked = tokio::task::spawn_blocking(move || connection.is_of_our_user());
    asked.await.unwrap_or(false)
}

fn came_through_proxy(headers: &HeaderMap) -> bool {
    headers.keys().map(|name| name.as_str()).any(|name| {
        matches!(name, "forwarded" | "via" | "x-real-ip")
            || name.starts_with("x-forwarded-")
            || name.starts_with("cf-")
    })
}

// Without `Debug`, since the token is a secret.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ClaimBody {
    username: Option<String>,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    token: Option<String>,
    /// After a reset: whom it makes administrator, instead of somebody new (B5).
    existing_user_id: Option<String>,
}

// Without `Debug`, since the token is a secret.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct TokenBody {
    token: Option<String>,
}

/// Does the server wait for its first administrator? Where it does not, the code tells whether setup may be resumed.
pub(super) async fn is_open(State(app): State<App>) -> Answer {
    let host = app.keyplate().clone();
    let state = app.blocking(move || host.get_setup_state()).await?;
    match state.stage {
        SetupStage::Uninitialised => answer::no_content(),
        SetupStage::Complete => Err(Failure::new(
            StatusCode::NOT_FOUND,
            "setup_already_completed",
            "Setup is already completed",
        )),
        _ => Err(Failure::not_found("open setup")),
    }
}

/// Makes the first administrator; after a reset, perhaps of a user who is there.
pub(super) async fn claim(
    State(app): State<App>,
    claimant: Claimant,
    Json(body): Json<ClaimBody>,
) -> Answer {
    let field = "existingUserId";
    let existing = body.existing_user_id.filter(|id| !id.is_empty());
    let existing = existing.as_deref().map(UserId::parse).transpose();
    let (handle, token) = claimant.authority(body.token);
    let admin = NewAdmin {
        username: body.username.unwrap_or_default(),
        email: body.email,
        first_name: body.first_name,
        last_name: body.last_name,
        existing_user_id: existing
            .map_err(|error| Failure::from(error).renamed("userId", field))?,
        ..NewAdmin::default()
    };
    let signed_in = app
        .blocking(move || handle.claim_setup(token, admin))
        .await
        .map_err(|failure| failure.missing_is(Thing::User, field))?;
    login::signed_in(&app, StatusCode::OK, signed_in).await
}

/// The older form, for scripts: creates `admin` and, when called again, signs them in again for an hour.
pub(super) async fn claim_or_resume(
    State(app): State<App>,
    claimant: Claimant,
    Json(body): Json<TokenBody>,
) -> Answer {
    let stranger = claimant.stranger.handle.clone();
    let (handle, token) = claimant.authority(body.token);
    let host = app.keyplate().clone();
    let signed_in = app
        .blocking(move || claim_or_resume_as(&host, &handle, &stranger, token))
        .await?;
    login::signed_in(&app, StatusCode::OK, signed_in).await
}

/// Signs the first administrator in again with the link of the latest start, for as long as setup is not complete.
pub(super) async fn resume(
    State(app): State<App>,
    claimant: Claimant,
    Json(body): Json<TokenBody>,
) -> Answer {
    let (handle, token) = claimant.with_token(body.token);
    let signed_in = app.blocking(move || handle.resume_setup(token)).await?;
    login::signed_in(&app, StatusCode::OK, signed_in).await
}

/// Ends setup. A setup session has ended with it, so its cookie goes too.
pub(super) async fn complete(State(app): State<App>, caller: Caller) -> Answer {
    let own_id = caller.who.user_id;
    let (completion, goes_on) = caller
        .call(move |keyplate| {
            let completion = keyplate.complete_setup()?;
            Ok((completion, keyplate.get_user(&own_id).is_ok()))
        })
        .await?;
    let response = answer::ok(&CompletionJson::from(&completion))?;
    Ok(match caller.source {
        Source::Cookie if !goes_on => cookie::without_session(response, &app),
        _ => response,
    })
}

fn claim_or_resume_as(
    host: &Keyplate,
    handle: &Keyplate,
    stranger: &Keyplate,
    token: Option<String>,
) -> keyplate::Result<SignedIn> {
    if host.get_setup_state()?.stage == SetupStage::Uninitialised {
        let admin = NewAdmin {
            username: "admin".to_owned(),
            ..NewAdmin::default()
        };
        match handle.claim_setup(token.clone(), admin) {
            // Somebody was quicker, perhaps this same script: then it is resumed.
            Err(KeyplateError::SetupAlreadyClaimed) => {}
            result => return result,
        }
    }
    let state = host.get_setup_state()?;
    let now = host.get_clock_state()?.now;
    let is_recent = state.claimed_at.is_some_and(|at| now < at + RESUMABLE);
    let one = UserQuery {
        limit: Some(1),
        ..UserQuery::default()
    };
    if !is_recent || host.list_users(one)?.total != 1 {
        return Err(KeyplateError::SetupAlreadyComplete);
    }
    // B2: without a token only what was claimed without one.
    match state.claimed_without_token {
        true => handle.resume_setup(token),
        false => stranger.resume_setup(token),
    }
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::public("get", "/api/signup/setup", "Tells whether setup is open")
            .gives_nothing()
            .refuses(&[404]),
        doc::public(
            "post",
            "/api/signup/setup",
            "Creates the first administrator",
        )
        .takes::<ClaimBody>()
        .gives::<UserJson>(200)
        .refuses(&[401, 429]),
        doc::public("post", "/api/setup/resume", "Goes on with setup")
            .takes::<TokenBody>()
            .gives::<UserJson>(200)
            .refuses(&[401, 404, 429]),
        doc::user("post", "/api/setup/complete", "Ends setup").gives::<CompletionJson>(200),
        doc::public(
            "post",
            "/api/one-time-access-token/setup",
            "The older form of creating the first administrator",
        )
        .takes::<TokenBody>()
        .gives::<UserJson>(200)
        .refuses(&[401, 404, 429]),
    ]
}
