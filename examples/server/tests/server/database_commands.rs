//! Back-ups and checks from the command line; how a back-up is restored.

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    os::unix::fs::PermissionsExt,
};

use serde_json::json;
use tempfile::TempDir;

use crate::{
    commands::{fails, printed, run},
    support::{Server, command, text},
};

#[test]
fn a_back_up_beside_a_running_server_is_restored() {
    let mut server = Server::start();
    let (session, key) = server.claim_with_key();
    let done = server.post("/api/setup/complete").bearer(&session).send();
    assert_eq!(done.status, 200);
    let id = {
        let keys = server.get("/api/api-keys").key(&key).send().json();
        text(&keys["data"][0]["id"])
    };
    let (_, bobs) = server.user_with_session(&key, "bob");
    let copy = server.folder.path().join("copy.db");
    let copy = copy.to_str().unwrap();
    let size = printed(&run(&server, &["backup", copy]), "backed up ");
    let metadata = fs::metadata(copy).unwrap();
    assert_eq!(size, format!("{} bytes to {copy}", metadata.len()));
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    fails(
        &run(&server, &["backup", copy]),
        &format!("cannot back up to {copy}: the file exists already"),
    );
    let nowhere = server.folder.path().join("no/such/copy.db");
    let nowhere = nowhere.to_str().unwrap();
    fails(
        &run(&server, &["backup", nowhere]),
        &format!("cannot back up to {nowhere}: its folder does not exist"),
    );
    assert_eq!(run(&server, &["backup"]).status.code(), Some(2));

    // After that something is lost.
    let more = json!({ "username": "cid" });
    server.made(&key, "/api/users", more);
    server
        .request("DELETE", &format!("/api/api-keys/{id}"))
        .key(&key)
        .send();
    server
        .get("/api/users")
        .key(&key)
        .send()
        .is_refused(401, "token_invalid_or_expired");
    fails(
        &run(&server, &["restore", copy]),
        &format!(
            "cannot restore {copy}: the database is in use: stop the server and whatever else has it open"
        ),
    );
    assert_eq!(server.stop("-TERM"), Some(0));
    fails(
        &run(&server, &["restore", nowhere]),
        &format!("cannot restore {nowhere}: it is not a file that there is"),
    );
    let restored = run(&server, &["restore", copy]);
    printed(&restored, "restored the back-up of ");
    let told = String::from_utf8(restored.stdout).unwrap();
    assert!(told.contains("the former database is kept as "), "{told}");
    assert!(told.contains("ends all sessions"), "{told}");
    let folder = std::mem::replace(&mut server.folder, TempDir::new().unwrap());
    drop(server);

    let server = Server::in_folder(folder, &[]);
    let log = server.log();
    assert!(log.starts_with("warning: a back-up of 20"), "{log}");
    assert!(
        log.contains("API keys that work: 1, sign-up tokens: 0"),
        "{log}"
    );
    let users = server.get("/api/users").key(&key).send();
    assert_eq!(users.status, 200, "the key was revoked later");
    assert_eq!(users.json()["data"].as_array().unwrap().len(), 2);
    let me = server.get("/api/users/me").cookie(&bobs).send();
    assert_eq!(me.status, 401, "sessions are not brought back");
    let log = server
        .get("/api/audit-logs/all?filters[event]=BACKUP_RESTORED")
        .key(&key)
        .send();
    assert_eq!(log.json()["data"][0]["data"]["api_keys"], "1");
    assert_eq!(server.setup_token, None, "setup stays complete");
}

#[test]
fn a_check_says_what_is_wrong() {
    let mut server = Server::start();
    let (_, key) = server.claim_with_key();
    printed(&run(&server, &["check"]), "the database is in order");
    for n in 0..100 {
        let body = json!({ "username": format!("user{n}") });
        server.made(&key, "/api/users", body);
    }
    assert_eq!(server.stop("-TERM"), Some(0));
    // Pages in the middle are overwritten.
    let mut file = fs::OpenOptions::new()
        .write(true)
        .open(server.database())
        .unwrap();
    let pages = file.metadata().unwrap().len() / 4_096;
    for page in pages / 2..pages {
        file.seek(SeekFrom::Start(page * 4_096)).unwrap();
        file.write_all(&[0x5a; 4_096]).unwrap();
    }
    drop(file);
    let output = command()
        .arg("check")
        .arg("--data")
        .arg(server.folder.path().join("data"))
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}
