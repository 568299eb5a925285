//! Who may do what: the table of all methods, and the caller as each transaction finds him (K2, P5).

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use crate::{
    ApiKeyId, KeyplateError, Principal, Result, Role, SessionId, SignInMethod, User, UserId,
    db::{self, Reader},
    error::denied,
    principal::CredentialId,
    scopes::{Access, Area, Scopes},
};

/// P5: how long a sign-in counts as fresh.
const STEP_UP_LIFETIME: Duration = Duration::from_secs(3_600);

/// Who may call a method at all. What he may do with it to whom is asked of the `Caller`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    /// The host's handle only.
    Host,
    /// Everybody: the arguments are the credential, or the answer is public.
    Anyone,
    /// Administrators whose credential has the scope, and the host.
    Administrator(Area, Access),
    /// The same, and a user for what is his own.
    Own(Area, Access),
    /// Administrators whose credential has `roles:write`, and the host.
    Roles,
    /// A session made by claiming setup, and the host.
    SetupSession,
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = |area: &Area, access: &Access| {
            let right = if *access == Access::Read {
                "read"
            } else {
                "write"
            };
            format!("{}:{right}", area.name())
        };
        match self {
            Self::Host => f.write_str("host"),
            Self::Anyone => f.write_str("anyone"),
            Self::Administrator(area, access) => {
                write!(f, "administrator with {}", scope(area, access))
            }
            Self::Own(area, access) => {
                write!(f, "oneself or administrator, with {}", scope(area, access))
            }
            Self::Roles => f.write_str("administrator with roles:write"),
            Self::SetupSession => f.write_str("setup session"),
        }
    }
}

macro_rules! table {
    ($($variant:ident $name:literal $authority:expr;)*) => {
        /// A method of the facade.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Method { $($variant),* }

        impl Method {
            const ALL: &[Self] = &[$(Self::$variant),*];

            fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            fn authority(self) -> Authority {
                match self { $(Self::$variant => $authority),* }
            }
        }
    };
}

use Access::{Read, Write};
use Area::{Audit, Keys, Sessions, Users};
use Authority::{Administrator, Anyone, Host, Own, Roles, SetupSession};

table! {
    ActingAs           "acting_as"            Host;
    Anonymous          "anonymous"            Host;
    Authenticate       "authenticate"         Anyone;

    CreateUser         "create_user"          Administrator(Users, Write);
    GetUser            "get_user"             Own(Users, Read);
    FindUser           "find_user"            Own(Users, Read);
    ListUsers          "list_users"           Administrator(Users, Read);
    UpdateUser         "update_user"          Own(Users, Write);
    DeleteUser         "delete_user"          Administrator(Users, Write);
    SetUserRole        "set_user_role"        Roles;
    EnableUser         "enable_user"          Administrator(Users, Write);
    DisableUser        "disable_user"         Administrator(Users, Write);

    GetSetupState      "get_setup_state"      Anyone;
    CreateSetupToken   "create_setup_token"   Host;
    ClaimSetup         "claim_setup"          Anyone;
    ResumeSetup        "resume_setup"         Anyone;
    CompleteSetup      "complete_setup"       SetupSession;
    ResetSetup         "reset_setup"          Host;

    CreateSession      "create_session"       Host;
    VerifySession      "verify_session"       Anyone;
    ListSessions       "list_sessions"        Own(Sessions, Read);
    RevokeSession      "revoke_session"       Own(Sessions, Write);
    RevokeUserSessions "revoke_user_sessions" Own(Sessions, Write);

    CreateApiKey       "create_api_key"       Own(Keys, Write);
    GetApiKey          "get_api_key"          Own(Keys, Read);
    ListApiKeys        "list_api_keys"        Own(Keys, Read);
    ListExpiringApiKeys "list_expiring_api_keys" Own(Keys, Read);
    RotateApiKey       "rotate_api_key"       Own(Keys, Write);
    RenewApiKey        "renew_api_key"        Own(Keys, Write);
    RevokeApiKey       "revoke_api_key"       Own(Keys, Write);
    VerifyApiKey       "verify_api_key"       Anyone;

    ListAuditEvents    "list_audit_events"    Own(Audit, Read);

    PurgeExpired       "purge_expired"        Host;
    CheckIntegrity     "check_integrity"      Host;
    ResetClock         "reset_clock"          Host;
}

