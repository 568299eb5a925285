//! Lengths of time, as people write them.

/// What is not a length of time, as people write one. A number alone might be days or seconds: nobody is to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// A number and nothing else.
    NoUnit,
    NotATime,
}

impl Unreadable {
    /// Says what is wanted; the option or field is named by whoever asks.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::NoUnit => {
                "a number needs a unit: s for seconds, m for minutes, h for hours or d for days, as in 45s, 30m, 12h or 90d"
            }
            Self::NotATime => "not a time such as 45s, 30m, 12h or 90d",
        }
    }
}

/// Whole seconds, from `45s`, `15m`, `1h30m`, `7d`.
pub(crate) fn parse(text: &str) -> Result<i64, Unreadable> {
    let text = text.trim();
    let number = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '_' | '.' | ',');
    if number.contains(|c: char| c.is_ascii_digit()) && number.chars().all(is_number) {
        return Err(Unreadable::NoUnit);
    }
    with_units(text).ok_or(Unreadable::NotATime)
}

fn with_units(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut seconds: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = rest.split_at(digits);
        let in_unit = match unit.chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        let number: i64 = number.parse().ok()?;
        seconds = seconds.checked_add(number.checked_mul(in_unit)?)?;
        rest = &unit[1..];
    }
    (!text.is_empty()).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (text, seconds) in [
            ("900s", 900),
            ("15m", 900),
            ("24h", 86_400),
            ("1h30m", 5_400),
            ("168h0m0s", 604_800),
            (" 7d ", 604_800),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(seconds), "{text}");
        }
        for wrong in [
            "",
            " ",
            "m",
            "15x",
            "m15",
            "1.5h",
            "-1s",
            "15m ago",
            "15m3",
            "99999999999999999999s",
            "999999999999999999d",
            "１５m",
            "15 m",
            "15M",
            "2027-01-31",
        ] {
            assert_eq!(parse(wrong), Err(Unreadable::NotATime), "{wrong}");
        }
        for bare in [
            "90",
            "0",
            " 900 ",
            "-1",
            "+5",
            "1_000",
            "1.5",
            "99999999999999999999",
        ] {
            assert_eq!(parse(bare), Err(Unreadable::NoUnit), "{bare}");
        }
    }
}
