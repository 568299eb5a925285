//! Reading what a request brings, within bounds.

use std::time::{Duration, SystemTime};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::timeout;

use crate::http::{
    app::App,
    caller::{self, Source},
    error::Failure,
};

const LIMIT: usize = 1_000_000;
const DEADLINE: Duration = Duration::from_secs(15);
/// How much of a body that is refused is still read, so that its sender gets to read the answer.
const DRAINED: usize = 16_000_000;

/// Reads the whole body before anything looks at it: a refusal then always finds its reader.
pub(crate) async fn read(request: Request) -> Result<Request, Failure> {
    let (parts, body) = request.into_parts();
    let announced = body.size_hint().lower();
    if announced > LIMIT as u64 {
        // Whoever asks first gets the answer at once and sends nothing.
        if !parts.headers.contains_key(header::EXPECT) {
            let _ = timeout(DEADLINE, Limited::new(body, DRAINED).collect()).await;
        }
        return Err(too_large());
    }
    let mut body = body;
    let limited = Limited::new(&mut body, LIMIT);
    let bytes = match timeout(DEADLINE, limited.collect()).await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let _ = timeout(DEADLINE, Limited::new(body, DRAINED).collect()).await;
            return Err(too_large());
        }
        Ok(Err(_)) => return Err(unreadable("The request body could not be read")),
        Err(_) => {
            return Err(Failure::new(
                StatusCode::REQUEST_TIMEOUT,
                "request_timeout",
                "The request body came too slowly",
            ));
        }
    };
    if !bytes.is_empty() {
        check_encoding(&parts.headers)?;
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// A JSON object. An empty body is an empty object; what is missing then is said field by field.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let bytes = typed(request, app).await?;
        let text = bytes.trim_ascii();
        let text = if text.is_empty() { b"{}" } else { text };
        if text.first() != Some(&b'{') {
            return Err(unreadable("The request body must be a JSON object"));
        }
        parse(text).map(Self)
    }
}

/// A form, as the standards of OAuth have it, or a JSON object. For routes that set no cookie and ask for no credential,
/// where a form of another site does no more than a stranger can.
#[derive(Debug)]
pub(crate) struct FormOrJson<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for FormOrJson<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        if !is_form(request.headers()) {
            let Json(value) = Json::from_request(request, app).await?;
            return Ok(Self(value));
        }
        let bytes = axum::body::to_bytes(request.into_body(), LIMIT)
            .await
            .map_err(|_| unreadable("The request body could not be read"))?;
        let mut object = Map::new();
        for (name, value) in form_urlencoded::parse(&bytes) {
            // RFC 6749, section 3.2: none is given twice.
            if object
                .insert(name.into_owned(), Value::String(value.into_owned()))
                .is_some()
            {
                return Err(unreadable("The request body names a parameter twice"));
            }
        }
        serde_json::from_value(Value::Object(object))
            .map(Self)
            .map_err(|_| unreadable("The request body is not the form that is wanted here"))
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let essence = headers.get(header::CONTENT_TYPE).map(|value| {
        let text = value.to_str().unwrap_or_default();
        text.split(';').next().unwrap_or_default().trim().to_owned()
    });
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// A JSON object, or a list of its members as `{key, value}`, which is how such an object is answered.
#[derive(Debug)]
pub(crate) struct JsonOrPairs<T>(pub(crate) T);

#[derive(Deserialize)]
struct Pair {
    key: String,
    value: Value,
}

impl<T: DeserializeOwned> FromRequest<App> for JsonOrPairs<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let bytes = typed(request, app).await?;
        let text = bytes.trim_ascii();
        match text.first() {
            None => parse(b"{}").map(Self),
            Some(b'{') => parse(text).map(Self),
            Some(b'[') => {
                let pairs: Vec<Pair> = parse(text)?;
                let mut object = Map::new();
                for Pair { key, value } in pairs {
                    if object.insert(key.clone(), value).is_some() {
                        return Err(Failure::field(&key, "duplicate", "stands there twice"));
                    }
                }
                parse(Value::from(object).to_string().as_bytes()).map(Self)
            }
            Some(_) => Err(unreadable(
                "The request body must be a JSON object or a list of keys and values",
            )),
        }
    }
}

/// A JSON object that the library reads: its text.
#[derive(Debug)]
pub(crate) struct JsonText(pub(crate) String);

impl FromRequest<App> for JsonText {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let bytes = typed(request, app).await?;
        let text = bytes.trim_ascii();
        if text.first() != Some(&b'{') {
            return Err(unreadable("The request body must be a JSON object"));
        }
        let _: IgnoredAny = parse(text)?;
        Ok(Self(String::from_utf8_lossy(text).into_owned()))
    }
}

