//! The handle, and the one path of every read and every write: the caller, the transaction, its audit row, then events.

use std::{cell::OnceCell, fmt, sync::Arc};

#[cfg(debug_assertions)]
use crate::gate::panic_hook;
use crate::{
    crypto::{key_cipher::KeyCipher, password_cipher::PasswordCipher},
    db::{Engine, Given, Reader},
    error::Result,
    gate::{
        caller::{Actor, Caller},
        change::{self, Change},
        events,
        methods::Method,
        refusals::{self, Refusals},
        relying_party::RelyingParty,
        seen::Seen,
    },
    model::{
        audit::{AuditEvent, EventKind},
        config::ClientInfo,
        credentials::Principal,
        events::EventSink,
    },
    values::{
        addresses::{UNKNOWN, client_address},
        codes::CodeKey,
        text::{self, UsernamePolicy},
    },
};

/// An open database, or somebody's view of it. It is cheap to clone and can be shared between threads.
///
/// All calls block. The longest wait is the busy time-out.
#[derive(Clone)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct Keyplate {
    pub(crate) shared: Arc<Shared>,
    actor: Actor,
    client: ClientInfo,
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Keyplate>();
};

/// What all handles of one open database share.
pub(crate) struct Shared {
    pub(crate) db: Engine,
    pub(crate) token_prefix: String,
    pub(crate) username_policy: UsernamePolicy,
    pub(crate) code_key: CodeKey,
    pub(crate) key_cipher: KeyCipher,
    pub(crate) password_cipher: PasswordCipher,
    /// Who issues access tokens: the origin.
    pub(crate) issuer: String,
    pub(crate) relying_party: RelyingParty,
    pub(crate) seen: Seen,
    pub(crate) refusals: Refusals,
    pub(crate) events: Option<Arc<dyn EventSink>>,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Returns a handle for somebody who has shown no credential yet. They may look at the state of setup and the public
    /// settings, claim setup, sign up and sign in.
    ///
    /// # Errors
    /// `PermissionDenied` on any but the host's handle; `InvalidInput` for `device_name`.
    pub fn anonymous(&self, client: ClientInfo) -> Result<Keyplate> {
        self.derived(Method::Anonymous, Actor::Anonymous, client)
    }

    /// Returns the host's own handle, for what it does on behalf of a client. The audit log then says where that was.
    ///
    /// # Errors
    /// `PermissionDenied` on any but the host's handle; `InvalidInput` for `device_name`.
    pub fn with_client(&self, client: ClientInfo) -> Result<Keyplate> {
        self.derived(Method::WithClient, Actor::Host, client)
    }

    /// Returns a handle that acts for the user behind a credential, within their rights and the credential's at each call.
    ///
    /// # Errors
    /// `PermissionDenied` on any but the host's handle; `InvalidInput` for `device_name`. Whether the
    /// credential is still valid is checked by each call, not here.
    pub fn acting_as(&self, principal: &Principal, client: ClientInfo) -> Result<Keyplate> {
        self.derived(
            Method::ActingAs,
            Actor::Principal(principal.clone()),
            client,
        )
    }
}

