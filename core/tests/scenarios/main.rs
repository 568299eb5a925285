//! Runs `tests/scenarios/*.json` against the Rust facade; `tests/scenarios/README.md` tells their form.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

#[path = "../common/mod.rs"]
mod common;
mod facade;
mod json;

use std::{collections::BTreeMap, fs, path::Path};

use common::{Fixture, client};
use json::{Arguments, Failure};
use keyplate::{ErrorCode, Keyplate};
use serde::Deserialize;
use serde_json::{Map, Value};

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
}

#[test]
fn all_scenarios() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    paths.sort();
    assert!(!paths.is_empty(), "no scenarios");
    for path in &paths {
        let text = fs::read_to_string(path).unwrap();
        let scenario: Scenario = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(!scenario.about.is_empty());
        let mut run = Run {
            fixture: Fixture::new(),
            saved: BTreeMap::new(),
        };
        for (number, step) in scenario.steps.iter().enumerate() {
            run.step(step)
                .unwrap_or_else(|why| panic!("{}, step {}: {why}", path.display(), number + 1));
        }
    }
    println!("{} scenarios", paths.len());
}

struct Run {
    fixture: Fixture,
    saved: BTreeMap<String, Value>,
}

impl Run {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        self.fixture.clock.advance(step.advance_seconds);
        let Some(method) = &step.call else {
            return Ok(());
        };
        let arguments = self.filled(&Value::Object(step.with.clone()))?;
        let arguments = Arguments::new(arguments.as_object().cloned().unwrap_or_default());
        let result = self
            .handle(step.handle.as_deref())
            .and_then(|handle| facade::call(&handle, method, &arguments));
        match (result, &step.error) {
            (Ok(result), None) => {
                if let Some(expected) = &step.expect {
                    check(&self.filled(expected)?, &result, method)?;
                }
                self.save(&step.save, &result)
            }
            (Ok(result), Some(expected)) => {
                Err(format!("{method} gave {result}, not {}", expected.code))
            }
            (Err(Failure::Refused(error)), Some(expected)) => check_error(expected, &error),
            (Err(failure), _) => Err(format!("{method}: {failure:?}")),
        }
    }

    fn handle(&self, name: Option<&str>) -> Result<Keyplate, Failure> {
        let host = &self.fixture.keyplate;
        match name {
            None | Some("host") => Ok(host.clone()),
            Some("anonymous") => Ok(host.anonymous(client())?),
            Some(name) => {
                let credential = self.saved(name).map_err(Failure::Scenario)?;
                let found = host.authenticate(credential.as_str().unwrap_or_default())?;
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
            let value =
                path.split('.')
                    .try_fold(result, |value, part| match part.parse::<usize>() {
                        Ok(index) => value.get(index),
                        Err(_) => value.get(part),
                    });
            let value = value.ok_or_else(|| format!("there is no {path} in {result}"))?;
            self.saved.insert(name.clone(), value.clone());
        }
        Ok(())
    }
}

/// Objects may hold more than expected; lists may not.
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
        });
    if same {
        Ok(())
    } else {
        Err(format!(
            "{code:?} ({error}, field {:?}), not {}",
            error.field(),
            expected.code
        ))
    }
}
