//! The spoils by name, for the program.

use std::{num::NonZeroUsize, str::FromStr};

use super::{AttestationSpoil, PublicKeySpoil, SignatureSpoil, Spoil, UserHandleSpoil};
use crate::{CeremonyError, base64url};

/// A spoil's name for the program, and what it does.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SpoilName {
    /// Name and value, such as `origin=ORIGIN`; what is in brackets may be left out.
    pub usage: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
}

const fn spoil(usage: &'static str, help: &'static str) -> SpoilName {
    SpoilName { usage, help }
}

/// Every spoil. Bytes are base64url, as everywhere in WebAuthn's JSON.
pub const SPOILS: &[SpoilName] = &[
    spoil("origin=ORIGIN", "another origin in the client data"),
    spoil("challenge[=BYTES]", "another challenge in the client data"),
    spoil(
        "type=TYPE",
        "another type in the client data, such as webauthn.get",
    ),
    spoil("cross-origin", "client data of a frame of another origin"),
    spoil(
        "top-origin=ORIGIN",
        "the page around that frame; implies cross-origin",
    ),
    spoil("client-data=BYTES", "the whole of clientDataJSON"),
    spoil("rp-id=ID", "another RP id's hash in the authenticator data"),
    spoil("no-user-presence", "flag UP cleared"),
    spoil("no-user-verification", "flag UV cleared"),
    spoil("backup-eligible=BOOL", "flag BE"),
    spoil("backup-state=BOOL", "flag BS"),
    spoil("flags=NUMBER", "all flags at once, as one number"),
    spoil("counter=NUMBER", "another signature counter"),
    spoil(
        "trailing-bytes[=BYTES]",
        "bytes behind the authenticator data",
    ),
    spoil(
        "truncated[=COUNT]",
        "bytes cut off the authenticator data; by default 1",
    ),
    spoil("credential-id[=BYTES]", "another credential id"),
    spoil("raw-id[=BYTES]", "another rawId, and only that"),
    spoil("credential-type[=TYPE]", "another type than public-key"),
    spoil(
        "unoffered-algorithm",
        "register: a key of an algorithm that was not offered",
    ),
    spoil(
        "algorithm[=NUMBER]",
        "register: another alg in the public key; by default -65535",
    ),
    spoil(
        "public-key[=off-curve|incomplete|not-cbor|rsa-3072]",
        "register: a malformed public key, or another",
    ),
    spoil(
        "no-attested-credential-data",
        "register: authenticator data without a credential",
    ),
    spoil(
        "attestation=self-signed|badly-signed|unknown-format|none-with-statement|certified|tpm|safety-net|android-key|apple|fido-u2f|compound",
        "register: another attestation than none",
    ),
    spoil(
        "attestation-trailing-bytes[=BYTES]",
        "register: bytes behind the attestation object",
    ),
    spoil(
        "unlisted-credential",
        "authenticate: the newest credential though it is not listed",
    ),
    spoil("user-handle[=BYTES]", "authenticate: another user handle"),
    spoil("no-user-handle", "authenticate: no user handle"),
    spoil(
        "signature[=corrupted|other-key|empty]",
        "authenticate: another signature",
    ),
];

/// What is sent where a spoil wants bytes and none are given.
const OTHER_BYTES: &[u8] = b"these bytes were put in its place";

impl Spoil {
    /// Adds the spoil `name` or `name=value`, as in `SPOILS`, to the others.
    ///
    /// # Errors
    /// `CeremonyError::Spoil` for an unknown name, and for a value that is missing, malformed or not wanted.
    pub fn add(&mut self, text: &str) -> Result<(), CeremonyError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let value = Argument { name, value };
        match name {
            "origin" => self.origin = Some(value.text()?),
            "challenge" => self.challenge = Some(value.bytes_or_other()?),
            "type" => self.client_data_type = Some(value.text()?),
            "cross-origin" => self.cross_origin = value.none()?,
            "top-origin" => {
                self.top_origin = Some(value.text()?);
                self.cross_origin = true;
            }
            "client-data" => self.client_data = Some(value.bytes()?),
            "rp-id" => self.rp_id = Some(value.text()?),
            "no-user-presence" => self.no_user_presence = value.none()?,
            "no-user-verification" => self.no_user_verification = value.none()?,
            "backup-eligible" => self.backup_eligible = Some(value.parsed()?),
            "backup-state" => self.backup_state = Some(value.parsed()?),
            "flags" => self.flags = Some(value.parsed()?),
            "counter" => self.counter = Some(value.parsed()?),
            "trailing-bytes" => self.trailing_bytes = value.some_bytes()?,
            "truncated" => self.truncated = value.parsed_or(NonZeroUsize::MIN)?.get(),
            "credential-id" => self.credential_id = Some(value.bytes_or_other()?),
            "raw-id" => self.raw_id = Some(value.bytes_or_other()?),
            "credential-type" => self.credential_type = Some(value.text_or("password")?),
            _ => return self.add_to_one_ceremony(&value),
        }
        Ok(())
    }

    fn add_to_one_ceremony(&mut self, value: &Argument<'_>) -> Result<(), CeremonyError> {
        match value.name {
            "unoffered-algorithm" => self.unoffered_algorithm = value.none()?,
            "algorithm" => {
                self.public_key = Some(PublicKeySpoil::Algorithm(value.parsed_or(-65535)?));
            }
            "public-key" => {
                self.public_key = Some(value.one_of(&[
                    ("off-curve", PublicKeySpoil::OffCurve),
                    ("incomplete", PublicKeySpoil::Incomplete),
                    ("not-cbor", PublicKeySpoil::NotCbor),
                    ("rsa-3072", PublicKeySpoil::Rsa3072),
                ])?);
            }
            "no-attested-credential-data" => self.no_attested_credential_data = value.none()?,
            "attestation" => {
                value.text()?; // there is no default
                self.attestation = Some(value.one_of(&[
                    ("self-signed", AttestationSpoil::SelfSigned),
                    ("badly-signed", AttestationSpoil::BadlySigned),
                    ("unknown-format", AttestationSpoil::UnknownFormat),
                    ("none-with-statement", AttestationSpoil::NoneWithStatement),
                    ("certified", AttestationSpoil::Certified),
                    ("tpm", AttestationSpoil::Tpm),
                    ("safety-net", AttestationSpoil::SafetyNet),
                    ("android-key", AttestationSpoil::AndroidKey),
                    ("apple", AttestationSpoil::Apple),
                    ("fido-u2f", AttestationSpoil::FidoU2f),
                    ("compound", AttestationSpoil::Compound),
                ])?);
            }
            "attestation-trailing-bytes" => {
                self.attestation_trailing_bytes = value.some_bytes()?;
            }
            "unlisted-credential" => self.unlisted_credential = value.none()?,
            "user-handle" => {
                self.user_handle = Some(UserHandleSpoil::Replaced(value.bytes_or_other()?));
            }
            "no-user-handle" => {
                value.none()?;
                self.user_handle = Some(UserHandleSpoil::Removed);
            }
            "signature" => {
                self.signature = Some(value.one_of(&[
                    ("corrupted", SignatureSpoil::Corrupted),
                    ("other-key", SignatureSpoil::OtherKey),
                    ("empty", SignatureSpoil::Empty),
                ])?);
            }
            _ => return value.refuse("is not known"),
        }
        Ok(())
    }
}

