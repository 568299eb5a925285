//! Measures the core beside floors; run by `cargo xtask bench`. Prints one JSON object a line.
//!
//! A floor is hand-written SQL and hashing that does only the case's job, on the same data, in turns with the case.
//! `main CASE…` runs the named cases; `main --prepare FOLDER` and `main --work FOLDER` serve the other languages', and
//! `main --count FOLDER CASE N` a counter of instructions.
#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measuring tool"
)]

mod count;
mod data;
mod floor;
mod hot;
mod passkey;
mod plan;
mod race;
mod worker;

use std::{env, hint::black_box, path::Path, time::Instant};

use data::Data;
use floor::Floor;
use keyplate::{ClientInfo, Config, Keyplate, NewUser, ServiceVisit};

/// Turns of case and floor; the median of each is told.
const TURNS: usize = 15;

fn main() {
    let arguments: Vec<String> = env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    if let [flag, of_race @ ..] = arguments.as_slice()
        && flag == race::WORKER
    {
        return race::worker(of_race);
    }
    if let [flag, folder] = arguments.as_slice() {
        match flag.as_str() {
            "--prepare" => return worker::prepare(Path::new(folder)),
            "--work" => return worker::work(Path::new(folder)),
            "--count-prepare" => return count::prepare(Path::new(folder)),
            _ => {}
        }
    }
    if let [flag, folder, case, n] = arguments.as_slice()
        && flag == "--count"
    {
        return count::count(Path::new(folder), case, n.parse().unwrap());
    }
    let wanted =
        |case: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == case);
    let cases: [(&str, fn()); 13] = [
        ("verify_api_key", || {
            verify_api_key("verify_api_key", 100_000)
        }),
        ("verify_api_key_1m", || {
            verify_api_key("verify_api_key_1m", 1_000_000)
        }),
        ("verify_session", verify_session),
        ("verify_app_password", verify_app_password),
        ("verify_service_session", verify_service_session),
        ("verify_api_key_hot", hot::verify_api_key),
        ("verify_session_hot", hot::verify_session),
        ("memory_cache", hot::memory),
        ("create_user", create_user),
        ("sign_up_race", race::run),
        ("finish_passkey_login", passkey::run),
        ("open", open),
        ("plan", plan::run),
    ];
    for (name, run) in cases {
        if wanted(name) {
            run();
        }
    }
}

fn verify_api_key(case: &str, keys: usize) {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::with_keys(folder.path(), keys);
    // Each look-up asks the database, as the floor does.
    let (keyplate, floor) = (data.open_with_cache(0), Floor::open(&data.path));
    in_turns(
        case,
        20_000,
        |n| drop(black_box(keyplate.verify_api_key(data.secret(n)).unwrap())),
        |n| drop(black_box(floor.verify_api_key(data.secret(n)))),
    );
}

fn verify_session() {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::with_sessions(folder.path(), 10_000);
    let (keyplate, floor) = (data.open_with_cache(0), Floor::open(&data.path));
    in_turns(
        "verify_session",
        20_000,
        |n| drop(black_box(keyplate.verify_session(data.secret(n)).unwrap())),
        |n| drop(black_box(floor.verify_session(data.secret(n)))),
    );
}

/// Beside `verify_session` in the same turns, since what is told is how much more it costs.
fn verify_app_password() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let data = Data::with_app_passwords(folder.path(), 10_000);
    let sessions = Data::with_sessions(other.path(), 10_000);
    let (keyplate, floor) = (data.open(), Floor::open(&data.path));
    let beside = sessions.open();
    // Not shuffled: each goes with its owner's name.
    let names: Vec<String> = (0..data.secrets.len()).map(Data::owner).collect();
    let name = |n: usize| names[n % names.len()].as_str();
    let client = ClientInfo {
        address: Some("192.0.2.7".to_owned()),
        ..ClientInfo::default()
    };
    all_in_turns(
        20_000,
        &mut [
            ("verify_app_password", &mut |n| {
                let secret = data.secret(n);
                let found = keyplate.verify_app_password(name(n), secret, None, client.clone());
                drop(black_box(found.unwrap()));
            }),
            ("verify_app_password_floor", &mut |n| {
                drop(black_box(
                    floor.verify_app_password(name(n), data.secret(n)),
                ));
            }),
            ("verify_session_beside_it", &mut |n| {
                drop(black_box(
                    beside.verify_session(sessions.secret(n)).unwrap(),
                ));
            }),
        ],
    );
}

/// Beside `verify_session` in the same turns, as app passwords are.
fn verify_service_session() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let data = Data::with_service_sessions(folder.path(), 10_000);
    let sessions = Data::with_sessions(other.path(), 10_000);
    let (keyplate, beside) = (data.open_with_cache(0), sessions.open_with_cache(0));
    all_in_turns(
        20_000,
        &mut [
            ("verify_service_session", &mut |n| {
                let visit = ServiceVisit {
                    service: "films".to_owned(),
                    origin: "https://films.example".to_owned(),
                    credential: Some(data.secret(n).to_owned()),
                };
                drop(black_box(keyplate.verify_service_session(visit).unwrap()));
            }),
            ("verify_service_session_floor", &mut |n| {
                drop(black_box(
                    beside.verify_session(sessions.secret(n)).unwrap(),
                ));
            }),
        ],
    );
}

fn create_user() {
    // Beside the build, on a disk: a memory file system would hide what a commit costs.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = tempfile::tempdir_in(target).unwrap();
    let keyplate = Keyplate::open(data::config(&folder.path().join("id.db"))).unwrap();
    let other = tempfile::tempdir_in(target).unwrap();
    drop(Keyplate::open(data::config(&other.path().join("id.db"))).unwrap());
    let floor = Floor::open(&other.path().join("id.db"));
    in_turns(
        "create_user",
        300,
        |n| {
            let user = NewUser {
                username: format!("user{n}"),
                ..NewUser::default()
            };
            drop(black_box(keyplate.create_user(user).unwrap()));
        },
        |n| floor.create_user(n),
    );
}

fn open() {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::with_keys(folder.path(), 10_000);
    in_turns(
        "open",
        40,
        |_| {
            drop(black_box(
                Keyplate::open(Config {
                    ..data::config(&data.path)
                })
                .unwrap(),
            ))
        },
        |_| drop(black_box(Floor::open(&data.path))),
    );
}

/// Runs case and floor in turns over different parts of the data and prints both medians.
fn in_turns(case: &str, n: usize, mut measured: impl FnMut(usize), mut floor: impl FnMut(usize)) {
    let floor_name = format!("{case}_floor");
    all_in_turns(n, &mut [(case, &mut measured), (&floor_name, &mut floor)]);
}

fn all_in_turns(n: usize, measured: &mut [(&str, &mut dyn FnMut(usize))]) {
    let mut times = vec![Vec::new(); measured.len()];
    for turn in 0..=TURNS {
        let part = turn * n..(turn + 1) * n;
        for ((_, run), times) in measured.iter_mut().zip(&mut times) {
            let began = Instant::now();
            part.clone().for_each(run);
            let time = began.elapsed();
            // The first turn warms the caches up.
            if turn > 0 {
                times.push(time);
            }
        }
    }
    for ((name, _), times) in measured.iter().zip(&mut times) {
        times.sort();
        let us_per_op = times[TURNS / 2].as_secs_f64() * 1e6 / n as f64;
        println!(
            "{{\"case\":\"{name}\",\"us_per_op\":{us_per_op:.3},\"n\":{}}}",
            n * TURNS
        );
    }
}
