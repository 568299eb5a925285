use std::{sync::Arc, time::SystemTime};

use crate::{
    Claim, EventKind, Expiry, GroupId, Keyplate, KeyplateError, Result, Secret, SignupTokenId,
    UserId,
    audit::{Change, Subject},
    authority::Method,
    claims, clock,
    db::{self, Found, Reader, text_enum},
    error::{conflict, invalid},
    groups, list, settings, text,
    tokens::{self, TokenKind},
};

pub(crate) const MAX_NOTE: usize = 500;
/// What a token gets when nothing is said: one use within a week.
const DEFAULT_SECONDS: u32 = 7 * 24 * 3_600;
const DEFAULT_USES: u32 = 1;
const MAX_USES: u32 = 1_000_000;
const MAX_ACCOUNT_SECONDS: u32 = 10 * 366 * 24 * 3_600;

/// Something with which people sign up, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SignupToken {
    /// Names it.
    pub id: SignupTokenId,
    /// What it is for.
    pub note: Option<String>,
    /// Can it be used now, and if not, why? Strangers are not told why.
    pub state: SignupTokenState,
    /// When it ends.
    pub expires_at: Option<SystemTime>,
    /// How many times it may be used; without limit if none.
    pub max_uses: Option<u32>,
    /// How many times it has been used.
    pub uses: u32,
    /// The groups that it gives, besides the default groups.
    pub group_ids: Vec<GroupId>,
    /// The claims that it gives.
    pub claims: Vec<Claim>,
    /// After how many seconds an account made with it lapses.
    pub account_lifetime_seconds: Option<u32>,
    /// Does an administrator approve who uses it?
    pub approval: ApprovalRule,
    /// May it be used at all? False while paused.
    pub enabled: bool,
    /// The address, or `@domain`, to which it is bound.
    pub email: Option<String>,
    /// Who made it; none for the host.
    pub created_by: Option<String>,
    /// When it was made.
    pub created_at: SystemTime,
    /// When it was revoked.
    pub revoked_at: Option<SystemTime>,
    /// The secret's kind and last 4 characters.
    pub masked_secret: String,
}

/// The state of a sign-up token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum SignupTokenState {
    /// It can be used.
    Usable,
    /// Its time is over.
    Expired,
    /// It was used as often as it may be.
    Exhausted,
    /// An administrator has paused it.
    Paused,
    /// An administrator has revoked it, for good.
    Revoked,
}

/// Does an administrator approve who signs up?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum ApprovalRule {
    /// As the settings say at that time.
    #[default]
    Setting,
    /// Yes.
    Needed,
    /// No.
    NotNeeded,
}

text_enum!(ApprovalRule {
    Setting = "setting",
    Needed = "needed",
    NotNeeded = "not_needed",
});

/// At most so much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Limit {
    /// Without limit.
    Unlimited,
    /// No more than this.
    AtMost {
        /// The number.
        most: u32,
    },
}

/// A sign-up token to be made. When nothing is said, it works once, within 7 days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NewSignupToken {
    /// What it is for, in at most 500 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub note: Option<String>,
    /// When it ends; by default after 7 days.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub expiry: Option<Expiry>,
    /// How many times it may be used; by default once.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub uses: Option<Limit>,
    /// The groups that it gives. Its maker must have the right to change groups.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub group_ids: Vec<GroupId>,
    /// After how many seconds an account made with it lapses; by default never.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub account_lifetime_seconds: Option<u32>,
    /// Does an administrator approve who uses it? By default as the settings say.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub approval: Option<ApprovalRule>,
    /// Only who gives this address, or one of this domain (`@example.org`), may use it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub email: Option<String>,
}

/// Changes to a sign-up token: what is left out stays; empty text takes a value away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SignupTokenChanges {
    /// What it is for.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub note: Option<String>,
    /// A new end; an expired token works again.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub expiry: Option<Expiry>,
    /// How many times it may be used, at least as often as it has been.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub uses: Option<Limit>,
    /// After how many seconds an account lapses that is made with it from now on.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub account_lifetime: Option<Limit>,
    /// Does an administrator approve who uses it?
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub approval: Option<ApprovalRule>,
    /// False pauses it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub enabled: Option<bool>,
    /// The address, or `@domain`, to which it is bound.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub email: Option<String>,
}

