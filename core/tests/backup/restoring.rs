//! Opening one in the place of a database that is gone.

use keyplate::{
    AuditQuery, Config, ErrorCode, EventKind, KeyRotation, Keyplate, NewAdmin, PasskeyFailure,
    SetupStage,
};

use crate::{
    common::{
        passkeys::reason,
        process::{said, start},
        *,
    },
    detail, restore_events, restored, worker,
};

#[test]
fn who_restores_brings_back_keys_and_no_sessions() {
    let f = Fixture::on_disk();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let (mut person, _, by_passkey) = f.person(&bob);
    let session = f.session(&ann);
    let kept = f.key(&ann, &["a:b", "films:watch"]);
    let leaked = f.key(&bob, &["a:b"]);
    let turned = f.key(&bob, &["a:b"]);
    let newer = f
        .keyplate
        .rotate_api_key(&turned.api_key.id, KeyRotation::default())
        .unwrap();
    let token = f
        .keyplate
        .create_one_time_token(&bob.id, Some(100_000))
        .unwrap();
    let code_of_bob = f.keyplate.create_one_time_token(&bob.id, None).unwrap();
    let login = f.stranger().begin_passkey_login().unwrap();
    let step_up = f
        .acting(by_passkey.secret.as_str())
        .begin_step_up()
        .unwrap();

    let films = keyplate::NewService {
        slug: "films".to_owned(),
        ..Default::default()
    };
    let films = f.keyplate.create_service(films).unwrap();
    f.keyplate.set_service_access(&films.id, true, &[]).unwrap();
    let principal = f
        .keyplate
        .authenticate(kept.secret.as_str())
        .unwrap()
        .principal;
    let access = f
        .keyplate
        .issue_access_token(&principal, "films", Some(3_600))
        .unwrap();

    let copy = f.back_up();
    f.clock.advance(30);
    f.keyplate.revoke_api_key(&leaked.api_key.id).unwrap();
    let answer = person.get(&login, &Default::default());
    f.stranger()
        .finish_passkey_login(&login.ceremony, &answer)
        .unwrap();
    f.clock.advance(30);

    let (_folder, path) = restored(&copy);
    let (again, heard) = f.open_restored(&path);
    assert!(again.check_integrity().unwrap().ok);
    let invalid = ErrorCode::InvalidCredential;
    for dead in [&session, &by_passkey] {
        assert_eq!(code(again.verify_session(dead.secret.as_str())), invalid);
    }
    let sessions = again.list_sessions(Default::default()).unwrap();
    assert_eq!(sessions.total, 0);
    assert_eq!(again.list_one_time_tokens(None).unwrap(), []);
    let stranger = again.anonymous(client()).unwrap();
    for dead in [&token, &code_of_bob] {
        let redeemed = stranger.redeem_one_time_token(dead.secret.as_str());
        assert_eq!(code(redeemed), invalid);
    }
    // P2: its challenge was spent, and the back-up does not know it.
    let replayed = stranger.finish_passkey_login(&login.ceremony, &answer);
    assert_eq!(reason(replayed), PasskeyFailure::UnknownCeremony);
    let now = person.log_in(&stranger).unwrap();
    let principal = again.authenticate(now.secret.as_str()).unwrap().principal;
    let acting = again.acting_as(&principal, client()).unwrap();
    let answer = person.get(&step_up, &Default::default());
    let late = acting.finish_step_up(&step_up.ceremony, &answer);
    assert_eq!(reason(late), PasskeyFailure::UnknownCeremony);

    for works in [&kept, &leaked, &turned, &newer] {
        assert!(again.verify_api_key(works.secret.as_str()).is_ok());
    }
    // J1: the key that signed it may have been rotated away since.
    let refused = again.verify_access_token(access.secret.as_str(), "films");
    assert_eq!(code(refused), invalid);
    let principal = again.authenticate(kept.secret.as_str()).unwrap().principal;
    again.issue_access_token(&principal, "films", None).unwrap();
    let events = restore_events(&again);
    assert_eq!(events.len(), 1);
    assert_eq!(heard.kinds()[0], EventKind::BackupRestored);
    assert_eq!(heard.0.lock().unwrap()[0], events[0]);
    assert_eq!(events[0].at, f.now());
    assert_eq!(detail(&events[0], "made_at"), "2026-11-01T00:00:00Z");
    assert_eq!(detail(&events[0], "api_keys"), "3");
    assert_eq!(detail(&events[0], "sessions_ended"), "2");

    // It is an ordinary database from now on.
    drop((acting, stranger, again));
    let (again, heard) = f.open_restored(&path);
    assert!(again.verify_session(now.secret.as_str()).is_ok());
    assert_eq!(heard.kinds(), []);
    assert_eq!(restore_events(&again).len(), 1);
}

