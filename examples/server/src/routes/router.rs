//! All routes in one list (the pages have their own), and what holds for each of them.

use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get, patch, post, put},
};

use crate::{
    http::{
        app::App,
        body,
        client::Reserve,
        edge::{self, WEBAUTHN},
        error::Failure,
    },
    routes::{
        access_tokens, api_keys, app_passwords, audit, claims, device, forward_auth, groups,
        instance, login, oidc, one_time, openapi, pages::Pages, passkeys, qr_code, services,
        sessions, settings, setup, signals, signup, signup_tokens, user_sessions, users,
        well_known,
    },
};

const HEALTH: &str = "/healthz";

pub(crate) fn routes(app: App) -> Router {
    // A layer of a router runs after it has chosen the route.
    Router::new()
        .fallback_service(routed(app))
        .layer(middleware::from_fn(edge::without_slash))
}

fn routed(app: App) -> Router {
    let pages = Pages::of(&app);
    let missing = pages.clone();
    resources()
        .merge(webauthn())
        .merge(forward_auth::ways_in())
        .merge(pages.routes())
        .fallback(async move |method: Method, uri: Uri, headers: HeaderMap| {
            missing.missing(&method, &uri, &headers)
        })
        .method_not_allowed_fallback(async || {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            Failure::new(status, "method_not_allowed", "Method not allowed")
        })
        .layer(Extension(pages.clone()))
        .layer(middleware::from_fn_with_state((app.clone(), pages), admit))
        .layer(middleware::from_fn(edge::finish))
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
        .route("/api/openapi.json", get(openapi::document))
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
        .route(
            "/api/forward-auth/{proxy}/{service}",
            get(forward_auth::ask),
        )
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
            "/api/app-passwords",
            get(app_passwords::list).post(app_passwords::create),
        )
        .route("/api/app-passwords/verify", post(app_passwords::verify))
        .route("/api/app-passwords/{id}", delete(app_passwords::revoke))
        .route("/api/device/code", post(device::code))
        .route("/api/device/token", post(device::token))
        .route("/api/device/inspect", post(device::inspect))
        .route("/api/device/approve", post(device::approve))
        .route("/api/device/deny", post(device::deny))
        .route(
            "/api/device/links",
            get(device::links).post(device::create_link),
        )
        .route("/api/device/links/{id}", delete(device::disown_link))
        .route(
            "/api/sessions",
            get(sessions::list).delete(sessions::revoke_others),
        )
        .route("/api/sessions/current", get(sessions::current))
        .route("/api/sessions/{id}", delete(sessions::revoke))
        .route(
            "/api/users/{id}/sessions",
            get(user_sessions::list).delete(user_sessions::revoke_all),
        )
        .route("/api/qr-code", post(qr_code::draw))
        .route("/api/audit-logs", get(audit::own))
        .route("/api/audit-logs/all", get(audit::all))
        .route("/api/audit-logs/filters/users", get(audit::users))
        .route("/api/audit-logs/filters/events", get(audit::kinds))
        .route(
            "/api/audit-logs/filters/client-names",
            get(audit::client_names),
        )
        .route("/api/oidc/clients", get(oidc::clients))
}

/// Lets in what is meant for this server, and reads it.
async fn admit(State((app, pages)): State<(App, Pages)>, request: Request, next: Next) -> Response {
    if request.uri().path() != HEALTH && request.extensions().get::<Reserve>().is_some() {
        return edge::overloaded().into_response();
    }
    let is_answered_anywhere =
        request.uri().path() == HEALTH || forward_auth::is_elsewhere(&app, &request);
    if !is_answered_anywhere && !edge::is_meant_for_us(&app, &request) {
        let page = pages.elsewhere(&app, &request);
        return page.unwrap_or_else(|| edge::misdirected().into_response());
    }
    match body::read(request).await {
        Ok(request) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}
