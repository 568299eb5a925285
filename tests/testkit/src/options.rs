//! The options as WebAuthn Level 3 writes them in JSON (section 5.1.10). As there, unknown members and unknown values of
//! enumerations are passed over, and binary members are strict base64url.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{CeremonyError, base64url};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreationOptions {
    pub(crate) rp: RelyingParty,
    pub(crate) user: User,
    #[serde(with = "base64url")]
    pub(crate) challenge: Vec<u8>,
    pub(crate) pub_key_cred_params: Vec<Parameters>,
    #[serde(default)]
    pub(crate) exclude_credentials: Vec<Descriptor>,
    pub(crate) authenticator_selection: Option<Selection>,
    pub(crate) extensions: Option<Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RelyingParty {
    pub(crate) id: Option<String>,
    #[serde(rename = "name")]
    _name: String, // required, and not used
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    #[serde(with = "base64url")]
    pub(crate) id: Vec<u8>,
    pub(crate) name: String,
    pub(crate) display_name: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Parameters {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) alg: i64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Descriptor {
    #[serde(rename = "type")]
    kind: String,
    #[serde(with = "base64url")]
    id: Vec<u8>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Selection {
    pub(crate) authenticator_attachment: Option<String>,
    pub(crate) resident_key: Option<String>,
    #[serde(default)]
    pub(crate) require_resident_key: bool,
    pub(crate) user_verification: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestOptions {
    #[serde(with = "base64url")]
    pub(crate) challenge: Vec<u8>,
    pub(crate) rp_id: Option<String>,
    #[serde(default)]
    pub(crate) allow_credentials: Vec<Descriptor>,
    pub(crate) user_verification: Option<String>,
}

impl Descriptor {
    pub(crate) fn names(&self, id: &[u8]) -> bool {
        self.kind == "public-key" && self.id == id
    }
}

impl Selection {
    /// Whether the credential is to be discoverable; an authenticator that can honours "preferred" (section 5.4.4).
    pub(crate) fn discoverable(&self) -> bool {
        match self.resident_key.as_deref() {
            Some("required" | "preferred") => true,
            Some("discouraged") => false,
            _ => self.require_resident_key,
        }
    }
}

impl CreationOptions {
    pub(crate) fn read(json: &str) -> Result<Self, CeremonyError> {
        let options: Self = read(json)?;
        match options.user.id.len() {
            1..=64 => Ok(options),
            _ => Err(CeremonyError::Type(
                "user.id is not of 1 to 64 bytes".to_owned(),
            )),
        }
    }

    /// Whether a key of this algorithm may be made. An empty list stands for ES256 and RS256 (section 5.1.3).
    pub(crate) fn offers(&self, algorithm: i64) -> bool {
        if self.pub_key_cred_params.is_empty() {
            return algorithm == -7;
        }
        let mut parameters = self.pub_key_cred_params.iter();
        parameters.any(|one| one.kind == "public-key" && one.alg == algorithm)
    }

    pub(crate) fn wants_cred_props(&self) -> bool {
        let extensions = self.extensions.as_ref();
        extensions.and_then(|all| all.get("credProps")) == Some(&Value::Bool(true))
    }
}

impl RequestOptions {
    pub(crate) fn read(json: &str) -> Result<Self, CeremonyError> {
        read(json)
    }
}

/// Reads options, bare or as the member `publicKey`.
fn read<T: DeserializeOwned>(json: &str) -> Result<T, CeremonyError> {
    let malformed = |error: serde_json::Error| CeremonyError::Type(error.to_string());
    let mut options: Value = serde_json::from_str(json).map_err(malformed)?;
    if let Some(inner) = options.get_mut("publicKey") {
        options = inner.take();
    }
    serde_json::from_value(options).map_err(malformed)
}
