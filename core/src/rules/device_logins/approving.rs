//! Somebody looks at what a device asks for, and approves or denies it (V2, V3).

use std::time::Duration;

use crate::{
    db,
    error::{ConflictReason, DenialReason, KeyplateError, Result, conflict, denied},
    gate::{
        caller::Acting,
        change::{Change, Subject},
        handle::Keyplate,
        limits::{self, Rate},
        methods::Method,
    },
    model::{
        attempts::Attempt,
        audit::EventKind,
        device_logins::{Approval, DeviceLogin, DeviceStage, DeviceWish, StoredDeviceLogin},
        ids::SessionId,
        services::Service,
    },
    rules::app_passwords,
    values::{
        codes,
        scopes::{Ceiling, Scopes},
    },
};

/// C3, V2: wrong codes of one address, and of one user.
const WRONG: Rate = Rate {
    most: 10,
    within: Duration::from_secs(600),
};
/// C3: so many wrong ones in an hour are an event.
const SUSPICIOUS: Rate = Rate {
    most: 1_000,
    within: Duration::from_secs(3_600),
};

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Returns what the device asks for that shows this code, and claims it for the caller: from then on nobody else can
    /// approve or deny it. Show the answer before you ask. In the code, case, dashes and blanks do not matter. After
    /// 10 wrong codes from one address, or of one user, within 10 minutes, it is `RateLimited`.
    ///
    /// # Errors
    /// `InvalidCredential` when no device shows this code, or somebody else has claimed it; `RateLimited`; `PermissionDenied`
    /// without a session, for the session of a device, and when the device asks for more than the caller has;
    /// `Conflict` when it is decided.
    pub fn inspect_device_login(&self, user_code: &str) -> Result<DeviceLogin> {
        self.decide(
            Method::InspectDeviceLogin,
            user_code,
            |change, login, by| {
                if login.stage == DeviceStage::Open {
                    db::device_logins::claim(change, &login.id, &by.acting.user.id)?;
                    record(change, EventKind::DeviceLoginClaimed, login, by.acting)?;
                } else if login.stage != DeviceStage::Claimed {
                    return Err(conflict(ConflictReason::DeviceDecided));
                }
                let service = service(change, login)?;
                let ceiling = ceiling(by.acting, login, service.as_ref())?;
                Ok(DeviceLogin {
                    id: login.id,
                    device_name: login.device_name.clone(),
                    address: login.address.clone(),
                    user_agent: login.user_agent.clone(),
                    created_at: login.created_at,
                    expires_at: login.expires_at,
                    wish: login.wish,
                    service_id: login.service_id,
                    service_name: service.map(|service| service.name),
                    scopes: ceiling.scopes.into_names(),
                    administrator: ceiling.administrator,
                })
            },
        )
    }

    /// Approves a device that the caller has inspected. It gets what it asked for at its next poll, if the caller's
    /// account and session are still good then. Its session is not one of somebody who signed in: no key, app password
    /// or passkey is made with it, and no device approved.
    ///
    /// # Errors
    /// As `inspect_device_login`; `StepUpRequired` when the sign-in is too old, or has not shown a passkey for an
    /// administrator's rights; `PermissionDenied` when nobody has inspected it.
    pub fn approve_device_login(&self, user_code: &str) -> Result<()> {
        self.decide(
            Method::ApproveDeviceLogin,
            user_code,
            |change, login, by| {
                check_claimed(login)?;
                change.caller.recent_sign_in(change)?;
                let service = service(change, login)?;
                let ceiling = ceiling(by.acting, login, service.as_ref())?;
                if ceiling.administrator {
                    change.caller.step_up(change)?;
                }
                let approval = Approval {
                    session_id: by.session,
                    ceiling,
                    bound: change.caller.bound(),
                };
                let user_id = &by.acting.user.id;
                if !db::device_logins::approve(change, &login.id, user_id, &approval)? {
                    return Err(conflict(ConflictReason::DeviceDecided));
                }
                record(change, EventKind::DeviceLoginApproved, login, by.acting)
            },
        )
    }

    /// Denies a device that the caller has inspected, also one that they have approved and that has not fetched it yet.
    ///
    /// # Errors
    /// As `inspect_device_login`; `PermissionDenied` when nobody has inspected it.
    pub fn deny_device_login(&self, user_code: &str) -> Result<()> {
        self.decide(Method::DenyDeviceLogin, user_code, |change, login, by| {
            if login.stage == DeviceStage::Open {
                return Err(denied(DenialReason::DeviceNotInspected));
            }
            if !db::device_logins::deny(change, &login.id, &by.acting.user.id)? {
                return Err(conflict(ConflictReason::DeviceDecided));
            }
            record(change, EventKind::DeviceLoginDenied, login, by.acting)
        })
    }
}

