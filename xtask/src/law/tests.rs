//! The law on small made-up trees.

mod climbing;
mod rooms;

use camino::Utf8Path;

use super::{CORE, House, SERVER, summary::summary, survey, verdict};

/// The sources of a made-up crate: paths from its folder, and texts.
type Sources<'a> = &'a [(&'a str, &'a str)];

const LIB: &str = "mod clock; mod crypto; mod db; mod error; mod gate; mod model; mod rules; mod secret; mod values;
pub use model::users::User;
pub use rules::users::check;";

/// A small core that keeps the law.
const SMALL_CORE: Sources = &[
    ("lib.rs", LIB),
    (
        "clock.rs",
        "use crate::error::Error;\npub fn now() -> Error { Error }",
    ),
    ("crypto.rs", "pub(crate) mod jwt;"),
    ("crypto/jwt.rs", "pub(crate) struct Key;"),
    (
        "db.rs",
        "pub(crate) mod users;\nmod engine;\nmod value;\npub(crate) use engine::Writer;\npub(crate) use value::Param;",
    ),
    (
        "db/engine.rs",
        "mod pool;\nuse super::value::Param;\npub(crate) struct Writer;\nuse pool::Pool;",
    ),
    (
        "db/engine/pool.rs",
        "use super::Writer;\npub(crate) struct Pool;",
    ),
    (
        "db/users.rs",
        "use super::{Param, Writer};\nuse crate::model::users::User;",
    ),
    ("db/value.rs", "pub(crate) struct Param;"),
    ("error.rs", "pub struct Error;"),
    ("gate.rs", "pub(crate) mod caller;"),
    ("gate/caller.rs", "pub(crate) struct Caller;"),
    ("model.rs", "pub(crate) mod groups;\npub(crate) mod users;"),
    ("model/groups.rs", "pub struct Group;"),
    (
        "model/users.rs",
        "use crate::values::text::Text;\npub struct User(Text);",
    ),
    ("rules.rs", "pub(crate) mod groups;\npub(crate) mod users;"),
    ("rules/groups.rs", "pub fn member() {}"),
    (
        "rules/users.rs",
        "mod words;\nuse crate::{db::{self, Writer}, error::Error, gate::caller};\n\
         pub fn check() { words::all(); db::users::find(); let _: caller::Caller; assert!(crate::clock::now()); }",
    ),
    (
        "rules/users/words.rs",
        "use super::super::users;\npub(super) fn all() { users::check() }",
    ),
    ("secret.rs", "pub struct Secret;"),
    ("values.rs", "pub(crate) mod text;"),
    ("values/text.rs", "pub struct Text;"),
];

const SMALL_SERVER: Sources = &[
    (
        "main.rs",
        "mod http; mod log; mod options; mod routes;\nfn main() { routes::users::list() }",
    ),
    ("http.rs", "pub(crate) mod answer;"),
    ("http/answer.rs", "pub(crate) struct Answer;"),
    ("log.rs", "pub(crate) fn line() {}"),
    ("options.rs", "pub(crate) struct Options;"),
    ("routes.rs", "pub(crate) mod users;"),
    (
        "routes/users.rs",
        "use crate::{http::answer::Answer, log};\npub(crate) fn list() { log::line() }",
    ),
];

/// The breaches of a crate whose sources are `base` with `changed` instead of or besides them.
fn breaches(house: &House, base: Sources, changed: Sources) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    for (path, text) in base.iter().chain(changed) {
        let path = root.join(house.src).join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let graph = survey(root, house).unwrap();
    assert!(summary(house, &graph).starts_with(house.src));
    verdict::breaches(house, &graph)
}

fn core(changed: Sources) -> Vec<String> {
    breaches(&CORE, SMALL_CORE, changed)
}

fn server(changed: Sources) -> Vec<String> {
    breaches(&SERVER, SMALL_SERVER, changed)
}

/// What a file of the model may not say, and what is said of it.
fn model(text: &str) -> Vec<String> {
    core(&[("model/groups.rs", text)])
}

