//! API keys: making, renewing, rotating, verifying, revoking them (K1, K2).

use std::{sync::Arc, time::SystemTime};

use crate::{
    clock, db,
    error::{DenialReason, Found, InputReason, KeyplateError, Result, Thing, denied, invalid},
    gate::{
        change::{Change, Subject},
        handle::Keyplate,
        list,
        methods::Method,
    },
    model::{
        api_keys::{
            ApiKey, ApiKeyPage, ApiKeyQuery, CreatedApiKey, KeyRotation, NewApiKey, StoredApiKey,
        },
        audit::EventKind,
        credentials::{Authenticated, CredentialId},
        ids::ApiKeyId,
        users::{Expiry, Role, User, check_may_sign_in},
    },
    rules::users::checks as users,
    values::{
        numbers::{at_least, within},
        scopes::{Ceiling, Scopes},
        text,
        tokens::{self, SecretHash, TokenKind},
    },
};

const MAX_NAME: usize = 100;
pub(in crate::rules) const MAX_NOTE: usize = 500;
/// K1: how long an old secret works beside the new one, by default and at most.
const OVERLAP_SECONDS: i64 = 24 * 3_600;
const MAX_OVERLAP_SECONDS: i64 = 31 * 24 * 3_600;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Makes an API key. It can never do more than its maker may now, nor outlive the key by which it is made, be it by a code and its session.
    ///
    /// # Errors
    /// `InvalidInput`; `NotFound` for the owner; `PermissionDenied`; `StepUpRequired` when the session is too old, or
    /// has not shown a passkey for a key with administrator scopes.
    pub fn create_api_key(&self, key: NewApiKey) -> Result<CreatedApiKey> {
        self.write(Method::CreateApiKey, |change| {
            let token = tokens::mint(&self.shared.token_prefix, TokenKind::ApiKey)?;
            let api_key = create(change, &key, &token)?;
            Ok(CreatedApiKey {
                api_key,
                secret: Arc::new(token.secret),
            })
        })
    }

    /// Returns an API key, even if it is revoked.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    pub fn get_api_key(&self, id: &ApiKeyId) -> Result<ApiKey> {
        self.read(Method::GetApiKey, |reader, caller| {
            let stored = db::api_keys::find(reader, id)?.or_missing(Thing::ApiKey)?;
            caller.reach(&stored.api_key.owner_id, Thing::ApiKey)?;
            Ok(stored.api_key)
        })
    }

    /// Lists API keys, the newest first unless the query says otherwise.
    ///
    /// # Errors
    /// `InvalidInput`, `PermissionDenied`.
    pub fn list_api_keys(&self, query: ApiKeyQuery) -> Result<ApiKeyPage> {
        let page = list::page_request(query.page, query.limit)?;
        let search = list::search(query.search.as_deref())?;
        self.read(Method::ListApiKeys, |reader, caller| {
            let query = ApiKeyQuery {
                owner_id: list::visible_owner(caller, query.owner_id)?,
                ..query.clone()
            };
            let total = db::api_keys::count(reader, &query, search.as_deref())?;
            Ok(ApiKeyPage {
                items: db::api_keys::list(reader, &query, search.as_deref(), page)?,
                total,
                page: page.page,
            })
        })
    }

    /// Lists the API keys that end within this many seconds. The next to end comes first.
    ///
    /// # Errors
    /// `InvalidInput`, `PermissionDenied`, the storage errors.
    pub fn list_expiring_api_keys(&self, within_seconds: i64) -> Result<Vec<ApiKey>> {
        let within_seconds = at_least("within_seconds", within_seconds, 0)?;
        self.read(Method::ListExpiringApiKeys, |reader, caller| {
            let owner_id = list::visible_owner(caller, None)?;
            let now = reader.now();
            db::api_keys::list_expiring(
                reader,
                owner_id.as_ref(),
                now,
                clock::after(now, within_seconds),
            )
        })
    }

    /// Gives a key a new secret; the old one goes on working for a while. A key cannot rotate itself,
    /// nor can anything that was made by it. The old secret never works longer than it would have without.
    ///
    /// # Errors
    /// `NotFound`, also for a revoked key, and for an expired one without a new end; `InvalidInput`; `PermissionDenied`;
    /// `StepUpRequired`.
    pub fn rotate_api_key(&self, id: &ApiKeyId, rotation: KeyRotation) -> Result<CreatedApiKey> {
        let overlap = rotation.overlap_seconds.unwrap_or(OVERLAP_SECONDS);
        let overlap = within("overlap_seconds", overlap, 0, MAX_OVERLAP_SECONDS)?;
        self.write(Method::RotateApiKey, |change| {
            let (before, owner, expires_at) = changeable(change, id, rotation.expiry)?;
            let token = tokens::mint(&self.shared.token_prefix, TokenKind::ApiKey)?;
            let api_key = replace_secret(change, &owner, before, expires_at, &token, overlap)?;
            Ok(CreatedApiKey {
                api_key,
                secret: Arc::new(token.secret),
            })
        })
    }

    /// Gives a key a new end, before or after the old one, also when it has ended: its newest secret works again. A key
    /// cannot renew itself, nor can anything that was made by it.
    ///
    /// # Errors
    /// `NotFound`, also for a revoked key; `InvalidInput`; `PermissionDenied`; `StepUpRequired`.
    pub fn renew_api_key(&self, id: &ApiKeyId, expiry: Expiry) -> Result<ApiKey> {
        self.write(Method::RenewApiKey, |change| {
            let (before, owner, expires_at) = changeable(change, id, Some(expiry))?;
            let after = ApiKey {
                expires_at,
                ..before
            };
            renew(change, &owner, &after)?;
            Ok(after)
        })
    }

    /// Revokes a key and all its older secrets at once, in every process. Doing it again does nothing.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    pub fn revoke_api_key(&self, id: &ApiKeyId) -> Result<()> {
        self.write(Method::RevokeApiKey, |change| {
            let stored = db::api_keys::find(change, id)?.or_missing(Thing::ApiKey)?;
            change
                .caller
                .reach(&stored.api_key.owner_id, Thing::ApiKey)?;
            let owner = users::get(change, &stored.api_key.owner_id)?;
            change.caller.outrank(&owner)?;
            if db::api_keys::revoke(change, id, change.now())? {
                record(
                    change,
                    EventKind::ApiKeyRevoked,
                    &owner,
                    &stored.api_key,
                    &[],
                )?;
            }
            Ok(())
        })
    }

    /// Returns whose key this is and what it allows. It works while another process is writing. The secret is one that the
    /// library generated, or one that the operator chose and put into a plan.
    ///
    /// # Errors
    /// `InvalidCredential` when it is unknown, malformed, expired or revoked; `AccountPending`, `AccountDisabled`,
    /// `AccountExpired`; the storage errors.
    pub fn verify_api_key(&self, secret: &str) -> Result<Authenticated> {
        let (hash, is_supplied) = tokens::expect_api_key(&self.shared.token_prefix, secret)?;
        self.verified_api_key(hash, is_supplied)
    }
}

