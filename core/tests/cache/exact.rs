//! D7: processes verify without pause while another changes what they verify, and nothing is accepted, or refused, that was
//! asked after a commit that says otherwise.

use std::{
    env,
    path::{Path, PathBuf},
    process::Child,
    thread,
    time::{Duration, SystemTime},
};

use keyplate::{
    Config, ErrorCode, Expiry, Keyplate, NewApiKey, Role, User, UserChanges, before_fork,
    restore_backup,
};
use nix::{
    sys::wait::{WaitStatus, waitpid},
    unistd::{ForkResult, fork},
};

use crate::{
    board::{Board, PLACES, State, state},
    common::{
        process::{job, kill_after, said, say, start},
        *,
    },
};

/// How many changes there are, unless `KEYPLATE_TEST_CHANGES` says otherwise.
const CHANGES: usize = 600;
const VERIFIERS: usize = 4;

/// The jobs of other processes; without a job there is nothing to do.
#[test]
fn worker() {
    let Some((job, keyplate)) = job() else { return };
    let path = PathBuf::from(env::var("KEYPLATE_TEST_DATABASE").unwrap());
    match job.as_str() {
        "verify" => verify(keyplate, &path),
        "change" => change(&keyplate, &path),
        "write" => write_until_killed(&keyplate),
        other => panic!("no such job: {other}"),
    }
}

#[test]
fn nothing_is_answered_that_a_commit_before_the_call_denies() {
    let folder = folder();
    let path = folder.path().join("id.db");
    drop(Keyplate::open(config(&path)).unwrap());
    // The one who changes comes first: the board has something to tell when the others look.
    let mut changer = start(worker, "change", &path);
    let mut verifiers: Vec<Child> = (0..VERIFIERS)
        .map(|_| start(worker, "verify", &path))
        .collect();
    // Others write beside it, and are killed wherever they are: in the middle of a header, too.
    let mut kills = 0;
    while changer.try_wait().unwrap().is_none() {
        let mut writer = start(worker, "write", &path);
        kill_after(&mut writer, 1, 3_000 + 777 * (kills % 9));
        kills += 1;
    }
    let changes = said(&mut changer);
    assert!(changer.wait().unwrap().success(), "{changes:?}");
    let mut answers = 0;
    for verifier in &mut verifiers {
        let told = said(verifier);
        assert!(verifier.wait().unwrap().success(), "{told:?}");
        let (last, objections) = told.split_last().unwrap();
        assert_eq!(objections, [""; 0]);
        answers += last.parse::<usize>().unwrap();
    }
    println!("{} changes, {answers} answers, {kills} kills", changes[0]);
    assert!(answers > 1_000 && kills > 0);
    let keyplate = Keyplate::open(config(&path)).unwrap();
    assert!(keyplate.check_integrity().unwrap().ok);
}

fn is_over(path: &Path) -> bool {
    path.with_file_name("over").exists()
}

/// Verifies until it is over; opens anew now and then, so that the last connection goes sometimes, and forks.
fn verify(mut keyplate: Keyplate, path: &Path) {
    let board = Board::of(path);
    let mut answers = 0;
    for round in 1.. {
        if is_over(path) {
            break;
        }
        answers += verify_all(&keyplate, &board, 40);
        if round % 50 == 0 {
            let child = in_child(|| {
                verify_all(&keyplate, &board, 5);
                true
            });
            assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0));
        }
        if round % 120 == 0 {
            drop(keyplate);
            keyplate = Keyplate::open(config(path)).unwrap();
        }
    }
    say(&answers.to_string());
}

/// How many answers there were about credentials of which something was told.
fn verify_all(keyplate: &Keyplate, board: &Board, times: usize) -> usize {
    let mut answers = 0;
    for place in (0..PLACES).cycle().take(times * PLACES) {
        let word = board.word(place);
        if state(word) == State::Changing {
            continue;
        }
        let secret = board.secret(place);
        let before = board.word(place);
        let answer = keyplate.authenticate(&secret);
        if before == word && board.word(place) == word {
            answers += 1;
            if let Some(objection) = state(word).objection(&answer) {
                say(&format!("place {place}: {objection}"));
            }
        }
    }
    answers
}

