#![forbid(unsafe_code)]
//! Identity that an application embeds: users, groups and claims, passkeys, sign-up by invitation, first-run setup,
//! one-time codes, sessions, API keys, access tokens and group-based access to services, in one SQLite file.
//!
//! ```
//! # fn main() -> Result<(), keyplate::KeyplateError> {
//! # let folder = tempfile::tempdir().expect("a folder");
//! # let path = folder.path().join("id.db").to_string_lossy().into_owned();
//! use keyplate::{ClientInfo, Config, Keyplate, NewAdmin, NewApiKey};
//!
//! let keyplate = Keyplate::open(Config {
//!     path,
//!     origin: "https://media.example".into(),
//!     ..Config::default()
//! })?;
//!
//! // First run: the host hands out a setup token; whoever has it becomes the administrator.
//! let token = keyplate.create_setup_token()?;
//! let stranger = keyplate.anonymous(ClientInfo::default())?;
//! let admin = stranger.claim_setup(
//!     Some(token.secret.reveal()),
//!     NewAdmin { username: "ann".into(), ..NewAdmin::default() },
//! )?;
//!
//! // From now on, the handle acts with the rights of Ann.
//! let signed_in = keyplate.authenticate(admin.secret.as_str())?;
//! let ann = keyplate.acting_as(&signed_in.principal, ClientInfo::default())?;
//! let key = ann.create_api_key(NewApiKey {
//!     name: "automation".into(),
//!     scopes: vec!["users:read".into()],
//!     ..NewApiKey::default()
//! })?;
//! ann.complete_setup()?;
//!
//! assert_eq!(keyplate.verify_api_key(key.secret.as_str())?.username, "ann");
//! # Ok(())
//! # }
//! ```
//!
//! Twenty friends join by a link:
//!
//! ```
//! # fn main() -> Result<(), keyplate::KeyplateError> {
//! # let folder = tempfile::tempdir().expect("a folder");
//! # let path = folder.path().join("id.db").to_string_lossy().into_owned();
//! # let keyplate = keyplate::Keyplate::open(keyplate::Config {
//! #     path,
//! #     origin: "https://media.example".into(),
//! #     ..Default::default()
//! # })?;
//! use keyplate::{ClientInfo, Limit, NewGroup, NewSignup, NewSignupToken, SettingsChanges, SignupMode};
//!
//! keyplate.update_settings(SettingsChanges {
//!     signup_mode: Some(SignupMode::WithToken),
//!     ..SettingsChanges::default()
//! })?;
//! let friends = keyplate.create_group(NewGroup { name: "friends".into(), ..NewGroup::default() })?;
//! let invitation = keyplate.create_signup_token(NewSignupToken {
//!     uses: Some(Limit::AtMost { most: 20 }),
//!     group_ids: vec![friends.id],
//!     ..NewSignupToken::default()
//! })?;
//!
//! let friend = keyplate.anonymous(ClientInfo::default())?;
//! friend.inspect_signup_token(invitation.secret.as_str())?; // looking uses nothing
//! let bob = friend.sign_up(NewSignup {
//!     username: "bob".into(),
//!     token: Some(invitation.secret.clone()),
//!     ..NewSignup::default()
//! })?;
//! assert_eq!(bob.user.group_ids, [friends.id]);
//!
//! // On another device, Bob types a code. It works once.
//! let code = keyplate.create_one_time_token(&bob.user.id, None)?;
//! friend.redeem_one_time_token(code.secret.as_str())?;
//! # Ok(())
//! # }
//! ```
//!
//! # The handles
//!
//! Everything hangs on [`Keyplate`]. [`Keyplate::open`] gives the host's handle, which may do everything;
//! [`Keyplate::anonymous`] gives one for strangers; [`Keyplate::acting_as`] gives one with somebody's rights, which are
//! read anew at each call. [`Keyplate::with_client`] is the host's again, with an address for the audit log.
//!
//! # What there is
//!
//! | for | methods |
//! | --- | --- |
//! | a host's middleware | [`authenticate`](Keyplate::authenticate), [`verify_session`](Keyplate::verify_session), [`verify_api_key`](Keyplate::verify_api_key), [`authorize`](Keyplate::authorize) |
//! | first-run setup | [`create_setup_token`](Keyplate::create_setup_token), [`claim_setup`](Keyplate::claim_setup), [`complete_setup`](Keyplate::complete_setup), [`reset_setup`](Keyplate::reset_setup), and [`bootstrap`](Keyplate::bootstrap) for a declared state |
//! | users | [`create_user`](Keyplate::create_user), [`list_users`](Keyplate::list_users), [`update_user`](Keyplate::update_user), [`approve_user`](Keyplate::approve_user) … |
//! | groups and claims | [`create_group`](Keyplate::create_group), [`set_user_groups`](Keyplate::set_user_groups), [`get_effective_claims`](Keyplate::get_effective_claims) … |
//! | sign-up | [`create_signup_token`](Keyplate::create_signup_token), [`sign_up`](Keyplate::sign_up), [`begin_passkey_signup`](Keyplate::begin_passkey_signup) … |
//! | passkeys | [`begin_passkey_registration`](Keyplate::begin_passkey_registration), [`begin_passkey_login`](Keyplate::begin_passkey_login), [`begin_step_up`](Keyplate::begin_step_up) and their `finish_` … |
//! | one-time codes | [`create_one_time_token`](Keyplate::create_one_time_token), [`create_recovery_token`](Keyplate::create_recovery_token), [`redeem_one_time_token`](Keyplate::redeem_one_time_token) … |
//! | sessions | [`create_session`](Keyplate::create_session), [`list_sessions`](Keyplate::list_sessions), [`revoke_session`](Keyplate::revoke_session) … |
//! | API keys | [`create_api_key`](Keyplate::create_api_key), [`renew_api_key`](Keyplate::renew_api_key), [`rotate_api_key`](Keyplate::rotate_api_key), [`revoke_api_key`](Keyplate::revoke_api_key) … |
//! | app passwords, for clients that know only name and password | [`create_app_password`](Keyplate::create_app_password), [`verify_app_password`](Keyplate::verify_app_password), [`verify_subsonic_token`](Keyplate::verify_subsonic_token) … |
//! | devices without a browser | [`begin_device_login`](Keyplate::begin_device_login), [`inspect_device_login`](Keyplate::inspect_device_login), [`approve_device_login`](Keyplate::approve_device_login), [`poll_device_login`](Keyplate::poll_device_login); another device of one's own: [`create_device_link`](Keyplate::create_device_link) |
//! | services | [`create_service`](Keyplate::create_service), [`set_service_access`](Keyplate::set_service_access) … |
//! | services behind a proxy | [`begin_service_session`](Keyplate::begin_service_session), [`redeem_service_ticket`](Keyplate::redeem_service_ticket), [`verify_service_session`](Keyplate::verify_service_session) |
//! | access tokens for other processes | [`issue_access_token`](Keyplate::issue_access_token), [`verify_access_token`](Keyplate::verify_access_token), [`get_jwks`](Keyplate::get_jwks) … |
//! | settings | [`get_settings`](Keyplate::get_settings), [`update_settings`](Keyplate::update_settings) … |
//! | the audit log | [`list_audit_events`](Keyplate::list_audit_events), or an [`EventSink`] |
//! | upkeep | [`purge_expired`](Keyplate::purge_expired), [`back_up_to`](Keyplate::back_up_to), [`check_integrity`](Keyplate::check_integrity), [`get_statistics`](Keyplate::get_statistics), [`get_clock_state`](Keyplate::get_clock_state), [`reset_clock`](Keyplate::reset_clock) |
//!
//! Secrets leave as a [`Secret`]; errors are one [`KeyplateError`], with a number in [`ErrorCode`] that never changes. A
//! host that forks calls [`before_fork`].

