//! What holds for every request, whatever its route: which are meant for this server, and how each answer leaves it.

use std::{
    convert::Infallible,
    fmt,
    hash::{BuildHasher, RandomState},
    pin::Pin,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::Response,
};
use hyper::body::Frame;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    http::{
        answer,
        app::App,
        clock,
        error::{Failure, FieldError},
    },
    log,
};

/// Where browsers look for the related origins of an RP id.
pub(crate) const WEBAUTHN: &str = "/.well-known/webauthn";

/// The code of an answer after which the connection is closed, for others to come.
const OVERLOADED: &str = "overloaded";

pub(crate) fn misdirected() -> Failure {
    Failure::new(
        StatusCode::MISDIRECTED_REQUEST,
        "misdirected_request",
        "This server does not answer for that host name",
    )
}

/// For who has come when all places were taken.
pub(crate) fn overloaded() -> Failure {
    let mut failure = Failure::new(
        StatusCode::SERVICE_UNAVAILABLE,
        OVERLOADED,
        "There are too many connections, try again",
    );
    failure.retry_after = Some(1);
    failure
}

/// A page that has its own host name point here (DNS rebinding) is refused by the name that it asks for.
pub(crate) fn is_meant_for_us(app: &App, request: &Request) -> bool {
    let origins = app.origins();
    // The RP id may be a domain above every origin; its keeper passes this one path on.
    let at_rp_id = request.uri().path() == WEBAUTHN;
    let is_ours = |host: &str| origins.have_authority(host) || at_rp_id && origins.have_rp_id(host);
    if let Some(authority) = request.uri().authority() {
        return is_ours(authority.as_str());
    }
    host(request.headers()).is_some_and(is_ours)
}

/// What a request's one `Host` says.
pub(crate) fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        _ => None,
    }
}

/// RFC 9110, section 8.6: where there is no content there is no length of it. To a body that knows its length the router
/// adds it for HEAD, so this one does not know it.
struct Nothing;

impl HttpBody for Nothing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }
}

/// A path with a slash at its end is the one without.
pub(crate) async fn without_slash(mut request: Request, next: Next) -> Response {
    if let Some(uri) = shortened(request.uri()) {
        *request.uri_mut() = uri;
    }
    next.run(request).await
}

fn shortened(uri: &Uri) -> Option<Uri> {
    let path = uri
        .path()
        .strip_suffix('/')
        .filter(|path| !path.is_empty())?;
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target.parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// Gives every answer its id and headers, writes refusals out, and logs one line.
pub(crate) async fn finish(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::next();
    let method = request.method().clone();
    let path = log::path(request.uri().path());
    let mut response = next.run(request).await;
    let failure = response.extensions_mut().remove::<Failure>();
    let offers_basic = response.extensions().get::<answer::OffersBasic>().is_some();
    if let Some(failure) = &failure {
        write_failure(&mut response, failure, &id);
    }
    if response.status() == StatusCode::NO_CONTENT {
        *response.body_mut() = Body::new(Nothing);
    }
    let headers = response.headers_mut();
    if offers_basic {
        let both = "Bearer, Basic realm=\"app password\", charset=\"UTF-8\"";
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(both));
    }
    let text = HeaderValue::try_from(id.to_string()).expect("it is made of letters and digits");
    headers.insert("x-request-id", text);
    // What the pages load is the same for everybody, and says so itself.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("private, no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    let cause = failure.and_then(|failure| failure.cause);
    log_request(
        &method,
        &path,
        response.status(),
        started,
        &id,
        cause.as_deref(),
    );
    response
}

fn log_request(
    method: &Method,
    path: &str,
    status: StatusCode,
    started: Instant,
    id: &RequestId,
    cause: Option<&str>,
) {
    let now = clock::stamp();
    let ms = started.elapsed().as_millis();
    let status = status.as_u16();
    match cause {
        None => log::line(format_args!("{now} {method} {path} {status} {ms}ms {id}")),
        Some(cause) => log::line(format_args!(
            "{now} {method} {path} {status} {ms}ms {id} {}",
            cause.escape_debug()
        )),
    }
}

#[derive(Serialize)]
struct FailureJson<'a> {
    error: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
    request_id: String,
}

#[derive(Serialize)]
struct Details<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fields: &'a [FieldError],
    #[serde(flatten)]
    reason: &'a Map<String, Value>,
}

fn write_failure(response: &mut Response, failure: &Failure, id: &RequestId) {
    let details = Details {
        fields: &failure.fields,
        reason: &failure.reason,
    };
    let has_details = !details.fields.is_empty() || !details.reason.is_empty();
    let written = answer::json(
        failure.status,
        &FailureJson {
            error: &failure.message,
            code: failure.code,
            details: has_details.then_some(details),
            request_id: id.to_string(),
        },
    );
    let (parts, body) = written.into_parts();
    *response.body_mut() = body;
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.extend(parts.headers);
    if failure.status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if failure.status == StatusCode::REQUEST_TIMEOUT || failure.code == OVERLOADED {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(seconds) = failure.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// Names a request, in its answer and in the log.
struct RequestId {
    run: u32,
    number: u64,
}

impl RequestId {
    fn next() -> Self {
        /// Tells one run of the server from the next; nobody need be unable to guess it.
        static RUN: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        Self {
            run: (*RUN >> 32) as u32,
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{}", self.run, self.number)
    }
}