/// Each method's name and authority, for `cargo xtask check` and the walk by weak keys.
#[doc(hidden)]
pub fn authority_table() -> Vec<(&'static str, String)> {
    let line = |method: &Method| (method.name(), method.authority().to_string());
    Method::ALL.iter().map(line).collect()
}

/// What a handle stands for.
#[derive(Clone)]
pub(crate) enum Actor {
    Host,
    Anonymous,
    Principal(Principal),
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::Anonymous => "anonymous",
            Self::Principal(_) => "principal",
        })
    }
}

impl Actor {
    /// What can be refused without a look into the database.
    pub(crate) fn check_kind(&self, method: Method) -> Result<()> {
        match (self, method.authority()) {
            (Self::Host, _) | (_, Authority::Anyone) => Ok(()),
            (_, Authority::Host) => Err(denied("only the host may do this")),
            (Self::Anonymous, _) => Err(denied("sign in first")),
            (Self::Principal(_), _) => Ok(()),
        }
    }

    /// The caller, with the rights that he has at this moment.
    pub(crate) fn resolve(&self, reader: &Reader<'_>, method: Method) -> Result<Caller> {
        let caller = match self {
            Self::Host => Caller::Host,
            Self::Anonymous => Caller::Anonymous,
            Self::Principal(principal) => Caller::User(Box::new(Acting::load(reader, principal)?)),
        };
        caller.check(method)?;
        Ok(caller)
    }

    /// For the log of refusals, where nothing is allowed any more.
    pub(crate) fn without_rights(&self) -> Caller {
        match self {
            Self::Host => Caller::Host,
            Self::Anonymous | Self::Principal(_) => Caller::Anonymous,
        }
    }
}

/// Who calls, as the transaction found him.
#[derive(Debug)]
pub(crate) enum Caller {
    Host,
    Anonymous,
    User(Box<Acting>),
}

/// A user with the credential by which he acts.
#[derive(Debug)]
pub(crate) struct Acting {
    pub(crate) user: User,
    pub(crate) ceiling: Ceiling,
    pub(crate) credential: Credential,
}

/// What a credential may at most do (K2): its own limits within its owner's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ceiling {
    pub(crate) scopes: Scopes,
    /// May it act as an administrator? A credential from before a promotion may not.
    pub(crate) administrator: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Credential {
    Session {
        id: SessionId,
        method: SignInMethod,
        signed_in_at: SystemTime,
        stepped_up_at: Option<SystemTime>,
    },
    ApiKey {
        id: ApiKeyId,
        expires_at: Option<SystemTime>,
    },
}

impl Ceiling {
    /// What a person may do who signs in himself.
    pub(crate) fn of_sign_in(user: &User) -> Self {
        Self {
            scopes: Scopes::full(),
            administrator: user.role == Role::Administrator,
        }
    }
}

impl Acting {
    fn load(reader: &Reader<'_>, principal: &Principal) -> Result<Self> {
        let now = reader.now();
        let (user, mut ceiling, credential) = match principal.credential {
            CredentialId::Session(id) => db::sessions::find_acting(reader, &id, now)?,
            CredentialId::ApiKey(id) => db::api_keys::find_acting(reader, &id, now)?,
        }
        .ok_or(KeyplateError::InvalidCredential)?;
        user.check_may_sign_in(now)?;
        ceiling.administrator &= user.role == Role::Administrator;
        Ok(Self {
            user,
            ceiling,
            credential,
        })
    }
}

impl Caller {
    fn check(&self, method: Method) -> Result<()> {
        let acting = match (self, method.authority()) {
            (Self::Host, _) | (_, Authority::Anyone) => return Ok(()),
            (Self::User(acting), _) => acting,
            (Self::Anonymous, _) => return Err(denied("sign in first")),
        };
        let has_scope = |area, access| {
            let allowed = acting.ceiling.scopes.allows(area, access);
            if allowed {
                Ok(())
            } else {
                Err(denied("the credential lacks the scope"))
            }
        };
        let is_administrator = || {
            let administrator = acting.ceiling.administrator;
            if administrator {
                Ok(())
            } else {
                Err(denied("only administrators may do this"))
            }
        };
        match method.authority() {
            Authority::Anyone => Ok(()),
            Authority::Host => Err(denied("only the host may do this")),
            Authority::Own(area, access) => has_scope(area, access),
            Authority::Administrator(area, access) => {
                is_administrator().and_then(|()| has_scope(area, access))
            }
            Authority::Roles if acting.ceiling.scopes.allows_roles() => is_administrator(),
            Authority::Roles => Err(denied("the credential lacks the scope roles:write")),
            Authority::SetupSession => match acting.credential {
                Credential::Session {
                    method: SignInMethod::Setup,
                    ..
                } => Ok(()),
                _ => Err(denied("only the session that claimed setup may do this")),
            },
        }
    }

