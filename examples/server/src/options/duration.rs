//! Lengths of time, as people write them.

/// Whole seconds, from `900`, `15m`, `1h30m`, `7d`.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
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
            ("900", 900),
            ("15m", 900),
            ("24h", 86_400),
            ("1h30m", 5_400),
            ("168h0m0s", 604_800),
            (" 7d ", 604_800),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
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
            "99999999999999999999",
            "999999999999999999d",
            "１５m",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
