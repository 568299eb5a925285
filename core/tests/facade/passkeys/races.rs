//! Ceremonies at the same time (P2, C4, S4, S8): with threads, in several processes, and in processes that are killed.

use std::{path::Path, sync::Barrier, thread};

use keyplate::{
    ErrorCode, Keyplate, Limit, NewSignupToken, PasskeyFailure, Result, SessionQuery,
    SettingsChanges, SignupMode,
};
use keyplate_testkit::Spoil;

use crate::common::{
    passkeys::{Person, reason},
    process::{job, kill_after, said, say, start},
    signups::*,
    *,
};

/// The jobs of other processes; without a job there is nothing to do.
#[test]
fn worker() {
    let Some((job, keyplate)) = job() else { return };
    let words: Vec<&str> = job.split(' ').collect();
    let stranger = keyplate.anonymous(client()).unwrap();
    match words[..] {
        ["log-in", ceremony, response] => {
            tell(stranger.finish_passkey_login(ceremony, response));
        }
        ["register", session, ceremony, response] => {
            let acting = acting_in(&keyplate, session);
            tell(acting.finish_passkey_registration(ceremony, response, None));
        }
        ["step-up", session, ceremony, response] => {
            let acting = acting_in(&keyplate, session);
            match acting.finish_step_up(ceremony, response) {
                Ok(signed_in) => say(&signed_in.secret.reveal()),
                Err(error) => say(&format!("{error:?}")),
            }
        }
        ["sign-up", ceremony, response] => {
            tell(stranger.finish_passkey_signup(ceremony, response));
        }
        // Pairs of ceremony and answer, each of which all workers try.
        ["replay", ref pairs @ ..] => {
            for pair in pairs.chunks(2) {
                tell(stranger.finish_passkey_login(pair[0], pair[1]));
            }
        }
        // Ceremonies of a session, each with its kind and answer.
        ["finish", session, ref ceremonies @ ..] => {
            let acting = acting_in(&keyplate, session);
            for one in ceremonies.chunks(3) {
                match one[0] {
                    "log-in" => tell(stranger.finish_passkey_login(one[1], one[2])),
                    "step-up" => tell(acting.finish_step_up(one[1], one[2])),
                    _ => tell(acting.finish_passkey_registration(one[1], one[2], None)),
                }
            }
        }
        ["loop", name, secret] => sign_up_until_killed(&keyplate, name, secret),
        ref other => panic!("no such job: {other:?}"),
    }
}

fn tell<T>(result: Result<T>) {
    match result {
        Ok(_) => say("done"),
        Err(error) => say(&format!("{error:?}")),
    }
}

fn acting_in(keyplate: &Keyplate, session: &str) -> Keyplate {
    let found = keyplate.authenticate(session).unwrap();
    keyplate.acting_as(&found.principal, client()).unwrap()
}

/// Each from an address of its own: every kill may leave a ceremony, of which an address may have twenty.
fn sign_up_until_killed(keyplate: &Keyplate, name: &str, secret: &str) {
    let address = keyplate::ClientInfo {
        address: Some(format!("198.51.100.{}", &name[1..])),
        ..Default::default()
    };
    let stranger = keyplate.anonymous(address).unwrap();
    for number in 0.. {
        let signup = signup(&format!("{name}n{number}"), Some(secret));
        let made = Person::new().sign_up(&stranger, signup).unwrap();
        say(&made.user.username);
    }
}

/// What a process of that job says.
fn elsewhere(path: &Path, job: &[&str]) -> Vec<String> {
    let mut child = start(worker, &job.join(" "), path);
    let said = said(&mut child);
    assert!(child.wait().unwrap().success());
    said
}

/// A database by the real clock, which the other processes have too.
fn opened() -> (tempfile::TempDir, std::path::PathBuf, Keyplate) {
    let folder = folder();
    let path = folder.path().join("id.db");
    let keyplate = Keyplate::open(config(&path)).unwrap();
    let changes = SettingsChanges {
        signup_mode: Some(SignupMode::WithToken),
        ..SettingsChanges::default()
    };
    keyplate.update_settings(changes).unwrap();
    (folder, path, keyplate)
}

fn invitation(keyplate: &Keyplate, uses: Limit) -> String {
    let token = NewSignupToken {
        uses: Some(uses),
        ..NewSignupToken::default()
    };
    let made = keyplate.create_signup_token(token).unwrap();
    made.secret.reveal()
}

