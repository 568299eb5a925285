//! What a path means: the file that it named when it was opened, for as long as the handle lives.

use std::{env, fs, thread};

use keyplate::{ConfigurationReason, ErrorCode, Keyplate, KeyplateError, UserQuery};

use crate::{
    common::{process, *},
    open,
};

/// A process of its own, since the working folder is the whole process's.
#[test]
fn a_relative_path_is_settled_once() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home.db");
    open(&home).unwrap();
    let mut child = process::start(a_relative_path_worker, "wander", &home);
    let said = process::said(&mut child);
    assert!(child.wait().unwrap().success());
    assert_eq!(
        said,
        [
            "written 40",
            "read 42",
            "stranger InvalidCredential",
            "here"
        ]
    );
}

#[test]
fn a_relative_path_worker() {
    let Some((_, home)) = process::job() else {
        return;
    };
    let folder = env::var("KEYPLATE_TEST_DATABASE").unwrap();
    let folder = std::path::Path::new(&folder).parent().unwrap();
    drop(home);
    for name in ["here", "there"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    let there = open(&folder.join("there/id.db")).unwrap();
    let stranger = there.create_user(new_user("stranger")).unwrap();
    let session = there
        .create_session(&stranger.id, client(), None)
        .unwrap()
        .secret;

    env::set_current_dir(folder.join("here")).unwrap();
    let keyplate = open(std::path::Path::new("id.db")).unwrap();
    keyplate.create_user(new_user("ann")).unwrap();
    keyplate.create_user(new_user("bob")).unwrap();
    // Another thread wanders while this one writes, and many read at once, so that new connections are opened.
    let wanderer = {
        let folder = folder.to_owned();
        thread::spawn(move || {
            for n in 0..200 {
                let name = ["there", "here"][n % 2];
                env::set_current_dir(folder.join(name)).unwrap();
                thread::yield_now();
            }
            env::set_current_dir(folder.join("there")).unwrap();
        })
    };
    let written = (0..40)
        .filter(|n| keyplate.create_user(new_user(&format!("user{n}"))).is_ok())
        .count();
    wanderer.join().unwrap();
    process::say(&format!("written {written}"));
    let count = |keyplate: &Keyplate| keyplate.list_users(UserQuery::default()).unwrap().total;
    let counts: Vec<i64> = thread::scope(|scope| {
        let readers: Vec<_> = (0..8).map(|_| scope.spawn(|| count(&keyplate))).collect();
        readers
            .into_iter()
            .map(|reader| reader.join().unwrap())
            .collect()
    });
    assert!(counts.iter().all(|found| *found == counts[0]));
    process::say(&format!("read {}", counts[0]));
    let refused = code(keyplate.verify_session(session.as_str()));
    process::say(&format!("stranger {refused:?}"));
    // Whatever else looks at the file by its path.
    keyplate.get_statistics().unwrap();
    keyplate.check_integrity().unwrap();
    keyplate.back_up_to("copy.db").unwrap();
    assert!(
        folder.join("there/copy.db").exists(),
        "a back-up goes where the caller is"
    );
    assert_eq!(count(&open(&folder.join("here/id.db")).unwrap()), 42);
    process::say("here");
}

/// SQLite gives such names a meaning of its own.
#[test]
fn names_that_are_no_paths_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        ":memory:",
        "file:id.db",
        "file:///tmp/id.db?mode=ro",
        "FILE:id.db",
        "file::memory:?cache=shared",
    ] {
        let refused = Keyplate::open(keyplate::Config {
            path: name.to_owned(),
            ..config(&folder.path().join("unused"))
        });
        assert!(
            matches!(
                refused,
                Err(KeyplateError::Configuration {
                    reason: ConfigurationReason::NotAPath,
                    ..
                })
            ),
            "{name}: {refused:?}"
        );
        assert!(!std::path::Path::new(name).exists(), "{name} was made");
    }
    // Inside a path they are names like any other.
    for name in [":memory:", "file:id.db", "a?mode=memory"] {
        let path = folder.path().join(name);
        let keyplate = open(&path).unwrap();
        keyplate.create_user(new_user("ann")).unwrap();
        let copy = folder.path().join(format!("{name}.copy"));
        keyplate.back_up_to(copy.to_str().unwrap()).unwrap();
        drop(keyplate);
        assert!(path.is_file());
        for path in [path, copy] {
            let again = open(&path).unwrap();
            assert!(again.find_user_by_username("ann").unwrap().is_some());
        }
    }
    assert_eq!(
        code(open(std::path::Path::new(""))),
        ErrorCode::Configuration
    );
}
