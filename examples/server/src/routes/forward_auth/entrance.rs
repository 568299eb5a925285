//! How a browser enters a service: under `/.keyplate/` on the service's host, and where people sign in (F2).

use std::time::{Duration, SystemTime};

use axum::{
    Router,
    extract::{FromRequestParts, Path, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use keyplate::{KeyplateError, ServiceEntrance, ServiceVisit};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
};

use crate::{
    http::{
        app::App,
        caller,
        client::{self, Peer},
        cookie, edge,
        error::Failure,
        forwarded::ENTRANCE,
        list::Query,
    },
    routes::pages::Pages,
};

/// For how long somebody may take to sign in.
const NONCE_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// Where browsers are sent, on the host of a service and where people sign in.
pub(crate) fn ways_in() -> Router<App> {
    Router::new()
        .route("/enter", get(sign_in))
        .route("/.keyplate/start", get(start))
        .route("/.keyplate/enter", get(enter))
        .route("/.keyplate/denied", get(denied))
        .route("/.keyplate/assets/{set}/{*name}", get(style))
}

/// The origin at which somebody enters: the name under which they came, and the scheme that a trusted proxy tells.
struct At(String);

impl FromRequestParts<App> for At {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let host = edge::host(&parts.headers).ok_or_else(edge::misdirected)?;
        let peer = parts.extensions.get::<Peer>();
        let proto = HeaderName::from_static("x-forwarded-proto");
        let told = parts
            .headers
            .get(proto)
            .and_then(|proto| proto.to_str().ok());
        let is_proxy = peer.is_some_and(|peer| peer.is_proxy(app.trusted_proxies()));
        let scheme = match told.filter(|_| is_proxy) {
            Some("http") => "http",
            Some(_) => "https",
            None => app.origins().scheme(),
        };
        Ok(Self(format!("{scheme}://{host}")))
    }
}

