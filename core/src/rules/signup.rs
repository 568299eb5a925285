//! Signing up (S1, S4–S7).

use std::time::{Duration, SystemTime};

use crate::{
    clock,
    db::{self, Reader},
    error::{ConflictReason, KeyplateError, Result, SignupRefusal, conflict},
    gate::{
        change::{Change, Subject},
        handle::Keyplate,
        limits::{self, Rate},
        list,
        methods::Method,
    },
    model::{
        attempts::Attempt,
        audit::EventKind,
        ids::{SignupRedemptionId, SignupTokenId, UserId},
        named::Named,
        sessions::{SignInMethod, SignedIn},
        settings::Settings,
        signup::{NewSignup, SignupRedemption, SignupRedemptionPage, SignupRedemptionQuery},
        signup_tokens::SignupToken,
        users::{NewUser, User, UserStatus},
    },
    rules::{
        claims,
        sessions::Opening,
        settings::check_mode,
        signup_tokens,
        users::{checks as users, names},
    },
    values::text,
};

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Signs somebody up and in. The use of the token, the account, its groups and claims, and the session are created
    /// together or not at all. If approval is needed, the user is pending, and until an administrator approves, their
    /// session can only look at their own account, register a first passkey and end sessions of their own.
    ///
    /// # Errors
    /// `SignupRefused` when sign-up is disabled, needs a token, or the address is not of an allowed domain;
    /// `InvalidCredential` for a token that cannot be used; `RateLimited`; `InvalidInput`; `Conflict` naming the field
    /// that is taken.
    pub fn sign_up(&self, signup: NewSignup) -> Result<SignedIn> {
        let result = self.sign_up_unnoted(&signup);
        self.note_refusal(EventKind::SignupRefused, &result);
        result
    }

    /// Lists who used sign-up tokens, when and from where. The newest come first.
    ///
    /// # Errors
    /// `InvalidInput`, `PermissionDenied`.
    pub fn list_signup_redemptions(
        &self,
        query: SignupRedemptionQuery,
    ) -> Result<SignupRedemptionPage> {
        let page = list::page_request(query.page, query.limit)?;
        self.read(Method::ListSignupRedemptions, |reader, _| {
            let token_id = query.token_id.as_ref();
            let total = db::signup_tokens::count_redemptions(reader, token_id)?;
            Ok(SignupRedemptionPage {
                items: db::signup_tokens::list_redemptions(reader, token_id, page)?,
                total,
                page: page.page,
            })
        })
    }

    /// Lets a pending user in. From now on, their sign-up session can do whatever they can.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` for a user who does not wait for approval; `PermissionDenied`.
    pub fn approve_user(&self, id: &UserId) -> Result<User> {
        self.write(Method::ApproveUser, |change| {
            let pending = pending_user(change, id)?;
            let user = User {
                status: UserStatus::Active,
                updated_at: change.now(),
                ..pending
            };
            db::users::update(change, &user)?;
            change.record(EventKind::UserApproved, Subject::user(&user), &[])?;
            Ok(user)
        })
    }

    /// Removes a pending user, who leaves nothing behind: their name is free again.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` for a user who does not wait for approval; `PermissionDenied`.
    pub fn reject_user(&self, id: &UserId) -> Result<()> {
        self.write(Method::RejectUser, |change| {
            let user = pending_user(change, id)?;
            users::keep_an_administrator(change, || names::delete_unapproved(change, &user))?;
            change.record(EventKind::UserRejected, Subject::user(&user), &[])
        })
    }
}

/// By what somebody may sign up.
pub(in crate::rules) enum Invitation<'a> {
    None,
    /// The token as it is shown.
    Secret(&'a str),
    /// The token that was shown before (S8).
    Token(SignupTokenId),
}

impl<'a> Invitation<'a> {
    pub(in crate::rules) fn shown(signup: &'a NewSignup) -> Self {
        match signup.token.as_ref().map(|token| token.as_str()) {
            None | Some("") => Self::None,
            Some(secret) => Self::Secret(secret),
        }
    }
}

/// Why somebody may sign up, and what they get.
pub(in crate::rules) struct Admission {
    settings: Settings,
    token: Option<SignupToken>,
    needs_approval: bool,
}

impl Keyplate {
    fn sign_up_unnoted(&self, signup: &NewSignup) -> Result<SignedIn> {
        let invitation = Invitation::shown(signup);
        // Checked on a snapshot first, so that a refused sign-up never takes the write lock. The transaction checks it again.
        self.read(Method::SignUp, |reader, _| {
            self.check_invitation(reader, signup, &invitation).map(drop)
        })?;
        self.write(Method::SignUp, |change| {
            let (admission, user) = self.make_member(change, signup, &invitation)?;
            let opening = Opening::of(&user, SignInMethod::SignUp);
            let signed_in = self.open_session(change, user, change.client, opening)?;
            admission.record(change, &signed_in.user)?;
            Ok(signed_in)
        })
    }

    /// S4: the account, with what the invitation gives, and one use of it.
    pub(in crate::rules) fn make_member(
        &self,
        change: &Change<'_>,
        signup: &NewSignup,
        invitation: &Invitation<'_>,
    ) -> Result<(Admission, User)> {
        let admission = self.admit(change, signup, invitation)?;
        let user = admission.applied(self.checked_member(change, signup)?, change.now());
        names::insert_signed_up(change, &user)?;
        admission.grant(change, &user)?;
        let user = users::get(change, &user.id)?;
        Ok((admission, user))
    }

