//! Forward auth (F1–F3): a reverse proxy asks before it lets a request through to a service that has no sign-in of its own.
//!
//! # How somebody enters
//!
//! The session by which they are signed in never reaches the service's host. In its place the service has a session of its
//! own, which ends with that one:
//!
//! 1. On the service's host their browser gets a random nonce, as a cookie.
//! 2. Where they sign in, `begin_service_session` gives them a ticket, which is bound to the service, the origin and the hash
//!    of that nonce.
//! 3. Back on the service's host `redeem_service_ticket` turns ticket and nonce into the service's session, once.
//! 4. `verify_service_session` is asked for each request.
//!
//! A ticket that somebody else sees is of no use without the cookie, and a ticket that somebody sends to another browser does
//! not sign that browser in as them.

use std::sync::Arc;

use crate::{
    clock,
    crypto::base64url::from_base64url,
    db::{self, Reader},
    error::{
        DenialReason, Found, InputReason, KeyplateError, Result, Thing, denied, invalid, not_found,
    },
    gate::{caller::Acting, change::Subject, handle::Keyplate, methods::Method},
    model::{
        audit::EventKind,
        credentials::{Credential, CredentialId, Principal},
        service_sessions::{
            FoundServiceSession, OpenedServiceSession, ServiceEntrance, ServiceTicket,
            ServiceVisit, ServiceVisitor, StoredTicket,
        },
        services::Service,
        users::check_may_sign_in,
    },
    rules::{access_tokens::let_in, services},
    values::{
        origins::{Origin, local_path},
        tokens::{self, SecretHash, TokenKind},
    },
};

const TICKET_SECONDS: i64 = 30;
/// Of a nonce, in bytes: what is shorter could be guessed, and what is longer is none.
const NONCE: std::ops::RangeInclusive<usize> = 22..=128;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Gives somebody who is signed in a ticket, by which their browser enters a service behind a proxy. It lives for 30
    /// seconds and works once, at this origin and in the browser that keeps the nonce.
    ///
    /// # Errors
    /// `InvalidInput`; `NotFound` for the service; `PermissionDenied` without a session, when they may not use the service,
    /// when the origin is none of the service's, and when the service has a host name in common with another service or with
    /// the configured origins; `AccountPending`.
    pub fn begin_service_session(&self, entrance: ServiceEntrance) -> Result<ServiceTicket> {
        let challenge = from_base64url(&entrance.challenge);
        let challenge = challenge.and_then(|bytes| SecretHash::try_from(bytes).ok());
        let challenge = challenge.ok_or_else(|| invalid("challenge", InputReason::NotBase64Url))?;
        let return_path = local_path(entrance.return_path.as_deref().unwrap_or_default());
        self.write(Method::BeginServiceSession, |change| {
            let caller = change.caller;
            let (Some(acting), Some((session_id, _))) = (caller.acting(), caller.session()) else {
                return Err(denied(DenialReason::SessionNeeded));
            };
            let service = services::find(change, &entrance.service)?.or_missing(Thing::Service)?;
            let origin = self.entrance(change, &service, &entrance.origin)?;
            let_in(change, &service, acting)?;
            let now = change.now();
            db::service_sessions::purge_tickets(change, now)?;
            let token = tokens::mint(&self.shared.token_prefix, TokenKind::ServiceTicket)?;
            let ticket = StoredTicket {
                service_id: service.id,
                session_id,
                challenge,
                origin,
                return_path: return_path.clone(),
                created_at: now,
                expires_at: clock::after(now, TICKET_SECONDS),
            };
            db::service_sessions::insert_ticket(change, &ticket, &token.hash)?;
            Ok(ServiceTicket {
                service_id: service.id,
                origin: ticket.origin,
                expires_at: ticket.expires_at,
                secret: Arc::new(token.secret),
            })
        })
    }

    /// Opens a service's own session for the browser that shows a ticket and keeps its nonce. `origin` is where it does so.
    /// A ticket that is refused is not used up: only its own browser can use it.
    ///
    /// # Errors
    /// `InvalidCredential` when the ticket is unknown, used or has ended, is for another origin, or does not go with this
    /// nonce, and when the session that it comes from has ended; `PermissionDenied` when its user may no longer use the
    /// service; `AccountPending`, `AccountDisabled`, `AccountExpired`.
    pub fn redeem_service_ticket(
        &self,
        ticket: &str,
        origin: &str,
        nonce: &str,
    ) -> Result<OpenedServiceSession> {
        let result = self.redeem_ticket(ticket, origin, nonce);
        self.count_refusal(EventKind::ServiceSessionRefused, &result);
        result
    }

    /// Decides whether a request may pass to a service, and says who makes it. It works while another process is writing, and
    /// notices a change that any process commits at the very next call.
    ///
    /// The credential is the token of a service session. An API key is accepted if all its scopes are of this service, such as
    /// `films:view` for the service `films`: the service gets to see it.
    ///
    /// # Errors
    /// `NotFound` for the service; `PermissionDenied` when the origin is none of the service's, when the service has a host name
    /// in common with another service or with the configured origins, when the user may not use the service, and for an API key
    /// that is good for anything else; `InvalidCredential` without a credential, and when it is unknown or has ended;
    /// `AccountPending`, `AccountDisabled`, `AccountExpired`; the storage errors.
    pub fn verify_service_session(&self, visit: ServiceVisit) -> Result<ServiceVisitor> {
        self.check_may_call(Method::VerifyServiceSession)?;
        let prefix = &self.shared.token_prefix;
        let credential = visit.credential.as_deref();
        let session = credential
            .and_then(|token| tokens::expect(prefix, TokenKind::ServiceSession, token).ok());
        let found = match &session {
            Some(hash) => db::service_sessions::look_up(&self.shared.db, hash)?,
            None => None,
        };
        if let Some(found) = found.filter(|found| found.is_for(&visit.service)) {
            return self.visitor(found, &visit.origin);
        }
        let key = credential.filter(|_| session.is_none());
        // First whether the question is right at all: what a proxy asks wrongly no credential makes right.
        let service = self.asked(&visit, None)?;
        let key = key.ok_or(KeyplateError::InvalidCredential)?;
        let who = self.verify_api_key(key)?;
        let scopes_are_its_own =
            !who.scopes.is_empty() && who.scopes.iter().all(|scope| is_scope_of(scope, &service));
        if !scopes_are_its_own {
            return Err(denied(DenialReason::ForOthersToo));
        }
        self.asked(&visit, Some(&who.principal))?;
        self.shared.db.read(|reader| {
            let acting = Acting::load(reader, &who.principal)?;
            let user = &acting.user;
            Ok(ServiceVisitor {
                service_id: service.id,
                wants_token: service.wants_token,
                user_id: user.id,
                username: user.username.clone(),
                display_name: user.display_name.clone(),
                email: user.email.clone().filter(|_| user.email_held),
                groups: db::groups::names_of_user(reader, &user.id)?,
                session_id: None,
                api_key_id: who.api_key_id,
                expires_at: who.expires_at,
                principal: Arc::clone(&who.principal),
            })
        })
    }
}

