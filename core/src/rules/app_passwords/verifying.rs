//! Whether name and app password belong together (W2), and the limit on guessing.

use std::time::Duration;

use crate::{
    crypto::base64url::base64url,
    db::{self, Reader, Writer},
    error::{DenialReason, Found, KeyplateError, Result, Thing, denied},
    gate::{
        handle::Keyplate,
        limits::{self, Rate},
        methods::Method,
    },
    model::{
        app_passwords::{FoundAppPassword, VerifiedAppPassword},
        attempts::Attempt,
        audit::EventKind,
        config::ClientInfo,
        services::DecisionReason,
        users::{Role, check_may_sign_in},
    },
    rules::services,
    values::{
        codes, text,
        tokens::{self, SecretHash},
    },
};

const LIMITED_FOR: Duration = Duration::from_secs(600);
/// W2: wrong ones for one account from one address.
const WRONG_FOR_ACCOUNT: Rate = Rate {
    most: 20,
    within: LIMITED_FOR,
};
/// And for all accounts from one address, so that names that nobody has are not written without end.
const WRONG_FROM_ADDRESS: Rate = Rate {
    most: 200,
    within: LIMITED_FOR,
};

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Returns whose app password this is and what it is good for. The name is its owner's username, or an address that
    /// they hold; the secret is read as forgivingly as codes are. Name the service that you are, by id or slug: then what
    /// is for it or for all is accepted, if `authorize` would let its owner in. Without a service, only what is for all
    /// is accepted.
    ///
    /// A right password is never limited. After 20 wrong ones within 10 minutes for one account from one address, a wrong
    /// one is `RateLimited`; so tell where the client is.
    ///
    /// # Errors
    /// `InvalidCredential` when name and password do not belong together, the password has ended, or is for another service;
    /// `RateLimited`; `AccountPending`, `AccountDisabled`, `AccountExpired`; `NotFound` for the service; `PermissionDenied`
    /// when its owner may not use the service, and for all but the host and administrators with `app_passwords:verify`.
    pub fn verify_app_password(
        &self,
        name: &str,
        secret: &str,
        service: Option<String>,
        client: ClientInfo,
    ) -> Result<VerifiedAppPassword> {
        self.check_may_call(Method::VerifyAppPassword)?;
        let handle = self.on_behalf_of(client)?;
        let name = text::name_key(name.trim());
        let found = match codes::normalised_app_password(secret) {
            None => None,
            Some(code) => {
                let hash = handle.shared.code_key.hash(&code);
                let found = db::app_passwords::look_up(&handle.shared.db, &hash)?;
                found
                    .filter(|found| found.is_of(&name) && !found.has_ended())
                    .map(|found| (found, hash))
            }
        };
        handle.settle_app_password(Method::VerifyAppPassword, &name, found, service.as_deref())
    }
}

impl FoundAppPassword {
    fn is_of(&self, name: &str) -> bool {
        self.names.iter().flatten().any(|own| own == name)
    }

    fn has_ended(&self) -> bool {
        self.expires_at.is_some_and(|end| end <= self.now)
    }
}

impl Keyplate {
    /// What comes of an app password that was found by name and secret, or was not.
    pub(super) fn settle_app_password(
        &self,
        method: Method,
        name: &str,
        found: Option<(FoundAppPassword, SecretHash)>,
        service: Option<&str>,
    ) -> Result<VerifiedAppPassword> {
        let result = match found {
            Some((found, hash)) => {
                let (db, now) = (&self.shared.db, found.now);
                let verified = self.let_in(found, service);
                if verified.is_ok() {
                    self.shared.seen.app_password(db, hash, now);
                }
                verified
            }
            None => Err(self.wrong_app_password(method, name)?),
        };
        // Beyond the limit nothing is written, not even that.
        if !matches!(result, Err(KeyplateError::RateLimited { .. })) {
            self.note_refusal(EventKind::AppPasswordRefused, &result);
        }
        result
    }

    /// W2: the account, then the service.
    fn let_in(
        &self,
        found: FoundAppPassword,
        service: Option<&str>,
    ) -> Result<VerifiedAppPassword> {
        check_may_sign_in(found.status, found.user_expires_at, found.now)?;
        match service {
            Some(service) => self
                .shared
                .db
                .read(|reader| check_service(reader, &found, service))?,
            None if found.service_id.is_some() => return Err(KeyplateError::InvalidCredential),
            None => {}
        }
        Ok(found.verified())
    }

    /// A wrong one is counted, for its account and for its address, in the transaction that found it within the limits.
    fn wrong_app_password(&self, method: Method, name: &str) -> Result<KeyplateError> {
        let from = limits::source(self.client());
        let from = from.as_deref().unwrap_or("-");
        let limited = |reader: &Reader<'_>, account: &str| -> Result<Option<KeyplateError>> {
            let for_account = (Some(account), WRONG_FOR_ACCOUNT);
            for (source, rate) in [for_account, (Some(from), WRONG_FROM_ADDRESS)] {
                if let Err(error) = limits::check(reader, Attempt::WrongAppPassword, source, rate) {
                    return Ok(Some(error));
                }
            }
            Ok(None)
        };
        let before = self.shared.db.read(|reader| {
            let account = account(reader, name, from)?;
            limited(reader, &account)
        })?;
        if let Some(error) = before {
            return Ok(error);
        }
        self.write(method, |change| {
            let writer: &Writer<'_> = change;
            let account = account(writer, name, from)?;
            if let Some(error) = limited(writer, &account)? {
                return Ok(error);
            }
            limits::note(writer, Attempt::WrongAppPassword, Some(&account))?;
            limits::note(writer, Attempt::WrongAppPassword, Some(from))?;
            Ok(KeyplateError::InvalidCredential)
        })
    }
}

/// Whose account is meant from where; a name that nobody has is counted all the same, or the limit would tell names. What
/// was typed may be anything, a secret too, so it is not kept.
fn account(reader: &Reader<'_>, name: &str, from: &str) -> Result<String> {
    let id = match db::users::find_by_username(reader, name)? {
        Some(user) => Some(user),
        None => db::users::find_by_email(reader, name)?,
    }
    .map(|user| user.id.to_string());
    let id = id.unwrap_or_else(|| base64url(&tokens::hash(name)));
    Ok(format!("{id} {from}"))
}

fn check_service(reader: &Reader<'_>, found: &FoundAppPassword, service: &str) -> Result<()> {
    let service = services::find(reader, service)?.or_missing(Thing::Service)?;
    if found.service_id.is_some_and(|own| own != service.id) {
        return Err(KeyplateError::InvalidCredential);
    }
    let scopes = &found.ceiling.scopes;
    if !scopes.are_none() && !scopes.reach_service(&service.slug) {
        return Err(denied(DenialReason::ServiceScope));
    }
    match services::access(reader, &service, &found.owner_id)? {
        Ok(_) => Ok(()),
        Err(DecisionReason::Closed) => Err(denied(DenialReason::ServiceClosed)),
        Err(_) => Err(denied(DenialReason::ServiceNotOpen)),
    }
}

impl FoundAppPassword {
    fn verified(self) -> VerifiedAppPassword {
        let administrator = self.ceiling.administrator && self.role == Role::Administrator;
        VerifiedAppPassword {
            app_password_id: self.id,
            user_id: self.owner_id,
            username: self.username,
            role: if administrator {
                Role::Administrator
            } else {
                Role::User
            },
            service_id: self.service_id,
            scopes: self.ceiling.scopes.into_names(),
            expires_at: self.expires_at,
        }
    }
}
