//! The form of secret tokens (C1): `<prefix>_<kind>_`, 43 characters of randomness, 6 of checksum.

use ring::digest;
use zeroize::Zeroizing;

use crate::{KeyplateError, Result, Secret, encryption};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^43 is the first power of 62 beyond 2^256.
const RANDOM_LEN: usize = 43;
/// 62^6 is beyond 2^32.
const CHECKSUM_LEN: usize = 6;

/// What a token is for; the host and secret scanners can tell by looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    ApiKey,
    Session,
    Setup,
    SignUp,
    OneTime,
}

impl TokenKind {
    fn tag(self) -> &'static str {
        match self {
            Self::ApiKey => "key",
            Self::Session => "ses",
            Self::Setup => "set",
            Self::SignUp => "inv",
            Self::OneTime => "otp",
        }
    }

    fn from_tag(tag: &str) -> Option<Self> {
        [
            Self::ApiKey,
            Self::Session,
            Self::Setup,
            Self::SignUp,
            Self::OneTime,
        ]
        .into_iter()
        .find(|kind| kind.tag() == tag)
    }
}

/// SHA-256 of a secret: all that is stored of it (C2).
pub(crate) type SecretHash = [u8; digest::SHA256_OUTPUT_LEN];

/// A new token with what is stored of it.
pub(crate) struct MintedToken {
    pub(crate) secret: Secret,
    pub(crate) hash: SecretHash,
    /// What lists show: the prefix and the last 4 characters.
    pub(crate) masked: String,
}

pub(crate) fn mint(prefix: &str, kind: TokenKind) -> Result<MintedToken> {
    let random = Zeroizing::new(encryption::random()?);
    let head = format!("{prefix}_{}_", kind.tag());
    let mut token = String::with_capacity(head.len() + RANDOM_LEN + CHECKSUM_LEN);
    token.push_str(&head);
    push_random(&mut token, random);
    let checksum = checksum(&token);
    token.extend(checksum.map(char::from));
    let masked = format!("{head}…{}", &token[token.len() - 4..]);
    Ok(MintedToken {
        hash: hash(&token),
        secret: Secret::new(token),
        masked,
    })
}

/// The hash of a token of this kind; refused without a look into the database when its form or checksum is wrong.
pub(crate) fn expect(prefix: &str, kind: TokenKind, token: &str) -> Result<SecretHash> {
    match recognise(prefix, token) {
        Some(found) if found == kind => Ok(hash(token)),
        _ => Err(KeyplateError::InvalidCredential),
    }
}

/// Which kind of token this is, if its form and checksum are right.
pub(crate) fn recognise(prefix: &str, token: &str) -> Option<TokenKind> {
    let rest = token.strip_prefix(prefix)?.strip_prefix('_')?;
    let (tag, body) = rest.split_once('_')?;
    let kind = TokenKind::from_tag(tag)?;
    if body.len() != RANDOM_LEN + CHECKSUM_LEN || !body.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let (before, checksum) = token.split_at(token.len() - CHECKSUM_LEN);
    (self::checksum(before) == checksum.as_bytes()).then_some(kind)
}

pub(crate) fn hash(secret: &str) -> SecretHash {
    let mut out = [0; digest::SHA256_OUTPUT_LEN];
    out.copy_from_slice(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
    out
}

/// CRC-32 in base 62. Not a protection: it tells a typing error from a wrong token.
fn checksum(text: &str) -> [u8; CHECKSUM_LEN] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [0; CHECKSUM_LEN];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// Appends 256 bits as a number in base 62, most significant digit first.
fn push_random(out: &mut String, mut number: Zeroizing<[u8; 32]>) {
    let mut digits = Zeroizing::new([0_u8; RANDOM_LEN]);
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u32;
        for byte in number.iter_mut() {
            let value = remainder << 8 | u32::from(*byte);
            *byte = u8::try_from(value / 62)
                .expect("a remainder below 62 keeps the quotient in a byte");
            remainder = value % 62;
        }
        *digit = DIGITS[remainder as usize];
    }
    out.extend(digits.iter().map(|digit| char::from(*digit)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_recognised_by_its_form() {
        let token = mint("kp", TokenKind::Session).unwrap();
        let text = token.secret.as_str();
        assert_eq!(text.len(), "kp_ses_".len() + 49);
        assert_eq!(recognise("kp", text), Some(TokenKind::Session));
        assert_eq!(expect("kp", TokenKind::Session, text), Ok(token.hash));
        assert!(expect("kp", TokenKind::ApiKey, text).is_err());
        assert_eq!(recognise("other", text), None);
        assert!(
            token.masked.starts_with("kp_ses_…")
                && text.ends_with(&token.masked[token.masked.len() - 4..])
        );
    }

    #[test]
    fn any_changed_character_breaks_the_checksum() {
        let token = mint("kp", TokenKind::ApiKey).unwrap();
        let text = token.secret.as_str();
        for at in "kp_key_".len()..text.len() {
            let swapped = if &text[at..=at] == "a" { "b" } else { "a" };
            let mut changed = text.to_owned();
            changed.replace_range(at..=at, swapped);
            assert_eq!(recognise("kp", &changed), None, "{at}");
        }
        for bad in [
            "",
            "kp",
            "kp_key_",
            "kp_key_é",
            &text[..text.len() - 1],
            &format!("{text}0"),
        ] {
            assert_eq!(recognise("kp", bad), None);
        }
    }

    #[test]
    fn base62_is_plain_positional_notation() {
        let mut out = String::new();
        let mut number = [0; 32];
        number[30] = 1; // 256 = 4 * 62 + 8
        push_random(&mut out, Zeroizing::new(number));
        assert_eq!(out, format!("{}48", "0".repeat(41)));
        out.clear();
        push_random(&mut out, Zeroizing::new([0xff; 32]));
        assert_eq!(out.len(), RANDOM_LEN);
        assert_ne!(&out[..1], "0");
    }
}
