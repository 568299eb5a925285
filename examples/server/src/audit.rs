use std::collections::BTreeMap;

use keyplate::{AuditEvent, AuditQuery, EventKind, UserId};
use serde::Serialize;

use crate::{
    answer::{self, Answer},
    caller::{Administrator, Caller},
    error::Failure,
    list::{self, Query},
};

/// A row of the audit log as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EventJson {
    id: String,
    created_at: String,
    event: String,
    ip_address: Option<String>,
    device: Option<String>,
    #[serde(rename = "userID")]
    user_id: Option<String>,
    username: Option<String>,
    actor_username: Option<String>,
    data: BTreeMap<String, String>,
}

impl From<&AuditEvent> for EventJson {
    fn from(event: &AuditEvent) -> Self {
        let details = event.details.iter();
        let mut data: BTreeMap<String, String> =
            details.map(|d| (d.name.clone(), d.value.clone())).collect();
        data.extend(
            event
                .subject_name
                .clone()
                .map(|name| ("subject".to_owned(), name)),
        );
        if event.count > 1 {
            data.insert("count".to_owned(), event.count.to_string());
        }
        Self {
            id: event.id.to_string(),
            created_at: answer::time(event.at),
            event: name(event.kind),
            ip_address: event.address.clone(),
            device: event.user_agent.clone(),
            user_id: event.user_id.clone(),
            username: event.username.clone(),
            actor_username: event.actor_name.clone(),
            data,
        }
    }
}

/// `UserCreated` is `USER_CREATED`: clients know events in this form.
fn name(kind: EventKind) -> String {
    let mut name = String::new();
    for c in format!("{kind:?}").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}

/// What concerns the caller.
pub(crate) async fn own(caller: Caller, query: Query) -> Answer {
    let user_id = caller.who.user_id;
    events(&caller, &query, Some(user_id)).await
}

/// Everything, or what concerns one user.
pub(crate) async fn all(Administrator(caller): Administrator, query: Query) -> Answer {
    let field = "filters[userId]";
    let user_id = query.get(field).map(UserId::parse).transpose();
    let user_id = user_id.map_err(|_| Failure::field(field, "invalid", "is not an id"))?;
    events(&caller, &query, user_id).await
}

async fn events(caller: &Caller, query: &Query, user_id: Option<UserId>) -> Answer {
    let limit = query.limit()?;
    let wanted = AuditQuery {
        user_id,
        page: Some(query.page()?),
        limit: Some(limit),
        ..AuditQuery::default()
    };
    let page = caller
        .call(|keyplate| keyplate.list_audit_events(wanted))
        .await?;
    let items = page.items.iter().map(EventJson::from).collect();
    list::answer(items, page.total, page.page, limit)
}
