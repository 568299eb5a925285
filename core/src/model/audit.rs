//! Rows of the audit log, which are events too.

use std::time::SystemTime;

use crate::model::{ids::UserId, named::named};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum EventKind {
    /// A user was created.
    UserCreated,
    /// A user's data changed.
    UserUpdated,
    /// A user was deleted, with everything that was theirs except these rows.
    UserDeleted,
    /// A user became administrator, or ceased to be one.
    UserRoleChanged,
    /// A user may sign in again.
    UserEnabled,
    /// A user may no longer sign in.
    UserDisabled,
    /// A setup token was handed out, and an earlier one ended.
    SetupTokenCreated,
    /// Somebody became the first administrator.
    SetupClaimed,
    /// Somebody tried to claim or resume setup and was refused.
    SetupRefused,
    /// The first administrator resumed setup.
    SetupResumed,
    /// Setup was completed, and the temporary access ended.
    SetupCompleted,
    /// The host opened setup again.
    SetupReset,
    /// The host opened a session for somebody whom it had checked itself.
    SessionCreated,
    /// Somebody was refused a session.
    SignInRefused,
    /// A session was revoked.
    SessionRevoked,
    /// All sessions of a user were revoked.
    UserSessionsRevoked,
    /// An API key was created.
    ApiKeyCreated,
    /// An API key was rotated: it has a new secret.
    ApiKeyRotated,
    /// An API key was renewed: it has a new end.
    ApiKeyRenewed,
    /// An API key was revoked.
    ApiKeyRevoked,
    /// A pending user was approved.
    UserApproved,
    /// A pending user was rejected, which removes them.
    UserRejected,
    /// A user was put into other groups.
    UserGroupsChanged,
    /// A user got other claims.
    UserClaimsChanged,
    /// A group was created.
    GroupCreated,
    /// A group was renamed.
    GroupUpdated,
    /// A group was deleted.
    GroupDeleted,
    /// A group got other members.
    GroupMembersChanged,
    /// A group got other claims.
    GroupClaimsChanged,
    /// A setting changed.
    SettingsChanged,
    /// A sign-up token was created.
    SignupTokenCreated,
    /// A sign-up token was extended, paused or otherwise changed.
    SignupTokenUpdated,
    /// A sign-up token was revoked.
    SignupTokenRevoked,
    /// Somebody signed up.
    UserSignedUp,
    /// Somebody tried to sign up and was refused.
    SignupRefused,
    /// A one-time token or code was created.
    OneTimeTokenCreated,
    /// A one-time token or code was revoked.
    OneTimeTokenRevoked,
    /// Somebody signed in with a one-time token or code.
    OneTimeTokenRedeemed,
    /// A one-time token or code was refused.
    OneTimeTokenRefused,
    /// There were a thousand wrong codes within an hour, so somebody may be guessing.
    CodeGuessing,
    /// The clock is more than five minutes behind the time of the last change.
    ClockBehind,
    /// The host set the stored time back to the clock's, and ended what was made after it.
    ClockReset,
    /// Rows that had expired long ago were removed.
    ExpiredPurged,
    /// A user registered a passkey.
    PasskeyRegistered,
    /// The registration of a passkey was refused.
    PasskeyRegistrationRefused,
    /// A passkey was renamed.
    PasskeyRenamed,
    /// A passkey was deleted.
    PasskeyDeleted,
    /// Somebody signed in with a passkey.
    PasskeySignedIn,
    /// The signature counter of a passkey went back: there may be a copy of it.
    PasskeyCounterWentBack,
    /// Somebody used their passkey again to confirm a sensitive action (step-up).
    SteppedUp,
    /// A step-up was refused.
    StepUpRefused,
    /// A recovery token was created.
    RecoveryTokenCreated,
    /// Somebody signed in with a recovery token, which ended their other sessions.
    RecoveryTokenRedeemed,
    /// The host changed the RP id, so passkeys of the former one no longer work.
    RpIdChanged,
    /// A service was created.
    ServiceCreated,
    /// A service's names or origins changed.
    ServiceUpdated,
    /// A service was deleted.
    ServiceDeleted,
    /// It changed who may use a service.
    ServiceAccessChanged,
    /// The first key that signs access tokens was created.
    SigningKeyCreated,
    /// The key that signs access tokens was rotated.
    SigningKeyRotated,
    /// A plan changed the note or the scopes of an API key.
    ApiKeyUpdated,
    /// A plan was applied and changed something.
    Bootstrapped,
    /// A back-up was made. This row was written after it, so it is not in it.
    BackedUp,
    /// The database was replaced by a back-up. Sessions and one-time tokens have ended, and what was revoked after the
    /// back-up is no longer revoked. The details say when the back-up was made, and how many API keys and sign-up
    /// tokens work.
    BackupRestored,
    /// A user has no e-mail address any more: the user had only typed it, and somebody else holds it now.
    EmailReleased,
    /// An upgrade compares names more strictly, and found that this one is an older user's or group's too; the details name
    /// them. Nothing was lost: the older is found by the name, until one of the two gets another.
    NamesCollide,
    /// More refusals within a minute than have rows of their own: the details say how many there were of each kind.
    OtherRefusals,
    /// A passkey began or ceased to be something that may be backed up.
    PasskeyBackupEligibilityChanged,
    /// An app password was made.
    AppPasswordCreated,
    /// An app password was revoked.
    AppPasswordRevoked,
    /// An app password was refused.
    AppPasswordRefused,
    /// Somebody looked at what a device asks for, and nobody else can approve it any more.
    DeviceLoginClaimed,
    /// Somebody approved a device.
    DeviceLoginApproved,
    /// Somebody denied a device.
    DeviceLoginDenied,
    /// The code of a device was wrong, or somebody could not approve it.
    DeviceLoginRefused,
    /// A device got the session or the app password for which it had been approved.
    DeviceSignedIn,
    /// A user made a link to add another device of their own.
    DeviceLinkCreated,
    /// Another device opened such a link.
    DeviceLinkRedeemed,
    /// A user withdrew such a link; the device that had used it is out, with the passkey that it had registered.
    DeviceLinkDisowned,
    /// Somebody who was signed in entered a service behind a proxy.
    ServiceSessionOpened,
    /// Somebody's ticket to a service was refused.
    ServiceSessionRefused,
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
    EmailReleased = "email_released",
    NamesCollide = "names_collide",
    OtherRefusals = "other_refusals",
    PasskeyBackupEligibilityChanged = "passkey_backup_eligibility_changed",
    AppPasswordCreated = "app_password_created",
    AppPasswordRevoked = "app_password_revoked",
    AppPasswordRefused = "app_password_refused",
    DeviceLoginClaimed = "device_login_claimed",
    DeviceLoginApproved = "device_login_approved",
    DeviceLoginDenied = "device_login_denied",
    DeviceLoginRefused = "device_login_refused",
    DeviceSignedIn = "device_signed_in",
    DeviceLinkCreated = "device_link_created",
    DeviceLinkRedeemed = "device_link_redeemed",
    DeviceLinkDisowned = "device_link_disowned",
    ServiceSessionOpened = "service_session_opened",
    ServiceSessionRefused = "service_session_refused",
});

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum ActorKind {
    /// The application itself.
    Host,
    /// Somebody who had shown no credential.
    Anonymous,
    /// A user.
    User,
}

