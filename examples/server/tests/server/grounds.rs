//! The kinds of ground on which people put a database: volumes that force modes or groups, systems that can be written in
//! one folder only, users whom nobody knows. Each is started, started again, and worked on by the commands.
//!
//! They need root, and mounts in a name space of their own; where that is not to be had they say that they skip.

use std::{
    fs::{self, Permissions},
    io::Write,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Server, command};

/// Nobody whom a machine knows.
const STRANGER: u32 = 54_322;

/// A file system that is mounted at a folder as long as this lives.
pub(crate) struct Mounted(pub(crate) TempDir);

impl Mounted {
    /// What this program mounts at a folder.
    pub(crate) fn by(program: &str, options: &[&str], source: &str) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mounted = Command::new(program)
            .args(options)
            .arg(source)
            .arg(folder.path())
            .output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self(folder));
        }
        // bindfs is nothing that every machine must have.
        assert!(
            program == "bindfs" || std::env::var("CI").is_err(),
            "CI must be able to mount"
        );
        eprintln!("skipped: no {program}, or no right to it");
        None
    }

    /// A small disk.
    pub(crate) fn disk(options: &str) -> Option<Self> {
        Self::by("mount", &["-t", "tmpfs", "-o", options], "none")
    }

    pub(crate) fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{options}")]);
        assert!(mount.arg(self.0.path()).status().unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// Starts the program in some way; it takes the program's arguments.
type Program<'a> = &'a dyn Fn() -> Command;

fn temporary() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    folder
}

fn succeeds(output: &Output, what: &str) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {error}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Two starts, and between them every command that works on a database.
fn works(program: Program<'_>, data: &Path, options: &[&str]) {
    let data_option = ["--data", data.to_str().unwrap()];
    let options = [options, &data_option].concat();
    let at_work = temporary();
    let out = at_work.path();
    let origin = "http://localhost:1411";
    let mut first = Server::by(program(), temporary(), &options);
    let session = {
        let token = first.setup_token.clone().unwrap();
        let body = json!({ "username": "ann", "token": token });
        let reply = first.post("/api/signup/setup").json(&body).send();
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.cookie_value()
    };
    let key = first.make_key(&session, "one", None);
    assert_eq!(first.get("/healthz").send().status, 204);
    let run = |arguments: &[&str]| {
        let output = program()
            .args(arguments)
            .args(&options)
            .args(["--origin", origin])
            .output()
            .unwrap();
        succeeds(&output, &arguments.join(" "))
    };
    run(&["setup-token"]);
    let user = run(&["user", "create", "bob"]);
    assert!(user.contains("bob"), "{user}");
    for command in ["disable", "enable", "promote", "demote"] {
        run(&["user", command, "bob"]);
    }
    assert!(run(&["user", "list"]).contains("bob"));
    run(&[
        "api-key",
        "create",
        "--owner",
        "ann",
        "--name",
        "two",
        "--scope",
        "users:read",
        "--expires",
        "90d",
    ]);
    assert!(run(&["api-key", "list"]).contains("two"));
    run(&["one-time-token", "bob"]);
    run(&["rotate-key"]);
    run(&["reset-clock"]);
    run(&["upkeep"]);
    run(&["check"]);
    let plan = out.join("plan.toml");
    fs::write(&plan, "").unwrap();
    fs::set_permissions(&plan, Permissions::from_mode(0o644)).unwrap();
    run(&["bootstrap", "--file", plan.to_str().unwrap()]);
    let copy = data.join("copy.db");
    run(&["backup", copy.to_str().unwrap()]);
    assert!(copy.exists());
    let listen = first.address.clone();
    let health = program()
        .args(["healthcheck", "--listen", &listen])
        .output();
    succeeds(&health.unwrap(), "healthcheck");
    run(&["reset-setup", "--generation", "1"]);
    assert_eq!(first.stop("-TERM"), Some(0));

    let mut second = Server::by(program(), temporary(), &options);
    let users = second.get("/api/users").key(&key).send();
    assert_eq!(users.json()["data"].as_array().unwrap().len(), 2);
    assert_eq!(second.stop("-TERM"), Some(0));
}