mod clock;
mod crypto;
mod db;
mod error;
mod gate;
mod model;
mod rules;
mod secret;
mod values;

#[doc(hidden)]
pub use clock::BootClock;
pub use clock::TimeSource;
pub use db::{ForkGuard, RestoredBackup, before_fork, check_ownership, restore_backup};
#[doc(hidden)]
pub use db::{give_up_waiting_if, run_transactions_twice};
pub use error::{
    ConfigurationReason, ConflictReason, DenialReason, ErrorCode, InputReason, KeyplateError,
    PasskeyFailure, Result, SignupRefusal, Thing,
};
pub use gate::handle::Keyplate;
#[doc(hidden)]
pub use gate::methods::authority_table;
#[cfg(debug_assertions)]
#[doc(hidden)]
pub use gate::panic_hook::panic_in_next_call;
pub use model::access_tokens::{AccessToken, AccessTokenClaims, Jwks, SigningKey};
pub use model::api_keys::{
    ApiKey, ApiKeyPage, ApiKeyQuery, ApiKeySort, CreatedApiKey, KeyRotation, NewApiKey,
};
pub use model::app_passwords::{
    AppPassword, AppPasswordPage, AppPasswordQuery, CreatedAppPassword, NewAppPassword,
    VerifiedAppPassword,
};
pub use model::audit::{
    ActorKind, AuditEvent, AuditPage, AuditQuery, AuditSort, Detail, EventKind,
};
pub use model::bootstrap::{BootstrapAction, BootstrapChange, BootstrapKind, BootstrapReport};
pub use model::claims::Claim;
pub use model::config::{ClientInfo, Config};
pub use model::credentials::{Authenticated, Identity, Principal};
pub use model::device_links::{CreatedDeviceLink, DeviceLink};
pub use model::device_logins::{
    DeviceLogin, DeviceLoginAnswer, DeviceLoginState, DeviceWish, NewDeviceLogin,
    StartedDeviceLogin,
};
pub use model::events::EventSink;
pub use model::groups::{Group, GroupChanges, GroupPage, GroupQuery, GroupSort, NewGroup};
pub use model::ids::{
    ApiKeyId, AppPasswordId, DeviceLinkId, DeviceLoginId, GroupId, OneTimeTokenId, PasskeyId,
    ServiceId, SessionId, SignupRedemptionId, SignupTokenId, UserId,
};
pub use model::one_time::{CreatedOneTimeToken, OneTimeToken};
pub use model::passkeys::{
    Passkey, PasskeyAnswer, PasskeyCeremony, PasskeyRegistration, PasskeySignals,
};
pub use model::service_sessions::{
    OpenedServiceSession, ServiceEntrance, ServiceTicket, ServiceVisit, ServiceVisitor,
};
pub use model::services::{
    Decision, DecisionReason, NewService, Service, ServiceAccess, ServiceChanges, ServicePage,
    ServiceQuery,
};
pub use model::sessions::{Session, SessionPage, SessionQuery, SignInMethod, SignedIn};
pub use model::settings::{
    BackupEligibilityPolicy, CounterPolicy, PublicSettings, Settings, SettingsChanges, SignupMode,
};
pub use model::setup::{CreatedSetupToken, NewAdmin, SetupCompletion, SetupStage, SetupState};
pub use model::signup::{NewSignup, SignupRedemption, SignupRedemptionPage, SignupRedemptionQuery};
pub use model::signup_tokens::{
    ApprovalRule, CreatedSignupToken, Limit, NewSignupToken, SignupToken, SignupTokenChanges,
    SignupTokenPage, SignupTokenPreview, SignupTokenQuery, SignupTokenSort, SignupTokenState,
};
pub use model::upkeep::{
    BackupReport, ClockResetReport, ClockState, IntegrityReport, PurgeReport, Statistics,
};
pub use model::users::{
    Expiry, NewUser, Role, User, UserChanges, UserPage, UserQuery, UserSort, UserStatus,
};
pub use secret::Secret;
pub use values::addresses::client_address;
pub use values::origins::PasskeyProblem;
pub use values::text::UsernamePolicy;
pub use values::tokens::generate_api_key_secret;

/// README's Rust, compiled as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(feature = "uniffi")]
uniffi::setup_scaffolding!("keyplate");
