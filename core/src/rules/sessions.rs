//! Sessions: opening, verifying, listing, ending them (T1).

use std::sync::Arc;

use crate::{
    clock, db,
    error::{Found, KeyplateError, Result, Thing},
    gate::{
        change::{Change, Subject},
        handle::Keyplate,
        list,
        methods::Method,
    },
    model::{
        audit::EventKind,
        config::ClientInfo,
        credentials::{Authenticated, Bound, CredentialId},
        ids::{SessionId, UserId},
        sessions::{FoundSession, Session, SessionPage, SessionQuery, SignInMethod, SignedIn},
        users::{User, check_may_sign_in},
    },
    rules::users::checks as users,
    values::{
        numbers::within,
        scopes::{Ceiling, Scopes},
        tokens::{self, SecretHash, TokenKind},
    },
};

/// B3: the life of a session that claimed setup.
const SETUP_LIFETIME_SECONDS: i64 = 3_600;
/// The longest life that a host may ask for.
const MAX_LIFETIME_SECONDS: i64 = 366 * 24 * 3_600;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Opens a session for a user whom the host has checked by its own means: an existing password table, LDAP, SSO.
    /// It never counts as a step-up. `lifetime_seconds` is at most 366 days; by default the settings decide.
    ///
    /// # Errors
    /// `NotFound`; `AccountPending`, `AccountDisabled`, `AccountExpired`; `InvalidInput`; `PermissionDenied` on any
    /// but the host's handle.
    pub fn create_session(
        &self,
        user_id: &UserId,
        client: ClientInfo,
        lifetime_seconds: Option<i64>,
    ) -> Result<SignedIn> {
        let client = client.checked()?;
        if let Some(lifetime) = lifetime_seconds {
            within("lifetime_seconds", lifetime, 1, MAX_LIFETIME_SECONDS)?;
        }
        let result = self.write(Method::CreateSession, |change| {
            let user = users::get(change, user_id)?;
            user.check_may_sign_in(change.now())?;
            let opening = Opening {
                lifetime_seconds,
                ..Opening::of(&user, SignInMethod::Host)
            };
            let signed_in = self.open_session(change, user, &client, opening)?;
            let session = &signed_in.session;
            let subject = Subject::of(&signed_in.user, session.id.as_str(), &session.masked_secret);
            change.record(EventKind::SessionCreated, subject, &[])?;
            Ok(signed_in)
        });
        self.note_refusal(EventKind::SignInRefused, &result);
        result
    }

    /// Returns whose session this is. It works while another process is writing.
    ///
    /// # Errors
    /// `InvalidCredential` when it is unknown, malformed, expired, idle for too long or ended; `AccountPending`,
    /// `AccountDisabled`, `AccountExpired`; the storage errors.
    pub fn verify_session(&self, token: &str) -> Result<Authenticated> {
        let hash = tokens::expect(&self.shared.token_prefix, TokenKind::Session, token)?;
        self.verified_session(hash, Admits::Active)
    }
}

impl Keyplate {
    /// Whoever has the session whose secret has this hash.
    pub(in crate::rules) fn verified_session(
        &self,
        hash: SecretHash,
        admits: Admits,
    ) -> Result<Authenticated> {
        let found = db::sessions::look_up(&self.shared.db, &hash)?
            .ok_or(KeyplateError::InvalidCredential)?;
        if !found.is_alive() {
            return Err(KeyplateError::InvalidCredential);
        }
        if found.method == SignInMethod::DeviceLink {
            // V5: it ends with the session that made its link, which may be any moment.
            let alive =
                |reader: &db::Reader<'_>| db::sessions::is_alive(reader, &found.id, reader.now());
            if !self.shared.db.read(alive)? {
                return Err(KeyplateError::InvalidCredential);
            }
        }
        let enrolling = admits == Admits::Pending && found.method.enrols(found.status);
        if !enrolling {
            check_may_sign_in(found.status, found.user_expires_at, found.now)?;
        }
        if (self.shared.seen).session(&self.shared.db, hash, found.now) {
            self.write_refusals();
        }
        let mut ceiling = found.ceiling;
        if enrolling {
            ceiling.scopes = Scopes::enrol();
        }
        let credential = CredentialId::Session(found.id);
        let user = (found.user_id, found.username, found.role, found.status);
        let expires_at = Some(found.expires_at);
        Ok(Authenticated::new(credential, ceiling, user, expires_at))
    }
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Lists sessions that still work. The newest come first.
    ///
    /// # Errors
    /// `InvalidInput`, `PermissionDenied`.
    pub fn list_sessions(&self, query: SessionQuery) -> Result<SessionPage> {
        let page = list::page_request(query.page, query.limit)?;
        self.read(Method::ListSessions, |reader, caller| {
            let user_id = list::visible_owner(caller, query.user_id)?;
            let total = db::sessions::count(reader, user_id.as_ref(), reader.now())?;
            Ok(SessionPage {
                items: db::sessions::list(reader, user_id.as_ref(), reader.now(), page)?,
                total,
                page: page.page,
            })
        })
    }

