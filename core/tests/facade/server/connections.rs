//! D5, D6: connections that end, servers that are not there, and threads of a runtime.

use keyplate::{ClientInfo, ErrorCode, KeyplateError};
use tokio::runtime::Builder;

use super::{OnServer, open};
use crate::common::*;

/// As when the server is started anew or another takes its place.
#[test]
fn a_connection_that_has_ended_is_replaced() {
    let database = OnServer::new();
    let keyplate = database.open();
    let ann = keyplate.create_user(new_user("ann")).unwrap();
    for round in 0..5 {
        let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                     WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let ended = database.client().query_one(ended, &[]).unwrap();
        assert!(ended.get::<_, i64>(0) > 0);
        if round % 2 == 0 {
            assert_eq!(keyplate.get_user(&ann.id).unwrap().username, "ann");
        } else {
            keyplate
                .create_user(new_user(&format!("user{round}")))
                .unwrap();
        }
    }
}

#[test]
fn a_server_that_is_not_there_is_named_without_the_password() {
    let nowhere = folder();
    let host = nowhere.path().to_str().unwrap().replace('/', "%2F");
    let error = open(&format!("postgres://keyplate:hidden@{host}/id")).unwrap_err();
    let KeyplateError::StorageFailed { path, reason } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*path, format!("{}:5432/id", nowhere.path().display()));
    assert!(!reason.is_empty());
    assert!(!format!("{error:?} {error}").contains("hidden"));
}

/// D6: what one machine does the next call on another sees.
#[test]
fn what_one_handle_ends_another_refuses_at_its_next_call() {
    let database = OnServer::new();
    let (one, other) = (database.open(), database.open());
    let ann = one.create_user(new_user("ann")).unwrap();
    let session = one
        .create_session(&ann.id, ClientInfo::default(), None)
        .unwrap();
    let secret = session.secret.as_str();
    for _ in 0..20 {
        other.verify_session(secret).unwrap();
    }
    one.revoke_session(&session.session.id).unwrap();
    assert_eq!(
        code(other.verify_session(secret)),
        ErrorCode::InvalidCredential
    );
}

#[test]
fn a_call_on_a_runtime_works_or_is_an_error_and_never_a_panic() {
    let database = OnServer::new();
    let keyplate = database.open();
    let several = Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    several.block_on(async {
        let keyplate = keyplate.clone();
        let on_worker = tokio::spawn(async move { keyplate.create_user(new_user("ann")) });
        on_worker.await.unwrap().unwrap();
    });
    let alone = Builder::new_current_thread().build().unwrap();
    let refused = alone.block_on(async { keyplate.get_settings() });
    assert_eq!(code(refused), ErrorCode::Internal);
    // The handle works on.
    keyplate.get_settings().unwrap();
}