fn in_child(f: impl FnOnce() -> bool) -> nix::unistd::Pid {
    let guard = before_fork();
    // SAFETY: the child runs `f` on one thread and leaves by `_exit`; the C library keeps its allocator usable.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => {
            drop(guard);
            child
        }
        ForkResult::Child => {
            drop(guard);
            let ok = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).unwrap_or(false);
            // SAFETY: ends this process at once.
            unsafe { nix::libc::_exit(i32::from(!ok)) }
        }
    }
}

fn write_until_killed(keyplate: &Keyplate) {
    say("begun");
    for n in 0.. {
        let name = format!("w{}x{n}", std::process::id());
        // Whoever changes may just have the file for a VACUUM.
        let _ = keyplate.create_user(new_user(&name));
    }
}

/// Whose credential is in a place, and which.
struct Holder {
    user: User,
    is_session: bool,
    /// A later promotion widens no credential (K2).
    acts_as: State,
}

fn change(keyplate: &Keyplate, path: &Path) {
    let changes = env::var("KEYPLATE_TEST_CHANGES").map_or(CHANGES, |n| n.parse().unwrap());
    keyplate
        .create_user(NewAdministrator::named("stays"))
        .unwrap();
    let board = Board::of(path);
    let mut holders: Vec<Holder> = (0..PLACES)
        .map(|place| Holder::new(keyplate, &board, place, 0))
        .collect();
    let other = raw(path);
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    for n in 0..changes {
        let place = n * 7 % PLACES;
        board.tell(place, State::Changing);
        let state = holders[place].change(keyplate, n);
        board.tell(place, state);
        if n % 20 == 0 && matches!(state, State::Administrator | State::User) {
            // An end that comes without a commit.
            #[expect(clippy::disallowed_methods, reason = "the machine's clock is meant")]
            let end = SystemTime::now() + Duration::from_millis(150);
            board.tell(place, State::Changing);
            if holders[place].end_at(keyplate, end) {
                thread::sleep(Duration::from_millis(160));
                board.tell(place, State::Expired);
            }
        }
        match state {
            State::Gone => holders[place] = Holder::new(keyplate, &board, place, n),
            _ => {
                board.tell(place, State::Changing);
                holders[place].restore(keyplate);
                board.tell(place, holders[place].acts_as);
            }
        }
        let upkeep = match n % 100 {
            20 => "PRAGMA wal_checkpoint(PASSIVE)",
            40 => "PRAGMA wal_checkpoint(RESTART)",
            60 => "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_checkpoint(TRUNCATE)",
            80 => "VACUUM",
            _ => continue,
        };
        // Whoever is killed meanwhile, or writes, may be in the way.
        let _ = other.execute_batch(upkeep);
    }
    std::fs::write(path.with_file_name("over"), []).unwrap();
    say(&changes.to_string());
}

struct NewAdministrator;

impl NewAdministrator {
    fn named(name: &str) -> keyplate::NewUser {
        keyplate::NewUser {
            role: Some(Role::Administrator),
            ..new_user(name)
        }
    }
}

impl Holder {
    /// Somebody new with a new credential.
    fn new(keyplate: &Keyplate, board: &Board, place: usize, n: usize) -> Self {
        board.tell(place, State::Changing);
        let name = format!("h{place}n{n}");
        let user = keyplate
            .create_user(NewAdministrator::named(&name))
            .unwrap();
        let is_session = place.is_multiple_of(2);
        let secret = if is_session {
            let signed_in = keyplate.create_session(&user.id, client(), None).unwrap();
            signed_in.secret.reveal()
        } else {
            let key = keyplate
                .create_api_key(new_key(Some(&user), &["*"]))
                .unwrap();
            key.secret.reveal()
        };
        board.tell_secret(place, &secret);
        board.tell(place, State::Administrator);
        Self {
            user,
            is_session,
            acts_as: State::Administrator,
        }
    }

