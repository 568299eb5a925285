#![forbid(unsafe_code)]
//! Identity that an application embeds: users, first-run setup, sessions and API keys in one SQLite file.
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
//! // She acts for herself from now on, with her own rights.
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
//! Everything hangs on [`Keyplate`]. `open` gives the host's handle, which may do everything;
//! [`Keyplate::anonymous`] one for strangers; [`Keyplate::acting_as`] one that has somebody's rights.

mod api_keys;
mod audit;
mod authority;
mod clock;
mod db;
mod error;
mod events;
mod ids;
mod keyplate;
mod list;
mod principal;
mod scopes;
mod secret;
mod seen;
mod sessions;
mod setup;
mod text;
mod tokens;
mod upkeep;
mod users;

pub use api_keys::{
    ApiKey, ApiKeyPage, ApiKeyQuery, ApiKeySort, CreatedApiKey, KeyRotation, NewApiKey,
};
pub use audit::{ActorKind, AuditEvent, AuditPage, AuditQuery, Detail, EventKind};
#[doc(hidden)]
pub use authority::authority_table;
pub use clock::TimeSource;
pub use db::{ForkGuard, before_fork};
pub use error::{ErrorCode, KeyplateError, Result};
pub use events::EventSink;
pub use ids::{ApiKeyId, SessionId, UserId};
pub use keyplate::{ClientInfo, Config, Keyplate, UsernamePolicy};
pub use principal::{Authenticated, Principal};
pub use secret::Secret;
pub use sessions::{Session, SessionPage, SessionQuery, SignInMethod, SignedIn};
pub use setup::{CreatedSetupToken, NewAdmin, SetupCompletion, SetupStage, SetupState};
pub use upkeep::{IntegrityReport, PurgeReport};
pub use users::{
    Expiry, NewUser, Role, User, UserChanges, UserPage, UserQuery, UserSort, UserStatus,
};

#[cfg(feature = "uniffi")]
uniffi::setup_scaffolding!("keyplate");
