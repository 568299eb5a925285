//! Runs `tests/scenarios/*.json` against the Rust facade; `tests/scenarios/README.md` tells their form. A second test runs
//! them with every transaction run twice.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod authenticators;
#[path = "../common/mod.rs"]
mod common;
mod facade;
mod json;
mod twice;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use authenticators::{Action, Authenticators};
use common::{Fixture, client, passkeys::ORIGIN};
use json::{Arguments, Failure, FromJson};
use keyplate::{Config, ErrorCode, Keyplate};
use serde::Deserialize;
use serde_json::{Map, Value};
use twice::Traces;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    about: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Moves the clock on, before anything else of the step.
    #[serde(default)]
    advance_seconds: u64,
    /// The handle: `host`, `anonymous`, or a captured credential. By default the host's.
    #[serde(rename = "as", default)]
    handle: Option<String>,
    call: Option<String>,
    #[serde(default)]
    with: Map<String, Value>,
    /// The authenticator that answers `options`.
    authenticator: Option<String>,
    #[serde(rename = "do")]
    action: Option<Action>,
    options: Option<Value>,
    /// Where its browser is.
    origin: Option<String>,
    /// What is wrong with its answer.
    #[serde(default)]
    spoil: Vec<String>,
    /// The exception that must come instead of the answer.
    throws: Option<String>,
    /// The configuration to open the database again with.
    open: Option<Value>,
    /// What the result must hold; more may be in it.
    expect: Option<Value>,
    /// The error that must come instead.
    error: Option<ExpectedError>,
    /// Name → path into the result.
    #[serde(default)]
    save: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedError {
    code: String,
    number: Option<i32>,
    field: Option<String>,
    message: Option<String>,
    retry_after_seconds: Option<u64>,
    passkey_failure: Option<String>,
    /// As `reason_json` has it.
    reason: Option<Value>,
    http_status: Option<i64>,
}

/// The one scenario that reads messages.
const WORDING: &str = "wording.json";

#[test]
fn all_scenarios() {
    let paths = paths(|name| name != WORDING);
    for path in &paths {
        Run::of(path);
    }
    println!("{} scenarios", paths.len());
}

#[test]
fn scenario_of_wording() {
    for path in paths(|name| name == WORDING) {
        Run::of(&path);
    }
}

/// D6: a transaction may have to run again.
#[test]
fn transactions_that_run_twice_leave_one_of_everything() {
    for path in paths(|name| name != WORDING) {
        let once = Run::of(&path);
        keyplate::run_transactions_twice(true);
        let twice = Run::of(&path);
        keyplate::run_transactions_twice(false);
        let (once, twice) = (once.fixture, twice.fixture);
        assert_eq!(Traces::of(&once), Traces::of(&twice), "{}", path.display());
        Traces::assert_heard_once(&twice);
    }
}

/// The scenarios whose file's name is wanted.
fn paths(wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.ends_with(".json") && wanted(name))
    });
    paths.sort();
    assert!(!paths.is_empty(), "no scenarios");
    paths
}

struct Run {
    fixture: Fixture,
    authenticators: Authenticators,
    saved: BTreeMap<String, Value>,
}

impl Run {
    /// Runs a scenario, which must go as it says.
    fn of(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let scenario: Scenario = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(!scenario.about.is_empty());
        let mut run = Self {
            fixture: Fixture::new(),
            authenticators: Authenticators::default(),
            saved: BTreeMap::new(),
        };
        for (number, step) in scenario.steps.iter().enumerate() {
            run.step(step)
                .unwrap_or_else(|why| panic!("{}, step {}: {why}", path.display(), number + 1));
        }
        run
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        self.fixture.clock.advance(step.advance_seconds);
        let (what, result) = if let Some(method) = &step.call {
            (method.as_str(), self.call(step, method))
        } else if let Some(name) = &step.authenticator {
            (name.as_str(), self.answer(step, name))
        } else if let Some(config) = &step.open {
            ("open", self.open(config))
        } else {
            return Ok(());
        };
        match (result, &step.error, &step.throws) {
            (Ok(result), None, None) => {
                if let Some(expected) = &step.expect {
                    check(&self.filled(expected)?, &result, what)?;
                }
                self.save(&step.save, &result)
            }
            (Err(Failure::Refused(error)), Some(expected), None) => check_error(expected, &error),
            (Err(Failure::Thrown(error)), None, Some(name)) if error.name() == name => Ok(()),
            (Ok(result), _, _) => Err(format!("{what} gave {result}")),
            (Err(failure), _, _) => Err(format!("{what}: {failure:?}")),
        }
    }

    fn call(&self, step: &Step, method: &str) -> Result<Value, Failure> {
        let arguments = self.filled(&Value::Object(step.with.clone()));
        let arguments = arguments.map_err(Failure::Scenario)?;
        let arguments = Arguments::new(arguments.as_object().cloned().unwrap_or_default());
        let handle = self.handle(step.handle.as_deref())?;
        let result = facade::call(&handle, method, &arguments)?;
        twice::check_ids(&self.fixture.path(), &result).map_err(Failure::Scenario)?;
        Ok(result)
    }

