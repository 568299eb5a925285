//! First-run setup: its state, its token and the first administrator.

use std::{sync::Arc, time::SystemTime};

use crate::{
    model::{api_keys::ApiKey, ids::UserId, named::named, one_time::OneTimeToken},
    secret::Secret,
    values::origins::PasskeyProblem,
};

/// How far setup has got.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SetupState {
    /// The stage.
    pub stage: SetupStage,
    /// The generation. It starts at 1 and grows with every `reset_setup`.
    pub generation: i64,
    /// When this generation was claimed.
    pub claimed_at: Option<SystemTime>,
    /// When it was completed.
    pub completed_at: Option<SystemTime>,
    /// Why passkeys cannot work at this origin. It is absent if they can.
    pub passkey_problem: Option<PasskeyProblem>,
    /// Whether this generation was claimed by the host's word alone, without a setup token. A host that lets somebody in
    /// without a token, because of where they come from, lets them resume in the same way only what was claimed so.
    pub claimed_without_token: bool,
}

/// A stage of setup. It never goes back on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum SetupStage {
    /// Nobody has claimed this instance.
    Uninitialised,
    /// There is an administrator, who has temporary access.
    Claimed,
    /// Setup is complete.
    Complete,
}

named!(SetupStage {
    Uninitialised = "uninitialised",
    Claimed = "claimed",
    Complete = "complete",
});

/// A setup token, for the person who is to become the first administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct CreatedSetupToken {
    /// The token, which is shown only this once.
    pub secret: Arc<Secret>,
    /// When it ends.
    pub expires_at: SystemTime,
}

/// The first administrator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NewAdmin {
    /// As in `NewUser`. It is left empty if an existing user is named.
    pub username: String,
    /// E-mail address.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub email: Option<String>,
    /// The name that others see.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub display_name: Option<String>,
    /// First name.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub first_name: Option<String>,
    /// Last name.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub last_name: Option<String>,
    /// Language tag, for example `de-CH`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub locale: Option<String>,
    /// After `reset_setup` only: the existing user who becomes administrator. They keep their data, and the other fields
    /// stay empty.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub existing_user_id: Option<UserId>,
}

/// What existed when setup was completed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SetupCompletion {
    /// The API keys that were created before. They all keep working, and a person can revoke one that is not theirs.
    pub api_keys: Vec<ApiKey>,
    /// The one-time tokens that were created before. They keep working too.
    pub one_time_tokens: Vec<OneTimeToken>,
}

/// Setup as it is stored.
pub(crate) struct StoredSetup {
    pub(crate) state: SetupState,
    pub(crate) administrator_id: Option<UserId>,
}
