//! The authenticators of a scenario, each with the browser in front of it.

use std::collections::BTreeMap;

use keyplate_testkit::{Authenticator, CeremonyError, Spoil};
use serde::Deserialize;

use crate::json::Failure;

/// What a page asks its browser for.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    Register,
    Authenticate,
}

/// By name; each is made when it is first named.
#[derive(Default)]
pub(crate) struct Authenticators(BTreeMap<String, Authenticator>);

impl Authenticators {
    pub(crate) fn answer(
        &mut self,
        name: &str,
        action: Action,
        origin: &str,
        options: &str,
        spoils: &[String],
    ) -> Result<String, Failure> {
        let mut spoil = Spoil::default();
        for text in spoils {
            spoil.add(text)?;
        }
        let authenticator = self.0.entry(name.to_owned()).or_default();
        Ok(match action {
            Action::Register => authenticator.register(origin, options, &spoil)?,
            Action::Authenticate => authenticator.authenticate(origin, options, &spoil)?,
        })
    }
}

impl From<CeremonyError> for Failure {
    fn from(error: CeremonyError) -> Self {
        match error {
            CeremonyError::Spoil(_) => Self::Scenario(error.to_string()),
            error => Self::Thrown(error),
        }
    }
}
