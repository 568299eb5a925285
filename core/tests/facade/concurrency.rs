//! C4, U2, U3 and B3 with threads, with processes, and with processes that are killed.

use std::{
    collections::HashMap,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use keyplate::{
    AuditQuery, ErrorCode, EventKind, Expiry, Keyplate, NewUser, Role, UserChanges, UserId,
    UserQuery,
};

use crate::common::{
    process::{job, kill_after, said, say, start},
    *,
};

/// The jobs of other processes; without a job there is nothing to do.
#[test]
fn worker() {
    let Some((job, keyplate)) = job() else { return };
    let (verb, rest) = job.split_once(' ').unwrap_or((&job, ""));
    match verb {
        "claim" => {
            let code = keyplate
                .claim_setup(Some(rest.to_owned()), admin("ann"))
                .err()
                .map(|error| error.code());
            say(&format!("{code:?}"));
        }
        "remove" => {
            let (way, id) = rest.split_once(' ').unwrap();
            say(&format!(
                "{:?}",
                remove_administrator(&keyplate, way, &UserId::parse(id).unwrap())
            ));
        }
        "create" => create_until_killed(&keyplate, rest),
        "verify" => say(&format!(
            "{:?}",
            keyplate.authenticate(rest).err().map(|error| error.code())
        )),
        other => panic!("no such job: {other}"),
    }
}

/// Makes users with keys in a loop and says which are done; ends by being killed.
fn create_until_killed(keyplate: &Keyplate, round: &str) {
    for number in 0.. {
        let name = format!("r{round}n{number}");
        let user = keyplate.create_user(new_user(&name)).unwrap();
        let key = keyplate
            .create_api_key(new_key(Some(&user), &["a:b"]))
            .unwrap();
        say(&format!("{name} {}", key.secret.reveal()));
        let old = keyplate
            .rotate_api_key(&key.api_key.id, Default::default())
            .unwrap();
        keyplate.verify_api_key(old.secret.as_str()).unwrap();
    }
}

#[test]
fn of_twenty_parallel_claims_one_wins() {
    let f = Fixture::new();
    let token = f.keyplate.create_setup_token().unwrap().secret.reveal();
    let barrier = Barrier::new(20);
    let results: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..20)
            .map(|_| {
                scope.spawn(|| {
                    let stranger = f.stranger();
                    barrier.wait();
                    stranger
                        .claim_setup(Some(token.clone()), admin("ann"))
                        .err()
                        .map(|error| error.code())
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_none()).count(), 1);
    assert_eq!(
        results
            .iter()
            .filter(|result| **result == Some(ErrorCode::SetupAlreadyClaimed))
            .count(),
        19
    );
    assert_eq!(
        f.keyplate.list_users(UserQuery::default()).unwrap().total,
        1
    );
}

#[test]
fn of_eight_processes_one_claims() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id.db");
        let keyplate = Keyplate::open(config(&path)).unwrap();
        let token = keyplate.create_setup_token().unwrap().secret.reveal();
        let mut children: Vec<_> = (0..8)
            .map(|_| start(worker, &format!("claim {token}"), &path))
            .collect();
        let results: Vec<String> = children.iter_mut().flat_map(said).collect();
        children
            .iter_mut()
            .for_each(|child| assert!(child.wait().unwrap().success()));
        assert_eq!(
            results.iter().filter(|result| *result == "None").count(),
            1,
            "{results:?}"
        );
        assert_eq!(
            results
                .iter()
                .filter(|result| result.contains("SetupAlreadyClaimed"))
                .count(),
            7,
            "{results:?}"
        );
        assert_eq!(keyplate.list_users(UserQuery::default()).unwrap().total, 1);
    }
}

const WAYS: [&str; 4] = ["demote", "delete", "disable", "expire"];

fn remove_administrator(keyplate: &Keyplate, way: &str, id: &UserId) -> Option<ErrorCode> {
    let end = Expiry::At {
        time: std::time::UNIX_EPOCH + Duration::from_secs(START + 400_000_000),
    };
    match way {
        "demote" => keyplate.set_user_role(id, Role::User).err(),
        "delete" => keyplate.delete_user(id).err(),
        "disable" => keyplate.disable_user(id).err(),
        "expire" => keyplate
            .update_user(
                id,
                UserChanges {
                    expiry: Some(end),
                    ..UserChanges::default()
                },
            )
            .err(),
        other => panic!("no such way: {other}"),
    }
    .map(|error| error.code())
}

fn lasting_administrators(keyplate: &Keyplate) -> usize {
    let query = UserQuery {
        role: Some(Role::Administrator),
        status: Some(keyplate::UserStatus::Active),
        ..UserQuery::default()
    };
    let page = keyplate.list_users(query).unwrap();
    page.items
        .iter()
        .filter(|user| user.expires_at.is_none())
        .count()
}

/// U3, D3: who looks and then removes does both in one transaction.
#[test]
fn the_last_administrator_survives_threads() {
    for round in 0..25 {
        let f = Fixture::new();
        let administrators: Vec<_> = (0..8)
            .map(|n| f.administrator(&format!("a{n}")).id)
            .collect();
        let barrier = Barrier::new(8);
        thread::scope(|scope| {
            for (n, id) in administrators.iter().enumerate() {
                let (keyplate, barrier) = (f.keyplate.clone(), &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    remove_administrator(&keyplate, WAYS[(n + round) % 4], id)
                });
            }
        });
        assert_eq!(lasting_administrators(&f.keyplate), 1, "round {round}");
    }
}

