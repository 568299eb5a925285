//! Every way of naming what is above.

use super::{CLIMBS, LIB, core, model, server};

#[test]
fn a_use_that_climbs_is_a_breach() {
    let expected = |line: usize, what: &str| [format!("core/src/model/groups.rs:{line}: {what}")];
    assert_eq!(
        model("use crate::rules::users::check;"),
        expected(1, CLIMBS)
    );
    assert_eq!(
        model("\nuse crate::rules::{users::check as c};"),
        expected(2, CLIMBS)
    );
    assert_eq!(
        model("use crate::{\n    error::Error,\n    rules::users::{check},\n};"),
        expected(3, CLIMBS)
    );
    assert_eq!(
        model("use super::super::rules::users::check;"),
        expected(1, CLIMBS)
    );
    assert_eq!(
        model("use self::super::super::rules::users::check as _;"),
        expected(1, CLIMBS)
    );
    assert_eq!(
        model("use crate::rules::users::{self as other};"),
        expected(1, "model may not name rules (crate::rules::users)")
    );
    assert_eq!(
        model("use crate::rules::users::*;"),
        expected(1, "model may not name rules (crate::rules::users::*)")
    );
    assert_eq!(
        model("fn f() { use crate::rules::users; users::check() }").len(),
        1
    );
}

#[test]
fn a_path_that_climbs_is_a_breach() {
    let one = |text: &str| {
        let found = model(text);
        assert_eq!(
            found,
            [format!("core/src/model/groups.rs:2: {CLIMBS}")],
            "{text}"
        );
    };
    one("fn f() {\n crate::rules::users::check() }");
    one("fn f() { if true { let x = [1, \nsuper::super::rules::users::check]; } }");
    one("fn f(it: \nVec<crate::rules::users::check>) {}");
    one("fn f(it: X) { match it {\n crate::rules::users::check {} => {} } }");
    one("impl \ncrate::rules::users::check for X {}");
    one("#[cfg_attr(test, \nderive(crate::rules::users::check))] struct S;");
    one("#[derive(S)] struct S { #[serde(\nwith = \"crate::rules::users::check\")] a: u8 }");
    one("mod tests {\n use crate::rules::users::check; }");
    one(
        "#[cfg(test)] mod tests { mod more { fn f() { \nsuper::super::super::super::rules::users::check() } } }",
    );
}

#[test]
fn a_path_inside_a_macro_that_climbs_is_a_breach() {
    let one = |text: &str| {
        let found = model(text);
        assert_eq!(
            found,
            [format!("core/src/model/groups.rs:2: {CLIMBS}")],
            "{text}"
        );
    };
    one("fn f() { assert!(\ncrate::rules::users::check()) }");
    one("fn f() { assert_eq!(1, vec![(0..\nsuper::super::rules::users::check())]) }");
    one("macro_rules! m { ($x:ident) => {\n $crate::rules::users::check($x) }; }");
    one(
        "macro_rules! m { () => { use crate::{error::{self as e},\n rules::users::{check as c}}; }; }",
    );
    one("thread_local! { static A: u8 =\n crate::rules::users::check(); }");
}

#[test]
fn a_module_in_scope_is_known_inside_a_macro() {
    let found = core(&[
        (
            "db.rs",
            "pub(crate) mod users;\nmod engine;\nmod value;\npub(crate) use value::Param;\npub(crate) use engine::Writer;",
        ),
        (
            "db/value.rs",
            "use super::*;\npub(crate) struct Param;\nfn f() { assert!(users::find()) }",
        ),
    ]);
    assert!(
        found.contains(
            &"core/src/db/value.rs:3: db/value may not name db/users (crate::db::users::find)"
                .to_owned()
        ),
        "{found:?}"
    );
}

#[test]
fn a_macro_that_comes_without_an_import_counts() {
    let found = core(&[
        (
            "lib.rs",
            &format!(
                "#[macro_use] mod rules;\n{}",
                LIB.replace("mod rules; ", "")
            ),
        ),
        ("rules/groups.rs", "macro_rules! rule { () => {}; }"),
        (
            "rules.rs",
            "#[macro_use] mod groups;\npub(crate) mod users;",
        ),
        ("model/groups.rs", "rule!();"),
        ("model/users.rs", "fn f() { vec![rule!()]; println!(); }"),
    ]);
    let what = "model may not name rules (crate::rules::groups::rule!)";
    assert_eq!(
        found,
        [
            format!("core/src/model/groups.rs:1: {what}"),
            format!("core/src/model/users.rs:1: {what}")
        ]
    );
}

#[test]
fn the_server_keeps_its_own_floors() {
    let climbs = "http may not name routes (crate::routes::users::list)";
    for text in [
        "use crate::routes::users::list;",
        "fn f() { crate::routes::users::list() }",
        "fn f() { write!(out, \"{}\", super::super::routes::users::list()) }",
        "macro_rules! m { () => { $crate::routes::users::list() }; }",
    ] {
        assert_eq!(
            server(&[("http/answer.rs", text)]),
            [format!("examples/server/src/http/answer.rs:1: {climbs}")]
        );
    }
    assert_eq!(
        server(&[("options.rs", "use crate::log;")]),
        ["examples/server/src/options.rs:1: options may not name log (crate::log)"]
    );
    assert_eq!(
        server(&[("log.rs", "fn f() { crate::main() }")]),
        ["examples/server/src/log.rs:1: log may not name main (crate::main)"]
    );
    // In the crate's own file its modules are in scope; what stands there is the top.
    let main = "mod http; mod log; mod options; mod routes;\nuse http::answer::Answer;";
    assert_eq!(
        server(&[("main.rs", main), ("routes/users.rs", "use crate::Answer;")]),
        [
            "examples/server/src/routes/users.rs:1: routes may not name main (crate::http::answer::Answer)"
        ]
    );
}
