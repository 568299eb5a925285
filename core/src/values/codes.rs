//! Codes that a person types (C3): 8 characters of Crockford's base 32.

use ring::hmac;

use crate::{
    crypto::encryption,
    error::Result,
    secret::Secret,
    values::tokens::{self, SecretHash},
};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LEN: usize = 8;

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
    Ok(encryption::random::<LEN>()?
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte & 31)]))
        .collect())
}

/// `XXXX-XXXX`.
pub(crate) fn shown(code: &str) -> Secret {
    let (head, tail) = code.split_at(LEN / 2);
    Secret::new(format!("{head}-{tail}"))
}

/// What somebody typed, read kindly; none when it cannot be a code.
pub(crate) fn normalised(typed: &str) -> Option<String> {
    // Nobody types this much.
    if typed.len() > 64 {
        return None;
    }
    let mut code = String::with_capacity(LEN);
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
    (code.len() == LEN).then_some(code)
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
