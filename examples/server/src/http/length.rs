//! Lengths of time, as clients write them.

use serde::Deserialize;

use crate::{
    http::error::Failure,
    options::duration::{self, Unreadable},
};

/// A number of seconds, or text with a unit such as `15m`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Length {
    Seconds(u64),
    Text(String),
}

impl Length {
    /// In whole seconds.
    pub(crate) fn seconds(&self, field: &str) -> Result<i64, Failure> {
        let seconds = match self {
            Self::Seconds(seconds) => i64::try_from(*seconds).map_err(|_| Unreadable::NotATime),
            Self::Text(text) => duration::parse(text),
        };
        seconds.map_err(|wrong| {
            let reason = match wrong {
                Unreadable::NoUnit => {
                    "as text needs a unit: s, m, h or d, as in 45s, 30m, 12h or 90d"
                }
                Unreadable::NotATime => {
                    "must be a number of seconds, or text such as 45s, 30m, 12h or 90d"
                }
            };
            Failure::field(field, "invalid", reason)
        })
    }
}
