//! Schema 6 tells addresses that are held from those that somebody typed, and remembers former names.

use keyplate::{Keyplate, NewSignup, UserQuery, UserStatus};

use super::{config_at_its_time, from_fixture};
use crate::common::{passkeys::Person, *};

const SCHEMA_5: &str = include_str!("../../fixtures/schema-5.sql");
/// What has Vera's passkey.
const AUTHENTICATOR: &str = include_str!("../../fixtures/schema-5-authenticator.json");

/// API keys: one of Vera's, before and after its rotation.
const KEYS: [&str; 2] = [
    "kp_key_u9hUrG4ssqZi49EuKeLmxe9Wn9EkHqogyjWrOR6fwbT04Puij",
    "kp_key_YR3hxE2BnykrRm9fDtxa3DVpV3eNCR0Xvplu3oIRsKZ25isNV",
];
const SESSIONS: [(&str, &str); 5] = [
    (
        "sid",
        "kp_ses_tDNpHt4Ex5OelYQON3CzbW2DhRLYMpzrgRTBldBBABF1opclk",
    ),
    (
        "changer",
        "kp_ses_REtAQAWxXZy4FC0KpcT2AslyAFcd7Dqe3HdmUCtLvqJ4Lks6h",
    ),
    (
        "cfo@corp.example",
        "kp_ses_afe0nezRDivwCej7uVStR5yODe1vGKQTdDc2pMEfNEN2nDwLa",
    ),
    (
        "vera",
        "kp_ses_Ci1firjHe0PDt5wfX5tD76X5a09cRfYXYjlG6CmFS063Uxb4G",
    ),
    (
        "vera",
        "kp_ses_Byb7ZJqf0Dq8FjUBR5UOgEyGGHWzoJJXHfkmC87cRnO0coiFH",
    ),
];
/// It was replaced by a passkey's session.
const ENDED: &str = "kp_ses_47pYwka7A5EhQPDOOLjmTlmZL7wVohCoeoL9O0Dw80H3XeKWe";
/// Somebody's who waits for approval.
const PENDING: &str = "kp_ses_GoC00GQ57uK7yP3TyJ6gkDMU4UEGEY0wuW4a9jW4G2O2Pwc8R";
/// For everybody, and for who has an address at `bücher.example` and is approved.
const INVITATION: &str = "kp_inv_0JNOIBF07pBycIeQmHGMeCR4X9Bbfu6lCvtFV3QRMSz4GFcLK";
const BOUND_INVITATION: &str = "kp_inv_2ausf514UgzSHlR6zO0LRrJcJBytYHCFTcQacalXuPd3902z0";
/// The last is a recovery token.
const ONE_TIME: [(&str, &str); 2] = [
    (
        "vera",
        "kp_otp_GVlUg34rL7QMzT27zreYyIsUL9D1s0AWqeyCSqEM58s1qnm4m",
    ),
    (
        "changer",
        "kp_otp_bIwxrNNzqeFXum7B4vNMsnQOpfPsCRalBHbYuaHaBoA2NER44",
    ),
];
/// Vera's for the service `wiki`.
const ACCESS_TOKEN: &str = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSIsImtpZCI6IjAxYTE5NDY3LWU4MDAtNzE1MC1hZDRlLTlmMjk0OTljYzkxMCJ9.eyJpc3MiOiJodHRwczovL21lZGlhLmV4YW1wbGUiLCJzdWIiOiIwMWExOTQ2OC1kNjQ4LTdmNzYtODA4NS05NzA5NjMxNDU2ODIiLCJhdWQiOiJ3aWtpIiwiZXhwIjoxNzkzNDk0ODg4LCJpYXQiOjE3OTM0OTEyODgsImp0aSI6IjAxYTE5NDY5LTNmYzAtNzE1Mi04YzlmLWE2ODAxMThlOGYzOCIsImNsaWVudF9pZCI6IjAxYTE5NDY5LTNmYzAtNzM3OS1hMTljLTNmMGIyNTI3MmZlOSIsInNpZCI6IjAxYTE5NDY5LTNmYzAtNzM3OS1hMTljLTNmMGIyNTI3MmZlOSIsImF1dGhfdGltZSI6MTc5MzQ5MTI4OCwiYW1yIjpbInBvcCIsIm1mYSJdLCJzY29wZSI6IioiLCJncm91cHMiOlsiZWRpdG9ycyJdLCJwcmVmZXJyZWRfdXNlcm5hbWUiOiJ2ZXJhIiwibmFtZSI6IlbDqXJhIiwiZW1haWwiOiJWZXJhQHguZXhhbXBsZSIsImVtYWlsX3ZlcmlmaWVkIjp0cnVlLCJxdW90YSI6IjEwIn0.q45KZrUt-SxOrD30T369Lbe08bmD2SOi6k8fd3BwoKEliWE-FDWriipdmWanpcSwv0hpfQjZaafrigQQJQ90AA";

fn opened(folder: &std::path::Path) -> Keyplate {
    Keyplate::open(config_at_its_time(&from_fixture(folder, SCHEMA_5))).unwrap()
}

#[test]
fn every_credential_works() {
    let folder = tempfile::tempdir().unwrap();
    let keyplate = opened(folder.path());
    let acting = |credential: &str| {
        let found = keyplate.authenticate(credential).unwrap();
        keyplate.acting_as(&found.principal, client()).unwrap()
    };
    for key in KEYS {
        assert_eq!(keyplate.verify_api_key(key).unwrap().username, "vera");
    }
    for (name, session) in SESSIONS {
        assert_eq!(keyplate.verify_session(session).unwrap().username, name);
    }
    assert!(keyplate.verify_session(ENDED).is_err());
    let waiting = UserQuery {
        status: Some(UserStatus::Pending),
        ..UserQuery::default()
    };
    for user in keyplate.list_users(waiting).unwrap().items {
        keyplate.approve_user(&user.id).unwrap();
    }
    assert_eq!(
        keyplate.verify_session(PENDING).unwrap().username,
        "pending"
    );
    let claims = keyplate.verify_access_token(ACCESS_TOKEN, "wiki").unwrap();
    assert_eq!(claims.username, "vera");

    let stranger = keyplate.anonymous(client()).unwrap();
    let mut phone = Person {
        authenticator: serde_json::from_str(AUTHENTICATOR).unwrap(),
        ..Person::new()
    };
    assert_eq!(phone.log_in(&stranger).unwrap().user.username, "vera");
    let join = |name: &str, email: Option<&str>, token: &str| {
        stranger.sign_up(NewSignup {
            username: name.to_owned(),
            email: email.map(str::to_owned),
            token: Some(token.to_owned()),
            ..NewSignup::default()
        })
    };
    let joined = join("late", None, INVITATION).unwrap();
    assert_eq!(joined.user.group_ids.len(), 1, "the default group");
    let bound = Some("late@bücher.example");
    assert!(join("bound", bound, BOUND_INVITATION).is_ok());
    let [.., recovery] = ONE_TIME;
    for (name, token) in ONE_TIME {
        let signed_in = stranger.redeem_one_time_token(token).unwrap();
        assert_eq!(signed_in.user.username, name);
        if token == recovery.1 {
            let registered = Person::new().register(&acting(signed_in.secret.as_str()));
            assert!(registered.is_ok());
        }
    }
}