#[test]
fn begun_in_one_process_and_finished_in_another() {
    let (_folder, path, keyplate) = opened();
    let stranger = keyplate.anonymous(client()).unwrap();
    let bob = keyplate.create_user(new_user("bob")).unwrap();
    let session = keyplate.create_session(&bob.id, client(), None).unwrap();
    let host = acting_in(&keyplate, session.secret.as_str());
    let whole = Spoil::default();
    let mut person = Person::new();

    let begun = host.begin_passkey_registration().unwrap();
    let answer = person.create(&begun, &whole);
    let job = [
        "register",
        session.secret.as_str(),
        &begun.ceremony,
        &answer,
    ];
    assert_eq!(elsewhere(&path, &job), ["done"]);
    let passkeys = keyplate.list_passkeys(Some(bob.id)).unwrap();
    assert_eq!(passkeys.len(), 1);
    assert!(keyplate.verify_session(session.secret.as_str()).is_err());

    let begun = stranger.begin_passkey_login().unwrap();
    let answer = person.get(&begun, &whole);
    let job = ["log-in", &begun.ceremony, &answer];
    assert_eq!(elsewhere(&path, &job), ["done"]);
    let spent = stranger.finish_passkey_login(&begun.ceremony, &answer);
    assert_eq!(reason(spent), PasskeyFailure::SpentChallenge);

    let session = person.log_in(&stranger).unwrap();
    let acting = acting_in(&keyplate, session.secret.as_str());
    let begun = acting.begin_step_up().unwrap();
    let answer = person.get(&begun, &whole);
    let job = ["step-up", session.secret.as_str(), &begun.ceremony, &answer];
    let secret = elsewhere(&path, &job).remove(0);
    assert!(keyplate.verify_session(session.secret.as_str()).is_err());
    let now = keyplate.verify_session(&secret).unwrap();
    assert_eq!(now.session_id, Some(session.session.id));

    let secret = invitation(&keyplate, Limit::AtMost { most: 1 });
    let begun = stranger.begin_passkey_signup(signup("eve", Some(&secret)));
    let begun = begun.unwrap();
    let answer = Person::new().create(&begun, &whole);
    let job = ["sign-up", &begun.ceremony, &answer];
    assert_eq!(elsewhere(&path, &job), ["done"]);
    assert_eq!(counts(&keyplate), (1, 1, 2));
}

#[test]
fn replayed_in_twenty_processes_a_sign_in_succeeds_once() {
    const ROUNDS: usize = 20;
    const PROCESSES: usize = 20;
    let (_folder, path, keyplate) = opened();
    let stranger = keyplate.anonymous(client()).unwrap();
    let bob = keyplate.create_user(new_user("bob")).unwrap();
    let session = keyplate.create_session(&bob.id, client(), None).unwrap();
    let mut person = Person::new();
    let host = acting_in(&keyplate, session.secret.as_str());
    person.register(&host).unwrap();
    let mut job = "replay".to_owned();
    for _ in 0..ROUNDS {
        let begun = stranger.begin_passkey_login().unwrap();
        let answer = person.get(&begun, &Spoil::default());
        job = format!("{job} {} {answer}", begun.ceremony);
    }
    let mut children: Vec<_> = (0..PROCESSES).map(|_| start(worker, &job, &path)).collect();
    let mut said_by_all = vec![Vec::new(); ROUNDS];
    for child in &mut children {
        for (round, line) in said(child).into_iter().enumerate() {
            said_by_all[round].push(line);
        }
        assert!(child.wait().unwrap().success());
    }
    let spent = "PasskeyCeremonyFailed { reason: SpentChallenge }";
    for (round, lines) in said_by_all.iter().enumerate() {
        let count = |what: &str| lines.iter().filter(|line| *line == what).count();
        assert_eq!(
            (count("done"), count(spent)),
            (1, PROCESSES - 1),
            "{round}: {lines:?}"
        );
    }
    let sessions = keyplate.list_sessions(SessionQuery::default()).unwrap();
    assert_eq!(sessions.total, 1 + ROUNDS as i64);
}

/// So many threads at once; their outcomes.
fn at_once<T: Send>(count: usize, f: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(count);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|number| {
                let (barrier, f) = (&barrier, &f);
                scope.spawn(move || {
                    barrier.wait();
                    f(number)
                })
            })
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.collect()
    })
}