impl Keyplate {
    /// Whoever owns the key whose secret has this hash.
    pub(in crate::rules) fn verified_api_key(
        &self,
        hash: SecretHash,
        is_supplied: bool,
    ) -> Result<Authenticated> {
        let db = &self.shared.db;
        let found = match db::api_keys::look_up(db, &hash, is_supplied)? {
            Some(found) => Some(found),
            None => db::api_keys::look_up_rotated(db, &hash, is_supplied)?,
        }
        .ok_or(KeyplateError::InvalidCredential)?;
        if found.revoked || found.expires_at.is_some_and(|end| end <= found.now) {
            return Err(KeyplateError::InvalidCredential);
        }
        check_may_sign_in(found.status, found.user_expires_at, found.now)?;
        let used = found.secret_hash.unwrap_or(hash);
        if self.shared.seen.api_key(db, used, found.now) {
            self.write_refusals();
        }
        let credential = CredentialId::ApiKey(found.id);
        let user = (found.owner_id, found.username, found.role, found.status);
        Ok(Authenticated::new(
            credential,
            found.ceiling,
            user,
            found.expires_at,
        ))
    }
}

pub(in crate::rules) fn create(
    change: &Change<'_>,
    key: &NewApiKey,
    token: &tokens::MintedToken,
) -> Result<ApiKey> {
    let now = change.now();
    let name = checked_name(&key.name)?;
    let note = text::maybe("note", key.note.as_deref(), MAX_NOTE)?;
    let scopes = Scopes::parse("scopes", &key.scopes)?;
    let expires_at = key
        .expires_at
        .map(|end| clock::future("expires_at", end, now))
        .transpose()?;
    let owner_id = key
        .owner_id
        .or(change.caller.user_id())
        .ok_or_else(|| invalid("owner_id", InputReason::Missing))?;
    change.caller.reach(&owner_id, Thing::User)?;
    let owner = users::get(change, &owner_id)?;
    change.caller.outrank(&owner)?;
    let ceiling = Ceiling {
        administrator: owner.role == Role::Administrator && change.caller.is_administrator(),
        scopes,
    };
    check_verifying(&ceiling)?;
    check_may_give(change, &owner, &ceiling, expires_at)?;
    let api_key = ApiKey {
        id: ApiKeyId::generate(now)?,
        owner_id,
        name,
        note,
        scopes: ceiling.scopes.names().to_vec(),
        masked_secret: token.masked.clone(),
        created_at: now,
        last_used_at: None,
        expires_at,
        revoked_at: None,
    };
    let made_by = change.caller.bound().made_by;
    let administrator = ceiling.administrator;
    db::api_keys::insert(
        change,
        &api_key,
        &token.hash,
        administrator,
        made_by.as_ref(),
    )?;
    let details = [("scopes", ceiling.scopes.to_stored())];
    record(change, EventKind::ApiKeyCreated, &owner, &api_key, &details)?;
    Ok(api_key)
}

