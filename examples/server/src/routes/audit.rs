use std::collections::BTreeMap;

use keyplate::{AuditEvent, AuditQuery, EventKind, UserId, UserQuery};
use serde::Serialize;

use crate::http::{
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
pub(super) async fn own(caller: Caller, query: Query) -> Answer {
    let user_id = caller.who.user_id;
    events(&caller, &query, Some(user_id)).await
}

/// Everything, or what concerns one user.
pub(super) async fn all(Administrator(caller): Administrator, query: Query) -> Answer {
    let field = "filters[userId]";
    let user_id = query.get(field).map(UserId::parse).transpose();
    let user_id = user_id.map_err(|_| Failure::field(field, "invalid", "is not an id"))?;
    events(&caller, &query, user_id).await
}

/// The users whom a list may be narrowed to: their names by their ids.
pub(super) async fn users(Administrator(caller): Administrator) -> Answer {
    let users = caller
        .call(|keyplate| {
            list::every(|page| {
                let users = keyplate.list_users(UserQuery {
                    page: Some(page),
                    limit: Some(list::MANY),
                    ..UserQuery::default()
                })?;
                Ok((users.items, users.total))
            })
        })
        .await?;
    let names: BTreeMap<String, String> = users
        .into_iter()
        .map(|user| (user.id.to_string(), user.username))
        .collect();
    answer::ok(&names)
}

/// The events that a list may be narrowed to.
pub(super) async fn kinds(_: Administrator) -> Answer {
    answer::ok(&KINDS.map(name).to_vec())
}

async fn events(caller: &Caller, query: &Query, user_id: Option<UserId>) -> Answer {
    let (asked, limit) = (query.page()?, query.limit()?);
    let wanted = AuditQuery {
        user_id,
        kind: kind(query)?,
        limit: Some(limit),
        ..AuditQuery::default()
    };
    let page = caller
        .call(move |keyplate| {
            list::page_or_last(asked, limit, |page| {
                keyplate.list_audit_events(AuditQuery {
                    page: Some(page),
                    ..wanted.clone()
                })
            })
        })
        .await?;
    let items = page.items.iter().map(EventJson::from).collect();
    list::answer(items, page.total, page.page, limit)
}

fn kind(query: &Query) -> Result<Option<EventKind>, Failure> {
    let field = "filters[event]";
    let Some(wanted) = query.get(field) else {
        return Ok(None);
    };
    let known = KINDS.iter().find(|kind| name(**kind) == wanted);
    match known {
        Some(kind) => Ok(Some(*kind)),
        None => Err(Failure::field(
            field,
            "invalid",
            "is not the name of an event",
        )),
    }
}

/// All kinds that there are; the library names them only one by one.
const KINDS: [EventKind; 68] = [
    EventKind::UserCreated,
    EventKind::UserUpdated,
    EventKind::UserDeleted,
    EventKind::UserRoleChanged,
    EventKind::UserEnabled,
    EventKind::UserDisabled,
    EventKind::SetupTokenCreated,
    EventKind::SetupClaimed,
    EventKind::SetupRefused,
    EventKind::SetupResumed,
    EventKind::SetupCompleted,
    EventKind::SetupReset,
    EventKind::SessionCreated,
    EventKind::SignInRefused,
    EventKind::SessionRevoked,
    EventKind::UserSessionsRevoked,
    EventKind::ApiKeyCreated,
    EventKind::ApiKeyRotated,
    EventKind::ApiKeyRenewed,
    EventKind::ApiKeyRevoked,
    EventKind::UserApproved,
    EventKind::UserRejected,
    EventKind::UserGroupsChanged,
    EventKind::UserClaimsChanged,
    EventKind::GroupCreated,
    EventKind::GroupUpdated,
    EventKind::GroupDeleted,
    EventKind::GroupMembersChanged,
    EventKind::GroupClaimsChanged,
    EventKind::SettingsChanged,
    EventKind::SignupTokenCreated,
    EventKind::SignupTokenUpdated,
    EventKind::SignupTokenRevoked,
    EventKind::UserSignedUp,
    EventKind::SignupRefused,
    EventKind::OneTimeTokenCreated,
    EventKind::OneTimeTokenRevoked,
    EventKind::OneTimeTokenRedeemed,
    EventKind::OneTimeTokenRefused,
    EventKind::CodeGuessing,
    EventKind::ClockBehind,
    EventKind::ClockReset,
    EventKind::ExpiredPurged,
    EventKind::PasskeyRegistered,
    EventKind::PasskeyRegistrationRefused,
    EventKind::PasskeyRenamed,
    EventKind::PasskeyDeleted,
    EventKind::PasskeySignedIn,
    EventKind::PasskeyCounterWentBack,
    EventKind::SteppedUp,
    EventKind::StepUpRefused,
    EventKind::RecoveryTokenCreated,
    EventKind::RecoveryTokenRedeemed,
    EventKind::RpIdChanged,
    EventKind::ServiceCreated,
    EventKind::ServiceUpdated,
    EventKind::ServiceDeleted,
    EventKind::ServiceAccessChanged,
    EventKind::SigningKeyCreated,
    EventKind::SigningKeyRotated,
    EventKind::ApiKeyUpdated,
    EventKind::Bootstrapped,
    EventKind::BackedUp,
    EventKind::BackupRestored,
    EventKind::EmailReleased,
    EventKind::NamesCollide,
    EventKind::OtherRefusals,
    EventKind::PasskeyBackupEligibilityChanged,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_can_be_asked_for() {
        let facade = include_str!("../../../../core/api.txt");
        let (_, after) = facade
            .split_once("enum EventKind (non_exhaustive)\n")
            .unwrap();
        let known: Vec<&str> = after
            .lines()
            .map_while(|line| line.strip_prefix("    "))
            .collect();
        assert_eq!(KINDS.map(|kind| format!("{kind:?}")).to_vec(), known);
        assert_eq!(name(EventKind::UserCreated), "USER_CREATED");
    }
}
