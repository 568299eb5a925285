//! Citations in made-up sources, and made-up entries.

use camino::Utf8Path;

use super::{book::Book, comments::Comment, comments::Language, sources::Source, *};
use crate::facade::Doc;

const ENTRIES: &str = "\
# Rules

Words about K9 before the entries.

## K Keys

### K1 Rotation

A secret and the next one both work for a while.

Kept by: `core/src/rules/api_keys.rs`,
`core/src/db/api_keys.rs`.

### K2 Scopes and ceilings

No credential makes a stronger one. Even one that waits.

Kept by: `core/src/values/scopes.rs`.
*Waits for:* the walk by weak keys.
";

fn book() -> Book {
    Book::read(ENTRIES).unwrap()
}

fn in_text(text: &str) -> Vec<String> {
    cited(&BTreeSet::from(['B', 'C', 'K', 'U']), text)
}

#[test]
fn a_word_that_is_a_rules_name_is_a_citation() {
    for (text, expected) in [
        ("// K2", &["K2"][..]),
        ("/// (K2, B10): and U3.", &["K2", "B10", "U3"]),
        ("K1–K3, B4 and C1–2", &["K1", "K2", "K3", "B4", "C1"]),
        ("every act of K2 by everybody's", &["K2"]),
        ("-- B3; -- C4?", &["B3", "C4"]),
        ("K2–B3–B4", &["K2", "B3", "B4"]),
        ("*K2* “B3”", &["K2", "B3"]),
    ] {
        assert_eq!(in_text(text), expected, "{text}");
    }
}

#[test]
fn what_looks_like_a_rules_name_and_is_none_is_no_citation() {
    for text in [
        "M4 and X11 and Z0", // no chapters
        "`K2` and `B1, B2`", // code
        "K0 K02 K100 K",     // no numbers of rules
        "AK2 K2x K2_x xK2 IPK2",
        "U+00B5 P-256 K-2 /K2 K2/x B2=1 'K2' \"K2\" $K1 #C1",
        "2026-01-02U23:00",
    ] {
        assert_eq!(in_text(text), [""; 0], "{text}");
    }
}

#[test]
fn comments_are_found_in_every_language() {
    let comments = |name: &str, source: &str| -> Vec<(usize, String)> {
        let language = Language::of(Utf8Path::new(name)).unwrap();
        let found = language.comments(source).into_iter();
        found.map(|Comment { line, text }| (line, text)).collect()
    };
    let one = |name: &str, source: &str, line: usize, text: &str| {
        assert_eq!(comments(name, source), [(line, text.to_owned())], "{name}");
    };
    one("a.rs", "let a = \"// K1\\\" // K1\"; // K2", 1, "// K2");
    one(
        "a.rs",
        "let a = r#\"\" // K1\"#;\nlet b = br\"\\\";\n/// K2\n",
        3,
        "/// K2",
    );
    one(
        "a.rs",
        "let (a, b): (&'a str, _) = ('\"', '\\''); // K2",
        1,
        "// K2",
    );
    one("a.rs", "let a = \"\n-- K1\n// K1\n\";\n//! K2", 5, "//! K2");
    assert_eq!(
        comments("a.rs", "/* K1 /* K2 */\n K3 */ a // K4"),
        [
            (1, "/* K1 /* K2 */".to_owned()),
            (2, " K3 */".to_owned()),
            (2, "// K4".to_owned())
        ]
    );
    one(
        "a.c",
        "char *a = \"/* K1 */\", b = '\"'; /* K2 */ x()",
        1,
        "/* K2 */",
    );
    one(
        "a.js",
        "a = 'https://x'; b = `\n// K1\n`; // K2",
        3,
        "// K2",
    );
    one(
        "a.mjs",
        "/** K2 */ it's // not seen on this line",
        1,
        "/** K2 */",
    );
    one("a.kt", "val a = \"\"\"\n// K1 \"\n\"\"\" // K2", 3, "// K2");
    one("a.swift", "let a = \"// K1\" // K2", 1, "// K2");
    one("a.sql", "SELECT '-- K1 '' -- K1'; -- K2", 1, "-- K2");
    one(
        "a.css",
        "a { content: \"/* K1 */\" } /* K2 */",
        1,
        "/* K2 */",
    );
    one(
        "a.html",
        "<a href=\"//K1\"><!-- K2 --></a>",
        1,
        "<!-- K2 -->",
    );
    one(
        "a.py",
        "\"\"\"Text.\n# K1\n\"\"\"\na = \"# K1\" # K2",
        4,
        "# K2",
    );
    one("a.sh", "a=${b#K1} # K2", 1, "# K2");
    assert!(Language::of(Utf8Path::new("a.json")).is_none());
}

