//! Forward auth (F1–F3): a reverse proxy asks here before it lets a request through to a service that has no sign-in of its
//! own. `entrance` is what a browser is sent to.

mod entrance;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use keyplate::{KeyplateError, ServiceVisit, ServiceVisitor};

pub(super) use entrance::ways_in;

use crate::http::openapi as doc;
use crate::http::openapi::Operation;
use crate::{
    http::{
        answer,
        app::App,
        caller,
        client::{self, Peer},
        cookie,
        error::Failure,
        forwarded::{self, Asked, ENTRANCE, Proxy},
    },
    json::groups::Visible,
    routes::pages::Pages,
};

/// Where nginx reads whom to send to the sign-in page, and where to.
const REDIRECT: HeaderName = HeaderName::from_static("x-redirect");

/// What came of a question.
enum Outcome {
    Pass(Box<Visitor>),
    /// Nobody is signed in.
    SignIn,
    /// Somebody is, or the question is wrong.
    Refused(Failure),
}

/// What the service is told of who asks.
struct Visitor {
    username: String,
    display_name: Option<String>,
    email: Option<String>,
    groups: Vec<String>,
    token: Option<String>,
}

/// A proxy's question. It is answered by the status; nothing of it is 2xx but a yes.
pub(super) async fn ask(
    State(app): State<App>,
    pages: Pages,
    Path((proxy, service)): Path<(String, String)>,
    parts: Parts,
) -> Response {
    let Some(proxy) = Proxy::named(&proxy) else {
        return crate::http::path::nothing_there().into_response();
    };
    let asked = match question(&app, proxy, &parts) {
        Ok(asked) => asked,
        Err(failure) => return failure.into_response(),
    };
    match outcome(&app, &parts, &service, &asked).await {
        Outcome::Pass(visitor) => passed(&visitor, &parts.headers),
        Outcome::SignIn => not_signed_in(proxy, &service, &asked, &parts.headers),
        Outcome::Refused(failure) if failure.status == StatusCode::FORBIDDEN => {
            match wants_page(&asked.method, &parts.headers) {
                true => pages.refused(&app, &parts.headers, &failure),
                false => failure.into_response(),
            }
        }
        Outcome::Refused(failure) => failure.into_response(),
    }
}

/// Requests that do not come under a name of this server's: what a trusted proxy asks, which some send under the name of the
/// machine, and the way in on a service's host. Which host that is, each of them asks.
pub(super) fn is_elsewhere(app: &App, request: &Request) -> bool {
    let path = request.uri().path();
    let peer = request.extensions().get::<Peer>();
    let is_proxy = || peer.is_some_and(|peer| peer.is_proxy(app.trusted_proxies()));
    let is_way_in = path
        .strip_prefix(ENTRANCE)
        .is_some_and(|rest| rest.starts_with('/'));
    is_way_in || path.starts_with("/api/forward-auth/") && is_proxy()
}

fn refused(code: &'static str, message: &str) -> Failure {
    Failure::new(StatusCode::FORBIDDEN, code, message)
}

/// What is asked, if it may be asked at all.
fn question(app: &App, proxy: Proxy, parts: &Parts) -> Result<Asked, Failure> {
    let peer = parts.extensions.get::<Peer>();
    if !peer.is_some_and(|peer| peer.is_proxy(app.trusted_proxies())) {
        let message = "Only a proxy that the server trusts (--trusted-proxy) may ask";
        return Err(refused("not_a_proxy", message));
    }
    if forwarded::has_header_of_ours(&parts.headers) {
        let message = "The request has a header that only this server sets (Remote-…)";
        return Err(refused("remote_header", message));
    }
    let asked = proxy.asks(&parts.headers);
    let asked = asked.ok_or_else(|| {
        let message = "The proxy does not say, or not plainly, what it asks about";
        refused("nothing_asked", message)
    })?;
    if asked.is_of_entrance() {
        let message = "This path is the way in, and has to be passed on to this server";
        return Err(refused("way_in", message));
    }
    Ok(asked)
}

async fn outcome(app: &App, parts: &Parts, service: &str, asked: &Asked) -> Outcome {
    let visit = |credential: Option<String>| ServiceVisit {
        service: service.to_owned(),
        origin: asked.origin.clone(),
        credential,
    };
    let shown = [
        cookie::read_of_service(&parts.headers, &asked.origin, cookie::SERVICE),
        caller::in_header(&parts.headers),
    ];
    let mut visits: Vec<_> = shown
        .into_iter()
        .flatten()
        .map(|c| visit(Some(c)))
        .collect();
    // Without a credential, too, the service and its origin have to be right.
    visits.push(visit(None));
    let host = app.keyplate().clone();
    let found = app.blocking(move || {
        for visit in visits {
            match host.verify_service_session(visit) {
                // What an application of the service's own sends is none of ours, and wrong here.
                Err(KeyplateError::InvalidCredential) => {}
                Err(error) => return Err(error),
                Ok(visitor) => return visitor_of(&host, visitor).map(Some),
            }
        }
        Ok(None)
    });
    match found.await {
        Ok(Some(visitor)) => Outcome::Pass(Box::new(visitor)),
        Ok(None) => by_app_password(app, parts, service).await,
        // An unknown service is a proxy's mistake, and no page of the service's.
        Err(failure) if failure.status == StatusCode::NOT_FOUND => {
            Outcome::Refused(refused("unknown_service", "There is no such service"))
        }
        Err(failure) => Outcome::Refused(failure),
    }
}

