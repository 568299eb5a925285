//! Every option, in every way in which it can be given: made from the table.

use std::{collections::BTreeMap, ffi::OsString};

use super::{
    Options,
    reading::Source,
    table::{Kind, OPTIONS, Spec},
};

/// A command line and an environment.
#[derive(Default)]
struct Told {
    flags: BTreeMap<String, Vec<OsString>>,
    variables: BTreeMap<String, OsString>,
}

impl Source for Told {
    fn flag(&self, name: &str) -> Vec<OsString> {
        self.flags.get(name).cloned().unwrap_or_default()
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        self.variables.get(name).cloned()
    }
}

type Tell = fn(&mut Told, &Spec, &str);

/// An option's places: what it is called there, and how it is told.
fn places(spec: &'static Spec) -> Vec<(String, Tell)> {
    let variable: Tell = |told, spec, value| {
        told.variables
            .insert(spec.variable.to_owned(), value.into());
    };
    let flag: Tell = |told, spec, value| {
        let values = told.flags.entry(spec.name.to_owned()).or_default();
        values.push(value.into());
    };
    let mut places = vec![(spec.variable.to_owned(), variable)];
    if spec.kind != Kind::Secret {
        places.push((spec.flag(), flag));
    }
    places
}

fn read(tell: impl FnOnce(&mut Told)) -> Result<Options, String> {
    let mut told = Told::default();
    tell(&mut told);
    Options::read(&told)
}

pub(super) fn with_origin(origin: &str) -> Options {
    let options = read(|told| {
        told.flags.insert("origin".to_owned(), vec![origin.into()]);
    });
    options.unwrap()
}

/// What was understood, without where it stood.
fn understood(options: &Options) -> String {
    let options = Options {
        in_environment: Vec::new(),
        ..options.clone()
    };
    let key = options.encryption_key.as_ref().map(|key| key.reveal());
    format!("{options:?} {key:?}")
}

/// Good values of a kind, each pair of which means the same; none of them is a default.
fn good(kind: Kind) -> &'static [[&'static str; 2]] {
    match kind {
        Kind::Path => &[["/srv/key plate", "/srv/key plate"]],
        Kind::Text => &[["media.example", "media.example"]],
        Kind::Origin => &[
            ["https://id.example", "https://id.example:443"],
            ["https://id.example", "HTTPS://ID.example/"],
            [
                "https://xn--bcher-kva.example:8443",
                "https://Bücher.example:8443/",
            ],
        ],
        Kind::Origins => &[
            ["https://tv.example", "https://tv.example:443/"],
            [
                "https://a.example,https://b.example",
                " https://a.example/ , ,https://b.example,",
            ],
        ],
        Kind::Texts => &[["android:a,android:b", ",android:a ,, android:b"]],
        Kind::Networks => &[
            ["10.0.0.0/8,::1", " 10.0.0.0/8,\t::1 ,"],
            ["::1", "[::1]"],
            ["unix,::1", " unix , [::1]"],
        ],
        Kind::Time => &[["300s", "5m"], ["90s", "1m30s"]],
        Kind::Listen => &[
            ["unix:/run/k.sock", "unix:/run/k.sock?mode=0660"],
            ["8080,unix:/run/k.sock", ":8080, unix:/run/k.sock ,"],
            ["127.0.0.1:8080", "localhost:8080"],
            ["127.0.0.1:8080", ":8080"],
            ["127.0.0.1:8080", "8080"],
        ],
        Kind::Switch => &[
            ["yes", "TRUE"],
            ["yes", "On"],
            ["yes", "1"],
            ["yes", "true"],
        ],
        Kind::Secret => &[["0123456789 abcdef", "0123456789 abcdef"]],
    }
}