    fn answer(&mut self, step: &Step, name: &str) -> Result<Value, Failure> {
        let (Some(action), Some(options)) = (step.action, &step.options) else {
            let why = "an authenticator wants `do` and `options`";
            return Err(Failure::Scenario(why.to_owned()));
        };
        let options = self.filled(options).map_err(Failure::Scenario)?;
        let options = options.as_str().unwrap_or_default();
        let origin = step.origin.as_deref().unwrap_or(ORIGIN);
        let answer = self
            .authenticators
            .answer(name, action, origin, options, &step.spoil)?;
        Ok(Value::String(answer))
    }

    fn open(&mut self, config: &Value) -> Result<Value, Failure> {
        let mut config = Config::from_json(config)?;
        config.path = self.fixture.path().to_string_lossy().into_owned();
        config.time_source = Some(self.fixture.clock.clone());
        if config.origin.is_empty() {
            config.origin = ORIGIN.to_owned();
        }
        self.fixture.keyplate = Keyplate::open(config)?;
        Ok(Value::Null)
    }

    fn handle(&self, name: Option<&str>) -> Result<Keyplate, Failure> {
        let host = &self.fixture.keyplate;
        match name {
            None | Some("host") => Ok(host.clone()),
            Some("anonymous") => Ok(host.anonymous(client())?),
            Some(name) => {
                let credential = self.saved(name).map_err(Failure::Scenario)?;
                let found = host.authenticate_pending(credential.as_str().unwrap_or_default())?;
                Ok(host.acting_as(&found.principal, client())?)
            }
        }
    }

    /// The value with `"$name"` replaced by what was saved under that name.
    fn filled(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) if text.starts_with('$') => self.saved(text)?,
            Value::Array(items) => items
                .iter()
                .map(|item| self.filled(item))
                .collect::<Result<_, _>>()?,
            Value::Object(object) => {
                let pairs = object
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), self.filled(value)?)));
                Value::Object(pairs.collect::<Result<_, String>>()?)
            }
            other => other.clone(),
        })
    }

    fn saved(&self, name: &str) -> Result<Value, String> {
        let found = self.saved.get(name.trim_start_matches('$'));
        found
            .cloned()
            .ok_or_else(|| format!("nothing was saved as {name}"))
    }

    fn save(&mut self, wanted: &BTreeMap<String, String>, result: &Value) -> Result<(), String> {
        for (name, path) in wanted {
            let mut parts = path.split('.').filter(|part| !part.is_empty());
            let value = parts.try_fold(result, |value, part| match part.parse::<usize>() {
                Ok(index) => value.get(index),
                Err(_) => value.get(part),
            });
            let value = value.ok_or_else(|| format!("there is no {path} in {result}"))?;
            self.saved.insert(name.clone(), value.clone());
        }
        Ok(())
    }
}

/// Objects may hold more than expected; lists may not. Text that is expected to be an object is JSON.
fn check(expected: &Value, found: &Value, place: &str) -> Result<(), String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            expected.iter().try_for_each(|(key, expected)| {
                let found = found
                    .get(key)
                    .ok_or_else(|| format!("{place} has no {key}"))?;
                check(expected, found, &format!("{place}.{key}"))
            })
        }
        (Value::Object(_), Value::String(text)) => {
            let found: Value = serde_json::from_str(text)
                .map_err(|_| format!("{place} is {found}, which is no JSON"))?;
            check(expected, &found, place)
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let mut pairs = expected.iter().zip(found).enumerate();
            pairs.try_for_each(|(index, (expected, found))| {
                check(expected, found, &format!("{place}.{index}"))
            })
        }
        (expected, found) if expected == found => Ok(()),
        (expected, found) => Err(format!("{place} is {found}, not {expected}")),
    }
}

fn check_error(expected: &ExpectedError, error: &keyplate::KeyplateError) -> Result<(), String> {
    let code: ErrorCode = error.code();
    let same = format!("{code:?}") == expected.code
        && expected.number.is_none_or(|number| number == code as i32)
        && (expected.field.is_none() || expected.field == error.field())
        && expected
            .message
            .as_ref()
            .is_none_or(|message| *message == error.to_string())
        && expected.retry_after_seconds.is_none_or(|seconds| {
            error
                .retry_after()
                .is_some_and(|after| after.as_secs() == seconds)
        })
        && expected.passkey_failure.as_ref().is_none_or(|name| {
            error
                .passkey_failure()
                .is_some_and(|failure| format!("{failure:?}") == *name)
        })
        && expected.reason.as_ref().is_none_or(|reason| {
            let found = error.reason_json();
            found.is_some_and(|found| serde_json::from_str(&found).ok().as_ref() == Some(reason))
        })
        && expected
            .http_status
            .is_none_or(|status| status == error.http_status());
    if same {
        Ok(())
    } else {
        Err(format!(
            "{code:?} ({error}, field {:?}, reason {:?}), not {}",
            error.field(),
            error.reason_json(),
            expected.code
        ))
    }
}
