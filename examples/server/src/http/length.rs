//! Lengths of time, as clients write them.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    http::error::Failure,
    options::duration::{self, Unreadable},
};

/// A number of seconds, or text with a unit such as `15m` or `1.5h`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Length {
    Seconds(u64),
    /// As some languages write every number: `900.0`.
    Float(f64),
    Text(String),
}

impl Length {
    /// In whole seconds.
    pub(crate) fn seconds(&self, field: &str) -> Result<i64, Failure> {
        let seconds = match self {
            Self::Seconds(seconds) => i64::try_from(*seconds).map_err(|_| Unreadable::NotATime),
            Self::Float(seconds) => whole(*seconds).ok_or(Unreadable::NotATime),
            Self::Text(text) => match duration::parse(text) {
                Err(Unreadable::NotATime) => with_fractions(text).ok_or(Unreadable::NotATime),
                read => read,
            },
        };
        seconds.map_err(|wrong| {
            let reason = match wrong {
                Unreadable::NoUnit => {
                    "as text needs a unit: s, m, h or d, as in 45s, 30m, 12h or 90d"
                }
                Unreadable::NotATime => {
                    "must be a whole number of seconds, or text such as 45s, 30m, 1.5h or 90d"
                }
            };
            Failure::field(field, "invalid", reason)
        })
    }

    /// The same, where clients write 0 for the default.
    pub(crate) fn seconds_or_default(&self, field: &str) -> Result<Option<i64>, Failure> {
        if matches!(self, Self::Text(text) if text.trim() == "0") {
            return Ok(None);
        }
        let seconds = self.seconds(field)?;
        Ok(Some(seconds).filter(|seconds| *seconds != 0))
    }
}

/// The largest number of which a float knows each second.
const LARGEST: f64 = 9_007_199_254_740_992.0;

fn whole(seconds: f64) -> Option<i64> {
    let is_whole = seconds.fract() == 0.0 && (0.0..=LARGEST).contains(&seconds);
    is_whole.then_some(seconds as i64)
}

/// `1.5h`, `0.5d12h`: whole seconds of numbers with a fraction.
fn with_fractions(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = rest.split_at(digits);
        let in_unit = match unit.chars().next()? {
            's' => 1.0,
            'm' => 60.0,
            'h' => 3_600.0,
            'd' => 86_400.0,
            _ => return None,
        };
        let number: f64 = number.parse().ok()?;
        seconds += number * in_unit;
        rest = &unit[1..];
    }
    // A tenth of an hour is no whole number of seconds in binary.
    let nearest = seconds.round();
    whole(nearest).filter(|_| !text.trim().is_empty() && (seconds - nearest).abs() < 1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_clients_write() {
        for (json, seconds) in [
            ("900", Some(900)),
            ("900.0", Some(900)),
            ("9e2", Some(900)),
            (r#""15m""#, Some(900)),
            (r#""1.5h""#, Some(5_400)),
            (r#"" 1h30m ""#, Some(5_400)),
            (r#""0.1h""#, Some(360)),
            (r#""1.5d12h0.5m""#, Some(129_600 + 43_200 + 30)),
            (r#""300.0s""#, Some(300)),
            ("0", None),
            ("0.0", None),
            ("-0.0", None),
            (r#""0""#, None),
            (r#""0s""#, None),
            (r#""0h0m0s""#, None),
        ] {
            let length: Length = serde_json::from_str(json).unwrap();
            let read = length.seconds_or_default("ttl").unwrap();
            assert_eq!(read, seconds, "{json}");
        }
        for json in [
            "900.5",
            "-1",
            "-0.5",
            "1e300",
            r#""900""#,
            r#""1.5""#,
            r#""0.5s""#,
            r#""1.5.5h""#,
            r#""h""#,
            r#""1.5w""#,
            r#""""#,
            r#""soon""#,
            r#""-5m""#,
            r#"".h""#,
        ] {
            let length: Length = serde_json::from_str(json).unwrap();
            assert!(length.seconds_or_default("ttl").is_err(), "{json}");
        }
    }
}
