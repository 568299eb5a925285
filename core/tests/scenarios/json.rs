//! How the leaves of the facade's types are written in a scenario.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use keyplate::{KeyplateError, Principal, Secret};
use keyplate_testkit::CeremonyError;
use serde_json::{Map, Value};

use crate::common::START;

/// Why a step did not do what it says.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The facade refused.
    Refused(KeyplateError),
    /// The browser threw.
    Thrown(CeremonyError),
    /// The scenario itself is wrong.
    Scenario(String),
}

impl From<KeyplateError> for Failure {
    fn from(error: KeyplateError) -> Self {
        Self::Refused(error)
    }
}

pub(crate) fn unknown_name(what: &str, name: &str) -> Failure {
    Failure::Scenario(format!("there is no {what} `{name}`"))
}

pub(crate) trait IntoJson {
    fn into_json(self) -> Value;
}

pub(crate) trait FromJson: Sized {
    fn from_json(value: &Value) -> Result<Self, Failure>;
}

/// The arguments of a call or the fields of a record; what is left out is null.
pub(crate) struct Arguments(Map<String, Value>);

impl Arguments {
    pub(crate) fn new(values: Map<String, Value>) -> Self {
        Self(values)
    }

    /// The fields of a record, none of them misspelt.
    pub(crate) fn of(value: &Value, names: &[&str]) -> Result<Self, Failure> {
        let values = match value {
            Value::Null => Map::new(),
            Value::Object(values) => values.clone(),
            other => return Err(Failure::Scenario(format!("{other} is no record"))),
        };
        match values.keys().find(|key| !names.contains(&key.as_str())) {
            Some(misspelt) => Err(unknown_name("field", misspelt)),
            None => Ok(Self(values)),
        }
    }

    pub(crate) fn get<T: FromJson>(&self, name: &str) -> Result<T, Failure> {
        T::from_json(self.0.get(name).unwrap_or(&Value::Null)).map_err(|failure| match failure {
            Failure::Scenario(why) => Failure::Scenario(format!("{name}: {why}")),
            refused => refused,
        })
    }
}

/// `"Name"`, or `{"Name": data}`.
pub(crate) fn variant(value: &Value) -> Result<(&str, &Value), Failure> {
    match value {
        Value::String(name) => Ok((name, &Value::Null)),
        Value::Object(object) if object.len() == 1 => {
            let (name, data) = object.iter().next().expect("it has one");
            Ok((name, data))
        }
        other => Err(Failure::Scenario(format!("{other} is no variant"))),
    }
}

impl IntoJson for () {
    fn into_json(self) -> Value {
        Value::Null
    }
}

impl IntoJson for bool {
    fn into_json(self) -> Value {
        self.into()
    }
}

impl FromJson for bool {
    fn from_json(value: &Value) -> Result<Self, Failure> {
        match value {
            Value::Null => Ok(false),
            value => value
                .as_bool()
                .ok_or_else(|| Failure::Scenario(format!("{value} is no boolean"))),
        }
    }
}

impl IntoJson for String {
    fn into_json(self) -> Value {
        self.into()
    }
}

impl FromJson for String {
    fn from_json(value: &Value) -> Result<Self, Failure> {
        match value {
            Value::Null => Ok(String::new()),
            value => value
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| Failure::Scenario(format!("{value} is no text"))),
        }
    }
}

impl IntoJson for i64 {
    fn into_json(self) -> Value {
        self.into()
    }
}

impl FromJson for i64 {
    fn from_json(value: &Value) -> Result<Self, Failure> {
        let number = value.as_i64();
        number.ok_or_else(|| Failure::Scenario(format!("{value} is no whole number")))
    }
}

/// Seconds after the scenario's beginning: `"+60s"`.
impl IntoJson for SystemTime {
    fn into_json(self) -> Value {
        let since = self
            .duration_since(UNIX_EPOCH + Duration::from_secs(START))
            .unwrap_or_default();
        format!("+{}s", since.as_secs_f64()).into()
    }
}

impl FromJson for SystemTime {
    fn from_json(value: &Value) -> Result<Self, Failure> {
        let text = value
            .as_str()
            .and_then(|text| text.strip_prefix('+')?.strip_suffix('s'));
        let seconds = text.and_then(|text| text.parse::<f64>().ok());
        let after = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let time = after.map(|after| UNIX_EPOCH + Duration::from_secs(START) + after);
        time.ok_or_else(|| Failure::Scenario(format!("{value} is no time such as \"+60s\"")))
    }
}

/// A scenario may show its secrets: they are made for it.
impl IntoJson for Arc<Secret> {
    fn into_json(self) -> Value {
        self.reveal().into()
    }
}

impl FromJson for Arc<Secret> {
    fn from_json(value: &Value) -> Result<Self, Failure> {
        Ok(Self::new(Secret::new(String::from_json(value)?)))
    }
}

impl IntoJson for Arc<Principal> {
    fn into_json(self) -> Value {
        Value::Null
    }
}

impl<T: IntoJson> IntoJson for Option<T> {
    fn into_json(self) -> Value {
        self.map_or(Value::Null, T::into_json)
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: &Value) -> Result<Self, Failure> {
        match value {
            Value::Null => Ok(None),
            value => T::from_json(value).map(Some),
        }
    }
}

impl<T: IntoJson> IntoJson for Vec<T> {
    fn into_json(self) -> Value {
        self.into_iter().map(T::into_json).collect()
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: &Value) -> Result<Self, Failure> {
        match value {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => items.iter().map(T::from_json).collect(),
            other => Err(Failure::Scenario(format!("{other} is no list"))),
        }
    }
}
