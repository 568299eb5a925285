//! Device sign-in (V1–V4): a device shows a code, somebody types it elsewhere and approves, and the device gets what it
//! asked for. Here is the device's side; who approves it is in `approving.rs`.
//!
//! # States
//!
//! A request is a row, and nothing of it lives in memory: OPEN → CLAIMED (somebody has looked) → APPROVED or DENIED. What
//! is approved is given at the next poll, in the transaction that deletes the row; what has expired goes with later ones.
//!
//! # What always holds
//!
//! 1. Only whoever claimed it approves or denies it, and only once: each step is one conditional statement.
//! 2. Of several who poll, one gets what is given. A process that is killed leaves the row, or what was given.
//! 3. What is given is looked at anew at the poll: the account, and the session that approved it.

mod approving;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    clock, db,
    error::{Found, InputReason, KeyplateError, Result, Thing, invalid},
    gate::{
        change::{Change, Subject},
        handle::Keyplate,
        limits,
        methods::Method,
    },
    model::{
        audit::EventKind,
        config::ClientInfo,
        device_logins::{
            Approval, DeviceLoginAnswer, DeviceLoginState, DeviceStage, DeviceWish, NewDeviceLogin,
            StartedDeviceLogin, StoredDeviceLogin,
        },
        ids::DeviceLoginId,
        sessions::SignInMethod,
        users::User,
    },
    rules::{
        app_passwords::{Making, asked_scopes},
        services,
        sessions::Opening,
        users::checks as users,
    },
    secret::Secret,
    values::{
        codes,
        scopes::Scopes,
        text,
        tokens::{self, SecretHash, TokenKind},
    },
};

/// V1.
const LIFETIME_SECONDS: i64 = 10 * 60;
const INTERVAL_SECONDS: i64 = 5;
/// A clock that counts in another way is not too fast by that.
const TOLERATED: Duration = Duration::from_millis(500);
const MOST_FROM_ADDRESS: i64 = 20;
const MOST_SIX_DIGITS: i64 = 200;
/// For how long a device is told that its request has expired, rather than that there is none.
const TOLD_SECONDS: i64 = 3_600;
const MAX_NAME: usize = 100;
/// What an app password is called whose device has no name.
const NAMELESS: &str = "device";

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Begins to sign in a device that has no browser. It shows the user code and polls with the device code; both live
    /// for 10 minutes.
    ///
    /// # Errors
    /// `InvalidInput`; `NotFound` for the service; `RateLimited` when 20 are under way from one address.
    pub fn begin_device_login(&self, login: NewDeviceLogin) -> Result<StartedDeviceLogin> {
        let name = text::maybe("device_name", login.device_name.as_deref(), MAX_NAME)?;
        let scopes = asked_scopes(&login.scopes)?.unwrap_or_else(Scopes::none);
        let wish = checked_wish(&login)?;
        self.write(Method::BeginDeviceLogin, |change| {
            let now = change.now();
            let service = match &login.service {
                None => None,
                Some(service) => Some(services::find(change, service)?.or_missing(Thing::Service)?),
            };
            db::device_logins::purge(change, clock::later(now, -TOLD_SECONDS * 1_000))?;
            let source = limits::source(change.client);
            check_open(change, source.as_deref())?;
            let is_six_digits = login.six_digits
                && db::device_logins::count_six_digits(change, now)? < MOST_SIX_DIGITS;
            let (user_code, code_hash) = self.mint_user_code(change, is_six_digits)?;
            let device = tokens::mint(&self.shared.token_prefix, TokenKind::Device)?;
            let client = change.client;
            let stored = StoredDeviceLogin {
                id: DeviceLoginId::generate(now)?,
                stage: DeviceStage::Open,
                wish,
                service_id: service.map(|service| service.id),
                scopes: scopes.clone(),
                is_six_digits,
                device_name: name.clone().or_else(|| client.device_name.clone()),
                address: client.address.clone(),
                user_agent: client.user_agent.clone(),
                created_at: now,
                expires_at: clock::after(now, LIFETIME_SECONDS),
                polled_at: None,
                claimed_by: None,
                approval: None,
            };
            let keys = db::device_logins::Keys {
                device: &device.hash,
                code: &code_hash,
                source: source.as_deref(),
            };
            db::device_logins::insert(change, &stored, &keys)?;
            Ok(StartedDeviceLogin {
                device_code: Arc::new(device.secret),
                user_code: Arc::new(user_code),
                expires_at: stored.expires_at,
                expires_in_seconds: LIFETIME_SECONDS,
                interval_seconds: INTERVAL_SECONDS,
            })
        })
    }

    /// Tells a device what came of its request, and gives it what it asked for, once. Whoever polls more often than the
    /// interval says is told to slow down.
    ///
    /// # Errors
    /// `InvalidCredential` when the device code is unknown or malformed, or what it gives was fetched.
    pub fn poll_device_login(&self, device_code: &str) -> Result<DeviceLoginAnswer> {
        let hash = tokens::expect(&self.shared.token_prefix, TokenKind::Device, device_code)?;
        // Most answers write nothing, or hardly anything.
        let early = self.read(Method::PollDeviceLogin, |reader, _| {
            let login = find(reader, &hash)?;
            Ok(settled(&login, reader.now()))
        })?;
        if let Some(state) = early {
            return Ok(answer(state));
        }
        self.write(Method::PollDeviceLogin, |change| {
            let login = find(change, &hash)?;
            if let Some(state) = settled(&login, change.now()) {
                return Ok(answer(state));
            }
            match &login.approval {
                Some(approval) => self.grant(change, &login, approval),
                None => {
                    db::device_logins::set_polled(change, &login.id, change.now())?;
                    Ok(answer(DeviceLoginState::Pending))
                }
            }
        })
    }
}

