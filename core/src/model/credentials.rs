//! The user behind a credential.

use std::{fmt, sync::Arc, time::SystemTime};

use crate::{
    model::{
        audit::AuditEvent,
        claims::Claim,
        groups::Group,
        ids::{ApiKeyId, SessionId, UserId},
        services::Service,
        sessions::SignInMethod,
        users::{Role, User, UserStatus},
    },
    values::scopes::Ceiling,
};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Credential {
    Session {
        id: SessionId,
        method: SignInMethod,
        expires_at: SystemTime,
        signed_in_at: SystemTime,
        stepped_up_at: Option<SystemTime>,
        bound: Bound,
    },
    ApiKey {
        id: ApiKeyId,
        expires_at: Option<SystemTime>,
    },
}

/// What a key hands on to all that is made by it, and that to what it makes itself (K1). What a person's own sign-in
/// makes has none of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bound {
    /// The key by which it was made.
    pub(crate) made_by: Option<ApiKeyId>,
    /// The end of that key, when it had one: nothing that is made lives longer.
    pub(crate) expires_at: Option<SystemTime>,
}

impl Credential {
    pub(crate) fn id(&self) -> CredentialId {
        match *self {
            Self::Session { id, .. } => CredentialId::Session(id),
            Self::ApiKey { id, .. } => CredentialId::ApiKey(id),
        }
    }

    /// What it hands on.
    pub(crate) fn bound(&self) -> Bound {
        match *self {
            Self::Session { bound, .. } => bound,
            Self::ApiKey { id, expires_at } => Bound {
                made_by: Some(id),
                expires_at,
            },
        }
    }
}

/// Somebody who has shown a credential. Only the library makes one; it is handed to `acting_as`.
///
/// It names the credential and holds no rights: they are read again at every call.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct Principal {
    pub(crate) credential: CredentialId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CredentialId {
    Session(SessionId),
    ApiKey(ApiKeyId),
}

impl Principal {
    pub(crate) fn new(credential: CredentialId) -> Arc<Self> {
        Arc::new(Self { credential })
    }
}

impl CredentialId {
    /// Its id as text, and the name under which the audit log has it.
    pub(crate) fn told(&self) -> (&'static str, &str) {
        match self {
            Self::Session(id) => (AuditEvent::BY_SESSION, id.as_str()),
            Self::ApiKey(id) => (AuditEvent::BY_API_KEY, id.as_str()),
        }
    }

    /// The session, or the API key.
    pub(crate) fn parts(self) -> (Option<SessionId>, Option<ApiKeyId>) {
        match self {
            Self::Session(id) => (Some(id), None),
            Self::ApiKey(id) => (None, Some(id)),
        }
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Principal").field(&self.credential).finish()
    }
}

/// The user behind a credential, and what it lets them do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Authenticated {
    /// The user.
    pub user_id: UserId,
    /// Their username.
    pub username: String,
    /// The role that this credential acts in. For an administrator's credential from before their promotion, it is `User`.
    pub role: Role,
    /// `Active`; from `authenticate_pending` alone `Pending` too, for who waits for approval.
    pub status: UserStatus,
    /// The scopes of the credential. `*` is everything except `roles:write`. A host looks here for its own scopes.
    pub scopes: Vec<String>,
    /// The session, if the credential is one.
    pub session_id: Option<SessionId>,
    /// The API key, if the credential is one.
    pub api_key_id: Option<ApiKeyId>,
    /// The latest time at which the credential ends.
    pub expires_at: Option<SystemTime>,
    /// The principal, for `acting_as`.
    pub principal: Arc<Principal>,
}

/// What hosts show of whoever is behind a credential, and decide by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Identity {
    /// The user.
    pub user: User,
    /// The role that this credential acts in, which may be less than the user's own.
    pub role: Role,
    /// The scopes of the credential, as `Authenticated` has them.
    pub scopes: Vec<String>,
    /// The groups that they are in, by name.
    pub groups: Vec<Group>,
    /// The claims that hold for them: their own before their groups'.
    pub claims: Vec<Claim>,
    /// The services that they may use with this credential, by slug.
    pub services: Vec<Service>,
}

impl Authenticated {
    /// The user (id, name, role, status) whom a credential shows, acting within its ceiling.
    pub(crate) fn new(
        credential: CredentialId,
        ceiling: Ceiling,
        user: (UserId, String, Role, UserStatus),
        expires_at: Option<SystemTime>,
    ) -> Self {
        let (user_id, username, role, status) = user;
        let (session_id, api_key_id) = credential.parts();
        let administrator = ceiling.administrator && role == Role::Administrator;
        Self {
            user_id,
            username,
            role: if administrator {
                Role::Administrator
            } else {
                Role::User
            },
            status,
            scopes: ceiling.scopes.into_names(),
            session_id,
            api_key_id,
            expires_at,
            principal: Principal::new(credential),
        }
    }
}
