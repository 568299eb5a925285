//! Devices without a browser (V1–V4), and another device of one's own (V5).

mod approving;
mod asking;
mod guessing;
mod links;
mod races;

use keyplate::{
    ClientInfo, DeviceLoginAnswer, DeviceLoginState, Keyplate, NewDeviceLogin, Result,
    StartedDeviceLogin, User,
};

use crate::common::*;

pub(super) fn television() -> NewDeviceLogin {
    NewDeviceLogin {
        device_name: Some("Television".to_owned()),
        ..NewDeviceLogin::default()
    }
}

pub(super) fn at(f: &Fixture, address: &str) -> Keyplate {
    let client = ClientInfo {
        address: Some(address.to_owned()),
        user_agent: Some("TV/1".to_owned()),
        device_name: None,
    };
    f.keyplate.anonymous(client).unwrap()
}

pub(super) fn begin(f: &Fixture, login: NewDeviceLogin) -> StartedDeviceLogin {
    at(f, "198.51.100.9").begin_device_login(login).unwrap()
}

/// Somebody who has just signed in.
pub(super) fn signed_in(f: &Fixture, user: &User) -> Keyplate {
    f.acting(f.session(user).secret.as_str())
}

pub(super) fn approve(acting: &Keyplate, started: &StartedDeviceLogin) -> Result<()> {
    let code = started.user_code.as_str();
    acting.inspect_device_login(code)?;
    acting.approve_device_login(code)
}

pub(super) fn poll(f: &Fixture, started: &StartedDeviceLogin) -> Result<DeviceLoginAnswer> {
    at(f, "198.51.100.9").poll_device_login(started.device_code.as_str())
}

pub(super) fn state(f: &Fixture, started: &StartedDeviceLogin) -> DeviceLoginState {
    poll(f, started).unwrap().state
}

/// The session that it gets.
pub(super) fn device_session(f: &Fixture, acting: &Keyplate, login: NewDeviceLogin) -> String {
    let started = begin(f, login);
    approve(acting, &started).unwrap();
    poll(f, &started)
        .unwrap()
        .signed_in
        .unwrap()
        .secret
        .reveal()
}
