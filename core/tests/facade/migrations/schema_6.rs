//! Schema 7 brings app passwords and device sign-in. Everything of schema 6 goes on as it was.

use keyplate::{ErrorCode, NewSignup, SetupStage, SignInMethod, UserStatus};

use super::upgraded;
use crate::common::{passkeys::Person, plans, *};

const SCHEMA_6: &str = include_str!("../../fixtures/schema-6.sql");
/// What has Vera's passkey.
const AUTHENTICATOR: &str = include_str!("../../fixtures/schema-6-authenticator.json");

/// Vera's before and after its rotation, one of hers that ends, what she made for Uma by that one, and the plan's two.
pub(super) const KEYS: [(&str, &str); 6] = [
    (
        "vera",
        "kp_key_vSrEvUVotki6iViYwyQ6YCSirvnz0COHT1S4kHlg4kG4Wc3BZ",
    ),
    (
        "vera",
        "kp_key_0Sb7UdP40d3YmZUJeAyYMV2dfYQ5Cno3jtPptk0XNJt3RD2uq",
    ),
    (
        "vera",
        "kp_key_99XnPR3SxPZKzpwP1NBl0x3o1b4MVdbfAz7oM2rZjFU1LWyJL",
    ),
    (
        "uma",
        "kp_key_6gNmMBv1jInpwyipo6XrevOxPaZVk8T3095xbLtYmdu0kc8ea",
    ),
    (
        "anna",
        "kp_key_6adtFeHv7NfFAyLyzudtyaBelfrvbENGI0iOTiJyNG438etmb",
    ),
    ("anna", plans::OPERATORS),
];
const REVOKED: &str = "kp_key_ideWLmHLPLUplP5DiJMQnlTO143AFQfWQHQ2dlbOtzR28tnt1";
pub(super) const SESSIONS: [(&str, SignInMethod, &str); 7] = [
    (
        "vera",
        SignInMethod::Passkey,
        "kp_ses_GhgXMjzkkEXhuqiR3lR8Xic5d6myt95tkBq8J5lnRSf1eZjXD",
    ),
    (
        "vera",
        SignInMethod::Passkey,
        "kp_ses_ixPRhVcctojI4dJnswaOSwTETx6uDuYrcgUK0ROOc9i1Md0zV",
    ),
    (
        "uma",
        SignInMethod::Host,
        "kp_ses_sGUG4ryVResO5iGyK86OS8AkUER9dHSkhCx6m6aL7ZH3BqNO0",
    ),
    (
        "joined",
        SignInMethod::Recovery,
        "kp_ses_jqudnUmSHVN85OAE0NYzCtwOAV0LGKbFvYjbl3oOaHS2zQNqz",
    ),
    (
        "uma",
        SignInMethod::OneTimeToken,
        "kp_ses_OdWRwUMnbom3jCZxuN0b07aZef85XaywLYCyDGFZDHB2jqNjT",
    ),
    (
        "uma",
        SignInMethod::OneTimeToken,
        "kp_ses_u6ufQtu111vecBytSfNi10QDUrw1L3O8dxfw7E8WoWK0lrOvM",
    ),
    (
        "uma",
        SignInMethod::Setup,
        "kp_ses_mdEpcm2qcRXG8l20ecUXLQps7H09TcCw4DcfWoKsjBs15zieq",
    ),
];
/// Uma's was revoked; what Joined had from the sign-up ended with the recovery.
const ENDED: [&str; 2] = [
    "kp_ses_v5PJYxEKUF7qxM1XSpHREtEfWraWNtBfAKiBlzSYUlk1DrZyx",
    "kp_ses_mrO7E7inkqpk2fhvt5GSih9qgrhuCrv2LQGV43GN3UN3OEw2W",
];
const PENDING: &str = "kp_ses_rnVYvCksmpEJWWqkTYsPSEzdASGnEo2dhdeB8B1dJkx4Zcrhz";
const INVITATION: &str = "kp_inv_rJKvM5rFiGgQxvGzvoL6N8UycNoVYApxrOKhfnaLDyq2zybj4";
/// A code, a token, one that was made by a key that ends, and a recovery code.
const ONE_TIME: [(&str, &str); 4] = [
    ("uma", "GVS1-J5AW"),
    (
        "vera",
        "kp_otp_vRuzQlf4OnDKKKAePEkY9bWj2o91At01YfodZoDO4e14aOtwu",
    ),
    (
        "uma",
        "kp_otp_nmqibKdjQwcBANlJfdkfcDeqbcVSY4SEO5N2qaztidU2Cc1lK",
    ),
    ("after", "BEBR-C7AP"),
];
/// Vera's for the service `shop`, by the signing key from before a rotation and by the one after it.
const ACCESS_TOKENS: [&str; 2] = [
    "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSIsImtpZCI6IjAxYTE5NDY3LWViZTgtNzQwNC05OWEwLTJmMGJkNGU4Y2JlNSJ9.eyJpc3MiOiJodHRwczovL21lZGlhLmV4YW1wbGUiLCJzdWIiOiIwMWExOTQ2Ny1lODAwLTc5MGEtOGIyZC01YzJjNGNhMzM0YTEiLCJhdWQiOiJzaG9wIiwiZXhwIjoxNzkzNDk0ODAxLCJpYXQiOjE3OTM0OTEyMDEsImp0aSI6IjAxYTE5NDY3LWViZTgtN2Q3YS04MzQ0LWM3ODdmYmNjNTg1YyIsImNsaWVudF9pZCI6IjAxYTE5NDY3LWViZTgtN2U0NS05MmU0LWJmMTZiNjc3NWZmOCIsInNpZCI6IjAxYTE5NDY3LWViZTgtN2U0NS05MmU0LWJmMTZiNjc3NWZmOCIsImF1dGhfdGltZSI6MTc5MzQ5MTIwMSwiYW1yIjpbInBvcCIsIm1mYSJdLCJzY29wZSI6IioiLCJncm91cHMiOlsiZWRpdG9ycyJdLCJwcmVmZXJyZWRfdXNlcm5hbWUiOiJ2ZXJhIiwibmFtZSI6IlbDqXJhIiwiZW1haWwiOiJWZXJhQHguZXhhbXBsZSIsImVtYWlsX3ZlcmlmaWVkIjp0cnVlLCJsZXZlbCI6IjIiLCJxdW90YSI6IjEwIn0.SViicYUcFIfwQpUpaHfS8NYjXyJ12PcTalcbBkWP56XTO8wE3lj5Lv9A71CuKsiAAOccLu-8JOhDV9ZIo2GsDA",
    "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSIsImtpZCI6IjAxYTE5NDY3LWViZTgtN2Y0NS05NzIzLTE3NDQ2YTAxZjkyNyJ9.eyJpc3MiOiJodHRwczovL21lZGlhLmV4YW1wbGUiLCJzdWIiOiIwMWExOTQ2Ny1lODAwLTc5MGEtOGIyZC01YzJjNGNhMzM0YTEiLCJhdWQiOiJzaG9wIiwiZXhwIjoxNzkzNDk0ODAxLCJpYXQiOjE3OTM0OTEyMDEsImp0aSI6IjAxYTE5NDY3LWViZTgtN2RkNy05Y2Y0LWFjYzE4MjE5N2QyNiIsImNsaWVudF9pZCI6IjAxYTE5NDY3LWViZTgtN2U0NS05MmU0LWJmMTZiNjc3NWZmOCIsInNpZCI6IjAxYTE5NDY3LWViZTgtN2U0NS05MmU0LWJmMTZiNjc3NWZmOCIsImF1dGhfdGltZSI6MTc5MzQ5MTIwMSwiYW1yIjpbInBvcCIsIm1mYSJdLCJzY29wZSI6IioiLCJncm91cHMiOlsiZWRpdG9ycyJdLCJwcmVmZXJyZWRfdXNlcm5hbWUiOiJ2ZXJhIiwibmFtZSI6IlbDqXJhIiwiZW1haWwiOiJWZXJhQHguZXhhbXBsZSIsImVtYWlsX3ZlcmlmaWVkIjp0cnVlLCJsZXZlbCI6IjIiLCJxdW90YSI6IjEwIn0.awmDH9rg0JQgSUYZhWxWopargTdY8VaNMF-XTpu3hpa7hSvB5VHejCy8HzG9ijZ8fGOZp-LMbCPiI7IHLYAyDg",
];
/// Both resume the setup that Uma has claimed.
const SETUP: [&str; 2] = [
    "kp_set_xE4iCdEDvpMoACdU6CQ9K4hdpmvPgO6d2Mp4mKjeaUx0Suipv",
    "kp_set_1dLpl6QoCwiRqnglwoBXVojaP73F8bNV5A9ZzbavMrH15oZwr",
];