const NONE: [&str; 0] = [];
const CLIMBS: &str = "model may not name rules (crate::rules::users::check)";

#[test]
fn a_crate_that_goes_down_only_passes() {
    assert_eq!(core(&[]), NONE);
    assert_eq!(server(&[]), NONE);
}

#[test]
fn a_reexport_names_the_file_that_defines_the_item() {
    let found = core(&[
        ("error.rs", "pub use crate::db::Param;"),
        ("model/groups.rs", "use crate::error::Param;"),
    ]);
    assert_eq!(
        found,
        [
            "core/src/error.rs:1: error may not name db (crate::db::value::Param)",
            "core/src/model/groups.rs:1: model may not name db (crate::db::value::Param)",
        ]
    );
    // A glob passes on as well, and brings what it passes on.
    let found = core(&[
        ("error.rs", "pub use crate::db::users::*;"),
        ("db/users.rs", "pub fn find() {}"),
        ("secret.rs", "use crate::values::text::find;"),
        ("values/text.rs", "pub use crate::error::*;"),
    ]);
    assert_eq!(
        found,
        [
            "core/src/error.rs:1: error may not name db (crate::db::users::*)",
            "core/src/secret.rs:1: secret may not name db (crate::db::users::find)",
            "core/src/secret.rs:1: secret may not name values (crate::db::users::find)",
            "core/src/values/text.rs:1: values may not name db (crate::db::users::*)",
        ]
    );
}

#[test]
fn whoever_passes_on_what_is_not_theirs_is_named_as_well() {
    let found = core(&[
        (
            "gate/caller.rs",
            "pub(crate) use crate::values::text::Text;",
        ),
        ("model/groups.rs", "use crate::gate::caller::Text;"),
    ]);
    assert_eq!(
        found,
        ["core/src/model/groups.rs:1: model may not name gate (crate::values::text::Text)"]
    );
}

#[test]
fn nobody_inside_names_the_crates_root() {
    let found = core(&[(
        "rules/groups.rs",
        "use crate::User;\nfn f() { super::super::User }",
    )]);
    assert_eq!(
        found,
        ["core/src/rules/groups.rs:1: rules may not name lib.rs; it is crate::model::users::User"]
    );
    let found = core(&[("error.rs", "fn f() { crate::check() }")]);
    assert_eq!(
        found,
        [
            "core/src/error.rs:1: error may not name lib.rs; it is crate::rules::users::check",
            "core/src/error.rs:1: error may not name rules (crate::rules::users::check)",
        ]
    );
    // A test's `use super::*` says nothing that its file has not said.
    let test = "use crate::User;\nmod tests { use super::*; }";
    assert_eq!(core(&[("rules/groups.rs", test)]).len(), 1);
    let found = core(&[("error.rs", "use crate::*;")]);
    assert!(
        found[0].starts_with("core/src/error.rs:1: error may not name lib.rs"),
        "{found:?}"
    );
}

#[test]
fn false_friends_pass() {
    assert_eq!(
        model(
            "// use crate::rules::users::check;
             /// See `crate::rules::users::check`.
             struct Group { rules: u8, gate: Vec<u8> }
             pub(in crate::model) fn f<'rules>(rules: &'rules Group) -> u8 {
                 let db = rules.rules; let gate = [db];
                 println!(\"crate::rules::users::check {db} {}\", rules.gate.len());
                 assert!(gate.iter().map(rules::external).all(|db| ::gate::of(db)) && it.rules::<u8>());
                 'db: loop { break 'db; }
                 rules::external(db::External, gate::External { rules: 1 })
             }
             use ::db::External; use rules::external; use gate::{self, other};
             macro_rules! m { ($rules:ident, $db:path) => { pub(in crate::rules) fn x() { $rules::users::check($db) } }; }
             #[doc = \"crate::rules\"] #[db(key = \"crate::rules::users\")] fn g() {}"
        ),
        NONE
    );
    assert_eq!(
        server(&[(
            "http/answer.rs",
            "fn f() { let routes = 1; tracing!(routes, ::log::x, routes::y); keyplate::routes::z() }"
        )]),
        NONE
    );
}
