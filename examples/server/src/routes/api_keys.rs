use keyplate::{ApiKeyId, ApiKeyQuery, ApiKeySort, CreatedApiKey, Expiry, KeyRotation, NewApiKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::openapi as doc;
use crate::http::openapi::{Operation, names};
use crate::{
    http::{
        answer::{self, Answer},
        body::{self, Json},
        caller::{Browser, Caller},
        error::Failure,
        list::{self, Query},
        path::Id,
    },
    json::api_keys::ApiKeyJson,
};

/// The columns that a list may be sorted by.
const COLUMNS: [(&str, ApiKeySort); 4] = [
    ("createdAt", ApiKeySort::CreatedAt),
    ("name", ApiKeySort::Name),
    ("expiresAt", ApiKeySort::ExpiresAt),
    ("lastUsedAt", ApiKeySort::LastUsedAt),
];

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "CreatedApiKey")]
#[serde(rename_all = "camelCase")]
struct CreatedJson<'a> {
    api_key: ApiKeyJson,
    token: &'a str,
}

impl<'a> From<&'a CreatedApiKey> for CreatedJson<'a> {
    fn from(created: &'a CreatedApiKey) -> Self {
        Self {
            api_key: ApiKeyJson::from(&created.api_key),
            token: created.secret.as_str(),
        }
    }
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct NewKeyBody {
    name: Option<String>,
    description: Option<String>,
    expires_at: Option<String>,
    scopes: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RenewalBody {
    expires_at: Option<String>,
}

/// One's own keys; for administrators `all=true` lists everybody's.
pub(super) async fn list(caller: Caller, query: Query) -> Answer {
    let asked = query.listing(&COLUMNS, &[])?;
    let (page, limit) = (asked.page, asked.limit);
    let keys = ApiKeyQuery {
        owner_id: (!query.is_true("all")).then_some(caller.who.user_id),
        search: query.search(),
        sort: asked.sort,
        ascending: !asked.is_descending(),
        limit: Some(limit),
        ..ApiKeyQuery::default()
    };
    let page = caller
        .call(move |keyplate| {
            list::page_or_last(page, limit, |page| {
                keyplate.list_api_keys(ApiKeyQuery {
                    page: Some(page),
                    ..keys.clone()
                })
            })
        })
        .await?;
    let items = page.items.iter().map(ApiKeyJson::from).collect();
    list::answer(items, page.total, page.page, limit)
}

pub(super) async fn create(Browser(caller): Browser, Json(body): Json<NewKeyBody>) -> Answer {
    let key = NewApiKey {
        name: name(body.name)?,
        note: body.description,
        expires_at: Some(body::time("expiresAt", body.expires_at.as_deref())?),
        // Clients that know of no scopes expect keys that may do everything.
        scopes: body.scopes.unwrap_or_else(|| vec!["*".to_owned()]),
        ..NewApiKey::default()
    };
    let created = caller
        .call(|keyplate| keyplate.create_api_key(key))
        .await
        .map_err(|failure| failure.renamed("note", "description"))?;
    answer::created(&CreatedJson::from(&created))
}

/// A new secret with a new end; the old secret goes on working for a while.
pub(super) async fn renew(
    Browser(caller): Browser,
    id: Id,
    Json(body): Json<RenewalBody>,
) -> Answer {
    let id = parse_id(&id)?;
    let time = body::time("expiresAt", body.expires_at.as_deref())?;
    let rotation = KeyRotation {
        expiry: Some(Expiry::At { time }),
        ..KeyRotation::default()
    };
    let created = caller
        .call(move |keyplate| keyplate.rotate_api_key(&id, rotation))
        .await
        .map_err(|failure| failure.renamed("expiry", "expiresAt"))?;
    answer::ok(&CreatedJson::from(&created))
}

pub(super) async fn revoke(caller: Caller, id: Id) -> Answer {
    let id = parse_id(&id)?;
    caller
        .call(move |keyplate| keyplate.revoke_api_key(&id))
        .await?;
    answer::no_content()
}

/// Shorter than the library allows, because clients count on it.
fn name(name: Option<String>) -> Result<String, Failure> {
    let name = name.unwrap_or_default();
    let reason = match name.trim().chars().count() {
        0..3 => "must have at least 3 characters",
        3..=50 => return Ok(name),
        _ => "must have at most 50 characters",
    };
    Err(Failure::field("name", "invalid", reason))
}

fn parse_id(id: &Id) -> Result<ApiKeyId, Failure> {
    ApiKeyId::parse(&id.0).map_err(|_| Failure::not_found("API key"))
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::user(
            "get",
            "/api/api-keys",
            "Lists one's own API keys; everybody's with all=true",
        )
        .parameter("all", "true, for administrators: everybody's")
        .lists::<ApiKeyJson>(&names(&COLUMNS), &[], true),
        doc::browser("post", "/api/api-keys", "Creates an API key")
            .takes::<NewKeyBody>()
            .gives::<CreatedJson<'_>>(201),
        doc::user("delete", "/api/api-keys/{id}", "Revokes an API key").gives_nothing(),
        doc::browser(
            "post",
            "/api/api-keys/{id}/renew",
            "Gives an API key a new secret and end",
        )
        .takes::<RenewalBody>()
        .gives::<CreatedJson<'_>>(200),
    ]
}
