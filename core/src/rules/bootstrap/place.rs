//! Where in a plan something is wrong: whatever error an entry causes names the entry.

use std::fmt;

use crate::error::{KeyplateError, Result, invalid};

/// An entry, such as `users[2]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    section: &'static str,
    index: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "{}[{index}]", self.section),
            None => f.write_str(self.section),
        }
    }
}

/// The rules' own names of fields that plans call otherwise.
const RENAMED: [(&str, &str); 6] = [
    ("account_lifetime", "account_lifetime_seconds"),
    ("domains", "signup_email_domains"),
    ("expiry", "expires_at"),
    ("owner_id", "owner"),
    ("user_id", "id"),
    ("uses", "max_uses"),
];

/// Fields whose value another may have.
const UNIQUE: [&str; 6] = ["email", "external_id", "id", "name", "slug", "username"];

impl Place {
    pub(super) fn section(section: &'static str) -> Self {
        Self {
            section,
            index: None,
        }
    }

    pub(super) fn entry(section: &'static str, index: usize) -> Self {
        Self {
            section,
            index: Some(index),
        }
    }

    /// What is wrong with a field of this entry.
    pub(super) fn refuse(self, field: &str, reason: &str) -> KeyplateError {
        self.blame(invalid(field, reason))
    }

    /// The error that names this entry. What is wrong with the storage is no entry's fault and stays as it is.
    pub(super) fn blame(self, error: KeyplateError) -> KeyplateError {
        match error {
            KeyplateError::InvalidInput { field, reason } => {
                let renamed = RENAMED.iter().find(|(from, _)| *from == field);
                let field = renamed.map_or(field.as_str(), |(_, to)| to);
                invalid(&format!("{self}.{field}"), reason)
            }
            KeyplateError::Conflict { what } if UNIQUE.contains(&what.as_str()) => {
                invalid(&format!("{self}.{what}"), "is taken")
            }
            KeyplateError::Conflict { what } if what == "last administrator" => {
                invalid(&self.to_string(), "takes the last administrator away")
            }
            KeyplateError::Conflict { what } => invalid(&self.to_string(), what),
            KeyplateError::NotFound { what } => {
                invalid(&self.to_string(), format!("there is no such {what}"))
            }
            KeyplateError::PermissionDenied { reason } => invalid(&self.to_string(), reason),
            error => error,
        }
    }
}

/// Does something for each entry of a section; an error names its entry.
pub(super) fn each<T>(
    section: &'static str,
    entries: &[T],
    mut f: impl FnMut(usize, &T) -> Result<()>,
) -> Result<()> {
    entries.iter().enumerate().try_for_each(|(index, entry)| {
        f(index, entry).map_err(|error| Place::entry(section, index).blame(error))
    })
}