#[test]
fn of_twenty_threads_one_finishes_a_ceremony() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let session = f.session(&bob);
    let acting = f.acting(session.secret.as_str());
    let mut person = Person::new();
    let begun = acting.begin_passkey_registration().unwrap();
    let answer = person.create(&begun, &Spoil::default());
    let finished = at_once(20, |_| {
        acting.finish_passkey_registration(&begun.ceremony, &answer, None)
    });
    let won: Vec<_> = finished.iter().flatten().collect();
    assert_eq!(won.len(), 1);
    assert_eq!(f.keyplate.list_passkeys(Some(bob.id)).unwrap().len(), 1);
    let mut losers = finished.iter().filter_map(|result| result.as_ref().err());
    // The session ends with the one that won.
    assert!(losers.all(|error| matches!(
        error.code(),
        ErrorCode::PasskeyCeremonyFailed | ErrorCode::InvalidCredential
    )));

    let signed_in = won[0].signed_in.as_ref().unwrap();
    let acting = f.acting(signed_in.secret.as_str());
    let begun = acting.begin_step_up().unwrap();
    let answer = person.get(&begun, &Spoil::default());
    let finished = at_once(20, |_| acting.finish_step_up(&begun.ceremony, &answer));
    let won: Vec<_> = finished.iter().flatten().collect();
    assert_eq!(won.len(), 1);
    f.keyplate.verify_session(won[0].secret.as_str()).unwrap();
    let login = f.stranger().begin_passkey_login().unwrap();
    let answer = person.get(&login, &Spoil::default());
    let finished = at_once(20, |_| {
        f.stranger().finish_passkey_login(&login.ceremony, &answer)
    });
    let lost = finished.into_iter().filter(Result::is_err).map(reason);
    assert_eq!(
        lost.collect::<Vec<_>>(),
        [PasskeyFailure::SpentChallenge; 19]
    );
}

/// Different ceremonies: of many sessions of a user who has no passkey, and of one recovery session.
#[test]
fn of_twenty_first_passkeys_one_is_the_first() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let session = |number: usize| {
        if number.is_multiple_of(2) {
            return f.session(&bob);
        }
        let code = f.keyplate.create_one_time_token(&bob.id, None).unwrap();
        let redeemed = f.stranger().redeem_one_time_token(code.secret.as_str());
        redeemed.unwrap()
    };
    let begin = |acting: Keyplate| {
        let begun = acting.begin_passkey_registration().unwrap();
        let answer = Person::new().create(&begun, &Spoil::default());
        (acting, begun.ceremony, answer)
    };
    let race = |begun: &[(Keyplate, String, String)]| {
        let finished = at_once(begun.len(), |number| {
            let (acting, ceremony, answer) = &begun[number];
            acting.finish_passkey_registration(ceremony, answer, None)
        });
        finished.iter().filter(|result| result.is_ok()).count()
    };
    let begun: Vec<_> = (0..20)
        .map(|number| begin(f.acting(session(number).secret.as_str())))
        .collect();
    assert_eq!(race(&begun), 1);

    let token = f.keyplate.create_recovery_token(&bob.id, None).unwrap();
    let stranger = f.stranger();
    let recovered = stranger.redeem_one_time_token(token.secret.as_str());
    let recovered = recovered.unwrap().secret;
    let begun: Vec<_> = (0..20)
        .map(|_| begin(f.acting(recovered.as_str())))
        .collect();
    assert_eq!(race(&begun), 1);
    assert_eq!(f.keyplate.list_passkeys(Some(bob.id)).unwrap().len(), 2);
}

#[test]
fn of_thirty_sign_ups_on_five_uses_five_win() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::WithToken);
    let made = token(&f, with_uses(5));
    let begun: Vec<_> = (0..30)
        .map(|number| {
            let address = keyplate::ClientInfo {
                address: Some(format!("198.51.100.{number}")),
                ..Default::default()
            };
            let stranger = f.keyplate.anonymous(address).unwrap();
            let signup = signup(&format!("u{number}"), Some(made.secret.as_str()));
            let ceremony = stranger.begin_passkey_signup(signup).unwrap();
            let mut person = Person::new();
            let answer = person.create(&ceremony, &Spoil::default());
            (stranger, ceremony.ceremony, answer)
        })
        .collect();
    let finished = at_once(30, |number| {
        let (stranger, ceremony, answer) = &begun[number];
        let finished = stranger.finish_passkey_signup(ceremony, answer);
        finished.err().map(|error| error.code())
    });
    let count = |what: Option<ErrorCode>| finished.iter().filter(|one| **one == what).count();
    assert_eq!(count(None), 5);
    assert_eq!(count(Some(ErrorCode::InvalidCredential)), 25);
    assert_eq!(counts(&f.keyplate), (5, 5, 5));
    assert_whole(&f.path(), &f.keyplate);
}

