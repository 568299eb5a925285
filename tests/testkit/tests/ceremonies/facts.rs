//! A second reading of what is sent, independent of the crate's own code, as names and values that can be compared.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keyplate_testkit::{Algorithm, Credential};
use ring::{
    digest::{SHA256, digest},
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256,
        UnparsedPublicKey, VerificationAlgorithm,
    },
};
use serde::Deserialize;
use serde_cbor_2::Value as Cbor;
use serde_json::Value;

/// What a response says. Ids, keys, handles and signatures, which differ from one credential to the next, are told by
/// their relation to the credential.
pub(crate) type Facts = BTreeMap<String, String>;

/// The names of what is not the same in both.
pub(crate) fn changed<'a>(before: &'a Facts, after: &'a Facts) -> BTreeSet<&'a str> {
    let names = before.keys().chain(after.keys());
    names
        .filter(|name| before.get(*name) != after.get(*name))
        .map(String::as_str)
        .collect()
}

pub(crate) fn of(response: &str, credential: &Credential) -> Facts {
    let json: Value = serde_json::from_str(response).unwrap();
    let mut reading = Reading {
        facts: Facts::new(),
        credential,
    };
    reading.outside(&json);
    let response = &json["response"];
    let client_data = bytes(&response["clientDataJSON"]);
    reading.client_data(&client_data);
    let hash = digest(&SHA256, &client_data);
    if response.get("attestationObject").is_some() {
        reading.registration(response, hash.as_ref());
    } else {
        reading.authentication(response, hash.as_ref());
    }
    reading.facts
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}

pub(crate) fn verifies(credential: &Credential, message: &[u8], signature: &[u8]) -> bool {
    let algorithm: &dyn VerificationAlgorithm = match credential.private_key.algorithm() {
        Algorithm::Es256 => &ECDSA_P256_SHA256_ASN1,
        Algorithm::Es384 => &ECDSA_P384_SHA384_ASN1,
        Algorithm::Ed25519 => &ED25519,
        Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
    };
    let key = UnparsedPublicKey::new(algorithm, credential.private_key.public_key());
    key.verify(message, signature).is_ok()
}

struct Reading<'a> {
    facts: Facts,
    credential: &'a Credential,
}

