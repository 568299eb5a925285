//! What clients of Pocket ID look for beside users and groups. This server is no OpenID provider: there is nothing to be found.

use crate::http::openapi as doc;
use crate::http::openapi::{Operation, names};
use crate::http::{
    answer::Answer,
    caller::Administrator,
    list::{self, Query},
};

/// By which those clients sort and filter, so that they get an empty list and not a refusal.
const COLUMNS: [(&str, ()); 9] = [
    ("createdAt", ()),
    ("name", ()),
    ("pkceEnabled", ()),
    ("pkceSupported", ()),
    ("requiresReauthentication", ()),
    ("requiresPushedAuthorizationRequests", ()),
    ("skipConsent", ()),
    ("isGroupRestricted", ()),
    ("allowedUserGroupsCount", ()),
];
const FILTERS: [&str; 6] = [
    "pkceEnabled",
    "pkceSupported",
    "requiresReauthentication",
    "requiresPushedAuthorizationRequests",
    "skipConsent",
    "isGroupRestricted",
];

/// The OpenID clients: none.
pub(super) async fn clients(_: Administrator, query: Query) -> Answer {
    let asked = query.listing(&COLUMNS, &FILTERS)?;
    list::answer(Vec::<()>::new(), 0, 1, asked.limit)
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::administrator("get", "/api/oidc/clients", "Lists the OpenID clients: none")
            .lists::<()>(&names(&COLUMNS), &FILTERS, true),
    ]
}
