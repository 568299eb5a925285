//! Who may do what: the table of all methods, and the caller as each transaction finds them (K2, P5).

use std::{fmt, time::SystemTime};

use crate::{
    clock,
    db::{self, Reader},
    error::{DenialReason, KeyplateError, Result, Thing, denied, lacks_scope, not_found},
    gate::methods::{Authority, Method},
    model::{
        audit::ActorKind,
        credentials::{Bound, Credential, CredentialId, Principal},
        ids::{ApiKeyId, SessionId, UserId},
        sessions::SignInMethod,
        users::{Role, User},
    },
    values::scopes::{Access, Area, Ceiling, Scopes},
};

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
    /// Refuses what can be refused without a look into the database.
    pub(crate) fn check_kind(&self, method: Method) -> Result<()> {
        match (self, method.authority()) {
            (Self::Host, _) | (_, Authority::Anyone) => Ok(()),
            (_, Authority::Host) => Err(denied(DenialReason::HostOnly)),
            (Self::Anonymous, _) => Err(denied(DenialReason::NotSignedIn)),
            (Self::Principal(_), _) => Ok(()),
        }
    }

    /// The caller, with the rights that they have at this moment.
    pub(crate) fn resolve(&self, reader: &Reader<'_>, method: Method) -> Result<Caller> {
        let caller = match self {
            Self::Host => Caller::Host,
            Self::Anonymous => Caller::Anonymous,
            Self::Principal(principal) => Caller::User(Box::new(Acting::load(reader, principal)?)),
        };
        caller.check(method)?;
        Ok(caller)
    }

    /// A1: whose credential it is, whether or not it still allows anything.
    pub(crate) fn user(&self, reader: &Reader<'_>) -> Result<Option<User>> {
        let owner = match self.credential() {
            None => None,
            Some(CredentialId::Session(id)) => {
                db::sessions::find(reader, &id)?.map(|session| session.user_id)
            }
            Some(CredentialId::ApiKey(id)) => {
                db::api_keys::find(reader, &id)?.map(|key| key.api_key.owner_id)
            }
        };
        match owner {
            Some(id) => db::users::find(reader, &id),
            None => Ok(None),
        }
    }

    /// What tells two callers behind one address apart.
    pub(crate) fn credential(&self) -> Option<CredentialId> {
        match self {
            Self::Principal(principal) => Some(principal.credential),
            Self::Host | Self::Anonymous => None,
        }
    }

    pub(crate) fn kind(&self) -> ActorKind {
        match self {
            Self::Host => ActorKind::Host,
            Self::Anonymous => ActorKind::Anonymous,
            Self::Principal(_) => ActorKind::User,
        }
    }
}

/// Who calls, as the transaction found them.
#[derive(Debug)]
pub(crate) enum Caller {
    Host,
    Anonymous,
    User(Box<Acting>),
}

/// A user with the credential by which they act.
#[derive(Debug)]
pub(crate) struct Acting {
    pub(crate) user: User,
    pub(crate) ceiling: Ceiling,
    pub(crate) credential: Credential,
}

impl Ceiling {
    /// What a person may do who signs in themselves.
    pub(crate) fn of_sign_in(user: &User) -> Self {
        Self {
            scopes: Scopes::full(),
            administrator: user.role == Role::Administrator,
        }
    }
}

impl Acting {
    pub(crate) fn load(reader: &Reader<'_>, principal: &Principal) -> Result<Self> {
        let now = reader.now();
        let (user, mut ceiling, credential) = match principal.credential {
            CredentialId::Session(id) => db::sessions::find_acting(reader, &id, now)?,
            CredentialId::ApiKey(id) => db::api_keys::find_acting(reader, &id, now)?,
        }
        .ok_or(KeyplateError::InvalidCredential)?;
        match credential {
            Credential::Session { method, .. } if method.enrols(user.status) => {
                ceiling.scopes = Scopes::enrol();
            }
            _ => user.check_may_sign_in(now)?,
        }
        ceiling.administrator &= user.role == Role::Administrator;
        Ok(Self {
            user,
            ceiling,
            credential,
        })
    }
}

impl Acting {
    /// V3: not somebody who signed in, but a device that they approved.
    fn is_device(&self) -> bool {
        matches!(
            self.credential,
            Credential::Session {
                method: SignInMethod::Device,
                ..
            }
        )
    }
}

