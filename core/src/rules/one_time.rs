//! One-time codes and tokens (O1–O3), and the limit on guessing codes (C3).

use std::{sync::Arc, time::Duration};

use crate::{
    clock, db,
    error::{Found, KeyplateError, Result, Thing},
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
        ids::{OneTimeTokenId, UserId},
        one_time::{CreatedOneTimeToken, OneTimeToken, StoredOneTimeToken},
        sessions::{SignInMethod, SignedIn},
        users::{Role, User},
    },
    rules::{sessions::Opening, users::checks as users},
    secret::Secret,
    values::{
        codes,
        numbers::within,
        scopes::{Ceiling, Scopes},
        tokens::{self, SecretHash, TokenKind},
    },
};

/// O1.
const DEFAULT_SECONDS: i64 = 15 * 60;
const MAX_SECONDS: i64 = 31 * 24 * 3_600;
/// C3: what lives no longer than this is a code that a person types.
const MAX_CODE_SECONDS: i64 = 15 * 60;

/// O3: the life of a session that recovers.
const RECOVERY_SECONDS: i64 = 15 * 60;

/// C3: wrong codes of one address.
const WRONG_FROM_ADDRESS: Rate = Rate {
    most: 10,
    within: Duration::from_secs(600),
};
/// C3: wrong codes from everywhere.
const WRONG_IN_ALL: Rate = Rate {
    most: 200,
    within: Duration::from_secs(1),
};
/// C3: so many wrong ones in an hour are an event.
const SUSPICIOUS: Rate = Rate {
    most: 1_000,
    within: Duration::from_secs(3_600),
};

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Creates a token that signs a user in once. It lives for 1 second to 31 days, 15 minutes by default. Up to 15 minutes
    /// it is a code of eight characters, beyond that a long token. Its session can do no more than whoever created it.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput`; `AccountPending`, `AccountDisabled`, `AccountExpired`; `PermissionDenied`;
    /// `StepUpRequired` for oneself, when the sign-in is too old, and for other administrators.
    pub fn create_one_time_token(
        &self,
        user_id: &UserId,
        lifetime_seconds: Option<i64>,
    ) -> Result<CreatedOneTimeToken> {
        let lifetime = checked_lifetime(lifetime_seconds)?;
        self.write(Method::CreateOneTimeToken, |change| {
            let user = users::get(change, user_id)?;
            change.caller.outrank(&user)?;
            if change.caller.user_id() == Some(user.id) {
                // P5: an old session does not become a fresh one by a code for itself.
                change.caller.recent_sign_in(change)?;
            } else if user.role == Role::Administrator {
                // Nor by one for another administrator, who has no passkey yet and would get one by it.
                change.caller.step_up(change)?;
            }
            self.create_one_time(change, &user, lifetime, handed_on(change, &user), false)
        })
    }

    /// Creates a token like `create_one_time_token`, for a user who has lost their passkey. Within 15 minutes of its use they
    /// may register a new passkey and delete others. All their other sessions end.
    ///
    /// # Errors
    /// As `create_one_time_token`; `StepUpRequired` for all but the host.
    pub fn create_recovery_token(
        &self,
        user_id: &UserId,
        lifetime_seconds: Option<i64>,
    ) -> Result<CreatedOneTimeToken> {
        let lifetime = checked_lifetime(lifetime_seconds)?;
        self.write(Method::CreateRecoveryToken, |change| {
            let user = users::get(change, user_id)?;
            change.caller.outrank(&user)?;
            change.caller.step_up(change)?;
            change.caller.covers_sign_in_of(&user)?;
            change.caller.may_give_for_good(change, &user)?;
            let ceiling = Ceiling {
                scopes: Scopes::recovery(),
                administrator: false,
            };
            self.create_one_time(change, &user, lifetime, ceiling, true)
        })
    }

    /// Lists the one-time tokens that still work, of one user or of all, the newest first. To users who are no
    /// administrators it does not tell who made theirs.
    ///
    /// # Errors
    /// `PermissionDenied`.
    pub fn list_one_time_tokens(&self, user_id: Option<UserId>) -> Result<Vec<OneTimeToken>> {
        self.read(Method::ListOneTimeTokens, |reader, caller| {
            let user_id = list::visible_owner(caller, user_id)?;
            let mut tokens = db::one_time_tokens::list(reader, user_id.as_ref(), reader.now())?;
            if !caller.is_administrator() {
                let own = caller.user_id().map(|id| id.to_string());
                let others = tokens.iter_mut().filter(|token| token.created_by != own);
                others.for_each(|token| token.created_by = None);
            }
            Ok(tokens)
        })
    }

    /// Revokes a one-time token.
    ///
    /// # Errors
    /// `NotFound` when there is none, or it was used; `PermissionDenied`.
    pub fn revoke_one_time_token(&self, id: &OneTimeTokenId) -> Result<()> {
        self.write(Method::RevokeOneTimeToken, |change| {
            let token = db::one_time_tokens::find(change, id)?.or_missing(Thing::OneTimeToken)?;
            let user = users::get(change, &token.user_id)?;
            change.caller.outrank(&user)?;
            db::one_time_tokens::delete(change, id)?;
            record(change, EventKind::OneTimeTokenRevoked, &user, &token)
        })
    }

    /// Signs a user in with a one-time token or code, or the secret of a device link, and uses it up. In a code, case, dashes and blanks do not matter, and
    /// `O`, `I` and `L` are read as `0`, `1` and `1`. After 10 wrong codes from one address within 10 minutes, it is
    /// `RateLimited`. Long tokens are not limited.
    ///
    /// # Errors
    /// `InvalidCredential` when it is unknown, used, revoked or expired; `RateLimited`; `AccountPending`,
    /// `AccountDisabled`, `AccountExpired`, which do not use it up.
    pub fn redeem_one_time_token(&self, token: &str) -> Result<SignedIn> {
        let result = match tokens::expect(&self.shared.token_prefix, TokenKind::OneTime, token) {
            Ok(hash) => self.write(Method::RedeemOneTimeToken, |change| {
                match self.redeem(change, &hash, false)? {
                    Some(signed_in) => Ok(signed_in),
                    None => self
                        .redeem_link(change, &hash)?
                        .ok_or(KeyplateError::InvalidCredential),
                }
            }),
            Err(_) => match codes::normalised(token) {
                Some(code) => self.redeem_code(&code),
                None => Err(KeyplateError::InvalidCredential),
            },
        };
        self.note_refusal(EventKind::OneTimeTokenRefused, &result);
        result
    }
}