impl Reading<'_> {
    fn note(&mut self, name: &str, value: impl ToString) {
        let old = self.facts.insert(name.to_owned(), value.to_string());
        assert_eq!(old, None, "{name} was noted before");
    }

    /// Notes bytes as "own" when they are what the credential has.
    fn compare(&mut self, name: &str, found: &[u8], own: &[u8]) {
        let other = || URL_SAFE_NO_PAD.encode(found);
        let text = if found == own {
            "own".to_owned()
        } else {
            other()
        };
        self.note(name, text);
    }

    fn outside(&mut self, json: &Value) {
        let members = json
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>();
        self.note("members", members.join(" "));
        let own = self.credential.id.clone();
        self.compare("id", &bytes(&json["id"]), &own);
        self.compare("rawId", &bytes(&json["rawId"]), &own);
        self.note("type", &json["type"]);
        self.note("attachment", &json["authenticatorAttachment"]);
        self.note("extensions", &json["clientExtensionResults"]);
    }

    fn client_data(&mut self, json: &[u8]) {
        let members: serde_json::Map<String, Value> = serde_json::from_slice(json).unwrap();
        for (name, value) in members {
            self.note(&format!("clientData.{name}"), value);
        }
    }

    fn registration(&mut self, response: &Value, hash: &[u8]) {
        let object = bytes(&response["attestationObject"]);
        let (object, rest) = cbor(&object).unwrap();
        self.note("attestationObject.rest", rest.len());
        let Cbor::Map(object) = object else {
            panic!("an attestation object is a map")
        };
        let member = |name: &str| object[&Cbor::Text(name.to_owned())].clone();
        let Cbor::Bytes(data) = member("authData") else {
            panic!("authData is bytes")
        };
        assert_eq!(bytes(&response["authenticatorData"]), data, "sent twice");
        self.authenticator_data(&data);
        self.note("fmt", format!("{:?}", member("fmt")));
        let statement = match member("attStmt") {
            Cbor::Map(statement) => statement,
            // That of `compound`, which has no signature of its own.
            Cbor::Array(statements) => {
                let numbered = statements.into_iter().zip(0..);
                let numbered = numbered.map(|(one, number)| (Cbor::Integer(number), one));
                numbered.collect()
            }
            _ => panic!("attStmt is a map or a list"),
        };
        self.note("attStmt", format!("{:?}", statement.keys()));
        if let Some(Cbor::Bytes(signature)) = statement.get(&Cbor::Text("sig".to_owned())) {
            let signed = [&data, hash].concat();
            self.note("attStmt.sig", verifies(self.credential, &signed, signature));
        }
        self.note("transports", &response["transports"]);
        self.note("publicKeyAlgorithm", &response["publicKeyAlgorithm"]);
        if let Some(spki) = response.get("publicKey") {
            let own = self.credential.private_key.public_key();
            let spki = bytes(spki);
            self.compare("publicKey", &spki[spki.len() - own.len()..], &own);
        }
    }

    fn authentication(&mut self, response: &Value, hash: &[u8]) {
        let data = bytes(&response["authenticatorData"]);
        self.authenticator_data(&data);
        let signed = [&data, hash].concat();
        let signature = bytes(&response["signature"]);
        self.note("signature", verifies(self.credential, &signed, &signature));
        self.note("signature.empty", signature.is_empty());
        if let Some(handle) = response.get("userHandle") {
            let own = self.credential.user_handle.clone();
            self.compare("userHandle", &bytes(handle), &own);
        }
    }

    /// Notes as much as there is.
    fn authenticator_data(&mut self, data: &[u8]) {
        let mut data = data;
        if let Some(hash) = data.split_off(..32) {
            let own = digest(&SHA256, self.credential.rp_id.as_bytes());
            self.compare("rpIdHash", hash, own.as_ref());
        }
        let flags = data.split_off_first().copied().unwrap_or_default();
        for (bit, name) in ["UP", "1", "UV", "BE", "BS", "5", "AT", "ED"]
            .iter()
            .enumerate()
        {
            self.note(name, flags >> bit & 1);
        }
        if let Some(counter) = data.split_off(..4) {
            self.note("counter", u32::from_be_bytes(counter.try_into().unwrap()));
        }
        if flags & 0x40 != 0 {
            data = self.attested_credential_data(data).unwrap_or_default();
        }
        self.note("authenticatorData.rest", data.len());
    }

    fn attested_credential_data<'b>(&mut self, mut data: &'b [u8]) -> Option<&'b [u8]> {
        let aaguid = data.split_off(..16)?;
        self.note("aaguid", URL_SAFE_NO_PAD.encode(aaguid));
        let length = u16::from_be_bytes(data.split_off(..2)?.try_into().unwrap());
        let own = self.credential.id.clone();
        self.compare("attested id", data.split_off(..length.into())?, &own);
        let (Cbor::Map(key), rest) = cbor(data)? else {
            return None;
        };
        let public = self.credential.private_key.public_key();
        let (x, y) = match self.credential.private_key.algorithm() {
            Algorithm::Ed25519 | Algorithm::Rs256 => (&public[..], &[][..]),
            _ => public[1..].split_at(public.len() / 2),
        };
        for (label, value) in key {
            match (label, value) {
                (Cbor::Integer(-2), Cbor::Bytes(value)) => self.compare("key.x", &value, x),
                (Cbor::Integer(-1), Cbor::Bytes(value)) => self.note("key.n", value.len()),
                (Cbor::Integer(-3), Cbor::Bytes(value)) => self.compare("key.y", &value, y),
                (Cbor::Integer(label), Cbor::Integer(value)) => {
                    self.note(&format!("key.{label}"), value);
                }
                other => panic!("not a member of these keys: {other:?}"),
            }
        }
        Some(rest)
    }
}

/// The first item, and what follows it.
fn cbor(data: &[u8]) -> Option<(Cbor, &[u8])> {
    let mut reader = serde_cbor_2::Deserializer::from_slice(data);
    let value = Cbor::deserialize(&mut reader).ok()?;
    Some((value, &data[reader.byte_offset()..]))
}