/// The first start is refused already, in one line with the file and the option; nothing is left of it.
fn wants_the_option(program: Program<'_>, data: &Path) {
    let output = program()
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("keyplate.db"), "{text}");
    assert!(text.contains("--allow-shared-file"), "{text}");
}

fn plain() -> Command {
    command()
}

/// As NTFS, exFAT and SMB are mounted: every file has the same mode, whatever it was made with.
#[test]
fn a_mount_that_forces_modes() {
    let below = temporary();
    let Some(mount) = Mounted::by(
        "bindfs",
        &["--perms=0777", "--chmod-ignore", "--create-with-perms=0777"],
        below.path().to_str().unwrap(),
    ) else {
        return;
    };
    let data = mount.0.path().join("data");
    wants_the_option(&plain, &data);
    works(&plain, &data, &["--allow-shared-file"]);
}

/// As Kubernetes' `fsGroup` does it: files are made for a group, which may write them.
#[test]
fn files_that_a_group_may_write() {
    let below = temporary();
    let Some(mount) = Mounted::by(
        "bindfs",
        &[
            "--perms=0660:a+X:g+s",
            "--chmod-ignore",
            "--force-group=54322",
        ],
        below.path().to_str().unwrap(),
    ) else {
        return;
    };
    let data = mount.0.path().join("data");
    wants_the_option(&plain, &data);
    works(&plain, &data, &["--allow-shared-file"]);
}

/// The same where no file system is at work: somebody has changed the files of a server that ran.
#[test]
fn files_that_were_given_to_a_group() {
    let folder = temporary();
    let data = folder.path().join("data");
    let first = Server::with(&["--data", data.to_str().unwrap()]);
    drop(first);
    for file in fs::read_dir(&data).unwrap() {
        let path = file.unwrap().path();
        fs::set_permissions(path, Permissions::from_mode(0o660)).unwrap();
    }
    wants_the_option(&plain, &data);
    works(&plain, &data, &["--allow-shared-file"]);
}

/// Runs the program where everything is read-only but this folder.
fn on_read_only_root(writable: &Path) -> Option<impl Fn() -> Command> {
    let program = PathBuf::from(command().get_program());
    let script = format!(
        "mount --bind '{0}' '{0}' && mount -o remount,ro,bind / && {{ mountpoint -q /tmp && mount -o remount,ro,bind /tmp || :; }} && exec \"$@\"",
        writable.display()
    );
    let made = move || {
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "sh", "-c", &script, "sh"]);
        unshare.arg(&program);
        // No folder for temporary files either.
        unshare.env("TMPDIR", "/nowhere");
        unshare
    };
    let version = made().arg("--version").output();
    if version.is_ok_and(|version| version.status.success()) {
        return Some(made);
    }
    assert!(std::env::var("CI").is_err(), "CI must be able to unshare");
    eprintln!("skipped: no mounts of one's own");
    None
}

#[test]
fn a_read_only_root_with_one_folder_that_can_be_written() {
    let folder = temporary();
    let Some(program) = on_read_only_root(folder.path()) else {
        return;
    };
    works(&program, &folder.path().join("data"), &[]);
}

/// As OpenShift gives every pod a user of its own, whom no file of users knows, and with no home.
#[test]
fn a_user_whom_nobody_knows_and_without_a_home() {
    use std::os::unix::process::CommandExt;

    let folder = temporary();
    let program = folder.path().join("keyplate-server");
    // Where the tests are built, not everybody may look.
    fs::copy(command().get_program(), &program).unwrap();
    let own = folder.path().join("own");
    fs::create_dir(&own).unwrap();
    if chown(&own, Some(STRANGER), Some(STRANGER)).is_err() {
        eprintln!("skipped: not root");
        return;
    }
    let program = || {
        let mut stranger = Command::new(&program);
        stranger.env_clear().current_dir("/");
        stranger.uid(STRANGER).gid(STRANGER);
        stranger
    };
    works(&program, &own.join("data"), &[]);
}

