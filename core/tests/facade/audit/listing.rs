use keyplate::{AuditEvent, AuditQuery, AuditSort, ErrorCode, EventKind, SettingsChanges, UserId};

use super::all;
use crate::common::*;

/// Some of everything: what Ann did to Bob, what Bob did, what nobody did.
fn busy() -> (Fixture, UserId, UserId) {
    let f = Fixture::new();
    let (ann, bob) = (f.administrator("ann"), f.user("bob"));
    let as_ann = f.acting(f.session(&ann).secret.as_str());
    let as_bob = f.acting(f.session(&bob).secret.as_str());
    for n in 0..12_i64 {
        f.clock.advance(7);
        let changes = keyplate::UserChanges {
            first_name: Some(format!("Bob {n}")),
            ..Default::default()
        };
        match n % 4 {
            0 => drop(as_ann.update_user(&bob.id, changes).unwrap()),
            1 => drop(as_bob.update_user(&bob.id, changes).unwrap()),
            2 => {
                let settings = SettingsChanges {
                    app_name: Some(format!("Home {n}")),
                    ..Default::default()
                };
                as_ann.update_settings(settings).unwrap();
            }
            _ => assert!(f.stranger().redeem_one_time_token("0000-0000").is_err()),
        }
    }
    (f, ann.id, bob.id)
}

#[test]
fn every_filter_gives_what_a_look_at_all_rows_gives() {
    let (f, ann, bob) = busy();
    let everything = all(&f.keyplate);
    let middle = everything[everything.len() / 2].at;
    for user_id in [None, Some(ann), Some(bob)] {
        for kind in [None, Some(EventKind::UserUpdated)] {
            for since in [None, Some(middle)] {
                let id = user_id.map(|id| id.to_string());
                let wanted = |event: &&AuditEvent| {
                    (id.is_none() || event.user_id == id || event.actor_id == id)
                        && kind.is_none_or(|kind| event.kind == kind)
                        && since.is_none_or(|since| event.at >= since)
                };
                let expected: Vec<AuditEvent> = everything.iter().filter(wanted).cloned().collect();
                assert!(!expected.is_empty() && expected.len() <= everything.len());
                for limit in [1, 3, 1_000] {
                    let mut found = Vec::new();
                    let pages = expected.len().div_ceil(limit);
                    for page in 1..=pages {
                        let query = AuditQuery {
                            user_id,
                            kind,
                            since,
                            page: Some(page as i64),
                            limit: Some(limit as i64),
                            ..AuditQuery::default()
                        };
                        let page = f.keyplate.list_audit_events(query).unwrap();
                        assert_eq!(page.total, expected.len() as i64);
                        found.extend(page.items);
                    }
                    assert_eq!(found, expected, "{user_id:?} {kind:?} {since:?} {limit}");
                }
            }
        }
    }
}

#[test]
fn a_filter_that_fits_nothing_gives_an_empty_page() {
    let (f, _, bob) = busy();
    let query = AuditQuery {
        user_id: Some(bob),
        kind: Some(EventKind::BackupRestored),
        page: Some(9),
        ..AuditQuery::default()
    };
    let page = f.keyplate.list_audit_events(query).unwrap();
    assert_eq!((page.items.len(), page.total, page.page), (0, 0, 9));
}

