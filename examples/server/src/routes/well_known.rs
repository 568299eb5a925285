//! What others look for under `/.well-known/`.

use axum::extract::State;
use serde_json::json;

use crate::http::openapi as doc;
use crate::http::openapi::Operation;
use crate::http::{
    answer::{self, Answer},
    app::App,
    error::Failure,
};

/// WebAuthn Level 3, section 5.11: the origins that may use this RP id. A browser asks only on a page of another domain,
/// so that without related origins there is nothing to tell.
pub(super) async fn webauthn(State(app): State<App>) -> Answer {
    let origins = app.origins();
    if !origins.have_related() {
        return Err(Failure::not_found("document"));
    }
    answer::ok(&json!({ "origins": origins.texts() }))
}

/// Where password managers send people, as "A Well-Known URL for Passkey Endpoints" has it.
pub(super) async fn passkey_endpoints(State(app): State<App>) -> Answer {
    let page = format!("{}/account", app.origins().own());
    answer::ok(&json!({ "enroll": page, "manage": page }))
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::public("get", "/.well-known/webauthn", "Gives the related origins")
            .gives_other("application/json")
            .refuses(&[404]),
        doc::public(
            "get",
            "/.well-known/passkey-endpoints",
            "Gives where passkeys are kept",
        )
        .gives_other("application/json"),
    ]
}