struct MintedOneTime {
    secret: Secret,
    hash: SecretHash,
    masked: String,
    is_code: bool,
}

impl Keyplate {
    fn create_one_time(
        &self,
        change: &Change<'_>,
        user: &User,
        lifetime: i64,
        ceiling: Ceiling,
        is_recovery: bool,
    ) -> Result<CreatedOneTimeToken> {
        user.check_may_sign_in(change.now())?;
        let minted = self.mint_one_time(change, lifetime <= MAX_CODE_SECONDS)?;
        let stored = StoredOneTimeToken {
            one_time_token: OneTimeToken {
                id: OneTimeTokenId::generate(change.now())?,
                user_id: user.id,
                is_code: minted.is_code,
                is_recovery,
                created_at: change.now(),
                expires_at: clock::after(change.now(), lifetime),
                created_by: change.caller.user_id().map(|id| id.to_string()),
                masked_secret: minted.masked,
            },
            ceiling,
            bound: change.caller.bound(),
        };
        db::one_time_tokens::insert(change, &stored, &minted.hash)?;
        let kind = if is_recovery {
            EventKind::RecoveryTokenCreated
        } else {
            EventKind::OneTimeTokenCreated
        };
        record(change, kind, user, &stored.one_time_token)?;
        Ok(CreatedOneTimeToken {
            one_time_token: stored.one_time_token,
            secret: Arc::new(minted.secret),
        })
    }

    fn mint_one_time(&self, change: &Change<'_>, is_code: bool) -> Result<MintedOneTime> {
        if !is_code {
            let token = tokens::mint(&self.shared.token_prefix, TokenKind::OneTime)?;
            return Ok(MintedOneTime {
                secret: token.secret,
                hash: token.hash,
                masked: token.masked,
                is_code,
            });
        }
        db::one_time_tokens::delete_expired_codes(change, change.now())?;
        loop {
            let code = codes::mint()?;
            let hash = self.shared.code_key.hash(&code);
            // Two codes that are good at the same time differ.
            if db::one_time_tokens::find_by_secret(change, &hash)?.is_none() {
                return Ok(MintedOneTime {
                    secret: codes::shown(&code),
                    hash,
                    masked: "····-····".to_owned(),
                    is_code,
                });
            }
        }
    }