named!(ActorKind {
    Host = "host",
    Anonymous = "anonymous",
    User = "user",
});

/// A row of the audit log, which the event sink receives as well. Names are as they were at that time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AuditEvent {
    /// The number of the row. Later rows have larger ones.
    pub id: i64,
    /// When it happened. For refusals that are counted, this is the last time.
    pub at: SystemTime,
    /// What happened.
    pub kind: EventKind,
    /// Who did it.
    pub actor_kind: ActorKind,
    /// Which user did it. To a user who is no administrator no other is named.
    pub actor_id: Option<String>,
    /// Their username.
    pub actor_name: Option<String>,
    /// The user that it is about.
    pub user_id: Option<String>,
    /// Their username.
    pub username: Option<String>,
    /// The thing that it is about, for example an API key.
    pub subject_id: Option<String>,
    /// Its name.
    pub subject_name: Option<String>,
    /// The client's IP address.
    pub address: Option<String>,
    /// The client's user agent.
    pub user_agent: Option<String>,
    /// More details, by name. They never contain a secret.
    pub details: Vec<Detail>,
    /// How many times it happened within that minute. Only refusals are counted, so for all others it is 1. It may still
    /// grow after the event was listed.
    pub count: i64,
}

impl AuditEvent {
    /// Names of the details that tell by which credential something was done.
    pub(crate) const BY_SESSION: &str = "by_session";
    pub(crate) const BY_API_KEY: &str = "by_api_key";

    /// A1: what of it is not for the user whom it concerns when another one did it.
    pub(crate) fn redact(&mut self) {
        self.actor_id = None;
        self.actor_name = None;
        self.address = None;
        self.user_agent = None;
        let by = [Self::BY_SESSION, Self::BY_API_KEY];
        self.details
            .retain(|detail| !by.contains(&detail.name.as_str()));
    }
}

/// Something more about an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Detail {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Which events to list. The newest come first, except with `after`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AuditQuery {
    /// Only those that this user did, or that are about them. Users who are not administrators always see only their own.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub user_id: Option<UserId>,
    /// The same for several users. With `user_id`, it is one more of them.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub user_ids: Vec<UserId>,
    /// Only of this kind.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub kind: Option<EventKind>,
    /// Only of one of these kinds. With `kind`, it is one more of them.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub kinds: Vec<EventKind>,
    /// Only since this time.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub since: Option<SystemTime>,
    /// The order. The default is the order in which they were written. Any other than that and `Time` reads all events that
    /// the query finds.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sort: Option<AuditSort>,
    /// Whether the smallest, or the oldest, come first.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub ascending: bool,
    /// Which page to return, counted from 1. With `after` there is only the first.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<i64>,
    /// How many items to put on a page: 1 to 1000, 20 by default.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<i64>,
    /// Only those that were committed after the event of this id, the oldest first: a feed. Whoever asks again and again,
    /// with the id of the last event that they have, gets each event of every process exactly once, in the order of the
    /// commits. 0 is before all.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub after: Option<i64>,
}

/// An order of events. Equal ones are in the order in which they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum AuditSort {
    /// By time. Refusals that are counted in one row have the time of the last one.
    Time,
    /// By the name of the kind.
    Kind,
    /// By the address of the client, as text.
    Address,
    /// By the user agent of the client.
    UserAgent,
}

/// A page of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AuditPage {
    /// The events.
    pub items: Vec<AuditEvent>,
    /// How many there are on all pages.
    pub total: i64,
    /// Which page this is. Past the last page, `items` is empty.
    pub page: i64,
}