impl FromStr for Spoil {
    type Err = CeremonyError;

    /// Reads one spoil.
    fn from_str(text: &str) -> Result<Self, CeremonyError> {
        let mut spoil = Self::default();
        spoil.add(text)?;
        Ok(spoil)
    }
}

struct Argument<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

impl Argument<'_> {
    fn none(&self) -> Result<bool, CeremonyError> {
        match self.value {
            None => Ok(true),
            Some(_) => self.refuse("takes no value"),
        }
    }

    fn text(&self) -> Result<String, CeremonyError> {
        match self.value {
            Some(value) => Ok(value.to_owned()),
            None => self.refuse("wants a value"),
        }
    }

    fn text_or(&self, default: &str) -> Result<String, CeremonyError> {
        Ok(self.value.unwrap_or(default).to_owned())
    }

    fn bytes(&self) -> Result<Vec<u8>, CeremonyError> {
        match base64url::decode(&self.text()?) {
            Some(bytes) => Ok(bytes),
            None => self.refuse("wants base64url without padding"),
        }
    }

    fn bytes_or_other(&self) -> Result<Vec<u8>, CeremonyError> {
        match self.value {
            Some(_) => self.bytes(),
            None => Ok(OTHER_BYTES.to_vec()),
        }
    }

    /// As `bytes_or_other`, but none at all would spoil nothing.
    fn some_bytes(&self) -> Result<Vec<u8>, CeremonyError> {
        match self.value {
            Some("") => self.refuse("has a bad value"),
            _ => self.bytes_or_other(),
        }
    }

    fn parsed<T: FromStr>(&self) -> Result<T, CeremonyError> {
        self.text()?
            .parse()
            .or_else(|_| self.refuse("has a bad value"))
    }

    fn parsed_or<T: FromStr>(&self, default: T) -> Result<T, CeremonyError> {
        match self.value {
            Some(_) => self.parsed(),
            None => Ok(default),
        }
    }

    /// One of these words; the first when there is none.
    fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, CeremonyError> {
        let wanted = self.value.unwrap_or(words[0].0);
        match words.iter().find(|(word, _)| *word == wanted) {
            Some((_, value)) => Ok(*value),
            None => self.refuse("has a bad value"),
        }
    }

    fn refuse<T>(&self, why: &str) -> Result<T, CeremonyError> {
        Err(CeremonyError::Spoil(format!("{} {why}", self.name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_that_mean_nothing_are_refused() {
        for text in [
            "",
            "unknown",
            "origin",
            "cross-origin=true",
            "challenge=not base64url",
            "challenge=AA==",
            "flags=256",
            "counter=-1",
            "backup-state=yes",
            "truncated=0",
            "trailing-bytes=",
            "attestation",
            "public-key=wrong",
        ] {
            let result = text.parse::<Spoil>();
            assert!(
                matches!(result, Err(CeremonyError::Spoil(_))),
                "{text}: {result:?}"
            );
        }
    }

    #[test]
    fn the_readme_lists_every_spoil() {
        let readme = include_str!("../../README.md");
        let listed: Vec<&str> = readme
            .lines()
            .filter(|line| line.starts_with("| `"))
            .collect();
        let row = |spoil: &SpoilName| {
            format!("| `{}` | {} |", spoil.usage.replace('|', "\\|"), spoil.help)
        };
        let expected: Vec<String> = SPOILS.iter().map(row).collect();
        assert_eq!(listed, expected);
    }
}
