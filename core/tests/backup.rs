//! D8: back-ups are whole, whatever else goes on; and who restores one brings back as little as can be.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    os::unix::fs::{MetadataExt, symlink},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use common::{
    passkeys::{Person, reason},
    process::{job, kill_after, said, say, start},
    *,
};
use keyplate::{
    AuditEvent, AuditQuery, Config, ErrorCode, EventKind, KeyRotation, Keyplate, NewAdmin,
    PasskeyFailure, SetupStage, UserQuery,
};

/// The jobs of other processes; without a job there is nothing to do.
#[test]
fn worker() {
    let Some((job, keyplate)) = job() else { return };
    let (verb, rest) = job.split_once(' ').unwrap_or((&job, ""));
    match verb {
        "write" => write_until_killed(&keyplate, rest),
        "open" => say("opened"),
        "back-up" => back_up_until_killed(&keyplate, Path::new(rest)),
        "relative" => {
            std::env::set_current_dir(rest).unwrap();
            let made = keyplate.back_up_to("copy.db").is_ok();
            let again = code(keyplate.back_up_to("./copy.db"));
            say(&format!("{made} {again:?}"));
        }
        other => panic!("no such job: {other}"),
    }
}

fn write_until_killed(keyplate: &Keyplate, name: &str) {
    for number in 0.. {
        let name = format!("{name}-{number}");
        keyplate.create_user(new_user(&name)).unwrap();
        say(&name);
    }
}

fn back_up_until_killed(keyplate: &Keyplate, folder: &Path) {
    for number in 0.. {
        let copy = folder.join(format!("{}-{number}.db", std::process::id()));
        keyplate.back_up_to(copy.to_str().unwrap()).unwrap();
        say(copy.to_str().unwrap());
    }
}

/// Puts a back-up in the place of a database that is gone.
fn restored(copy: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = folder();
    let path = folder.path().join("id.db");
    fs::copy(copy, &path).unwrap();
    (folder, path)
}

fn restore_events(keyplate: &Keyplate) -> Vec<AuditEvent> {
    let query = AuditQuery {
        kind: Some(EventKind::BackupRestored),
        ..AuditQuery::default()
    };
    keyplate.list_audit_events(query).unwrap().items
}

fn detail(event: &AuditEvent, name: &str) -> String {
    let found = event.details.iter().find(|detail| detail.name == name);
    found.unwrap().value.clone()
}

fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

impl Fixture {
    fn copy(&self) -> PathBuf {
        self.folder.path().join("copy.db")
    }

    fn back_up(&self) -> PathBuf {
        let copy = self.copy();
        self.keyplate.back_up_to(copy.to_str().unwrap()).unwrap();
        copy
    }

    fn open_restored(&self, path: &Path) -> (Keyplate, Arc<Heard>) {
        let heard = Arc::new(Heard::default());
        let keyplate = Keyplate::open(Config {
            time_source: Some(self.clock.clone()),
            events: Some(heard.clone()),
            ..config(path)
        });
        (keyplate.unwrap(), heard)
    }
}

