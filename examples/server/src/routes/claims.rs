use keyplate::{Claim, Keyplate};
use serde::{Deserialize, Serialize};

use crate::{
    http::{
        answer::{self, Answer},
        body::JsonList,
        caller::Administrator,
        error::Failure,
    },
    routes::{groups, router::Id, users},
};

/// A claim as JSON, in both directions.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
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

/// The names that are in use.
pub(crate) async fn suggestions(Administrator(caller): Administrator) -> Answer {
    let keys = caller.call(Keyplate::list_claim_keys).await?;
    answer::ok(&keys)
}

pub(crate) async fn replace_of_user(
    Administrator(caller): Administrator,
    id: Id,
    JsonList(claims): JsonList<ClaimJson>,
) -> Answer {
    let id = users::parse_id(&id)?;
    let claims = parse(claims);
    let user = caller
        .call(move |keyplate| keyplate.set_user_claims(&id, claims))
        .await
        .map_err(told_apart)?;
    stored(&user.claims)
}

pub(crate) async fn replace_of_group(
    Administrator(caller): Administrator,
    id: Id,
    JsonList(claims): JsonList<ClaimJson>,
) -> Answer {
    let id = groups::parse_id(&id)?;
    let claims = parse(claims);
    let group = caller
        .call(move |keyplate| keyplate.set_group_claims(&id, claims))
        .await
        .map_err(told_apart)?;
    stored(&group.claims)
}

pub(crate) fn parse(claims: Vec<ClaimJson>) -> Vec<Claim> {
    claims.into_iter().map(Claim::from).collect()
}

/// Two of the rules have codes of their own here. The library tells them apart in its words only.
pub(crate) fn told_apart(mut failure: Failure) -> Failure {
    let Some(first) = failure.fields.first_mut() else {
        return failure;
    };
    let code = if first.message.ends_with("` is reserved") {
        "reserved_claim"
    } else if first.message.ends_with("` stands twice") {
        "duplicate_claim"
    } else {
        return failure;
    };
    first.code = code;
    failure.code = code;
    failure
}

fn stored(claims: &[Claim]) -> Answer {
    let claims: Vec<ClaimJson> = claims.iter().map(ClaimJson::from).collect();
    answer::ok(&claims)
}
