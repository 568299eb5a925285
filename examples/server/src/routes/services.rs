//! What users reach by way of this server's accounts, and who may use it.

use axum::http::StatusCode;
use keyplate::{
    Decision, DecisionReason, GroupId, Keyplate, NewService, Service, ServiceAccess,
    ServiceChanges, ServiceId, ServiceQuery, UserId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::openapi as doc;
use crate::http::openapi::Operation;
use crate::{
    http::{
        answer::{self, Answer},
        body::{self, Json},
        caller::{Administrator, Caller, Enrolling},
        error::Failure,
        list::{self, Query},
        path::Id,
    },
    json::groups::{NamedGroup, Visible},
    routes::groups,
};

/// A service as JSON.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Service")]
#[serde(rename_all = "camelCase")]
struct ServiceJson {
    id: String,
    slug: String,
    name: String,
    origins: Vec<String>,
    is_open_to_everyone: bool,
    user_groups: Vec<NamedGroup>,
    wants_token: bool,
    created_at: String,
}

impl ServiceJson {
    fn one(keyplate: &Keyplate, service: &Service) -> keyplate::Result<Self> {
        let groups = Visible::load(keyplate, service.group_ids.iter())?;
        Ok(Self::new(service, &groups))
    }

    fn new(service: &Service, groups: &Visible) -> Self {
        Self {
            id: service.id.to_string(),
            slug: service.slug.clone(),
            name: service.name.clone(),
            origins: service.origins.clone(),
            is_open_to_everyone: service.for_everyone,
            user_groups: groups.named(&service.group_ids),
            wants_token: service.wants_token,
            created_at: answer::time(service.created_at),
        }
    }
}

/// Whether the caller may use a service, and why.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Decision")]
#[serde(rename_all = "camelCase")]
struct DecisionJson {
    allowed: bool,
    reason: &'static str,
    service_id: String,
    #[serde(rename = "userID")]
    user_id: Option<String>,
}

impl From<&Decision> for DecisionJson {
    fn from(decision: &Decision) -> Self {
        Self {
            allowed: decision.allowed,
            reason: reason(decision.reason),
            service_id: decision.service_id.to_string(),
            user_id: decision.user_id.map(|id| id.to_string()),
        }
    }
}

fn reason(reason: DecisionReason) -> &'static str {
    match reason {
        DecisionReason::Everyone => "everyone",
        DecisionReason::Group => "group",
        DecisionReason::Closed => "closed",
        DecisionReason::NoGroup => "no_group",
        DecisionReason::MissingScope => "missing_scope",
        DecisionReason::AccountPending => "account_pending",
        DecisionReason::AccountDisabled => "account_disabled",
        DecisionReason::AccountExpired => "account_expired",
        DecisionReason::CredentialEnded => "credential_ended",
        _ => "other",
    }
}

/// A service to be made, or in place of the one that is there.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ServiceBody {
    slug: Option<String>,
    name: Option<String>,
    origins: Option<Vec<String>>,
    is_open_to_everyone: Option<bool>,
    user_group_ids: Option<Vec<String>>,
    /// In place of `userGroupIds`, as it is answered.
    user_groups: Option<Vec<groups::Named>>,
    /// Whether a proxy hands it an access token with each request. Left out, it stays as it is.
    wants_token: Option<bool>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct AccessBody {
    is_open_to_everyone: Option<bool>,
    user_group_ids: Option<Vec<String>>,
    /// In place of `userGroupIds`, as it is answered.
    user_groups: Option<Vec<groups::Named>>,
}

/// Who may use a service.
struct Access {
    for_everyone: bool,
    group_ids: Vec<GroupId>,
}

impl Access {
    fn kind(&self) -> ServiceAccess {
        if self.for_everyone {
            ServiceAccess::Everyone
        } else if self.group_ids.is_empty() {
            ServiceAccess::Nobody
        } else {
            ServiceAccess::Groups
        }
    }
}

impl AccessBody {
    /// What is left out opens nothing.
    fn at_first(self) -> Result<Access, Failure> {
        Ok(Access {
            for_everyone: self.is_open_to_everyone == Some(true),
            group_ids: self.group_ids()?.unwrap_or_default(),
        })
    }

    /// Both must be said: they replace what is there, and nobody should close or open a service by leaving something
    /// out.
    fn whole(self) -> Result<Access, Failure> {
        Ok(Access {
            for_everyone: body::required("isOpenToEveryone", self.is_open_to_everyone)?,
            group_ids: body::required("userGroupIds", self.group_ids()?)?,
        })
    }

    fn group_ids(&self) -> Result<Option<Vec<GroupId>>, Failure> {
        groups::given_ids(&self.user_group_ids, &self.user_groups)
    }
}

impl ServiceBody {
    fn split(self) -> (Names, Option<Vec<String>>, AccessBody) {
        let names = Names {
            slug: self.slug.unwrap_or_default(),
            name: self.name,
            wants_token: self.wants_token,
        };
        let access = AccessBody {
            is_open_to_everyone: self.is_open_to_everyone,
            user_group_ids: self.user_group_ids,
            user_groups: self.user_groups,
        };
        (names, self.origins, access)
    }
}

struct Names {
    slug: String,
    name: Option<String>,
    wants_token: Option<bool>,
}