#[test]
fn a_back_up_is_one_private_file() {
    let f = Fixture::on_disk();
    f.user("ann");
    let copy = f.copy();
    let report = f.keyplate.back_up_to(copy.to_str().unwrap()).unwrap();
    let metadata = fs::metadata(&copy).unwrap();
    assert_eq!(metadata.mode() & 0o777, 0o600);
    assert_eq!(
        (report.bytes, report.made_at),
        (metadata.len(), f.now()),
        "what it tells"
    );
    assert_eq!(
        files(f.folder.path()),
        ["copy.db", "id.db", "id.db-shm", "id.db-wal"]
    );
    assert_eq!(f.heard.kinds().last(), Some(&EventKind::BackedUp));
    let mark = |path: &Path| -> Option<i64> {
        let sql = "SELECT backed_up_at FROM instance";
        raw(path).query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(mark(&copy), Some(START as i64 * 1_000));
    assert_eq!(mark(&f.path()), None, "the original is not marked");
    f.user("bob"); // and goes on
}

#[test]
fn a_path_that_is_no_good_is_refused_and_nothing_is_made() {
    let f = Fixture::new();
    let here = |name: &str| f.folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(here("taken"), "mine").unwrap();
    symlink("nowhere", here("link")).unwrap();
    fs::create_dir(here("folder")).unwrap();
    let before = files(f.folder.path());
    for taken in ["taken", "link", "folder"] {
        assert_eq!(
            code(f.keyplate.back_up_to(&here(taken))),
            ErrorCode::Conflict
        );
    }
    assert_eq!(fs::read_to_string(here("taken")).unwrap(), "mine");
    for wrong in [
        String::new(),
        "/".to_owned(),
        "..".to_owned(),
        "a\0b".to_owned(),
        here("new/"),
        here("new/."),
        here("no/such/copy.db"),
        here("taken/copy.db"),
        here("id.db"),
        here("id.db-wal"),
        here("id.db-journal"),
        here("folder/../id.db-shm"),
        "/proc/copy.db".to_owned(),
    ] {
        assert_eq!(
            refusal(f.keyplate.back_up_to(&wrong)),
            (ErrorCode::InvalidInput, Some("path".to_owned())),
            "{wrong}"
        );
    }
    assert_eq!(files(f.folder.path()), before);
    let f = Fixture::on_disk();
    let folder = folder();
    let mut child = start(
        worker,
        &format!("relative {}", folder.path().display()),
        &f.path(),
    );
    assert_eq!(said(&mut child), ["true Conflict"]);
    child.wait().unwrap();
    assert_eq!(files(folder.path()), ["copy.db"]);
}

#[test]
fn while_threads_write_it_ends_and_holds_what_was_acknowledged() {
    let f = Fixture::on_disk();
    for n in 0..400 {
        f.user(&format!("first{n}"));
    }
    let (done, over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let copies: Vec<_> = thread::scope(|scope| {
        for thread in 0..4 {
            let (keyplate, done, over) = (&f.keyplate, &done, &over);
            scope.spawn(move || {
                for n in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    let name = format!("t{thread}n{n}");
                    keyplate.create_user(new_user(&name)).unwrap();
                    done.lock().unwrap().push(name);
                }
            });
        }
        let copies = (0..5).map(|n| {
            let acknowledged = done.lock().unwrap().clone();
            let copy = f.folder.path().join(format!("copy{n}.db"));
            let result = f.keyplate.back_up_to(copy.to_str().unwrap());
            let meanwhile = done.lock().unwrap().len() - acknowledged.len();
            (copy, acknowledged, result, meanwhile)
        });
        let copies = copies.collect(); // nothing may fail before the writers are told to end
        over.store(true, Ordering::Relaxed);
        copies
    });
    let meanwhile: usize = copies.iter().map(|copy| copy.3).sum();
    assert!(meanwhile > 0, "writers were held up");
    for (copy, acknowledged, result, _) in &copies {
        assert!(result.is_ok(), "{result:?}");
        let (_folder, path) = restored(copy);
        let keyplate = Keyplate::open(config(&path)).unwrap();
        assert!(keyplate.check_integrity().unwrap().ok);
        for name in acknowledged {
            assert!(keyplate.find_user(name).unwrap().is_some(), "{name}");
        }
    }
}

#[test]
fn while_processes_write_too() {
    let f = Fixture::on_disk();
    let mut writers = ["a", "b"].map(|name| start(worker, &format!("write {name}"), &f.path()));
    let total = || f.keyplate.list_users(UserQuery::default()).unwrap().total;
    while total() < 20 {
        thread::sleep(Duration::from_millis(5));
    }
    let mut copies = Vec::new();
    for n in 0..5 {
        let before = total();
        let copy = f.folder.path().join(format!("copy{n}.db"));
        f.keyplate.back_up_to(copy.to_str().unwrap()).unwrap();
        copies.push((copy, before));
    }
    let after = total();
    for writer in &mut writers {
        writer.kill().unwrap();
        writer.wait().unwrap();
    }
    assert!(after > copies[0].1, "they went on writing");
    for (copy, before) in &copies {
        let (_folder, path) = restored(copy);
        let keyplate = Keyplate::open(config(&path)).unwrap();
        assert!(keyplate.check_integrity().unwrap().ok);
        let query = UserQuery::default();
        assert!(keyplate.list_users(query).unwrap().total >= *before);
    }
}

#[test]
fn who_restores_brings_back_keys_and_no_sessions() {
    let f = Fixture::on_disk();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let (mut person, _, by_passkey) = f.person(&bob);
    let session = f.session(&ann);
    let kept = f.key(&ann, &["a:b", "films:watch"]);
    let leaked = f.key(&bob, &["a:b"]);
    let turned = f.key(&bob, &["a:b"]);
    let newer = f
        .keyplate
        .rotate_api_key(&turned.api_key.id, KeyRotation::default())
        .unwrap();
    let token = f
        .keyplate
        .create_one_time_token(&bob.id, Some(100_000))
        .unwrap();
    let code_of_bob = f.keyplate.create_one_time_token(&bob.id, None).unwrap();
    let login = f.stranger().begin_passkey_login().unwrap();
    let step_up = f
        .acting(by_passkey.secret.as_str())
        .begin_step_up()
        .unwrap();

    let films = keyplate::NewService {
        slug: "films".to_owned(),
        ..Default::default()
    };
    let films = f.keyplate.create_service(films).unwrap();
    f.keyplate.set_service_access(&films.id, true, &[]).unwrap();
    let principal = f
        .keyplate
        .authenticate(kept.secret.as_str())
        .unwrap()
        .principal;
    let access = f
        .keyplate
        .issue_access_token(&principal, "films", Some(3_600))
        .unwrap();

    let copy = f.back_up();
    f.clock.advance(30);
    f.keyplate.revoke_api_key(&leaked.api_key.id).unwrap();
    let answer = person.get(&login, &Default::default());
    f.stranger()
        .finish_passkey_login(&login.ceremony, &answer)
        .unwrap();
    f.clock.advance(30);

    let (_folder, path) = restored(&copy);
    let (again, heard) = f.open_restored(&path);
    assert!(again.check_integrity().unwrap().ok);
    let invalid = ErrorCode::InvalidCredential;
    for dead in [&session, &by_passkey] {
        assert_eq!(code(again.verify_session(dead.secret.as_str())), invalid);
    }
    let sessions = again.list_sessions(Default::default()).unwrap();
    assert_eq!(sessions.total, 0);
    assert_eq!(again.list_one_time_tokens(None).unwrap(), []);
    let stranger = again.anonymous(client()).unwrap();
    for dead in [&token, &code_of_bob] {
        let redeemed = stranger.redeem_one_time_token(dead.secret.as_str());
        assert_eq!(code(redeemed), invalid);
    }
    // P2: its challenge was spent, and the back-up does not know it.
    let replayed = stranger.finish_passkey_login(&login.ceremony, &answer);
    assert_eq!(reason(replayed), PasskeyFailure::UnknownCeremony);
    let now = person.log_in(&stranger).unwrap();
    let principal = again.authenticate(now.secret.as_str()).unwrap().principal;
    let acting = again.acting_as(&principal, client()).unwrap();
    let answer = person.get(&step_up, &Default::default());
    let late = acting.finish_step_up(&step_up.ceremony, &answer);
    assert_eq!(reason(late), PasskeyFailure::UnknownCeremony);

    for works in [&kept, &leaked, &turned, &newer] {
        assert!(again.verify_api_key(works.secret.as_str()).is_ok());
    }
    // J1: the key that signed it may have been rotated away since.
    let refused = again.verify_access_token(access.secret.as_str(), "films");
    assert_eq!(code(refused), invalid);
    let principal = again.authenticate(kept.secret.as_str()).unwrap().principal;
    again.issue_access_token(&principal, "films", None).unwrap();
    let events = restore_events(&again);
    assert_eq!(events.len(), 1);
    assert_eq!(heard.kinds()[0], EventKind::BackupRestored);
    assert_eq!(heard.0.lock().unwrap()[0], events[0]);
    assert_eq!(events[0].at, f.now());
    assert_eq!(detail(&events[0], "made_at"), "2026-11-01T00:00:00Z");
    assert_eq!(detail(&events[0], "api_keys"), "3");
    assert_eq!(detail(&events[0], "sessions_ended"), "2");

    // It is an ordinary database from now on.
    drop((acting, stranger, again));
    let (again, heard) = f.open_restored(&path);
    assert!(again.verify_session(now.secret.as_str()).is_ok());
    assert_eq!(heard.kinds(), []);
    assert_eq!(restore_events(&again).len(), 1);
}

#[test]
fn time_does_not_go_back_with_a_back_up() {
    let f = Fixture::new();
    let user = f.user("ann");
    let key = f.keyplate.create_api_key(keyplate::NewApiKey {
        expires_at: Some(f.in_seconds(100)),
        ..new_key(Some(&user), &["a:b"])
    });
    f.clock.advance(100);
    f.user("bob");
    let (_folder, path) = restored(&f.back_up());
    f.clock.back(50);
    let (again, _) = f.open_restored(&path);
    let expired = again.verify_api_key(key.unwrap().secret.as_str());
    assert_eq!(code(expired), ErrorCode::InvalidCredential);
    assert_eq!(restore_events(&again)[0].at, f.in_seconds(50));
}

#[test]
fn setup_moves_on_and_keeps_its_stage() {
    // Open: the token is dead, and even the host needs a new one.
    let f = Fixture::new();
    let token = f.keyplate.create_setup_token().unwrap().secret.reveal();
    let (_folder, path) = restored(&f.back_up());
    let (again, _) = f.open_restored(&path);
    let state = again.get_setup_state().unwrap();
    assert_eq!(
        (state.stage, state.generation),
        (SetupStage::Uninitialised, 2)
    );
    let invalid = ErrorCode::InvalidCredential;
    let claim = |keyplate: &Keyplate, token: Option<String>, admin: NewAdmin| {
        keyplate.claim_setup(token, admin)
    };
    assert_eq!(code(claim(&again, Some(token), admin("ann"))), invalid);
    assert_eq!(code(claim(&again, None, admin("ann"))), invalid);
    let token = again.create_setup_token().unwrap().secret.reveal();
    claim(&again, Some(token), admin("ann")).unwrap();

    // Claimed: he who claimed goes on by a new token.
    let f = Fixture::new();
    let claimed = f.claim();
    let (_folder, path) = restored(&f.back_up());
    let (again, _) = f.open_restored(&path);
    assert_eq!(again.get_setup_state().unwrap().stage, SetupStage::Claimed);
    assert_eq!(code(again.verify_session(claimed.secret.as_str())), invalid);
    assert_eq!(code(again.resume_setup(None)), invalid);
    let token = again.create_setup_token().unwrap().secret.reveal();
    let resumed = again.resume_setup(Some(token)).unwrap();
    assert_eq!(resumed.user.id, claimed.user.id);

    // Complete: it stays over.
    let f = Fixture::new();
    f.administrator("ann");
    let (_folder, path) = restored(&f.back_up());
    let (again, _) = f.open_restored(&path);
    assert_eq!(
        code(again.create_setup_token()),
        ErrorCode::SetupAlreadyComplete
    );
    assert_eq!(code(again.reset_setup(1)), ErrorCode::Conflict);
    assert_eq!(again.reset_setup(2).unwrap().generation, 3);
}

#[test]
fn of_eight_processes_that_open_it_one_settles_it() {
    let f = Fixture::on_disk();
    let user = f.user("ann");
    let session = f.session(&user);
    let copy = f.back_up();
    for _ in 0..4 {
        let (_folder, path) = restored(&copy);
        let mut children: Vec<_> = (0..8).map(|_| start(worker, "open", &path)).collect();
        let said: Vec<String> = children.iter_mut().flat_map(said).collect();
        assert_eq!(said, ["opened"; 8]);
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        let (again, heard) = f.open_restored(&path);
        assert_eq!(restore_events(&again).len(), 1);
        assert_eq!(again.get_setup_state().unwrap().generation, 2);
        assert!(heard.kinds().is_empty());
        let dead = again.verify_session(session.secret.as_str());
        assert_eq!(code(dead), ErrorCode::InvalidCredential);
    }
}

#[test]
fn killed_at_any_moment_it_is_whole_or_not_there() {
    let f = Fixture::on_disk();
    for n in 0..50 {
        f.user(&format!("user{n}"));
    }
    let copies = f.folder.path().join("copies");
    fs::create_dir(&copies).unwrap();
    let mut said = Vec::new();
    for round in 0..60_u64 {
        let mut child = start(worker, &format!("back-up {}", copies.display()), &f.path());
        let random = round.wrapping_mul(2_654_435_761);
        said.extend(kill_after(&mut child, (round % 3) as usize, random % 9_000));
    }
    let made = files(&copies);
    let (unfinished, whole): (Vec<_>, Vec<_>) = made.iter().partition(|name| name.contains(".db."));
    assert!(whole.len() >= 40, "only {} were made", whole.len());
    for copy in said {
        assert!(Path::new(&copy).exists(), "said to be done: {copy}");
    }
    for name in &whole {
        let (_folder, path) = restored(&copies.join(name));
        let keyplate = Keyplate::open(config(&path)).unwrap();
        assert!(keyplate.check_integrity().unwrap().ok);
        assert_eq!(restore_events(&keyplate).len(), 1, "{name} has no mark");
        assert!(keyplate.find_user("user49").unwrap().is_some());
    }
    for name in unfinished {
        assert!(name.contains(".partial"), "{name}");
        let mode = fs::metadata(copies.join(name)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert!(f.keyplate.check_integrity().unwrap().ok);
}

/// A small file system of its own; needs root and `mount`, as a container has them.
fn small_disk() -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=100k", "none"])
        .arg(folder.path())
        .status();
    if mounted.is_ok_and(|status| status.success()) {
        return Some(folder);
    }
    assert!(
        std::env::var("CI").is_err(),
        "CI must be able to mount a small disk"
    );
    eprintln!("skipped: no right to mount a small disk");
    None
}

#[test]
fn a_full_disk_leaves_nothing_behind() {
    let Some(disk) = small_disk() else { return };
    let f = Fixture::new();
    f.user("ann");
    let copy = disk.path().join("copy.db");
    let result = f.keyplate.back_up_to(copy.to_str().unwrap());
    let left = files(disk.path());
    let unmounted = Command::new("umount").arg("-l").arg(disk.path()).status();
    assert!(unmounted.unwrap().success());
    assert_eq!(code(result), ErrorCode::StorageFull);
    assert!(left.is_empty(), "{left:?}");
    f.back_up(); // elsewhere there is room
}

#[test]
fn a_damaged_database_is_not_passed_off_as_a_back_up() {
    let f = Fixture::on_disk();
    for n in 0..200 {
        f.user(&format!("user{n}"));
    }
    let path = f.path();
    let Fixture {
        keyplate, folder, ..
    } = f;
    drop(keyplate); // everything is in the file
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'users'";
    let root: u32 = raw(&path).query_row(sql, [], |row| row.get(0)).unwrap();
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(u64::from(root - 1) * 4_096))
        .unwrap();
    file.write_all(&[0; 4_096]).unwrap();
    drop(file);
    let keyplate = Keyplate::open(config(&path)).unwrap();
    let copy = folder.path().join("copy.db");
    let refused = keyplate.back_up_to(copy.to_str().unwrap());
    assert_eq!(code(refused), ErrorCode::CorruptDatabase);
    drop(keyplate);
    assert_eq!(files(folder.path()), ["id.db"]);
}

#[test]
fn the_host_alone_makes_them() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let key = f.key(&ann, &["*", "roles:write"]);
    let copy = f.copy();
    for handle in [f.acting(key.secret.as_str()), f.stranger()] {
        let refused = handle.back_up_to(copy.to_str().unwrap());
        assert_eq!(code(refused), ErrorCode::PermissionDenied);
    }
    assert!(!copy.exists());
}

