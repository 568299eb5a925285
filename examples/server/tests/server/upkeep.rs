//! The command that removes what expired long ago, beside a running server.

use crate::{
    commands::{printed, run},
    storage::foreign_connection,
    support::Server,
};

#[test]
fn what_is_old_goes_and_what_is_not_stays() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let (_, bobs) = server.user_with_session(&key, "bob");
    let none = printed(&run(&server, &["upkeep"]), "0        ");
    assert!(none.starts_with("sessions"), "{none}");

    let old = "(SELECT last_time FROM instance) - 86400000 *";
    let database = foreign_connection(&server);
    database
        .execute_batch(&format!(
            "UPDATE sessions SET signed_in_at = {old} 100, expires_at = {old} 31 WHERE method = 'host';
             UPDATE audit SET at = {old} 401 WHERE id <= 2;
             UPDATE audit SET at = {old} 399 WHERE id = 3;"
        ))
        .unwrap();
    drop(database);
    let output = run(&server, &["upkeep"]);
    let sessions = printed(&output, "1        sessions");
    assert!(sessions.ends_with("more than 30 days ago"), "{sessions}");
    let audit = printed(&output, "2        rows of the audit log");
    assert!(audit.ends_with("older than 400 days"), "{audit}");
    printed(&output, "0        API keys");
    printed(&output, "0        one-time codes and tokens");
    assert_eq!(server.get("/api/users").key(&key).send().status, 200);
    let status = |token: &str| server.get("/api/users/me").bearer(token).send().status;
    assert_eq!((status(&session), status(&bobs)), (200, 401));
    printed(&run(&server, &["upkeep"]), "0        rows of the audit log");
}