fn visitor_of(host: &keyplate::Keyplate, visitor: ServiceVisitor) -> keyplate::Result<Visitor> {
    let token = || {
        let issued = host.issue_access_token(&visitor.principal, visitor.service_id.as_str(), None);
        // Pages stay open: with a clock that is wrong, or another encryption key, there is none.
        issued.ok().map(|token| token.secret.reveal().to_owned())
    };
    Ok(Visitor {
        token: visitor.wants_token.then(token).flatten(),
        username: visitor.username,
        display_name: visitor.display_name,
        email: visitor.email,
        groups: visitor.groups,
    })
}

/// F3, W2: by name and app password, if that is for this service alone.
async fn by_app_password(app: &App, parts: &Parts, service: &str) -> Outcome {
    let Some((name, password)) = caller::basic(&parts.headers) else {
        return Outcome::SignIn;
    };
    let client = client::client_info(app, parts);
    let host = app.keyplate().clone();
    let service = service.to_owned();
    let found = app.blocking(move || {
        let found = host.verify_app_password(&name, &password, Some(service), client)?;
        let user = host.get_user(&found.user_id)?;
        let groups = Visible::load(&host, user.group_ids.iter())?;
        let Some(own) = found.service_id else {
            return Ok(None);
        };
        let own = format!("{}:", host.get_service(&own)?.slug);
        let is_alone = found.scopes.iter().all(|scope| scope.starts_with(&own));
        Ok(is_alone.then(|| Visitor {
            username: found.username,
            display_name: user.display_name,
            email: user.email.filter(|_| user.email_held),
            groups: groups.names(&user.group_ids),
            token: None,
        }))
    });
    match found.await {
        Ok(Some(visitor)) => Outcome::Pass(Box::new(visitor)),
        Ok(None) => Outcome::Refused(refused(
            "for_others_too",
            "The service would see this app password, which is not for it alone",
        )),
        Err(failure) if failure.status == StatusCode::UNAUTHORIZED => Outcome::SignIn,
        Err(failure) => Outcome::Refused(failure),
    }
}

/// All of the headers, empty where there is nothing: what a client sent is then replaced in any case. `Cookie` is for
/// proxies that cannot take away a single cookie: what the client brought, without ours (F2).
fn passed(visitor: &Visitor, brought: &HeaderMap) -> Response {
    let groups: Vec<String> = visitor.groups.iter().map(|name| in_list(name)).collect();
    let headers = [
        ("remote-user", visitor.username.as_str()),
        (
            "remote-name",
            visitor.display_name.as_deref().unwrap_or_default(),
        ),
        ("remote-email", visitor.email.as_deref().unwrap_or_default()),
        ("remote-groups", &groups.join(",")),
        ("remote-token", visitor.token.as_deref().unwrap_or_default()),
    ];
    let mut response = Response::new(Body::empty());
    for (name, value) in headers {
        // Names have no control characters; what is not ASCII is sent as UTF-8.
        let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) else {
            let message = "A name cannot be put into a header";
            return refused("name_not_sendable", message).into_response();
        };
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    let cookies = cookie::of_others(brought);
    response.headers_mut().insert(header::COOKIE, cookies);
    response
}

/// A name in a list whose items commas separate (RFC 3986's escapes): a group `a,b` is not the groups `a` and `b`.
fn in_list(name: &str) -> String {
    name.replace('%', "%25").replace(',', "%2C")
}

fn not_signed_in(proxy: Proxy, service: &str, asked: &Asked, headers: &HeaderMap) -> Response {
    if !wants_page(&asked.method, headers) {
        let mut response = Failure::not_signed_in().into_response();
        let is_browser = headers
            .keys()
            .any(|name| name.as_str().starts_with("sec-fetch-"));
        if !is_browser {
            // For clients that send name and app password only when they are asked to. Browsers would ask their user.
            response.extensions_mut().insert(answer::OffersBasic);
        }
        return response;
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("service", service)
        .append_pair("path", &asked.path)
        .finish();
    let to = format!("{}{ENTRANCE}/start?{query}", asked.origin);
    let (status, name) = match proxy {
        // It takes no redirection for an answer.
        Proxy::Nginx => (StatusCode::UNAUTHORIZED, REDIRECT),
        Proxy::Caddy | Proxy::Traefik => (StatusCode::FOUND, header::LOCATION),
    };
    (status, [(name, to)]).into_response()
}

/// Does somebody look at what is answered? A program would take a page for what it asked for.
pub(super) fn wants_page(method: &Method, headers: &HeaderMap) -> bool {
    let says = |name: &str, value: &str| {
        let said = headers.get(name).and_then(|said| said.to_str().ok());
        said.is_none_or(|said| said.eq_ignore_ascii_case(value))
    };
    let accepts = headers.get_all(header::ACCEPT).iter();
    let mut accepts = accepts.filter_map(|value| value.to_str().ok());
    *method != Method::OPTIONS
        && accepts.any(|value| value.contains("text/html"))
        && says("sec-fetch-mode", "navigate")
        && says("sec-fetch-dest", "document")
        && !headers.contains_key("x-requested-with")
        && !headers.contains_key("sec-websocket-key")
        && !headers.contains_key(header::UPGRADE)
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::public(
            "get",
            "/api/forward-auth/{proxy}/{service}",
            "Answers a reverse proxy: nginx, caddy or traefik",
        )
        .gives_other("text/plain")
        .refuses(&[401, 403]),
    ]
}