/// Gives the browser a nonce, and sends it to where people sign in.
async fn start(
    State(app): State<App>,
    At(origin): At,
    asked: Query,
    headers: HeaderMap,
) -> Response {
    let visit = ServiceVisit {
        service: said(&asked, "service"),
        origin: origin.clone(),
        credential: None,
    };
    let host = app.keyplate().clone();
    let right = app
        .blocking(move || match host.verify_service_session(visit) {
            Err(KeyplateError::InvalidCredential) => Ok(()),
            other => other.map(drop),
        })
        .await;
    if let Err(failure) = right {
        return misdirected_unless_broken(failure);
    }
    // Of several that begin at once each uses the same one.
    let known = cookie::read_of_service(&headers, &origin, cookie::NONCE);
    let nonce = match known
        .filter(|nonce| is_nonce(nonce))
        .map_or_else(new_nonce, Ok)
    {
        Ok(nonce) => nonce,
        Err(failure) => return failure.into_response(),
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("service", &said(&asked, "service"))
        .append_pair("origin", &origin)
        .append_pair(
            "challenge",
            &BASE64URL.encode(digest(&SHA256, nonce.as_bytes())),
        )
        .append_pair("path", &said(&asked, "path"))
        .finish();
    let to = format!("{}/enter?{query}", app.origins().own());
    let mut response = found(&to);
    cookie::set_of_service(
        &mut response,
        &origin,
        cookie::NONCE,
        &nonce,
        NONCE_LIFETIME,
    );
    response
}

fn new_nonce() -> Result<String, Failure> {
    let mut random = [0; 32];
    let filled = SystemRandom::new().fill(&mut random);
    filled.map_err(|_| Failure::internal("the system gives no random bytes"))?;
    Ok(BASE64URL.encode(random))
}

fn is_nonce(text: &str) -> bool {
    text.len() == 43 && BASE64URL.decode(text).is_ok()
}

/// Where people sign in: a ticket for who is, and the sign-in page for who is not.
async fn sign_in(State(app): State<App>, pages: Pages, query: Query, parts: Parts) -> Response {
    let client = client::client_info(&app, &parts);
    let Some((_, credential)) = caller::credential(&app, &parts.headers) else {
        return to_sign_in_page(&parts);
    };
    let entrance = ServiceEntrance {
        service: said(&query, "service"),
        origin: said(&query, "origin"),
        challenge: said(&query, "challenge"),
        return_path: Some(said(&query, "path")),
    };
    let host = app.keyplate().clone();
    let begun = app
        .blocking(move || {
            let who = host.authenticate(&credential)?;
            let ticket = host
                .acting_as(&who.principal, client)?
                .begin_service_session(entrance)?;
            Ok(ticket)
        })
        .await;
    match begun {
        Ok(ticket) => found(&format!(
            "{}{ENTRANCE}/enter?ticket={}",
            ticket.origin,
            ticket.secret.as_str()
        )),
        Err(failure) if failure.status == StatusCode::UNAUTHORIZED => to_sign_in_page(&parts),
        Err(failure) if failure.status.is_client_error() => {
            pages.refused(&app, &parts.headers, &failure)
        }
        Err(failure) => failure.into_response(),
    }
}

/// From there they come back here.
fn to_sign_in_page(parts: &Parts) -> Response {
    let here = parts.uri.path_and_query().map_or("/", |here| here.as_str());
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("next", here)
        .finish();
    found(&format!("signin?{query}"))
}

/// Back on the service's host: the ticket becomes the service's own session, and the browser goes to the page asked for.
async fn enter(
    State(app): State<App>,
    pages: Pages,
    At(origin): At,
    query: Query,
    parts: Parts,
) -> Response {
    let client = client::client_info(&app, &parts);
    let nonce = cookie::read_of_service(&parts.headers, &origin, cookie::NONCE);
    let ticket = said(&query, "ticket");
    let host = app.keyplate().clone();
    let at = origin.clone();
    let opened = app
        .blocking(move || {
            let stranger = host.anonymous(client)?;
            let nonce = nonce.unwrap_or_default();
            let opened = stranger.redeem_service_ticket(&ticket, &at, &nonce)?;
            let now = host.get_clock_state()?.now;
            Ok((opened, now))
        })
        .await;
    match opened {
        Ok((opened, now)) => {
            let mut response = found(&format!("{origin}{}", opened.return_path));
            let lifetime = lifetime(now, opened.expires_at);
            let token = opened.secret.as_str();
            cookie::set_of_service(&mut response, &origin, cookie::SERVICE, token, lifetime);
            response
        }
        Err(failure) if failure.status.is_client_error() => {
            pages.refused(&app, &parts.headers, &failure)
        }
        Err(failure) => failure.into_response(),
    }
}

fn lifetime(now: SystemTime, end: SystemTime) -> Duration {
    end.duration_since(now).unwrap_or_default()
}

/// What nginx shows in the place of a service's page: it passes no answer of a question on, but for its status.
async fn denied(
    State(app): State<App>,
    pages: Pages,
    At(origin): At,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let credential = cookie::read_of_service(&headers, &origin, cookie::SERVICE);
    let visit = ServiceVisit {
        service: said(&query, "service"),
        origin,
        credential,
    };
    let host = app.keyplate().clone();
    let asked = app
        .blocking(move || host.verify_service_session(visit))
        .await;
    match asked {
        Err(failure) if failure.status.is_server_error() => failure.into_response(),
        // A program would take a page for what it asked for.
        _ if !super::wants_page(&Method::GET, &headers) => Failure::forbidden().into_response(),
        Err(failure) => pages.refused(&app, &headers, &failure),
        Ok(_) => pages.refused(&app, &headers, &Failure::forbidden()),
    }
}

/// What that page looks like: no other file of the pages is answered here.
async fn style(
    pages: Pages,
    Path((set, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    pages.style(&set, &name, &headers)
}

/// Nothing where the query says nothing.
fn said(query: &Query, name: &str) -> String {
    query.get(name).unwrap_or_default().to_owned()
}

fn found(to: &str) -> Response {
    let headers = [
        (header::LOCATION, to),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (StatusCode::FOUND, headers).into_response()
}

/// The host name is none of a service's: it is nobody's here.
fn misdirected_unless_broken(failure: Failure) -> Response {
    match failure.status.is_server_error() {
        true => failure.into_response(),
        false => edge::misdirected().into_response(),
    }
}
