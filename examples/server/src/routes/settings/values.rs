//! How a body says a value: as it is, or as text; clients do either.

use keyplate::Claim;
use serde::Deserialize;
use serde_json::Value;

use crate::{http::error::Failure, json::claims::ClaimJson};

pub(super) fn one_of<T: Copy>(
    field: &str,
    names: &[(&str, T)],
    wanted: Option<String>,
) -> Result<Option<T>, Failure> {
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    match names.iter().find(|(name, _)| *name == wanted) {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
            let reason = format!("must be one of: {}", names.join(", "));
            Err(Failure::field(field, "invalid", &reason))
        }
    }
}

pub(super) fn flag(field: &str, value: Option<Value>) -> Result<Option<bool>, Failure> {
    match value {
        None => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(value)),
        Some(Value::String(text)) if text == "true" => Ok(Some(true)),
        Some(Value::String(text)) if text == "false" => Ok(Some(false)),
        Some(_) => Err(Failure::field(
            field,
            "invalid_type",
            "must be true or false",
        )),
    }
}

fn amount(field: &str, value: Option<Value>) -> Result<Option<f64>, Failure> {
    let amount = match value {
        None => return Ok(None),
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    match amount.filter(|amount| (0.0..=1e9).contains(amount)) {
        Some(amount) => Ok(Some(amount)),
        None => Err(Failure::field(field, "invalid_type", "must be a number")),
    }
}

pub(super) fn whole(field: &str, value: Option<Value>) -> Result<Option<i64>, Failure> {
    match amount(field, value)? {
        Some(amount) if amount.fract() != 0.0 => Err(Failure::field(
            field,
            "invalid_type",
            "must be a whole number",
        )),
        amount => Ok(amount.map(|amount| amount as i64)),
    }
}

/// In seconds. More than the type holds is its largest, which no rule allows.
pub(super) fn minutes(field: &str, value: Option<Value>) -> Result<Option<i64>, Failure> {
    let amount = amount(field, value)?;
    Ok(amount.map(|minutes| (minutes * 60.0).round() as i64))
}

/// A list of texts, as JSON or as JSON within text; empty text is an empty list.
pub(super) fn texts(field: &str, value: Option<Value>) -> Result<Option<Vec<String>>, Failure> {
    let list = match value {
        None => return Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Some(Vec::new()),
        Some(Value::String(text)) => serde_json::from_str(&text).ok(),
        Some(value) => serde_json::from_value(value).ok(),
    };
    match list {
        Some(list) => Ok(Some(list)),
        None => Err(Failure::field(
            field,
            "invalid_type",
            "must be a list, in JSON",
        )),
    }
}

/// Claims as `[{key, value}]`, or as an object; of either also the text.
pub(super) fn claims(field: &str, value: Option<Value>) -> Result<Option<Vec<Claim>>, Failure> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Claims {
        List(Vec<ClaimJson>),
        Object(std::collections::BTreeMap<String, String>),
    }

    let claims = match value {
        None => return Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Some(Claims::List(Vec::new())),
        Some(Value::String(text)) => serde_json::from_str(&text).ok(),
        Some(value) => serde_json::from_value(value).ok(),
    };
    match claims {
        Some(Claims::List(claims)) => Ok(Some(crate::json::claims::parse(claims))),
        Some(Claims::Object(claims)) => {
            let claims = claims.into_iter();
            Ok(Some(
                claims.map(|(key, value)| Claim { key, value }).collect(),
            ))
        }
        None => Err(Failure::field(
            field,
            "invalid_type",
            "must be a list of {key, value}, in JSON",
        )),
    }
}
