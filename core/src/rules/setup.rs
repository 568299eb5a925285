//! First-run setup (B1–B5).

use std::{sync::Arc, time::SystemTime};

use crate::{
    clock, db,
    error::{
        ConflictReason, DenialReason, KeyplateError, Result, Thing, conflict, denied,
        other_generation,
    },
    gate::{
        caller::Caller,
        change::{Change, Subject},
        handle::Keyplate,
        methods::Method,
    },
    model::{
        audit::EventKind,
        ids::UserId,
        sessions::SignedIn,
        setup::{
            CreatedSetupToken, NewAdmin, SetupCompletion, SetupStage, SetupState, StoredSetup,
        },
        users::{NewUser, Role, User, UserStatus},
    },
    rules::{
        sessions::{self, Opening},
        users::{checks as users, names},
    },
    values::tokens::{self, TokenKind},
};

/// B2: how long a setup token works.
const TOKEN_SECONDS: i64 = 24 * 3_600;
/// B2: how many work at once, one for each process of a host that prints one.
const MOST_TOKENS: i64 = 10;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Returns how far setup has got.
    ///
    /// # Errors
    /// The storage errors.
    pub fn get_setup_state(&self) -> Result<SetupState> {
        self.read(Method::GetSetupState, |reader, _| {
            Ok(self.with_problem(db::setup::get(reader)?.state))
        })
    }

    /// Creates a token for claiming or resuming setup. It works for 24 hours, and until setup is complete. Up to ten work
    /// at once, so that each of several processes may show its own; one more ends the oldest.
    ///
    /// # Errors
    /// `SetupAlreadyComplete`; `PermissionDenied` on any but the host's handle.
    pub fn create_setup_token(&self) -> Result<CreatedSetupToken> {
        self.write(Method::CreateSetupToken, |change| {
            let setup = db::setup::get(change)?;
            if setup.state.stage == SetupStage::Complete {
                return Err(KeyplateError::SetupAlreadyComplete);
            }
            let token = tokens::mint(&self.shared.token_prefix, TokenKind::Setup)?;
            let expires_at = clock::after(change.now(), TOKEN_SECONDS);
            db::setup::add_token(change, &token.hash, expires_at, MOST_TOKENS)?;
            change.record(EventKind::SetupTokenCreated, Subject::default(), &[])?;
            Ok(CreatedSetupToken {
                secret: Arc::new(token.secret),
                expires_at,
            })
        })
    }

    /// Creates the first administrator and signs them in for an hour. If several try at once, one succeeds. Everybody except
    /// the host needs a setup token, and after `reset_setup` the host does too.
    ///
    /// # Errors
    /// `InvalidCredential` for a wrong or missing token; `SetupAlreadyClaimed`; `SetupAlreadyComplete`;
    /// `InvalidInput` and `Conflict`, which leave setup open and the token valid.
    pub fn claim_setup(&self, token: Option<String>, admin: NewAdmin) -> Result<SignedIn> {
        let result = self.write(Method::ClaimSetup, |change| {
            let setup = db::setup::get(change)?;
            match setup.state.stage {
                SetupStage::Uninitialised => {}
                SetupStage::Claimed => return Err(KeyplateError::SetupAlreadyClaimed),
                SetupStage::Complete => return Err(KeyplateError::SetupAlreadyComplete),
            }
            self.check_setup_token(change, &setup, token.as_deref())?;
            let administrator = self.first_administrator(change, &setup, &admin)?;
            db::setup::claim(change, &administrator.id, token.is_none(), change.now())?;
            let opening = Opening::of_setup(&administrator);
            let signed_in = self.open_session(change, administrator, change.client, opening)?;
            let generation = setup.state.generation.to_string();
            let details = [("generation", generation.as_str())];
            change.record(
                EventKind::SetupClaimed,
                Subject::user(&signed_in.user),
                &details,
            )?;
            Ok(signed_in)
        });
        self.note_refusal(EventKind::SetupRefused, &result);
        result
    }

    /// Signs the first administrator in again for an hour, if they have claimed setup and have no passkey yet. Their earlier
    /// setup sessions end. A token is needed in the same cases as for `claim_setup`.
    ///
    /// # Errors
    /// `InvalidCredential` for a wrong or missing token; `SetupAlreadyComplete`; `NotFound` when nobody has claimed;
    /// `AccountDisabled`, `AccountExpired`.
    pub fn resume_setup(&self, token: Option<String>) -> Result<SignedIn> {
        let result = self.write(Method::ResumeSetup, |change| {
            let setup = db::setup::get(change)?;
            match setup.state.stage {
                SetupStage::Uninitialised => {
                    return Err(crate::error::not_found(Thing::ClaimedSetup));
                }
                SetupStage::Claimed => {}
                SetupStage::Complete => return Err(KeyplateError::SetupAlreadyComplete),
            }
            self.check_setup_token(change, &setup, token.as_deref())?;
            let administrator = match &setup.administrator_id {
                Some(id) => users::get(change, id)?,
                None => return Err(crate::error::not_found(Thing::User)),
            };
            administrator.check_may_sign_in(change.now())?;
            if administrator.role != Role::Administrator {
                return Err(denied(DenialReason::NoLongerAdministrator));
            }
            sessions::end_setup_sessions(change)?;
            let opening = Opening::of_setup(&administrator);
            let signed_in = self.open_session(change, administrator, change.client, opening)?;
            change.record(EventKind::SetupResumed, Subject::user(&signed_in.user), &[])?;
            Ok(signed_in)
        });
        self.note_refusal(EventKind::SetupRefused, &result);
        result
    }

    /// Completes setup. Its tokens and its sessions no longer work from this moment on.
    ///
    /// # Errors
    /// `SetupAlreadyComplete`; `Conflict` when nobody has claimed; `PermissionDenied` for all but administrators.
    pub fn complete_setup(&self) -> Result<SetupCompletion> {
        self.write(Method::CompleteSetup, |change| {
            let setup = db::setup::get(change)?;
            match setup.state.stage {
                SetupStage::Uninitialised => return Err(conflict(ConflictReason::SetupNotClaimed)),
                SetupStage::Claimed => {}
                SetupStage::Complete => return Err(KeyplateError::SetupAlreadyComplete),
            }
            let administrator = match &setup.administrator_id {
                Some(id) => db::users::find(change, id)?,
                None => None,
            };
            // K2: it ends the sessions of whoever claimed, so it wants more than the right to change settings.
            change.caller.has_all_scopes()?;
            complete(change, administrator.as_ref())
        })
    }

    /// Opens setup again, for when nobody can sign in as administrator any more. The current generation must be named. From
    /// then on, claiming always needs a token, and may name an existing user.
    ///
    /// # Errors
    /// `Conflict` for another generation, or when setup is open already; `PermissionDenied` on any but the host's
    /// handle.
    pub fn reset_setup(&self, generation: i64) -> Result<SetupState> {
        self.write(Method::ResetSetup, |change| {
            let setup = db::setup::get(change)?;
            if setup.state.generation != generation {
                return Err(other_generation());
            }
            if setup.state.stage == SetupStage::Uninitialised {
                return Err(conflict(ConflictReason::SetupOpen));
            }
            let next = generation.checked_add(1).ok_or_else(other_generation)?;
            sessions::end_setup_sessions(change)?;
            db::setup::reset(change, next)?;
            let next = next.to_string();
            change.record(
                EventKind::SetupReset,
                Subject::default(),
                &[("generation", &next)],
            )?;
            Ok(self.with_problem(db::setup::get(change)?.state))
        })
    }
}