#[test]
fn no_home() {
    let folder = temporary();
    let without = || {
        let mut without = command();
        without.env_clear();
        without
    };
    works(&without, &folder.path().join("data"), &[]);
    let elsewhere = || {
        let mut elsewhere = command();
        elsewhere.env("HOME", "/nowhere");
        elsewhere
    };
    works(&elsewhere, &folder.path().join("data2"), &[]);
}

/// D5: a disk that is full, or turned read-only, is a server that nobody can sign in to.
#[test]
fn a_server_whose_disk_is_full_is_not_healthy_until_there_is_room() {
    let Some(disk) = Mounted::disk("size=4m,mode=700") else {
        return;
    };
    let data = disk.0.path().join("data");
    let server = Server::with(&["--data", data.to_str().unwrap()]);
    let (_, key) = server.claim_with_key();
    let filler = disk.0.path().join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    // Somebody reads, so that the log cannot begin anew, in which the smallest change always has room.
    #[expect(
        clippy::disallowed_methods,
        reason = "the test reads beside the server"
    )]
    let reader = rusqlite::Connection::open(data.join("keyplate.db")).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM users")
        .unwrap();
    // What is refused gives its room back.
    let mut fill = || while file.write_all(&[7; 4_096]).is_ok() {};
    let mut last = String::new();
    let refused = (0..500).any(|n| {
        fill();
        let body = json!({ "username": format!("user{n}") });
        let made = server.post("/api/users").key(&key).json(&body).send();
        fill();
        let health = server.get("/healthz").send();
        last = format!("{made:?} {health:?}");
        made.status == 503 && health.status == 503
    });
    assert!(refused, "{last}");
    is_unhealthy(&server, "storage_full");
    drop(reader);
    // As long as it is open, it is there.
    drop(file);
    fs::remove_file(&filler).unwrap();
    is_healthy(&server);
    let log = server.log();
    let database = data.join("keyplate.db");
    let line = format!("the disk is full: cannot write {}", database.display());
    assert!(log.contains(&line), "{log}");
    assert!(log.contains("the database can be used again"), "{log}");
}

/// A file system that finds itself damaged turns read-only.
#[test]
fn a_server_whose_disk_is_read_only_is_not_healthy() {
    let folder = temporary();
    let image = folder.path().join("image");
    fs::File::create(&image).unwrap().set_len(16 << 20).unwrap();
    let made = Command::new("mkfs.ext4").arg("-q").arg(&image).status();
    if !made.is_ok_and(|made| made.success()) {
        assert!(std::env::var("CI").is_err(), "CI must have mkfs.ext4");
        eprintln!("skipped: no mkfs.ext4");
        return;
    }
    let Some(disk) = Mounted::by("mount", &["-o", "loop"], image.to_str().unwrap()) else {
        return;
    };
    let data = disk.0.path().join("data");
    let server = Server::with(&["--data", data.to_str().unwrap()]);
    is_healthy(&server);
    let (_, key) = server.claim_with_key();
    disk.remount("abort");
    let body = json!({ "username": "bob" });
    let refused = server.post("/api/users").key(&key).json(&body).send();
    refused.is_refused(503, "storage_unavailable");
    is_unhealthy(&server, "storage_read_only");
}

#[track_caller]
fn is_unhealthy(server: &Server, reason: &str) {
    let reply = server.get("/healthz").send();
    reply.is_refused(503, "storage_unavailable");
    assert_eq!(reply.json()["details"], json!({ "reason": reason }));
}

#[track_caller]
fn is_healthy(server: &Server) {
    crate::support::wait_until(|| server.get("/healthz").send().status == 204);
}