impl Keyplate {
    /// The host's own handle.
    pub(crate) fn of_host(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
            actor: Actor::Host,
            client: ClientInfo::default(),
        }
    }

    fn derived(&self, method: Method, actor: Actor, client: ClientInfo) -> Result<Self> {
        self.actor.check_kind(method)?;
        Ok(Self {
            shared: Arc::clone(&self.shared),
            actor,
            client: client.checked()?,
        })
    }

    /// Where the caller is, as the host told.
    pub(crate) fn client(&self) -> &ClientInfo {
        &self.client
    }

    /// The same caller, who asks about somebody at another place, if one is told.
    pub(crate) fn on_behalf_of(&self, client: ClientInfo) -> Result<Self> {
        let client = client.checked()?;
        let client = Some(client).filter(|client| *client != ClientInfo::default());
        Ok(Self {
            client: client.unwrap_or_else(|| self.client.clone()),
            ..self.clone()
        })
    }

    /// Passes a caller who may call this method. The host may in any case, and nothing is read for it.
    pub(crate) fn check_may_call(&self, method: Method) -> Result<()> {
        self.actor.check_kind(method)?;
        match self.actor {
            Actor::Host => Ok(()),
            _ => self.read(method, |_, _| Ok(())),
        }
    }

    /// Runs `f` on a snapshot, for a caller who may call this method.
    pub(crate) fn read<T>(
        &self,
        method: Method,
        f: impl Fn(&Reader<'_>, &Caller) -> Result<T>,
    ) -> Result<T> {
        let given = Given::nothing();
        self.reading(method, &|reader, caller| given.keep(f(reader, caller)))?;
        given.take()
    }

    fn reading(
        &self,
        method: Method,
        f: &dyn Fn(&Reader<'_>, &Caller) -> Result<()>,
    ) -> Result<()> {
        self.actor.check_kind(method)?;
        self.shared.db.read(|reader| {
            let caller = self.actor.resolve(reader, method)?;
            #[cfg(debug_assertions)]
            panic_hook::check();
            f(reader, &caller)
        })
    }

    /// Runs `f` in one transaction, for a caller who may call this method. Then it tells the host what happened.
    pub(crate) fn write<T>(
        &self,
        method: Method,
        f: impl Fn(&Change<'_>) -> Result<T>,
    ) -> Result<T> {
        let given = Given::nothing();
        self.writing(Some(method), &|change| given.keep(f(change)))?;
        given.take()
    }

    /// What `write` would give, without anybody's waiting, if there is nothing to change; nothing where there is.
    pub(crate) fn if_unchanged<T>(
        &self,
        method: Method,
        f: impl Fn(&Change<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.actor.check_kind(method)?;
        self.shared.db.if_nothing_is_written(|writer| {
            let caller = self.actor.resolve(writer, method)?;
            f(&Change::new(writer, &caller, &self.client))
        })
    }

    /// What the library does by itself, as the host.
    pub(crate) fn write_for_host<T>(&self, f: impl Fn(&Change<'_>) -> Result<T>) -> Result<T> {
        let given = Given::nothing();
        self.writing(None, &|change| given.keep(f(change)))?;
        given.take()
    }

    /// For the caller of a method, or for the host.
    fn writing(&self, method: Option<Method>, f: &dyn Fn(&Change<'_>) -> Result<()>) -> Result<()> {
        if let Some(method) = method {
            self.actor.check_kind(method)?;
        }
        // What runs again leaves nothing behind (D6): events are told, and what was taken along is gone, after the commit.
        let taken = OnceCell::new();
        let (mut events, seen, stored) = self.shared.db.write(|writer| {
            let caller = match method {
                Some(method) => self.actor.resolve(writer, method)?,
                None => Caller::Host,
            };
            let change = Change::new(writer, &caller, &self.client);
            change.note_clock()?;
            f(&change)?;
            #[cfg(debug_assertions)]
            panic_hook::check();
            let seen = self.shared.seen.take_along(writer)?;
            let refusals = taken.get_or_init(|| self.shared.refusals.take());
            let stored = refusals.store(writer)?;
            Ok((change.into_events(), seen, stored))
        })?;
        events.extend(refusals::committed(taken, stored));
        self.shared.seen.forget(&seen);
        self.deliver(events);
        Ok(())
    }

    /// A1: a refusal is counted in one row per event, caller, source and minute. Failing at that changes nothing: what cannot be
    /// written now is written with the next change.
    pub(crate) fn note_refusal<T>(&self, kind: EventKind, result: &Result<T>) {
        let Shared { db, refusals, .. } = &*self.shared;
        if let Some((key, event)) = self.refusal(kind, result)
            && refusals.note(key, &event)
            && let Ok(events) = refusals.write_new(db)
        {
            self.deliver(events);
        }
    }

    /// The same for what strangers may send without end and must change nothing (P2): it is counted in memory, and
    /// written with the next change, when credentials' last use is, or when somebody looks at the log.
    pub(crate) fn count_refusal<T>(&self, kind: EventKind, result: &Result<T>) {
        if let Some((key, event)) = self.refusal(kind, result) {
            self.shared.refusals.count(key, &event);
        }
    }

    fn refusal<T>(
        &self,
        kind: EventKind,
        result: &Result<T>,
    ) -> Option<(refusals::Key, AuditEvent)> {
        let error = result.as_ref().err()?;
        let db = &self.shared.db;
        let now = db.roughly_now().ok()?;
        if !change::is_refusal(error) {
            return None;
        }
        let event = change::refusal(now, &self.actor, &self.client, kind, error);
        let event = match self.actor.credential() {
            None => event,
            Some(_) => {
                let user = db.read(|reader| self.actor.user(reader));
                change::named(event, user.ok().flatten().as_ref())
            }
        };
        let key = refusals::Key::of(kind, &self.actor, &self.client, now);
        Some((key, event))
    }

    /// Writes what was counted in memory, so that the log shows it. If somebody else is writing, it is left for later.
    pub(crate) fn write_refusals(&self) {
        let Shared { db, refusals, .. } = &*self.shared;
        if !refusals.is_empty()
            && let Ok(events) = refusals.write_all(db)
        {
            self.deliver(events);
        }
    }

    /// Tells the host, once everything is committed (E1).
    pub(crate) fn deliver(&self, events: Vec<AuditEvent>) {
        if let Some(sink) = &self.shared.events {
            events::deliver(sink.as_ref(), events);
        }
    }
}

impl fmt::Debug for Keyplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyplate")
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // At close, what was seen is written (T1); when that fails, a minute is lost, which T1 allows.
        if !self.db.is_owned_by_this_process() {
            return;
        }
        if !self.seen.is_empty() {
            let _ = self.seen.write_all(&self.db);
        }
        if !self.refusals.is_empty() {
            let _ = self.refusals.write_all(&self.db);
        }
    }
}

impl ClientInfo {
    const MAX_USER_AGENT: usize = 512;
    const MAX_DEVICE_NAME: usize = 100;

    pub(crate) fn checked(self) -> Result<Self> {
        let address = self.address.filter(|address| !address.trim().is_empty());
        // It comes from the stranger's side, like the agent: made harmless, not refused.
        let address = address.map(|address| match client_address(&address) {
            Some(address) => address.to_string(),
            None => UNKNOWN.to_owned(),
        });
        Ok(Self {
            address,
            user_agent: self.user_agent.map(|agent| {
                let visible = agent.chars().filter(|c| !c.is_control());
                visible.take(Self::MAX_USER_AGENT).collect()
            }),
            device_name: text::maybe(
                "device_name",
                self.device_name.as_deref(),
                Self::MAX_DEVICE_NAME,
            )?,
        })
    }
}
