//! App passwords (W1–W4): for clients that know only name and password.

mod subsonic;
mod verifying;

use std::{sync::Arc, time::SystemTime};

use crate::{
    clock,
    db::{self, Reader},
    error::{DenialReason, Found, InputReason, Result, Thing, denied, invalid, not_found},
    gate::{
        caller::Acting,
        change::{Change, Subject},
        handle::Keyplate,
        list,
        methods::Method,
    },
    model::{
        app_passwords::{
            AppPassword, AppPasswordPage, AppPasswordQuery, CreatedAppPassword, NewAppPassword,
            StoredAppPassword,
        },
        audit::EventKind,
        credentials::Bound,
        ids::{AppPasswordId, ServiceId},
        services::Service,
        users::{Role, User},
    },
    rules::{services, users::checks as users},
    values::{
        codes,
        scopes::{Ceiling, Scopes},
        text,
    },
};

const MAX_NAME: usize = 100;
/// W4: each of a user's is tried.
const MAX_RECOVERABLE: i64 = 20;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Makes an app password for the caller: for one client that knows only name and password. It opens nothing in this
    /// library, which has no method that takes it but `verify_app_password`. It can do no more than its maker may now,
    /// and ends no later than the key by which it is made.
    ///
    /// # Errors
    /// `InvalidInput`; `NotFound` for the service; `PermissionDenied`, also for another user's; `StepUpRequired` when the
    /// sign-in is too old, by whatever method.
    pub fn create_app_password(&self, password: NewAppPassword) -> Result<CreatedAppPassword> {
        let name = text::required("name", &password.name, MAX_NAME)?;
        self.write(Method::CreateAppPassword, |change| {
            let caller = change.caller;
            let owner_id = password
                .owner_id
                .or(caller.user_id())
                .ok_or_else(|| invalid("owner_id", InputReason::Missing))?;
            if !caller.is_host() && caller.user_id() != Some(owner_id) {
                return Err(denied(DenialReason::OwnAppPasswordsOnly));
            }
            caller.recent_sign_in(change)?;
            let owner = users::get(change, &owner_id)?;
            let service = match &password.service {
                None => None,
                Some(service) => Some(visible_service(change, service, caller.acting())?),
            };
            let asked = asked_scopes(&password.scopes)?;
            let end = password.expires_at;
            self.make_app_password(
                change,
                &owner,
                Making {
                    name: name.clone(),
                    ceiling: ceiling(caller.acting(), &owner, service.as_ref(), asked)?,
                    service: service.as_ref().map(|service| service.id),
                    expires_at: checked_end(end, caller.bound(), change.now())?,
                    recoverable: password.recoverable,
                    bound: caller.bound(),
                },
            )
        })
    }

    /// Lists app passwords, the newest first.
    ///
    /// # Errors
    /// `InvalidInput`, `PermissionDenied`.
    pub fn list_app_passwords(&self, query: AppPasswordQuery) -> Result<AppPasswordPage> {
        let page = list::page_request(query.page, query.limit)?;
        let search = list::search(query.search.as_deref())?;
        self.read(Method::ListAppPasswords, |reader, caller| {
            let query = AppPasswordQuery {
                owner_id: list::visible_owner(caller, query.owner_id)?,
                ..query.clone()
            };
            let total = db::app_passwords::count(reader, &query, search.as_deref())?;
            Ok(AppPasswordPage {
                items: db::app_passwords::list(reader, &query, search.as_deref(), page)?,
                total,
                page: page.page,
            })
        })
    }

    /// Revokes an app password at once, in every process. It is gone then, with its sealed secret if it had one; the
    /// audit log keeps that it was there.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    pub fn revoke_app_password(&self, id: &AppPasswordId) -> Result<()> {
        self.write(Method::RevokeAppPassword, |change| {
            let password = db::app_passwords::find(change, id)?.or_missing(Thing::AppPassword)?;
            let caller = change.caller;
            caller.reach(&password.owner_id, Thing::AppPassword)?;
            let owner = users::get(change, &password.owner_id)?;
            caller.outrank(&owner)?;
            db::app_passwords::delete(change, id)?;
            let subject = Subject::of(&owner, password.id.as_str(), &password.name);
            change.record(EventKind::AppPasswordRevoked, subject, &[])
        })
    }
}

/// How an app password is made.
pub(in crate::rules) struct Making {
    pub(in crate::rules) name: String,
    pub(in crate::rules) ceiling: Ceiling,
    pub(in crate::rules) service: Option<ServiceId>,
    pub(in crate::rules) expires_at: Option<SystemTime>,
    pub(in crate::rules) recoverable: bool,
    pub(in crate::rules) bound: Bound,
}

