//! Another device of one's own (V5): its user shows it a link, it registers a passkey, and the user is told, with "not mine".

use std::sync::Arc;

use crate::{
    clock, db,
    error::{DenialReason, Found, Result, Thing, denied},
    gate::{
        change::{Change, Subject},
        handle::Keyplate,
        methods::Method,
    },
    model::{
        audit::EventKind,
        device_links::{CreatedDeviceLink, DeviceLink, StoredDeviceLink},
        ids::DeviceLinkId,
        sessions::{SignInMethod, SignedIn},
    },
    rules::{sessions::Opening, users::checks as users},
    values::{
        scopes::{Ceiling, Scopes},
        tokens::{self, SecretHash, TokenKind},
    },
};

/// V5: of the link, and then of the session in which its device registers a passkey.
const LIFETIME_SECONDS: i64 = 5 * 60;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Makes a link by which the caller adds another device of their own. It lives for 5 minutes, works once, and ends
    /// with the session that makes it; an earlier one that was not opened ends. The new device hands the secret to
    /// `redeem_one_time_token`, and its session may look at its user and register one passkey.
    ///
    /// # Errors
    /// `StepUpRequired`; `PermissionDenied` without a session, and for sessions that may do less than their user.
    pub fn create_device_link(&self) -> Result<CreatedDeviceLink> {
        self.write(Method::CreateDeviceLink, |change| {
            let caller = change.caller;
            let (Some(acting), Some((session_id, _))) = (caller.acting(), caller.session()) else {
                return Err(denied(DenialReason::SessionNeeded));
            };
            let user = &acting.user;
            caller.covers_sign_in_of(user)?;
            caller.may_give_for_good(change, user)?;
            caller.step_up(change)?;
            db::device_links::delete_unused(change, &user.id)?;
            let token = tokens::mint(&self.shared.token_prefix, TokenKind::OneTime)?;
            let now = change.now();
            let stored = StoredDeviceLink {
                device_link: DeviceLink {
                    id: DeviceLinkId::generate(now)?,
                    user_id: user.id,
                    created_at: now,
                    expires_at: clock::after(now, LIFETIME_SECONDS),
                    used_at: None,
                    address: None,
                    user_agent: None,
                    passkey_id: None,
                },
                session_id,
                used_by: None,
                masked: token.masked,
                bound: caller.bound(),
            };
            db::device_links::insert(change, &stored, &token.hash)?;
            record(change, EventKind::DeviceLinkCreated, &stored)?;
            Ok(CreatedDeviceLink {
                device_link: stored.device_link,
                secret: Arc::new(token.secret),
            })
        })
    }

    /// Lists the caller's own links, the newest first: whether a device has opened them, from where, and what it has
    /// registered. They stay for 30 days.
    ///
    /// # Errors
    /// `PermissionDenied`.
    pub fn list_device_links(&self) -> Result<Vec<DeviceLink>> {
        self.read(Method::ListDeviceLinks, |reader, caller| {
            let user = caller.user_id();
            let user = user.ok_or_else(|| denied(DenialReason::SessionNeeded))?;
            db::device_links::list(reader, &user)
        })
    }

    /// Withdraws a link of the caller's own: "not mine". A device that has opened it is out, the passkey that it has
    /// registered is gone, and all sessions of the user but the one that asks end.
    ///
    /// # Errors
    /// `NotFound`; `PermissionDenied` without a session; `Conflict` when no administrator would be left.
    pub fn disown_device_link(&self, id: &DeviceLinkId) -> Result<()> {
        self.write(Method::DisownDeviceLink, |change| {
            let caller = change.caller;
            let (Some(acting), Some((session_id, _))) = (caller.acting(), caller.session()) else {
                return Err(denied(DenialReason::SessionNeeded));
            };
            let user = &acting.user;
            let stored = db::device_links::find(change, id)?.or_missing(Thing::DeviceLink)?;
            if stored.device_link.user_id != user.id || stored.used_by == Some(session_id) {
                return Err(crate::error::not_found(Thing::DeviceLink));
            }
            // Before the sessions: the link's own one must not lose its passkey without them.
            if let Some(passkey) = &stored.device_link.passkey_id {
                users::keep_an_administrator(change, || db::passkeys::delete(change, passkey))?;
            }
            if stored.used_by.is_some() {
                db::sessions::end_all(change, &user.id, Some(&session_id), change.now())?;
            }
            db::device_links::delete(change, id)?;
            record(change, EventKind::DeviceLinkDisowned, &stored)
        })
    }
}

impl Keyplate {
    /// Opens the new device's session, once. None when there is no such link, or it has ended.
    pub(in crate::rules) fn redeem_link(
        &self,
        change: &Change<'_>,
        hash: &SecretHash,
    ) -> Result<Option<SignedIn>> {
        let now = change.now();
        let Some(stored) = db::device_links::find_by_secret(change, hash)? else {
            return Ok(None);
        };
        let link = &stored.device_link;
        let has_ended = link.used_at.is_some() || link.expires_at <= now;
        if has_ended || !db::sessions::is_alive(change, &stored.session_id, now)? {
            return Ok(None);
        }
        let user = users::get(change, &link.user_id)?;
        user.check_may_sign_in(now)?;
        let opening = Opening {
            ceiling: Ceiling {
                scopes: Scopes::linking(),
                administrator: false,
            },
            lifetime_seconds: Some(LIFETIME_SECONDS),
            bound: stored.bound,
            parent: Some(stored.session_id),
            ..Opening::of(&user, SignInMethod::DeviceLink)
        };
        let signed_in = self.open_session(change, user, change.client, opening)?;
        let session = &signed_in.session.id;
        if !db::device_links::set_used(change, &link.id, session, change.client, now)? {
            return Ok(None);
        }
        record(change, EventKind::DeviceLinkRedeemed, &stored)?;
        Ok(Some(signed_in))
    }
}

fn record(change: &Change<'_>, kind: EventKind, stored: &StoredDeviceLink) -> Result<()> {
    let user = users::get(change, &stored.device_link.user_id)?;
    let id = stored.device_link.id;
    let subject = Subject::of(&user, id.as_str(), &stored.masked);
    change.record(kind, subject, &[])
}
