//! Authenticator data and credentials in it (WebAuthn Level 3, sections 6.1 and 6.5), read strictly before webauthn-rs
//! reads them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_cbor_2::Value;

use super::{NewCredential, answer::MAX_CREDENTIAL_ID};
use crate::error::PasskeyFailure;

const FLAGS: usize = 32;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKUP_STATE: u8 = 1 << 4;
const ATTESTED_CREDENTIAL_DATA: u8 = 1 << 6;
const EXTENSION_DATA: u8 = 1 << 7;

/// Authenticator data that is whole, with nothing behind it; webauthn-rs passes over what stands there.
pub(super) struct AuthenticatorData {
    pub(super) backup_eligible: bool,
    pub(super) backup_state: bool,
    pub(super) credential: Option<NewCredential>,
}

impl AuthenticatorData {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, PasskeyFailure> {
        let (fixed, mut rest) = split(bytes, FLAGS + 1 + 4)?;
        let flags = fixed[FLAGS];
        let mut credential = None;
        if flags & ATTESTED_CREDENTIAL_DATA != 0 {
            let (aaguid, after) = split(rest, 16)?;
            let (len, after) = split(after, 2)?;
            let len = usize::from(u16::from_be_bytes([len[0], len[1]]));
            if !(1..=MAX_CREDENTIAL_ID).contains(&len) {
                return Err(PasskeyFailure::Malformed);
            }
            let (credential_id, after) = split(after, len)?;
            let (public_key, after) = split(after, cbor_len(after)?)?;
            let aaguid = uuid::Uuid::from_slice(aaguid).ok();
            credential = Some(NewCredential {
                credential_id: credential_id.to_vec(),
                public_key: public_key.to_vec(),
                aaguid: aaguid.filter(|aaguid| !aaguid.is_nil()),
                transports: Vec::new(),
                backup_eligible: false,
                backup_state: false,
                counter: 0,
            });
            rest = after;
        }
        if flags & EXTENSION_DATA != 0 {
            rest = split(rest, cbor_len(rest)?)?.1;
        }
        if !rest.is_empty() {
            return Err(PasskeyFailure::Malformed);
        }
        Ok(Self {
            backup_eligible: flags & BACKUP_ELIGIBLE != 0,
            backup_state: flags & BACKUP_STATE != 0,
            credential,
        })
    }
}

/// What the authenticator says of a new credential, and the attestation object that webauthn-rs is given: the same
/// authenticator data under attestation `none`. Nobody asked for a statement, so none is evaluated (P3), and no parser of
/// certificates or TPM structures is reached by strangers.
pub(super) fn attested(object: &[u8]) -> Result<(NewCredential, Vec<u8>), PasskeyFailure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct AttestationObject<'a> {
        fmt: &'a str,
        att_stmt: Value,
        auth_data: &'a [u8],
    }
    let object: AttestationObject<'_> =
        serde_cbor_2::from_slice(object).map_err(|_| PasskeyFailure::Malformed)?;
    // Section 8.7.
    if object.fmt == "none" && object.att_stmt != Value::Map(BTreeMap::new()) {
        return Err(PasskeyFailure::BadAttestation);
    }
    let data = AuthenticatorData::parse(object.auth_data)?;
    let credential = data.credential.ok_or(PasskeyFailure::Malformed)?;
    Ok((credential, without_statement(object.auth_data)?))
}

fn without_statement(authenticator_data: &[u8]) -> Result<Vec<u8>, PasskeyFailure> {
    let text = |text: &str| Value::Text(text.to_owned());
    let members = [
        (text("fmt"), text("none")),
        (text("attStmt"), Value::Map(BTreeMap::new())),
        (text("authData"), Value::Bytes(authenticator_data.to_vec())),
    ];
    serde_cbor_2::to_vec(&Value::Map(members.into())).map_err(|_| PasskeyFailure::Malformed)
}

/// Section 5.8.5: each algorithm has one type of key, and of curves its own. webauthn-rs takes any curve for any
/// algorithm, and then verifies no signature.
pub(super) fn check_key(cose: &[u8]) -> Result<(), PasskeyFailure> {
    let Value::Map(key) = cose_value(cose)? else {
        return Err(PasskeyFailure::Malformed);
    };
    let number = |label| match key.get(&Value::Integer(label)) {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    };
    const EC2: i128 = 2;
    const RSA: i128 = 3;
    match (number(3), number(1), number(-1)) {
        (Some(-7), Some(EC2), Some(1)) => Ok(()),  // ES256, P-256
        (Some(-35), Some(EC2), Some(2)) => Ok(()), // ES384, P-384
        (Some(-257), Some(RSA), None) => Ok(()),   // RS256, where -1 is the modulus
        _ => Err(PasskeyFailure::UnsupportedAlgorithm),
    }
}

pub(super) fn cose_value(cose: &[u8]) -> Result<Value, PasskeyFailure> {
    serde_cbor_2::from_slice(cose).map_err(|_| PasskeyFailure::Malformed)
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), PasskeyFailure> {
    bytes.split_at_checked(at).ok_or(PasskeyFailure::Malformed)
}

/// The length of the CBOR value at the beginning.
fn cbor_len(bytes: &[u8]) -> Result<usize, PasskeyFailure> {
    let mut reader = serde_cbor_2::Deserializer::from_slice(bytes);
    serde::de::IgnoredAny::deserialize(&mut reader).map_err(|_| PasskeyFailure::Malformed)?;
    Ok(reader.byte_offset())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(members: &[(i128, Value)]) -> Vec<u8> {
        let members = members.iter().cloned();
        let labelled = members.map(|(label, value)| (Value::Integer(label), value));
        serde_cbor_2::to_vec(&Value::Map(labelled.collect())).unwrap()
    }

    #[test]
    fn of_all_combinations_of_a_key_only_the_standards_are_taken() {
        let algorithms = [-7, -35, -36, -8, -257, -258, -37, -47, -65535, 0];
        for algorithm in algorithms {
            for kind in 0..=4 {
                for curve in (0..=8).map(Some).chain([None]) {
                    let mut members =
                        vec![(1, Value::Integer(kind)), (3, Value::Integer(algorithm))];
                    members.extend(curve.map(|curve| (-1, Value::Integer(curve))));
                    let is_good = matches!(
                        (algorithm, kind, curve),
                        (-7, 2, Some(1)) | (-35, 2, Some(2)) | (-257, 3, None)
                    );
                    let expected = match is_good {
                        true => Ok(()),
                        false => Err(PasskeyFailure::UnsupportedAlgorithm),
                    };
                    assert_eq!(check_key(&key(&members)), expected, "{members:?}");
                }
            }
        }
    }

    #[test]
    fn the_statement_is_gone_and_the_data_are_the_same() {
        for vector in keyplate_testkit::vectors() {
            let (credential, object) = attested(&vector.registration.attestation_object).unwrap();
            assert_eq!(credential.credential_id, vector.credential_id);
            let Value::Map(members) = cose_value(&object).unwrap() else {
                panic!("an attestation object is a map");
            };
            let text = |text: &str| Value::Text(text.to_owned());
            let data = Value::Bytes(vector.registration.authenticator_data);
            assert_eq!(members.len(), 3);
            assert_eq!(members[&text("fmt")], text("none"));
            assert_eq!(members[&text("attStmt")], Value::Map(BTreeMap::new()));
            assert_eq!(members[&text("authData")], data);
        }
    }
}
