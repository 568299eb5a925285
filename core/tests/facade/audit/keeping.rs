use keyplate::{ErrorCode, EventKind, InputReason, KeyplateError, SettingsChanges};

use super::all;
use crate::common::*;

const DAY: i64 = 24 * 3_600;

fn keep(seconds: i64) -> SettingsChanges {
    SettingsChanges {
        audit_retention_seconds: Some(seconds),
        ..Default::default()
    }
}

/// So many rows, one a second, the last of them now.
fn fill(f: &Fixture, rows: u64) {
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        INSERT INTO audit (at, kind, actor_kind, details, count)
        SELECT ?2 - (?1 - i) * 1000, 'group_created', 'host', '{}', 1 FROM n";
    let now = f.now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let parameters = [rows as i64, now.as_millis() as i64];
    assert_eq!(
        raw(&f.path()).execute(sql, parameters).unwrap(),
        rows as usize
    );
}

#[test]
fn rows_are_kept_for_400_days_or_as_the_setting_says() {
    let f = Fixture::new();
    fill(&f, 10);
    f.clock.advance(400 * DAY as u64 - 4);
    assert_eq!(f.keyplate.purge_expired().unwrap().audit_events, 5);
    assert_eq!(f.keyplate.purge_expired().unwrap().audit_events, 0);

    f.keyplate.update_settings(keep(30 * DAY)).unwrap();
    assert_eq!(f.keyplate.purge_expired().unwrap().audit_events, 5);
    let left = all(&f.keyplate);
    let kinds: Vec<EventKind> = left.iter().map(|event| event.kind).collect();
    use EventKind::{ExpiredPurged, SettingsChanged};
    assert_eq!(kinds, [ExpiredPurged, SettingsChanged, ExpiredPurged]);
    assert_eq!(
        f.heard.kinds(),
        [ExpiredPurged, SettingsChanged, ExpiredPurged]
    );
    f.clock.advance(31 * DAY as u64);
    assert_eq!(f.keyplate.purge_expired().unwrap().audit_events, 3);
}

/// A1: what goes in several transactions is one row that says how many went, and the host hears the whole number.
#[test]
fn a_long_log_goes_in_batches_and_one_row_counts_them() {
    let f = Fixture::new();
    fill(&f, 4_000);
    f.clock.advance(500 * DAY as u64);
    assert_eq!(f.keyplate.purge_expired().unwrap().audit_events, 4_000);
    let left = all(&f.keyplate);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].kind, EventKind::ExpiredPurged);
    let detail = &left[0].details[0];
    assert_eq!(
        (detail.name.as_str(), detail.value.as_str()),
        ("audit_events", "4000")
    );
    assert_eq!(*f.heard.0.lock().unwrap(), left);
}

/// K2: the traces of a weak credential are not its own to remove.
#[test]
fn how_long_the_log_is_kept_has_bounds_and_wants_full_rights() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    for seconds in [-1, 0, 30 * DAY - 1, 36_600 * DAY + 1] {
        let error = f.keyplate.update_settings(keep(seconds)).unwrap_err();
        let KeyplateError::InvalidInput { field, reason } = error else {
            panic!("{error:?}");
        };
        assert_eq!(field, "audit_retention_seconds");
        let bounds = InputReason::OutOfRange {
            least: 30 * DAY,
            most: 36_600 * DAY,
        };
        assert_eq!(reason, bounds);
    }
    let weak = f.acting(f.key(&ann, &["settings:write"]).secret.as_str());
    assert_eq!(
        code(weak.update_settings(keep(30 * DAY))),
        ErrorCode::PermissionDenied
    );
    let plan =
        r#"{"settings": {"audit_retention_seconds": 2592000, "open_signups_per_hour_in_all": 50}}"#;
    assert_eq!(f.keyplate.bootstrap(plan).unwrap().changes.len(), 1);
    let settings = f.keyplate.get_settings().unwrap();
    assert_eq!(settings.audit_retention_seconds, 30 * DAY);
    assert_eq!(settings.open_signups_per_hour_in_all, 50);
}