/// What no option of this kind takes.
fn wrong(kind: Kind) -> &'static [&'static str] {
    match kind {
        // Whatever it is, it is one; an origin is judged by the library, with the flags that belong to it.
        Kind::Path | Kind::Text | Kind::Texts | Kind::Secret | Kind::Origin | Kind::Origins => &[],
        Kind::Networks => &[
            "somewhere",
            "10.0.0.0/40",
            "10.0.0.1,nowhere",
            "10.0.0.1:80",
        ],
        Kind::Listen => &[
            "here",
            "127.0.0.1:99999",
            "https://localhost:1411",
            "unix:k.sock",
            "1411,unix:/k?mode=9",
        ],
        Kind::Time => &["300", "-5m", "0s", "2d", "soon", "1e3s"],
        Kind::Switch => &[
            "2",
            "disabled",
            "never",
            "nope",
            "y",
            "truee",
            "false false",
            "yes,no",
            "\"\"false\"\"",
            "'",
            "-",
            "０",
        ],
    }
}

fn wrapped(value: &str) -> Vec<String> {
    let mut forms = vec![value.to_owned()];
    for quote in ["\"", "'"] {
        forms.push(format!("{quote}{value}{quote}"));
        forms.push(format!(" {quote} {value}\t{quote}\r"));
    }
    forms.extend([
        format!("{value}\r"),
        format!(" {value} "),
        format!("\t{value}\r\n"),
    ]);
    forms
}

#[test]
fn what_is_absent_or_empty_has_its_default() {
    let default = understood(&read(|_| {}).unwrap());
    for spec in OPTIONS {
        for (called, tell) in places(spec) {
            for empty in ["", " ", "\r", " \t\r\n", "\"\"", "''", " \" \" \r", ","] {
                let says_something = match spec.kind {
                    Kind::Secret => empty.contains(['"', '\'', ',']),
                    kind => empty == "," && !kind.is_list(),
                };
                if says_something {
                    continue;
                }
                let options = read(|told| tell(told, spec, empty));
                let options = options.unwrap_or_else(|error| panic!("{called}={empty:?}: {error}"));
                assert_eq!(understood(&options), default, "{called}={empty:?}");
                assert_eq!(options.in_environment, [""; 0], "{called}={empty:?}");
            }
        }
    }
}

#[test]
fn what_is_given_is_understood_however_it_is_written() {
    let default = understood(&read(|_| {}).unwrap());
    for spec in OPTIONS {
        for [plain, same] in good(spec.kind) {
            let means = read(|told| places(spec)[0].1(told, spec, plain)).unwrap();
            assert_ne!(understood(&means), default, "{}={plain}", spec.name);
            for (called, tell) in places(spec) {
                let forms = match spec.kind {
                    // A secret is taken as it stands.
                    Kind::Secret => vec![(*same).to_owned()],
                    _ => [wrapped(plain), wrapped(same)].concat(),
                };
                for form in forms {
                    let options = read(|told| tell(told, spec, &form));
                    let options =
                        options.unwrap_or_else(|error| panic!("{called}={form:?}: {error}"));
                    assert_eq!(
                        understood(&options),
                        understood(&means),
                        "{called}={form:?}"
                    );
                    assert_eq!(options.called(spec.name), called);
                }
            }
        }
    }
}

#[test]
fn what_is_wrong_is_told_with_the_name_that_was_used() {
    for spec in OPTIONS {
        for (called, tell) in places(spec) {
            for wrong in wrong(spec.kind).iter().flat_map(|wrong| wrapped(wrong)) {
                let error =
                    read(|told| tell(told, spec, &wrong)).map(|options| understood(&options));
                let error = error.expect_err(&format!("{called}={wrong:?}"));
                assert!(error.starts_with(&format!("{called} ")), "{error}");
                if spec.kind == Kind::Switch {
                    let words = "must be yes or no, true or false, on or off, 1 or 0";
                    assert_eq!(error, format!("{called} {words}"));
                }
            }
        }
    }
}

