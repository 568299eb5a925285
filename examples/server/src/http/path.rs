//! What a path names.

use axum::{
    extract::{FromRequestParts, Path},
    http::{StatusCode, request::Parts},
};
use keyplate::{GroupId, UserId};

use crate::http::error::Failure;

/// The `{id}` of a path.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) String);

/// The two ids of a path.
#[derive(Debug)]
pub(crate) struct Ids(pub(crate) String, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(_) => Err(nothing_there()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(Path((first, second))) => Ok(Self(first, second)),
            Err(_) => Err(nothing_there()),
        }
    }
}

pub(crate) fn nothing_there() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "not_found", "Not found")
}

pub(crate) fn user_id(id: &Id) -> Result<UserId, Failure> {
    UserId::parse(&id.0).map_err(|_| Failure::not_found("user"))
}

pub(crate) fn group_id(id: &Id) -> Result<GroupId, Failure> {
    GroupId::parse(&id.0).map_err(|_| Failure::not_found("group"))
}
