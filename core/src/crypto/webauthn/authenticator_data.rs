//! Authenticator data and credentials in it (WebAuthn Level 3, sections 6.1 and 6.5), read strictly before webauthn-rs
//! reads them.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
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
    let object: AttestationObject<'_> =
        serde_cbor_2::from_slice(object).map_err(|_| PasskeyFailure::Malformed)?;
    // Section 8.7.
    if object.format == "none" && object.statement != Value::Map(BTreeMap::new()) {
        return Err(PasskeyFailure::BadAttestation);
    }
    let data = AuthenticatorData::parse(object.data)?;
    let credential = data.credential.ok_or(PasskeyFailure::Malformed)?;
    Ok((credential, without_statement(object.data)?))
}

/// Section 6.5.4: a map with these names. A derived reader would also take a list of the values, and numbers for names.
struct AttestationObject<'a> {
    format: &'a str,
    statement: Value,
    data: &'a [u8],
}

impl<'de> Deserialize<'de> for AttestationObject<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = AttestationObject<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an attestation object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut format, mut statement, mut data) = (None, None, None);
                while let Some(name) = map.next_key::<&str>()? {
                    let is_twice = match name {
                        "fmt" => format.replace(map.next_value()?).is_some(),
                        "attStmt" => statement.replace(map.next_value()?).is_some(),
                        "authData" => data.replace(map.next_value()?).is_some(),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            false
                        }
                    };
                    if is_twice {
                        return Err(A::Error::custom("a member is there twice"));
                    }
                }
                let missing = || A::Error::custom("a member is missing");
                Ok(AttestationObject {
                    format: format.ok_or_else(missing)?,
                    statement: statement.ok_or_else(missing)?,
                    data: data.ok_or_else(missing)?,
                })
            }
        }
        deserializer.deserialize_map(Members)
    }
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
        // RS256, where -1 is the modulus and -2 the exponent.
        (Some(-257), Some(RSA), None) if begins(&key, -1, 0x80) && begins(&key, -2, 1) => Ok(()),
        _ => Err(PasskeyFailure::UnsupportedAlgorithm),
    }
}

/// RFC 8230, section 4: no number begins with a zero. webauthn-rs counts the bytes alone, and so takes a modulus of fewer
/// bits for one of 2,048.
fn begins(key: &BTreeMap<Value, Value>, label: i128, at_least: u8) -> bool {
    match key.get(&Value::Integer(label)) {
        Some(Value::Bytes(number)) => number.first().is_some_and(|first| *first >= at_least),
        _ => false,
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
    IgnoredAny::deserialize(&mut reader).map_err(|_| PasskeyFailure::Malformed)?;
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
                    // Of an RSA key, the modulus and the exponent.
                    members.push((-2, Value::Bytes(vec![1, 0, 1])));
                    members.push((
                        -1,
                        curve.map_or(Value::Bytes(vec![0x80; 256]), Value::Integer),
                    ));
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

    /// P3. RFC 8230, section 4; RFC 8812, section 2. Both are of as many bytes as webauthn-rs wants.
    #[test]
    fn no_number_of_an_rsa_key_begins_with_a_zero() {
        let checked = |modulus: &[u8], exponent: &[u8]| {
            check_key(&key(&[
                (1, Value::Integer(3)),
                (3, Value::Integer(-257)),
                (-1, Value::Bytes(modulus.to_vec())),
                (-2, Value::Bytes(exponent.to_vec())),
            ]))
        };
        let modulus = |first: u8| [vec![first], vec![0xa5; 255]].concat();
        let refused = Err(PasskeyFailure::UnsupportedAlgorithm);
        assert_eq!(checked(&modulus(0x80), &[1, 0, 1]), Ok(()));
        assert_eq!(checked(&modulus(0xff), &[1, 0, 1]), Ok(()));
        assert_eq!(checked(&modulus(0x7f), &[1, 0, 1]), refused); // 2,047 bits
        assert_eq!(checked(&modulus(0), &[1, 0, 1]), refused);
        assert_eq!(checked(&modulus(0x80), &[0, 0, 3]), refused);
        assert_eq!(checked(&[], &[1, 0, 1]), refused);
        assert_eq!(checked(&modulus(0x80), &[]), refused);
    }

    /// Section 6.5.4.
    #[test]
    fn an_attestation_object_is_a_map_with_names() {
        let vector = &keyplate_testkit::vectors()[0];
        let data = Value::Bytes(vector.registration.authenticator_data.clone());
        let text = |text: &str| Value::Text(text.to_owned());
        let values = [text("none"), Value::Map(BTreeMap::new()), data];
        let object =
            |names: [Value; 3]| Value::Map(names.into_iter().zip(values.clone()).collect());
        let read = |object: Value| attested(&serde_cbor_2::to_vec(&object).unwrap()).map(|_| ());
        let malformed = Err(PasskeyFailure::Malformed);

        let names = ["fmt", "attStmt", "authData"].map(text);
        assert_eq!(read(object(names.clone())), Ok(()));
        let Value::Map(mut members) = object(names) else {
            panic!("an attestation object is a map");
        };
        members.insert(text("later"), Value::Bool(true));
        assert_eq!(read(Value::Map(members.clone())), Ok(()));
        members.insert(Value::Integer(1), Value::Bool(true));
        assert_eq!(read(Value::Map(members)), malformed);
        assert_eq!(read(object([0, 1, 2].map(Value::Integer))), malformed);
        assert_eq!(read(Value::Array(values.to_vec())), malformed);
    }

    #[test]
    fn no_member_of_an_attestation_object_is_there_twice() {
        let object = &keyplate_testkit::vectors()[0]
            .registration
            .attestation_object;
        assert_eq!(object[0], 0xa3, "a map of three members");
        for (name, value) in [
            ("fmt", b"\x64none".as_slice()),
            ("attStmt", b"\xa0"),
            ("authData", b"\x40"),
        ] {
            let name = serde_cbor_2::to_vec(&Value::Text(name.to_owned())).unwrap();
            let twice = [b"\xa4", &object[1..], &name, value].concat();
            assert!(attested(&twice).is_err_and(|it| it == PasskeyFailure::Malformed));
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
