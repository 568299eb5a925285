//! Following the log: what came after an event, the oldest first.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use keyplate::{AuditEvent, AuditQuery, ErrorCode, EventKind, Keyplate, UserQuery};

use super::{all, from};
use crate::common::{
    process::{job, say, start},
    *,
};

const PROCESSES: usize = 4;
const USERS: usize = 60;

/// The job of other processes: users, as fast as they can be made.
#[test]
fn worker() {
    let Some((name, keyplate)) = job() else {
        return;
    };
    for n in 0..USERS {
        keyplate
            .create_user(new_user(&format!("{name}{n}")))
            .unwrap();
    }
    say("done");
}

fn after(keyplate: &Keyplate, id: i64, limit: i64) -> Vec<AuditEvent> {
    let query = AuditQuery {
        after: Some(id),
        limit: Some(limit),
        ..AuditQuery::default()
    };
    keyplate.list_audit_events(query).unwrap().items
}

#[test]
fn what_came_after_is_given_oldest_first() {
    let f = Fixture::new();
    for name in ["ann", "bob", "cy"] {
        f.user(name);
    }
    let whole: Vec<i64> = after(&f.keyplate, 0, 1_000).iter().map(|e| e.id).collect();
    let mut newest_first: Vec<i64> = all(&f.keyplate).iter().map(|e| e.id).collect();
    newest_first.reverse();
    assert_eq!(whole, newest_first);
    assert_eq!(whole.len(), 3);

    let page = |query| f.keyplate.list_audit_events(query).unwrap();
    let first = page(AuditQuery {
        after: Some(whole[0]),
        limit: Some(1),
        ..AuditQuery::default()
    });
    assert_eq!(
        (first.total, first.items[0].id),
        (2, whole[1]),
        "those that are left"
    );
    assert!(after(&f.keyplate, whole[2], 10).is_empty());
    assert!(after(&f.keyplate, i64::MAX, 10).is_empty());
    // With the other filters.
    f.keyplate
        .create_group(keyplate::NewGroup {
            name: "friends".to_owned(),
            ..Default::default()
        })
        .unwrap();
    f.user("dan");
    let made = page(AuditQuery {
        after: Some(whole[1]),
        kind: Some(EventKind::UserCreated),
        ..AuditQuery::default()
    });
    let named: Vec<_> = made.items.iter().map(|e| e.username.as_deref()).collect();
    assert_eq!(named, [Some("cy"), Some("dan")]);

    let refused = |after, page| {
        let query = AuditQuery {
            after: Some(after),
            page,
            ..AuditQuery::default()
        };
        code(f.keyplate.list_audit_events(query))
    };
    assert_eq!(refused(-1, None), ErrorCode::InvalidInput);
    assert_eq!(refused(0, Some(2)), ErrorCode::InvalidInput);
    let query = AuditQuery {
        after: Some(0),
        page: Some(2),
        ..AuditQuery::default()
    };
    let asked = f.keyplate.list_audit_events(query);
    assert_eq!(
        refusal(asked.clone()),
        (ErrorCode::InvalidInput, Some("page".to_owned()))
    );
    assert_eq!(reason(asked).1.as_deref(), Some("excludes"));
}

/// A1: the feed shows a user no more than the list does.
#[test]
fn a_user_follows_what_concerns_them() {
    let f = Fixture::new();
    let (ann, bob) = (f.administrator("ann"), f.user("bob"));
    let session = f.session(&bob);
    let administrators = f.session(&ann);
    f.acting(administrators.secret.as_str())
        .revoke_session(&f.session(&bob).session.id)
        .unwrap();
    let bobs = after(&f.acting(session.secret.as_str()), 0, 1_000);
    assert!(!bobs.is_empty());
    for event in bobs {
        assert_eq!(event.user_id.as_deref(), Some(bob.id.as_str()));
        assert_ne!(event.actor_name.as_deref(), Some("ann"));
    }
}

/// Four processes write, and nobody who follows misses an event, sees one twice, or sees two the wrong way round.
#[test]
fn every_process_s_events_come_exactly_once_and_in_order() {
    let f = Fixture::on_disk();
    let done = AtomicBool::new(false);
    let follow = || {
        let keyplate = f.open_again();
        let mut seen: Vec<AuditEvent> = Vec::new();
        loop {
            // Asked before the last look, so that it sees everything.
            let is_last = done.load(Ordering::SeqCst);
            let last = seen.last().map_or(0, |event| event.id);
            let more = after(&keyplate, last, 7);
            if more.is_empty() && is_last {
                return seen;
            }
            seen.extend(more);
        }
    };
    let seen = thread::scope(|scope| {
        let followers = [scope.spawn(follow), scope.spawn(follow)];
        let children: Vec<_> = (0..PROCESSES)
            .map(|n| start(worker, &format!("p{n}x"), &f.path()))
            .collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        done.store(true, Ordering::SeqCst);
        followers.map(|follower| follower.join().unwrap())
    });
    let total = f.keyplate.list_users(UserQuery::default()).unwrap().total;
    assert_eq!(total as usize, PROCESSES * USERS);
    for seen in seen {
        let ids: Vec<i64> = seen.iter().map(|event| event.id).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        let mut names: Vec<String> = seen
            .into_iter()
            .filter(|event| event.kind == EventKind::UserCreated)
            .filter_map(|event| event.username)
            .collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), PROCESSES * USERS);
    }
}

/// A row of refusals comes once, as it was; what is counted in it later is in the list.
#[test]
fn refusals_come_once() {
    let f = Fixture::new();
    let stranger = from(&f, "192.0.2.1");
    for _ in 0..5 {
        assert!(stranger.redeem_one_time_token("AAAA-AAAA").is_err());
    }
    let first = after(&f.keyplate, 0, 10);
    assert_eq!(first.len(), 1);
    assert!(stranger.redeem_one_time_token("AAAA-AAAA").is_err());
    assert!(after(&f.keyplate, first[0].id, 10).is_empty());
    assert_eq!(all(&f.keyplate)[0].count, 6);
}
