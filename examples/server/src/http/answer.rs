//! What goes back.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use time::OffsetDateTime;

use crate::http::{clock, error::Failure};

/// Beside a refusal of who is not signed in: name and app password are accepted, too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OffersBasic;

/// What a route gives.
pub(crate) type Answer = Result<Response, Failure>;

pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => written(status, text.into()),
        Err(error) => Failure::internal(error).into_response(),
    }
}

/// JSON that somebody else has written.
pub(crate) fn written(status: StatusCode, json: Body) -> Response {
    let mut response = Response::new(json);
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

pub(crate) fn ok(value: &impl Serialize) -> Answer {
    Ok(json(StatusCode::OK, value))
}

pub(crate) fn created(value: &impl Serialize) -> Answer {
    Ok(json(StatusCode::CREATED, value))
}

pub(crate) fn no_content() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A time of the library's as RFC 3339 writes it, with milliseconds always: texts of one width are in the order of their
/// times, and clients compare them so.
pub(crate) fn time(time: SystemTime) -> String {
    let since_1970 = time.duration_since(UNIX_EPOCH).ok();
    since_1970
        .and_then(|since| OffsetDateTime::UNIX_EPOCH.checked_add(since.try_into().ok()?))
        .and_then(clock::written)
        .expect("the library gives times from 1970 to 9999 only, and an error for any other that is stored")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_of_one_width_to_the_end_of_the_year_9999() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_793_491_200_000, "2026-11-01T00:00:00.000Z"),
            (1_793_491_200_120, "2026-11-01T00:00:00.120Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(time(UNIX_EPOCH + Duration::from_millis(millis)), text);
        }
    }
}
