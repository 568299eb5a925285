//! Passkeys: registering one, and those that there are.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use keyplate::{Keyplate, KeyplateError, Passkey, PasskeyId, PasskeyRegistration, Thing, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::openapi as doc;
use crate::http::openapi::Operation;
use crate::{
    http::{
        answer::{self, Answer},
        app::App,
        body::{Json, JsonText},
        caller::{Administrator, Caller, EnrollingBrowser},
        ceremony::{self, Kind},
        cookie,
        error::Failure,
        list::Query,
        path::{self, Id, Ids},
    },
    json::setup::CompletionJson,
};
use serde_json::{Map, Value};

/// A passkey as JSON.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Passkey")]
#[serde(rename_all = "camelCase")]
struct PasskeyJson {
    id: String,
    name: String,
    #[serde(rename = "credentialID")]
    credential_id: String,
    /// None is asked for.
    attestation_type: &'static str,
    transport: Vec<String>,
    backup_eligible: bool,
    backup_state: bool,
    /// Does it work under today's RP id?
    usable: bool,
    created_at: String,
    last_used_at: Option<String>,
}

impl From<&Passkey> for PasskeyJson {
    fn from(passkey: &Passkey) -> Self {
        Self {
            id: passkey.id.to_string(),
            name: passkey.name.clone(),
            credential_id: passkey.credential_id.clone(),
            attestation_type: "none",
            transport: passkey.transports.clone(),
            backup_eligible: passkey.backup_eligible,
            backup_state: passkey.backup_state,
            usable: passkey.usable,
            created_at: answer::time(passkey.created_at),
            last_used_at: passkey.last_used_at.map(answer::time),
        }
    }
}

/// A passkey that was just registered, and what that completed.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "RegisteredPasskey")]
struct RegistrationJson {
    #[serde(flatten)]
    passkey: PasskeyJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    setup: Option<CompletionJson>,
}

impl From<&PasskeyRegistration> for RegistrationJson {
    fn from(registration: &PasskeyRegistration) -> Self {
        Self {
            passkey: PasskeyJson::from(&registration.passkey),
            setup: registration.setup.as_ref().map(CompletionJson::from),
        }
    }
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct NameBody {
    name: Option<String>,
}

pub(super) async fn begin_registration(
    State(app): State<App>,
    EnrollingBrowser(caller): EnrollingBrowser,
    headers: HeaderMap,
) -> Answer {
    let begun = caller.call(Keyplate::begin_passkey_registration).await?;
    ceremony::begun(&app, Kind::Register, &headers, begun)
}

/// Registers a passkey. Where the session was not opened by one, its cookie gives way to that of a session that is.
pub(super) async fn finish_registration(
    State(app): State<App>,
    EnrollingBrowser(caller): EnrollingBrowser,
    headers: HeaderMap,
    JsonText(credential): JsonText,
) -> Answer {
    let kept = ceremony::answered(&app, Kind::Register, &headers, &credential)?;
    let ceremony = kept.ceremony.clone();
    let registration = caller
        .call(move |keyplate| keyplate.finish_passkey_registration(&ceremony, &credential, None))
        .await?;
    let mut response = answer::json(StatusCode::OK, &RegistrationJson::from(&registration));
    if let Some(signed_in) = &registration.signed_in {
        cookie::set_session(&mut response, &app, signed_in);
    }
    Ok(ceremony::ended(&app, &kept, response))
}

/// One's own, the oldest first.
pub(super) async fn list(caller: Caller, query: Query) -> Answer {
    query.nothing_more()?;
    let id = caller.who.user_id;
    listed(&caller, id).await
}

pub(super) async fn rename(caller: Caller, id: Id, Json(body): Json<NameBody>) -> Answer {
    let (id, own_id) = (parse_id(&id.0)?, caller.who.user_id);
    let name = body.name.unwrap_or_default();
    let passkey = caller
        .call(move |keyplate| {
            check_owner(keyplate, own_id, &id)?;
            keyplate.rename_passkey(&id, &name)
        })
        .await?;
    answer::ok(&PasskeyJson::from(&passkey))
}

pub(super) async fn delete(caller: Caller, id: Id) -> Answer {
    let own_id = caller.who.user_id;
    delete_of(&caller, own_id, parse_id(&id.0)?).await
}

/// A user's, for administrators.
pub(super) async fn list_of_user(
    Administrator(caller): Administrator,
    id: Id,
    query: Query,
) -> Answer {
    query.nothing_more()?;
    listed(&caller, path::user_id(&id)?).await
}

pub(super) async fn delete_of_user(Administrator(caller): Administrator, ids: Ids) -> Answer {
    let id = parse_id(&ids.1)?;
    delete_of(&caller, path::user_id(&Id(ids.0))?, id).await
}

async fn listed(caller: &Caller, user_id: UserId) -> Answer {
    let passkeys = caller
        .call(move |keyplate| keyplate.list_passkeys(Some(user_id)))
        .await?;
    let passkeys: Vec<PasskeyJson> = passkeys.iter().map(PasskeyJson::from).collect();
    answer::ok(&passkeys)
}

async fn delete_of(caller: &Caller, user_id: UserId, id: PasskeyId) -> Answer {
    caller
        .call(move |keyplate| {
            check_owner(keyplate, user_id, &id)?;
            keyplate.delete_passkey(&id)
        })
        .await?;
    answer::no_content()
}

/// A path that names another user's passkey names nothing.
fn check_owner(keyplate: &Keyplate, owner: UserId, id: &PasskeyId) -> keyplate::Result<()> {
    let passkeys = keyplate.list_passkeys(Some(owner))?;
    if passkeys.iter().any(|passkey| passkey.id == *id) {
        return Ok(());
    }
    Err(KeyplateError::NotFound {
        what: Thing::Passkey,
    })
}

fn parse_id(id: &str) -> Result<PasskeyId, Failure> {
    PasskeyId::parse(id).map_err(|_| Failure::not_found("passkey"))
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::browser(
            "get",
            "/api/webauthn/register/start",
            "Begins to register a passkey",
        )
        .gives_other("application/json")
        .refuses(&[409]),
        doc::browser(
            "post",
            "/api/webauthn/register/finish",
            "Registers a passkey",
        )
        .takes::<Map<String, Value>>()
        .gives::<RegistrationJson>(200),
        doc::user(
            "get",
            "/api/webauthn/credentials",
            "Gives one's own passkeys",
        )
        .gives::<Vec<PasskeyJson>>(200),
        doc::user(
            "patch",
            "/api/webauthn/credentials/{id}",
            "Renames a passkey",
        )
        .takes::<NameBody>()
        .gives::<PasskeyJson>(200),
        doc::user(
            "delete",
            "/api/webauthn/credentials/{id}",
            "Deletes a passkey",
        )
        .gives_nothing(),
        doc::administrator(
            "get",
            "/api/users/{id}/webauthn-credentials",
            "Gives a user's passkeys",
        )
        .gives::<Vec<PasskeyJson>>(200),
        doc::administrator(
            "delete",
            "/api/users/{id}/webauthn-credentials/{credential}",
            "Deletes a user's passkey",
        )
        .gives_nothing(),
    ]
}