#[test]
fn time_does_not_go_back_with_a_back_up() {
    let f = Fixture::new();
    let user = f.user("ann");
    let key = f.keyplate.create_api_key(keyplate::NewApiKey {
        expires_at: Some(f.in_seconds(100)),
        ..new_key(Some(&user), &["a:b"])
    });
    f.clock.advance(100);
    f.user("bob");
    let (_folder, path) = restored(&f.back_up());
    f.clock.back(50);
    let config = Config {
        time_source: Some(f.clock.clone()),
        ..config(&path)
    };
    let again = Keyplate::open_with_boot_clock(config, f.clock.clone()).unwrap();
    let expired = again.verify_api_key(key.unwrap().secret.as_str());
    assert_eq!(code(expired), ErrorCode::InvalidCredential);
    assert_eq!(restore_events(&again)[0].at, f.in_seconds(50));
}

#[test]
fn setup_moves_on_and_keeps_its_stage() {
    // Open: the token is dead, and even the host needs a new one.
    let f = Fixture::new();
    let token = f.keyplate.create_setup_token().unwrap().secret.reveal();
    let (_folder, path) = restored(&f.back_up());
    let (again, _) = f.open_restored(&path);
    let state = again.get_setup_state().unwrap();
    assert_eq!(
        (state.stage, state.generation),
        (SetupStage::Uninitialised, 2)
    );
    let invalid = ErrorCode::InvalidCredential;
    let claim = |keyplate: &Keyplate, token: Option<String>, admin: NewAdmin| {
        keyplate.claim_setup(token, admin)
    };
    assert_eq!(code(claim(&again, Some(token), admin("ann"))), invalid);
    assert_eq!(code(claim(&again, None, admin("ann"))), invalid);
    let token = again.create_setup_token().unwrap().secret.reveal();
    claim(&again, Some(token), admin("ann")).unwrap();

    // Claimed: he who claimed goes on by a new token.
    let f = Fixture::new();
    let claimed = f.claim();
    let (_folder, path) = restored(&f.back_up());
    let (again, _) = f.open_restored(&path);
    assert_eq!(again.get_setup_state().unwrap().stage, SetupStage::Claimed);
    assert_eq!(code(again.verify_session(claimed.secret.as_str())), invalid);
    assert_eq!(code(again.resume_setup(None)), invalid);
    let token = again.create_setup_token().unwrap().secret.reveal();
    let resumed = again.resume_setup(Some(token)).unwrap();
    assert_eq!(resumed.user.id, claimed.user.id);

    // Complete: it stays over.
    let f = Fixture::new();
    f.administrator("ann");
    let (_folder, path) = restored(&f.back_up());
    let (again, _) = f.open_restored(&path);
    assert_eq!(
        code(again.create_setup_token()),
        ErrorCode::SetupAlreadyComplete
    );
    assert_eq!(code(again.reset_setup(1)), ErrorCode::Conflict);
    assert_eq!(again.reset_setup(2).unwrap().generation, 3);
}

#[test]
fn of_eight_processes_that_open_it_one_settles_it() {
    let f = Fixture::on_disk();
    let user = f.user("ann");
    let session = f.session(&user);
    let copy = f.back_up();
    for _ in 0..4 {
        let (_folder, path) = restored(&copy);
        let mut children: Vec<_> = (0..8).map(|_| start(worker, "open", &path)).collect();
        let said: Vec<String> = children.iter_mut().flat_map(said).collect();
        assert_eq!(said, ["opened"; 8]);
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        let (again, heard) = f.open_restored(&path);
        assert_eq!(restore_events(&again).len(), 1);
        assert_eq!(again.get_setup_state().unwrap().generation, 2);
        assert!(heard.kinds().is_empty());
        let dead = again.verify_session(session.secret.as_str());
        assert_eq!(code(dead), ErrorCode::InvalidCredential);
    }
}

/// Whoever follows the log hears of the restoring next, although they have ids of events that are lost.
#[test]
fn who_follows_the_log_takes_no_new_event_for_a_lost_one() {
    let f = Fixture::on_disk();
    f.user("ann");
    let copy = f.back_up();
    f.clock.advance(1);
    for n in 0..20 {
        f.user(&format!("lost{n}"));
    }
    let newest = |keyplate: &Keyplate| {
        let newest = keyplate.list_audit_events(AuditQuery::default()).unwrap();
        newest.items[0].id
    };
    let last = newest(&f.keyplate);
    let (_folder, path) = restored(&copy);
    let (again, _) = f.open_restored(&path);
    let query = AuditQuery {
        after: Some(last),
        ..AuditQuery::default()
    };
    let next = again.list_audit_events(query).unwrap().items;
    let kinds: Vec<EventKind> = next.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::BackupRestored]);
    again.create_user(new_user("bob")).unwrap();
    assert!(newest(&again) > next[0].id);
}
