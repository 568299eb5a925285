//! The pages that a person uses: plain HTML, CSS and modules, part of the program. The operator's own files
//! (`--web-dir`) are laid over them.

mod documents;
mod files;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{FromRequestParts, Path, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::http::{app::App, error::Failure, path};

use {
    documents::{Document, PAGES},
    files::Files,
};

/// Nothing from elsewhere, nothing inline, no markup made of text, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// What every document is sent with, beside its type.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];
/// The set's hash stands in the address, so what was loaded once need never be asked for again, and after an upgrade
/// nothing old is mixed in.
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// All pages, and what they load. Cheap to clone. Every request carries them as an extension.
#[derive(Clone)]
pub(super) struct Pages(Arc<Files>);

impl<S: Send + Sync> FromRequestParts<S> for Pages {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let pages = parts.extensions.get::<Self>().cloned();
        pages.ok_or_else(|| Failure::internal("the pages are in no layer"))
    }
}

impl Pages {
    pub(super) fn of(app: &App) -> Self {
        Self(Arc::new(Files::with(app.web())))
    }

    pub(super) fn routes(&self) -> Router<App> {
        let mut router = Router::new();
        for page in &PAGES {
            let pages = self.clone();
            let show = async move |uri: Uri, headers: HeaderMap| {
                pages.show(StatusCode::OK, &page.document, uri.path(), &headers)
            };
            router = router.route(page.path, get(show));
        }
        let pages = self.clone();
        let asset = async move |Path((set, name)): Path<(String, String)>, headers: HeaderMap| {
            pages.asset(&set, &name, &headers)
        };
        let pages = self.clone();
        let kit = async move |Path(name): Path<String>| pages.kit(&name);
        router
            .route("/assets/{set}/{*name}", get(asset))
            .route("/kit/{*name}", get(kit))
    }

    /// Where nothing is: words for a person, JSON for a program.
    pub(super) fn missing(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
        if is_for_people(method, uri) {
            let document = &documents::MISSING;
            self.show(StatusCode::NOT_FOUND, document, uri.path(), headers)
        } else {
            path::nothing_there().into_response()
        }
    }

    /// Where the host name is not this server's: words for whoever asks for a page, what those look like, and nothing
    /// for anybody else.
    pub(super) fn elsewhere(&self, app: &App, request: &Request) -> Option<Response> {
        if let Some(name) = self.style_at(request) {
            return self.0.get(&name).map(|file| {
                let encoding = request.headers();
                file.response(&name, encoding, FOR_GOOD)
            });
        }
        let accepted = request.headers().get_all(header::ACCEPT).iter();
        let mut accepted = accepted.filter_map(|value| value.to_str().ok());
        let wants_page = is_for_people(request.method(), request.uri())
            && accepted.any(|value| value.contains("text/html"));
        wants_page.then(|| {
            let path = request.uri().path();
            let text = documents::elsewhere(&self.0, path, app.origins().texts());
            page(StatusCode::MISDIRECTED_REQUEST, text)
        })
    }

    /// Words for who is not let through to a service, with a status that lets nobody through.
    pub(super) fn refused(&self, app: &App, headers: &HeaderMap, failure: &Failure) -> Response {
        let why = match failure.code {
            "user_pending" => "pending",
            "user_disabled" => "disabled",
            _ if failure.status == StatusCode::UNAUTHORIZED => "ticket",
            _ => "service",
        };
        let languages = headers.get(header::ACCEPT_LANGUAGE);
        let languages = languages.and_then(|value| value.to_str().ok());
        let account = format!("{}/account", app.origins().own());
        let text = documents::refused(&self.0, why, languages.unwrap_or_default(), &account);
        page(StatusCode::FORBIDDEN, text)
    }

    /// What that page looks like.
    pub(super) fn style(&self, set: &str, name: &str, headers: &HeaderMap) -> Response {
        let is_style = name.ends_with(".css") || name.ends_with(".svg");
        match self.0.get(name) {
            Some(file) if is_style && set == self.0.set() => file.response(name, headers, FOR_GOOD),
            _ => path::nothing_there().into_response(),
        }
    }

    /// The name of a style sheet or of the icon, if that is what is asked for. No script runs at another name.
    fn style_at(&self, request: &Request) -> Option<String> {
        let rest = request.uri().path().strip_prefix("/assets/")?;
        let name = rest.strip_prefix(self.0.set())?.strip_prefix('/')?;
        let is_style = name.ends_with(".css") || name.ends_with(".svg");
        (is_style && request.method() == Method::GET).then(|| name.to_owned())
    }

    fn show(
        &self,
        status: StatusCode,
        document: &Document,
        path: &str,
        headers: &HeaderMap,
    ) -> Response {
        let languages = headers.get(header::ACCEPT_LANGUAGE);
        let languages = languages.and_then(|value| value.to_str().ok());
        let text = documents::write(&self.0, document, path, languages.unwrap_or_default());
        page(status, text)
    }

    fn asset(&self, set: &str, name: &str, headers: &HeaderMap) -> Response {
        match self.0.get(name) {
            Some(file) if set == self.0.set() => file.response(name, headers, FOR_GOOD),
            _ => path::nothing_there().into_response(),
        }
    }

    /// What hosts load has an address that stays. It leads to that of today.
    fn kit(&self, name: &str) -> Response {
        let inside = format!("kit/{name}");
        if self.0.get(&inside).is_none() {
            return path::nothing_there().into_response();
        }
        // Relative, because a proxy may have mounted the server under a path.
        let up = "../".repeat(1 + name.matches('/').count());
        let to = format!("{up}assets/{}/{inside}", self.0.set());
        let headers = [
            (header::LOCATION, to),
            (header::CACHE_CONTROL, "no-cache".to_owned()),
        ];
        (StatusCode::TEMPORARY_REDIRECT, headers).into_response()
    }
}

fn is_for_people(method: &Method, uri: &Uri) -> bool {
    let path = uri.path();
    let for_programs = |area: &str| {
        path.strip_prefix(area)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is_program = ["/api", "/assets", "/kit", "/.well-known"]
        .into_iter()
        .any(for_programs);
    !is_program && matches!(*method, Method::GET | Method::HEAD)
}

fn page(status: StatusCode, text: String) -> Response {
    let mut response = dressed(Body::from(text), "text/html; charset=utf-8");
    let vary = HeaderValue::from_static("Accept-Language");
    response.headers_mut().insert(header::VARY, vary);
    *response.status_mut() = status;
    response
}

/// What documents leave with.
fn dressed(body: Body, content_type: &'static str) -> Response {
    let mut response = plain(body, content_type);
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

fn plain(body: Body, content_type: &'static str) -> Response {
    let mut response = Response::new(body);
    let content_type = HeaderValue::from_static(content_type);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    response
}
