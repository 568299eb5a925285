//! Whose files the server reads (D1): the message names the file, and the option as it is called here.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    process::Output,
};

use tempfile::TempDir;

use crate::support::command;

/// Somebody who is neither root nor who runs this.
const SOMEBODY: u32 = 12_345;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A file with a mode.
fn file(path: PathBuf, text: &str, rights: u32) -> PathBuf {
    fs::write(&path, text).unwrap();
    mode(&path, rights);
    path
}

fn folder(path: PathBuf, rights: u32) -> PathBuf {
    fs::create_dir(&path).unwrap();
    mode(&path, rights);
    path
}

/// A command that opens the database, or makes it, and does nothing.
fn run(data: &Path, options: &[&str]) -> Output {
    let own = TempDir::new().unwrap();
    let plan = file(own.path().join("plan.toml"), "", 0o600);
    let mut command = command();
    command.args(["bootstrap", "--file"]).arg(plan);
    command.arg("--data").arg(data);
    command.args(options).output().unwrap()
}

/// Refused in one line with the file's name and the option; with the option it works.
#[track_caller]
fn wants_the_option(data: &Path, options: &[&str], file: &Path, why: &str) {
    let refused = run(data, options);
    let text = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains(file.to_str().unwrap()), "{text}");
    assert!(text.contains(why), "{text}");
    assert!(text.contains("--allow-shared-file"), "{text}");
    assert!(!text.contains("allow_shared_file"), "{text}");
    let allowed = run(data, &[options, &["--allow-shared-file"]].concat());
    let text = String::from_utf8(allowed.stderr).unwrap();
    assert!(allowed.status.success(), "{text}");
}

#[test]
fn folders_and_files_of_others_are_refused() {
    let temporary = TempDir::new().unwrap();
    let in_it = |name: &str| temporary.path().join(name);
    let database = |data: &Path| data.join("keyplate.db");

    // Anybody could put another file into the place of this one.
    let open = folder(in_it("open"), 0o777);
    wants_the_option(&open, &[], &database(&open), "others can replace files");
    // Nobody but its owner could, as in /tmp.
    let sticky = folder(in_it("sticky"), 0o1777);
    assert!(run(&sticky, &[]).status.success());
    // So could who may write a folder further up.
    let inner = folder(folder(in_it("outer"), 0o777).join("inner"), 0o700);
    wants_the_option(&inner, &[], &database(&inner), "others can replace files");
    // A link is judged by where it lies, and by where it leads.
    let target = folder(in_it("target"), 0o700);
    let link = folder(in_it("links"), 0o777).join("data");
    symlink(&target, &link).unwrap();
    wants_the_option(&link, &[], &database(&link), "others can replace files");
    let link = in_it("link");
    symlink(&target, &link).unwrap();
    assert!(run(&link, &[]).status.success());
    let link = folder(in_it("linked"), 0o700);
    symlink(database(&inner), database(&link)).unwrap();
    wants_the_option(&link, &[], &database(&link), "others can replace files");

    let shared = folder(in_it("shared"), 0o700);
    file(database(&shared), "", 0o644);
    wants_the_option(&shared, &[], &database(&shared), "others can read or write");
}

/// A group with the number of the folder's owner is the owner's own; where the umask is 002 it may write.
#[test]
fn a_folder_that_a_group_may_write_is_refused_unless_the_group_is_the_owners() {
    let temporary = TempDir::new().unwrap();
    let group = folder(temporary.path().join("group"), 0o700);
    // Only root may give a folder to any group.
    if chown(&group, None, Some(SOMEBODY)).is_err() {
        println!("skipped: not root");
        return;
    }
    mode(&group, 0o770);
    let database = group.join("keyplate.db");
    wants_the_option(&group, &[], &database, "others can replace files");
    chown(&group, None, Some(0)).unwrap();
    mode(&group, 0o775);
    assert!(run(&group, &[]).status.success());
}

