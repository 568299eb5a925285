use keyplate::ApiKey;
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::answer;

/// An API key as JSON.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "ApiKey")]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiKeyJson {
    id: String,
    name: String,
    description: Option<String>,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    created_at: String,
    /// The server sends no mail.
    expiration_email_sent: bool,
    prefix: String,
    scopes: Vec<String>,
    /// Whose it is.
    #[serde(rename = "userID")]
    user_id: String,
}

impl From<&ApiKey> for ApiKeyJson {
    fn from(key: &ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.clone(),
            description: key.note.clone(),
            expires_at: key.expires_at.map(answer::time),
            last_used_at: key.last_used_at.map(answer::time),
            created_at: answer::time(key.created_at),
            expiration_email_sent: false,
            prefix: key.masked_secret.clone(),
            scopes: key.scopes.clone(),
            user_id: key.owner_id.to_string(),
        }
    }
}
