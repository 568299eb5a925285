//! The form of secret tokens (C1): `<prefix>_<kind>_`, 43 characters of randomness, 6 of checksum.

use std::{collections::BTreeSet, hash::Hasher};

use ring::digest;
use zeroize::Zeroizing;

use crate::{
    crypto::encryption,
    error::{InputReason, KeyplateError, Result, invalid},
    secret::Secret,
};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^43 is the first power of 62 beyond 2^256.
const RANDOM_LEN: usize = 43;
/// 62^6 is beyond 2^32.
const CHECKSUM_LEN: usize = 6;
/// B6: how long a secret of the operator's own choice is, in characters at least and in bytes at most.
const SUPPLIED_MIN: usize = 32;
const SUPPLIED_MAX: usize = 512;
const SUPPLIED_DISTINCT: usize = 10;
/// How much of any secret is shown in lists (C2).
const SHOWN: usize = 4;

/// What a token is for; the host and secret scanners can tell by looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    ApiKey,
    Session,
    Setup,
    SignUp,
    OneTime,
    Device,
    ServiceTicket,
    ServiceSession,
}

impl TokenKind {
    fn tag(self) -> &'static str {
        match self {
            Self::ApiKey => "key",
            Self::Session => "ses",
            Self::Setup => "set",
            Self::SignUp => "inv",
            Self::OneTime => "otp",
            Self::Device => "dev",
            Self::ServiceTicket => "tkt",
            Self::ServiceSession => "svc",
        }
    }

    fn from_tag(tag: &str) -> Option<Self> {
        [
            Self::ApiKey,
            Self::Session,
            Self::Setup,
            Self::SignUp,
            Self::OneTime,
            Self::Device,
            Self::ServiceTicket,
            Self::ServiceSession,
        ]
        .into_iter()
        .find(|kind| kind.tag() == tag)
    }
}

/// SHA-256 of a secret: all that is stored of it (C2).
pub(crate) type SecretHash = [u8; digest::SHA256_OUTPUT_LEN];

/// Hashes what is found by a [`SecretHash`]: its first bytes are as random as any hash of them.
#[derive(Default)]
pub(crate) struct ByHash(u64);

impl Hasher for ByHash {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    // The array's length comes first, and is always the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A new secret with what is stored of it.
pub(crate) struct MintedToken {
    pub(crate) secret: Secret,
    pub(crate) hash: SecretHash,
    /// What lists show: the prefix, where there is one, and the last 4 characters.
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
    let masked = format!("{head}…{}", &token[token.len() - SHOWN..]);
    Ok(MintedToken {
        hash: hash(&token),
        secret: Secret::new(token),
        masked,
    })
}

/// Generates a secret for an API key that a plan is to create. It has the form of our tokens, so that secret scanners
/// know it and a typing error is found. `token_prefix` is that of `Config`, `kp` by default.
///
/// # Errors
/// `Internal` when the system gives no random bytes.
pub fn generate_api_key_secret(token_prefix: &str) -> Result<Secret> {
    mint(token_prefix, TokenKind::ApiKey).map(|token| token.secret)
}

/// The hash of a token of this kind; refused without a look into the database when its form or checksum is wrong.
pub(crate) fn expect(prefix: &str, kind: TokenKind, token: &str) -> Result<SecretHash> {
    match recognise(prefix, token) {
        Some(found) if found == kind => Ok(hash(token)),
        _ => Err(KeyplateError::InvalidCredential),
    }
}

/// The hash under which an API key is looked up, and whether it is one of the operator's own choice: those have not our
/// prefix (C1).
pub(crate) fn expect_api_key(prefix: &str, secret: &str) -> Result<(SecretHash, bool)> {
    if has_prefix(prefix, secret) {
        return expect(prefix, TokenKind::ApiKey, secret).map(|hash| (hash, false));
    }
    expect_supplied(prefix, secret).map(|hash| (hash, true))
}

/// The hash of what may be a secret of the operator's own choice.
pub(crate) fn expect_supplied(prefix: &str, secret: &str) -> Result<SecretHash> {
    let possible = !has_prefix(prefix, secret)
        && secret.len() <= SUPPLIED_MAX
        && secret.chars().count() >= SUPPLIED_MIN;
    match possible {
        true => Ok(hash(secret)),
        false => Err(KeyplateError::InvalidCredential),
    }
}

/// A secret that the operator chose for an API key (B6).
pub(crate) fn supplied(prefix: &str, secret: &Secret) -> Result<MintedToken> {
    let text = secret.as_str();
    let refuse = |reason| Err(invalid("secret", reason));
    if text.chars().count() < SUPPLIED_MIN {
        return refuse(InputReason::TooShort {
            least: SUPPLIED_MIN as i64,
        });
    }
    if text.len() > SUPPLIED_MAX {
        return refuse(InputReason::TooManyBytes {
            most: SUPPLIED_MAX as i64,
        });
    }
    if text.chars().collect::<BTreeSet<_>>().len() < SUPPLIED_DISTINCT {
        return refuse(InputReason::TooUniform {
            least: SUPPLIED_DISTINCT as i64,
        });
    }
    if text.trim() != text {
        return refuse(InputReason::BlankEnds);
    }
    if text.chars().any(char::is_control) {
        return refuse(InputReason::ControlCharacters);
    }
    let mut masked = String::new();
    if has_prefix(prefix, text) {
        if recognise(prefix, text) != Some(TokenKind::ApiKey) {
            return refuse(InputReason::BrokenToken);
        }
        masked = format!("{prefix}_{}_", TokenKind::ApiKey.tag());
    }
    masked.push('…');
    let shown = text.char_indices().rev().nth(SHOWN - 1);
    masked.push_str(shown.map_or("", |(at, _)| &text[at..]));
    Ok(MintedToken {
        secret: secret.clone(),
        hash: hash(text),
        masked,
    })
}

fn has_prefix(prefix: &str, text: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.starts_with('_'))
}