/// A JSON array.
#[derive(Debug)]
pub(crate) struct JsonList<T>(pub(crate) Vec<T>);

impl<T: DeserializeOwned> FromRequest<App> for JsonList<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let bytes = typed(request, app).await?;
        let text = bytes.trim_ascii();
        if text.first() != Some(&b'[') {
            return Err(unreadable("The request body must be a JSON array"));
        }
        parse(text).map(Self)
    }
}

/// The body, of a type that may be read.
async fn typed(request: Request, app: &App) -> Result<Bytes, Failure> {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, LIMIT)
        .await
        .map_err(|_| unreadable("The request body could not be read"))?;
    // A form on another site can send a cookie along, but not this type; a header it cannot send at all.
    let from_header =
        caller::credential(app, &parts.headers).is_some_and(|(source, _)| source == Source::Header);
    if !from_header {
        check_type(&parts.headers, &bytes)?;
    }
    if std::str::from_utf8(&bytes).is_err() {
        return Err(unreadable("The request body must be UTF-8"));
    }
    Ok(match bytes.starts_with(BYTE_ORDER_MARK) {
        true => bytes.slice(BYTE_ORDER_MARK.len()..),
        false => bytes,
    })
}

/// RFC 8259, section 8.1: it may be passed over.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Nothing here is unpacked, so nobody sends a little that becomes a lot.
fn check_encoding(headers: &HeaderMap) -> Result<(), Failure> {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let is_plain = |value: &HeaderValue| {
        let names = value.to_str().unwrap_or("?").split(',').map(str::trim);
        names
            .filter(|name| !name.is_empty())
            .all(|name| name.eq_ignore_ascii_case("identity"))
    };
    match encodings.all(is_plain) {
        true => Ok(()),
        false => Err(Failure::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_content_encoding",
            "The request body must be sent without a Content-Encoding",
        )),
    }
}

fn check_type(headers: &HeaderMap, bytes: &Bytes) -> Result<(), Failure> {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
        return if bytes.is_empty() {
            Ok(())
        } else {
            Err(wrong_type())
        };
    };
    let essence = content_type.to_str().unwrap_or_default().split(';').next();
    let is_json = essence.is_some_and(|t| t.trim().eq_ignore_ascii_case("application/json"));
    if is_json { Ok(()) } else { Err(wrong_type()) }
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Failure> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value: T = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        if error.inner().is_data() && path != "." {
            Failure::field(&path, "invalid_type", "has the wrong type")
        } else {
            unreadable("The request body is not the JSON that is wanted here")
        }
    })?;
    json.end()
        .map_err(|_| unreadable("The request body holds more than one JSON value"))?;
    Ok(value)
}

/// A time that a body gives as RFC 3339.
pub(crate) fn time(field: &str, text: Option<&str>) -> Result<SystemTime, Failure> {
    let text = text
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Failure::field(field, "required", "is required"))?;
    let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| {
        Failure::field(
            field,
            "invalid",
            "must be a time such as 2030-01-31T12:00:00Z",
        )
    })?;
    Ok(SystemTime::from(time))
}

/// A secret that somebody copied, perhaps with a blank or a line break at its ends. An empty one is none.
pub(crate) fn token(text: Option<String>) -> Option<String> {
    let text = text.map(|text| text.trim().to_owned());
    text.filter(|text| !text.is_empty())
}

/// Reads a member that is there, be it null: that is not the same as one that is left out.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// What must be there, because it replaces something else.
pub(crate) fn required<T>(field: &str, value: Option<T>) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::field(field, "required", "is required"))
}

/// A list of ids that must be there, because it replaces another.
pub(crate) fn ids<T>(
    field: &str,
    ids: Option<Vec<String>>,
    parse: impl Fn(&str) -> keyplate::Result<T>,
) -> Result<Vec<T>, Failure> {
    let ids = required(field, ids)?;
    let ids = ids.iter().map(|id| parse(id));
    ids.collect::<keyplate::Result<Vec<T>>>()
        .map_err(|_| Failure::field(field, "invalid", "has something in it that is not an id"))
}

fn unreadable(message: &str) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, "invalid_request_body", message)
}

fn wrong_type() -> Failure {
    Failure::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "invalid_request_body",
        "The request body must be of the type application/json",
    )
}

fn too_large() -> Failure {
    Failure::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "request_too_large",
        "The request body is too large",
    )
}