    /// C3: a wrong code is counted in the transaction that found it wrong.
    fn redeem_code(&self, code: &str) -> Result<SignedIn> {
        let hash = self.shared.code_key.hash(code);
        self.write(Method::RedeemOneTimeToken, |change| {
            let source = limits::source(change.client);
            if let Some(source) = &source {
                limits::check(change, Attempt::WrongCode, Some(source), WRONG_FROM_ADDRESS)?;
            }
            let wait = limits::exceeded(change, Attempt::WrongCode, None, WRONG_IN_ALL)?;
            let refused = match wait {
                None => KeyplateError::InvalidCredential,
                Some(retry_after) => KeyplateError::RateLimited { retry_after },
            };
            if wait.is_some() && !is_fresh(change, source.as_deref())? {
                return Err(refused);
            }
            if let Some(signed_in) = self.redeem(change, &hash, true)? {
                return Ok(Ok(signed_in));
            }
            limits::note(change, Attempt::WrongCode, source.as_deref())?;
            if limits::exceeded(change, Attempt::WrongCode, None, SUSPICIOUS)?.is_some() {
                change.note_code_guessing()?;
            }
            Ok(Err(refused))
        })?
    }

    /// C4: used up in the same transaction that opens the session. None when there is no such token.
    fn redeem(
        &self,
        change: &Change<'_>,
        hash: &SecretHash,
        is_code: bool,
    ) -> Result<Option<SignedIn>> {
        let now = change.now();
        let Some(stored) = db::one_time_tokens::find_by_secret(change, hash)? else {
            return Ok(None);
        };
        let token = &stored.one_time_token;
        let ends = [Some(token.expires_at), stored.bound.expires_at];
        if token.is_code != is_code || ends.into_iter().flatten().any(|end| end <= now) {
            return Ok(None);
        }
        let user = users::get(change, &token.user_id)?;
        user.check_may_sign_in(now)?;
        if !db::one_time_tokens::delete(change, &token.id)? {
            return Ok(None);
        }
        let (method, kind) = if token.is_recovery {
            // O3: whoever has the lost passkey, or a session by it, is out.
            db::sessions::end_all(change, &user.id, None, now)?;
            (SignInMethod::Recovery, EventKind::RecoveryTokenRedeemed)
        } else {
            (SignInMethod::OneTimeToken, EventKind::OneTimeTokenRedeemed)
        };
        let opening = Opening {
            ceiling: stored.ceiling,
            bound: stored.bound,
            lifetime_seconds: token.is_recovery.then_some(RECOVERY_SECONDS),
            ..Opening::of(&user, method)
        };
        let signed_in = self.open_session(change, user, change.client, opening)?;
        record(change, kind, &signed_in.user, token)?;
        Ok(Some(signed_in))
    }
}

fn checked_lifetime(seconds: Option<i64>) -> Result<i64> {
    let lifetime = seconds.unwrap_or(DEFAULT_SECONDS);
    within("lifetime_seconds", lifetime, 1, MAX_SECONDS)
}

/// K2: what whoever creates it may do themselves, within what the user may.
fn handed_on(change: &Change<'_>, user: &User) -> Ceiling {
    match change.caller.acting() {
        None => Ceiling::of_sign_in(user),
        Some(acting) => Ceiling {
            scopes: acting.ceiling.scopes.clone(),
            administrator: acting.ceiling.administrator && user.role == Role::Administrator,
        },
    }
}

fn record(change: &Change<'_>, kind: EventKind, user: &User, token: &OneTimeToken) -> Result<()> {
    let what = if token.is_code { "code" } else { "token" };
    change.record(
        kind,
        Subject::of(user, token.id.as_str(), &token.masked_secret),
        &[("form", what)],
    )
}

/// C3: an address that has shown no wrong code lately. It has one try however many come from elsewhere, so that these
/// lock nobody out; a wrong one counts as any other.
fn is_fresh(change: &Change<'_>, source: Option<&str>) -> Result<bool> {
    let none = Rate {
        most: 1,
        ..WRONG_FROM_ADDRESS
    };
    Ok(source.is_some() && limits::exceeded(change, Attempt::WrongCode, source, none)?.is_none())
}
