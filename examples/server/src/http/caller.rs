//! Who asks: credentials, and what a browser must not be made to do by another site's page.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use keyplate::{Authenticated, Keyplate, Role};

use crate::http::{app::App, client, cookie, error::Failure};

/// Where a credential stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Cookie,
    Header,
}

/// Somebody who has shown a credential that works: any signed-in user.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) who: Authenticated,
    pub(crate) source: Source,
    pub(crate) handle: Keyplate,
    app: App,
}

/// A caller who is an administrator. The library asks again, and knows more; this is the contract's column "who".
#[derive(Clone, Debug)]
pub(crate) struct Administrator(pub(crate) Caller);

/// A caller, or somebody who waits for approval: for the few routes that such a user needs. Everywhere else they are
/// refused.
#[derive(Clone, Debug)]
pub(crate) struct Enrolling(pub(crate) Caller);

/// The same with a session, not an API key.
#[derive(Clone, Debug)]
pub(crate) struct EnrollingBrowser(pub(crate) Caller);

/// A caller with a session, not an API key.
#[derive(Clone, Debug)]
pub(crate) struct Browser(pub(crate) Caller);

/// Somebody at a route that may set a cookie and asks for no credential.
#[derive(Clone, Debug)]
pub(crate) struct Stranger {
    pub(crate) handle: Keyplate,
}

impl Caller {
    /// Does one thing in the caller's name.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Keyplate) -> keyplate::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let handle = self.handle.clone();
        self.app.blocking(move || f(&handle)).await
    }
}

impl Caller {
    async fn shown(parts: &Parts, app: &App, whom: Whom) -> Result<Self, Failure> {
        let (source, credential) =
            credential(app, &parts.headers).ok_or_else(Failure::not_signed_in)?;
        if source == Source::Cookie {
            check_same_site(app, &parts.method, &parts.headers)?;
        }
        let client = client::client_info(app, parts);
        let host = app.keyplate().clone();
        let (who, handle) = app
            .blocking(move || {
                let who = whom(&host, &credential)?;
                let handle = host.acting_as(&who.principal, client)?;
                Ok((who, handle))
            })
            .await?;
        Ok(Self {
            who,
            source,
            handle,
            app: app.clone(),
        })
    }

    fn in_browser(self) -> Result<Self, Failure> {
        if self.who.api_key_id.is_none() {
            return Ok(self);
        }
        Err(Failure::new(
            StatusCode::FORBIDDEN,
            "api_key_auth_not_allowed",
            "API key authentication is not allowed for this endpoint",
        ))
    }
}

/// The question that decides who gets in.
type Whom = fn(&Keyplate, &str) -> keyplate::Result<Authenticated>;

impl FromRequestParts<App> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        Self::shown(parts, app, Keyplate::authenticate).await
    }
}

impl FromRequestParts<App> for Enrolling {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let caller = Caller::shown(parts, app, Keyplate::authenticate_pending).await?;
        Ok(Self(caller))
    }
}

impl FromRequestParts<App> for EnrollingBrowser {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Enrolling(caller) = Enrolling::from_request_parts(parts, app).await?;
        caller.in_browser().map(Self)
    }
}

impl FromRequestParts<App> for Administrator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let caller = Caller::from_request_parts(parts, app).await?;
        if caller.who.role == Role::Administrator {
            Ok(Self(caller))
        } else {
            Err(Failure::forbidden())
        }
    }
}

impl FromRequestParts<App> for Browser {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let caller = Caller::from_request_parts(parts, app).await?;
        caller.in_browser().map(Self)
    }
}

impl FromRequestParts<App> for Stranger {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        check_same_site(app, &parts.method, &parts.headers)?;
        let client = client::client_info(app, parts);
        let handle = app.keyplate().anonymous(client)?;
        Ok(Self { handle })
    }
}

/// The credential of a request: the first that is there decides, whether it works or not.
pub(crate) fn credential(app: &App, headers: &HeaderMap) -> Option<(Source, String)> {
    let cookie = || cookie::read(app, headers, cookie::SESSION);
    cookie()
        .map(|credential| (Source::Cookie, credential))
        .or_else(|| in_header(headers).map(|credential| (Source::Header, credential)))
}

/// What a program shows, on whatever host.
pub(crate) fn in_header(headers: &HeaderMap) -> Option<String> {
    from_bearer(headers).or_else(|| from_api_key(headers))
}

/// Name and password (RFC 7617).
pub(crate) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded = BASE64
        .decode(encoded.trim())
        .ok()
        .filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

fn from_bearer(headers: &HeaderMap) -> Option<String> {
    let value = String::from_utf8_lossy(headers.get(header::AUTHORIZATION)?.as_bytes());
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.to_owned())
}

fn from_api_key(headers: &HeaderMap) -> Option<String> {
    let key = String::from_utf8_lossy(headers.get("x-api-key")?.as_bytes());
    let key = key.trim();
    (!key.is_empty()).then(|| key.to_owned())
}

/// Refuses what another site's page made a browser send. Whoever sends neither header is no browser.
fn check_same_site(app: &App, method: &Method, headers: &HeaderMap) -> Result<(), Failure> {
    if method.is_safe() || is_same_site(app, headers) {
        return Ok(());
    }
    Err(Failure::new(
        StatusCode::FORBIDDEN,
        "cross_origin",
        "This request came from another site",
    ))
}

fn is_same_site(app: &App, headers: &HeaderMap) -> bool {
    if headers.contains_key("sec-fetch-site") {
        has_no_foreign_site(headers)
    } else {
        has_no_foreign_origin(app, headers)
    }
}

/// Is `Sec-Fetch-Site` left out, or tells of no other site?
pub(crate) fn has_no_foreign_site(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    sites.all(|site| site == "same-origin" || site == "none")
}

/// Is `Origin` left out, or a configured one?
pub(crate) fn has_no_foreign_origin(app: &App, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    origins.all(|origin| {
        let origin = origin.to_str();
        origin.is_ok_and(|origin| app.origins().contain(origin))
    })
}
