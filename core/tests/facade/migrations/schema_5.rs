//! Schema 6 tells addresses that are held from those that somebody typed, and remembers former names.

use keyplate::{ErrorCode, NewSignup, NewUser, UserChanges, UserQuery, UserStatus};

use super::upgraded;
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

/// U1: what the log says who gave, and what is verified, is held; what its owner typed is not.
#[test]
fn addresses_that_somebody_gave_are_held_and_what_was_typed_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let keyplate = upgraded(folder.path(), SCHEMA_5, 5);
    for (name, email, held) in [
        ("vera", "Vera@x.example", true),             // proved
        ("uma", "uma@x.example", true),               // given by the host
        ("tom", "tom@x.example", true),               // by an administrator
        ("given", "given@x.example", true),           // in place of what was typed
        ("proved", "proved@x.example", true),         // typed, and proved
        ("planned", "planned@x.example", true),       // by a plan
        ("own@x.example", "Own@x.example", true),     // their username, too
        ("sid", "sid@typed.example", false),          // typed at the sign-up
        ("changer", "changer@typed.example", false),  // in place of what was given
        ("pending", "pending@bücher.example", false), // by an invitation that is bound to its domain
    ] {
        let user = keyplate.find_user_by_username(name).unwrap().unwrap();
        let as_it_is = (user.email.as_deref(), user.email_held);
        assert_eq!(as_it_is, (Some(email), held), "{name}");
        let found = keyplate.find_user_by_email(email).unwrap();
        assert_eq!(found.map(|found| found.id), held.then_some(user.id));
    }
    // Of two usernames with `@` the host gave one, and a stranger chose the other: it blocks nobody.
    let by_email = |email: &str| keyplate.find_user_by_email(email).unwrap();
    assert!(by_email("ceo@corp.example").is_some());
    assert!(by_email("cfo@corp.example").is_none());
    let make = |name: &str, email: &str| {
        keyplate.create_user(NewUser {
            email: Some(email.to_owned()),
            ..new_user(name)
        })
    };
    assert!(make("ceo", "ceo@corp.example").is_err());
    let cfo = make("cfo", "cfo@corp.example").unwrap();
    assert_eq!(by_email("CFO@corp.example").unwrap().id, cfo.id);
    let stranger = keyplate.find_user_by_username("cfo@corp.example").unwrap();
    assert_ne!(stranger.unwrap().id, cfo.id, "it keeps its name");
    // What was typed goes when it comes to be held.
    let sid = make("sidney", "SID@typed.example").unwrap();
    assert_eq!(by_email("sid@typed.example").unwrap().id, sid.id);
    let typed = keyplate.find_user_by_username("sid").unwrap().unwrap();
    assert_eq!(typed.email, None);
}

/// U1: those of deleted and renamed users.
#[test]
fn former_names_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let keyplate = upgraded(folder.path(), SCHEMA_5, 5);
    let stranger = keyplate.anonymous(client()).unwrap();
    let join = |name: &str, email: Option<&str>| {
        stranger.sign_up(NewSignup {
            username: name.to_owned(),
            email: email.map(str::to_owned),
            token: Some(secret(INVITATION)),
            ..NewSignup::default()
        })
    };
    let taken = |field: &str| (ErrorCode::Conflict, Some(field.to_owned()));
    for name in ["gone", "BEFORE"] {
        assert_eq!(refusal(join(name, None)), taken("username"), "{name}");
    }
    let left = join("lee", Some("left@corp.example"));
    assert_eq!(refusal(left), taken("email"), "a username of the host's");
    let rejected = join("rejected", Some("rejected@bücher.example"));
    assert!(rejected.is_ok(), "nothing is left of it");
    let after = keyplate.find_user_by_username("after").unwrap().unwrap();
    let back = UserChanges {
        username: Some("before".to_owned()),
        ..UserChanges::default()
    };
    assert!(keyplate.update_user(&after.id, back).is_ok());
    assert_eq!(refusal(join("after", None)), taken("username"));
    assert!(keyplate.create_user(new_user("gone")).is_ok());
}

#[test]
fn every_credential_works() {
    let folder = tempfile::tempdir().unwrap();
    let keyplate = upgraded(folder.path(), SCHEMA_5, 5);
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
            token: Some(secret(token)),
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

/// U1: who was two by the older rules, and is told to have become one. Nobody is lost.
#[test]
fn names_that_have_become_one_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let keyplate = upgraded(folder.path(), SCHEMA_5, 5);
    let problems = keyplate.check_integrity().unwrap().problems;
    let expected = [
        ("username", "STRASSE", "Straße"),
        ("username", "οδοσ", "ΟΔΟΣ"),
        ("username", "sam", "ſam"),
        ("email", "eve", "eva"),
        ("email", "zoë", "zoe"),
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:?}");
    for (problem, (what, younger, older)) in problems.iter().zip(expected) {
        let beginning = format!("the {what} of {younger:?} (");
        assert!(problem.starts_with(&beginning), "{problem}");
        assert!(
            problem.contains(&format!("also that of {older:?} (")),
            "{problem}"
        );
    }
    for (spelling, older) in [("strasse", "Straße"), ("ΟΔΟΣ", "ΟΔΟΣ"), ("SAM", "ſam")] {
        let found = keyplate.find_user_by_username(spelling).unwrap().unwrap();
        assert_eq!(found.username, older);
    }
    // The older one's new name frees the former one for the younger, and what is left is told as before.
    let straße = keyplate.find_user_by_username("strasse").unwrap().unwrap();
    let changes = UserChanges {
        username: Some("Gasse".to_owned()),
        ..UserChanges::default()
    };
    keyplate.update_user(&straße.id, changes).unwrap();
    let found = keyplate.find_user_by_username("Straße").unwrap().unwrap();
    assert_eq!(found.username, "STRASSE");
    assert_eq!(keyplate.check_integrity().unwrap().name_collisions, 4);
}
