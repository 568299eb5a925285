//! Sessions: T1, C5, and who may end whose.

mod life;

use keyplate::{ClientInfo, ErrorCode, EventKind, SessionQuery, SignInMethod, UserQuery};

use crate::common::*;

#[test]
fn a_session_is_opened_for_whom_the_host_has_checked() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let client = ClientInfo {
        device_name: Some("TV".to_owned()),
        user_agent: Some(format!("agent\n{}", "x".repeat(600))),
        ..client()
    };
    let made = f
        .keyplate
        .create_session(&ann.id, client.clone(), Some(60))
        .unwrap();
    assert_eq!(made.session.method, SignInMethod::Host);
    assert_eq!(
        made.session.stepped_up_at, None,
        "it never satisfies step-up"
    );
    assert_eq!(
        made.session
            .user_agent
            .as_ref()
            .map(|agent| agent.chars().count()),
        Some(512)
    );
    assert!(!made.session.user_agent.unwrap().contains('\n'));
    let found = f.keyplate.verify_session(made.secret.as_str()).unwrap();
    assert_eq!(
        (found.user_id, found.session_id),
        (ann.id, Some(made.session.id))
    );
    assert_eq!(found.scopes, ["*", "roles:write"]);
    let acting = f.acting(made.secret.as_str());
    f.clock.advance(30);
    f.acting(made.secret.as_str());
    f.user("bob"); // takes along that it was seen
    f.clock.advance(30);
    assert_eq!(
        code(acting.get_user(&ann.id)),
        ErrorCode::InvalidCredential,
        "used or not"
    );
    assert_eq!(
        code(f.keyplate.verify_session(made.secret.as_str())),
        ErrorCode::InvalidCredential
    );

    for bad in [0, -1, 366 * 24 * 3_600 + 1, i64::MAX, i64::MIN] {
        let result = f
            .keyplate
            .create_session(&ann.id, ClientInfo::default(), Some(bad));
        assert_eq!(refusal(result).1.as_deref(), Some("lifetime_seconds"));
    }
    f.keyplate.disable_user(&ann.id).unwrap();
    assert_eq!(
        code(f.keyplate.create_session(&ann.id, client, None)),
        ErrorCode::AccountDisabled
    );
}

/// T1.
#[test]
fn idle_and_absolute_limits() {
    const DAY: u64 = 24 * 3_600;
    let f = Fixture::new();
    let ann = f.user("ann");
    let idle = f.session(&ann);
    let busy = f.session(&ann);
    for day in 1..30 {
        f.clock.advance(DAY);
        f.keyplate
            .verify_session(busy.secret.as_str())
            .unwrap_or_else(|error| panic!("day {day}: {error}"));
        f.user(&format!("u{day}")); // takes along when sessions were seen
        let lives = f.keyplate.verify_session(idle.secret.as_str());
        // Looking at it on the first days keeps it alive: only unused days count.
        if day <= 3 {
            lives.unwrap();
        } else {
            break;
        }
    }
    f.clock.advance(7 * DAY);
    assert_eq!(
        code(f.keyplate.verify_session(idle.secret.as_str())),
        ErrorCode::InvalidCredential
    );

    let f = Fixture::new();
    let ann = f.user("ann");
    let session = f.session(&ann);
    f.clock.advance(7 * DAY - 1);
    assert!(f.keyplate.verify_session(session.secret.as_str()).is_ok());
    let unused = f.open_again(); // it has not seen that
    let acting = f.acting(session.secret.as_str());
    f.clock.advance(1);
    assert_eq!(
        code(acting.list_sessions(SessionQuery::default())),
        ErrorCode::InvalidCredential
    );
    assert_eq!(
        code(unused.verify_session(session.secret.as_str())),
        ErrorCode::InvalidCredential,
        "idle to the second"
    );

    let f = Fixture::new();
    let ann = f.user("ann");
    let session = f.session(&ann);
    for day in 1..=30 {
        f.clock.advance(DAY);
        f.user(&format!("u{day}"));
        let result = f.keyplate.verify_session(session.secret.as_str());
        assert_eq!(result.is_ok(), day < 30, "day {day}");
    }
}

