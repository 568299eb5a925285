//! App passwords (W1–W4).

mod elsewhere;
mod limits;
mod making;
mod subsonic;
mod verifying;

use keyplate::{
    ClientInfo, CreatedAppPassword, Keyplate, NewAppPassword, NewService, Result, Service, User,
    VerifiedAppPassword,
};

use crate::common::*;

pub(super) fn named(name: &str) -> NewAppPassword {
    NewAppPassword {
        name: name.to_owned(),
        ..NewAppPassword::default()
    }
}

pub(super) fn for_service(service: &str) -> NewAppPassword {
    NewAppPassword {
        service: Some(service.to_owned()),
        ..named("a client")
    }
}

/// By their own fresh session.
pub(super) fn make(f: &Fixture, user: &User, password: NewAppPassword) -> CreatedAppPassword {
    f.acting(f.session(user).secret.as_str())
        .create_app_password(password)
        .unwrap()
}

pub(super) fn open_service(f: &Fixture, slug: &str) -> Service {
    let service = NewService {
        slug: slug.to_owned(),
        ..NewService::default()
    };
    let service = f.keyplate.create_service(service).unwrap();
    f.keyplate
        .set_service_access(&service.id, true, &[])
        .unwrap()
}

pub(super) fn at(address: &str) -> ClientInfo {
    ClientInfo {
        address: Some(address.to_owned()),
        ..ClientInfo::default()
    }
}

/// Asked by the host, of a client at the tests' address.
pub(super) fn verify(
    keyplate: &Keyplate,
    name: &str,
    secret: &str,
    service: Option<&str>,
) -> Result<VerifiedAppPassword> {
    keyplate.verify_app_password(name, secret, service.map(str::to_owned), client())
}