/// Every user has one passkey, redemption, handle and session; there is nothing besides.
fn assert_whole(path: &Path, keyplate: &Keyplate) -> i64 {
    let (uses, redemptions, users) = counts(keyplate);
    let passkeys = keyplate.list_passkeys(None).unwrap().len() as i64;
    assert_eq!([uses, redemptions, passkeys], [users; 3]);
    let connection = raw(path);
    for table in ["passkeys", "user_handles", "sessions", "signup_redemptions"] {
        let sql = format!("SELECT count(*), count(DISTINCT user_id) FROM {table}");
        let found: (i64, i64) = connection
            .query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(found, (users, users), "{table}");
    }
    users
}

#[test]
fn killed_while_signing_up_all_of_an_account_is_there_or_nothing() {
    const KILLS: i64 = 200;
    let (_folder, path, keyplate) = opened();
    let secret = invitation(&keyplate, Limit::Unlimited);
    let mut told = 0;
    for round in 0..KILLS {
        let mut child = start(worker, &format!("loop k{round} {secret}"), &path);
        let random = round.wrapping_mul(2_654_435_761);
        let said = kill_after(
            &mut child,
            (round % 3) as usize,
            random.unsigned_abs() % 8_000,
        );
        told += said.len() as i64;
        let users = assert_whole(&path, &keyplate);
        assert!(users >= told, "round {round}: {told} were told of {users}");
    }
    assert!(keyplate.check_integrity().unwrap().ok);
    assert!(told > KILLS / 2, "only {told} signed up");
}

/// P2: what is spent and what it gives are one commit.
#[test]
fn killed_while_finishing_a_ceremony_is_spent_and_has_given_or_neither() {
    const KILLS: i64 = 60;
    const OF_EACH: i64 = 4;
    let (_folder, path, keyplate) = opened();
    let stranger = keyplate.anonymous(client()).unwrap();
    let bob = keyplate.create_user(new_user("bob")).unwrap();
    let by_host = keyplate.create_session(&bob.id, client(), None).unwrap();
    let mut person = Person::new();
    person
        .register(&acting_in(&keyplate, by_host.secret.as_str()))
        .unwrap();
    let whole = Spoil::default();
    let (mut told, mut cut_short) = (0, 0);
    for round in 0..KILLS {
        let session = person.log_in(&stranger).unwrap();
        let acting = acting_in(&keyplate, session.secret.as_str());
        let mut job = format!("finish {}", session.secret.as_str());
        for _ in 0..OF_EACH {
            let login = stranger.begin_passkey_login().unwrap();
            let step_up = acting.begin_step_up().unwrap();
            let registration = acting.begin_passkey_registration().unwrap();
            for (kind, begun, answer) in [
                ("log-in", &login, person.get(&login, &whole)),
                ("step-up", &step_up, person.get(&step_up, &whole)),
                (
                    "register",
                    &registration,
                    Person::new().create(&registration, &whole),
                ),
            ] {
                job = format!("{job} {kind} {} {answer}", begun.ceremony);
            }
        }
        let mut child = start(worker, &job, &path);
        let micros = round.wrapping_mul(2_654_435_761).unsigned_abs() % 6_000;
        let said = kill_after(&mut child, (round % 10) as usize, micros);
        assert!(said.iter().all(|line| line == "done"), "{said:?}");
        told += said.len() as i64;
        cut_short += i64::from((said.len() as i64) < 3 * OF_EACH);

        let connection = raw(&path);
        let count = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
        let spent = count("SELECT count(*) FROM spent_challenges");
        let signed_in = count("SELECT count(*) FROM audit WHERE kind = 'passkey_signed_in'");
        let sessions = count("SELECT count(*) FROM sessions WHERE method = 'passkey'");
        // One is of the registration at the beginning.
        assert_eq!(
            (spent, sessions - 1),
            (signed_in, signed_in),
            "round {round}"
        );
        for (kind, given) in [
            (
                "step_up",
                "SELECT count(*) FROM audit WHERE kind = 'stepped_up'",
            ),
            ("registration", "SELECT count(*) - 1 FROM passkeys"),
        ] {
            let left = count(&format!(
                "SELECT count(*) FROM ceremonies WHERE kind = '{kind}'"
            ));
            assert_eq!(
                left + count(given),
                (round + 1) * OF_EACH,
                "{kind}, round {round}"
            );
        }
    }
    assert!(keyplate.check_integrity().unwrap().ok);
    assert!(told > KILLS && cut_short > KILLS / 3, "{told}, {cut_short}");
}