impl Keyplate {
    pub(in crate::rules) fn make_app_password(
        &self,
        change: &Change<'_>,
        owner: &User,
        making: Making,
    ) -> Result<CreatedAppPassword> {
        let code = zeroize::Zeroizing::new(codes::mint_app_password()?);
        let id = AppPasswordId::generate(change.now())?;
        let sealed = match making.recoverable {
            true => Some(self.sealed(change, owner, &id, &code, making.service.as_ref())?),
            false => None,
        };
        let stored = StoredAppPassword {
            app_password: AppPassword {
                id,
                owner_id: owner.id,
                name: making.name,
                service_id: making.service,
                scopes: making.ceiling.scopes.names().to_vec(),
                is_recoverable: making.recoverable,
                created_at: change.now(),
                last_used_at: None,
                expires_at: making.expires_at,
            },
            administrator: making.ceiling.administrator,
        };
        let hash = self.shared.code_key.hash(&code);
        db::app_passwords::insert(change, &stored, &hash, making.bound.made_by.as_ref())?;
        if let Some(sealed) = sealed {
            db::app_passwords::insert_sealed(change, &id, &sealed)?;
        }
        let password = stored.app_password;
        record_made(change, owner, &password)?;
        Ok(CreatedAppPassword {
            app_password: password,
            secret: Arc::new(codes::shown_app_password(&code)),
        })
    }

    /// W4: only for one service, and only under a key.
    fn sealed(
        &self,
        change: &Change<'_>,
        owner: &User,
        id: &AppPasswordId,
        code: &str,
        service: Option<&ServiceId>,
    ) -> Result<Vec<u8>> {
        let needs = |field: &str| {
            let field = field.to_owned();
            invalid("recoverable", InputReason::Needs { field })
        };
        service.ok_or_else(|| needs("service"))?;
        let sealed = self.shared.password_cipher.seal(id.as_str(), code)?;
        let sealed = sealed.ok_or_else(|| needs("encryption_key"))?;
        if db::app_passwords::count_recoverable(change, &owner.id)? >= MAX_RECOVERABLE {
            let most = MAX_RECOVERABLE;
            return Err(invalid("recoverable", InputReason::TooMany { most }));
        }
        Ok(sealed)
    }
}

/// A1: what can be read again is marked.
fn record_made(change: &Change<'_>, owner: &User, password: &AppPassword) -> Result<()> {
    let scopes = password.scopes.join(" ");
    let mut details = vec![("scopes", scopes.as_str())];
    if let Some(service) = &password.service_id {
        details.push(("service", service.as_str()));
    }
    if password.is_recoverable {
        details.push(("recoverable", "yes"));
    }
    let subject = Subject::of(owner, password.id.as_str(), &password.name);
    change.record(EventKind::AppPasswordCreated, subject, &details)
}

/// The service, if the caller may know of it.
pub(in crate::rules) fn visible_service(
    reader: &Reader<'_>,
    service: &str,
    acting: Option<&Acting>,
) -> Result<Service> {
    let hidden = || not_found(Thing::Service);
    let service = services::find(reader, service)?.ok_or_else(hidden)?;
    if let Some(acting) = acting
        && !acting.ceiling.administrator
    {
        services::access(reader, &service, &acting.user.id)?.map_err(|_| hidden())?;
    }
    Ok(service)
}

/// Scopes that were named; none when nothing was.
pub(in crate::rules) fn asked_scopes(names: &[String]) -> Result<Option<Scopes>> {
    match names {
        [] => Ok(None),
        names => Scopes::parse("scopes", names).map(Some),
    }
}

/// K2, W1: what it may do, within what its maker may. Of what is built in it has nothing unless that is named.
pub(in crate::rules) fn ceiling(
    acting: Option<&Acting>,
    owner: &User,
    service: Option<&Service>,
    asked: Option<Scopes>,
) -> Result<Ceiling> {
    let own = acting.map(|acting| &acting.ceiling.scopes);
    let is_whole = own.is_none_or(Scopes::are_all);
    let scopes = match asked {
        Some(asked) => asked,
        None if is_whole => Scopes::none(),
        None => own.map_or_else(Scopes::none, Scopes::of_the_host),
    };
    let covered = own.is_none_or(|own| own.covers(&scopes)) && (is_whole || !scopes.are_none());
    let reaches = |service: &Service| scopes.are_none() || scopes.reach_service(&service.slug);
    if !covered || !service.is_none_or(reaches) {
        return Err(denied(DenialReason::MoreThanItself));
    }
    let maker = acting.is_none_or(|acting| acting.ceiling.administrator);
    Ok(Ceiling {
        administrator: maker && owner.role == Role::Administrator && scopes.are_administrative(),
        scopes,
    })
}

/// K1: in the future, and no later than the key by which it is made ends.
fn checked_end(
    end: Option<SystemTime>,
    bound: Bound,
    now: SystemTime,
) -> Result<Option<SystemTime>> {
    let end = end
        .map(|end| clock::future("expires_at", end, now))
        .transpose()?;
    if let Some(bound) = bound.expires_at
        && end.is_none_or(|end| end > bound)
    {
        return Err(denied(DenialReason::OutlivesItself));
    }
    Ok(end)
}