fn is_scope_of(scope: &str, service: &Service) -> bool {
    scope
        .split_once(':')
        .is_some_and(|(area, _)| area == service.slug)
}

impl Keyplate {
    /// The service of a visit, if its origin is right and, where somebody is named, they may use it.
    fn asked(&self, visit: &ServiceVisit, who: Option<&Principal>) -> Result<Service> {
        self.shared.db.read(|reader| {
            let service = services::find(reader, &visit.service)?;
            let service = service.ok_or_else(|| not_found(Thing::Service))?;
            self.entrance(reader, &service, &visit.origin)?;
            if let Some(principal) = who {
                let_in(reader, &service, &Acting::load(reader, principal)?)?;
            }
            Ok(service)
        })
    }

    /// F1, F2: the origin as it is stored, if it is one of the service's, and no cookie of its host is anybody else's.
    fn entrance(&self, reader: &Reader<'_>, service: &Service, asked: &str) -> Result<String> {
        let stored = |text: &str| {
            service
                .origins
                .iter()
                .find(|origin| *origin == text)
                .cloned()
        };
        let found = stored(asked).or_else(|| stored(&canonical(asked)?));
        let origin = found.ok_or_else(|| denied(DenialReason::ServiceOrigin))?;
        let shared = db::service_sessions::shares_host(reader, &service.id, &origin)?;
        self.check_apart(&origin, !shared)?;
        Ok(origin)
    }

    fn check_apart(&self, origin: &str, is_alone: bool) -> Result<()> {
        let hosts = &self.shared.relying_party.hosts;
        if !is_alone || hosts.iter().any(|host| host == host_of(origin)) {
            return Err(denied(DenialReason::ServiceHostShared));
        }
        Ok(())
    }

    /// The same for who has a session of the service already: most ask where it was opened.
    fn check_entrance(&self, found: &FoundServiceSession, asked: &str) -> Result<()> {
        if asked != found.origin {
            let visit = ServiceVisit {
                service: found.service.slug.clone(),
                origin: asked.to_owned(),
                credential: None,
            };
            return self.asked(&visit, None).map(drop);
        }
        // Another service that came to have this host has ended it.
        self.check_apart(&found.origin, true)
    }