impl Keyplate {
    fn mint_user_code(
        &self,
        change: &Change<'_>,
        is_six_digits: bool,
    ) -> Result<(Secret, SecretHash)> {
        loop {
            let code = match is_six_digits {
                true => codes::mint_digits()?,
                false => codes::mint()?,
            };
            let hash = self.shared.code_key.hash(&code);
            if db::device_logins::find_by_code(change, &hash)?.is_none() {
                let shown = match is_six_digits {
                    true => Secret::new(code),
                    false => codes::shown(&code),
                };
                return Ok((shown, hash));
            }
        }
    }

    /// V3, V4: given in the transaction that deletes the request, if that still may be.
    fn grant(
        &self,
        change: &Change<'_>,
        login: &StoredDeviceLogin,
        approval: &Approval,
    ) -> Result<DeviceLoginAnswer> {
        let now = change.now();
        if !db::device_logins::delete(change, &login.id)? {
            return Err(KeyplateError::InvalidCredential);
        }
        let acting = db::sessions::find_acting(change, &approval.session_id, now)?;
        let ended = approval.bound.expires_at.is_some_and(|end| end <= now);
        let user = match acting {
            Some((user, ..)) if !ended && user.check_may_sign_in(now).is_ok() => {
                users::get(change, &user.id)?
            }
            _ => return Ok(answer(DeviceLoginState::Denied)),
        };
        let granted = match login.wish {
            DeviceWish::Session => self.give_session(change, user, login, approval)?,
            DeviceWish::AppPassword => self.give_app_password(change, user, login, approval)?,
        };
        Ok(granted)
    }

