use keyplate::Claim;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::error::Failure;

/// A claim as JSON, in both directions.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[schemars(rename = "Claim")]
#[serde(default)]
pub(crate) struct ClaimJson {
    key: String,
    value: String,
}

impl From<&Claim> for ClaimJson {
    fn from(claim: &Claim) -> Self {
        Self {
            key: claim.key.clone(),
            value: claim.value.clone(),
        }
    }
}

impl From<ClaimJson> for Claim {
    fn from(claim: ClaimJson) -> Self {
        Self {
            key: claim.key,
            value: claim.value,
        }
    }
}

pub(crate) fn parse(claims: Vec<ClaimJson>) -> Vec<Claim> {
    claims.into_iter().map(Claim::from).collect()
}

/// Two of the rules have codes of their own here.
pub(crate) fn told_apart(mut failure: Failure) -> Failure {
    let Some(first) = failure.fields.first_mut() else {
        return failure;
    };
    let code = match first.code.as_str() {
        "reserved" => "reserved_claim",
        "duplicate" => "duplicate_claim",
        _ => return failure,
    };
    code.clone_into(&mut first.code);
    failure.code = code;
    failure
}
