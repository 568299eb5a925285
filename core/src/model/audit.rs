//! Rows of the audit log, which are events too.

use std::time::SystemTime;

use crate::model::{ids::UserId, named::named};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum EventKind {
    /// A user was made.
    UserCreated,
    /// A user's data changed.
    UserUpdated,
    /// A user was deleted, with everything of his but these rows.
    UserDeleted,
    /// A user became administrator, or ceased to be one.
    UserRoleChanged,
    /// A user may sign in again.
    UserEnabled,
    /// A user may no longer sign in.
    UserDisabled,
    /// A setup token was handed out; an earlier one ended.
    SetupTokenCreated,
    /// Somebody became the first administrator.
    SetupClaimed,
    /// Somebody tried to claim or resume setup and was refused.
    SetupRefused,
    /// The first administrator took up setup again.
    SetupResumed,
    /// Setup is over; the temporary access has ended.
    SetupCompleted,
    /// Setup was opened again, by the host.
    SetupReset,
    /// The host opened a session for somebody whom it has checked itself.
    SessionCreated,
    /// Somebody was refused a session.
    SignInRefused,
    /// A session was ended.
    SessionRevoked,
    /// All sessions of a user were ended.
    UserSessionsRevoked,
    /// An API key was made.
    ApiKeyCreated,
    /// An API key got a new secret.
    ApiKeyRotated,
    /// An API key got a new end.
    ApiKeyRenewed,
    /// An API key was revoked.
    ApiKeyRevoked,
    /// A pending user was let in.
    UserApproved,
    /// A pending user was removed.
    UserRejected,
    /// A user was put into other groups.
    UserGroupsChanged,
    /// A user got other claims.
    UserClaimsChanged,
    /// A group was made.
    GroupCreated,
    /// A group got other names.
    GroupUpdated,
    /// A group was deleted.
    GroupDeleted,
    /// A group got other members.
    GroupMembersChanged,
    /// A group got other claims.
    GroupClaimsChanged,
    /// A setting changed.
    SettingsChanged,
    /// A sign-up token was made.
    SignupTokenCreated,
    /// A sign-up token was extended, paused or changed otherwise.
    SignupTokenUpdated,
    /// A sign-up token was revoked.
    SignupTokenRevoked,
    /// Somebody signed up.
    UserSignedUp,
    /// Somebody tried to sign up and was refused.
    SignupRefused,
    /// A one-time token or code was made.
    OneTimeTokenCreated,
    /// A one-time token or code was revoked.
    OneTimeTokenRevoked,
    /// Somebody signed in by a one-time token or code.
    OneTimeTokenRedeemed,
    /// A one-time token or code was refused.
    OneTimeTokenRefused,
    /// A thousand wrong codes within an hour: somebody may be guessing.
    CodeGuessing,
    /// The clock is more than a day behind the last change.
    ClockBehind,
    /// The host set the stored time back to the clock's.
    ClockReset,
    /// What had expired long ago was removed.
    ExpiredPurged,
    /// A user registered a passkey.
    PasskeyRegistered,
    /// The registration of a passkey was refused.
    PasskeyRegistrationRefused,
    /// A passkey got another name.
    PasskeyRenamed,
    /// A passkey was deleted.
    PasskeyDeleted,
    /// Somebody signed in by a passkey.
    PasskeySignedIn,
    /// The signature counter of a passkey went back: there may be a copy of it.
    PasskeyCounterWentBack,
    /// Somebody showed his passkey again, for an act of weight.
    SteppedUp,
    /// A step-up was refused.
    StepUpRefused,
    /// A recovery token was made.
    RecoveryTokenCreated,
    /// Somebody came in by a recovery token; his other sessions ended.
    RecoveryTokenRedeemed,
    /// The host changed the RP id: passkeys of the former one no longer work.
    RpIdChanged,
    /// A service was made.
    ServiceCreated,
    /// A service got other names or origins.
    ServiceUpdated,
    /// A service was deleted.
    ServiceDeleted,
    /// A service was opened to others, or closed.
    ServiceAccessChanged,
    /// There is a first key that signs access tokens.
    SigningKeyCreated,
    /// Another key signs access tokens.
    SigningKeyRotated,
    /// A plan gave an API key another note or other scopes.
    ApiKeyUpdated,
    /// A plan was applied and changed something.
    Bootstrapped,
    /// A back-up was made. This row is younger than what is in it.
    BackedUp,
    /// A back-up was put in the place of the database: sessions and one-time tokens have ended, and what was revoked
    /// after it was made is no longer revoked. The details say when that was, and how many API keys and sign-up tokens
    /// work.
    BackupRestored,
    /// A passkey began or ceased to be something that may be backed up.
    PasskeyBackupEligibilityChanged,
}

