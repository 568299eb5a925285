//! P2, D5: the key that seals sign-ins while nothing can be written.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    process::Command,
    sync::Arc,
    time::Instant,
};

use keyplate::{ClientInfo, Config, ErrorCode, Keyplate, PasskeyCeremony};
use keyplate_testkit::Spoil;

use crate::{common::passkeys::Person, common::*, ground::SmallDisk, raw};

const DAY: u64 = 24 * 3_600;

/// With the usual time-out, so that who waits is seen to wait.
fn open_at(path: &Path, clock: &Arc<TestClock>) -> keyplate::Result<Keyplate> {
    let config = Config {
        time_source: Some(clock.clone()),
        ..config(path)
    };
    Keyplate::open_with_boot_clock(config, clock.clone())
}

fn begin(keyplate: &Keyplate) -> keyplate::Result<PasskeyCeremony> {
    keyplate
        .anonymous(ClientInfo::default())?
        .begin_passkey_login()
}

fn person(keyplate: &Keyplate) -> Person {
    let user = keyplate.create_user(new_user("bob")).unwrap();
    let session = keyplate.create_session(&user.id, client(), None).unwrap();
    let found = keyplate.authenticate(session.secret.as_str()).unwrap();
    let mut person = Person::new();
    let acting = keyplate.acting_as(&found.principal, client()).unwrap();
    person.register(&acting).unwrap();
    person
}

fn finish(keyplate: &Keyplate, person: &mut Person, login: &PasskeyCeremony) {
    let answer = person.get(login, &Spoil::default());
    let stranger = keyplate.anonymous(ClientInfo::default()).unwrap();
    stranger
        .finish_passkey_login(&login.ceremony, &answer)
        .unwrap();
}

/// The number of the key that sealed it.
fn key_of(login: &PasskeyCeremony) -> i64 {
    login.ceremony.split('.').nth(1).unwrap().parse().unwrap()
}

#[test]
fn while_another_process_writes_the_first_sign_in_of_a_file_and_of_a_day_begins_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    let clock = Arc::new(TestClock::at(START));
    let keyplate = open_at(&path, &clock).unwrap();
    let mut bob = person(&keyplate);
    let other = raw(&path);
    let at_once = |keyplate: &Keyplate| {
        let began = Instant::now();
        let login = begin(keyplate).unwrap();
        assert!(began.elapsed().as_millis() < 1_000, "{:?}", began.elapsed());
        login
    };
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let first = at_once(&keyplate);
    other.execute_batch("COMMIT").unwrap();
    finish(&keyplate, &mut bob, &first);

    for _ in 0..3 {
        clock.advance(DAY + 7);
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let by_the_old = at_once(&keyplate);
        // Opening does not wait for the next key either.
        let began = Instant::now();
        let second = open_at(&path, &clock).unwrap();
        assert!(began.elapsed().as_millis() < 1_000, "{:?}", began.elapsed());
        assert_eq!(key_of(&at_once(&second)), key_of(&by_the_old));
        other.execute_batch("COMMIT").unwrap();
        // The next one is made as soon as it can be, and what the old one sealed until then still opens.
        let by_the_next = begin(&keyplate).unwrap();
        assert!(key_of(&by_the_next) > key_of(&by_the_old));
        clock.advance(299);
        finish(&second, &mut bob, &by_the_old);
        finish(&second, &mut bob, &by_the_next);
    }
    // One seals, and one opens: those before have gone.
    let sql = "SELECT count(*) FROM sealing_keys";
    let keys: i64 = other.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(keys, 2);
}

#[test]
fn on_a_full_disk_an_old_key_serves() {
    let Some(disk) = SmallDisk::new("size=2m") else {
        return;
    };
    let path = disk.path().join("id.db");
    let clock = Arc::new(TestClock::at(START));
    let keyplate = open_at(&path, &clock).unwrap();
    let mut bob = person(&keyplate);
    let before = begin(&keyplate).unwrap();
    let filler = disk.path().join("filler");
    let mut file = File::create(&filler).unwrap();
    // Somebody reads, so that the log cannot begin anew, in which the smallest change always has room.
    let reader = raw(&path);
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM users")
        .unwrap();
    let mut fill = || while file.write_all(&[7; 4_096]).is_ok() {};
    fill();
    while keyplate
        .create_user(new_user(&format!("u{}", users(&keyplate))))
        .is_ok()
    {}
    // What was refused has given its room back.
    fill();
    drop(file);
    clock.advance(DAY + 7);
    let meanwhile = begin(&keyplate).unwrap();
    assert_eq!(key_of(&meanwhile), key_of(&before));
    fs::remove_file(filler).unwrap();
    reader.execute_batch("COMMIT").unwrap();
    // The file system may give the room back a moment later.
    let next = (0..200).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(5));
        begin(&keyplate).unwrap()
    });
    let next = next.into_iter().find(|one| key_of(one) > key_of(&before));
    finish(&keyplate, &mut bob, &next.unwrap());
    finish(&keyplate, &mut bob, &meanwhile);
}

fn users(keyplate: &Keyplate) -> i64 {
    keyplate.list_users(Default::default()).unwrap().total
}

#[test]
fn of_a_file_that_can_only_be_read_an_old_key_serves() {
    let f = Fixture::on_disk();
    let path = f.path();
    let before = begin(&f.keyplate).unwrap();
    let locked = Command::new("chattr").arg("+i").arg(&path).status();
    if !locked.is_ok_and(|status| status.success()) {
        assert!(
            std::env::var("CI").is_err(),
            "CI must be able to make a file immutable"
        );
        eprintln!("skipped: no file can be made immutable here");
        return;
    }
    f.clock.advance(DAY + 7);
    let opened = open_at(&path, &f.clock);
    let begun = opened.as_ref().ok().map(begin);
    let written = opened
        .as_ref()
        .ok()
        .map(|one| one.create_user(new_user("bob")));
    let unlocked = Command::new("chattr").arg("-i").arg(&path).status();
    assert!(unlocked.unwrap().success());
    assert_eq!(code(written.unwrap()), ErrorCode::StorageReadOnly);
    assert_eq!(key_of(&begun.unwrap().unwrap()), key_of(&before));
}
