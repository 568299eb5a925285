//! What a plan says, TOML or JSON, as the JSON that the library takes. What that could not say is refused, with its place,
//! instead of being lost on the way.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Names longer than this are not repeated in an error: they might be a secret in the wrong place.
const LONGEST_NAME: usize = 31;

/// Reads JSON. Of two values of one name serde would keep the last.
pub(super) fn json(text: &str) -> Result<Value, String> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = Once(String::new()).deserialize(&mut json);
    value
        .and_then(|value| json.end().map(|()| value))
        .map_err(|error| {
            let (line, column) = (error.line(), error.column());
            if !error.is_data() {
                return format!(" is no JSON at line {line}, column {column}");
            }
            let text = error.to_string();
            let place = text.rsplit_once(" at line ").map_or(&*text, |(t, _)| t);
            format!(": {place} stands there twice")
        })
}

/// Reads TOML. Its times become the texts that the library reads.
pub(super) fn toml(text: &str) -> Result<Value, String> {
    match toml::from_str::<toml::Table>(text) {
        Ok(table) => in_json(toml::Value::Table(table), String::new()),
        Err(error) => {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.unwrap_or_default().matches('\n').count() + 1;
            Err(format!(" is no TOML at line {line}"))
        }
    }
}

fn in_json(value: toml::Value, place: String) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => match Number::from_f64(number) {
            Some(number) => Value::Number(number),
            None => {
                return Err(format!(
                    ": {place} is inf or nan, which are no numbers here"
                ));
            }
        },
        toml::Value::Boolean(truth) => Value::Bool(truth),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => {
            let items = items.into_iter().enumerate();
            let item = |(index, item)| in_json(item, item_of(&place, index));
            Value::Array(items.map(item).collect::<Result<_, _>>()?)
        }
        toml::Value::Table(table) => {
            let entry = |(name, value): (String, _)| {
                in_json(value, field_of(&place, &name)).map(|value| (name, value))
            };
            Value::Object(table.into_iter().map(entry).collect::<Result<_, _>>()?)
        }
    })
}

fn item_of(place: &str, index: usize) -> String {
    format!("{place}[{index}]")
}

fn field_of(place: &str, name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let name = match name.len() <= LONGEST_NAME && name.chars().all(is_plain) {
        true => name,
        false => "…",
    };
    match place {
        "" => name.to_owned(),
        _ => format!("{place}.{name}"),
    }
}

/// A value at a place, in whose objects each name stands once. The error is the place of one that does not.
struct Once(String);

impl<'de> DeserializeSeed<'de> for Once {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Self(item_of(&self.0, list.len())))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let place = field_of(&self.0, &name);
            if object.contains_key(&name) {
                return Err(de::Error::custom(place));
            }
            let value = entries.next_value_seed(Self(place))?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_read_as_ever() {
        let text =
            r#"{"a": [null, true, -1, 2, 1.5, "x\n"], "b": {"c": {}}, "c": 18446744073709551615}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(json(text), Ok(value));
        let deep = "[".repeat(100_000);
        assert_eq!(
            json(&deep),
            Err(" is no JSON at line 1, column 128".to_owned())
        );
        let more = " is no JSON at line 1, column 4".to_owned();
        assert_eq!(json("{} {}"), Err(more));
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_at_its_place() {
        let long = "s".repeat(32);
        for (text, place) in [
            (r#"{"users": [], "users": []}"#, "users"),
            (
                r#"{"users": [{}, {"email": "a", "e\u006dail": "a"}]}"#,
                "users[1].email",
            ),
            (
                r#"{"groups": [{"claims": {"at line 7": "", "at line 7": ""}}]}"#,
                "groups[0].claims.…",
            ),
            (&format!(r#"{{"{long}": 1, "{long}": 1}}"#), "…"),
        ] {
            let reason = format!(": {place} stands there twice");
            assert_eq!(json(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn what_json_cannot_say_is_refused_at_its_place() {
        for number in ["inf", "-inf", "nan"] {
            let text = format!("[[signup_tokens]]\n[[signup_tokens]]\nmax_uses = {number}\n");
            let reason = ": signup_tokens[1].max_uses is inf or nan, which are no numbers here";
            assert_eq!(toml(&text), Err(reason.to_owned()));
        }
        let read = toml("a = 1.5\nb = 2027-01-31T18:00:00Z\n");
        let expected = serde_json::json!({ "a": 1.5, "b": "2027-01-31T18:00:00Z" });
        assert_eq!(read, Ok(expected));
    }
}