#[test]
fn every_credential_works() {
    let folder = tempfile::tempdir().unwrap();
    let keyplate = upgraded(folder.path(), SCHEMA_6, 6);
    let acting = |credential: &str| {
        let found = keyplate.authenticate(credential).unwrap();
        keyplate.acting_as(&found.principal, client()).unwrap()
    };
    for (name, key) in KEYS {
        assert_eq!(keyplate.verify_api_key(key).unwrap().username, name);
    }
    for (name, method, session) in SESSIONS {
        let found = keyplate.verify_session(session).unwrap();
        assert_eq!(found.username, name);
        let listed = keyplate.list_sessions(Default::default()).unwrap().items;
        let listed = listed.iter().find(|one| Some(one.id) == found.session_id);
        assert_eq!(listed.unwrap().method, method);
    }
    for ended in ENDED {
        assert_eq!(
            code(keyplate.verify_session(ended)),
            ErrorCode::InvalidCredential
        );
    }
    assert_eq!(
        code(keyplate.verify_api_key(REVOKED)),
        ErrorCode::InvalidCredential
    );
    let pending = keyplate.authenticate_pending(PENDING).unwrap();
    assert_eq!(pending.status, UserStatus::Pending);
    for token in ACCESS_TOKENS {
        let claims = keyplate.verify_access_token(token, "shop").unwrap();
        assert_eq!((claims.username.as_str(), claims.groups.len()), ("vera", 1));
    }

    let stranger = keyplate.anonymous(client()).unwrap();
    let mut phone = Person {
        authenticator: serde_json::from_str(AUTHENTICATOR).unwrap(),
        ..Person::new()
    };
    let by_passkey = phone.log_in(&stranger).unwrap();
    assert_eq!(by_passkey.user.username, "vera");
    phone.step_up(&acting(by_passkey.secret.as_str())).unwrap();
    let joined = stranger.sign_up(NewSignup {
        username: "late".to_owned(),
        token: Some(secret(INVITATION)),
        ..NewSignup::default()
    });
    assert_eq!(joined.unwrap().user.group_ids.len(), 1);
    for (name, token) in ONE_TIME {
        let signed_in = stranger.redeem_one_time_token(token).unwrap();
        assert_eq!(signed_in.user.username, name);
    }
    let setup = keyplate.get_setup_state().unwrap();
    assert_eq!(setup.stage, SetupStage::Claimed);
    for token in SETUP {
        let resumed = stranger.resume_setup(Some(token.to_owned())).unwrap();
        assert_eq!(resumed.user.username, "uma");
    }
}