    /// Ends a session at once, in every process. Ending one that has ended does nothing.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    pub fn revoke_session(&self, id: &SessionId) -> Result<()> {
        self.write(Method::RevokeSession, |change| {
            let session = db::sessions::find(change, id)?.or_missing(Thing::Session)?;
            change.caller.reach(&session.user_id, Thing::Session)?;
            let user = users::get(change, &session.user_id)?;
            change.caller.outrank(&user)?;
            if db::sessions::end(change, id, change.now())? {
                let subject = Subject::of(&user, session.id.as_str(), &session.masked_secret);
                change.record(EventKind::SessionRevoked, subject, &[])?;
            }
            Ok(())
        })
    }

    /// Ends all sessions of a user except `keep`, for example the caller's own. Returns how many it ended.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    pub fn revoke_user_sessions(&self, user_id: &UserId, keep: Option<SessionId>) -> Result<i64> {
        self.write(Method::RevokeUserSessions, |change| {
            change.caller.reach(user_id, Thing::User)?;
            let user = users::get(change, user_id)?;
            change.caller.outrank(&user)?;
            let ended = db::sessions::end_all(change, user_id, keep.as_ref(), change.now())?;
            if ended > 0 {
                let count = ended.to_string();
                change.record(
                    EventKind::UserSessionsRevoked,
                    Subject::user(&user),
                    &[("count", &count)],
                )?;
            }
            Ok(ended)
        })
    }
}

/// Whom a host lets in by a session (S7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Admits {
    /// Who may sign in, and nobody else.
    Active,
    /// The sign-up session of a user who waits for approval too.
    Pending,
}

/// How a session is opened.
pub(in crate::rules) struct Opening {
    pub(in crate::rules) method: SignInMethod,
    pub(in crate::rules) ceiling: Ceiling,
    /// By default as the settings say.
    pub(in crate::rules) lifetime_seconds: Option<i64>,
    /// It ends with the key by which it was made, and hands that on (K1).
    pub(in crate::rules) bound: Bound,
    /// The session with which it ends (V5).
    pub(in crate::rules) parent: Option<SessionId>,
}

impl Opening {
    /// As for a person who signs in themselves.
    pub(in crate::rules) fn of(user: &User, method: SignInMethod) -> Self {
        Self {
            method,
            ceiling: Ceiling::of_sign_in(user),
            lifetime_seconds: None,
            bound: Bound::default(),
            parent: None,
        }
    }

    /// B3.
    pub(in crate::rules) fn of_setup(user: &User) -> Self {
        Self {
            lifetime_seconds: Some(SETUP_LIFETIME_SECONDS),
            ..Self::of(user, SignInMethod::Setup)
        }
    }
}

impl Keyplate {
    pub(in crate::rules) fn open_session(
        &self,
        change: &Change<'_>,
        user: User,
        client: &ClientInfo,
        opening: Opening,
    ) -> Result<SignedIn> {
        let now = change.now();
        let settings = db::settings::load_of_sessions(change)?;
        let lifetime = opening
            .lifetime_seconds
            .unwrap_or(settings.session_lifetime_seconds);
        let expires_at = clock::after(now, lifetime);
        let token = tokens::mint(&self.shared.token_prefix, TokenKind::Session)?;
        let session = Session {
            id: SessionId::generate(now)?,
            user_id: user.id,
            method: opening.method,
            signed_in_at: now,
            stepped_up_at: (opening.method == SignInMethod::Passkey).then_some(now),
            last_seen_at: now,
            expires_at: opening
                .bound
                .expires_at
                .map_or(expires_at, |end| end.min(expires_at)),
            masked_secret: token.masked,
            address: client.address.clone(),
            user_agent: client.user_agent.clone(),
            device_name: client.device_name.clone(),
        };
        let idle = settings.session_idle_seconds.min(lifetime);
        let Opening {
            ceiling,
            bound,
            parent,
            ..
        } = &opening;
        let parent = parent.as_ref();
        db::sessions::insert(change, &session, &token.hash, ceiling, idle, *bound, parent)?;
        Ok(SignedIn {
            user,
            session,
            secret: Arc::new(token.secret),
        })
    }
}

/// Ends the sessions that setup gave out (B4).
pub(in crate::rules) fn end_setup_sessions(change: &Change<'_>) -> Result<()> {
    db::sessions::end_by_method(change, SignInMethod::Setup, change.now())
}

impl FoundSession {
    /// T1: neither ended, nor too old, nor idle for too long.
    fn is_alive(&self) -> bool {
        self.ended_at.is_none()
            && self.now < self.expires_at
            && self.now < clock::after(self.last_seen_at, self.idle_seconds)
    }
}
