//! Neighbours, circles, and where files stand.

use super::{CLIMBS, LIB, NONE, SMALL_CORE, Sources, breaches, core};
use crate::law::{CORE, House};

#[test]
fn neighbours_and_floors_within_a_folder_are_kept_apart() {
    assert_eq!(
        core(&[(
            "crypto/jwt.rs",
            "use crate::values::text::Text;\npub(crate) struct Key;"
        )]),
        ["core/src/crypto/jwt.rs:1: crypto may not name values (crate::values::text::Text)"]
    );
    assert_eq!(
        core(&[("error.rs", "pub struct Error;\nuse crate::clock;")]),
        [
            "core/src/error.rs:2: error may not name clock (crate::clock)",
            "core/src: a circle of clock, error: core/src/clock.rs:1 names crate::error::Error; \
             core/src/error.rs:2 names crate::clock",
        ]
    );
    assert_eq!(
        core(&[(
            "db/engine/pool.rs",
            "use super::super::users::find;\npub(crate) struct Pool;"
        )]),
        [
            "core/src/db/engine/pool.rs:1: db/engine may not name db/users (crate::db::users::find)",
            "core/src: a circle of db/engine, db/users: core/src/db/engine/pool.rs:1 names crate::db::users::find; \
             core/src/db/users.rs:1 names crate::db::engine::Writer",
        ]
    );
}

#[test]
fn rooms_of_a_floor_make_no_circle() {
    let changed: Sources = &[
        (
            "rules/groups.rs",
            "use super::users::check;\npub fn member() {}",
        ),
        (
            "rules/users/words.rs",
            "pub(super) fn all() { crate::rules::groups::member() }",
        ),
    ];
    assert_eq!(
        core(changed),
        [
            "core/src: a circle of rules/groups, rules/users: core/src/rules/groups.rs:1 names crate::rules::users::check; \
          core/src/rules/users/words.rs:1 names crate::rules::groups::member"
        ]
    );
    let lenient = House {
        circles: &[("rules/users", "rules/groups")],
        ..CORE
    };
    assert_eq!(breaches(&lenient, SMALL_CORE, changed), NONE);
    // One way only is no circle.
    assert_eq!(core(&changed[..1]), NONE);
}

#[test]
fn a_file_may_be_a_room_of_its_own() {
    let changed: Sources = &[
        (
            "rules/users.rs",
            "pub(in crate::rules) mod checks; mod words;\nuse super::groups;\npub fn check() { checks::good() }",
        ),
        ("rules/users/checks.rs", "pub fn good() {}"),
        (
            "rules/groups.rs",
            "use super::users::checks;\npub fn member() {}",
        ),
    ];
    assert_eq!(core(changed), NONE);
    let strict = House { apart: &[], ..CORE };
    let found = breaches(&strict, SMALL_CORE, changed);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].contains("a circle of rules/groups, rules/users:"),
        "{found:?}"
    );
}

#[test]
fn whatever_has_no_floor_is_a_breach() {
    let lib = format!("{LIB}\nmod extra; mod more;");
    assert_eq!(
        core(&[
            ("lib.rs", &lib),
            ("extra.rs", ""),
            ("more/mod.rs", ""),
            ("rules/forgotten.rs", "use crate::User;"),
        ]),
        [
            "core/src/extra.rs: extra stands on no floor",
            "core/src/more/mod.rs: more stands on no floor",
            "core/src/rules/forgotten.rs: no part of the crate",
        ]
    );
}

#[test]
fn modules_are_found_where_they_are() {
    let found = core(&[
        (
            "model.rs",
            "#[path = \"model/odd.rs\"] pub(crate) mod groups;\npub(crate) mod users;\npub(crate) mod inner { mod deep; }",
        ),
        (
            "model/groups.rs",
            "// Not read: the path above leads elsewhere.",
        ),
        ("model/odd.rs", "mod beside;"),
        ("model/beside.rs", "use crate::rules::users::check;"),
        (
            "model/inner/deep.rs",
            "use super::super::super::rules::users::check;",
        ),
    ]);
    assert_eq!(
        found,
        [
            "core/src/model/groups.rs: no part of the crate".to_owned(),
            format!("core/src/model/beside.rs:1: {CLIMBS}"),
            format!("core/src/model/inner/deep.rs:1: {CLIMBS}"),
        ]
    );
}
