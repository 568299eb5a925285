//! Schema 9 brings forward auth. Everything of schema 8 goes on as it was.

use keyplate::{DeviceLoginState, ErrorCode, ServiceVisit};

use super::{
    schema_6::{KEYS, SESSIONS},
    upgraded,
};
use crate::common::*;

const SCHEMA_8: &str = include_str!("../../fixtures/schema-8.sql");

/// Vera's, and her other one, which is for the service `shop`.
const APP_PASSWORD: &str = "kdf3-f3hg-z4as-bc06";
const OF_SHOP: &str = "w75p-hvc8-2j7w-dvrf";
const OPEN: &str = "kp_dev_8JIEeZxYoCVKNdpklRm77tocSVUwihm9CuKOmoBS4eQ2k63em";
const USER_CODE: &str = "TK98-GG1D";
const APPROVED: &str = "kp_dev_i1TEJUvVJYEZEELY6jG4bP0rjY0smN2gsKrmRz17ink0ZlfLm";
const LINK: &str = "kp_otp_Mcms0sCC1h7WeuL9UKkcv4SJvDaqKpU328I3eq1emEb2gCW7B";

#[test]
fn every_credential_works() {
    let folder = tempfile::tempdir().unwrap();
    let keyplate = upgraded(folder.path(), SCHEMA_8, 8);
    for (name, key) in KEYS {
        assert_eq!(keyplate.verify_api_key(key).unwrap().username, name);
    }
    for (name, _, session) in SESSIONS {
        assert_eq!(keyplate.verify_session(session).unwrap().username, name);
    }
    let verify = |secret: &str, service: Option<&str>| {
        let service = service.map(str::to_owned);
        keyplate.verify_app_password("vera", secret, service, client())
    };
    assert!(verify(APP_PASSWORD, None).is_ok());
    assert!(verify(OF_SHOP, Some("shop")).unwrap().service_id.is_some());

    let stranger = keyplate.anonymous(client()).unwrap();
    let poll = |device_code: &str| stranger.poll_device_login(device_code).unwrap();
    assert_eq!(poll(APPROVED).state, DeviceLoginState::Granted);
    assert_eq!(poll(OPEN).state, DeviceLoginState::Pending);
    let found = keyplate.authenticate(SESSIONS[0].2).unwrap();
    let vera = keyplate.acting_as(&found.principal, client()).unwrap();
    assert!(vera.inspect_device_login(USER_CODE).is_ok());
    assert!(stranger.redeem_one_time_token(LINK).is_ok());
}

/// F2: a service from before knows the hosts of its origins.
#[test]
fn origins_have_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let keyplate = upgraded(folder.path(), SCHEMA_8, 8);
    let connection = raw(&folder.path().join("id.db"));
    let mut statement = connection
        .prepare("SELECT origin, host FROM service_origins ORDER BY origin")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let hosts: Vec<(String, String)> = rows.unwrap().map(Result::unwrap).collect();
    let hosts: Vec<_> = hosts
        .iter()
        .map(|(o, h)| (o.as_str(), h.as_str()))
        .collect();
    assert_eq!(
        hosts,
        [
            ("http://10.0.0.7", "10.0.0.7"),
            ("http://[2001:db8::1]:8080", "[2001:db8::1]"),
            ("https://shop.example", "shop.example"),
            ("https://shop.example:8443", "shop.example"),
        ]
    );
    let ask = |origin: &str| {
        let visit = ServiceVisit {
            service: "films".to_owned(),
            origin: origin.to_owned(),
            credential: None,
        };
        code(keyplate.verify_service_session(visit))
    };
    assert_eq!(ask("https://shop.example"), ErrorCode::InvalidCredential);
    // Another service that has one of these hosts, from after the upgrade, is noticed.
    let origins = ["https://shop.example:9443".to_owned()];
    let shop = keyplate.list_services(Default::default()).unwrap().items;
    let shop = shop.iter().find(|service| service.slug == "shop").unwrap();
    keyplate.set_service_origins(&shop.id, &origins).unwrap();
    assert_eq!(ask("https://shop.example"), ErrorCode::PermissionDenied);
}
