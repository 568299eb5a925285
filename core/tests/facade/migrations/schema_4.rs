//! Schema 5 has the folded forms of names.

use keyplate::{ApiKeyQuery, GroupQuery, Keyplate, NewSignup, ServiceQuery, UserQuery, UserSort};

use super::upgraded;
use crate::common::{passkeys::Person, plans::OPERATORS, *};

pub(super) const SCHEMA_4: &str = include_str!("../../fixtures/schema-4.sql");
/// What has Bob's passkey.
const AUTHENTICATOR: &str = include_str!("../../fixtures/schema-4-authenticator.json");

/// API keys of Ann's, one of them before and after its rotation.
const KEYS: [&str; 3] = [
    "kp_key_P5xKsMJ76ohm1TRwzjEvBEiGpVU0hgBBhspnAkg1EF427kmoh",
    "kp_key_VaZezkKBRE33mdZ8LqQEIZyNVuBdNw6HBeh55cbe7qA2qVKAR",
    "kp_key_LPzVAjxWxwFO6Ei3n8Ng1284mARugxdrtMEobioGZUo3BNlkN",
];
const SESSIONS: [(&str, &str); 3] = [
    (
        "Ann",
        "kp_ses_fGegj4PGIOWtbnu8pd5CLB6HCGrIBFrPKMwBW3PxHt81u5cUi",
    ),
    (
        "bob",
        "kp_ses_3Ijn32iHJyAxsaXqZl0nLq4kTV2TGcrCqBusvKqusL74IX0gC",
    ),
    (
        "dan",
        "kp_ses_dV0CPkZmHPQbyegx5HMbcVMPr3BBDJn2fnkJgJlQfRX0QJQPk",
    ),
];
/// One was replaced by a passkey's session, the other revoked.
const ENDED: [&str; 2] = [
    "kp_ses_nbfZPvEMU2KzCv9tuK8NOkaIfSmJ7IPHvKCOAeAjwog44KV3I",
    "kp_ses_RoYujk32AT8WXRJgMEvZ4L813KrzITf6fcBhG9LsgdC4XAoAw",
];
const SETUP: &str = "kp_set_RhSeT86DdUDQPBd1NsPz6pMQJLVsfTmi5vCr6Yz9JOC3ouI9F";
const INVITATION: &str = "kp_inv_mS8KMGlZedBeZrWzpXPmyJ9rXAkng7TckYpBhs5qdtN45Ld8q";
/// The last is Dan's recovery token.
const ONE_TIME: [(&str, &str); 3] = [
    (
        "bob",
        "kp_otp_8yYxJAwDVZ7CRsQApEYWyCqoQyb0B8Fm5CFMcriYMcl2zKoZ5",
    ),
    ("bob", "FV00-PHJR"),
    (
        "dan",
        "kp_otp_TPPE1H7jUNYKlvwTATb7jNX6uORq2JeMTJ5A8xcRN3N077y3Y",
    ),
];
/// Bob's for the service `films`.
const ACCESS_TOKEN: &str = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSIsImtpZCI6IjAxYTE5NDY3LWU4MDAtNzE1MC1hZDRlLTlmMjk0OTljYzkxMCJ9.eyJpc3MiOiJodHRwczovL21lZGlhLmV4YW1wbGUiLCJzdWIiOiIwMWExOTQ2Ny1lODAwLTcwZDMtYmI0Yi1lYjg1NGE4ZWZjNTIiLCJhdWQiOiJmaWxtcyIsImV4cCI6MTc5MzQ5NDgwMCwiaWF0IjoxNzkzNDkxMjAwLCJqdGkiOiIwMWExOTQ2Ny1lODAwLTc3ZTItODAxZC05MzU2MmRlMGU3YmYiLCJjbGllbnRfaWQiOiIwMWExOTQ2Ny1lODAwLTdjNjctOWIxMi00YmIxZGEzMjhkYjAiLCJzaWQiOiIwMWExOTQ2Ny1lODAwLTdjNjctOWIxMi00YmIxZGEzMjhkYjAiLCJhdXRoX3RpbWUiOjE3OTM0OTEyMDAsImFtciI6WyJwb3AiLCJtZmEiXSwic2NvcGUiOiIqIiwiZ3JvdXBzIjpbImZhbWlseSJdLCJwcmVmZXJyZWRfdXNlcm5hbWUiOiJib2IiLCJuYW1lIjoiQsOzYiIsImVtYWlsIjoiYm9iQHguZXhhbXBsZSIsImVtYWlsX3ZlcmlmaWVkIjp0cnVlfQ.ptSAJjddRW1aXPOs4Oflkub0-YlZzX98fGLjtvekVHSA6qHdVN5SQn24Tf432QYvQOkw9PAiZVqIA0b5ZSBZCA";