impl Keyplate {
    fn with_problem(&self, state: SetupState) -> SetupState {
        SetupState {
            passkey_problem: self.shared.relying_party.problem,
            ..state
        }
    }

    /// B2, B5: the host needs no token, unless setup was reset.
    fn check_setup_token(
        &self,
        change: &Change<'_>,
        setup: &StoredSetup,
        token: Option<&str>,
    ) -> Result<()> {
        let was_reset = setup.state.generation > 1;
        let Some(token) = token else {
            return match change.caller {
                Caller::Host if !was_reset => Ok(()),
                _ => Err(KeyplateError::InvalidCredential),
            };
        };
        let hash = tokens::expect(&self.shared.token_prefix, TokenKind::Setup, token)?;
        match db::setup::has_token(change, &hash)? {
            true => Ok(()),
            false => Err(KeyplateError::InvalidCredential),
        }
    }

    fn first_administrator(
        &self,
        change: &Change<'_>,
        setup: &StoredSetup,
        admin: &NewAdmin,
    ) -> Result<User> {
        if let Some(id) = &admin.existing_user_id {
            return promote(change, setup, id);
        }
        let user = NewUser {
            username: admin.username.clone(),
            email: admin.email.clone(),
            display_name: admin.display_name.clone(),
            first_name: admin.first_name.clone(),
            last_name: admin.last_name.clone(),
            locale: admin.locale.clone(),
            role: Some(Role::Administrator),
            ..NewUser::default()
        };
        let user = user.checked(self.shared.username_policy, change.now())?;
        let user = users::by_settings(change, user, true)?;
        // U1: a name that was somebody's is not for whoever has a token.
        names::insert_claimed(change, &user)?;
        users::get(change, &user.id)
    }
}