    /// S1: the mode decides, then the token; names are looked at last (S4).
    pub(in crate::rules) fn check_invitation(
        &self,
        reader: &Reader<'_>,
        signup: &NewSignup,
        invitation: &Invitation<'_>,
    ) -> Result<(Settings, Option<SignupToken>)> {
        let settings = db::settings::load(reader)?;
        check_mode(&settings, !matches!(invitation, Invitation::None))?;
        let token = match invitation {
            Invitation::None => {
                check_domain(&settings, signup)?;
                return Ok((settings, None));
            }
            Invitation::Secret(secret) => self.usable_signup_token(reader, secret)?,
            Invitation::Token(id) => signup_tokens::usable(reader, id)?,
        };
        if !token.admits(signup.email.as_deref()) {
            return Err(KeyplateError::InvalidCredential);
        }
        Ok((settings, Some(token)))
    }

    fn admit(
        &self,
        change: &Change<'_>,
        signup: &NewSignup,
        invitation: &Invitation<'_>,
    ) -> Result<Admission> {
        let (settings, token) = self.check_invitation(change, signup, invitation)?;
        let Some(token) = token else {
            return admit_openly(change, settings);
        };
        Ok(Admission {
            needs_approval: token.needs_approval(settings.signup_approval),
            token: Some(token),
            settings,
        })
    }

    /// The account as it was asked for.
    pub(in crate::rules) fn checked_member(
        &self,
        reader: &Reader<'_>,
        signup: &NewSignup,
    ) -> Result<User> {
        let user = NewUser {
            username: signup.username.clone(),
            email: signup.email.clone(),
            display_name: signup.display_name.clone(),
            first_name: signup.first_name.clone(),
            last_name: signup.last_name.clone(),
            locale: signup.locale.clone(),
            ..NewUser::default()
        };
        let user = user.checked(self.shared.username_policy, reader.now())?;
        users::by_settings(reader, user, false)
    }
}

/// S1: only of these domains, which nobody has proved to be theirs.
fn check_domain(settings: &Settings, signup: &NewSignup) -> Result<()> {
    let domains = &settings.signup_email_domains;
    if domains.is_empty() || is_of_domain(signup.email.as_deref(), domains) {
        return Ok(());
    }
    Err(KeyplateError::SignupRefused {
        reason: SignupRefusal::EmailDomain,
    })
}

/// S1: open sign-up is limited by address, and over all: addresses are cheap.
fn admit_openly(change: &Change<'_>, settings: Settings) -> Result<Admission> {
    let source = limits::source(change.client);
    let rate = |most| Rate {
        most,
        within: Duration::from_secs(3_600),
    };
    if source.is_some() {
        let of_one = rate(settings.open_signups_per_hour);
        limits::check(change, Attempt::OpenSignUp, source.as_deref(), of_one)?;
    }
    let in_all = rate(settings.open_signups_per_hour_in_all);
    limits::check(change, Attempt::OpenSignUp, None, in_all)?;
    limits::note(change, Attempt::OpenSignUp, source.as_deref())?;
    Ok(Admission {
        needs_approval: settings.signup_approval || !settings.signup_email_domains.is_empty(),
        token: None,
        settings,
    })
}

fn is_of_domain(email: Option<&str>, domains: &[String]) -> bool {
    let domain = email.and_then(|email| email.rsplit_once('@'));
    domain.is_some_and(|(_, domain)| {
        let key = text::domain_key(domain);
        domains
            .iter()
            .any(|allowed| text::domain_key(allowed) == key)
    })
}

impl Admission {
    /// Whether they wait for approval, and for how long the account lives.
    fn applied(&self, user: User, now: SystemTime) -> User {
        let token = self.token.as_ref();
        let lifetime = token.and_then(|token| token.account_lifetime_seconds);
        User {
            status: if self.needs_approval {
                UserStatus::Pending
            } else {
                UserStatus::Active
            },
            expires_at: lifetime.map(|seconds| clock::after(now, seconds)),
            ..user
        }
    }

    /// S4, S5: uses the token, and gives what it gives besides the default groups and claims.
    fn grant(&self, change: &Change<'_>, user: &User) -> Result<()> {
        for group in &self.settings.default_group_ids {
            db::groups::add_member(change, group, &user.id)?;
        }
        let of_token = self.token.as_ref().map_or(&[][..], |token| &token.claims);
        let claims = claims::joined(&self.settings.default_claims, of_token);
        db::claims::replace_of_user(change, &user.id, &claims)?;
        let Some(token) = &self.token else {
            return Ok(());
        };
        if !db::signup_tokens::use_once(change, &token.id, change.now())? {
            return Err(KeyplateError::InvalidCredential);
        }
        for group in &token.group_ids {
            db::groups::add_member(change, group, &user.id)?;
        }
        let redemption = SignupRedemption {
            id: SignupRedemptionId::generate(change.now())?,
            token_id: token.id,
            user_id: user.id,
            username: user.username.clone(),
            at: change.now(),
            address: change.client.address.clone(),
            user_agent: change.client.user_agent.clone(),
        };
        db::signup_tokens::insert_redemption(change, &redemption)
    }

    pub(in crate::rules) fn record(&self, change: &Change<'_>, user: &User) -> Result<()> {
        let subject = match &self.token {
            Some(token) => Subject::of(user, token.id.as_str(), &token.masked_secret),
            None => Subject::user(user),
        };
        change.record(
            EventKind::UserSignedUp,
            subject,
            &[("status", user.status.name())],
        )
    }
}

fn pending_user(change: &Change<'_>, id: &UserId) -> Result<User> {
    let user = users::get(change, id)?;
    change.caller.govern(&user)?;
    if user.status != UserStatus::Pending {
        return Err(conflict(ConflictReason::UserNotPending));
    }
    Ok(user)
}
