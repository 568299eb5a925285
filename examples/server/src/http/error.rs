//! Refusals: one table from the library's errors to statuses, codes and words.

use std::fmt;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use keyplate::{KeyplateError, PasskeyFailure};
use serde::Serialize;

use crate::http::passkey_failure;

/// Why a request gets no answer of the kind that it wants. The edge writes it out, together with the request's id.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    /// For the person in front of the client.
    pub(crate) message: String,
    pub(crate) fields: Vec<FieldError>,
    /// What of a ceremony failed.
    pub(crate) passkey_failure: Option<PasskeyFailure>,
    /// In seconds.
    pub(crate) retry_after: Option<u64>,
    /// For the log: what the server's keeper must know and the client need not.
    pub(crate) cause: Option<String>,
}

/// What is wrong with one field of a request.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FieldError {
    pub(crate) field: String,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            fields: Vec::new(),
            passkey_failure: None,
            retry_after: None,
            cause: None,
        }
    }

    /// A field of the request breaks a rule; `reason` goes on from the field's name.
    pub(crate) fn field(field: &str, code: &'static str, reason: &str) -> Self {
        let message = format!("{} {reason}", in_words(field));
        let fields = vec![FieldError {
            field: field.to_owned(),
            code,
            message: message.clone(),
        }];
        let failure = Self::new(StatusCode::BAD_REQUEST, "validation_failed", message);
        Self { fields, ..failure }
    }

    pub(super) fn not_signed_in() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "not_signed_in",
            "You are not signed in",
        )
    }

    pub(super) fn forbidden() -> Self {
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

    /// Says the field's name as this route's JSON has it, where the library calls it otherwise.
    pub(crate) fn renamed(self, from: &str, to: &str) -> Self {
        match self.fields.first() {
            Some(first) if first.field == from => {
                let reason = first.message.strip_prefix(&in_words(from));
                let reason = reason.unwrap_or_default().trim_start();
                Self {
                    code: self.code,
                    ..Self::field(to, first.code, reason)
                }
            }
            _ => self,
        }
    }

    /// Blames a field where what is not there was named by it.
    pub(crate) fn missing_is(self, what: &str, field: &str) -> Self {
        let missing = Self::not_found(what);
        if (self.status, &self.message) != (missing.status, &missing.message) {
            return self;
        }
        let reason = format!("names a {what} that does not exist");
        Self::field(field, "invalid", &reason)
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
        use KeyplateError as E;
        let refused = |code, message: &str| Self::new(StatusCode::FORBIDDEN, code, message);
        match &error {
            E::InvalidInput { field, reason } => Self::field(&in_json(field), "invalid", reason),
            E::NotFound { what } => Self::not_found(what),
            E::Conflict { what } => conflict(what),
            E::InvalidCredential => Self::new(
                StatusCode::UNAUTHORIZED,
                "token_invalid_or_expired",
                "Token is invalid or expired",
            ),
            E::PermissionDenied { reason } => Self {
                message: format!("You are not allowed to do this: {reason}"),
                ..Self::forbidden()
            },
            E::StepUpRequired => refused("reauthentication_required", "Sign in again to do this"),
            E::AccountPending => refused("user_pending", "User waits for approval"),
            E::AccountDisabled => refused("user_disabled", "User is disabled"),
            // U2: a lapsed account is as a disabled one.
            E::AccountExpired => refused("user_disabled", "User account has expired"),
            E::SetupAlreadyClaimed | E::SetupAlreadyComplete => Self::new(
                StatusCode::CONFLICT,
                "setup_already_completed",
                "Setup is already completed",
            ),
            E::PasskeyCeremonyFailed { reason } => ceremony_failed(*reason),
            E::SignupRefused { reason } => signup_refused(reason),
            E::RateLimited { .. } => Self {
                retry_after: seconds_to_wait(&error),
                ..Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "rate_limited",
                    "Too many tries, try again later",
                )
            },
            E::Busy => Self::unavailable("busy", "The database is busy, try again", &error),
            E::StorageFull
            | E::StorageReadOnly
            | E::StorageFailed { .. }
            | E::StorageLost
            | E::CorruptDatabase { .. }
            | E::ForeignDatabase { .. }
            | E::SchemaTooNew { .. }
            | E::ForkedHandle => Self::unavailable(
                "storage_unavailable",
                "The database cannot be used at the moment",
                &error,
            ),
            _ => Self::internal(error),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A ceremony that failed.
pub(super) fn ceremony_failed(failure: PasskeyFailure) -> Failure {
    use PasskeyFailure as F;
    let (status, code) = match failure {
        F::UnknownCredential => (StatusCode::UNAUTHORIZED, "passkey_unknown"),
        F::CredentialTaken => (StatusCode::CONFLICT, "passkey_ceremony_failed"),
        _ => (StatusCode::BAD_REQUEST, "passkey_ceremony_failed"),
    };
    Failure {
        passkey_failure: Some(failure),
        ..Failure::new(status, code, passkey_failure::advice(failure))
    }
}

/// Rounded up: who comes back then is not too early.
fn seconds_to_wait(error: &KeyplateError) -> Option<u64> {
    let wait = error.retry_after()?;
    Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}

/// The library tells the reasons apart in its words only.
fn signup_refused(reason: &str) -> Failure {
    let message = capitalised(reason);
    let refused = |code| Failure::new(StatusCode::FORBIDDEN, code, message.clone());
    if !reason.contains("domain") {
        return refused("open_signup_disabled");
    }
    let field = Failure::field("email", "invalid", "must be of an allowed domain");
    Failure {
        fields: field.fields,
        ..refused("email_domain_not_allowed")
    }
}

fn conflict(what: &str) -> Failure {
    let conflict = |code, message: String| Failure::new(StatusCode::CONFLICT, code, message);
    match what {
        "username" | "email" | "external_id" | "id" | "name" | "slug" => {
            let message = format!("{} is already in use", in_words(&in_json(what)));
            conflict("already_in_use", message)
        }
        "last administrator" => conflict(
            "last_administrator",
            "The last administrator must stay".to_owned(),
        ),
        // P4
        "last passkey" => conflict(
            "last_passkey",
            "This is your only passkey: add another one first".to_owned(),
        ),
        other => conflict("conflict", capitalised(other)),
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
    fn fields_are_named_as_in_json() {
        let error = KeyplateError::InvalidInput {
            field: "first_name".into(),
            reason: "must have at most 50 characters".into(),
        };
        let failure = Failure::from(error);
        assert_eq!(failure.fields[0].field, "firstName");
        assert_eq!(
            failure.message,
            "First name must have at most 50 characters"
        );

        let failure =
            Failure::field("note", "invalid", "is too long").renamed("note", "description");
        assert_eq!(failure.fields[0].field, "description");
        assert_eq!(failure.message, "Description is too long");
    }

    #[test]
    fn conflicts_and_storage() {
        let taken = Failure::from(KeyplateError::Conflict {
            what: "username".into(),
        });
        assert_eq!((taken.status.as_u16(), taken.code), (409, "already_in_use"));
        assert_eq!(taken.message, "Username is already in use");
        let busy = Failure::from(KeyplateError::Busy);
        assert_eq!((busy.status.as_u16(), busy.retry_after), (503, Some(1)));
        assert_eq!(
            Failure::from(KeyplateError::StorageLost).status.as_u16(),
            503
        );
    }

    #[test]
    fn a_failure_has_a_name_and_an_advice() {
        let failure = ceremony_failed(PasskeyFailure::WrongRpId);
        assert_eq!(
            passkey_failure::name(PasskeyFailure::WrongRpId),
            "wrong_rp_id"
        );
        assert_eq!(failure.status, StatusCode::BAD_REQUEST);
        assert!(failure.message.ends_with("try again"));
        let unknown = ceremony_failed(PasskeyFailure::UnknownCredential);
        let code = (unknown.status.as_u16(), unknown.code);
        assert_eq!(code, (401, "passkey_unknown"));
    }
}
