//! What every route is made of: who asks, what comes in, what goes out. It knows no route.

pub(crate) mod answer;
pub(crate) mod app;
pub(crate) mod body;
pub(crate) mod caller;
pub(crate) mod ceremony;
pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod cookie;
pub(crate) mod edge;
pub(crate) mod error;
pub(crate) mod forwarded;
pub(crate) mod length;
pub(crate) mod list;
pub(crate) mod openapi;
pub(crate) mod origin;
mod passkey_failure;
pub(crate) mod path;
pub(crate) mod peer;
mod storage;
