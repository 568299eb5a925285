//! B6: a plan declares what there is to be; applying it makes what is missing and changes what is different.

mod api_keys;
mod groups;
mod place;
mod plan;
mod reading;
mod services;
mod settings;
mod signup_tokens;
mod users;

use crate::{
    CreatedApiKey, CreatedSignupToken, EventKind, Keyplate, Result, User,
    audit::{Change, Subject},
    authority::Method,
    setup,
};
use plan::Plan;

/// What applying a plan did; nothing when all was as the plan says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct BootstrapReport {
    /// What was made or changed, in the order in which it was.
    pub changes: Vec<BootstrapChange>,
    /// The API keys whose secret the plan wanted generated, shown this once.
    pub api_keys: Vec<CreatedApiKey>,
    /// The sign-up tokens that were made, with their secrets, shown this once.
    pub signup_tokens: Vec<CreatedSignupToken>,
}

/// An entry of a plan that made a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct BootstrapChange {
    /// What was done.
    pub action: BootstrapAction,
    /// To what kind of thing.
    pub kind: BootstrapKind,
    /// Its name: a group's name, a service's slug, a username, a sign-up token's note; of an API key the owner's
    /// username, a slash and the key's name; of the settings `settings`.
    pub name: String,
}

/// What a plan did to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum BootstrapAction {
    /// Made it.
    Created,
    /// Changed it.
    Updated,
}

/// What plans speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum BootstrapKind {
    /// The settings.
    Settings,
    /// A group.
    Group,
    /// A service.
    Service,
    /// A user.
    User,
    /// A sign-up token.
    SignupToken,
    /// An API key.
    ApiKey,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Makes settings, groups, services, users, sign-up tokens and API keys as a plan declares them: all of it or, on an
    /// error, nothing. The plan is JSON; `docs/plans.md` describes it. What is missing is made; of what is there, the
    /// fields that the plan names are changed; nothing is deleted. Applying it again does nothing, also when several
    /// processes do so at once. An active administrator whom the plan makes completes setup.
    ///
    /// # Errors
    /// `InvalidInput` whose `field` names the entry, such as `users[2].email`, whatever is wrong with it;
    /// `PermissionDenied` on any but the host's handle; the storage errors.
    pub fn bootstrap(&self, plan: &str) -> Result<BootstrapReport> {
        let plan = Plan::read(plan, &self.shared.token_prefix)?;
        self.write(Method::Bootstrap, |change| {
            let mut run = Run::new(self, change);
            // Each after what it may refer to.
            groups::apply(&mut run, &plan.groups)?;
            settings::apply(&mut run, plan.settings.as_ref())?;
            services::apply(&mut run, &plan.services)?;
            users::apply(&mut run, &plan.users)?;
            signup_tokens::apply(&mut run, &plan.signup_tokens)?;
            api_keys::apply(&mut run, &plan.api_keys)?;
            run.finish()
        })
    }
}

/// A plan as it is being applied.
struct Run<'a> {
    keyplate: &'a Keyplate,
    change: &'a Change<'a>,
    report: BootstrapReport,
    /// One whom the plan made, or made anew.
    administrator: Option<User>,
}

impl<'a> Run<'a> {
    fn new(keyplate: &'a Keyplate, change: &'a Change<'a>) -> Self {
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

    fn note(&mut self, action: Option<BootstrapAction>, kind: BootstrapKind, name: &str) {
        self.report
            .changes
            .extend(action.map(|action| BootstrapChange {
                action,
                kind,
                name: name.to_owned(),
            }));
    }

    fn finish(self) -> Result<BootstrapReport> {
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
fn updated(changed: bool) -> Option<BootstrapAction> {
    changed.then_some(BootstrapAction::Updated)
}
