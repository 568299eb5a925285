//! Health and version.

use axum::extract::State;
use serde_json::json;

use crate::http::openapi as doc;
use crate::http::openapi::Operation;
use crate::{
    http::{
        answer::{self, Answer},
        app::App,
        caller::Caller,
    },
    open,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Ready is who can read the database and, as far as there is a doubt, write it. A clock that is far behind stops access tokens only, and is said besides.
pub(super) async fn health(State(app): State<App>) -> Answer {
    let host = app.keyplate().clone();
    let asked = app.clone();
    let ask = move || {
        host.get_setup_state()?;
        asked.storage().check(&host)?;
        host.get_clock_state()
    };
    let clock = app.blocking(ask).await?;
    open::warn_of_clock(&clock);
    if clock.access_tokens_stopped {
        return answer::ok(&json!({
            "clockBehindSeconds": clock.behind_seconds,
            "accessTokensStopped": true,
        }));
    }
    answer::no_content()
}

pub(super) async fn current_version(_: Caller) -> Answer {
    answer::ok(&json!({ "currentVersion": VERSION }))
}

/// The same: the server asks nobody.
pub(super) async fn latest_version() -> Answer {
    answer::ok(&json!({ "latestVersion": VERSION }))
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::public("get", "/healthz", "Tells whether the database can be read")
            .gives_nothing()
            .gives_other("application/json"),
        doc::user("get", "/api/version/current", "Gives the version")
            .gives_other("application/json"),
        doc::public("get", "/api/version/latest", "Gives the version")
            .gives_other("application/json"),
    ]
}
