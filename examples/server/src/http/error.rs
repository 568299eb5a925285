//! Refusals: one table from the library's errors to statuses, codes and words.

use std::fmt;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use keyplate::{ConflictReason, InputReason, KeyplateError, PasskeyFailure, SignupRefusal, Thing};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::http::passkey_failure;

/// Why a request gets no answer of the kind that it wants. The edge writes it out, together with the request's id.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    /// For the person in front of the client.
    pub(crate) message: String,
    pub(crate) fields: Vec<FieldError>,
    /// What the library found missing.
    missing: Option<Thing>,
    /// The library's reason: its `code`, under the name `reason`, and its numbers and names.
    pub(crate) reason: Box<Map<String, Value>>,
    /// In seconds.
    pub(crate) retry_after: Option<u64>,
    /// For the log: what the server's keeper must know and the client need not.
    pub(crate) cause: Option<String>,
}

/// What is wrong with one field of a request.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FieldError {
    pub(crate) field: String,
    pub(crate) code: String,
    pub(crate) message: String,
    /// The numbers and names of the library's reason.
    #[serde(flatten)]
    more: Map<String, Value>,
    /// What the message says after the field's name.
    #[serde(skip)]
    words: String,
}

impl FieldError {
    fn new(field: &str, code: &str, words: &str, more: Map<String, Value>) -> Self {
        Self {
            field: field.to_owned(),
            code: code.to_owned(),
            message: format!("{} {words}", in_words(field)),
            more,
            words: words.to_owned(),
        }
    }
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            fields: Vec::new(),
            missing: None,
            reason: Box::default(),
            retry_after: None,
            cause: None,
        }
    }

    /// A field of the request breaks a rule; `words` go on from the field's name.
    pub(crate) fn field(field: &str, code: &str, words: &str) -> Self {
        Self::of_field(FieldError::new(field, code, words, Map::new()))
    }

    fn of_field(field: FieldError) -> Self {
        let message = field.message.clone();
        let failure = Self::new(StatusCode::BAD_REQUEST, "validation_failed", message);
        let fields = vec![field];
        Self { fields, ..failure }
    }

    pub(crate) fn not_signed_in() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "not_signed_in",
            "You are not signed in",
        )
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "You are not allowed to do this",
        )
    }

    pub(crate) fn not_found(what: &str) -> Self {
        let message = format!("{} not found", capitalised(what));
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(crate) fn internal(cause: impl fmt::Display) -> Self {
        let failure = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "Something went wrong on the server",
        );
        failure.because(cause)
    }

    /// Says the same of something else than the library's words are about.
    pub(crate) fn instead(self, status: StatusCode, code: &'static str, message: &str) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
            ..self
        }
    }

    /// Says the field's name as this route's JSON has it, where the library calls it otherwise.
    pub(crate) fn renamed(self, from: &str, to: &str) -> Self {
        self.respelt(from, |field| {
            FieldError::new(to, &field.code, &field.words, field.more)
        })
    }

    /// Says the bounds of this field in minutes, where the library counts seconds.
    pub(crate) fn in_minutes(self, field: &str) -> Self {
        self.respelt(field, |found| {
            let minutes = |name: &str| found.more.get(name).and_then(Value::as_i64).map(|n| n / 60);
            let (Some(least), Some(most)) = (minutes("least"), minutes("most")) else {
                return found;
            };
            let bounds = InputReason::OutOfRange { least, most };
            let words = format!("{bounds} minutes");
            let mut more = Map::new();
            more.insert("least".to_owned(), least.into());
            more.insert("most".to_owned(), most.into());
            FieldError::new(field, &found.code, &words, more)
        })
    }

    /// Both: the other's fields are wrong too.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.fields.extend(other.fields);
        self
    }

    fn respelt(mut self, field: &str, respell: impl FnOnce(FieldError) -> FieldError) -> Self {
        match self.fields.pop() {
            Some(found) if found.field == field => Self {
                code: self.code,
                ..Self::of_field(respell(found))
            },
            found => {
                self.fields.extend(found);
                self
            }
        }
    }

    /// Blames a field where what is not there was named by it.
    pub(crate) fn missing_is(self, what: Thing, field: &str) -> Self {
        if self.missing != Some(what) {
            return self;
        }
        let error = KeyplateError::InvalidInput {
            field: field.to_owned(),
            reason: InputReason::NamesNothing { what },
        };
        Self::of_field(field_error(field, &error))
    }

    fn because(self, cause: impl fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..self
        }
    }

    fn unavailable(code: &'static str, message: &str, error: &KeyplateError) -> Self {
        let failure = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message);
        Self {
            retry_after: seconds_to_wait(error),
            ..failure.because(error)
        }
    }
}

