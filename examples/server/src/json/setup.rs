use keyplate::SetupCompletion;
use schemars::JsonSchema;
use serde::Serialize;

use crate::json::{api_keys::ApiKeyJson, one_time::OneTimeTokenJson};

/// What there was when setup ended: somebody else may have made one of these (B4).
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Completion")]
#[serde(rename_all = "camelCase")]
pub(crate) struct CompletionJson {
    api_keys: Vec<ApiKeyJson>,
    one_time_tokens: Vec<OneTimeTokenJson>,
}

impl From<&SetupCompletion> for CompletionJson {
    fn from(completion: &SetupCompletion) -> Self {
        Self {
            api_keys: completion.api_keys.iter().map(ApiKeyJson::from).collect(),
            one_time_tokens: completion
                .one_time_tokens
                .iter()
                .map(OneTimeTokenJson::from)
                .collect(),
        }
    }
}