    fn redeem_ticket(
        &self,
        ticket: &str,
        origin: &str,
        nonce: &str,
    ) -> Result<OpenedServiceSession> {
        let prefix = &self.shared.token_prefix;
        let hash = tokens::expect(prefix, TokenKind::ServiceTicket, ticket)?;
        if !NONCE.contains(&nonce.len()) {
            return Err(KeyplateError::InvalidCredential);
        }
        let challenge = tokens::hash(nonce);
        let good = |reader: &Reader<'_>| -> Result<StoredTicket> {
            let stored = db::service_sessions::find_ticket(reader, &hash)?;
            let good = stored.filter(|stored| {
                stored.challenge == challenge
                    && stored.expires_at > reader.now()
                    && (stored.origin == origin
                        || canonical(origin).as_ref() == Some(&stored.origin))
            });
            good.ok_or(KeyplateError::InvalidCredential)
        };
        // Strangers may ask without end, and write nothing.
        self.read(Method::RedeemServiceTicket, |reader, _| {
            good(reader).map(drop)
        })?;
        self.write(Method::RedeemServiceTicket, |change| {
            let stored = good(change)?;
            if !db::service_sessions::delete_ticket(change, &hash)? {
                return Err(KeyplateError::InvalidCredential);
            }
            let principal = Principal {
                credential: CredentialId::Session(stored.session_id),
            };
            let acting = Acting::load(change, &principal)?;
            let service = db::services::find(change, &stored.service_id)?;
            let service = service.ok_or(KeyplateError::InvalidCredential)?;
            self.entrance(change, &service, &stored.origin)?;
            let_in(change, &service, &acting)?;
            let Credential::Session { expires_at, .. } = acting.credential else {
                return Err(KeyplateError::InvalidCredential);
            };
            let token = tokens::mint(prefix, TokenKind::ServiceSession)?;
            let now = change.now();
            db::service_sessions::insert(change, &token.hash, &stored, now)?;
            let subject = Subject::of(&acting.user, service.id.as_str(), &service.slug);
            let details = [("session", stored.session_id.as_str())];
            change.record(EventKind::ServiceSessionOpened, subject, &details)?;
            Ok(OpenedServiceSession {
                service_id: service.id,
                user_id: acting.user.id,
                return_path: stored.return_path,
                expires_at,
                secret: Arc::new(token.secret),
            })
        })
    }

    /// Who shows this service session, if they may pass.
    fn visitor(&self, found: FoundServiceSession, origin: &str) -> Result<ServiceVisitor> {
        let service = &found.service;
        self.check_entrance(&found, origin)?;
        if !found.is_alive() {
            return Err(KeyplateError::InvalidCredential);
        }
        check_may_sign_in(found.status, found.user_expires_at, found.now)?;
        let principal = Principal::new(CredentialId::Session(found.session_id));
        if !service.is_open || !found.scopes.reach_service(&service.slug) {
            // Seldom, and then it is said precisely.
            let visit = ServiceVisit {
                service: service.slug.clone(),
                origin: origin.to_owned(),
                credential: None,
            };
            self.asked(&visit, Some(&principal))?;
            return Err(denied(DenialReason::ServiceNotOpen));
        }
        if (self.shared.seen).session(&self.shared.db, found.session_hash, found.now) {
            self.write_refusals();
        }
        Ok(ServiceVisitor {
            service_id: service.id,
            wants_token: service.wants_token,
            user_id: found.user_id,
            username: found.username,
            display_name: found.display_name,
            email: found.email,
            groups: found.groups,
            session_id: Some(found.session_id),
            api_key_id: None,
            expires_at: Some(found.expires_at),
            principal,
        })
    }
}

/// An origin in the form in which it is stored.
fn canonical(origin: &str) -> Option<String> {
    let origin = Origin::parse("origin", origin).ok()?;
    Some(origin.text)
}

/// The host of an origin as it is stored.
fn host_of(origin: &str) -> &str {
    let authority = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    match authority.find(']') {
        Some(end) => &authority[..=end],
        None => authority.split(':').next().unwrap_or(authority),
    }
}

impl FoundServiceSession {
    fn is_for(&self, service: &str) -> bool {
        self.service.slug == service || self.service.id.as_str() == service
    }

    /// T1, of the session by which they are signed in.
    fn is_alive(&self) -> bool {
        self.ended_at.is_none()
            && self.now < self.expires_at
            && self.now < clock::after(self.last_seen_at, self.idle_seconds)
    }
}
