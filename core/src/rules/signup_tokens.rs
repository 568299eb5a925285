//! Sign-up tokens (S2, S3).

use std::{sync::Arc, time::SystemTime};

use crate::{
    clock,
    db::{self, Reader},
    error::{ConflictReason, Found, KeyplateError, Result, Thing, conflict},
    gate::{
        change::{Change, Subject},
        handle::Keyplate,
        list,
        methods::Method,
    },
    model::{
        audit::EventKind,
        claims::Claim,
        ids::{GroupId, SignupTokenId, UserId},
        signup_tokens::{
            CreatedSignupToken, Limit, NewSignupToken, SignupToken, SignupTokenChanges,
            SignupTokenPage, SignupTokenPreview, SignupTokenQuery, SignupTokenState,
        },
    },
    rules::{claims, groups, settings},
    values::{
        text,
        tokens::{self, TokenKind},
    },
};

pub(in crate::rules) const MAX_NOTE: usize = 500;
/// What a token gets when nothing is said: one use within a week.
const DEFAULT_SECONDS: i64 = 7 * 24 * 3_600;
const DEFAULT_USES: i64 = 1;
const MAX_USES: i64 = 1_000_000;
const MAX_ACCOUNT_SECONDS: i64 = 10 * 366 * 24 * 3_600;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Creates a sign-up token. The caller must have the right to give what it gives. `set_signup_token_grants` adds claims
    /// to it.
    ///
    /// # Errors
    /// `InvalidInput`; `NotFound` for a group; `PermissionDenied`.
    pub fn create_signup_token(&self, token: NewSignupToken) -> Result<CreatedSignupToken> {
        self.write(Method::CreateSignupToken, |change| {
            create(change, &self.shared.token_prefix, &token)
        })
    }

    /// Returns a sign-up token with its current state.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    pub fn get_signup_token(&self, id: &SignupTokenId) -> Result<SignupToken> {
        self.read(Method::GetSignupToken, |reader, _| get(reader, id))
    }

    /// Lists sign-up tokens. The newest come first.
    ///
    /// # Errors
    /// `InvalidInput`, `PermissionDenied`.
    pub fn list_signup_tokens(&self, query: SignupTokenQuery) -> Result<SignupTokenPage> {
        let page = list::page_request(query.page, query.limit)?;
        self.read(Method::ListSignupTokens, |reader, _| {
            let total = db::signup_tokens::count(reader, query.include_revoked)?;
            Ok(SignupTokenPage {
                items: db::signup_tokens::list(reader, &query, page)?,
                total,
                page: page.page,
            })
        })
    }

    /// Changes a sign-up token: extends it, pauses it, or raises its limit. The next sign-up is bound by the change.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput`; `Conflict` when it is revoked; `PermissionDenied`.
    pub fn update_signup_token(
        &self,
        id: &SignupTokenId,
        changes: SignupTokenChanges,
    ) -> Result<SignupToken> {
        self.write(Method::UpdateSignupToken, |change| {
            let before = get(change, id)?;
            let after = changes.applied(before.clone(), change.now())?;
            if after == before {
                return Ok(before); // what is only repeated is no change
            }
            check_changeable(&before)?;
            // Whoever changes it gives again what it gives.
            check_may_give(change, &before.group_ids, &before.claims)?;
            store(change, &after)
        })
    }

    /// Makes a sign-up token give exactly these groups and claims from now on.
    ///
    /// # Errors
    /// `NotFound` for the token or a group; `InvalidInput`; `Conflict` when it is revoked; `PermissionDenied`.
    pub fn set_signup_token_grants(
        &self,
        id: &SignupTokenId,
        group_ids: &[GroupId],
        claims: Vec<Claim>,
    ) -> Result<SignupToken> {
        self.write(Method::SetSignupTokenGrants, |change| {
            let before = get(change, id)?;
            if groups::hold_the_same(&before.group_ids, group_ids)
                && groups::hold_the_same(&before.claims, &claims)
            {
                return Ok(before);
            }
            check_changeable(&before)?;
            let claims = claims::checked(claims.clone())?;
            check_may_give(change, &before.group_ids, &before.claims)?;
            check_may_give(change, group_ids, &claims)?;
            set_grants(change, id, group_ids, &claims)
        })
    }

    /// Revokes a sign-up token for good. Accounts made with it stay. Doing it again does nothing.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    pub fn revoke_signup_token(&self, id: &SignupTokenId) -> Result<()> {
        self.write(Method::RevokeSignupToken, |change| {
            let token = get(change, id)?;
            if db::signup_tokens::revoke(change, id, change.now())? {
                record(change, EventKind::SignupTokenRevoked, &token)?;
            }
            Ok(())
        })
    }

    /// Looks at a sign-up token without using it.
    ///
    /// # Errors
    /// `SignupRefused` when sign-up is disabled; `InvalidCredential` for a token that cannot be used, whatever the
    /// reason.
    pub fn inspect_signup_token(&self, token: &str) -> Result<SignupTokenPreview> {
        self.read(Method::InspectSignupToken, |reader, _| {
            let settings = db::settings::load(reader)?;
            settings::check_mode(&settings, true)?;
            let token = self.usable_signup_token(reader, token)?;
            Ok(SignupTokenPreview {
                expires_at: token.expires_at,
                needs_approval: token.needs_approval(settings.signup_approval),
                email: token.email,
                account_lifetime_seconds: token.account_lifetime_seconds,
            })
        })
    }
}

