//! Devices without a browser: as RFC 8628 has it for the device, and in JSON for whoever approves it; and another device
//! of one's own.

use axum::{extract::State, http::StatusCode};
use keyplate::{
    DeviceLink, DeviceLinkId, DeviceLogin, DeviceLoginState, DeviceWish, KeyplateError,
    NewDeviceLogin,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::http::{
    answer::{self, Answer},
    app::App,
    body::{self, FormOrJson, Json},
    caller::{Browser, Stranger},
    error::Failure,
    openapi::{self as doc, Operation},
    path::Id,
};

/// RFC 8628, section 3.4.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct CodeBody {
    client_name: Option<String>,
    /// Of who knows only the RFC: better than no name.
    client_id: Option<String>,
    wants: Option<String>,
    service: Option<String>,
    /// Ours. The RFC's `scope` speaks of what others call scopes, and is let pass.
    scopes: Option<Scopes>,
    six_digits: Option<Switch>,
}

/// A form has one text, JSON may have a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Scopes {
    Text(String),
    List(Vec<String>),
}

impl Scopes {
    fn names(self) -> Vec<String> {
        match self {
            Self::Text(text) => text.split_ascii_whitespace().map(str::to_owned).collect(),
            Self::List(names) => names,
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Switch {
    Bool(bool),
    Text(String),
}

impl Switch {
    fn is_on(&self) -> bool {
        match self {
            Self::Bool(on) => *on,
            Self::Text(text) => text == "true",
        }
    }
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct TokenBody {
    grant_type: Option<String>,
    device_code: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct UserCodeBody {
    user_code: Option<String>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "DeviceLogin")]
#[serde(rename_all = "camelCase")]
struct DeviceLoginJson {
    device_name: Option<String>,
    ip_address: Option<String>,
    user_agent: Option<String>,
    created_at: String,
    expires_at: String,
    wants: &'static str,
    service_id: Option<String>,
    service_name: Option<String>,
    scopes: Vec<String>,
    administrator: bool,
}

impl From<DeviceLogin> for DeviceLoginJson {
    fn from(login: DeviceLogin) -> Self {
        Self {
            device_name: login.device_name,
            ip_address: login.address,
            user_agent: login.user_agent,
            created_at: answer::time(login.created_at),
            expires_at: answer::time(login.expires_at),
            wants: match login.wish {
                DeviceWish::AppPassword => "app_password",
                _ => "session",
            },
            service_id: login.service_id.map(|id| id.to_string()),
            service_name: login.service_name,
            scopes: login.scopes,
            administrator: login.administrator,
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "DeviceLink")]
#[serde(rename_all = "camelCase")]
struct DeviceLinkJson {
    id: String,
    created_at: String,
    expires_at: String,
    used_at: Option<String>,
    ip_address: Option<String>,
    user_agent: Option<String>,
    passkey_id: Option<String>,
}

/// One that was just made: the only answer with the secret.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "CreatedDeviceLink")]
struct CreatedLinkJson<'a> {
    link: DeviceLinkJson,
    token: &'a str,
    url: String,
}

impl From<&DeviceLink> for DeviceLinkJson {
    fn from(link: &DeviceLink) -> Self {
        Self {
            id: link.id.to_string(),
            created_at: answer::time(link.created_at),
            expires_at: answer::time(link.expires_at),
            used_at: link.used_at.map(answer::time),
            ip_address: link.address.clone(),
            user_agent: link.user_agent.clone(),
            passkey_id: link.passkey_id.map(|id| id.to_string()),
        }
    }
}

pub(super) async fn code(
    State(app): State<App>,
    stranger: Stranger,
    FormOrJson(body): FormOrJson<CodeBody>,
) -> Answer {
    let login = NewDeviceLogin {
        device_name: body.client_name.or(body.client_id),
        wish: wish(body.wants.as_deref())?,
        service: body.service.filter(|service| !service.is_empty()),
        scopes: body.scopes.map(Scopes::names).unwrap_or_default(),
        six_digits: body.six_digits.is_some_and(|asked| asked.is_on()),
    };
    let started = app
        .blocking(move || stranger.handle.begin_device_login(login))
        .await
        .map_err(|failure| {
            failure
                .renamed("deviceName", "client_name")
                .renamed("wish", "wants")
        })?;
    let page = format!("{}/device", app.origins().own());
    let code = started.user_code.as_str();
    answer::ok(&json!({
        "device_code": started.device_code.as_str(),
        "user_code": code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}#{code}"),
        "expires_in": started.expires_in_seconds,
        "interval": started.interval_seconds,
    }))
}

fn wish(wants: Option<&str>) -> Result<Option<DeviceWish>, Failure> {
    match wants {
        None | Some("") => Ok(None),
        Some("session") => Ok(Some(DeviceWish::Session)),
        Some("app_password") => Ok(Some(DeviceWish::AppPassword)),
        Some(_) => {
            let words = "must be session or app_password";
            Err(Failure::field("wants", "invalid", words))
        }
    }
}

/// RFC 8628, section 3.5.
pub(super) async fn token(
    State(app): State<App>,
    stranger: Stranger,
    FormOrJson(body): FormOrJson<TokenBody>,
) -> Answer {
    match body.grant_type.as_deref() {
        Some(GRANT) => {}
        Some(_) => return refused("unsupported_grant_type"),
        None => return refused("invalid_request"),
    }
    let Some(code) = body.device_code else {
        return refused("invalid_request");
    };
    let answer = app
        .blocking(
            move || match stranger.handle.poll_device_login(code.trim()) {
                Err(KeyplateError::InvalidCredential) => Ok(None),
                answer => answer.map(Some),
            },
        )
        .await?;
    let Some(answer) = answer else {
        return refused("invalid_grant");
    };
    match answer.state {
        DeviceLoginState::Pending => refused("authorization_pending"),
        DeviceLoginState::SlowDown => refused("slow_down"),
        DeviceLoginState::Expired => refused("expired_token"),
        _ => match (answer.signed_in, answer.app_password, answer.user) {
            (Some(signed_in), ..) => {
                let ends = signed_in.session.expires_at;
                let lasts = ends.duration_since(signed_in.session.signed_in_at);
                answer::ok(&json!({
                    "access_token": signed_in.secret.as_str(),
                    "token_type": "Bearer",
                    "expires_in": lasts.unwrap_or_default().as_secs(),
                }))
            }
            (None, Some(created), Some(user)) => answer::ok(&json!({
                "username": user.username,
                "app_password": created.secret.as_str(),
            })),
            _ => refused("access_denied"),
        },
    }
}

/// RFC 6749, section 5.2.
fn refused(error: &str) -> Answer {
    let body = json!({ "error": error });
    Ok(answer::json(StatusCode::BAD_REQUEST, &body))
}

pub(super) async fn inspect(Browser(caller): Browser, Json(body): Json<UserCodeBody>) -> Answer {
    let code = body::required("userCode", body.user_code)?;
    let login = caller
        .call(move |keyplate| keyplate.inspect_device_login(&code))
        .await
        .map_err(of_the_code)?;
    answer::ok(&DeviceLoginJson::from(login))
}

pub(super) async fn approve(Browser(caller): Browser, Json(body): Json<UserCodeBody>) -> Answer {
    let code = body::required("userCode", body.user_code)?;
    caller
        .call(move |keyplate| keyplate.approve_device_login(&code))
        .await
        .map_err(of_the_code)?;
    answer::no_content()
}

pub(super) async fn deny(Browser(caller): Browser, Json(body): Json<UserCodeBody>) -> Answer {
    let code = body::required("userCode", body.user_code)?;
    caller
        .call(move |keyplate| keyplate.deny_device_login(&code))
        .await
        .map_err(of_the_code)?;
    answer::no_content()
}

/// It is the code that is wrong, and whoever typed it is still signed in.
fn of_the_code(failure: Failure) -> Failure {
    if failure.code != "token_invalid_or_expired" {
        return failure;
    }
    let message = "No device shows this code";
    failure.instead(StatusCode::NOT_FOUND, "device_code_unknown", message)
}

pub(super) async fn create_link(State(app): State<App>, Browser(caller): Browser) -> Answer {
    let created = caller
        .call(|keyplate| keyplate.create_device_link())
        .await?;
    let secret = created.secret.as_str();
    answer::created(&CreatedLinkJson {
        link: DeviceLinkJson::from(&created.device_link),
        token: secret,
        url: format!("{}/code#{secret}", app.origins().own()),
    })
}

/// Whether a device has opened one, and what it has registered.
pub(super) async fn links(Browser(caller): Browser) -> Answer {
    let links = caller.call(|keyplate| keyplate.list_device_links()).await?;
    let links: Vec<_> = links.iter().map(DeviceLinkJson::from).collect();
    answer::ok(&links)
}

/// "Not mine".
pub(super) async fn disown_link(Browser(caller): Browser, id: Id) -> Answer {
    let id = DeviceLinkId::parse(&id.0).map_err(|_| Failure::not_found("device link"))?;
    caller
        .call(move |keyplate| keyplate.disown_device_link(&id))
        .await?;
    answer::no_content()
}

/// For the OpenAPI document. What a device asks and hears is RFC 8628's.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::public("post", "/api/device/code", "Begins the sign-in of a device")
            .takes::<CodeBody>()
            .gives_other("application/json")
            .refuses(&[404, 429]),
        doc::public(
            "post",
            "/api/device/token",
            "Asks whether the device was approved",
        )
        .takes::<TokenBody>()
        .gives_other("application/json")
        .refuses_otherwise(400, "application/json"),
        doc::browser(
            "post",
            "/api/device/inspect",
            "Shows and claims what a device asks for",
        )
        .takes::<UserCodeBody>()
        .gives::<DeviceLoginJson>(200)
        .refuses(&[404, 429]),
        doc::browser("post", "/api/device/approve", "Lets a device in")
            .takes::<UserCodeBody>()
            .gives_nothing()
            .refuses(&[404, 429]),
        doc::browser("post", "/api/device/deny", "Keeps a device out")
            .takes::<UserCodeBody>()
            .gives_nothing()
            .refuses(&[404, 429]),
        doc::browser(
            "get",
            "/api/device/links",
            "Lists the links to other devices of one's own",
        )
        .gives::<Vec<DeviceLinkJson>>(200),
        doc::browser(
            "post",
            "/api/device/links",
            "Makes a link to another device of one's own",
        )
        .gives::<CreatedLinkJson<'_>>(201)
        .refuses(&[429]),
        doc::browser(
            "delete",
            "/api/device/links/{id}",
            "Takes back what a link has given",
        )
        .gives_nothing(),
    ]
}