/// Gives a key another secret and another end; the old secret works for so many seconds more, and no longer than it would
/// have without (K1).
pub(in crate::rules) fn replace_secret(
    change: &Change<'_>,
    owner: &User,
    before: ApiKey,
    expires_at: Option<SystemTime>,
    token: &tokens::MintedToken,
    overlap: i64,
) -> Result<ApiKey> {
    let now = change.now();
    let until = clock::after(now, overlap);
    let ends = [before.expires_at, expires_at];
    let until = ends.into_iter().flatten().fold(until, SystemTime::min);
    let after = ApiKey {
        masked_secret: token.masked.clone(),
        expires_at,
        ..before
    };
    let made_by = change.caller.bound().made_by;
    db::api_keys::replace_secret(change, &after, &token.hash, made_by.as_ref(), until, now)?;
    let details = [("overlap_seconds", overlap.to_string())];
    record(change, EventKind::ApiKeyRotated, owner, &after, &details)?;
    Ok(after)
}

/// Stores a key's end.
pub(in crate::rules) fn renew(change: &Change<'_>, owner: &User, after: &ApiKey) -> Result<()> {
    db::api_keys::set_expiry(change, &after.id, after.expires_at)?;
    record(change, EventKind::ApiKeyRenewed, owner, after, &[])
}

/// Stores a key's note and scopes: only a plan changes them (B6).
pub(in crate::rules) fn update(change: &Change<'_>, owner: &User, after: &ApiKey) -> Result<()> {
    db::api_keys::update(change, after)?;
    let details = [("scopes", after.scopes.join(" "))];
    record(change, EventKind::ApiKeyUpdated, owner, after, &details)
}

pub(in crate::rules) fn checked_name(text: &str) -> Result<String> {
    text::required("name", text, MAX_NAME)
}

/// W2: an ordinary user's key asks about nobody's app password.
pub(in crate::rules) fn check_verifying(ceiling: &Ceiling) -> Result<()> {
    if ceiling.scopes.name_verifying() && !ceiling.administrator {
        return Err(denied(DenialReason::AdministratorsOnly));
    }
    Ok(())
}

/// K2, P5: may the caller give a key of this strength and length?
fn check_may_give(
    change: &Change<'_>,
    owner: &User,
    ceiling: &Ceiling,
    expires_at: Option<SystemTime>,
) -> Result<()> {
    let caller = change.caller;
    let Some(acting) = caller.acting() else {
        return Ok(());
    };
    let above = ceiling.administrator && !acting.ceiling.administrator;
    if above || !acting.ceiling.scopes.covers(&ceiling.scopes) {
        return Err(denied(DenialReason::MoreThanItself));
    }
    if let Some(own_end) = caller.bound().expires_at
        && expires_at.is_none_or(|end| end > own_end)
    {
        return Err(denied(DenialReason::OutlivesItself));
    }
    if caller.is_setup_session_of(&owner.id) {
        return Ok(());
    }
    if ceiling.administrator && ceiling.scopes.are_administrative() {
        return caller.step_up(change);
    }
    caller.recent_sign_in(change)
}

/// A key that the caller may rotate or renew, its owner, and the end that it is to have.
fn changeable(
    change: &Change<'_>,
    id: &ApiKeyId,
    expiry: Option<Expiry>,
) -> Result<(ApiKey, User, Option<SystemTime>)> {
    let now = change.now();
    let StoredApiKey { api_key, ceiling } =
        db::api_keys::find(change, id)?.or_missing(Thing::ApiKey)?;
    change.caller.reach(&api_key.owner_id, Thing::ApiKey)?;
    if change.caller.comes_from(change, id)? {
        return Err(denied(DenialReason::KeyItself));
    }
    let owner = users::get(change, &api_key.owner_id)?;
    change.caller.outrank(&owner)?;
    if api_key.revoked_at.is_some() {
        return Err(crate::error::not_found(Thing::ApiKey));
    }
    let expires_at = match expiry {
        Some(expiry) => expiry.checked("expiry", now)?,
        None => api_key.expires_at,
    };
    if expires_at.is_some_and(|end| end <= now) {
        return Err(crate::error::not_found(Thing::ApiKey));
    }
    check_may_give(change, &owner, &ceiling, expires_at)?;
    Ok((api_key, owner, expires_at))
}

fn record(
    change: &Change<'_>,
    kind: EventKind,
    owner: &User,
    api_key: &ApiKey,
    details: &[(&str, String)],
) -> Result<()> {
    let details: Vec<(&str, &str)> = details
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    change.record(
        kind,
        Subject::of(owner, api_key.id.as_str(), &api_key.name),
        &details,
    )
}
