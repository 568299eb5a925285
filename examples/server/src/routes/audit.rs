use std::{borrow::Cow, collections::BTreeMap};

use keyplate::{AuditEvent, AuditQuery, AuditSort, EventKind, UserId, UserQuery};
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::openapi as doc;
use crate::http::openapi::{Operation, names};
use crate::http::{
    answer::{self, Answer},
    caller::{Administrator, Caller},
    error::Failure,
    list::{self, Query},
};

/// The columns that the log may be sorted by. It knows no countries and cities: all rows are alike in them.
const COLUMNS: [(&str, AuditSort); 7] = [
    ("createdAt", AuditSort::Time),
    ("event", AuditSort::Kind),
    ("ipAddress", AuditSort::Address),
    ("userAgent", AuditSort::UserAgent),
    ("device", AuditSort::UserAgent),
    ("country", AuditSort::Time),
    ("city", AuditSort::Time),
];
const FILTERS: [&str; 4] = ["event", "userID", "userId", "clientName"];

/// A row of the audit log as JSON.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Event")]
#[serde(rename_all = "camelCase")]
struct EventJson {
    id: String,
    created_at: String,
    /// As clients of Pocket ID know it.
    event: Cow<'static, str>,
    /// As the library has it.
    kind: String,
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
            event: event_name(event.kind),
            kind: name(event.kind),
            ip_address: event.address.clone(),
            device: event.user_agent.clone(),
            user_id: event.user_id.clone(),
            username: event.username.clone(),
            actor_username: event.actor_name.clone(),
            data,
        }
    }
}

/// What clients of Pocket ID call an event, where they know it; the others keep the library's name.
fn event_name(kind: EventKind) -> Cow<'static, str> {
    let known = match kind {
        EventKind::PasskeySignedIn | EventKind::SessionCreated => "SIGN_IN",
        EventKind::OneTimeTokenRedeemed | EventKind::RecoveryTokenRedeemed => "TOKEN_SIGN_IN",
        EventKind::UserCreated | EventKind::UserSignedUp | EventKind::SetupClaimed => {
            "ACCOUNT_CREATED"
        }
        EventKind::DeviceSignedIn => "REMOTE_SIGN_IN",
        EventKind::PasskeyRegistered => "PASSKEY_ADDED",
        EventKind::PasskeyDeleted => "PASSKEY_REMOVED",
        other => return Cow::Owned(name(other)),
    };
    Cow::Borrowed(known)
}

/// What clients of Pocket ID may ask for and nobody does here: it is not an OpenID provider.
const NEVER: [&str; 4] = [
    "CLIENT_AUTHORIZATION",
    "NEW_CLIENT_AUTHORIZATION",
    "DEVICE_CODE_AUTHORIZATION",
    "NEW_DEVICE_CODE_AUTHORIZATION",
];

/// `UserCreated` is `USER_CREATED`.
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
    let asked = user_ids(&query)?;
    // A filter narrows one's own log: to another user's rows it is empty.
    if !asked.is_empty() && !asked.contains(&user_id) {
        return nothing(&query);
    }
    events(&caller, &query, vec![user_id]).await
}

/// Everything, or what concerns some users.
pub(super) async fn all(Administrator(caller): Administrator, query: Query) -> Answer {
    let user_ids = user_ids(&query)?;
    events(&caller, &query, user_ids).await
}