/// All of them, by slug, or those that one user may use; an ordinary user always sees only their own.
pub(super) async fn list(caller: Caller, query: Query) -> Answer {
    let asked = query.listing::<()>(&[], &[])?;
    let (page, limit) = (asked.page, asked.limit);
    let services = ServiceQuery {
        search: query.search(),
        user_id: user(&query)?,
        limit: Some(limit),
        ..ServiceQuery::default()
    };
    let (items, total, page) = caller
        .call(move |keyplate| {
            let page = list::page_or_last(page, limit, |page| {
                keyplate.list_services(ServiceQuery {
                    page: Some(page),
                    ..services.clone()
                })
            })?;
            let ids = page.items.iter().flat_map(|service| &service.group_ids);
            let groups = Visible::load(keyplate, ids)?;
            let items = page.items.iter();
            let items = items.map(|service| ServiceJson::new(service, &groups));
            Ok((items.collect(), page.total, page.page))
        })
        .await?;
    list::answer(items, total, page, limit)
}

pub(super) async fn create(
    Administrator(caller): Administrator,
    Json(body): Json<ServiceBody>,
) -> Answer {
    let (names, origins, access) = body.split();
    let access = access.at_first()?;
    let service = NewService {
        slug: names.slug,
        name: names.name,
        origins: origins.unwrap_or_default(),
        access: Some(access.kind()),
        group_ids: access.group_ids,
        wants_token: names.wants_token.unwrap_or_default(),
    };
    let service = caller
        .call(move |keyplate| ServiceJson::one(keyplate, &keyplate.create_service(service)?))
        .await
        .map_err(groups::missing)?;
    answer::created(&service)
}

pub(super) async fn get(caller: Caller, id: Id) -> Answer {
    let id = parse_id(&id)?;
    let service = caller
        .call(move |keyplate| ServiceJson::one(keyplate, &keyplate.get_service(&id)?))
        .await?;
    answer::ok(&service)
}

/// Names, origins and access, in place of those that are there.
pub(super) async fn replace(
    Administrator(caller): Administrator,
    id: Id,
    Json(body): Json<ServiceBody>,
) -> Answer {
    let id = parse_id(&id)?;
    let (names, origins, access) = body.split();
    let origins = body::required("origins", origins)?;
    let access = access.whole()?;
    let changes = ServiceChanges {
        slug: Some(names.slug),
        name: Some(names.name.unwrap_or_default()),
        replace_origins: true,
        origins,
        access: Some(access.kind()),
        group_ids: access.group_ids,
        wants_token: names.wants_token,
    };
    let service = caller
        .call(move |keyplate| {
            ServiceJson::one(keyplate, &keyplate.update_service(&id, changes.clone())?)
        })
        .await
        .map_err(groups::missing)?;
    answer::ok(&service)
}

/// Opens it to everyone or to exactly these groups, or closes it.
pub(super) async fn replace_access(
    Administrator(caller): Administrator,
    id: Id,
    Json(body): Json<AccessBody>,
) -> Answer {
    let id = parse_id(&id)?;
    let access = body.whole()?;
    let service = caller
        .call(move |keyplate| {
            let service =
                keyplate.set_service_access(&id, access.for_everyone, &access.group_ids)?;
            ServiceJson::one(keyplate, &service)
        })
        .await
        .map_err(groups::missing)?;
    answer::ok(&service)
}

pub(super) async fn delete(Administrator(caller): Administrator, id: Id) -> Answer {
    let id = parse_id(&id)?;
    caller
        .call(move |keyplate| keyplate.delete_service(&id))
        .await?;
    answer::no_content()
}

/// May the caller use it? Named by id or slug. A proxy that looks at nothing but the status lets nobody in whom the library
/// does not.
pub(super) async fn authorize(Enrolling(caller): Enrolling, service: Id) -> Answer {
    let principal = caller.who.principal.clone();
    let decision = caller
        .call(move |keyplate| keyplate.authorize(&principal, &service.0))
        .await?;
    let status = match decision.allowed {
        true => StatusCode::OK,
        false => StatusCode::FORBIDDEN,
    };
    Ok(answer::json(status, &DecisionJson::from(&decision)))
}

fn user(query: &Query) -> Result<Option<UserId>, Failure> {
    let field = "user";
    let id = query.get(field).map(UserId::parse).transpose();
    id.map_err(|_| Failure::field(field, "invalid", "is not an id"))
}

fn parse_id(id: &Id) -> Result<ServiceId, Failure> {
    ServiceId::parse(&id.0).map_err(|_| Failure::not_found("service"))
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::user("get", "/api/services", "Lists services")
            .parameter("user", "Only those that this user may use: an id")
            .lists::<ServiceJson>(&[], &[], true),
        doc::administrator("post", "/api/services", "Creates a service")
            .takes::<ServiceBody>()
            .gives::<ServiceJson>(201),
        doc::user("get", "/api/services/{id}", "Gives a service").gives::<ServiceJson>(200),
        doc::administrator("put", "/api/services/{id}", "Replaces a service")
            .takes::<ServiceBody>()
            .gives::<ServiceJson>(200),
        doc::administrator("delete", "/api/services/{id}", "Deletes a service").gives_nothing(),
        doc::administrator(
            "put",
            "/api/services/{id}/access",
            "Opens or closes a service",
        )
        .takes::<AccessBody>()
        .gives::<ServiceJson>(200),
        doc::user(
            "get",
            "/api/services/{id}/authorize",
            "Tells whether the caller may use a service",
        )
        .gives::<DecisionJson>(200)
        .refuses_otherwise(403, "application/json"),
    ]
}
