//! What every route is made of: who asks, what comes in, what goes out. It knows no route.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod caller;
pub(crate) mod ceremony;
pub(crate) mod client;
pub(crate) mod cookie;
pub(crate) mod error;
pub(crate) mod list;
pub(crate) mod origin;
pub(crate) mod passkey_failure;