/// Who decides, and in which session.
struct By<'a> {
    acting: &'a Acting,
    session: SessionId,
}

impl Keyplate {
    /// Finds the request by its code. A wrong code is counted in the transaction that found it wrong.
    fn decide<T>(
        &self,
        method: Method,
        user_code: &str,
        f: impl Fn(&Change<'_>, &StoredDeviceLogin, &By<'_>) -> Result<T>,
    ) -> Result<T> {
        let code = codes::normalised_user_code(user_code);
        let hash = code.map(|code| self.shared.code_key.hash(&code));
        let result = self.write(method, |change| {
            let (Some(acting), Some((session, _))) =
                (change.caller.acting(), change.caller.session())
            else {
                return Err(denied(DenialReason::SessionNeeded));
            };
            let sources = sources(change, acting);
            for source in &sources {
                limits::check(change, Attempt::WrongUserCode, Some(source), WRONG)?;
            }
            let found = match &hash {
                Some(hash) => db::device_logins::find_by_code(change, hash)?,
                None => None,
            };
            let is_theirs = |login: &StoredDeviceLogin| {
                login.expires_at > change.now()
                    && login.claimed_by.is_none_or(|user| user == acting.user.id)
            };
            match found.filter(is_theirs) {
                Some(login) => f(change, &login, &By { acting, session }).map(Ok),
                None => {
                    note_wrong(change, &sources)?;
                    Ok(Err(KeyplateError::InvalidCredential))
                }
            }
        });
        let result = result.and_then(|decided| decided);
        self.note_refusal(EventKind::DeviceLoginRefused, &result);
        result
    }
}

/// V2: the address, and the user wherever they are.
fn sources(change: &Change<'_>, acting: &Acting) -> Vec<String> {
    let user = format!("user {}", acting.user.id);
    limits::source(change.client)
        .into_iter()
        .chain([user])
        .collect()
}

fn note_wrong(change: &Change<'_>, sources: &[String]) -> Result<()> {
    for source in sources {
        limits::note(change, Attempt::WrongUserCode, Some(source))?;
    }
    if limits::exceeded(change, Attempt::WrongUserCode, None, SUSPICIOUS)?.is_some() {
        change.note_code_guessing()?;
    }
    Ok(())
}

fn check_claimed(login: &StoredDeviceLogin) -> Result<()> {
    match login.stage {
        DeviceStage::Open => Err(denied(DenialReason::DeviceNotInspected)),
        DeviceStage::Claimed => Ok(()),
        DeviceStage::Approved | DeviceStage::Denied => Err(conflict(ConflictReason::DeviceDecided)),
    }
}

/// The service that an app password is for. A device names it to anybody, so whoever approves must know of it.
fn service(change: &Change<'_>, login: &StoredDeviceLogin) -> Result<Option<Service>> {
    let acting = change.caller.acting();
    let id = login.service_id.as_ref();
    id.map(|id| app_passwords::visible_service(change, id.as_str(), acting))
        .transpose()
}

/// V3: within what the approver has, and nothing of an administrator's that the device has not named.
fn ceiling(
    acting: &Acting,
    login: &StoredDeviceLogin,
    service: Option<&Service>,
) -> Result<Ceiling> {
    let asked = Some(login.scopes.clone()).filter(|scopes| !scopes.are_none());
    let own = &acting.ceiling.scopes;
    match (login.wish, asked) {
        (DeviceWish::Session, None) => Ok(Ceiling {
            scopes: match own.are_all() {
                true => Scopes::all(),
                false => own.without_roles(),
            },
            administrator: false,
        }),
        (_, asked) => app_passwords::ceiling(Some(acting), &acting.user, service, asked),
    }
}

fn record(
    change: &Change<'_>,
    kind: EventKind,
    login: &StoredDeviceLogin,
    acting: &Acting,
) -> Result<()> {
    let name = login.device_name.as_deref().unwrap_or_default();
    let mut details = Vec::new();
    if let Some(address) = &login.address {
        details.push(("device_address", address.as_str()));
    }
    let subject = Subject::of(&acting.user, login.id.as_str(), name);
    change.record(kind, subject, &details)
}
