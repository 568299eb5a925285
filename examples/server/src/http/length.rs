//! Lengths of time, as clients write them.

use serde::Deserialize;

use crate::{http::error::Failure, options::duration};

/// A number of seconds, or text such as `15m`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Length {
    Seconds(u64),
    Text(String),
}

impl Length {
    /// In whole seconds.
    pub(crate) fn seconds(&self, field: &str) -> Result<u32, Failure> {
        let seconds = match self {
            Self::Seconds(seconds) => u32::try_from(*seconds).ok(),
            Self::Text(text) => duration::parse(text),
        };
        seconds.ok_or_else(|| {
            let reason = "must be a number of seconds, or text such as 15m, 24h or 7d";
            Failure::field(field, "invalid", reason)
        })
    }
}
