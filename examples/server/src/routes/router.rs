//! All routes in one list (the pages have their own), and what holds for each of them.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    Router,
    extract::{FromRequestParts, Path, Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get, patch, post, put},
};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    http::{
        answer, body,
        error::{Failure, FieldError},
        passkey_failure,
    },
    log,
    routes::{
        access_tokens, api_keys, audit, claims, groups, instance, login, one_time, pages, passkeys,
        services, sessions, settings, setup, signals, signup, signup_tokens, users, well_known,
    },
    serve::connections::App,
};

const HEALTH: &str = "/healthz";
const WEBAUTHN: &str = "/.well-known/webauthn";

pub(crate) fn routes(app: App) -> Router {
    resources()
        .merge(webauthn())
        .merge(pages::routes())
        .fallback(pages::missing)
        .method_not_allowed_fallback(async || {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            Failure::new(status, "method_not_allowed", "Method not allowed")
        })
        .layer(middleware::from_fn_with_state(app.clone(), admit))
        .layer(middleware::from_fn(finish))
        .with_state(app)
}

/// Passkeys, and what is signed in and out by them.
fn webauthn() -> Router<App> {
    Router::new()
        .route(WEBAUTHN, get(well_known::webauthn))
        .route("/.well-known/jwks.json", get(access_tokens::jwks))
        .route(
            "/.well-known/passkey-endpoints",
            get(well_known::passkey_endpoints),
        )
        .route(
            "/api/webauthn/register/start",
            get(passkeys::begin_registration),
        )
        .route(
            "/api/webauthn/register/finish",
            post(passkeys::finish_registration),
        )
        .route("/api/webauthn/login/start", get(login::begin))
        .route("/api/webauthn/login/finish", post(login::finish))
        .route(
            "/api/webauthn/reauthenticate/start",
            get(login::begin_step_up),
        )
        .route("/api/webauthn/reauthenticate", post(login::finish_step_up))
        .route("/api/webauthn/logout", post(sessions::log_out))
        .route("/api/webauthn/signals", get(signals::get))
        .route("/api/webauthn/credentials", get(passkeys::list))
        .route(
            "/api/webauthn/credentials/{id}",
            patch(passkeys::rename).delete(passkeys::delete),
        )
        .route(
            "/api/users/{id}/webauthn-credentials",
            get(passkeys::list_of_user),
        )
        .route(
            "/api/users/{id}/webauthn-credentials/{credential}",
            delete(passkeys::delete_of_user),
        )
        .route("/api/signup/passkey/start", post(signup::begin_by_passkey))
        .route(
            "/api/signup/passkey/finish",
            post(signup::finish_by_passkey),
        )
}

fn resources() -> Router<App> {
    Router::new()
        .route(HEALTH, get(instance::health))
        .route("/api/version/current", get(instance::current_version))
        .route("/api/version/latest", get(instance::latest_version))
        .route("/api/signup/setup", get(setup::is_open).post(setup::claim))
        .route("/api/setup/resume", post(setup::resume))
        .route("/api/setup/complete", post(setup::complete))
        .route(
            "/api/one-time-access-token/setup",
            post(setup::claim_or_resume),
        )
        .route("/api/signup", post(signup::sign_up))
        .route("/api/signup/inspect", post(signup::inspect))
        .route("/api/one-time-access-token/{token}", post(one_time::redeem))
        .route("/api/users", get(users::list).post(users::create))
        .route("/api/users/me", get(users::me).put(users::update_me))
        .route(
            "/api/users/{id}",
            get(users::get).put(users::replace).delete(users::delete),
        )
        .route(
            "/api/services/{id}/access-token",
            post(access_tokens::issue),
        )
        .route("/api/users/{id}/approve", post(users::approve))
        .route("/api/users/{id}/reject", post(users::reject))
        .route("/api/users/{id}/groups", get(groups::of_user))
        .route("/api/users/{id}/user-groups", put(groups::replace_of_user))
        .route(
            "/api/users/{id}/one-time-access-token",
            post(one_time::create),
        )
        .route(
            "/api/users/{id}/one-time-access-tokens",
            get(one_time::list),
        )
        .route(
            "/api/users/{id}/one-time-access-tokens/{token}",
            delete(one_time::revoke),
        )
        .route("/api/user-groups", get(groups::list).post(groups::create))
        .route(
            "/api/user-groups/{id}",
            get(groups::get).put(groups::replace).delete(groups::delete),
        )
        .route("/api/user-groups/{id}/users", put(groups::replace_members))
        .route("/api/services", get(services::list).post(services::create))
        .route(
            "/api/services/{id}",
            get(services::get)
                .put(services::replace)
                .delete(services::delete),
        )
        .route("/api/services/{id}/access", put(services::replace_access))
        .route("/api/services/{id}/authorize", get(services::authorize))
        .route("/api/custom-claims/suggestions", get(claims::suggestions))
        .route("/api/custom-claims/user/{id}", put(claims::replace_of_user))
        .route(
            "/api/custom-claims/user-group/{id}",
            put(claims::replace_of_group),
        )
        .route(
            "/api/signup-tokens",
            get(signup_tokens::list).post(signup_tokens::create),
        )
        .route(
            "/api/signup-tokens/{id}",
            get(signup_tokens::get)
                .put(signup_tokens::update)
                .delete(signup_tokens::revoke),
        )
        .route(
            "/api/signup-tokens/{id}/redemptions",
            get(signup_tokens::redemptions),
        )
        .route(
            "/api/application-configuration",
            get(settings::public).put(settings::replace),
        )
        .route("/api/application-configuration/all", get(settings::all))
        .route("/api/api-keys", get(api_keys::list).post(api_keys::create))
        .route("/api/api-keys/{id}", delete(api_keys::revoke))
        .route("/api/api-keys/{id}/renew", post(api_keys::renew))
        .route(
            "/api/sessions",
            get(sessions::list).delete(sessions::revoke_others),
        )
        .route("/api/sessions/{id}", delete(sessions::revoke))
        .route("/api/audit-logs", get(audit::own))
        .route("/api/audit-logs/all", get(audit::all))
        .route("/api/audit-logs/filters/users", get(audit::users))
        .route("/api/audit-logs/filters/events", get(audit::kinds))
}