    fn give_session(
        &self,
        change: &Change<'_>,
        user: User,
        login: &StoredDeviceLogin,
        approval: &Approval,
    ) -> Result<DeviceLoginAnswer> {
        let client = ClientInfo {
            device_name: login.device_name.clone(),
            ..change.client.clone()
        };
        let opening = Opening {
            ceiling: approval.ceiling.clone(),
            bound: approval.bound,
            ..Opening::of(&user, SignInMethod::Device)
        };
        let signed_in = self.open_session(change, user.clone(), &client, opening)?;
        let session = &signed_in.session;
        let subject = Subject::of(&user, session.id.as_str(), &session.masked_secret);
        record_given(change, login, approval, subject)?;
        Ok(DeviceLoginAnswer {
            user: Some(user),
            signed_in: Some(signed_in),
            ..answer(DeviceLoginState::Granted)
        })
    }

    fn give_app_password(
        &self,
        change: &Change<'_>,
        user: User,
        login: &StoredDeviceLogin,
        approval: &Approval,
    ) -> Result<DeviceLoginAnswer> {
        let name = login.device_name.as_deref().unwrap_or(NAMELESS);
        let making = Making {
            name: name.to_owned(),
            ceiling: approval.ceiling.clone(),
            service: login.service_id,
            expires_at: approval.bound.expires_at,
            recoverable: false,
            bound: approval.bound,
        };
        let created = self.make_app_password(change, &user, making)?;
        let password = &created.app_password;
        let subject = Subject::of(&user, password.id.as_str(), &password.name);
        record_given(change, login, approval, subject)?;
        Ok(DeviceLoginAnswer {
            user: Some(user.clone()),
            app_password: Some(created),
            ..answer(DeviceLoginState::Granted)
        })
    }
}

fn record_given(
    change: &Change<'_>,
    login: &StoredDeviceLogin,
    approval: &Approval,
    subject: Subject<'_>,
) -> Result<()> {
    let details = [
        ("device_login", login.id.as_str()),
        ("approved_by_session", approval.session_id.as_str()),
    ];
    change.record(EventKind::DeviceSignedIn, subject, &details)
}

fn answer(state: DeviceLoginState) -> DeviceLoginAnswer {
    DeviceLoginAnswer {
        state,
        user: None,
        signed_in: None,
        app_password: None,
    }
}

fn find(reader: &db::Reader<'_>, hash: &SecretHash) -> Result<StoredDeviceLogin> {
    db::device_logins::find_by_device(reader, hash)?.ok_or(KeyplateError::InvalidCredential)
}

/// What is told without a change. One that is approved is never slowed down: its device may come a little early.
fn settled(login: &StoredDeviceLogin, now: SystemTime) -> Option<DeviceLoginState> {
    let too_early = |polled: SystemTime| now + TOLERATED < clock::after(polled, INTERVAL_SECONDS);
    match login.stage {
        DeviceStage::Denied => Some(DeviceLoginState::Denied),
        _ if login.expires_at <= now => Some(DeviceLoginState::Expired),
        DeviceStage::Approved => None,
        DeviceStage::Open | DeviceStage::Claimed => login
            .polled_at
            .is_some_and(too_early)
            .then_some(DeviceLoginState::SlowDown),
    }
}

fn checked_wish(login: &NewDeviceLogin) -> Result<DeviceWish> {
    let field = || "service".to_owned();
    match (login.wish, &login.service) {
        (None | Some(DeviceWish::Session), None) => Ok(DeviceWish::Session),
        (None | Some(DeviceWish::AppPassword), Some(_)) => Ok(DeviceWish::AppPassword),
        (Some(DeviceWish::Session), Some(_)) => {
            Err(invalid("wish", InputReason::Excludes { field: field() }))
        }
        (Some(DeviceWish::AppPassword), None) => {
            Err(invalid("wish", InputReason::Needs { field: field() }))
        }
    }
}

/// V1: so many open from one address.
fn check_open(change: &Change<'_>, source: Option<&str>) -> Result<()> {
    let Some(source) = source else {
        return Ok(());
    };
    if db::device_logins::count_from(change, source, change.now())? < MOST_FROM_ADDRESS {
        return Ok(());
    }
    Err(KeyplateError::RateLimited {
        retry_after: Duration::from_secs(60),
    })
}
