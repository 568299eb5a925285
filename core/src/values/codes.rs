//! Codes that a person types (C3), in Crockford's base 32: 8 characters, of an app password 16 (W1); of a device that
//! shows no letters six digits (V1).

use ring::hmac;
use zeroize::Zeroizing;

use crate::{
    crypto::encryption,
    error::Result,
    secret::Secret,
    values::tokens::{self, SecretHash},
};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LEN: usize = 8;
/// W1: 80 bits.
const APP_PASSWORD_LEN: usize = 16;
const GROUP_LEN: usize = 4;
const DIGITS: usize = 6;
/// Nobody types this much.
const MAX_TYPED: usize = 64;

/// How codes are hashed: 40 bits are soon guessed by who has the file, unless a key is kept elsewhere.
pub(crate) enum CodeKey {
    None,
    Hmac(hmac::Key),
}

impl CodeKey {
    pub(crate) fn new(encryption_key: Option<&Secret>) -> Result<Self> {
        let Some(secret) = encryption_key else {
            return Ok(Self::None);
        };
        let key = encryption::derive(secret, b"one-time codes")?;
        Ok(Self::Hmac(hmac::Key::new(hmac::HMAC_SHA256, &*key)))
    }

    pub(crate) fn hash(&self, code: &str) -> SecretHash {
        match self {
            Self::None => tokens::hash(code),
            Self::Hmac(key) => {
                let mut hash = SecretHash::default();
                hash.copy_from_slice(hmac::sign(key, code.as_bytes()).as_ref());
                hash
            }
        }
    }
}

/// A new code, without its dash.
pub(crate) fn mint() -> Result<String> {
    random::<LEN>()
}

/// A new app password, as it is hashed.
pub(crate) fn mint_app_password() -> Result<String> {
    random::<APP_PASSWORD_LEN>()
}

/// Six digits, each as likely as any other.
pub(crate) fn mint_digits() -> Result<String> {
    // The greatest multiple of a million that 32 bits hold: what lies beyond would favour the small.
    const FAIR: u32 = u32::MAX - u32::MAX % 1_000_000;
    loop {
        let number = u32::from_le_bytes(encryption::random()?);
        if number < FAIR {
            return Ok(format!("{:0DIGITS$}", number % 1_000_000));
        }
    }
}

fn random<const N: usize>() -> Result<String> {
    Ok(encryption::random::<N>()?
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte & 31)]))
        .collect())
}

/// `XXXX-XXXX`.
pub(crate) fn shown(code: &str) -> Secret {
    let (head, tail) = code.split_at(LEN / 2);
    Secret::new(format!("{head}-{tail}"))
}

/// `xxxx-xxxx-xxxx-xxxx`.
pub(crate) fn shown_app_password(code: &str) -> Secret {
    Secret::new(spelt(code, true, true))
}

/// W4: how a client may have it that only ever saw it typed: with dashes and without, in small letters and in capitals.
pub(crate) fn spellings(code: &str) -> [Zeroizing<String>; 4] {
    [(true, true), (true, false), (false, true), (false, false)]
        .map(|(dashes, small)| Zeroizing::new(spelt(code, dashes, small)))
}

fn spelt(code: &str, dashes: bool, small: bool) -> String {
    let mut out = String::with_capacity(code.len() + code.len() / GROUP_LEN);
    for (at, c) in code.chars().enumerate() {
        if dashes && at > 0 && at % GROUP_LEN == 0 {
            out.push('-');
        }
        out.push(if small { c.to_ascii_lowercase() } else { c });
    }
    out
}

/// What somebody typed, read kindly; none when it cannot be a code.
pub(crate) fn normalised(typed: &str) -> Option<String> {
    read(typed).filter(|code| code.len() == LEN)
}

/// The same for an app password.
pub(crate) fn normalised_app_password(typed: &str) -> Option<Zeroizing<String>> {
    let code = read(typed).filter(|code| code.len() == APP_PASSWORD_LEN);
    code.map(Zeroizing::new)
}