named!(EventKind {
    UserCreated = "user_created",
    UserUpdated = "user_updated",
    UserDeleted = "user_deleted",
    UserRoleChanged = "user_role_changed",
    UserEnabled = "user_enabled",
    UserDisabled = "user_disabled",
    SetupTokenCreated = "setup_token_created",
    SetupClaimed = "setup_claimed",
    SetupRefused = "setup_refused",
    SetupResumed = "setup_resumed",
    SetupCompleted = "setup_completed",
    SetupReset = "setup_reset",
    SessionCreated = "session_created",
    SignInRefused = "sign_in_refused",
    SessionRevoked = "session_revoked",
    UserSessionsRevoked = "user_sessions_revoked",
    ApiKeyCreated = "api_key_created",
    ApiKeyRotated = "api_key_rotated",
    ApiKeyRenewed = "api_key_renewed",
    ApiKeyRevoked = "api_key_revoked",
    UserApproved = "user_approved",
    UserRejected = "user_rejected",
    UserGroupsChanged = "user_groups_changed",
    UserClaimsChanged = "user_claims_changed",
    GroupCreated = "group_created",
    GroupUpdated = "group_updated",
    GroupDeleted = "group_deleted",
    GroupMembersChanged = "group_members_changed",
    GroupClaimsChanged = "group_claims_changed",
    SettingsChanged = "settings_changed",
    SignupTokenCreated = "signup_token_created",
    SignupTokenUpdated = "signup_token_updated",
    SignupTokenRevoked = "signup_token_revoked",
    UserSignedUp = "user_signed_up",
    SignupRefused = "signup_refused",
    OneTimeTokenCreated = "one_time_token_created",
    OneTimeTokenRevoked = "one_time_token_revoked",
    OneTimeTokenRedeemed = "one_time_token_redeemed",
    OneTimeTokenRefused = "one_time_token_refused",
    CodeGuessing = "code_guessing",
    ClockBehind = "clock_behind",
    ClockReset = "clock_reset",
    ExpiredPurged = "expired_purged",
    PasskeyRegistered = "passkey_registered",
    PasskeyRegistrationRefused = "passkey_registration_refused",
    PasskeyRenamed = "passkey_renamed",
    PasskeyDeleted = "passkey_deleted",
    PasskeySignedIn = "passkey_signed_in",
    PasskeyCounterWentBack = "passkey_counter_went_back",
    SteppedUp = "stepped_up",
    StepUpRefused = "step_up_refused",
    RecoveryTokenCreated = "recovery_token_created",
    RecoveryTokenRedeemed = "recovery_token_redeemed",
    RpIdChanged = "rp_id_changed",
    ServiceCreated = "service_created",
    ServiceUpdated = "service_updated",
    ServiceDeleted = "service_deleted",
    ServiceAccessChanged = "service_access_changed",
    SigningKeyCreated = "signing_key_created",
    SigningKeyRotated = "signing_key_rotated",
    ApiKeyUpdated = "api_key_updated",
    Bootstrapped = "bootstrapped",
    BackedUp = "backed_up",
    BackupRestored = "backup_restored",
    PasskeyBackupEligibilityChanged = "passkey_backup_eligibility_changed",
});

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum ActorKind {
    /// The application itself.
    Host,
    /// Somebody who had shown nothing.
    Anonymous,
    /// A user.
    User,
}

named!(ActorKind {
    Host = "host",
    Anonymous = "anonymous",
    User = "user",
});

/// A row of the audit log, and what the event sink hears. Names are those of that time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AuditEvent {
    /// Grows with time.
    pub id: i64,
    /// When; for counted refusals the last time.
    pub at: SystemTime,
    /// What happened.
    pub kind: EventKind,
    /// Who did it.
    pub actor_kind: ActorKind,
    /// Which user did it.
    pub actor_id: Option<String>,
    /// His name.
    pub actor_name: Option<String>,
    /// The user whom it concerns.
    pub user_id: Option<String>,
    /// His name.
    pub username: Option<String>,
    /// The thing that it concerns, for example an API key.
    pub subject_id: Option<String>,
    /// Its name.
    pub subject_name: Option<String>,
    /// The client's IP address.
    pub address: Option<String>,
    /// The client's user agent.
    pub user_agent: Option<String>,
    /// More, by name. Never a secret.
    pub details: Vec<Detail>,
    /// How many times within that minute; more than 1 for refusals only.
    pub count: i64,
}

/// Something more about an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Detail {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Which events, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AuditQuery {
    /// Only those that concern this user, or that he did. A user who is no administrator sees his own in any case.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub user_id: Option<UserId>,
    /// Only of this kind.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub kind: Option<EventKind>,
    /// Only since then.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub since: Option<SystemTime>,
    /// Which page, from 1.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<i64>,
    /// How many on a page: 1 to 1000, by default 20.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<i64>,
}

/// A page of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AuditPage {
    /// The events.
    pub items: Vec<AuditEvent>,
    /// How many there are in all.
    pub total: i64,
    /// Which page this is; the last one when a later one was asked for.
    pub page: i64,
}