/// A sign-up token that has just been made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct CreatedSignupToken {
    /// The token.
    pub signup_token: SignupToken,
    /// The secret, shown this once: for the link that is sent.
    pub secret: Arc<Secret>,
}

/// Which sign-up tokens, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SignupTokenQuery {
    /// Revoked ones too.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub include_revoked: bool,
    /// Which page, from 1.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<u32>,
    /// How many on a page: 1 to 1000, by default 20.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<u32>,
}

/// A page of sign-up tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SignupTokenPage {
    /// The tokens.
    pub items: Vec<SignupToken>,
    /// How many there are in all.
    pub total: u64,
    /// Which page this is; the last one when a later one was asked for.
    pub page: u32,
}

/// What the holder of a sign-up token may know of it before he uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SignupTokenPreview {
    /// When it ends.
    pub expires_at: Option<SystemTime>,
    /// Will an administrator have to approve?
    pub needs_approval: bool,
    /// The address, or `@domain`, to which it is bound.
    pub email: Option<String>,
    /// After how many seconds the account will lapse.
    pub account_lifetime_seconds: Option<u32>,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Makes a sign-up token. What it gives, its maker must have the right to give himself; claims are given by
    /// `set_signup_token_grants`.
    ///
    /// # Errors
    /// `InvalidInput`; `NotFound` for a group; `PermissionDenied`.
    pub fn create_signup_token(&self, token: NewSignupToken) -> Result<CreatedSignupToken> {
        self.write(Method::CreateSignupToken, |change| {
            create(change, &self.shared.token_prefix, &token)
        })
    }

    /// Gives a sign-up token with its true state.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    pub fn get_signup_token(&self, id: &SignupTokenId) -> Result<SignupToken> {
        self.read(Method::GetSignupToken, |reader, _| get(reader, id))
    }

    /// Lists sign-up tokens, the newest first.
    ///
    /// # Errors
    /// `InvalidInput`, `PermissionDenied`.
    pub fn list_signup_tokens(&self, query: SignupTokenQuery) -> Result<SignupTokenPage> {
        let page = list::page_request(query.page, query.limit)?;
        self.read(Method::ListSignupTokens, |reader, _| {
            let total = db::signup_tokens::count(reader, query.include_revoked)?;
            let page = page.within(total);
            Ok(SignupTokenPage {
                items: db::signup_tokens::list(reader, query.include_revoked, page)?,
                total,
                page: page.page,
            })
        })
    }

    /// Changes a sign-up token, with effect on the next sign-up: extend it, pause it, raise its limit.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput`; `Conflict` when it is revoked; `PermissionDenied`.
    pub fn update_signup_token(
        &self,
        id: &SignupTokenId,
        changes: SignupTokenChanges,
    ) -> Result<SignupToken> {
        self.write(Method::UpdateSignupToken, |change| {
            let before = changeable(change, id)?;
            // Who changes it gives again what it gives.
            check_may_give(change, &before.group_ids, &before.claims)?;
            store(change, &changes.applied(before, change.now())?)
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
        let claims = claims::checked(claims)?;
        self.write(Method::SetSignupTokenGrants, |change| {
            let before = changeable(change, id)?;
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

    /// Looks at a sign-up token without using it (S3).
    ///
    /// # Errors
    /// `SignupRefused` when sign-up is disabled; `InvalidCredential` for a token that cannot be used, whatever the
    /// reason.
    pub fn inspect_signup_token(&self, token: &str) -> Result<SignupTokenPreview> {
        self.read(Method::InspectSignupToken, |reader, _| {
            let settings = settings::load(reader)?;
            crate::signup::check_mode(&settings, true)?;
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
    pub(crate) fn usable_signup_token(
        &self,
        reader: &Reader<'_>,
        secret: &str,
    ) -> Result<SignupToken> {
        let hash = tokens::expect(&self.shared.token_prefix, TokenKind::SignUp, secret)?;
        only_usable(db::signup_tokens::find_by_secret(reader, &hash)?)
    }
}

pub(crate) fn create(
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

pub(crate) fn store(change: &Change<'_>, token: &SignupToken) -> Result<SignupToken> {
    db::signup_tokens::update(change, token)?;
    let after = get(change, &token.id)?;
    record(change, EventKind::SignupTokenUpdated, &after)?;
    Ok(after)
}

/// Makes a token give exactly these groups, which exist, and these claims.
pub(crate) fn set_grants(
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
pub(crate) fn usable(reader: &Reader<'_>, id: &SignupTokenId) -> Result<SignupToken> {
    only_usable(db::signup_tokens::find(reader, id)?)
}

fn only_usable(token: Option<SignupToken>) -> Result<SignupToken> {
    match token {
        Some(token) if token.state == SignupTokenState::Usable => Ok(token),
        _ => Err(KeyplateError::InvalidCredential),
    }
}

impl SignupToken {
    pub(crate) fn needs_approval(&self, setting: bool) -> bool {
        match self.approval {
            ApprovalRule::Setting => setting,
            ApprovalRule::Needed => true,
            ApprovalRule::NotNeeded => false,
        }
    }

    /// S2: is it bound to another address?
    pub(crate) fn admits(&self, email: Option<&str>) -> bool {
        let Some(bound) = &self.email else {
            return true;
        };
        let Some(email) = email else { return false };
        let (bound, email) = (text::folded(bound), text::folded(email));
        if bound.starts_with('@') {
            email
                .rsplit_once('@')
                .is_some_and(|(_, domain)| bound[1..] == *domain)
        } else {
            bound == email
        }
    }

    /// What is true of it at this time; set once it is loaded.
    pub(crate) fn with_state(mut self, now: SystemTime) -> Self {
        self.state = if self.revoked_at.is_some() {
            SignupTokenState::Revoked
        } else if !self.enabled {
            SignupTokenState::Paused
        } else if self.expires_at.is_some_and(|end| end <= now) {
            SignupTokenState::Expired
        } else if self.max_uses.is_some_and(|most| self.uses >= most) {
            SignupTokenState::Exhausted
        } else {
            SignupTokenState::Usable
        };
        self
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
    pub(crate) fn applied(&self, before: SignupToken, now: SystemTime) -> Result<SignupToken> {
        Ok(SignupToken {
            note: match &self.note {
                Some(note) => text::optional("note", note, MAX_NOTE)?,
                None => before.note,
            },
            expires_at: match self.expiry {
                Some(expiry) => expiry.checked("expiry", now)?,
                None => before.expires_at,
            },
            max_uses: match self.uses {
                Some(limit) => limit.checked("uses", before.uses.max(1), MAX_USES)?,
                None => before.max_uses,
            },
            account_lifetime_seconds: match self.account_lifetime {
                Some(limit) => limit.checked("account_lifetime", 1, MAX_ACCOUNT_SECONDS)?,
                None => before.account_lifetime_seconds,
            },
            approval: self.approval.unwrap_or(before.approval),
            enabled: self.enabled.unwrap_or(before.enabled),
            email: match &self.email {
                Some(email) => bound_email(email)?,
                None => before.email,
            },
            ..before
        })
    }
}

impl Limit {
    fn checked(self, field: &str, least: u32, most: u32) -> Result<Option<u32>> {
        match self {
            Self::Unlimited => Ok(None),
            Self::AtMost { most: number } if (least..=most).contains(&number) => Ok(Some(number)),
            Self::AtMost { .. } => Err(invalid(
                field,
                format!("must be between {least} and {most}"),
            )),
        }
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

pub(crate) fn get(reader: &Reader<'_>, id: &SignupTokenId) -> Result<SignupToken> {
    db::signup_tokens::find(reader, id)?.or_missing("sign-up token")
}

fn changeable(reader: &Reader<'_>, id: &SignupTokenId) -> Result<SignupToken> {
    let token = get(reader, id)?;
    if token.revoked_at.is_some() {
        return Err(conflict("the sign-up token is revoked"));
    }
    Ok(token)
}

/// S2: nobody gives by a token what he may not give himself.
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