#[test]
fn several_users_and_kinds_are_their_union() {
    let (f, ann, bob) = busy();
    let everything = all(&f.keyplate);
    let list = |query: AuditQuery| {
        let query = AuditQuery {
            limit: Some(1_000),
            ..query
        };
        let page = f.keyplate.list_audit_events(query).unwrap();
        assert_eq!(page.total, page.items.len() as i64);
        page.items
    };
    let kinds = [EventKind::UserCreated, EventKind::SettingsChanged];
    let of_kinds = |event: &&AuditEvent| kinds.contains(&event.kind);
    let expected: Vec<AuditEvent> = everything.iter().filter(of_kinds).cloned().collect();
    let query = AuditQuery {
        kinds: kinds.to_vec(),
        ..AuditQuery::default()
    };
    assert_eq!(list(query), expected);
    let one_and_one = AuditQuery {
        kind: Some(kinds[0]),
        kinds: vec![kinds[1]],
        ..AuditQuery::default()
    };
    assert_eq!(list(one_and_one), expected);
    let ids = [Some(ann.to_string()), Some(bob.to_string())];
    let of_users =
        |event: &&AuditEvent| ids.contains(&event.user_id) || ids.contains(&event.actor_id);
    let expected: Vec<AuditEvent> = everything.iter().filter(of_users).cloned().collect();
    let query = AuditQuery {
        user_ids: vec![ann, bob],
        ..AuditQuery::default()
    };
    assert_eq!(list(query), expected);
    let mut oldest_first = expected.clone();
    oldest_first.reverse();
    let query = AuditQuery {
        user_id: Some(ann),
        user_ids: vec![bob],
        ascending: true,
        ..AuditQuery::default()
    };
    assert_eq!(list(query), oldest_first);
    let many = AuditQuery {
        user_ids: vec![ann; 101],
        ..AuditQuery::default()
    };
    let error = f.keyplate.list_audit_events(many).unwrap_err();
    assert_eq!(error.field().as_deref(), Some("user_ids"));
    // Who is no administrator asks for nobody else's.
    let own = f.acting(
        f.session(&f.keyplate.get_user(&bob).unwrap())
            .secret
            .as_str(),
    );
    let others = AuditQuery {
        user_ids: vec![bob, ann],
        ..AuditQuery::default()
    };
    assert_eq!(
        code(own.list_audit_events(others)),
        ErrorCode::PermissionDenied
    );
}

#[test]
fn every_order_is_that_of_its_values_on_all_pages() {
    let (f, _, bob) = busy();
    let everything = all(&f.keyplate);
    type Key = fn(&AuditEvent) -> Option<String>;
    let name = |event: &AuditEvent| Some(snake(&format!("{:?}", event.kind)));
    let orders: [(AuditSort, Key); 3] = [
        (AuditSort::Kind, name),
        (AuditSort::Address, |event| event.address.clone()),
        (AuditSort::UserAgent, |event| event.user_agent.clone()),
    ];
    for (sort, key) in orders {
        for ascending in [true, false] {
            let mut expected = everything.clone();
            expected.sort_by_key(|event| (key(event), event.id));
            if !ascending {
                expected.reverse();
            }
            let mut found = Vec::new();
            for page in 1..=everything.len().div_ceil(4) as i64 {
                let query = AuditQuery {
                    sort: Some(sort),
                    ascending,
                    page: Some(page),
                    limit: Some(4),
                    ..AuditQuery::default()
                };
                found.extend(f.keyplate.list_audit_events(query).unwrap().items);
            }
            assert_eq!(found, expected, "{sort:?} {ascending}");
        }
    }
    let by_time = AuditQuery {
        sort: Some(AuditSort::Time),
        ascending: true,
        limit: Some(1_000),
        ..AuditQuery::default()
    };
    let found = f.keyplate.list_audit_events(by_time).unwrap().items;
    assert!(found.is_sorted_by_key(|event| (event.at, event.id)));
    assert_eq!(found.len(), everything.len());
    // A1: what somebody does not see of a row does not order it.
    let own = f.acting(
        f.session(&f.keyplate.get_user(&bob).unwrap())
            .secret
            .as_str(),
    );
    let by_address = AuditQuery {
        sort: Some(AuditSort::Address),
        ascending: true,
        limit: Some(1_000),
        ..AuditQuery::default()
    };
    let seen = own.list_audit_events(by_address).unwrap().items;
    assert!(seen.is_sorted_by_key(|event| (event.address.clone(), event.id)));
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
