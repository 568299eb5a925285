//! Sign-ups at the same time (S4, C4): with threads, with processes, and with processes that are killed.

use std::{collections::BTreeMap, sync::Barrier, thread};

use keyplate::{ErrorCode, Keyplate, Limit, NewSignupToken, SettingsChanges, SignupMode};

use crate::common::{
    process::{job, kill_after, said, say, start},
    signups::*,
    *,
};

/// Item 2, with threads: five of sixty.
#[test]
fn of_sixty_parallel_sign_ups_on_five_uses_five_win() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::WithToken);
    let made = token(&f, with_uses(5));
    let barrier = Barrier::new(60);
    let results: Vec<Option<ErrorCode>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..60)
            .map(|n| {
                let (f, secret, barrier) = (&f, made.secret.as_str(), &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    f.stranger()
                        .sign_up(signup(&format!("u{n}"), Some(secret)))
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
    assert_eq!(results.iter().filter(|result| result.is_none()).count(), 5);
    assert_eq!(
        results
            .iter()
            .filter(|result| **result == Some(ErrorCode::InvalidCredential))
            .count(),
        55
    );
    assert_eq!(counts(&f.keyplate), (5, 5, 5));
}

/// The jobs of other processes; without a job there is nothing to do.
#[test]
fn worker() {
    let Some((job, keyplate)) = job() else { return };
    let stranger = keyplate.anonymous(client()).unwrap();
    let mut words = job.split(' ');
    match words.next() {
        // For each round: tries on that round's token.
        Some("race") => {
            let name = words.next().unwrap();
            for (round, secret) in words.enumerate() {
                let won = (0..25)
                    .filter(|n| {
                        stranger
                            .sign_up(signup(&format!("{name}r{round}n{n}"), Some(secret)))
                            .is_ok()
                    })
                    .count();
                say(&format!("{round} {won}"));
            }
        }
        Some("loop") => {
            let (name, secret) = (words.next().unwrap(), words.next().unwrap());
            for n in 0.. {
                let made = stranger
                    .sign_up(signup(&format!("{name}n{n}"), Some(secret)))
                    .unwrap();
                say(&made.user.username);
            }
        }
        other => panic!("no such job: {other:?}"),
    }
}

fn opened(folder: &tempfile::TempDir) -> (std::path::PathBuf, Keyplate) {
    let path = folder.path().join("id.db");
    let keyplate = Keyplate::open(config(&path)).unwrap();
    keyplate
        .update_settings(SettingsChanges {
            signup_mode: Some(SignupMode::WithToken),
            ..Default::default()
        })
        .unwrap();
    (path, keyplate)
}

/// Item 2, with 8 processes of 25 tries each, 100 rounds.
#[test]
fn of_eight_processes_exactly_five_sign_ups_win_in_each_round() {
    const ROUNDS: usize = 100;
    let folder = tempfile::tempdir().unwrap();
    let (path, keyplate) = opened(&folder);
    let secrets: Vec<String> = (0..ROUNDS)
        .map(|_| {
            keyplate
                .create_signup_token(with_uses(5))
                .unwrap()
                .secret
                .reveal()
        })
        .collect();
    let secrets = secrets.join(" ");
    let mut children: Vec<_> = (0..8)
        .map(|n| start(worker, &format!("race p{n} {secrets}"), &path))
        .collect();
    let mut won: BTreeMap<usize, usize> = BTreeMap::new();
    for child in &mut children {
        for line in said(child) {
            let (round, count) = line.split_once(' ').unwrap();
            *won.entry(round.parse().unwrap()).or_default() += count.parse::<usize>().unwrap();
        }
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(won, (0..ROUNDS).map(|round| (round, 5)).collect());
    assert_eq!(counts(&keyplate), (500, 500, 500));
}

/// Item 3.
#[test]
fn killed_while_signing_up_uses_are_redemptions_are_accounts() {
    let folder = tempfile::tempdir().unwrap();
    let (path, keyplate) = opened(&folder);
    let unlimited = NewSignupToken {
        uses: Some(Limit::Unlimited),
        ..Default::default()
    };
    let made = keyplate.create_signup_token(unlimited).unwrap();
    let mut seen = 0;
    for round in 0..300_u64 {
        let mut child = start(
            worker,
            &format!("loop k{round} {}", made.secret.reveal()),
            &path,
        );
        let random = round.wrapping_mul(2_654_435_761);
        seen += kill_after(&mut child, (round % 4) as usize, random % 4_000).len() as u64;
        let (uses, redemptions, accounts) = counts(&keyplate);
        assert!(
            uses == redemptions && redemptions == accounts,
            "round {round}: {uses} {redemptions} {accounts}"
        );
        assert!(
            accounts >= seen,
            "round {round}: {seen} were told, {accounts} are there"
        );
    }
    assert!(keyplate.check_integrity().unwrap().ok);
    assert!(seen > 100, "only {seen} signed up");
}
