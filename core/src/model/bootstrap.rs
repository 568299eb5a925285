//! What applying a plan did.

use crate::model::{api_keys::CreatedApiKey, signup_tokens::CreatedSignupToken};

/// What applying a plan did. It is empty if everything was already as the plan says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct BootstrapReport {
    /// What was created or changed, in order.
    pub changes: Vec<BootstrapChange>,
    /// The API keys whose secret the plan asked to generate. The secrets are shown only this once.
    pub api_keys: Vec<CreatedApiKey>,
    /// The sign-up tokens that were created. Their secrets are shown only this once.
    pub signup_tokens: Vec<CreatedSignupToken>,
}

/// An entry of a plan that changed something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct BootstrapChange {
    /// What was done.
    pub action: BootstrapAction,
    /// The kind of thing.
    pub kind: BootstrapKind,
    /// Its name: a group's name, a service's slug, a username or a sign-up token's note. For an API key, it is the owner's
    /// username, a slash and the key's name. For the settings, it is `settings`.
    pub name: String,
}

/// What a plan did to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum BootstrapAction {
    /// It was created.
    Created,
    /// It was changed.
    Updated,
}

/// A kind of thing that plans describe.
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
