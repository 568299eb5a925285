//! Links as pictures, so that a telephone's camera can read them off a page.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use qrcode::{EcLevel, QrCode, render::svg::Color};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::http::openapi as doc;
use crate::http::openapi::Operation;
use crate::http::{
    body::{self, Json},
    caller::Browser,
    error::Failure,
};

/// Longer links make squares that are too small for a camera at the size of the page.
const LONGEST: usize = 400;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct QrBody {
    text: Option<String>,
}

/// Draws a link. It may hold a secret, so it comes in a body, for whoever is signed in at a page, and is not kept.
pub(super) async fn draw(_: Browser, Json(body): Json<QrBody>) -> Result<Response, Failure> {
    let text = body::required("text", body.text)?;
    // ASCII, as every link is: of other text the crate takes some bytes for Shift JIS.
    if text.is_empty() || text.len() > LONGEST || !text.bytes().all(|b| b.is_ascii_graphic()) {
        let reason = format!("must be a link of 1 to {LONGEST} characters of ASCII");
        return Err(Failure::field("text", "invalid", &reason));
    }
    let code = QrCode::with_error_correction_level(&text, EcLevel::M).map_err(Failure::internal)?;
    let picture = code.render::<Color<'_>>().module_dimensions(1, 1).build();
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], picture).into_response())
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::browser("post", "/api/qr-code", "Draws a link")
            .takes::<QrBody>()
            .gives_other("image/svg+xml"),
    ]
}