/// B5: an existing user becomes administrator and keeps their data.
fn promote(change: &Change<'_>, setup: &StoredSetup, id: &UserId) -> Result<User> {
    if setup.state.generation == 1 {
        return Err(denied(DenialReason::ResetNeeded));
    }
    users::narrow_credentials(change, id)?;
    let user = User {
        role: Role::Administrator,
        status: UserStatus::Active,
        expires_at: None,
        updated_at: change.now(),
        ..users::get(change, id)?
    };
    db::users::update(change, &user)?;
    Ok(user)
}

/// B4: an administrator whom the host makes ends setup, if it was not over.
pub(in crate::rules) fn complete_if_open(change: &Change<'_>, administrator: &User) -> Result<()> {
    if db::setup::get(change)?.state.stage != SetupStage::Complete {
        complete(change, Some(administrator))?;
    }
    Ok(())
}

/// B4: so does the first passkey of the administrator who claimed it.
pub(in crate::rules) fn complete_by_passkey(
    change: &Change<'_>,
    user: &User,
) -> Result<Option<SetupCompletion>> {
    let setup = db::setup::get(change)?;
    let claimed_by_him = setup.administrator_id == Some(user.id);
    if setup.state.stage == SetupStage::Claimed && claimed_by_him {
        return complete(change, Some(user)).map(Some);
    }
    Ok(None)
}

fn complete(change: &Change<'_>, administrator: Option<&User>) -> Result<SetupCompletion> {
    let api_keys = db::api_keys::list_working(change, change.now())?;
    let one_time_tokens = db::one_time_tokens::list(change, None, change.now())?;
    sessions::end_setup_sessions(change)?;
    db::setup::complete(change, change.now())?;
    let count = api_keys.len().to_string();
    let subject = administrator.map(Subject::user).unwrap_or_default();
    change.record(EventKind::SetupCompleted, subject, &[("api_keys", &count)])?;
    Ok(SetupCompletion {
        api_keys,
        one_time_tokens,
    })
}

/// C5: those that were made by a time that has not come; gives how many.
pub(in crate::rules) fn end_tokens_made_after(
    change: &Change<'_>,
    now: SystemTime,
) -> Result<usize> {
    let end = clock::after(now, TOKEN_SECONDS);
    db::setup::forget_tokens_that_end_after(change, end, now)
}
