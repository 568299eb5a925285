//! What a reverse proxy asks before it lets somebody through to a service (forward auth).

use std::{sync::Arc, time::SystemTime};

use crate::{
    model::{
        credentials::Principal,
        ids::{ApiKeyId, ServiceId, SessionId, UserId},
        users::UserStatus,
    },
    secret::Secret,
    values::{scopes::Scopes, tokens::SecretHash},
};

/// How somebody who is signed in here enters a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ServiceEntrance {
    /// The service, by id or slug.
    pub service: String,
    /// The origin at which they asked for it: one of the service's.
    pub origin: String,
    /// The SHA-256 hash, in base64url, of a random nonce that the browser keeps in a cookie at that origin. Only this browser
    /// can use the ticket.
    pub challenge: String,
    /// The page that they asked for: a path with its query, which begins with one slash. What is no such path, or is longer
    /// than 2,048 bytes, becomes `/`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub return_path: Option<String>,
}

/// By which a browser enters a service, once. It is handed over in the address of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ServiceTicket {
    /// The service.
    pub service_id: ServiceId,
    /// The origin at which it is good.
    pub origin: String,
    /// When it ends: 30 seconds after it was made.
    pub expires_at: SystemTime,
    /// The ticket, for `redeem_service_ticket`.
    pub secret: Arc<Secret>,
}

/// A service's own session, which has just been opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct OpenedServiceSession {
    /// The service.
    pub service_id: ServiceId,
    /// The user.
    pub user_id: UserId,
    /// The page that they asked for, as a path with its query.
    pub return_path: String,
    /// The latest time at which it ends. It ends with the session by which the user is signed in here, if that is earlier.
    pub expires_at: SystemTime,
    /// The session's token, which is shown only this once. Put it into a cookie of the service's host alone.
    pub secret: Arc<Secret>,
}

/// What a proxy asks: whether this request may pass to this service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ServiceVisit {
    /// The service, by id or slug, as the operator of the proxy wrote it.
    pub service: String,
    /// The origin that was asked for, as the proxy says.
    pub origin: String,
    /// The token of a service session, or an API key. It may be absent, to learn whether the service and the origin are right.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub credential: Option<String>,
}

/// Somebody who may use a service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ServiceVisitor {
    /// The service.
    pub service_id: ServiceId,
    /// Whether the service wants an access token: `issue_access_token` with `principal`.
    pub wants_token: bool,
    /// The user.
    pub user_id: UserId,
    /// Their username.
    pub username: String,
    /// Their name for people.
    pub display_name: Option<String>,
    /// Their address, if they hold it.
    pub email: Option<String>,
    /// The names of their groups.
    pub groups: Vec<String>,
    /// The session by which they are signed in here, if it was a service session that was shown.
    pub session_id: Option<SessionId>,
    /// The API key, if it was one.
    pub api_key_id: Option<ApiKeyId>,
    /// The latest time at which the credential ends.
    pub expires_at: Option<SystemTime>,
    /// The principal, for `issue_access_token`. It has all rights of the session by which they are signed in, so hand it to
    /// nobody else.
    pub principal: Arc<Principal>,
}

/// A ticket as it is stored.
pub(crate) struct StoredTicket {
    pub(crate) service_id: ServiceId,
    pub(crate) session_id: SessionId,
    pub(crate) challenge: SecretHash,
    pub(crate) origin: String,
    pub(crate) return_path: String,
    pub(crate) created_at: SystemTime,
    pub(crate) expires_at: SystemTime,
}

/// A service session as it is looked up at each request, with all that decides whether its user may pass.
pub(crate) struct FoundServiceSession {
    pub(crate) now: SystemTime,
    pub(crate) service: FoundService,
    /// At which it was opened.
    pub(crate) origin: String,
    pub(crate) session_id: SessionId,
    /// Under which the use of the session is noted.
    pub(crate) session_hash: SecretHash,
    pub(crate) scopes: Scopes,
    pub(crate) last_seen_at: SystemTime,
    pub(crate) idle_seconds: i64,
    pub(crate) expires_at: SystemTime,
    pub(crate) ended_at: Option<SystemTime>,
    pub(crate) user_id: UserId,
    pub(crate) username: String,
    pub(crate) display_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) status: UserStatus,
    pub(crate) user_expires_at: Option<SystemTime>,
    pub(crate) groups: Vec<String>,
}

/// Its service, as far as the user is concerned.
pub(crate) struct FoundService {
    pub(crate) id: ServiceId,
    pub(crate) slug: String,
    pub(crate) wants_token: bool,
    /// To this user.
    pub(crate) is_open: bool,
}
