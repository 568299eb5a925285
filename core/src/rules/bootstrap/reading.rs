//! How plans are read from JSON: times, limits, names of choices; and errors that name the place and repeat no value.

use std::{fmt, marker::PhantomData, time::SystemTime};

use serde::{
    Deserialize, Deserializer,
    de::{self, Error as _, value::MapAccessDeserializer},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    error::{KeyplateError, Result, invalid},
    model::{named::Named, signup_tokens::Limit, users::Expiry},
    secret::Secret,
};

/// Names longer than this are not repeated in an error: they might be a secret in the wrong place.
const LONGEST_NAME: usize = 31;

/// A record written as an object: serde by itself would take a list of its values too.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Visitor<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(Visitor(PhantomData)).map(Self)
    }
}

/// Reads a document that is one object.
pub(super) fn object<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T> {
    let mut json = serde_json::Deserializer::from_str(text);
    let Object(value) = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| unreadable(error.path(), error.inner()))?;
    json.end()
        .map_err(|error| invalid("plan", syntax(&error)))?;
    Ok(value)
}

pub(super) fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let objects = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(objects.into_iter().map(|Object(value)| value).collect())
}

pub(super) fn maybe_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|Object(value)| value))
}

pub(super) fn secret<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
}

/// An enum by the name under which it is stored.
pub(super) fn one_of<'de, D: Deserializer<'de>, T: Named>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let Some(name) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    T::named(&name).map(Some).ok_or_else(|| {
        let names: Vec<&str> = T::VARIANTS.iter().map(|(_, name)| *name).collect();
        // In serde's form, so that `reason` finds what may be said.
        D::Error::custom(format!("unknown, expected one of {}", names.join(", ")))
    })
}

/// A time of RFC 3339, or `never`.
pub(super) fn end<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Expiry>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    if text == "never" {
        return Ok(Some(Expiry::Never));
    }
    match OffsetDateTime::parse(&text, &Rfc3339) {
        Ok(time) => Ok(Some(Expiry::At {
            time: SystemTime::from(time),
        })),
        Err(_) => Err(D::Error::custom(
            "unknown, expected a time such as 2027-01-31T18:00:00Z, or `never`",
        )),
    }
}

/// A number, or `unlimited`.
pub(super) fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Limit>, D::Error> {
    struct Visitor;

    impl<'de> de::Visitor<'de> for Visitor {
        type Value = Option<Limit>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number of at most 4294967295, or `unlimited`")
        }

        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
            value.deserialize_any(self)
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
            let number = u32::try_from(number);
            let most = number.map_err(|_| E::invalid_value(de::Unexpected::Other("it"), &self))?;
            Ok(Some(Limit::AtMost { most }))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            match text {
                "unlimited" => Ok(Some(Limit::Unlimited)),
                _ => Err(E::invalid_value(de::Unexpected::Other("it"), &self)),
            }
        }
    }

    deserializer.deserialize_option(Visitor)
}

/// Names the entry that serde could not read, and says why in words that are ours: serde's repeat the value.
fn unreadable(path: &serde_path_to_error::Path, error: &serde_json::Error) -> KeyplateError {
    if !error.is_data() {
        return invalid("plan", syntax(error));
    }
    let text = error.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(text, _)| text);
    let mut field = field_name(path);
    let mut within = |name: &str| match field.as_str() {
        "plan" => name.clone_into(&mut field),
        _ => field = format!("{field}.{name}"),
    };
    let reason = if let Some(name) = quoted(text, "missing field ") {
        within(name);
        "must be given".to_owned()
    } else if let Some(name) = quoted(text, "duplicate field ") {
        within(name);
        "stands in the entry twice".to_owned()
    } else if text.starts_with("unknown field ") {
        "is no field of a plan".to_owned()
    } else {
        match text.rsplit_once(", expected ") {
            Some((_, "u32")) => "must be a number of at most 4294967295".to_owned(),
            Some((_, "a sequence")) => "must be a list".to_owned(),
            Some((_, "a map")) => "must be an object".to_owned(),
            Some((_, expected)) => format!("must be {expected}"),
            None => "cannot be read".to_owned(),
        }
    };
    invalid(&field, reason)
}

/// A name of ours that serde quotes: the value of no field ever begins a message so.
fn quoted<'t>(text: &'t str, before: &str) -> Option<&'t str> {
    text.strip_prefix(before)?
        .strip_prefix('`')?
        .strip_suffix('`')
}

fn syntax(error: &serde_json::Error) -> String {
    format!(
        "is no JSON at line {}, column {}",
        error.line(),
        error.column()
    )
}

/// `users[2].email`, where names of the plan's own are cut when they are as long as a secret.
fn field_name(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut name = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => name.push_str(&format!("[{index}]")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                if !name.is_empty() {
                    name.push('.');
                }
                let is_short = key.chars().count() <= LONGEST_NAME;
                name.push_str(if is_short { key } else { "…" });
            }
            Segment::Unknown => name.push('?'),
        }
    }
    match name.is_empty() {
        true => "plan".to_owned(),
        false => name,
    }
}