#[test]
fn what_another_user_planted_is_refused() {
    let temporary = TempDir::new().unwrap();
    let in_it = |name: &str| temporary.path().join(name);
    let data = folder(in_it("data"), 0o1777);
    let planted = data.join("keyplate.db");
    assert!(run(&data, &[]).status.success());
    if chown(&planted, Some(SOMEBODY), None).is_err() {
        println!("skipped: not root");
        return;
    }
    wants_the_option(&data, &[], &planted, "belongs to another user");
    chown(&planted, Some(0), None).unwrap();
    assert!(run(&data, &[]).status.success());
    let log = file(data.join("keyplate.db-wal"), "", 0o600);
    chown(&log, Some(SOMEBODY), None).unwrap();
    wants_the_option(&data, &[], &planted, "`-wal`");

    let theirs = folder(in_it("theirs"), 0o755);
    chown(&theirs, Some(SOMEBODY), None).unwrap();
    let database = theirs.join("keyplate.db");
    wants_the_option(&theirs, &[], &database, "others can replace files");
}

#[test]
fn keys_and_plans_of_others_are_refused() {
    let temporary = TempDir::new().unwrap();
    let in_it = |name: &str| temporary.path().join(name);
    let data = folder(in_it("data"), 0o700);
    let open = folder(in_it("open"), 0o777);
    let key = file(open.join("key"), &"k".repeat(32), 0o600);
    let key_option = ["--encryption-key-file", key.to_str().unwrap()];
    wants_the_option(&data, &key_option, &key, "others can replace files");

    let plan = |path: &Path, options: &[&str]| {
        let mut command = command();
        command.args(["bootstrap", "--file"]).arg(path);
        command.arg("--data").arg(&data);
        let output = command.args(options).output().unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let planned = file(open.join("plan.toml"), "", 0o600);
    let (done, text) = plan(&planned, &[]);
    assert!(
        !done && text.contains("plan.toml") && text.contains("--allow-shared-file"),
        "{text}"
    );
    let (done, text) = plan(&planned, &["--allow-shared-file"]);
    assert!(done, "{text}");

    let backup = open.join("copy.db");
    let back_up = |options: &[&str]| {
        let mut command = command();
        command.arg("backup").arg(&backup).arg("--data").arg(&data);
        command.args(options).output().unwrap()
    };
    let refused = back_up(&[]);
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(text.contains("--allow-shared-file"), "{text}");
    assert!(!backup.exists());
    assert!(back_up(&["--allow-shared-file"]).status.success());
}

/// There is no database that could be read-only.
#[test]
fn a_folder_that_cannot_be_written_is_named_as_that() {
    let output = run(Path::new("/sys"), &[]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("/sys/keyplate.db: it is in a folder that cannot be written"),
        "{text}"
    );
}

/// What the system has against a file is said with the file's name. Root may do everything, so this is somebody else.
#[test]
fn a_file_that_cannot_be_opened_is_named_with_the_reason() {
    use std::os::unix::process::CommandExt;

    let temporary = TempDir::new().unwrap();
    mode(temporary.path(), 0o755);
    let program = temporary.path().join("keyplate-server");
    fs::copy(command().get_program(), &program).unwrap();
    let data = folder(temporary.path().join("data"), 0o700);
    let plan = file(temporary.path().join("plan.toml"), "", 0o644);
    if chown(&data, Some(SOMEBODY), Some(SOMEBODY)).is_err() {
        println!("skipped: not root");
        return;
    }
    let run = |arguments: &[&str]| {
        let mut somebody = std::process::Command::new(&program);
        somebody.env_clear().uid(SOMEBODY).gid(SOMEBODY);
        somebody.args(arguments).arg("--data").arg(&data);
        somebody.output().unwrap()
    };
    let start = ["bootstrap", "--file", plan.to_str().unwrap()];
    assert!(run(&start).status.success());
    let database = data.join("keyplate.db");
    let (wal, shm) = (data.join("keyplate.db-wal"), data.join("keyplate.db-shm"));
    for side in [&wal, &shm] {
        file(side.clone(), "", 0o600);
        chown(side, Some(SOMEBODY), Some(SOMEBODY)).unwrap();
    }
    for (shut, rights) in [(&database, 0o600), (&wal, 0o600), (&shm, 0o600)] {
        mode(shut, 0);
        for arguments in [&["check"][..], &["user", "list"], &["upkeep"], &start] {
            let output = run(arguments);
            let text = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{arguments:?} {shut:?}");
            assert_eq!(text.lines().count(), 1, "{text}");
            let reason = format!("{}: ", shut.display());
            let begins = format!("keyplate-server: cannot open {}: ", database.display());
            assert!(
                text.starts_with(&begins) && text.contains(&reason),
                "{text}"
            );
        }
        mode(shut, rights);
    }
    assert!(run(&start).status.success());
}
