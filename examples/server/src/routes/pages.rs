//! The pages that a person uses: plain HTML, CSS and modules, part of the program.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::http::{app::App, path};

/// A file of the folder `web`.
struct File {
    name: &'static str,
    bytes: &'static [u8],
}

macro_rules! files {
    ($($name:literal)*) => {
        [$(File { name: $name, bytes: include_bytes!(concat!("../../web/", $name)) }),*]
    };
}

/// What the pages load, under `/assets/`.
static ASSETS: &[File] = &files! {
    "account/account.js" "account/keys.js" "account/mypasskeys.js" "account/myservices.js"
    "admin/access.js" "admin/admin.js" "admin/audit.js" "admin/group.js" "admin/groups.js" "admin/keys.js"
    "admin/service.js" "admin/services.js" "admin/settings.js" "admin/signup.js" "admin/token.js" "admin/user.js"
    "admin/users.js"
    "doors/code.js" "doors/home.js" "doors/profile.js" "doors/setup.js" "doors/signin.js" "doors/signup.js"
    "parts/api.js" "parts/base.css" "parts/ceremony.js" "parts/dialogs.js" "parts/dom.js" "parts/failures.js"
    "parts/format.js" "parts/forms.js" "parts/http.js" "parts/icon.svg" "parts/list.js" "parts/parts.css"
    "parts/parts.js" "parts/passkeys.js" "parts/qr.js" "parts/shell.js"
    "parts/webauthn.js"
};

/// The documents, by the paths at which they are.
const PAGES: [(&str, &[u8]); 23] = [
    ("/", include_bytes!("../../web/doors/home.html")),
    ("/setup", include_bytes!("../../web/doors/setup.html")),
    ("/signin", include_bytes!("../../web/doors/signin.html")),
    ("/login", include_bytes!("../../web/doors/signin.html")),
    ("/code", include_bytes!("../../web/doors/code.html")),
    ("/signup", include_bytes!("../../web/doors/signup.html")),
    // Old links; the pages take the token or code out of the address at once.
    ("/st/{token}", include_bytes!("../../web/doors/signup.html")),
    ("/lc", include_bytes!("../../web/doors/code.html")),
    ("/lc/{code}", include_bytes!("../../web/doors/code.html")),
    (
        "/login/alternative/code",
        include_bytes!("../../web/doors/code.html"),
    ),
    ("/account", include_bytes!("../../web/account/account.html")),
    ("/admin", ADMIN),
    ("/admin/users", ADMIN),
    ("/admin/users/{id}", ADMIN),
    ("/admin/groups", ADMIN),
    ("/admin/groups/{id}", ADMIN),
    ("/admin/services", ADMIN),
    ("/admin/services/{id}", ADMIN),
    ("/admin/signup", ADMIN),
    ("/admin/signup/{id}", ADMIN),
    ("/admin/keys", ADMIN),
    ("/admin/audit", ADMIN),
    ("/admin/settings", ADMIN),
];
const ADMIN: &[u8] = include_bytes!("../../web/admin/admin.html");
const MISSING: &[u8] = include_bytes!("../../web/doors/missing.html");
/// Loads nothing: at this name everything else is refused too.
const ELSEWHERE: &[u8] = include_bytes!("../../web/doors/elsewhere.html");

/// Nothing from elsewhere, nothing inline, no markup made of text, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// What every file is sent with, beside its type.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

pub(super) fn routes() -> Router<App> {
    let mut router = Router::new();
    for (path, document) in PAGES {
        router = router.route(path, get(async move || page(StatusCode::OK, document)));
    }
    for file in ASSETS {
        let path = format!("/assets/{}", file.name);
        let tag = tag(file.bytes);
        router = router.route(
            &path,
            get(async move |headers: HeaderMap| asset(file, &tag, &headers)),
        );
    }
    router
}

/// Where nothing is: words for a person, JSON for a program.
pub(super) async fn missing(method: Method, uri: Uri) -> Response {
    if is_for_people(&method, &uri) {
        page(StatusCode::NOT_FOUND, MISSING)
    } else {
        path::nothing_there().into_response()
    }
}

/// Where the host name is not this server's: words for whoever asks for a page, and for nobody else.
pub(super) fn elsewhere(request: &Request) -> Option<Response> {
    let accepted = request.headers().get_all(header::ACCEPT).iter();
    let mut accepted = accepted.filter_map(|value| value.to_str().ok());
    let wants_page = is_for_people(request.method(), request.uri())
        && accepted.any(|value| value.contains("text/html"));
    wants_page.then(|| page(StatusCode::MISDIRECTED_REQUEST, ELSEWHERE))
}

fn is_for_people(method: &Method, uri: &Uri) -> bool {
    let path = uri.path();
    let for_programs = |area: &str| {
        path.strip_prefix(area)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is_program = ["/api", "/assets", "/.well-known"]
        .into_iter()
        .any(for_programs);
    !is_program && matches!(*method, Method::GET | Method::HEAD)
}

fn page(status: StatusCode, document: &'static [u8]) -> Response {
    let mut response = file(document, "text/html; charset=utf-8");
    *response.status_mut() = status;
    response
}

/// Kept by the browser, which asks each time whether it is still the same: after an upgrade nothing old is mixed in.
fn asset(asset: &'static File, tag: &HeaderValue, headers: &HeaderMap) -> Response {
    let known = headers.get(header::IF_NONE_MATCH);
    let mut response = file(asset.bytes, content_type(asset.name));
    if known.is_some_and(|known| known == tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
    }
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn file(bytes: &'static [u8], content_type: &'static str) -> Response {
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        _ => "image/svg+xml",
    }
}

/// Changes with the contents; nobody has to be unable to guess it.
fn tag(bytes: &[u8]) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    HeaderValue::try_from(tag).expect("it is made of letters and digits")
}