#[test]
fn sessions_are_listed_and_ended_one_by_one_or_all() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let (one, two, three) = (f.session(&bob), f.session(&bob), f.session(&bob));
    let hers = f.session(&ann);
    let his = f.acting(one.secret.as_str());
    assert_eq!(his.list_sessions(SessionQuery::default()).unwrap().total, 3);
    assert_eq!(
        f.keyplate
            .list_sessions(SessionQuery::default())
            .unwrap()
            .total,
        4
    );
    assert_eq!(
        code(his.revoke_session(&hers.session.id)),
        ErrorCode::NotFound
    );
    assert_eq!(
        code(his.list_sessions(SessionQuery {
            user_id: Some(ann.id),
            ..SessionQuery::default()
        })),
        ErrorCode::PermissionDenied
    );
    his.revoke_session(&two.session.id).unwrap();
    his.revoke_session(&two.session.id)
        .expect("again does nothing");
    let left = his.list_sessions(SessionQuery::default()).unwrap();
    assert_eq!((left.total, left.items.len()), (2, 2));
    let other = f.open_again();
    assert_eq!(
        code(other.verify_session(two.secret.as_str())),
        ErrorCode::InvalidCredential
    );
    assert_eq!(
        his.revoke_user_sessions(&bob.id, Some(one.session.id))
            .unwrap(),
        1
    );
    assert_eq!(
        code(other.verify_session(three.secret.as_str())),
        ErrorCode::InvalidCredential
    );
    assert!(other.verify_session(one.secret.as_str()).is_ok());
    assert_eq!(
        code(his.revoke_user_sessions(&ann.id, None)),
        ErrorCode::NotFound
    );
    assert_eq!(
        f.acting(hers.secret.as_str())
            .revoke_user_sessions(&bob.id, None)
            .unwrap(),
        1
    );
    assert_eq!(
        code(his.list_sessions(SessionQuery::default())),
        ErrorCode::InvalidCredential
    );
    let ended = |kind: &EventKind| {
        matches!(
            kind,
            EventKind::SessionRevoked | EventKind::UserSessionsRevoked
        )
    };
    assert_eq!(f.heard.kinds().iter().filter(|kind| ended(kind)).count(), 3);
}

#[test]
fn handles_come_from_the_host_only() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let session = f.session(&ann);
    let acting = f.acting(session.secret.as_str());
    let principal = f
        .keyplate
        .authenticate(session.secret.as_str())
        .unwrap()
        .principal;
    for handle in [&acting, &f.stranger()] {
        assert_eq!(
            code(handle.anonymous(ClientInfo::default())),
            ErrorCode::PermissionDenied
        );
        assert_eq!(
            code(handle.acting_as(&principal, ClientInfo::default())),
            ErrorCode::PermissionDenied
        );
        assert_eq!(
            code(handle.create_session(&ann.id, ClientInfo::default(), None)),
            ErrorCode::PermissionDenied
        );
    }
    assert_eq!(
        code(f.stranger().list_users(UserQuery::default())),
        ErrorCode::PermissionDenied
    );
}

/// C5.
#[test]
fn time_never_runs_backwards_and_the_host_may_correct_it() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let session = f
        .keyplate
        .create_session(&ann.id, ClientInfo::default(), Some(60))
        .unwrap();
    let acting = f.acting(session.secret.as_str());
    f.clock.advance(25 * 3_600);
    f.user("bob");
    f.clock.back(300);
    assert_eq!(code(acting.get_user(&ann.id)), ErrorCode::InvalidCredential);
    assert_eq!(
        code(f.keyplate.verify_session(session.secret.as_str())),
        ErrorCode::InvalidCredential,
        "expired stays expired"
    );
    f.user("eve");
    assert!(
        !f.heard.kinds().contains(&EventKind::ClockBehind),
        "within five minutes"
    );

    f.clock.back(25 * 3_600 - 300);
    f.user("carol");
    f.user("dora");
    let behind = f
        .heard
        .kinds()
        .iter()
        .filter(|kind| **kind == EventKind::ClockBehind)
        .count();
    assert_eq!(behind, 1, "told once");
    f.keyplate.reset_clock().unwrap();
    assert!(f.keyplate.verify_session(session.secret.as_str()).is_ok());
    f.keyplate.reset_clock().expect("nothing to do");
}