    /// Does this caller reach beyond himself?
    pub(crate) fn is_administrator(&self) -> bool {
        match self {
            Self::Host => true,
            Self::Anonymous => false,
            Self::User(acting) => acting.ceiling.administrator,
        }
    }

    pub(crate) fn is_host(&self) -> bool {
        matches!(self, Self::Host)
    }

    pub(crate) fn acting(&self) -> Option<&Acting> {
        match self {
            Self::User(acting) => Some(acting),
            Self::Host | Self::Anonymous => None,
        }
    }

    pub(crate) fn user_id(&self) -> Option<UserId> {
        self.acting().map(|acting| acting.user.id)
    }

    /// His own things, or an administrator. To anybody else the thing does not exist.
    pub(crate) fn reach(&self, owner: &UserId, what: &str) -> Result<()> {
        if self.is_administrator() || self.user_id() == Some(*owner) {
            Ok(())
        } else {
            Err(crate::error::not_found(what))
        }
    }

    /// K2: another user's credentials want rights at least his; a user's own are his.
    pub(crate) fn outrank(&self, user: &User) -> Result<()> {
        if self.user_id() == Some(user.id) {
            return Ok(());
        }
        self.govern(user)
    }

    /// K2: status, expiry and address of an account want rights at least its owner's, on one's own too: a weak key of
    /// an administrator does not lengthen his account.
    pub(crate) fn govern(&self, user: &User) -> Result<()> {
        let Some(acting) = self.acting() else {
            return Ok(());
        };
        let administrator = acting.ceiling.administrator;
        if administrator && (acting.ceiling.scopes.is_full() || user.role != Role::Administrator) {
            Ok(())
        } else {
            Err(denied(
                "an administrator is only touched by credentials with * and roles:write",
            ))
        }
    }

    /// Making administrators: rights at least theirs, and a fresh step-up (K2, P5).
    pub(crate) fn may_set_roles(&self, now: SystemTime) -> Result<()> {
        let Some(acting) = self.acting() else {
            return Ok(());
        };
        if !(acting.ceiling.administrator && acting.ceiling.scopes.is_full()) {
            return Err(denied(
                "roles are only changed by credentials with * and roles:write",
            ));
        }
        self.step_up(now)
    }

    /// P5: a session must have been opened by a passkey, or stepped up, within the hour.
    pub(crate) fn step_up(&self, now: SystemTime) -> Result<()> {
        match self.acting().map(|acting| acting.credential) {
            Some(Credential::Session { stepped_up_at, .. })
                if !stepped_up_at.is_some_and(|at| is_fresh(at, now)) =>
            {
                Err(KeyplateError::StepUpRequired)
            }
            // An API key needs the scope instead, which `check` has asked for.
            _ => Ok(()),
        }
    }

    /// P5, for lesser acts: a sign-in of any method within the hour.
    pub(crate) fn recent_sign_in(&self, now: SystemTime) -> Result<()> {
        match self.acting().map(|acting| acting.credential) {
            Some(Credential::Session {
                signed_in_at,
                stepped_up_at,
                ..
            }) if !is_fresh(stepped_up_at.unwrap_or(signed_in_at).max(signed_in_at), now) => {
                Err(KeyplateError::StepUpRequired)
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn is_setup_session_of(&self, user: &UserId) -> bool {
        self.acting().is_some_and(|acting| {
            acting.user.id == *user
                && matches!(
                    acting.credential,
                    Credential::Session {
                        method: SignInMethod::Setup,
                        ..
                    }
                )
        })
    }

    /// The key by which the caller acts, if it is one.
    pub(crate) fn api_key(&self) -> Option<(ApiKeyId, Option<SystemTime>)> {
        match self.acting()?.credential {
            Credential::ApiKey { id, expires_at } => Some((id, expires_at)),
            Credential::Session { .. } => None,
        }
    }
}

fn is_fresh(at: SystemTime, now: SystemTime) -> bool {
    now < at + STEP_UP_LIFETIME
}