#[test]
fn a_cited_rule_that_is_nowhere_is_named_with_its_place() {
    let sources = [
        Source::new(
            "core/src/a.rs".into(),
            "// K1\n\n// K7: no.\nlet a = \"K8\"; // M9".into(),
        ),
        Source::new("core/tests/a.rs".into(), "// K1, K2\n".into()),
    ];
    assert_eq!(
        of_sources(&book(), &sources),
        ["core/src/a.rs:3: K7 has no entry in docs/rules.md"]
    );
}

#[test]
fn a_rule_without_a_test_says_what_it_waits_for() {
    let untested = ["docs/rules.md:7: no test cites K1, and it does not say what it waits for"];
    let tested = |path: &str, text: &str| {
        let found = of_sources(&book(), &[Source::new(path.into(), text.into())]);
        if found.is_empty() {
            return true;
        }
        assert_eq!(found, untested);
        false
    };
    assert!(!tested("core/src/a.rs", "// K1"));
    assert!(tested("core/tests/api_keys/rotation.rs", "//! K1"));
    assert!(tested("tests/web/rotation.mjs", "// K1"));
    assert!(tested("bindings/kotlin/src/test/kotlin/A.kt", "// K1"));
    assert!(tested(
        "core/src/a.rs",
        "fn a() {}\n#[cfg(test)]\nmod tests {\n    // K1\n}"
    ));
    assert!(!tested(
        "core/src/a.rs",
        "// K1\n#[cfg(test)]\nmod tests {\n}\n// K1"
    ));
    assert!(!tested(
        "core/src/a.rs",
        "#[cfg(unix)]\nmod tests {\n    // K1\n}"
    ));
    assert!(tested("core/src/a/tests.rs", "// K1"));
    assert!(!tested("tests/testkit/src/a.rs", "// K1"));
}

#[test]
fn an_entry_has_a_new_name_a_title_words_and_files() {
    let refused = |from: &str, to: &str| {
        let text = ENTRIES.replace(from, to);
        assert_ne!(text, ENTRIES);
        Book::read(&text).unwrap_err().to_string()
    };
    let heading = "docs/rules.md:7: not the name of a new rule and a title";
    assert!(refused("### K1 Rotation", "### K1").contains(heading));
    assert!(refused("### K1 Rotation", "### Rotation").contains(heading));
    assert!(
        refused("### K2 Scopes", "### K1 Scopes")
            .contains("docs/rules.md:14: not the name of a new")
    );
    assert!(
        refused("A secret and the next one both work for a while.", "")
            .contains(":7: K1 says nothing")
    );
    assert!(
        refused("Kept by: `core/src/rules", "By `core/src/rules")
            .contains(":7: K1 has no line `Kept by:`")
    );
    assert!(Book::read("# Rules\n\n## K Keys\n").is_err());
    let without = ENTRIES.replace("Kept by: `core/src/values/scopes.rs`.\n", "");
    assert!(
        Book::read(&without).is_ok(),
        "one that waits need not be kept yet"
    );
}

#[test]
fn files_that_keep_a_rule_exist() {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    for path in ["core/src/rules", "core/src/values"] {
        std::fs::create_dir_all(root.join(path)).unwrap();
    }
    for path in ["core/src/rules/api_keys.rs", "core/src/values/scopes.rs"] {
        std::fs::write(root.join(path), "").unwrap();
    }
    assert_eq!(
        book().missing_files(root),
        ["docs/rules.md:7: K1 is kept by core/src/db/api_keys.rs, which does not exist"]
    );
}

#[test]
fn what_faces_show_names_no_rule() {
    let doc = |of: &str, text: &str| Doc {
        of: of.to_owned(),
        text: text.to_owned(),
    };
    let facade = Facade {
        docs: vec![
            doc("User.id", "Never given twice (K1, K2)."),
            doc("Keyplate.open", "Opens `K1` for M4."),
        ],
        ..Facade::default()
    };
    let found = of_docs(&book(), &facade);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("the documentation of User.id names K1, K2"));
}

#[test]
fn generated_and_installed_sources_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    for path in [
        "core/src",
        "core/target",
        "core/tests/fixtures",
        "tests/web/node_modules",
    ] {
        std::fs::create_dir_all(root.join(path)).unwrap();
    }
    for folder in ["ffi", "bindings", "examples", "xtask"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    let by_hand = "//! K1\n";
    let generated = "//! Generated by `cargo xtask generate`; do not edit.\n// K1\n";
    for (path, text) in [
        ("core/src/a.rs", by_hand),
        ("core/src/b.rs", generated),
        ("core/target/c.rs", by_hand),
        ("core/tests/fixtures/d.sql", "-- K1"),
        ("tests/web/node_modules/e.js", by_hand),
        ("tests/web/f.json", by_hand),
    ] {
        std::fs::write(root.join(path), text).unwrap();
    }
    let found = sources::by_hand(root).unwrap();
    let paths: Vec<&str> = found.iter().map(|source| source.path.as_str()).collect();
    assert_eq!(paths, ["core/src/a.rs"]);
}