#[test]
fn every_credential_works() {
    let folder = tempfile::tempdir().unwrap();
    let keyplate = upgraded(folder.path(), SCHEMA_4, 4);
    let acting = |credential: &str| {
        let found = keyplate.authenticate(credential).unwrap();
        keyplate.acting_as(&found.principal, client()).unwrap()
    };
    for key in KEYS {
        assert_eq!(keyplate.verify_api_key(key).unwrap().username, "Ann");
    }
    let of_a_plan = keyplate.verify_api_key(OPERATORS).unwrap();
    assert_eq!(of_a_plan.username, "operator");
    for (name, session) in SESSIONS {
        assert_eq!(keyplate.verify_session(session).unwrap().username, name);
    }
    for session in ENDED {
        assert!(keyplate.verify_session(session).is_err());
    }
    let claims = keyplate.verify_access_token(ACCESS_TOKEN, "films").unwrap();
    assert_eq!(claims.username, "bob");

    let stranger = keyplate.anonymous(client()).unwrap();
    let mut phone = Person {
        authenticator: serde_json::from_str(AUTHENTICATOR).unwrap(),
        ..Person::new()
    };
    assert_eq!(phone.log_in(&stranger).unwrap().user.username, "bob");
    let cid = stranger
        .sign_up(NewSignup {
            username: "cid".to_owned(),
            token: Some(secret(INVITATION)),
            ..NewSignup::default()
        })
        .unwrap();
    assert_eq!((cid.user.group_ids.len(), cid.user.claims.len()), (1, 1));
    let [.., recovery] = ONE_TIME;
    for (name, token) in ONE_TIME {
        let signed_in = stranger.redeem_one_time_token(token).unwrap();
        assert_eq!(signed_in.user.username, name);
        if token == recovery.1 {
            let registered = Person::new().register(&acting(signed_in.secret.as_str()));
            assert!(registered.is_ok());
        }
    }
    let resumed = stranger.resume_setup(Some(SETUP.to_owned())).unwrap();
    assert_eq!(resumed.user.username, "Ann");
    // B2: how it was claimed nobody wrote down then.
    assert!(!keyplate.get_setup_state().unwrap().claimed_without_token);
}

#[test]
fn names_are_found_and_sorted_by_their_folded_forms() {
    let folder = tempfile::tempdir().unwrap();
    let keyplate = upgraded(folder.path(), SCHEMA_4, 4);
    let users = |search: &str| {
        let query = UserQuery {
            search: Some(search.to_owned()),
            ..UserQuery::default()
        };
        usernames(&keyplate, query)
    };
    assert_eq!(users("änne öst"), ["Ann"], "her display name");
    assert_eq!(users("ÄNNE"), ["Ann"]);
    assert_eq!(users("BÓB"), ["bob"]);
    let sorted = UserQuery {
        sort: Some(UserSort::DisplayName),
        ..UserQuery::default()
    };
    let names = usernames(&keyplate, sorted);
    assert_eq!(names[2..], ["bob", "Ann"], "those without a name first");

    let search = |text: &str| Some(text.to_owned());
    let groups = GroupQuery {
        search: search("über"),
        ..GroupQuery::default()
    };
    assert_eq!(keyplate.list_groups(groups).unwrap().total, 1);
    let services = ServiceQuery {
        search: search("ältere film"),
        ..ServiceQuery::default()
    };
    assert_eq!(keyplate.list_services(services).unwrap().total, 1);
    let keys = ApiKeyQuery {
        search: search("öffner"),
        ..ApiKeyQuery::default()
    };
    assert_eq!(keyplate.list_api_keys(keys).unwrap().total, 1);
}

fn usernames(keyplate: &Keyplate, query: UserQuery) -> Vec<String> {
    let users = keyplate.list_users(query).unwrap().items;
    users.into_iter().map(|user| user.username).collect()
}
