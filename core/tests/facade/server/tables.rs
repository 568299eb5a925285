//! D2, D8: whose tables they are, and what a restored database is.

use keyplate::{AuditQuery, ClientInfo, ErrorCode, EventKind};

use super::{OnServer, open};
use crate::common::*;

#[test]
fn tables_of_another_application_are_left_alone() {
    let database = OnServer::new();
    let url = database.url();
    let mut client = database.client();
    client
        .batch_execute("CREATE SCHEMA other; CREATE TABLE other.things (id int)")
        .unwrap();
    let other = format!("{url}&options=-c%20search_path%3Dother");
    assert_eq!(code(open(&other)), ErrorCode::ForeignDatabase);
    client
        .batch_execute("DROP TABLE other.things; CREATE TABLE other.instance (schema bigint)")
        .unwrap();
    assert_eq!(code(open(&other)), ErrorCode::ForeignDatabase);
    // In a schema of its own everything is made.
    client.batch_execute("DROP TABLE other.instance").unwrap();
    open(&other).unwrap().create_user(new_user("ann")).unwrap();
    drop(database.open());
}

#[test]
fn tables_of_a_newer_version_are_refused_also_by_who_has_them_open() {
    let database = OnServer::new();
    let keyplate = database.open();
    let session = {
        let ann = keyplate.create_user(new_user("ann")).unwrap();
        keyplate
            .create_session(&ann.id, ClientInfo::default(), None)
            .unwrap()
    };
    let mut client = database.client();
    client
        .batch_execute("UPDATE instance SET schema = schema + 1")
        .unwrap();
    let too_new = ErrorCode::SchemaTooNew;
    assert_eq!(code(open(&database.url())), too_new);
    assert_eq!(code(keyplate.get_settings()), too_new);
    assert_eq!(code(keyplate.create_user(new_user("bob"))), too_new);
    assert_eq!(
        code(keyplate.verify_session(session.secret.as_str())),
        too_new
    );
}

/// As docs/postgres.md says how to restore one.
#[test]
fn a_restored_database_that_was_marked_ends_sessions() {
    let database = OnServer::new();
    let keyplate = database.open();
    let ann = keyplate.create_user(new_user("ann")).unwrap();
    let session = keyplate
        .create_session(&ann.id, ClientInfo::default(), None)
        .unwrap();
    drop(keyplate);
    let mark = "UPDATE instance SET backed_up_at = last_time";
    database.client().batch_execute(mark).unwrap();
    let keyplate = database.open();
    let refused = keyplate.verify_session(session.secret.as_str());
    assert_eq!(code(refused), ErrorCode::InvalidCredential);
    let events = keyplate
        .list_audit_events(AuditQuery::default())
        .unwrap()
        .items;
    let restored = events
        .iter()
        .find(|event| event.kind == EventKind::BackupRestored)
        .unwrap();
    // Numbers that were seen before are not given again.
    let bob = keyplate.create_user(new_user("bob")).unwrap();
    let query = AuditQuery {
        after: Some(restored.id),
        ..AuditQuery::default()
    };
    let later = keyplate.list_audit_events(query).unwrap().items;
    assert_eq!(later.len(), 1);
    assert_eq!(later[0].user_id.as_deref(), Some(bob.id.as_str()));
}
