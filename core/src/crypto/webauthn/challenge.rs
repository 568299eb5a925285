//! The challenge of a ceremony: random, made for it alone, and repeated by its answer.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::answer;
use crate::{
    crypto::base64url::{base64url, from_base64url},
    error::PasskeyFailure,
};

/// So many bytes of the hash tell a ceremony from any other one.
const ID_LEN: usize = 12;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge(Vec<u8>);

impl Challenge {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As client data has it.
    pub(crate) fn text(&self) -> String {
        base64url(&self.0)
    }

    /// A short name for the ceremony, of letters, digits, `-` and `_`.
    pub(crate) fn id(&self) -> String {
        base64url(&digest(&SHA256, &self.0).as_ref()[..ID_LEN])
    }

    /// What an answer of any kind says that it answers (P2), and with which credential. Whether that is so is not asked.
    pub(crate) fn of_answer(response: &str) -> Result<(Self, String), PasskeyFailure> {
        #[derive(Deserialize)]
        struct ClientData {
            challenge: Challenge,
        }
        let (client_data, credential_id) = answer::client_data(response)?;
        let client_data: ClientData =
            serde_json::from_slice(&client_data).map_err(|_| PasskeyFailure::Malformed)?;
        Ok((client_data.challenge, credential_id))
    }
}

impl Serialize for Challenge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Challenge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = from_base64url(&text).ok_or_else(|| D::Error::custom("not base64url"))?;
        Ok(Self(bytes))
    }
}
