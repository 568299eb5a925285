use crate::model::{api_keys::CreatedApiKey, signup_tokens::CreatedSignupToken};

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
