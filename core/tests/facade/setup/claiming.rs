//! Who may claim setup, and who may go on with it.

use keyplate::{ClientInfo, ErrorCode, EventKind, NewAdmin, NewUser, Role, SetupStage};

use crate::common::*;

/// B2.
#[test]
fn a_stranger_needs_a_token_that_works() {
    let f = Fixture::new();
    let stranger = f.stranger();
    assert_eq!(
        code(stranger.claim_setup(None, admin("eve"))),
        ErrorCode::InvalidCredential
    );
    let token = f.keyplate.create_setup_token().unwrap().secret.reveal();
    assert_eq!(
        code(stranger.claim_setup(Some("kp_set_x".to_owned()), admin("eve"))),
        ErrorCode::InvalidCredential
    );
    assert_eq!(
        code(stranger.claim_setup(Some(String::new()), admin("eve"))),
        ErrorCode::InvalidCredential
    );
    f.clock.advance(24 * 3_600 - 1);
    // A failed claim leaves setup open and the token good (B3).
    let bad = NewAdmin {
        email: Some("no address".to_owned()),
        ..admin("ann")
    };
    assert_eq!(
        refusal(stranger.claim_setup(Some(token.clone()), bad)),
        (ErrorCode::InvalidInput, Some("email".to_owned()))
    );
    assert_eq!(
        f.keyplate.get_setup_state().unwrap().stage,
        SetupStage::Uninitialised
    );
    stranger
        .claim_setup(Some(token.clone()), admin("ann"))
        .unwrap();
    assert_eq!(
        code(stranger.claim_setup(Some(token), admin("eve"))),
        ErrorCode::SetupAlreadyClaimed
    );

    let f = Fixture::new();
    let token = f.keyplate.create_setup_token().unwrap().secret.reveal();
    f.clock.advance(24 * 3_600);
    assert_eq!(
        code(f.stranger().claim_setup(Some(token), admin("eve"))),
        ErrorCode::InvalidCredential,
        "it lives for a day"
    );
    f.keyplate
        .claim_setup(None, admin("ann"))
        .expect("the host needs none");
}

/// B3.
#[test]
fn resuming_ends_the_earlier_setup_sessions() {
    let f = Fixture::new();
    assert_eq!(code(f.keyplate.resume_setup(None)), ErrorCode::NotFound);
    let first = f.claim();
    let key = f
        .acting(first.secret.as_str())
        .create_api_key(new_key(None, &["*"]))
        .unwrap();
    f.clock.advance(7_200);
    assert_eq!(
        code(f.keyplate.verify_session(first.secret.as_str())),
        ErrorCode::InvalidCredential
    );
    assert_eq!(
        code(f.stranger().resume_setup(None)),
        ErrorCode::InvalidCredential
    );
    let token = f.keyplate.create_setup_token().unwrap().secret.reveal();
    let second = f.stranger().resume_setup(Some(token.clone())).unwrap();
    assert_eq!(second.user.id, first.user.id);
    let third = f.stranger().resume_setup(Some(token)).unwrap();
    assert_eq!(
        code(f.keyplate.verify_session(second.secret.as_str())),
        ErrorCode::InvalidCredential
    );
    assert!(f.keyplate.verify_session(third.secret.as_str()).is_ok());
    assert!(
        f.keyplate.verify_api_key(key.secret.as_str()).is_ok(),
        "keys made before stay"
    );
}

#[test]
fn only_an_administrator_who_may_sign_in_resumes() {
    let f = Fixture::new();
    let ann = f.claim();
    let key = f.key(&ann.user, &["*", "roles:write"]);
    let eve = NewUser {
        role: Some(Role::Administrator),
        ..new_user("eve")
    };
    f.acting(key.secret.as_str()).create_user(eve).unwrap();
    f.keyplate.disable_user(&ann.user.id).unwrap();
    assert_eq!(
        code(f.keyplate.resume_setup(None)),
        ErrorCode::AccountDisabled
    );
    f.keyplate.enable_user(&ann.user.id).unwrap();
    f.keyplate.set_user_role(&ann.user.id, Role::User).unwrap();
    assert_eq!(
        code(f.keyplate.resume_setup(None)),
        ErrorCode::PermissionDenied
    );
}

#[test]
fn a_first_claim_cannot_take_over_a_user() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let claim = NewAdmin {
        existing_user_id: Some(bob.id),
        ..NewAdmin::default()
    };
    assert_eq!(
        code(f.keyplate.claim_setup(None, claim)),
        ErrorCode::PermissionDenied
    );
    assert_eq!(f.keyplate.get_user(&bob.id).unwrap().role, Role::User);
}

/// A1.
#[test]
fn refusals_are_counted_in_one_row_a_minute() {
    let f = Fixture::new();
    f.clock.set(START + 60);
    for _ in 0..5 {
        let _ = f
            .stranger()
            .claim_setup(Some("guess".to_owned()), admin("eve"));
    }
    let slip = NewAdmin {
        email: Some("no address".to_owned()),
        ..admin("ann")
    };
    let _ = f
        .keyplate
        .with_client(client())
        .unwrap()
        .claim_setup(None, slip); // is none
    let _ = f.stranger().redeem_one_time_token("0000-0000"); // is another
    let other = ClientInfo {
        address: Some("2001:db8::1".to_owned()),
        ..ClientInfo::default()
    };
    let _ = f
        .keyplate
        .anonymous(other)
        .unwrap()
        .claim_setup(None, admin("eve"));
    f.clock.advance(60);
    let _ = f.stranger().claim_setup(None, admin("eve"));
    let rows = f
        .keyplate
        .list_audit_events(keyplate::AuditQuery {
            kind: Some(EventKind::SetupRefused),
            ..Default::default()
        })
        .unwrap()
        .items;
    let counts: Vec<(i64, Option<&str>)> = rows
        .iter()
        .map(|row| (row.count, row.address.as_deref()))
        .collect();
    assert_eq!(
        counts,
        [
            (1, Some("192.0.2.7")),
            (1, Some("2001:db8::1")),
            (5, Some("192.0.2.7"))
        ]
    );
    let total = f.keyplate.list_audit_events(Default::default());
    assert_eq!(total.unwrap().total, 4);
}