impl From<KeyplateError> for Failure {
    fn from(error: KeyplateError) -> Self {
        let reason = Box::new(reason(&error));
        Self {
            reason,
            ..refusal(error)
        }
    }
}

fn refusal(error: KeyplateError) -> Failure {
    use KeyplateError as E;
    let status = status(&error);
    let refused = |code, message: &str| Failure::new(status, code, message);
    match &error {
        E::InvalidInput { field, .. } => Failure::of_field(field_error(&in_json(field), &error)),
        E::NotFound { what } => Failure {
            missing: Some(*what),
            ..Failure::not_found(&what.to_string())
        },
        E::Conflict { what, field } => conflict(*what, field.as_deref(), &error),
        E::InvalidCredential => refused("token_invalid_or_expired", "Token is invalid or expired"),
        E::PermissionDenied { reason } => Failure {
            message: format!("You are not allowed to do this: {reason}"),
            ..Failure::forbidden()
        },
        E::StepUpRequired => refused("reauthentication_required", "Sign in again to do this"),
        E::AccountPending => refused("user_pending", "User waits for approval"),
        E::AccountDisabled => refused("user_disabled", "User is disabled"),
        // U2: a lapsed account is as a disabled one.
        E::AccountExpired => refused("user_disabled", "User account has expired"),
        E::SetupAlreadyClaimed | E::SetupAlreadyComplete => {
            refused("setup_already_completed", "Setup is already completed")
        }
        E::PasskeyCeremonyFailed { reason } => ceremony_failed(*reason, status),
        E::SignupRefused { reason } => signup_refused(*reason, status, &error),
        E::RateLimited { .. } => Failure {
            retry_after: seconds_to_wait(&error),
            ..refused("rate_limited", "Too many tries, try again later")
        },
        E::Busy => Failure::unavailable("busy", "The database is busy, try again", &error),
        E::ClockBehind { .. } => {
            Failure::unavailable("clock_behind", "The clock of the server is behind", &error)
        }
        _ if status == StatusCode::SERVICE_UNAVAILABLE => Failure::unavailable(
            "storage_unavailable",
            "The database cannot be used at the moment",
            &error,
        ),
        _ => Failure::internal(error),
    }
}

fn status(error: &KeyplateError) -> StatusCode {
    let status = u16::try_from(error.http_status()).ok();
    status
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The reason as details of the answer: its code is their `reason`.
fn reason(error: &KeyplateError) -> Map<String, Value> {
    let mut reason = reason_json(error);
    // What is missing stands in the message, and no other than the path named it.
    if matches!(
        error,
        KeyplateError::NotFound { .. } | KeyplateError::InvalidInput { .. }
    ) {
        reason.clear();
    }
    if let Some(code) = reason.remove("code") {
        reason.insert("reason".to_owned(), code);
    } else if let Some(code) = storage_reason(error) {
        reason.insert("reason".to_owned(), code.into());
    }
    reason
}

/// What is wrong with the database, for who mends it; all of it is `storage_unavailable` to who asks (D5).
fn storage_reason(error: &KeyplateError) -> Option<&'static str> {
    use KeyplateError as E;
    Some(match error {
        E::StorageFull { .. } => "storage_full",
        E::StorageReadOnly { .. } => "storage_read_only",
        E::StorageFailed { .. } => "storage_failed",
        E::StorageLost { .. } => "storage_lost",
        E::CorruptDatabase { .. } => "corrupt_database",
        E::ForeignDatabase { .. } => "foreign_database",
        E::SchemaTooNew { .. } => "schema_too_new",
        _ => return None,
    })
}

