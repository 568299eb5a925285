//! Health and version.

use axum::extract::State;
use serde_json::json;

use crate::http::{
    answer::{self, Answer},
    app::App,
    caller::Caller,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Ready is who can read the database.
pub(super) async fn health(State(app): State<App>) -> Answer {
    let host = app.keyplate().clone();
    app.blocking(move || host.get_setup_state()).await?;
    answer::no_content()
}

pub(super) async fn current_version(_: Caller) -> Answer {
    answer::ok(&json!({ "currentVersion": VERSION }))
}

/// The same: the server asks nobody.
pub(super) async fn latest_version() -> Answer {
    answer::ok(&json!({ "latestVersion": VERSION }))
}
