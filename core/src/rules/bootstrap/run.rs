//! A plan that is being applied: what it has done so far, and its end.

use crate::{
    error::Result,
    gate::{
        change::{Change, Subject},
        handle::Keyplate,
    },
    model::{
        audit::EventKind,
        bootstrap::{BootstrapAction, BootstrapChange, BootstrapKind, BootstrapReport},
        users::User,
    },
    rules::setup,
};

/// A plan as it is being applied.
pub(super) struct Run<'a> {
    pub(super) keyplate: &'a Keyplate,
    pub(super) change: &'a Change<'a>,
    pub(super) report: BootstrapReport,
    /// One whom the plan made, or made anew.
    pub(super) administrator: Option<User>,
}

impl<'a> Run<'a> {
    pub(super) fn new(keyplate: &'a Keyplate, change: &'a Change<'a>) -> Self {
        Self {
            keyplate,
            change,
            report: BootstrapReport {
                changes: Vec::new(),
                api_keys: Vec::new(),
                signup_tokens: Vec::new(),
            },
            administrator: None,
        }
    }

    pub(super) fn note(
        &mut self,
        action: Option<BootstrapAction>,
        kind: BootstrapKind,
        name: &str,
    ) {
        self.report
            .changes
            .extend(action.map(|action| BootstrapChange {
                action,
                kind,
                name: name.to_owned(),
            }));
    }

    pub(super) fn finish(self) -> Result<BootstrapReport> {
        let changes = &self.report.changes;
        if changes.is_empty() {
            return Ok(self.report);
        }
        // B4. Only by an administrator whom this run made or changed, as with `create_user`: a plan that is applied at
        // each start must not shut out who is in the middle of claiming or recovering.
        if let Some(administrator) = &self.administrator {
            setup::complete_if_open(self.change, administrator)?;
        }
        let count = |action| changes.iter().filter(|c| c.action == action).count();
        let created = count(BootstrapAction::Created).to_string();
        let updated = count(BootstrapAction::Updated).to_string();
        self.change.record(
            EventKind::Bootstrapped,
            Subject::default(),
            &[("created", &created), ("updated", &updated)],
        )?;
        Ok(self.report)
    }
}

/// What was done to something that was there.
pub(super) fn updated(changed: bool) -> Option<BootstrapAction> {
    changed.then_some(BootstrapAction::Updated)
}
