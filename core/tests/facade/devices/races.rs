//! Given exactly once, or not at all (V4, C4): with threads, and with processes that are killed at every step.

use std::{path::Path, thread};

use keyplate::{ClientInfo, DeviceLoginState, ErrorCode, Keyplate, StartedDeviceLogin};

use super::{approve, begin, poll, signed_in, television};
use crate::common::{
    process::{job, kill_after, said, say, start},
    *,
};

/// The jobs of other processes; without a job there is nothing to do.
#[test]
fn worker() {
    let Some((job, keyplate)) = job() else { return };
    let words: Vec<&str> = job.split(' ').collect();
    say("here");
    match words[..] {
        ["begin", address] => {
            let started = device(&keyplate, address).begin_device_login(television());
            let started = started.unwrap();
            say(&format!(
                "{} {}",
                started.device_code.as_str(),
                started.user_code.as_str()
            ));
        }
        ["inspect", session, code] => {
            let seen = acting(&keyplate, session).inspect_device_login(code);
            say(&format!("{:?}", seen.map(drop)));
        }
        ["approve", session, code] => {
            let done = acting(&keyplate, session).approve_device_login(code);
            say(&format!("{done:?}"));
        }
        ["poll", code] => {
            let stranger = keyplate.anonymous(ClientInfo::default()).unwrap();
            match stranger.poll_device_login(code) {
                Ok(answer) if answer.state == DeviceLoginState::Granted => {
                    say(&format!(
                        "got {}",
                        answer.signed_in.unwrap().secret.as_str()
                    ));
                }
                other => say(&format!("{:?}", other.map(|answer| answer.state))),
            }
        }
        _ => panic!("no such job: {job}"),
    }
}

fn device(keyplate: &Keyplate, address: &str) -> Keyplate {
    let client = ClientInfo {
        address: Some(address.to_owned()),
        ..ClientInfo::default()
    };
    keyplate.anonymous(client).unwrap()
}

fn acting(keyplate: &Keyplate, session: &str) -> Keyplate {
    let found = keyplate.authenticate(session).unwrap();
    keyplate.acting_as(&found.principal, client()).unwrap()
}

#[test]
fn of_many_who_poll_one_gets_it() {
    let f = Fixture::new();
    let bob = f.user("bob");
    for _ in 0..20 {
        let started = begin(&f, television());
        approve(&signed_in(&f, &bob), &started).unwrap();
        let given: usize = thread::scope(|scope| {
            let polls: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| match poll(&f, &started) {
                        Ok(answer) => {
                            assert_eq!(answer.state, DeviceLoginState::Granted);
                            1
                        }
                        Err(error) => {
                            assert_eq!(error.code(), ErrorCode::InvalidCredential);
                            0
                        }
                    })
                })
                .collect();
            polls.into_iter().map(|poll| poll.join().unwrap()).sum()
        });
        assert_eq!(given, 1);
    }
}

/// Of several who look at the same code, one claims it.
#[test]
fn of_many_who_look_one_claims_it() {
    let f = Fixture::new();
    let users: Vec<_> = (0..6).map(|n| f.user(&format!("user{n}"))).collect();
    let started = begin(&f, television());
    let claimed: usize = thread::scope(|scope| {
        let looks: Vec<_> = users
            .iter()
            .map(|user| {
                let acting = signed_in(&f, user);
                let code = started.user_code.as_str();
                scope.spawn(move || usize::from(acting.inspect_device_login(code).is_ok()))
            })
            .collect();
        looks.into_iter().map(|look| look.join().unwrap()).sum()
    });
    assert_eq!(claimed, 1);
}

/// Two processes; one is killed at some moment of one of the four steps. The other goes on, and all is given once.
#[test]
fn killed_at_every_step_it_is_given_once_or_not_at_all() {
    const KILLS: u64 = 200;
    let folder = folder();
    let path = folder.path().join("id.db");
    let keyplate = Keyplate::open(config(&path)).unwrap();
    let bob = keyplate.create_user(new_user("bob")).unwrap();
    let session = keyplate.create_session(&bob.id, client(), None).unwrap();
    let session = session.secret.reveal();
    let mut unfinished = [0; 4];
    let mut alone = 0;
    for round in 0..KILLS {
        let step = (round % 4) as usize;
        let micros = round.wrapping_mul(2_654_435_761) % 5_000;
        let killed = |job: &str| {
            let mut child = start(worker, job, &path);
            kill_after(&mut child, 1, micros)
        };
        let address = format!("198.51.{}.{}", round / 200, round % 200);
        let started = match step {
            0 => {
                let said = killed(&format!("begin {address}"));
                match said.get(1).and_then(|line| line.split_once(' ')) {
                    Some((device_code, user_code)) => (device_code.into(), user_code.into()),
                    None => {
                        unfinished[0] += 1;
                        begun(&keyplate, &address)
                    }
                }
            }
            _ => begun(&keyplate, &address),
        };
        let (device_code, user_code): (String, String) = started;
        let bobs = acting(&keyplate, &session);
        if step == 1 {
            let said = killed(&format!("inspect {session} {user_code}"));
            unfinished[1] += usize::from(said.len() < 2);
        }
        bobs.inspect_device_login(&user_code).unwrap();
        let mut conflict = false;
        if step == 2 {
            let said = killed(&format!("approve {session} {user_code}"));
            unfinished[2] += usize::from(said.len() < 2);
            conflict = said.len() > 1;
        }
        match bobs.approve_device_login(&user_code) {
            Ok(()) => assert!(!conflict, "round {round}: approved twice"),
            Err(error) => assert_eq!(error.code(), ErrorCode::Conflict, "round {round}"),
        }
        let job = format!("poll {device_code}");
        let mut other = start(worker, &job, &path);
        let mut got = Vec::new();
        if step == 3 {
            let said = killed(&job);
            unfinished[3] += usize::from(said.len() < 2);
            got.extend(said);
        }
        got.extend(said(&mut other));
        other.wait().unwrap();
        let told = got.iter().filter(|line| line.starts_with("got ")).count();
        let given = sessions(&path);
        assert_eq!(given, round as i64 + 1, "round {round}: {got:?}");
        assert!(
            told <= 1 && (told == 1 || step == 3),
            "round {round}: {got:?}"
        );
        alone += usize::from(told == 0);
    }
    assert!(unfinished.iter().all(|count| *count > 0), "{unfinished:?}");
    let open = keyplate.get_statistics().unwrap().device_logins;
    assert!(open as usize <= unfinished[0], "{open} of {unfinished:?}");
    assert!(keyplate.check_integrity().unwrap().ok);
    println!("cut short {unfinished:?}; given to somebody who was killed {alone}");
}

fn begun(keyplate: &Keyplate, address: &str) -> (String, String) {
    let started: StartedDeviceLogin = device(keyplate, address)
        .begin_device_login(television())
        .unwrap();
    (started.device_code.reveal(), started.user_code.reveal())
}

/// How many devices have one, from beginning to end.
fn sessions(path: &Path) -> i64 {
    let sql = "SELECT count(*) FROM sessions WHERE way = 'device'";
    raw(path).query_row(sql, [], |row| row.get(0)).unwrap()
}
