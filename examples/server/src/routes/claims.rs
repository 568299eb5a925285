use keyplate::{Claim, Keyplate};

use crate::http::openapi as doc;
use crate::http::openapi::Operation;
use crate::{
    http::{
        answer::{self, Answer},
        body::JsonList,
        caller::Administrator,
        list::Query,
        path::{self, Id},
    },
    json::claims::{self, ClaimJson},
};

/// The names that are in use.
pub(super) async fn suggestions(Administrator(caller): Administrator, query: Query) -> Answer {
    query.nothing_more()?;
    let keys = caller.call(Keyplate::list_claim_keys).await?;
    answer::ok(&keys)
}

pub(super) async fn replace_of_user(
    Administrator(caller): Administrator,
    id: Id,
    JsonList(claims): JsonList<ClaimJson>,
) -> Answer {
    let id = path::user_id(&id)?;
    let claims = claims::parse(claims);
    let user = caller
        .call(move |keyplate| keyplate.set_user_claims(&id, claims))
        .await
        .map_err(claims::told_apart)?;
    stored(&user.claims)
}

pub(super) async fn replace_of_group(
    Administrator(caller): Administrator,
    id: Id,
    JsonList(claims): JsonList<ClaimJson>,
) -> Answer {
    let id = path::group_id(&id)?;
    let claims = claims::parse(claims);
    let group = caller
        .call(move |keyplate| keyplate.set_group_claims(&id, claims))
        .await
        .map_err(claims::told_apart)?;
    stored(&group.claims)
}

fn stored(claims: &[Claim]) -> Answer {
    let claims: Vec<ClaimJson> = claims.iter().map(ClaimJson::from).collect();
    answer::ok(&claims)
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::administrator(
            "get",
            "/api/custom-claims/suggestions",
            "Gives the names of claims in use",
        )
        .gives::<Vec<String>>(200),
        doc::administrator(
            "put",
            "/api/custom-claims/user/{id}",
            "Replaces a user's claims",
        )
        .takes::<Vec<ClaimJson>>()
        .gives::<Vec<ClaimJson>>(200),
        doc::administrator(
            "put",
            "/api/custom-claims/user-group/{id}",
            "Replaces a group's claims",
        )
        .takes::<Vec<ClaimJson>>()
        .gives::<Vec<ClaimJson>>(200),
    ]
}