impl Keyplate {
    /// S6: whatever is wrong with it, it is the same error.
    pub(in crate::rules) fn usable_signup_token(
        &self,
        reader: &Reader<'_>,
        secret: &str,
    ) -> Result<SignupToken> {
        let hash = tokens::expect(&self.shared.token_prefix, TokenKind::SignUp, secret)?;
        only_usable(db::signup_tokens::find_by_secret(reader, &hash)?)
    }
}

pub(in crate::rules) fn create(
    change: &Change<'_>,
    prefix: &str,
    token: &NewSignupToken,
) -> Result<CreatedSignupToken> {
    let minted = tokens::mint(prefix, TokenKind::SignUp)?;
    let made = token.checked(change, &minted.masked)?;
    check_may_give(change, &token.group_ids, &[])?;
    db::signup_tokens::insert(change, &made, &minted.hash)?;
    db::groups::replace_of_signup_token(change, &made.id, &token.group_ids)?;
    let signup_token = get(change, &made.id)?;
    record(change, EventKind::SignupTokenCreated, &signup_token)?;
    Ok(CreatedSignupToken {
        signup_token,
        secret: Arc::new(minted.secret),
    })
}

pub(in crate::rules) fn store(change: &Change<'_>, token: &SignupToken) -> Result<SignupToken> {
    db::signup_tokens::update(change, token)?;
    let after = get(change, &token.id)?;
    record(change, EventKind::SignupTokenUpdated, &after)?;
    Ok(after)
}

/// Makes a token give exactly these groups, which exist, and these claims.
pub(in crate::rules) fn set_grants(
    change: &Change<'_>,
    id: &SignupTokenId,
    group_ids: &[GroupId],
    claims: &[Claim],
) -> Result<SignupToken> {
    db::groups::replace_of_signup_token(change, id, group_ids)?;
    db::claims::replace_of_signup_token(change, id, claims)?;
    let after = get(change, id)?;
    record(change, EventKind::SignupTokenUpdated, &after)?;
    Ok(after)
}

/// One that was shown before.
pub(in crate::rules) fn usable(reader: &Reader<'_>, id: &SignupTokenId) -> Result<SignupToken> {
    only_usable(db::signup_tokens::find(reader, id)?)
}

fn only_usable(token: Option<SignupToken>) -> Result<SignupToken> {
    match token {
        Some(token) if token.state == SignupTokenState::Usable => Ok(token),
        _ => Err(KeyplateError::InvalidCredential),
    }
}

