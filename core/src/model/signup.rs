//! Signing up, and what is kept of it.

use std::{sync::Arc, time::SystemTime};

use crate::{
    model::ids::{SignupRedemptionId, SignupTokenId, UserId},
    secret::Secret,
};

/// Somebody who signs up. An empty text is the same as none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NewSignup {
    /// As in `NewUser`, without `@`, and no name that somebody had before.
    pub username: String,
    /// The sign-up token, if they have one.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub token: Option<Arc<Secret>>,
    /// E-mail address. It is unverified, also where the token is bound to it, and goes when somebody else comes to hold it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub email: Option<String>,
    /// The name that others see.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub display_name: Option<String>,
    /// First name.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub first_name: Option<String>,
    /// Last name.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub last_name: Option<String>,
    /// Language tag, for example `de-CH`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub locale: Option<String>,
}

/// One use of a sign-up token. Names are as they were at that time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SignupRedemption {
    /// The id.
    pub id: SignupRedemptionId,
    /// The token.
    pub token_id: SignupTokenId,
    /// The account that was created. It may have been deleted since.
    pub user_id: UserId,
    /// Its name.
    pub username: String,
    /// When it was used.
    pub at: SystemTime,
    /// From which IP address.
    pub address: Option<String>,
    /// With which user agent.
    pub user_agent: Option<String>,
}

/// Which uses of sign-up tokens to list. The newest come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SignupRedemptionQuery {
    /// Only those of this token.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub token_id: Option<SignupTokenId>,
    /// Which page to return, counted from 1.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<i64>,
    /// How many items to put on a page: 1 to 1000, 20 by default.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<i64>,
}

/// A page of uses of sign-up tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SignupRedemptionPage {
    /// The uses.
    pub items: Vec<SignupRedemption>,
    /// How many there are on all pages.
    pub total: i64,
    /// Which page this is. Past the last page, `items` is empty.
    pub page: i64,
}
