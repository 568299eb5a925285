use super::*;

const SCHEMA: &str = "
CREATE TABLE things (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,                  -- never NULL
    expires_at INTEGER,
    enabled    INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    CHECK (name <> '')
) STRICT;
CREATE TABLE others (
    expires_at INTEGER NOT NULL
) STRICT;
";

fn problems(sql: &str) -> Vec<String> {
    in_literal(sql, "", &Schema::read(SCHEMA))
}

/// Each of these has exactly this problem, and the statement beside it has none.
#[test]
fn what_only_one_engine_has_is_found() {
    let cases = [
        (
            "SELECT id FROM a CROSS JOIN b ON b.id = a.id",
            "SELECT id FROM a CROSS JOIN b JOIN c ON c.id = a.id",
            "CROSS JOIN … ON",
        ),
        (
            "SELECT id FROM things WHERE (?1 IS NULL OR name = ?1)",
            "SELECT id FROM things WHERE (CAST(?1 AS TEXT) IS NULL OR name = ?1)",
            "?1 IS NULL without a type",
        ),
        (
            "INSERT INTO things (id, expires_at) SELECT id, ?2 FROM others",
            "INSERT INTO things (id, expires_at) SELECT id, CAST(?2 AS BIGINT) FROM others",
            "?2 selected without a type",
        ),
        (
            "SELECT id FROM things WHERE ?1 OR name = ?2",
            "SELECT id FROM things WHERE ?1 = 1 OR name = ?2",
            "?1 as a condition",
        ),
        (
            "UPDATE things SET name = ?1 WHERE id = ?2 AND enabled",
            "UPDATE things SET enabled = ?1 WHERE id = ?2 AND enabled = 1",
            "enabled as a condition",
        ),
        (
            "DELETE FROM things WHERE NOT things.enabled AND name = ?1",
            "DELETE FROM things WHERE things.enabled = 0 AND name = ?1",
            "enabled as a condition",
        ),
        (
            "AND (?3 OR expires_at IS NULL)",
            "AND (?3 = 0 OR expires_at IS NULL)",
            "?3 as a condition",
        ),
        ("lower(name)", "flower(name)", "lower()"),
        (
            "SELECT ifnull(name, '') FROM things",
            "SELECT coalesce(name, '') FROM things",
            "ifnull()",
        ),
        (
            "SELECT last_insert_rowid()",
            "INSERT INTO things (id) VALUES (?1) RETURNING id",
            "last_insert_rowid()",
        ),
        (
            "SELECT max(expires_at, ?1) FROM things",
            "SELECT max(coalesce(expires_at, ?1)) FROM things",
            "max() of several values",
        ),
        (
            "SELECT name FROM things ORDER BY expires_at DESC, id",
            "SELECT name FROM things ORDER BY expires_at DESC NULLS LAST, id",
            "sorted by expires_at without NULLS FIRST or LAST",
        ),
        (
            "SELECT name FROM things ORDER BY things.expires_at LIMIT 1",
            "SELECT name FROM others ORDER BY others.expires_at LIMIT 1",
            "sorted by expires_at without NULLS FIRST or LAST",
        ),
        (
            "SELECT name FROM things ORDER BY {column} {direction}",
            "SELECT name FROM things ORDER BY {order} LIMIT ?1",
            "sorted by {direction}: use db::Sort",
        ),
        (
            "INSERT OR IGNORE INTO things (id) VALUES (?1)",
            "INSERT INTO things (id) VALUES (?1) ON CONFLICT DO NOTHING",
            "INSERT OR",
        ),
        (
            "REPLACE INTO things (id) VALUES (?1)",
            "SELECT id FROM things",
            "REPLACE INTO",
        ),
        ("SELECT rowid FROM things", "SELECT id FROM things", "rowid"),
        (
            "SELECT id FROM things WHERE name = ?1 COLLATE NOCASE",
            "SELECT id FROM things WHERE name = ?1",
            "NOCASE",
        ),
        (
            "SELECT id FROM things WHERE name IS ?1",
            "SELECT id FROM things WHERE name IS NOT DISTINCT FROM ?1",
            "IS between values",
        ),
        (
            "SELECT id FROM things WHERE name == ?1",
            "SELECT id FROM things WHERE name = ?1",
            "== in a statement",
        ),
        (
            "SELECT instance.last_time, id FROM things",
            "SELECT schema FROM instance",
            "instance.last_time: the engine adds it to look-ups",
        ),
        (
            "SELECT id FROM things LIMIT ?1, ?2",
            "SELECT id FROM things LIMIT ?2 OFFSET ?1",
            "LIMIT with a comma",
        ),
    ];
    for (refused, good, problem) in cases {
        assert_eq!(problems(refused), [problem], "{refused}");
        assert_eq!(problems(good), [""; 0], "{good}");
    }
}

#[test]
fn what_looks_like_it_is_not() {
    for good in [
        "an empty row is malformed, or it is none at all",
        "SELECT id FROM things WHERE expires_at BETWEEN ?1 AND ?2",
        "INSERT INTO things (id, enabled) VALUES (?1, ?2)",
        "SELECT EXISTS (SELECT 1 FROM things WHERE id = ?1) OR EXISTS (SELECT 1 FROM others)",
        "SELECT id FROM things ORDER BY expires_at IS NOT NULL, id DESC",
        "SELECT count(*), max(expires_at), min(expires_at) FROM things",
        "WHERE name LIKE ?1 ESCAPE '\\'",
        "SELECT row_number() OVER (PARTITION BY name ORDER BY id) AS place, name FROM things",
    ] {
        assert_eq!(problems(good), [""; 0], "{good}");
    }
}

#[test]
fn a_nullable_column_is_no_filled_one() {
    let schema = Schema::read(SCHEMA).of_file("things");
    assert_eq!(in_literal("expires_at", "Sort::Filled(", &schema).len(), 1);
    assert!(in_literal("expires_at", "Sort::Nullable(", &schema).is_empty());
    assert!(in_literal("name", "Sort::Filled(", &schema).is_empty());
    let others = Schema::read(SCHEMA).of_file("others");
    assert!(in_literal("expires_at", "Sort::Filled(", &others).is_empty());
}

#[test]
fn literals_are_found_where_they_stand() {
    let source = r####"
        // "a comment" isn't one
        const A: &str = "one \
            line \"quoted\"";
        fn f<'a>(c: char) -> &'a str { if c == '"' || c == '\'' { r"raw \" } else { r#"a "hash""# } }
        #[cfg(test)]
        mod tests { const B: &str = "of a test"; }
    "####;
    let found = literals(source);
    let texts: Vec<String> = found
        .iter()
        .map(|l| l.text.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(texts, ["one line \"quoted\"", "raw \\", "a \"hash\""]);
    assert_eq!((found[0].line, found[1].line), (3, 5));
}
