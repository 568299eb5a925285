use keyplate::{AuditEvent, AuditQuery, EventKind, SettingsChanges, UserId};

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
                            after: None,
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