fn reason_json(error: &KeyplateError) -> Map<String, Value> {
    let json = error.reason_json().unwrap_or_default();
    serde_json::from_str(&json).unwrap_or_default()
}

/// What is wrong with a field, from the library's reason.
fn field_error(field: &str, error: &KeyplateError) -> FieldError {
    let mut more = reason_json(error);
    more.remove("code");
    // The other field that a reason speaks of: two members of one name are read differently by every client.
    if let Some(Value::String(other)) = more.remove("field") {
        more.insert("otherField".to_owned(), in_json(&other).into());
    }
    let code = error.reason_code().unwrap_or_default();
    let words = match error {
        KeyplateError::InvalidInput { reason, .. } => reason.to_string(),
        KeyplateError::Conflict {
            what: ConflictReason::OtherEmail,
            ..
        } => "is another one by now".to_owned(),
        // U1: nobody has it, and still it is not to be had.
        KeyplateError::Conflict {
            what: what @ ConflictReason::Former,
            ..
        } => what.to_string(),
        KeyplateError::Conflict { .. } => "is already in use".to_owned(),
        KeyplateError::SignupRefused { .. } => "must be of an allowed domain".to_owned(),
        error => error.to_string(),
    };
    FieldError::new(field, &code, &words, more)
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A ceremony that failed.
fn ceremony_failed(failure: PasskeyFailure, status: StatusCode) -> Failure {
    use PasskeyFailure as F;
    let (status, code) = match failure {
        F::UnknownCredential => (StatusCode::UNAUTHORIZED, "passkey_unknown"),
        F::CredentialTaken => (StatusCode::CONFLICT, "passkey_ceremony_failed"),
        _ => (status, "passkey_ceremony_failed"),
    };
    Failure::new(status, code, passkey_failure::advice(failure))
}

/// Rounded up: who comes back then is not too early.
fn seconds_to_wait(error: &KeyplateError) -> Option<u64> {
    let wait = error.retry_after()?;
    Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}

fn signup_refused(reason: SignupRefusal, status: StatusCode, error: &KeyplateError) -> Failure {
    let message = capitalised(&reason.to_string());
    if reason != SignupRefusal::EmailDomain {
        return Failure::new(status, "open_signup_disabled", message);
    }
    Failure {
        fields: vec![field_error("email", error)],
        ..Failure::new(status, "email_domain_not_allowed", message)
    }
}

fn conflict(what: ConflictReason, field: Option<&str>, error: &KeyplateError) -> Failure {
    let conflict = |code, message: &str| Failure::new(StatusCode::CONFLICT, code, message);
    match (what, field) {
        (ConflictReason::Taken | ConflictReason::Former, Some(field)) => {
            let field = field_error(&in_json(field), error);
            Failure {
                fields: vec![field.clone()],
                ..conflict("already_in_use", &field.message)
            }
        }
        // U1
        (ConflictReason::OtherEmail, _) => Failure {
            fields: vec![field_error("email", error)],
            ..conflict(
                "conflict",
                "The account has another e-mail address by now: change the address first, then say that it is verified",
            )
        },
        (ConflictReason::LastAdministrator, _) => {
            conflict("last_administrator", "The last administrator must stay")
        }
        // P4
        (ConflictReason::LastPasskey, _) => conflict(
            "last_passkey",
            "This is your only passkey: add another one first",
        ),
        _ => conflict("conflict", &capitalised(&what.to_string())),
    }
}

/// The library's name of a field as JSON has it: `first_name` is `firstName`.
fn in_json(field: &str) -> String {
    let mut name = String::with_capacity(field.len());
    let mut parts = field.split('_');
    name.extend(parts.next());
    for part in parts {
        name.push_str(&capitalised(part));
    }
    name
}

/// A field's name for people: `firstName` is `First name`.
fn in_words(field: &str) -> String {
    if field == "id" {
        return "ID".to_owned();
    }
    let mut words = String::with_capacity(field.len() + 4);
    for c in field.chars() {
        if c.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    capitalised(&words)
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_as_in_json_and_keep_code_and_numbers() {
        let error = KeyplateError::InvalidInput {
            field: "first_name".into(),
            reason: InputReason::TooLong { most: 50 },
        };
        let field = &Failure::from(error).fields[0];
        assert_eq!(
            (field.field.as_str(), field.code.as_str()),
            ("firstName", "too_long")
        );
        assert_eq!(field.more["most"], 50);

        let renamed =
            Failure::field("note", "too_long", "is too long").renamed("note", "description");
        let field = &renamed.fields[0];
        assert_eq!(
            (field.field.as_str(), field.code.as_str()),
            ("description", "too_long")
        );
        assert_eq!(renamed.message, "Description is too long");
        let error = KeyplateError::InvalidInput {
            field: "step_up_seconds".into(),
            reason: InputReason::OutOfRange {
                least: 60,
                most: 86_400,
            },
        };
        let failure = Failure::from(error).in_minutes("stepUpSeconds");
        let field = &failure.fields[0];
        assert_eq!(
            failure.message,
            "Step up seconds must be between 1 and 1440 minutes"
        );
        assert_eq!(
            (&field.more["least"], &field.more["most"]),
            (&1.into(), &1440.into())
        );
        let other = Failure::field("note", "invalid", "is odd").renamed("name", "title");
        assert_eq!(other.fields[0].field, "note");
    }

    #[test]
    fn what_is_missing_is_a_fault_of_the_field_that_named_it() {
        let missing = || Failure::from(KeyplateError::NotFound { what: Thing::Group });
        let failure = missing().missing_is(Thing::Group, "userGroupIds");
        assert_eq!(
            (failure.status.as_u16(), failure.code),
            (400, "validation_failed")
        );
        let field = &failure.fields[0];
        assert_eq!(
            (field.field.as_str(), field.code.as_str()),
            ("userGroupIds", "names_nothing")
        );
        let other = missing().missing_is(Thing::User, "userIds");
        assert_eq!((other.status.as_u16(), other.code), (404, "not_found"));
    }

    #[test]
    fn conflicts_and_storage() {
        let taken = Failure::from(KeyplateError::Conflict {
            what: ConflictReason::Taken,
            field: Some("external_id".into()),
        });
        assert_eq!((taken.status.as_u16(), taken.code), (409, "already_in_use"));
        let field = &taken.fields[0];
        assert_eq!(
            (field.field.as_str(), field.code.as_str()),
            ("externalId", "taken")
        );
        let busy = Failure::from(KeyplateError::Busy);
        assert_eq!((busy.status.as_u16(), busy.retry_after), (503, Some(1)));
        assert_eq!(
            Failure::from(KeyplateError::StorageLost {
                path: "/data/id.db".into()
            })
            .status
            .as_u16(),
            503
        );
    }

    #[test]
    fn a_failed_ceremony_has_its_reason_and_an_advice() {
        let failed = |reason| Failure::from(KeyplateError::PasskeyCeremonyFailed { reason });
        let failure = failed(PasskeyFailure::WrongRpId);
        assert_eq!(failure.reason["reason"], "wrong_rp_id");
        assert_eq!(failure.status, StatusCode::BAD_REQUEST);
        let unknown = failed(PasskeyFailure::UnknownCredential);
        let code = (unknown.status.as_u16(), unknown.code);
        assert_eq!(code, (401, "passkey_unknown"));
    }
}