impl Caller {
    fn check(&self, method: Method) -> Result<()> {
        let acting = match (self, method.authority()) {
            (Self::Host, _) | (_, Authority::Anyone) => return Ok(()),
            (Self::User(acting), _) => acting,
            (Self::Anonymous, _) => return Err(denied(DenialReason::NotSignedIn)),
        };
        if acting.is_device() && method.is_closed_to_devices() {
            return Err(denied(DenialReason::DeviceSession));
        }
        let has_scope = |area, access| {
            let allowed = acting.ceiling.scopes.allows(area, access);
            if allowed {
                Ok(())
            } else {
                Err(lacks_scope(format!("{}:{}", area.name(), access.right())))
            }
        };
        let is_administrator = || {
            let administrator = acting.ceiling.administrator;
            if administrator {
                Ok(())
            } else {
                Err(denied(DenialReason::AdministratorsOnly))
            }
        };
        match method.authority() {
            Authority::Anyone => Ok(()),
            Authority::Host => Err(denied(DenialReason::HostOnly)),
            Authority::Own(area, access) => has_scope(area, access),
            Authority::Enrolling(..) if acting.ceiling.scopes.are_enrol() => Ok(()),
            Authority::Enrolling(area, access) => has_scope(area, access),
            Authority::Administrator(area, access) => {
                is_administrator().and_then(|()| has_scope(area, access))
            }
            Authority::Roles if acting.ceiling.scopes.allows_roles() => is_administrator(),
            Authority::Roles => Err(lacks_scope("roles:write")),
        }
    }

    /// Whether this caller may reach other people's things.
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

    /// Passes the owner of a thing and administrators. To anybody else the thing does not exist.
    pub(crate) fn reach(&self, owner: &UserId, what: Thing) -> Result<()> {
        if self.is_administrator() || self.user_id() == Some(*owner) {
            Ok(())
        } else {
            Err(not_found(what))
        }
    }

    /// K2: to touch another user's credentials, the caller needs rights at least theirs. A user's own need nothing more.
    pub(crate) fn outrank(&self, user: &User) -> Result<()> {
        if self.user_id() == Some(user.id) {
            return Ok(());
        }
        self.govern(user)
    }

    /// K2: to change the status, end or address of an account, the caller needs rights at least its owner's, even for their
    /// own. So an administrator's weak key cannot lengthen the administrator's account.
    pub(crate) fn govern(&self, user: &User) -> Result<()> {
        let Some(acting) = self.acting() else {
            return Ok(());
        };
        let administrator = acting.ceiling.administrator;
        if administrator && (acting.ceiling.scopes.is_full() || user.role != Role::Administrator) {
            Ok(())
        } else {
            Err(denied(DenialReason::FullRightsNeeded))
        }
    }

    /// To make administrators, the caller needs rights at least theirs, and a fresh step-up (K2, P5).
    pub(crate) fn may_set_roles(&self, reader: &Reader<'_>) -> Result<()> {
        if !self.has_everything() {
            return Err(denied(DenialReason::FullRightsNeeded));
        }
        self.step_up(reader)
    }

    /// An administrator's credential with all scopes, or the host.
    pub(crate) fn has_everything(&self) -> bool {
        match self {
            Self::Host => true,
            Self::Anonymous => false,
            Self::User(acting) => acting.ceiling.administrator && acting.ceiling.scopes.is_full(),
        }
    }

    /// Everything but roles, which neither setup nor automation needs.
    pub(crate) fn has_all_scopes(&self) -> Result<()> {
        let acting = self.acting();
        if acting.is_none_or(|acting| acting.ceiling.scopes.are_all()) {
            Ok(())
        } else {
            Err(denied(DenialReason::FullRightsNeeded))
        }
    }

    /// S2: whether they may put users into groups, in whatever way.
    pub(crate) fn may_give_groups(&self) -> Result<()> {
        self.may_give(Area::Groups)
    }

    /// S2: whether they may give users claims.
    pub(crate) fn may_give_claims(&self) -> Result<()> {
        self.may_give(Area::Users)
    }

    fn may_give(&self, area: Area) -> Result<()> {
        match self {
            Self::Host => Ok(()),
            Self::User(acting)
                if acting.ceiling.administrator
                    && acting.ceiling.scopes.allows(area, Access::Write) =>
            {
                Ok(())
            }
            Self::User(_) | Self::Anonymous => Err(lacks_scope(format!("{}:write", area.name()))),
        }
    }

    /// K1: what everything has that this credential makes. A session's own end binds nothing but itself.
    pub(crate) fn bound(&self) -> Bound {
        let acting = self.acting();
        acting.map_or_else(Bound::default, |acting| acting.credential.bound())
    }