/// The users whom a list may be narrowed to: their names by their ids.
pub(super) async fn users(Administrator(caller): Administrator, query: Query) -> Answer {
    query.nothing_more()?;
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

/// The events that a list may be narrowed to, by the library's names.
pub(super) async fn kinds(_: Administrator, query: Query) -> Answer {
    query.nothing_more()?;
    answer::ok(&KINDS.map(name).to_vec())
}

/// The OpenID clients that a list may be narrowed to.
pub(super) async fn client_names(_: Administrator, query: Query) -> Answer {
    query.nothing_more()?;
    answer::ok(&NO_CLIENTS)
}

const NO_CLIENTS: [&str; 0] = [];

async fn events(caller: &Caller, query: &Query, user_ids: Vec<UserId>) -> Answer {
    let asked = query.unsearched(&COLUMNS, &FILTERS)?;
    let (page, limit) = (asked.page, asked.limit);
    let Some(kinds) = kinds_asked_for(query)? else {
        return nothing(query);
    };
    // No event is a client's.
    if query.filter("clientName").next().is_some() {
        return nothing(query);
    }
    let wanted = AuditQuery {
        user_ids,
        kinds,
        sort: asked.sort,
        ascending: asked.is_ascending(),
        limit: Some(limit),
        ..AuditQuery::default()
    };
    let page = caller
        .call(move |keyplate| {
            list::page_or_last(page, limit, |page| {
                keyplate.list_audit_events(AuditQuery {
                    page: Some(page),
                    ..wanted.clone()
                })
            })
        })
        .await
        .map_err(|failure| {
            let failure = failure.renamed("userIds", "filters[userID]");
            failure.renamed("kinds", "filters[event]")
        })?;
    let items = page.items.iter().map(EventJson::from).collect();
    list::answer(items, page.total, page.page, limit)
}

/// A page on which there is nothing.
fn nothing(query: &Query) -> Answer {
    let asked = query.unsearched(&COLUMNS, &FILTERS)?;
    list::answer(Vec::<EventJson>::new(), 0, 1, asked.limit)
}

fn user_ids(query: &Query) -> Result<Vec<UserId>, Failure> {
    let ids = query.filter("userID").chain(query.filter("userId"));
    let ids = ids.map(|(key, id)| {
        UserId::parse(id).map_err(|_| Failure::field(key, "invalid", "is not an id"))
    });
    ids.collect()
}

/// The kinds of the events that are asked for, by either name: all of them if there are none, and nothing if they are such
/// as never happen here.
fn kinds_asked_for(query: &Query) -> Result<Option<Vec<EventKind>>, Failure> {
    let mut kinds = Vec::new();
    let mut asked = false;
    for (key, wanted) in query.filter("event") {
        asked = true;
        let named = |kind: &&EventKind| event_name(**kind) == wanted || name(**kind) == wanted;
        let before = kinds.len();
        kinds.extend(KINDS.iter().filter(named).copied());
        if kinds.len() == before && !NEVER.contains(&wanted) {
            let reason = "is not the name of an event";
            return Err(Failure::field(key, "invalid", reason));
        }
    }
    Ok(match asked && kinds.is_empty() {
        true => None,
        false => Some(kinds),
    })
}

/// All kinds that there are; the library names them only one by one.
const KINDS: [EventKind; 81] = [
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
    EventKind::AppPasswordCreated,
    EventKind::AppPasswordRevoked,
    EventKind::AppPasswordRefused,
    EventKind::DeviceLoginClaimed,
    EventKind::DeviceLoginApproved,
    EventKind::DeviceLoginDenied,
    EventKind::DeviceLoginRefused,
    EventKind::DeviceSignedIn,
    EventKind::DeviceLinkCreated,
    EventKind::DeviceLinkRedeemed,
    EventKind::DeviceLinkDisowned,
    EventKind::ServiceSessionOpened,
    EventKind::ServiceSessionRefused,
];

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::user("get", "/api/audit-logs", "Lists what concerns the caller").lists::<EventJson>(
            &names(&COLUMNS),
            &FILTERS,
            false,
        ),
        doc::administrator(
            "get",
            "/api/audit-logs/all",
            "Lists everything that happened",
        )
        .lists::<EventJson>(&names(&COLUMNS), &FILTERS, false),
        doc::administrator(
            "get",
            "/api/audit-logs/filters/users",
            "Gives the users by their ids",
        )
        .gives::<BTreeMap<String, String>>(200),
        doc::administrator(
            "get",
            "/api/audit-logs/filters/events",
            "Gives the kinds of events",
        )
        .gives::<Vec<String>>(200),
        doc::administrator(
            "get",
            "/api/audit-logs/filters/client-names",
            "Gives the OpenID clients: none",
        )
        .gives::<Vec<String>>(200),
    ]
}

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
        // A name stands for kinds of one upstream event, or for one of ours; never for both.
        for kind in KINDS {
            let ours = event_name(kind) == name(kind);
            let also = KINDS
                .iter()
                .filter(|other| event_name(**other) == name(kind));
            assert_eq!(also.count(), usize::from(ours), "{kind:?}");
            assert!(!NEVER.contains(&name(kind).as_str()));
        }
    }
}
