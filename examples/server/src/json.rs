//! Records as JSON, where more than one route or command shows them.

pub(crate) mod api_keys;
pub(crate) mod claims;
pub(crate) mod groups;
pub(crate) mod one_time;
pub(crate) mod setup;
pub(crate) mod users;
