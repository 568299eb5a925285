//! What is done from the command line, beside a running server too. Each command says why it cannot in one line.

pub(crate) mod api_keys;
pub(crate) mod clock;
pub(crate) mod database;
pub(crate) mod healthcheck;
pub(crate) mod one_time;
pub(crate) mod setup;
pub(crate) mod signing_key;
mod table;
pub(crate) mod upkeep;
pub(crate) mod users;

use keyplate::{ConflictReason, Keyplate, KeyplateError, User, UserId};
use serde::Serialize;

use crate::{
    http::origin,
    open::{self, Opening, failure, print::print},
    options::Options,
};

/// Opens the database that is there: a new one would only be a mistake in `--data`.
fn open(options: &Options) -> Result<Keyplate, String> {
    origin::own_scheme(options)?;
    let path = open::database(options);
    if !path.is_file() {
        return Err(format!("there is no database {}", path.display()));
    }
    open::open(options, Opening::ForMaintenance)
}

/// By username, by an e-mail address that they hold, or by id: never by what a stranger only typed. What looks like an id is
/// one, and nobody's username.
fn find_user(keyplate: &Keyplate, name: &str) -> Result<User, String> {
    if let Ok(id) = UserId::parse(name) {
        return keyplate.get_user(&id).map_err(refused);
    }
    let by_username = keyplate.find_user_by_username(name).map_err(refused)?;
    let by_email = keyplate.find_user_by_email(name).map_err(refused)?;
    match (by_username, by_email) {
        (Some(one), Some(other)) if one.id != other.id => Err(format!(
            "that is the username of {} and the e-mail address of {}: name the id",
            one.id, other.id
        )),
        (Some(user), _) | (None, Some(user)) => Ok(user),
        (None, None) => Err("there is no such user".to_owned()),
    }
}

/// Whom a name has matched, in a line of its own.
fn matched(user: &User) -> String {
    let email = match &user.email {
        Some(email) if user.email_held => format!(", {email}"),
        Some(email) => format!(", {email} (typed)"),
        None => String::new(),
    };
    format!("user: {}{email}, {}\n", user.username, user.id)
}

/// The library's names of what is given by another flag here.
const FLAGS: [(&str, &str); 4] = [
    ("expires_at", "expires"),
    ("overlap_seconds", "overlap"),
    ("owner_id", "owner"),
    ("scopes", "scope"),
];

/// A refusal in the words of the command line.
fn refused(error: KeyplateError) -> String {
    match error {
        KeyplateError::InvalidInput { field, reason } if field == "username" => {
            format!("the name {reason}")
        }
        KeyplateError::InvalidInput { field, reason } => {
            let flag = FLAGS.iter().find(|(name, _)| *name == field);
            let flag = flag.map_or_else(|| field.replace('_', "-"), |(_, flag)| (*flag).to_owned());
            format!("--{flag} {reason}")
        }
        KeyplateError::NotFound { what } => format!("there is no such {what}"),
        KeyplateError::Conflict { what, field } => match (what, field.as_deref()) {
            (ConflictReason::Taken, Some("username")) => "the name is in use already".to_owned(),
            (ConflictReason::Taken, Some("email")) => {
                "the e-mail address is in use already".to_owned()
            }
            (ConflictReason::LastAdministrator, _) => "the last administrator must stay".to_owned(),
            _ => what.to_string(),
        },
        error => failure::told(&error),
    }
}

/// Who did not get to read it has to be told.
pub(crate) fn printed(text: &str) -> Result<(), String> {
    print(text).map_err(|error| format!("cannot print it: {error}"))
}

fn printed_json(value: &impl Serialize) -> Result<(), String> {
    let json = serde_json::to_string_pretty(value);
    let json = json.map_err(|error| format!("cannot print it: {error}"))?;
    printed(&format!("{json}\n"))
}