/// The same for the code of a device, of either form.
pub(crate) fn normalised_user_code(typed: &str) -> Option<String> {
    let six_digits =
        |code: &str| code.len() == DIGITS && code.bytes().all(|byte| byte.is_ascii_digit());
    read(typed).filter(|code| code.len() == LEN || six_digits(code))
}

fn read(typed: &str) -> Option<String> {
    if typed.len() > MAX_TYPED {
        return None;
    }
    let mut code = String::with_capacity(MAX_TYPED);
    for c in typed.chars() {
        match c.to_ascii_uppercase() {
            'O' => code.push('0'),
            'I' | 'L' => code.push('1'),
            '-' | '‐' | '‑' | '–' | '—' => {}
            c if c.is_whitespace() => {}
            c if c.is_ascii() && ALPHABET.contains(&(c as u8)) => code.push(c),
            _ => return None,
        }
    }
    Some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_kindly() {
        for typed in [
            "0123-ABCD",
            "oi23-abcd",
            "OL23 ABCD",
            " 0 1 2 3 – a b c d ",
            "0123abcd",
        ] {
            assert_eq!(normalised(typed).as_deref(), Some("0123ABCD"), "{typed}");
        }
        for typed in [
            "",
            "0123-ABC",
            "0123-ABCDE",
            "0123-ABCU",
            "0123_ABCD",
            &"0".repeat(1_000),
        ] {
            assert_eq!(normalised(typed), None, "{typed}");
        }
        let code = mint().unwrap();
        assert_eq!(normalised(shown(&code).as_str()).as_ref(), Some(&code));
    }

    #[test]
    fn app_passwords_are_read_kindly() {
        for typed in [
            "0123-abcd-0123-abcd",
            "OI23ABCD ol23abcd",
            "0123ABCD0123ABCD",
        ] {
            let read = normalised_app_password(typed).unwrap();
            assert_eq!(read.as_str(), "0123ABCD0123ABCD", "{typed}");
        }
        for typed in ["0123-abcd", "0123-abcd-0123-abc", "0123-abcd-0123-abcd-0"] {
            assert!(normalised_app_password(typed).is_none(), "{typed}");
        }
        let code = mint_app_password().unwrap();
        let shown = shown_app_password(&code);
        assert_eq!(shown.as_str().len(), 19);
        assert_eq!(shown.as_str(), shown.as_str().to_lowercase());
        assert_eq!(*normalised_app_password(shown.as_str()).unwrap(), code);
        let spelt = spellings("0123ABCD0123ABCD");
        let expected = [
            "0123-abcd-0123-abcd",
            "0123-ABCD-0123-ABCD",
            "0123abcd0123abcd",
            "0123ABCD0123ABCD",
        ];
        assert_eq!(spelt.map(|one| one.to_string()), expected);
    }

    #[test]
    fn a_device_may_show_six_digits() {
        for _ in 0..100 {
            let digits = mint_digits().unwrap();
            assert_eq!(normalised_user_code(&digits), Some(digits));
        }
        assert_eq!(normalised_user_code("12 34-56").as_deref(), Some("123456"));
        assert_eq!(
            normalised_user_code("0123abcd").as_deref(),
            Some("0123ABCD")
        );
        for typed in ["12345", "1234567", "12345a", "0123-ABC"] {
            assert_eq!(normalised_user_code(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_key_changes_the_hash() {
        let hash = |key: Option<&str>| {
            let key = key.map(|key| Secret::new(key.to_owned()));
            CodeKey::new(key.as_ref()).unwrap().hash("0123ABCD")
        };
        assert_eq!(hash(Some("a")), hash(Some("a")));
        assert_ne!(hash(Some("a")), hash(Some("b")));
        assert_ne!(hash(Some("a")), hash(None));
    }
}
