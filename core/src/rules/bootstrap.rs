//! B6: a plan declares what there is to be; applying it makes what is missing and changes what is different.

mod api_keys;
mod groups;
mod place;
mod plan;
mod reading;
mod run;
mod services;
mod settings;
mod signup_tokens;
mod users;

use crate::{
    error::Result,
    gate::{change::Change, handle::Keyplate, methods::Method},
    model::bootstrap::BootstrapReport,
};
use plan::Plan;
use run::Run;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Creates settings, groups, services, users, sign-up tokens and API keys as a plan declares them: all of it or, on an
    /// error, nothing. The plan is JSON, which `docs/plans.md` describes. What is missing is created, and where something
    /// exists, the fields that the plan names are changed. Nothing is deleted. Applying it again does nothing, even when
    /// several processes do so at once, and waits for no other writer. An active administrator whom the plan creates completes setup.
    ///
    /// # Errors
    /// `InvalidInput` whose `field` names the entry, such as `users[2].email`, whatever is wrong with it;
    /// `PermissionDenied` on any but the host's handle; the storage errors.
    pub fn bootstrap(&self, plan: &str) -> Result<BootstrapReport> {
        let plan = Plan::read(plan, &self.shared.token_prefix)?;
        let apply = |change: &Change<'_>| {
            let mut run = Run::new(self, change);
            // Each after what it may refer to.
            groups::apply(&mut run, &plan.groups)?;
            settings::apply(&mut run, plan.settings.as_ref())?;
            services::apply(&mut run, &plan.services)?;
            users::apply(&mut run, &plan.users)?;
            signup_tokens::apply(&mut run, &plan.signup_tokens)?;
            api_keys::apply(&mut run, &plan.api_keys)?;
            run.finish()
        };
        // A plan is applied at each start and mostly finds all as it declares it, which takes no lock.
        match self.if_unchanged(Method::Bootstrap, apply)? {
            Some(report) => Ok(report),
            None => self.write(Method::Bootstrap, apply),
        }
    }
}
