//! Sign-up tokens, which let people join.

use std::{sync::Arc, time::SystemTime};

use crate::{
    error::Result,
    model::{
        claims::Claim,
        ids::{GroupId, SignupTokenId},
        named::named,
        users::Expiry,
    },
    secret::Secret,
    values::{numbers::within, text},
};

/// A token with which people sign up, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SignupToken {
    /// The id.
    pub id: SignupTokenId,
    /// What it is for.
    pub note: Option<String>,
    /// Whether it can be used now, and if not, why. Strangers are not told why.
    pub state: SignupTokenState,
    /// When it ends.
    pub expires_at: Option<SystemTime>,
    /// How many times it may be used. If absent, there is no limit.
    pub max_uses: Option<i64>,
    /// How many times it has been used.
    pub uses: i64,
    /// The groups that it gives, in addition to the default groups.
    pub group_ids: Vec<GroupId>,
    /// The claims that it gives.
    pub claims: Vec<Claim>,
    /// After how many seconds an account made with it lapses.
    pub account_lifetime_seconds: Option<i64>,
    /// Whether an administrator has to approve people who use it.
    pub approval: ApprovalRule,
    /// Whether it may be used at all. It is false while the token is paused.
    pub enabled: bool,
    /// The address, or `@domain`, to which it is bound.
    pub email: Option<String>,
    /// Who created it. It is absent if the host did.
    pub created_by: Option<String>,
    /// When it was created.
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
    /// It has expired.
    Expired,
    /// It has been used as often as it may be.
    Exhausted,
    /// An administrator has paused it.
    Paused,
    /// An administrator has revoked it for good.
    Revoked,
}

/// Whether an administrator has to approve people who sign up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum ApprovalRule {
    /// As the settings say when it is used.
    #[default]
    Setting,
    /// Yes.
    Needed,
    /// No.
    NotNeeded,
}

named!(ApprovalRule {
    Setting = "setting",
    Needed = "needed",
    NotNeeded = "not_needed",
});

/// A limit, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Limit {
    /// No limit.
    Unlimited,
    /// No more than this.
    AtMost {
        /// The number.
        most: i64,
    },
}

/// A sign-up token to create. By default it works once, within 7 days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NewSignupToken {
    /// What it is for, in at most 500 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub note: Option<String>,
    /// When it ends. The default is after 7 days.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub expiry: Option<Expiry>,
    /// How many times it may be used. The default is once.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub uses: Option<Limit>,
    /// The groups that it gives. Whoever creates it must have the right to change groups.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub group_ids: Vec<GroupId>,
    /// After how many seconds an account that is created with it lapses. By default it never does.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub account_lifetime_seconds: Option<i64>,
    /// Whether an administrator has to approve people who use it. By default the settings decide.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub approval: Option<ApprovalRule>,
    /// The address, or the domain (`@example.org`), to which it is bound. Only people who give such an address may use it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub email: Option<String>,
}

/// Changes to a sign-up token. What is left out stays the same, and an empty text removes a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SignupTokenChanges {
    /// What it is for.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub note: Option<String>,
    /// A new end. An expired token works again.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub expiry: Option<Expiry>,
    /// How many times it may be used: at least as often as it has been.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub uses: Option<Limit>,
    /// After how many seconds an account that is created with it from now on lapses.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub account_lifetime: Option<Limit>,
    /// Whether an administrator has to approve people who use it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub approval: Option<ApprovalRule>,
    /// Whether it may be used. False pauses it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub enabled: Option<bool>,
    /// The address, or `@domain`, to which it is bound.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub email: Option<String>,
}

/// A sign-up token that has just been created.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct CreatedSignupToken {
    /// The token.
    pub signup_token: SignupToken,
    /// The secret, which is shown only this once, for the link that is sent.
    pub secret: Arc<Secret>,
}

/// Which sign-up tokens to list. The newest come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SignupTokenQuery {
    /// Whether to include revoked tokens.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub include_revoked: bool,
    /// The order. The default is the order of creation.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sort: Option<SignupTokenSort>,
    /// Whether the smallest come first.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub ascending: bool,
    /// Which page to return, counted from 1.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<i64>,
    /// How many items to put on a page: 1 to 1000, 20 by default.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<i64>,
}

/// An order of sign-up tokens. Equal ones are ordered by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum SignupTokenSort {
    /// By time of creation.
    #[default]
    CreatedAt,
    /// By the time at which they end.
    ExpiresAt,
    /// By how often they may be used.
    MaxUses,
    /// By how often they were used.
    Uses,
}

/// A page of sign-up tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SignupTokenPage {
    /// The tokens.
    pub items: Vec<SignupToken>,
    /// How many there are on all pages.
    pub total: i64,
    /// Which page this is. Past the last page, `items` is empty.
    pub page: i64,
}

/// What the holder of a sign-up token may know about it before they use it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SignupTokenPreview {
    /// When it ends.
    pub expires_at: Option<SystemTime>,
    /// Whether an administrator will have to approve the account.
    pub needs_approval: bool,
    /// The address, or `@domain`, to which it is bound.
    pub email: Option<String>,
    /// After how many seconds the account will lapse.
    pub account_lifetime_seconds: Option<i64>,
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
        match bound.strip_prefix('@') {
            Some(bound) => email
                .rsplit_once('@')
                .is_some_and(|(_, domain)| text::domain_key(domain) == text::domain_key(bound)),
            None => text::name_key(bound) == text::name_key(email),
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

impl Limit {
    /// The number, if there is one.
    pub(crate) fn most(self) -> Option<i64> {
        match self {
            Self::Unlimited => None,
            Self::AtMost { most } => Some(most),
        }
    }

    pub(crate) fn checked(self, field: &str, least: i64, most: i64) -> Result<Option<i64>> {
        match self {
            Self::Unlimited => Ok(None),
            Self::AtMost { most: number } => within(field, number, least, most).map(Some),
        }
    }
}