/// Any of the switches.
fn is_on(options: &Options) -> bool {
    options.open_setup
        || options.allow_insecure_origin
        || options.allow_shared_file
        || options.accept_rp_id_change
}

#[test]
fn no_is_no() {
    for spec in OPTIONS.iter().filter(|spec| spec.kind == Kind::Switch) {
        for (called, tell) in places(spec) {
            for word in ["no", "NO", "false", "False", "off", "0"] {
                for form in wrapped(word) {
                    let options = read(|told| {
                        tell(told, spec, &form);
                    });
                    assert!(!is_on(&options.unwrap()), "{called}={form:?}");
                }
            }
        }
        // The flag decides, where it says something.
        for (flag, variable, expected) in [
            ("no", "yes", false),
            ("yes", "no", true),
            ("", "yes", true),
            (" ", "no", false),
        ] {
            let options = read(|told| {
                told.flags.insert(spec.name.to_owned(), vec![flag.into()]);
                told.variables
                    .insert(spec.variable.to_owned(), variable.into());
            });
            let options = options.unwrap();
            assert_eq!(is_on(&options), expected, "{flag:?} {variable}");
        }
    }
}

#[test]
fn the_flag_comes_before_the_variable() {
    for spec in OPTIONS.iter().filter(|spec| spec.kind != Kind::Secret) {
        let [first, _] = good(spec.kind)[0];
        let other = match spec.kind {
            Kind::Switch => "no",
            Kind::Listen => "9090",
            Kind::Time => "3m",
            Kind::Networks => "192.0.2.0/24",
            _ => "https://other.example",
        };
        let both = read(|told| {
            told.flags.insert(spec.name.to_owned(), vec![first.into()]);
            told.variables
                .insert(spec.variable.to_owned(), other.into());
        });
        let alone = read(|told| {
            told.flags.insert(spec.name.to_owned(), vec![first.into()]);
        });
        assert_eq!(
            understood(&both.unwrap()),
            understood(&alone.unwrap()),
            "{}",
            spec.name
        );
    }
}

#[test]
fn several_flags_are_one_list() {
    for spec in OPTIONS.iter().filter(|spec| spec.kind.is_list()) {
        let two = match spec.kind {
            Kind::Networks => ["10.0.0.0/8", "::1"],
            Kind::Listen => ["8080", "unix:/run/k.sock"],
            _ => ["https://a.example", "https://b.example"],
        };
        let values = |values: &[&str]| {
            let values = values.iter().map(|value| OsString::from(*value)).collect();
            let options = read(|told| {
                told.flags.insert(spec.name.to_owned(), values);
            });
            understood(&options.unwrap())
        };
        let quoted = format!("\"{}\", '{}'", two[0], two[1]);
        for same in [
            &[&*two.join(",")][..],
            &["", two[0], " ", &format!("{},", two[1])],
            &[&quoted],
        ] {
            assert_eq!(values(same), values(&two), "{same:?}");
        }
    }
}

/// The documents name every option, as it is.
#[test]
fn the_readme_has_the_same_table() {
    let readme = include_str!("../../README.md");
    for Spec {
        name,
        variable,
        value,
        kind,
        default,
        ..
    } in OPTIONS
    {
        let default = match kind {
            Kind::Path | Kind::Origin | Kind::Listen | Kind::Time if *default != "none" => {
                format!("`{default}`")
            }
            _ => (*default).to_owned(),
        };
        let option = match kind {
            Kind::Secret => "(no option: others would see it)".to_owned(),
            Kind::Switch => format!("`--{name}`"),
            kind if kind.is_list() => format!("`--{name} {value}` (list)"),
            _ => format!("`--{name} {value}`"),
        };
        let line = format!(
            "| {option} | `{variable}` | {} |\n",
            default
                .replace("--origin", "`--origin`")
                .replace("appName", "`appName`")
        );
        assert!(readme.contains(&line), "{line}");
    }
}