#[test]
fn a_newer_schema_is_not_backed_up() {
    let f = Fixture::on_disk();
    raw(&f.path())
        .execute_batch("PRAGMA user_version = 99; UPDATE instance SET schema = 99")
        .unwrap();
    let refused = f.keyplate.back_up_to(f.copy().to_str().unwrap());
    assert_eq!(code(refused), ErrorCode::SchemaTooNew);
    assert!(!f.copy().exists());
}

#[test]
fn statistics_count_what_works() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let (bob, cid) = (f.user("bob"), f.user("cid"));
    f.user("dan");
    f.keyplate.disable_user(&cid.id).unwrap();
    let lapses = keyplate::UserChanges {
        expiry: Some(keyplate::Expiry::At {
            time: f.in_seconds(60),
        }),
        ..Default::default()
    };
    f.keyplate.update_user(&bob.id, lapses).unwrap();
    let revoked = f.key(&ann, &["a:b"]);
    f.keyplate.revoke_api_key(&revoked.api_key.id).unwrap();
    let reading = f.key(&ann, &["settings:read"]);
    let (ended, _working) = (f.session(&ann), f.session(&ann));
    f.keyplate.revoke_session(&ended.session.id).unwrap();
    let mut person = Person::new();
    person
        .register(&f.acting(f.session(&ann).secret.as_str()))
        .unwrap();
    f.keyplate.create_one_time_token(&ann.id, None).unwrap();
    f.clock.advance(60);
    let found = f.keyplate.get_statistics().unwrap();
    assert_eq!(
        (
            found.active_users,
            found.pending_users,
            found.disabled_users,
            found.lapsed_users,
            found.administrators
        ),
        (2, 0, 1, 1, 1)
    );
    assert_eq!(
        (found.sessions, found.api_keys, found.passkeys),
        (2, 1, 1),
        "{found:?}"
    );
    assert_eq!((found.one_time_tokens, found.signup_tokens), (1, 0));
    assert_eq!((found.groups, found.services), (0, 0));
    let on_disk = fs::metadata(f.path()).unwrap().len();
    assert!(found.bytes >= on_disk && found.audit_events > 10);
    assert_eq!(found.schema, 4);
    let by_key = f.acting(reading.secret.as_str()).get_statistics().unwrap();
    assert_eq!(by_key.active_users, 2);
    let weak = f.key(&ann, &["users:write"]);
    let refused = f.acting(weak.secret.as_str()).get_statistics();
    assert_eq!(code(refused), ErrorCode::PermissionDenied);
}