impl NewSignupToken {
    fn checked(&self, change: &Change<'_>, masked: &str) -> Result<SignupToken> {
        let now = change.now();
        Ok(SignupToken {
            id: SignupTokenId::generate(now)?,
            note: text::maybe("note", self.note.as_deref(), MAX_NOTE)?,
            state: SignupTokenState::Usable,
            expires_at: match self.expiry {
                Some(expiry) => expiry.checked("expiry", now)?,
                None => Some(clock::after(now, DEFAULT_SECONDS)),
            },
            max_uses: self
                .uses
                .unwrap_or(Limit::AtMost { most: DEFAULT_USES })
                .checked("uses", 1, MAX_USES)?,
            uses: 0,
            group_ids: Vec::new(),
            claims: Vec::new(),
            account_lifetime_seconds: match self.account_lifetime_seconds {
                Some(most) => Limit::AtMost { most }.checked(
                    "account_lifetime_seconds",
                    1,
                    MAX_ACCOUNT_SECONDS,
                )?,
                None => None,
            },
            approval: self.approval.unwrap_or_default(),
            enabled: true,
            email: self.email.as_deref().map_or(Ok(None), bound_email)?,
            created_by: change.caller.user_id().map(|id: UserId| id.to_string()),
            created_at: now,
            revoked_at: None,
            masked_secret: masked.to_owned(),
        })
    }
}

impl SignupTokenChanges {
    pub(in crate::rules) fn applied(
        &self,
        before: SignupToken,
        now: SystemTime,
    ) -> Result<SignupToken> {
        Ok(SignupToken {
            note: match &self.note {
                Some(note) if Some(note) != before.note.as_ref() => {
                    text::optional("note", note, MAX_NOTE)?
                }
                _ => before.note,
            },
            expires_at: match self.expiry {
                Some(expiry) if expiry.is_stored(before.expires_at) => before.expires_at,
                Some(expiry) => expiry.checked("expiry", now)?,
                None => before.expires_at,
            },
            max_uses: match self.uses {
                Some(limit) if limit.most() == before.max_uses => before.max_uses,
                Some(limit) => limit.checked("uses", before.uses.max(1), MAX_USES)?,
                None => before.max_uses,
            },
            account_lifetime_seconds: match self.account_lifetime {
                Some(limit) if limit.most() == before.account_lifetime_seconds => {
                    before.account_lifetime_seconds
                }
                Some(limit) => limit.checked("account_lifetime", 1, MAX_ACCOUNT_SECONDS)?,
                None => before.account_lifetime_seconds,
            },
            approval: self.approval.unwrap_or(before.approval),
            enabled: self.enabled.unwrap_or(before.enabled),
            email: match &self.email {
                Some(email) if Some(email) != before.email.as_ref() => bound_email(email)?,
                _ => before.email,
            },
            ..before
        })
    }
}

/// An address, or `@` and a domain.
fn bound_email(text: &str) -> Result<Option<String>> {
    match text.trim().strip_prefix('@') {
        Some(domain) => {
            let address = text::email(&format!("a@{domain}"))?;
            Ok(address.map(|address| address[1..].to_owned()))
        }
        None => text::email(text),
    }
}

pub(in crate::rules) fn get(reader: &Reader<'_>, id: &SignupTokenId) -> Result<SignupToken> {
    db::signup_tokens::find(reader, id)?.or_missing(Thing::SignupToken)
}

fn check_changeable(token: &SignupToken) -> Result<()> {
    match token.revoked_at {
        Some(_) => Err(conflict(ConflictReason::SignupTokenRevoked)),
        None => Ok(()),
    }
}

/// S2: nobody gives by a token what they may not give themselves.
fn check_may_give(change: &Change<'_>, group_ids: &[GroupId], claims: &[Claim]) -> Result<()> {
    if !group_ids.is_empty() {
        change.caller.may_give_groups()?;
        groups::check_all_exist(change, group_ids)?;
    }
    if !claims.is_empty() {
        change.caller.may_give_claims()?;
    }
    Ok(())
}

fn record(change: &Change<'_>, kind: EventKind, token: &SignupToken) -> Result<()> {
    let name = token.note.as_deref().unwrap_or(&token.masked_secret);
    change.record(kind, Subject::thing(token.id.as_str(), name), &[])
}
