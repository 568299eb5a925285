//! Calls to be counted by callgrind, whose figures do not depend on what else the machine does:
//!
//! ```text
//! main --count-prepare FOLDER
//! valgrind --tool=callgrind main --count FOLDER CASE N
//! ```
//!
//! Twice with different `N`: the difference of the instructions, divided by that of the numbers, is what one call takes.

use std::{fs, hint::black_box, path::Path};

use keyplate::NewUser;

use crate::{data::Data, floor::Floor};

/// How many credentials are in use when it is asked for few.
const FEW: usize = 1_000;

pub(crate) fn prepare(folder: &Path) {
    let make = |name: &str, data: fn(&Path) -> Data| {
        let folder = folder.join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("secrets"), data(&folder).secrets.join("\n")).unwrap();
    };
    make("keys", |folder| Data::with_keys(folder, 100_000));
    make("sessions", |folder| Data::with_sessions(folder, 10_000));
}

/// Calls it so often, after as many calls as there are credentials in use.
pub(crate) fn count(folder: &Path, case: &str, n: usize) {
    let (name, few) = match case.strip_suffix("_few") {
        Some(name) => (name, true),
        None => (case, false),
    };
    let kind = if name.starts_with("verify_session") {
        "sessions"
    } else {
        "keys"
    };
    let mut data = Data::prepared(&folder.join(kind));
    // Only with few credentials in use does the cache come into play.
    if few {
        data.secrets.truncate(FEW);
    }
    let cache = if few { 4 << 20 } else { 0 };
    let (keyplate, floor) = (data.open_with_cache(cache), Floor::open(&data.path));
    let users = keyplate.list_users(Default::default()).unwrap().total;
    let call: Box<dyn Fn(usize)> = match name {
        "verify_api_key" => Box::new(|n| {
            black_box(keyplate.verify_api_key(data.secret(n)).unwrap());
        }),
        "verify_api_key_floor" => Box::new(|n| {
            black_box(floor.verify_api_key(data.secret(n)));
        }),
        "verify_session" => Box::new(|n| {
            black_box(keyplate.verify_session(data.secret(n)).unwrap());
        }),
        "verify_session_floor" => Box::new(|n| {
            black_box(floor.verify_session(data.secret(n)));
        }),
        "authenticate" => Box::new(|n| {
            black_box(keyplate.authenticate(data.secret(n)).unwrap());
        }),
        "describe" => Box::new(|n| {
            let who = keyplate.authenticate(data.secret(n)).unwrap();
            black_box(keyplate.describe(&who.principal).unwrap());
        }),
        "create_user" => Box::new(|n| {
            let user = NewUser {
                username: format!("counted{}", users + n as i64),
                ..NewUser::default()
            };
            black_box(keyplate.create_user(user).unwrap());
        }),
        "create_user_floor" => Box::new(|n| floor.create_user(users as usize + n)),
        other => panic!("no such case: {other}"),
    };
    (0..FEW + n).for_each(call);
    // What a handle writes when it is closed is no part of the calls.
    std::process::exit(0);
}
