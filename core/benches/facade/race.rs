//! `sign_up_race`: 8 processes, each with 25 tries on every 5-use token.

use std::{
    env,
    io::{Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Instant,
};

use keyplate::{Keyplate, Limit, NewSignup, NewSignupToken, Secret, SettingsChanges, SignupMode};

use crate::{
    data::{config, hash},
    floor::Floor,
};

const PROCESSES: usize = 8;
const TRIES: usize = 25;
const ROUNDS: usize = 40;
const USES: i64 = 5;

pub(crate) const WORKER: &str = "--race";

/// Case and floor in turns, each on a database of its own.
pub(crate) fn run() {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..3 {
        for (place, kind) in ["core", "floor"].into_iter().enumerate() {
            times[place].push(race(kind));
        }
    }
    for (name, times) in ["sign_up_race", "sign_up_race_floor"]
        .iter()
        .zip(&mut times)
    {
        times.sort_by(f64::total_cmp);
        let n = PROCESSES * TRIES * ROUNDS * times.len();
        println!(
            "{{\"case\":\"{name}\",\"us_per_op\":{:.3},\"n\":{n}}}",
            times[times.len() / 2]
        );
    }
}

/// Microseconds per try.
fn race(kind: &str) -> f64 {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("id.db");
    let keyplate = Keyplate::open(config(&path)).unwrap();
    let open = SettingsChanges {
        signup_mode: Some(SignupMode::WithToken),
        ..SettingsChanges::default()
    };
    keyplate.update_settings(open).unwrap();
    let tokens: Vec<String> = (0..ROUNDS)
        .map(|_| {
            let token = NewSignupToken {
                uses: Some(Limit::AtMost { most: USES }),
                ..NewSignupToken::default()
            };
            keyplate.create_signup_token(token).unwrap().secret.reveal()
        })
        .collect();
    let mut children: Vec<Child> = (0..PROCESSES)
        .map(|n| start(kind, n, &path, &tokens))
        .collect();
    // All are open and wait before the first begins.
    for child in &mut children {
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    }
    let began = Instant::now();
    for child in &mut children {
        child.stdin.as_mut().unwrap().write_all(b"!").unwrap();
    }
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let us = began.elapsed().as_secs_f64() * 1e6 / (PROCESSES * TRIES * ROUNDS) as f64;
    let users = keyplate.list_users(Default::default()).unwrap().total;
    assert_eq!(
        users,
        USES * ROUNDS as i64,
        "exactly {USES} win in each round of {kind}"
    );
    us
}

fn start(kind: &str, number: usize, path: &Path, tokens: &[String]) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([WORKER, kind, &number.to_string(), path.to_str().unwrap()])
        .args(tokens)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The other process.
pub(crate) fn worker(arguments: &[String]) {
    let [kind, number, path, tokens @ ..] = arguments else {
        return;
    };
    let path = Path::new(path);
    let (keyplate, floor) = (Keyplate::open(config(path)).unwrap(), Floor::open(path));
    std::io::stdout().write_all(b".").unwrap();
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_exact(&mut [0]).unwrap();
    for (round, token) in tokens.iter().enumerate() {
        let hash = hash(token);
        for n in 0..TRIES {
            let username = format!("p{number}r{round}n{n}");
            if kind == "core" {
                let signup = NewSignup {
                    username,
                    token: Some(Arc::new(Secret::new(token.clone()))),
                    ..NewSignup::default()
                };
                drop(keyplate.sign_up(signup));
            } else {
                floor.sign_up(&username, &hash);
            }
        }
    }
}
