//! Attestation objects (section 6.5.4): `none`, and statements in the shapes of those that are sent unasked.

use serde_cbor_2::Value;

use crate::{AttestationSpoil, PrivateKey};

/// What stands for a certificate, a signature, a TPM's structure: no parser takes it for one.
const OPAQUE: [u8; 70] = [0x5a; 70];

/// The whole attestation object.
pub(crate) fn object(
    data: &[u8],
    client_data_hash: &[u8],
    key: &PrivateKey,
    spoil: Option<AttestationSpoil>,
) -> Vec<u8> {
    let signed = || [data, client_data_hash].concat();
    let (format, statement) = match spoil {
        None => ("none", Value::Map([].into())),
        Some(AttestationSpoil::SelfSigned) => packed(key, &signed()),
        Some(AttestationSpoil::BadlySigned) => {
            packed(&PrivateKey::other_than(key.algorithm()), &signed())
        }
        Some(AttestationSpoil::UnknownFormat) => ("nobody-knows", opaque(&["sig"])),
        Some(AttestationSpoil::NoneWithStatement) => ("none", opaque(&["sig"])),
        Some(unread) => shape(unread),
    };
    let members = [
        (text("fmt"), text(format)),
        (text("attStmt"), statement),
        (text("authData"), Value::Bytes(data.to_vec())),
    ];
    cbor(Value::Map(members.into()))
}

/// Sections 8.2 to 8.9, with nothing in them that could be verified.
fn shape(spoil: AttestationSpoil) -> (&'static str, Value) {
    match spoil {
        AttestationSpoil::Tpm => {
            let mut statement = members(&["sig", "certInfo", "pubArea"]);
            statement.extend([certificates(), algorithm(-65535)]);
            statement.push((text("ver"), text("2.0")));
            ("tpm", map(statement))
        }
        AttestationSpoil::SafetyNet => {
            let mut statement = members(&["response"]);
            statement.push((text("ver"), text("19056037")));
            ("android-safetynet", map(statement))
        }
        AttestationSpoil::AndroidKey => ("android-key", certified(Some(-7))),
        AttestationSpoil::Apple => ("apple", map(vec![certificates()])),
        AttestationSpoil::FidoU2f => ("fido-u2f", certified(None)),
        AttestationSpoil::Compound => {
            let one = [
                (text("fmt"), text("packed")),
                (text("attStmt"), certified(Some(-7))),
            ];
            let one = Value::Map(one.into());
            ("compound", Value::Array(vec![one.clone(), one]))
        }
        _ => ("packed", certified(Some(-7))),
    }
}

/// Section 8.2, self attestation.
fn packed(key: &PrivateKey, signed: &[u8]) -> (&'static str, Value) {
    let signature = (text("sig"), Value::Bytes(key.sign(signed)));
    (
        "packed",
        map(vec![algorithm(key.algorithm().cose()), signature]),
    )
}

fn certified(number: Option<i64>) -> Value {
    let mut statement = members(&["sig"]);
    statement.push(certificates());
    statement.extend(number.map(algorithm));
    map(statement)
}

fn certificates() -> (Value, Value) {
    let certificate = Value::Bytes(OPAQUE.to_vec());
    (text("x5c"), Value::Array(vec![certificate]))
}

fn algorithm(number: i64) -> (Value, Value) {
    (text("alg"), Value::Integer(number.into()))
}

fn members(names: &[&str]) -> Vec<(Value, Value)> {
    let opaque = |name: &&str| (text(name), Value::Bytes(OPAQUE.to_vec()));
    names.iter().map(opaque).collect()
}

fn opaque(names: &[&str]) -> Value {
    map(members(names))
}

fn map(members: Vec<(Value, Value)>) -> Value {
    Value::Map(members.into_iter().collect())
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// In the canonical form of CTAP2: the order of `Value`'s maps is its order.
pub(crate) fn cbor(value: Value) -> Vec<u8> {
    serde_cbor_2::to_vec(&value).expect("only maps, lists, texts, bytes and numbers of 64 bits")
}
