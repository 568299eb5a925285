//! App passwords, and what a host asks for whom a client has given name and password of.

use axum::{extract::State, http::StatusCode};
use keyplate::{
    AppPassword, AppPasswordId, AppPasswordQuery, ClientInfo, NewAppPassword, Role, UserId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    http::{
        answer::{self, Answer},
        app::App,
        body::{self, Json},
        caller::{Administrator, Caller},
        error::Failure,
        list::{self, Query},
        openapi::{self as doc, Operation},
        path::Id,
    },
    json::users::UserJson,
};

/// An app password as JSON, without its secret.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "AppPassword")]
#[serde(rename_all = "camelCase")]
struct AppPasswordJson {
    id: String,
    name: String,
    /// The only service that it is for.
    service_id: Option<String>,
    scopes: Vec<String>,
    recoverable: bool,
    created_at: String,
    last_used_at: Option<String>,
    expires_at: Option<String>,
    #[serde(rename = "userID")]
    user_id: String,
}

impl From<&AppPassword> for AppPasswordJson {
    fn from(password: &AppPassword) -> Self {
        Self {
            id: password.id.to_string(),
            name: password.name.clone(),
            service_id: password.service_id.map(|id| id.to_string()),
            scopes: password.scopes.clone(),
            recoverable: password.is_recoverable,
            created_at: answer::time(password.created_at),
            last_used_at: password.last_used_at.map(answer::time),
            expires_at: password.expires_at.map(answer::time),
            user_id: password.owner_id.to_string(),
        }
    }
}

/// One that was just made: the only answer with the secret.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "CreatedAppPassword")]
struct CreatedJson<'a> {
    #[serde(flatten)]
    app_password: AppPasswordJson,
    password: &'a str,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct NewBody {
    name: Option<String>,
    service: Option<String>,
    scopes: Option<Vec<String>>,
    expires_at: Option<String>,
    recoverable: bool,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct VerifyBody {
    username: Option<String>,
    password: Option<String>,
    token: Option<String>,
    salt: Option<String>,
    service: Option<String>,
    client: Option<ClientBody>,
}

/// Where the client is that has shown the password: its address, or more.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum ClientBody {
    Address(String),
    #[serde(rename_all = "camelCase")]
    Whole {
        #[serde(default)]
        ip_address: Option<String>,
        #[serde(default)]
        user_agent: Option<String>,
    },
}

impl ClientBody {
    fn info(self) -> ClientInfo {
        let (address, user_agent) = match self {
            Self::Address(address) => (Some(address), None),
            Self::Whole {
                ip_address,
                user_agent,
            } => (ip_address, user_agent),
        };
        ClientInfo {
            address,
            user_agent,
            device_name: None,
        }
    }
}

/// One's own; for administrators `user=` lists another's and `all=true` everybody's.
pub(super) async fn list(caller: Caller, query: Query) -> Answer {
    let listing = query.listing::<()>(&[], &[])?;
    let (asked, limit) = (listing.page, listing.limit);
    let owner = match query.get("user") {
        Some(user) => {
            Some(UserId::parse(user).map_err(|_| Failure::field("user", "invalid", "is no id"))?)
        }
        None if query.is_true("all") => None,
        None => Some(caller.who.user_id),
    };
    let passwords = AppPasswordQuery {
        owner_id: owner,
        search: query.search(),
        limit: Some(limit),
        ..AppPasswordQuery::default()
    };
    let page = caller
        .call(move |keyplate| {
            list::page_or_last(asked, limit, |page| {
                keyplate.list_app_passwords(AppPasswordQuery {
                    page: Some(page),
                    ..passwords.clone()
                })
            })
        })
        .await?;
    let items = page.items.iter().map(AppPasswordJson::from).collect();
    list::answer(items, page.total, page.page, limit)
}

pub(super) async fn create(caller: Caller, Json(body): Json<NewBody>) -> Answer {
    let expires_at = body
        .expires_at
        .as_deref()
        .map(|time| body::time("expiresAt", Some(time)))
        .transpose()?;
    let password = NewAppPassword {
        name: body.name.unwrap_or_default(),
        service: body.service.filter(|service| !service.is_empty()),
        scopes: body.scopes.unwrap_or_default(),
        expires_at,
        recoverable: body.recoverable,
        owner_id: None,
    };
    let created = caller
        .call(move |keyplate| keyplate.create_app_password(password))
        .await?;
    answer::created(&CreatedJson {
        app_password: AppPasswordJson::from(&created.app_password),
        password: created.secret.as_str(),
    })
}

pub(super) async fn revoke(caller: Caller, id: Id) -> Answer {
    let id = AppPasswordId::parse(&id.0).map_err(|_| Failure::not_found("app password"))?;
    caller
        .call(move |keyplate| keyplate.revoke_app_password(&id))
        .await?;
    answer::no_content()
}

/// Whether name and password belong together, or name, token and salt as Subsonic's clients send them.
pub(super) async fn verify(
    State(app): State<App>,
    Administrator(caller): Administrator,
    Json(body): Json<VerifyBody>,
) -> Answer {
    let username = body::required("username", body.username)?;
    let client = body.client.map(ClientBody::info).unwrap_or_default();
    let service = body.service;
    let asked = service.clone();
    let found = match (body.password, body.token) {
        (Some(_), Some(_)) => {
            let words = "excludes a token";
            return Err(Failure::field("password", "excludes", words));
        }
        (None, None) => return Err(Failure::field("password", "required", "is required")),
        (Some(password), None) => {
            caller
                .call(move |keyplate| {
                    keyplate.verify_app_password(&username, &password, service, client)
                })
                .await
        }
        (None, Some(token)) => {
            let salt = body::required("salt", body.salt)?;
            caller
                .call(move |keyplate| {
                    keyplate.verify_subsonic_token(&username, &token, &salt, service, client)
                })
                .await
        }
    };
    let found = found.map_err(of_the_client)?;
    let host = app.keyplate().clone();
    let (scopes, role) = (found.scopes.clone(), found.role);
    let (user, service) = app
        .blocking(move || {
            let user = host.get_user(&found.user_id)?;
            let user = UserJson::one(&host, &user)?;
            let own = found
                .service_id
                .map(|id| host.get_service(&id))
                .transpose()?;
            Ok((user, own))
        })
        .await?;
    // What is for all is for the one that asks.
    let service = service.map(|service| service.slug).or(asked);
    answer::ok(&json!({
        "user": user,
        "service": service,
        "scopes": scopes,
        "administrator": role == Role::Administrator,
    }))
}

/// It is the client's password that is wrong, not the credential of the host that asks.
fn of_the_client(failure: Failure) -> Failure {
    if failure.status != StatusCode::UNAUTHORIZED {
        return failure;
    }
    let message = "Name and app password do not belong together";
    failure.instead(StatusCode::UNAUTHORIZED, "app_password_refused", message)
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::user("get", "/api/app-passwords", "Lists one's own app passwords")
            .parameter("user", "For administrators: this user's")
            .parameter("all", "true, for administrators: everybody's")
            .lists::<AppPasswordJson>(&[], &[], true),
        doc::user("post", "/api/app-passwords", "Creates an app password")
            .takes::<NewBody>()
            .gives::<CreatedJson<'_>>(201)
            .refuses(&[404]),
        doc::administrator(
            "post",
            "/api/app-passwords/verify",
            "Tells whether name and app password belong together",
        )
        .takes::<VerifyBody>()
        .gives_other("application/json")
        .refuses(&[404, 429]),
        doc::user(
            "delete",
            "/api/app-passwords/{id}",
            "Revokes an app password",
        )
        .gives_nothing(),
    ]
}