/// The `{id}` of a path.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) String);

/// The two ids of a path.
#[derive(Debug)]
pub(crate) struct Ids(pub(crate) String, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(_) => Err(nothing_there()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(Path((first, second))) => Ok(Self(first, second)),
            Err(_) => Err(nothing_there()),
        }
    }
}

pub(crate) fn nothing_there() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "not_found", "Not found")
}

/// Lets in what is meant for this server, and reads it.
async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.uri().path() != HEALTH && !is_meant_for_us(&app, &request) {
        return pages::elsewhere(&request).unwrap_or_else(|| misdirected().into_response());
    }
    match body::read(request).await {
        Ok(request) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

fn misdirected() -> Failure {
    Failure::new(
        StatusCode::MISDIRECTED_REQUEST,
        "misdirected_request",
        "This server does not answer for that host name",
    )
}

/// A page that has its own host name point here (DNS rebinding) is refused by the name that it asks for.
fn is_meant_for_us(app: &App, request: &Request) -> bool {
    let origins = app.origins();
    // The RP id may be a domain above every origin; its keeper passes this one path on.
    let at_rp_id = request.uri().path() == WEBAUTHN;
    let is_ours = |host: &str| origins.have_authority(host) || at_rp_id && origins.have_rp_id(host);
    if let Some(authority) = request.uri().authority() {
        return is_ours(authority.as_str());
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().is_ok_and(is_ours),
        _ => false,
    }
}

/// Gives every answer its id and headers, writes refusals out, and logs one line.
async fn finish(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::next();
    let method = request.method().clone();
    let path = log::path(request.uri().path());
    let mut response = next.run(request).await;
    let failure = response.extensions_mut().remove::<Failure>();
    if let Some(failure) = &failure {
        write_failure(&mut response, failure, &id);
    }
    let headers = response.headers_mut();
    let text = HeaderValue::try_from(id.to_string()).expect("it is made of letters and digits");
    headers.insert("x-request-id", text);
    // What the pages load is the same for everybody, and says so itself.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("private, no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    let cause = failure.and_then(|failure| failure.cause);
    log_request(
        &method,
        &path,
        response.status(),
        started,
        &id,
        cause.as_deref(),
    );
    response
}

fn log_request(
    method: &Method,
    path: &str,
    status: StatusCode,
    started: Instant,
    id: &RequestId,
    cause: Option<&str>,
) {
    let now = Timestamp::now();
    let ms = started.elapsed().as_millis();
    let status = status.as_u16();
    match cause {
        None => log::line(format_args!(
            "{now:.3} {method} {path} {status} {ms}ms {id}"
        )),
        Some(cause) => log::line(format_args!(
            "{now:.3} {method} {path} {status} {ms}ms {id} {}",
            cause.escape_debug()
        )),
    }
}

#[derive(Serialize)]
struct FailureJson<'a> {
    error: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
    request_id: String,
}

#[derive(Serialize)]
struct Details<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fields: &'a [FieldError],
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

fn write_failure(response: &mut Response, failure: &Failure, id: &RequestId) {
    let details = Details {
        fields: &failure.fields,
        reason: failure.passkey_failure.map(passkey_failure::name),
    };
    let has_details = !details.fields.is_empty() || details.reason.is_some();
    let written = answer::json(
        failure.status,
        &FailureJson {
            error: &failure.message,
            code: failure.code,
            details: has_details.then_some(details),
            request_id: id.to_string(),
        },
    );
    let (parts, body) = written.into_parts();
    *response.body_mut() = body;
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.extend(parts.headers);
    if failure.status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if failure.status == StatusCode::REQUEST_TIMEOUT {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(seconds) = failure.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// Names a request, in its answer and in the log.
struct RequestId {
    run: u32,
    number: u64,
}

impl RequestId {
    fn next() -> Self {
        /// Tells one run of the server from the next; nobody need be unable to guess it.
        static RUN: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        Self {
            run: (*RUN >> 32) as u32,
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{}", self.run, self.number)
    }
}
