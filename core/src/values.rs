//! How things are written: names and addresses, secret tokens, typed codes, scopes, origins.

pub(crate) mod addresses;
pub(crate) mod claim_names;
pub(crate) mod codes;
pub(crate) mod numbers;
pub(crate) mod origins;
pub(crate) mod scopes;
pub(crate) mod text;
pub(crate) mod tokens;