    /// K1: is this the key by which the caller acts, or one by which that was made, by whatever detour?
    pub(crate) fn comes_from(&self, reader: &Reader<'_>, key: &ApiKeyId) -> Result<bool> {
        let keys = db::api_keys::list_makers(reader, self.bound().made_by)?;
        Ok(keys.iter().any(|maker| maker.id == *key))
    }

    /// K1: a passkey is for good. What ends with a key gives none to its owner, nor to an administrator.
    pub(crate) fn may_give_for_good(&self, reader: &Reader<'_>, user: &User) -> Result<()> {
        let bound = self.bound();
        if bound.expires_at.is_none() {
            return Ok(());
        }
        let makers = || db::api_keys::list_makers(reader, bound.made_by);
        if user.role == Role::Administrator || makers()?.iter().any(|key| key.owner_id == user.id) {
            return Err(denied(DenialReason::OutlivesItself));
        }
        Ok(())
    }

    /// P5: a session must have been opened by a passkey, or stepped up, within the hour (a setting).
    pub(crate) fn step_up(&self, reader: &Reader<'_>) -> Result<()> {
        match self.acting().map(|acting| acting.credential) {
            Some(Credential::Session { stepped_up_at, .. }) => check_fresh(reader, stepped_up_at),
            Some(Credential::ApiKey { .. }) => self.has_scope_instead_of_step_up(),
            None => Ok(()),
        }
    }

    fn has_scope_instead_of_step_up(&self) -> Result<()> {
        let scopes = self.acting().map(|acting| &acting.ceiling.scopes);
        if scopes
            .is_some_and(|scopes| scopes.allows(Area::Keys, Access::Write) || scopes.allows_roles())
        {
            Ok(())
        } else {
            Err(lacks_scope("keys:write"))
        }
    }

    /// K2: what an account is known by (address, username) wants all of the owner's rights, on one's own
    /// account too: a weak key of theirs does not take it over.
    pub(crate) fn covers_account_of(&self, user: &User) -> Result<()> {
        let Some(acting) = self.acting() else {
            return Ok(());
        };
        if acting.is_device() {
            return Err(denied(DenialReason::DeviceSession));
        }
        if acting.user.id != user.id {
            return self.govern(user);
        }
        // A person's own session from before a promotion has all scopes: it is they who act.
        let scopes = &acting.ceiling.scopes;
        let covered = match user.role {
            Role::Administrator => scopes.is_full(),
            Role::User => scopes.are_all(),
        };
        if covered {
            Ok(())
        } else {
            Err(denied(DenialReason::FullRightsNeeded))
        }
    }

    /// K2: a passkey gives its user everything, and so does a recovery token: only who may do as much hands them out.
    pub(crate) fn covers_sign_in_of(&self, user: &User) -> Result<()> {
        let covered = self.acting().is_none_or(|acting| match user.role {
            Role::Administrator => acting.ceiling.administrator && acting.ceiling.scopes.is_full(),
            Role::User => acting.ceiling.scopes.are_all(),
        });
        if covered {
            Ok(())
        } else {
            Err(denied(DenialReason::NarrowSession))
        }
    }

    /// The session by which the caller acts, if it is one.
    pub(crate) fn session(&self) -> Option<(SessionId, SignInMethod)> {
        match self.acting()?.credential {
            Credential::Session { id, method, .. } => Some((id, method)),
            Credential::ApiKey { .. } => None,
        }
    }

    /// P5, for less sensitive actions: a sign-in by any method within the same time is enough.
    pub(crate) fn recent_sign_in(&self, reader: &Reader<'_>) -> Result<()> {
        match self.acting().map(|acting| acting.credential) {
            // V3: an approval is no sign-in, or it would be one for ever.
            Some(Credential::Session {
                method: SignInMethod::Device,
                ..
            }) => Err(KeyplateError::StepUpRequired),
            Some(Credential::Session {
                signed_in_at,
                stepped_up_at,
                ..
            }) => check_fresh(reader, Some(signed_in_at).max(stepped_up_at)),
            Some(Credential::ApiKey { .. }) | None => Ok(()),
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
}

fn check_fresh(reader: &Reader<'_>, at: Option<SystemTime>) -> Result<()> {
    let lifetime = db::settings::load(reader)?.step_up_seconds;
    match at {
        Some(at) if at <= reader.now() && reader.now() < clock::after(at, lifetime) => Ok(()),
        _ => Err(KeyplateError::StepUpRequired),
    }
}