    /// What is committed when this returns.
    fn change(&mut self, keyplate: &Keyplate, n: usize) -> State {
        let id = &self.user.id;
        match n / PLACES % 5 {
            0 => {
                keyplate.disable_user(id).unwrap();
                State::Disabled
            }
            1 => {
                keyplate.set_user_role(id, Role::User).unwrap();
                self.acts_as = State::User;
                self.acts_as
            }
            2 if self.is_session => {
                keyplate.revoke_user_sessions(id, None).unwrap();
                State::Gone
            }
            2 => {
                let keys = keyplate.list_api_keys(Default::default()).unwrap().items;
                let theirs = keys.iter().find(|key| key.owner_id == *id).unwrap();
                keyplate.revoke_api_key(&theirs.id).unwrap();
                State::Gone
            }
            3 => {
                keyplate.delete_user(id).unwrap();
                State::Gone
            }
            _ => {
                let name = format!("{}renamed{n}", self.user.username);
                let changes = UserChanges {
                    username: Some(name),
                    ..UserChanges::default()
                };
                keyplate.update_user(id, changes).unwrap();
                self.acts_as
            }
        }
    }

    /// False if it took so long that the end has come before.
    fn end_at(&self, keyplate: &Keyplate, time: SystemTime) -> bool {
        let changes = UserChanges {
            expiry: Some(Expiry::At { time }),
            ..UserChanges::default()
        };
        let ended = keyplate.update_user(&self.user.id, changes);
        assert!(
            !ended
                .as_ref()
                .is_err_and(|error| error.code() != ErrorCode::InvalidInput)
        );
        ended.is_ok()
    }

    fn restore(&self, keyplate: &Keyplate) {
        let changes = UserChanges {
            expiry: Some(Expiry::Never),
            disabled: Some(false),
            role: Some(Role::Administrator),
            ..UserChanges::default()
        };
        keyplate.update_user(&self.user.id, changes).unwrap();
    }
}

/// D5: the hot path looks as often as every other.
#[test]
fn a_file_that_was_replaced_is_noticed_by_what_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("id.db");
    let copy = path.with_file_name("copy.db");
    let keyplate = Keyplate::open(Config {
        busy_timeout_ms: Some(100),
        ..config(&path)
    })
    .unwrap();
    let ann = keyplate.create_user(new_user("ann")).unwrap();
    let key = keyplate
        .create_api_key(new_key(Some(&ann), &["*"]))
        .unwrap();
    let secret = key.secret.reveal();
    keyplate.back_up_to(copy.to_str().unwrap()).unwrap();
    assert!(keyplate.verify_api_key(&secret).is_ok());
    // Not as long as somebody has it open.
    assert!(restore_backup(&path, &copy, false).is_err());
    assert!(keyplate.verify_api_key(&secret).is_ok());
    // Somebody does it all the same, by other means.
    std::fs::rename(&copy, &path).unwrap();
    thread::sleep(Duration::from_millis(1_100));
    for _ in 0..3 {
        assert_eq!(
            code(keyplate.verify_api_key(&secret)),
            ErrorCode::StorageLost
        );
    }
}

/// T1, K1, U2: what is kept says when something ends, not whether it has.
#[test]
fn ends_come_without_a_commit() {
    let fixture = Fixture::new();
    let keyplate = &fixture.keyplate;
    let (ann, bob) = (fixture.user("ann"), fixture.user("bob"));
    let key = keyplate
        .create_api_key(NewApiKey {
            expires_at: Some(fixture.in_seconds(60)),
            ..new_key(Some(&ann), &["a:b"])
        })
        .unwrap();
    let session = keyplate
        .create_session(&ann.id, client(), Some(120))
        .unwrap();
    let lapsing = fixture.key(&bob, &["a:b"]);
    let ends = UserChanges {
        expiry: Some(Expiry::At {
            time: fixture.in_seconds(30),
        }),
        ..UserChanges::default()
    };
    keyplate.update_user(&bob.id, ends).unwrap();
    let verify = || {
        let secrets = [&lapsing.secret, &key.secret, &session.secret];
        secrets.map(|secret| {
            let found = keyplate.authenticate(&secret.reveal());
            found.err().map(|error| error.code())
        })
    };
    let (lapsed, invalid) = (
        Some(ErrorCode::AccountExpired),
        Some(ErrorCode::InvalidCredential),
    );
    for (seconds, answers) in [
        (29, [None, None, None]),
        (1, [lapsed, None, None]),
        (29, [lapsed, None, None]),
        (1, [lapsed, invalid, None]),
        (59, [lapsed, invalid, None]),
        (1, [lapsed, invalid, invalid]),
    ] {
        assert_eq!(verify(), verify());
        fixture.clock.advance(seconds);
        assert_eq!(verify(), answers);
    }
}
