use keyplate::OneTimeToken;
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::answer;

/// A one-time token as JSON.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "OneTimeToken")]
#[serde(rename_all = "camelCase")]
pub(crate) struct OneTimeTokenJson {
    id: String,
    #[serde(rename = "userID")]
    user_id: String,
    is_code: bool,
    /// For somebody who has lost their passkey?
    recovery: bool,
    /// A masked form; nothing is told of a code.
    token: String,
    created_at: String,
    expires_at: String,
    created_by: Option<String>,
}

impl From<&OneTimeToken> for OneTimeTokenJson {
    fn from(token: &OneTimeToken) -> Self {
        Self {
            id: token.id.to_string(),
            user_id: token.user_id.to_string(),
            is_code: token.is_code,
            recovery: token.is_recovery,
            token: token.masked_secret.clone(),
            created_at: answer::time(token.created_at),
            expires_at: answer::time(token.expires_at),
            created_by: token.created_by.clone(),
        }
    }
}