/// The same with processes (U3, D3).
#[test]
fn the_last_administrator_survives_processes() {
    for round in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id.db");
        let keyplate = Keyplate::open(config(&path)).unwrap();
        let administrators: Vec<_> = (0..4)
            .map(|n| {
                keyplate
                    .create_user(NewUser {
                        role: Some(Role::Administrator),
                        ..new_user(&format!("a{n}"))
                    })
                    .unwrap()
                    .id
            })
            .collect();
        let job = |(n, id): (usize, &UserId)| {
            start(
                worker,
                &format!("remove {} {id}", WAYS[(n + round) % 4]),
                &path,
            )
        };
        let mut children: Vec<_> = administrators.iter().enumerate().map(job).collect();
        let results: Vec<String> = children.iter_mut().flat_map(said).collect();
        children
            .iter_mut()
            .for_each(|child| assert!(child.wait().unwrap().success()));
        assert_eq!(
            results
                .iter()
                .filter(|result| result.contains("Conflict"))
                .count(),
            1,
            "{results:?}"
        );
        assert_eq!(lasting_administrators(&keyplate), 1);
    }
}

#[test]
fn what_one_process_ends_fails_in_another_at_its_next_call() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    let keyplate = Keyplate::open(config(&path)).unwrap();
    let user = keyplate.create_user(new_user("ann")).unwrap();
    let key = keyplate
        .create_api_key(new_key(Some(&user), &["a:b"]))
        .unwrap();
    let session = keyplate.create_session(&user.id, client(), None).unwrap();
    let elsewhere = |secret: &str| {
        let mut child = start(worker, &format!("verify {secret}"), &path);
        let said = said(&mut child).remove(0);
        child.wait().unwrap();
        said
    };
    assert_eq!(elsewhere(key.secret.as_str()), "None");
    keyplate.disable_user(&user.id).unwrap();
    assert_eq!(elsewhere(key.secret.as_str()), "Some(AccountDisabled)");
    keyplate.enable_user(&user.id).unwrap();
    keyplate.revoke_session(&session.session.id).unwrap();
    assert_eq!(
        elsewhere(session.secret.as_str()),
        "Some(InvalidCredential)"
    );
    keyplate.revoke_api_key(&key.api_key.id).unwrap();
    assert_eq!(elsewhere(key.secret.as_str()), "Some(InvalidCredential)");
}

/// 200 processes are killed at random moments of making users and keys; what they said was done is there.
#[test]
fn killed_at_any_moment_nothing_said_is_lost_and_nothing_is_half_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    let mut done: HashMap<String, String> = HashMap::new();
    let began = Instant::now();
    for round in 0..200_u64 {
        let mut child = start(worker, &format!("create {round}"), &path);
        // Spread over the start, the first commits and steady work, from a sequence without a pattern.
        let random = round.wrapping_mul(2_654_435_761);
        let lines = kill_after(&mut child, (round % 4) as usize, random % 6_000);
        done.extend(
            lines
                .iter()
                .filter_map(|line| line.split_once(' '))
                .map(|(name, key)| (name.to_owned(), key.to_owned())),
        );
    }
    let keyplate = Keyplate::open(config(&path)).unwrap();
    assert_eq!(
        keyplate.check_integrity().unwrap().problems,
        Vec::<String>::new()
    );
    for (name, secret) in &done {
        let user = keyplate
            .find_user_by_username(name)
            .unwrap()
            .unwrap_or_else(|| panic!("{name} is lost"));
        assert_eq!(keyplate.verify_api_key(secret).unwrap().user_id, user.id);
    }
    let audited = |kind| {
        let query = keyplate::AuditQuery {
            kind: Some(kind),
            ..Default::default()
        };
        keyplate.list_audit_events(query).unwrap().total
    };
    // A change and its audit row are one.
    let users = keyplate.list_users(UserQuery::default()).unwrap().total;
    let keys = keyplate.list_api_keys(Default::default()).unwrap().total;
    assert_eq!(audited(keyplate::EventKind::UserCreated), users);
    assert_eq!(audited(keyplate::EventKind::ApiKeyCreated), keys);
    assert!(
        done.len() > 200,
        "only {} were made in {:?}",
        done.len(),
        began.elapsed()
    );
}

/// A1: the writes that take refusals along are several at once, and each refusal is in the log once.
#[test]
fn every_refusal_is_counted_once() {
    const REFUSALS: i64 = 10_000;
    let f = Fixture::new();
    let refuse = || assert!(f.stranger().redeem_one_time_token("wrong").is_err());
    refuse(); // makes the row; the others are counted in memory until somebody writes
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for writer in 0..2 {
            let (f, done) = (&f, &done);
            scope.spawn(move || {
                let names = (0..).map(|number| format!("w{writer}n{number}"));
                for name in names.take_while(|_| !done.load(Ordering::SeqCst)) {
                    f.user(&name);
                }
            });
        }
        (0..REFUSALS).for_each(|_| refuse());
        done.store(true, Ordering::SeqCst);
    });
    let refusals = AuditQuery {
        kind: Some(EventKind::OneTimeTokenRefused),
        ..AuditQuery::default()
    };
    let refused = f.keyplate.list_audit_events(refusals).unwrap().items;
    let counted: i64 = refused.iter().map(|event| event.count).sum();
    assert_eq!(counted, REFUSALS + 1);
}