/// C5.
#[test]
fn what_expired_long_ago_is_purged_and_users_are_not() {
    const DAY: u64 = 24 * 3_600;
    let f = Fixture::new();
    let ann = f.user("ann");
    f.keyplate
        .create_session(&ann.id, ClientInfo::default(), Some(60))
        .unwrap();
    let key = f.key(&ann, &["*"]);
    f.keyplate.revoke_api_key(&key.api_key.id).unwrap();
    let expiring = keyplate::NewApiKey {
        expires_at: Some(f.in_seconds(60)),
        ..new_key(Some(&ann), &["*"])
    };
    f.keyplate.create_api_key(expiring).unwrap();
    let year = |keyplate: &keyplate::Keyplate| {
        keyplate
            .create_session(&ann.id, ClientInfo::default(), Some(366 * 24 * 3_600))
            .unwrap()
            .session
            .id
    };
    f.keyplate.revoke_session(&year(&f.keyplate)).unwrap();
    year(&f.keyplate); // nobody uses it: it ends after 7 days
    f.keyplate
        .create_one_time_token(&ann.id, Some(1_000))
        .unwrap();
    let purge = || {
        let report = f.keyplate.purge_expired().unwrap();
        (report.sessions, report.api_keys, report.one_time_tokens)
    };
    f.clock.advance(29 * DAY);
    assert_eq!(purge(), (0, 0, 0));
    f.clock.advance(2 * DAY);
    assert_eq!(purge(), (2, 2, 1));
    f.clock.advance(7 * DAY);
    assert_eq!(purge(), (1, 0, 0));
    assert_eq!(
        f.keyplate.list_users(UserQuery::default()).unwrap().total,
        1
    );
}

#[test]
fn a_refused_session_is_in_the_log() {
    let f = Fixture::new();
    let ann = f.user("ann");
    f.keyplate.disable_user(&ann.id).unwrap();
    let _ = f
        .keyplate
        .create_session(&ann.id, ClientInfo::default(), None);
    assert!(f.heard.kinds().contains(&EventKind::SignInRefused));
}

/// E1: the sink may call back, and what it throws changes nothing.
#[test]
fn a_sink_may_call_back_and_may_throw() {
    use std::sync::{Arc, OnceLock};

    struct Throwing(OnceLock<keyplate::Keyplate>);
    impl keyplate::EventSink for Throwing {
        fn on_event(&self, _: keyplate::AuditEvent) {
            let total = self
                .0
                .get()
                .unwrap()
                .list_audit_events(Default::default())
                .unwrap()
                .total;
            panic!("{total} events");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let sink = Arc::new(Throwing(OnceLock::new()));
    let path = folder.path().join("id.db");
    let keyplate = keyplate::Keyplate::open(keyplate::Config {
        events: Some(sink.clone()),
        ..config(&path)
    })
    .unwrap();
    sink.0.set(keyplate.clone()).unwrap();
    keyplate.create_user(new_user("ann")).unwrap();
    assert!(keyplate.find_user_by_username("ann").unwrap().is_some());
}

/// What a proxy or a framework calls the client is understood, and what is no address refuses nobody.
#[test]
fn where_somebody_is_signed_in_from_is_read_as_it_is_written() {
    let f = Fixture::new();
    let ann = f.user("ann");
    for (written, address) in [
        ("203.0.113.9:51234", Some("203.0.113.9")),
        ("[2001:DB8::1]:443", Some("2001:db8::1")),
        ("\"[2001:db8::1]\"", Some("2001:db8::1")),
        ("fe80::1%eth0", Some("fe80::1")),
        ("::ffff:203.0.113.9", Some("203.0.113.9")),
        ("203.0.113.9,", Some("203.0.113.9")),
        ("not an address", Some("unknown")),
        ("_hidden", Some("unknown")),
        ("unknown", Some("unknown")),
        ("198.51.100.1, 203.0.113.9", Some("unknown")),
        ("", None),
        (" ", None),
    ] {
        let client = || ClientInfo {
            address: Some(written.to_owned()),
            ..ClientInfo::default()
        };
        let made = f.keyplate.create_session(&ann.id, client(), None).unwrap();
        assert_eq!(made.session.address.as_deref(), address, "{written}");
        // So it is in the log, whatever the handle.
        let acting = f.keyplate.authenticate(made.secret.as_str()).unwrap();
        let handles = [
            f.keyplate.with_client(client()).unwrap(),
            f.keyplate.acting_as(&acting.principal, client()).unwrap(),
        ];
        for handle in handles {
            let rows = f.keyplate.list_audit_events(Default::default());
            let name = format!("changed after {} rows", rows.unwrap().total);
            let changes = keyplate::UserChanges {
                display_name: Some(name),
                ..Default::default()
            };
            handle.update_user(&ann.id, changes).unwrap();
            let newest = f.keyplate.list_audit_events(Default::default()).unwrap();
            assert_eq!(newest.items[0].address.as_deref(), address, "{written}");
        }
        f.keyplate.anonymous(client()).unwrap();
    }
}