/// U1.
#[test]
fn a_claim_does_not_bring_a_deleted_users_name_back() {
    let f = Fixture::new();
    let gone = f.user("gone");
    f.keyplate.delete_user(&gone.id).unwrap();
    assert_eq!(
        refusal(f.keyplate.claim_setup(None, admin("gone"))),
        (ErrorCode::Conflict, Some("username".to_owned()))
    );
}

#[test]
fn the_host_may_say_for_which_client_it_acts() {
    let f = Fixture::new();
    let claimed = f
        .keyplate
        .with_client(client())
        .unwrap()
        .claim_setup(None, admin("ann"))
        .unwrap();
    assert_eq!(claimed.session.address.as_deref(), Some("192.0.2.7"));
    assert_eq!(
        code(f.acting(claimed.secret.as_str()).with_client(client())),
        ErrorCode::PermissionDenied
    );
}

fn tokens(f: &Fixture, number: usize) -> Vec<String> {
    let mint = |_| f.keyplate.create_setup_token().unwrap().secret.reveal();
    (0..number).map(mint).collect()
}

/// B2: each process of a host may show its own.
#[test]
fn ten_tokens_work_at_once_and_the_eleventh_ends_the_oldest() {
    let claims = |f: &Fixture, token: &str| {
        let claimed = f
            .stranger()
            .claim_setup(Some(token.to_owned()), admin("ann"));
        claimed.map(|signed_in| signed_in.user.id)
    };
    for which in 0..10 {
        let f = Fixture::new();
        let ten = tokens(&f, 10);
        claims(&f, &ten[which]).unwrap_or_else(|error| panic!("{which}: {error}"));
    }
    let f = Fixture::new();
    let eleven = tokens(&f, 11);
    assert_eq!(
        code(claims(&f, &eleven[0])),
        ErrorCode::InvalidCredential,
        "the oldest"
    );
    let id = claims(&f, &eleven[1]).unwrap();
    // Each of them resumes, and by then another may be made.
    let twelfth = tokens(&f, 1).remove(0);
    assert_eq!(
        code(f.stranger().resume_setup(Some(eleven[1].clone()))),
        ErrorCode::InvalidCredential
    );
    for token in eleven[2..].iter().chain([&twelfth]) {
        let resumed = f.stranger().resume_setup(Some(token.clone())).unwrap();
        assert_eq!(resumed.user.id, id);
    }
    // All end with setup.
    f.keyplate.complete_setup().unwrap();
    for token in &eleven {
        assert_eq!(
            code(f.stranger().resume_setup(Some(token.clone()))),
            ErrorCode::SetupAlreadyComplete
        );
    }
    f.keyplate.reset_setup(1).unwrap();
    for token in eleven.iter().chain([&twelfth]) {
        assert_eq!(code(claims(&f, token)), ErrorCode::InvalidCredential);
    }
}

/// B2: each token has its own end, and those that have ended take nobody's place.
#[test]
fn a_token_that_has_ended_counts_for_nothing() {
    let f = Fixture::new();
    let first = tokens(&f, 1).remove(0);
    f.clock.advance(12 * 3_600);
    let second = tokens(&f, 1).remove(0);
    f.clock.advance(12 * 3_600);
    let stranger = f.stranger();
    assert_eq!(
        code(stranger.claim_setup(Some(first), admin("eve"))),
        ErrorCode::InvalidCredential
    );
    let eight = tokens(&f, 9);
    stranger.claim_setup(Some(second), admin("ann")).unwrap();
    stranger.resume_setup(Some(eight[0].clone())).unwrap();
}

/// B2: the host knows how it was claimed, and may resume in any case.
#[test]
fn how_setup_was_claimed_is_remembered() {
    let without_token = |f: &Fixture| {
        f.open_again()
            .get_setup_state()
            .unwrap()
            .claimed_without_token
    };
    let f = Fixture::new();
    assert!(!without_token(&f), "nobody has claimed it");
    let _ = f.stranger().claim_setup(None, admin("eve"));
    let bad = NewAdmin {
        email: Some("no address".to_owned()),
        ..admin("ann")
    };
    let _ = f.keyplate.claim_setup(None, bad);
    assert!(!without_token(&f), "nobody has yet");
    f.keyplate.claim_setup(None, admin("ann")).unwrap();
    assert!(without_token(&f));
    // Resuming with a token does not make it another claim.
    let token = tokens(&f, 1).remove(0);
    f.stranger().resume_setup(Some(token)).unwrap();
    assert!(without_token(&f));
    f.keyplate.reset_setup(1).unwrap();
    assert!(!without_token(&f));

    let f = Fixture::new();
    let token = tokens(&f, 1).remove(0);
    f.keyplate.claim_setup(Some(token), admin("ann")).unwrap();
    assert!(!without_token(&f), "the host too had a token");
    f.keyplate.resume_setup(None).unwrap();
}
