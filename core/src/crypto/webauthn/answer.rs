//! What browsers answer, as JSON (WebAuthn Level 3, sections 5.1.8 and 5.1.9): read by ourselves, because webauthn-rs knows a
//! closed list of transports and wants members that password managers leave out.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;
use webauthn_rs_core::proto::{
    AuthenticationExtensionsClientOutputs, AuthenticatorAssertionResponseRaw,
    AuthenticatorAttestationResponseRaw, PublicKeyCredential, RegisterPublicKeyCredential,
    RegistrationExtensionsClientOutputs,
};

use crate::{
    crypto::base64url::{base64url, from_base64url},
    error::PasskeyFailure,
};

/// More than any authenticator sends; the rest of the world need not be parsed.
const MAX_ANSWER: usize = 64 * 1024;

/// Section 6.5.1.
pub(super) const MAX_CREDENTIAL_ID: usize = 1_023;

/// Transports are hints of browsers that we keep as they come: more and longer ones than any browser gives are left out.
const MAX_TRANSPORTS: usize = 16;
const MAX_TRANSPORT: usize = 32;

/// RegistrationResponseJSON.
pub(super) struct RegistrationAnswer {
    pub(super) raw_id: Vec<u8>,
    pub(super) client_data: Vec<u8>,
    pub(super) attestation_object: Vec<u8>,
    pub(super) transports: Vec<String>,
    /// What the client says of it, if it does.
    pub(super) is_discoverable: Option<bool>,
}

/// Either answer. What else is in it is passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "R: Deserialize<'de>"))]
struct Answer<R> {
    id: String,
    raw_id: Bytes,
    #[serde(rename = "type")]
    kind: String,
    #[serde(deserialize_with = "object")]
    response: R,
    #[serde(default, alias = "extensions")]
    client_extension_results: Option<ExtensionResults>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExtensionResults {
    #[serde(default)]
    cred_props: Option<CredentialProperties>,
}

#[derive(Deserialize)]
struct CredentialProperties {
    #[serde(default)]
    rk: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attestation {
    #[serde(rename = "clientDataJSON")]
    client_data: Bytes,
    attestation_object: Bytes,
    #[serde(default)]
    transports: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assertion {
    #[serde(rename = "clientDataJSON")]
    client_data: Bytes,
    authenticator_data: Bytes,
    signature: Bytes,
    #[serde(default)]
    user_handle: Option<Bytes>,
}

/// Base64url without padding.
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = from_base64url(&text).ok_or_else(|| D::Error::custom("not base64url"))?;
        Ok(Self(bytes))
    }
}

impl RegistrationAnswer {
    pub(super) fn parse(text: &str) -> Result<Self, PasskeyFailure> {
        let answer: Answer<Attestation> = parse(text)?;
        let results = answer.client_extension_results.unwrap_or_default();
        Ok(Self {
            raw_id: answer.raw_id.0,
            client_data: answer.response.client_data.0,
            attestation_object: answer.response.attestation_object.0,
            transports: transports(answer.response.transports.unwrap_or_default()),
            is_discoverable: results.cred_props.and_then(|properties| properties.rk),
        })
    }

    /// For webauthn-rs, with this attestation object.
    pub(super) fn with_attestation(
        &self,
        attestation_object: Vec<u8>,
    ) -> RegisterPublicKeyCredential {
        RegisterPublicKeyCredential {
            id: base64url(&self.raw_id),
            raw_id: self.raw_id.clone(),
            response: AuthenticatorAttestationResponseRaw {
                attestation_object,
                client_data_json: self.client_data.clone(),
                transports: None,
            },
            type_: "public-key".to_owned(),
            extensions: RegistrationExtensionsClientOutputs::default(),
        }
    }
}

/// AuthenticationResponseJSON.
pub(super) fn assertion(text: &str) -> Result<PublicKeyCredential, PasskeyFailure> {
    let answer: Answer<Assertion> = parse(text)?;
    Ok(PublicKeyCredential {
        id: answer.id,
        raw_id: answer.raw_id.0,
        response: AuthenticatorAssertionResponseRaw {
            authenticator_data: answer.response.authenticator_data.0,
            client_data_json: answer.response.client_data.0,
            signature: answer.response.signature.0,
            user_handle: answer.response.user_handle.map(|handle| handle.0),
        },
        extensions: AuthenticationExtensionsClientOutputs::default(),
        type_: answer.kind,
    })
}

/// JSON that is an object. Derived readers would also take a list of the members' values for one.
pub(super) fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, PasskeyFailure> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = object(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|_| PasskeyFailure::Malformed)
}

fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Object<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(members))
        }
    }
    deserializer.deserialize_map(Object(PhantomData))
}

/// The client data of any answer and the id of its credential; nothing else is looked at.
pub(super) fn client_data(text: &str) -> Result<(Vec<u8>, String), PasskeyFailure> {
    #[derive(Deserialize)]
    struct Response {
        #[serde(rename = "clientDataJSON")]
        client_data: Bytes,
    }
    let answer: Answer<Response> = parse(text)?;
    Ok((answer.response.client_data.0, answer.id))
}

fn parse<R: DeserializeOwned>(text: &str) -> Result<Answer<R>, PasskeyFailure> {
    if text.len() > MAX_ANSWER {
        return Err(PasskeyFailure::Malformed);
    }
    let answer: Answer<R> = from_json(text.as_bytes())?;
    let id = &answer.raw_id.0;
    let is_in_bounds = (1..=MAX_CREDENTIAL_ID).contains(&id.len());
    if is_in_bounds && answer.id == base64url(id) && answer.kind == "public-key" {
        Ok(answer)
    } else {
        Err(PasskeyFailure::Malformed)
    }
}

/// Of any name, in the order in which they come; sent back for the browser to find the authenticator by. They are stored
/// with blanks between them.
fn transports(named: Vec<Value>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for name in named {
        let Value::String(name) = name else { continue };
        let is_name = !name.is_empty()
            && name.chars().count() <= MAX_TRANSPORT
            && !name.contains(|c: char| c.is_whitespace() || c.is_control());
        if is_name && kept.len() < MAX_TRANSPORTS && !kept.contains(&name) {
            kept.push(name);
        }
    }
    kept
}