/// Which kind of token this is, if its form and checksum are right.
pub(crate) fn recognise(prefix: &str, token: &str) -> Option<TokenKind> {
    let rest = token.strip_prefix(prefix)?.strip_prefix('_')?;
    let (tag, body) = rest.split_once('_')?;
    let kind = TokenKind::from_tag(tag)?;
    // All of them, without a way out at the first that is none: so the processor looks at sixteen at once.
    let are_digits = |ok, byte: u8| ok & byte.is_ascii_alphanumeric();
    if body.len() != RANDOM_LEN + CHECKSUM_LEN || !body.bytes().fold(true, are_digits) {
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
    fn a_secret_of_the_operators_own_has_not_our_prefix() {
        let own = "correct horse battery staple in the attic";
        assert_eq!(expect_api_key("kp", own), Ok((hash(own), true)));
        let minted = mint("kp", TokenKind::ApiKey).unwrap();
        let text = minted.secret.as_str();
        assert_eq!(expect_api_key("kp", text), Ok((minted.hash, false)));
        let session = mint("kp", TokenKind::Session).unwrap();
        for bad in [
            "",
            &own[..31],
            &"é".repeat(300),
            &text[..text.len() - 1],
            session.secret.as_str(),
            "kp_anything that is as long as a secret",
        ] {
            assert!(expect_api_key("kp", bad).is_err(), "{bad}");
        }
        // A prefix is one with its underscore.
        assert!(expect_api_key("kp", "kpanything that is as long as a secret").is_ok());
    }

    #[test]
    fn a_supplied_secret_shows_its_last_4_characters() {
        let masked = |text: &str| {
            let secret = Secret::new(text.to_owned());
            supplied("kp", &secret).map(|token| token.masked)
        };
        let own = "0123456789abcdefghijklmnopqrstuvwöäü";
        assert_eq!(masked(own).as_deref(), Ok("…wöäü"));
        let minted = mint("kp", TokenKind::ApiKey).unwrap();
        assert_eq!(masked(minted.secret.as_str()), Ok(minted.masked));
        for weak in [
            "0123456789abcdefghijklmnopqrstu",
            "012345678012345678012345678012345678",
            " 0123456789abcdefghijklmnopqrstuvw",
            "0123456789abcdefghijklmno\npqrstuvw",
            "kp_ses_0123456789abcdefghijklmnopqrstuvw",
            &"0123456789abcdefghijklmnopqrstuvw".repeat(20),
        ] {
            let error = masked(weak).unwrap_err();
            assert_eq!(error.field().as_deref(), Some("secret"));
            assert!(!error.to_string().contains(weak));
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
