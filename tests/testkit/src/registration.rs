//! `navigator.credentials.create()` (sections 5.1.3 and 6.3.2).

use ring::rand::{SecureRandom, SystemRandom};
use serde_cbor_2::Value;
use serde_json::{Map, json};

use crate::{
    Authenticator, CeremonyError, Credential, PrivateKey, PublicKeySpoil, Spoil,
    attestation::{self, cbor},
    authenticator_data::AuthenticatorData,
    base64url,
    client::{self, ClientData},
    options::{CreationOptions, Selection},
};

impl Authenticator {
    /// Makes a credential, as `navigator.credentials.create()` does on a page of this origin.
    ///
    /// Takes `PublicKeyCredentialCreationOptionsJSON`, bare or as the member `publicKey`, and gives
    /// `RegistrationResponseJSON`. The credential is kept whether it is spoiled or not. A discoverable one takes the place
    /// of the same user's former one (section 6.3.2).
    ///
    /// # Errors
    /// What the browser would throw; `CeremonyError::Spoil` when the spoil means nothing here.
    pub fn register(
        &mut self,
        origin: &str,
        options: &str,
        spoil: &Spoil,
    ) -> Result<String, CeremonyError> {
        spoil.check_registration()?;
        let options = CreationOptions::read(options)?;
        let rp_id = client::rp_id(self, origin, options.rp.id.as_deref())?;
        let selection = options.authenticator_selection.as_ref();
        self.check_selection(selection.unwrap_or(&Selection::default()))?;
        match (
            options.offers(self.algorithm.cose()),
            spoil.unoffered_algorithm,
        ) {
            (false, false) => return Err(CeremonyError::NotSupported),
            (true, true) => {
                let text = "unoffered-algorithm: the authenticator's algorithm is offered";
                return Err(CeremonyError::Spoil(text.to_owned()));
            }
            _ => {}
        }
        let is_excluded = |credential: &Credential| {
            let mut listed = options.exclude_credentials.iter();
            credential.rp_id == rp_id && listed.any(|one| one.names(&credential.id))
        };
        if self.credentials.iter().any(is_excluded) {
            return Err(CeremonyError::InvalidState);
        }

        let credential = self.make_credential(rp_id, &options);
        let client_data = ClientData::new("webauthn.create", &options.challenge, origin, spoil);
        let response = self.registration_response(&credential, &client_data, &options, spoil);
        self.credentials.retain(|old| !credential.replaces(old));
        self.credentials.push(credential);
        Ok(response)
    }

    fn check_selection(&self, selection: &Selection) -> Result<(), CeremonyError> {
        let attachment = selection.authenticator_attachment.as_deref();
        if matches!(attachment, Some(wanted @ ("platform" | "cross-platform")) if wanted != self.attachment.as_str())
        {
            let text = "an authenticator of another attachment is wanted".to_owned();
            return Err(CeremonyError::NotAllowed(text));
        }
        self.check_user_verification(selection.user_verification.as_deref())
    }

    pub(crate) fn check_user_verification(
        &self,
        wanted: Option<&str>,
    ) -> Result<(), CeremonyError> {
        if wanted == Some("required") && !self.verifies_user {
            let text = "the authenticator cannot verify the user".to_owned();
            return Err(CeremonyError::NotAllowed(text));
        }
        Ok(())
    }

    fn make_credential(&self, rp_id: String, options: &CreationOptions) -> Credential {
        let selection = options.authenticator_selection.as_ref();
        let mut id = vec![0; 32];
        SystemRandom::new()
            .fill(&mut id)
            .expect("the system has random bytes");
        Credential {
            rp_id,
            id,
            user_handle: options.user.id.clone(),
            user_name: options.user.name.clone(),
            user_display_name: options.user.display_name.clone(),
            discoverable: selection.is_some_and(Selection::discoverable),
            counter: 0,
            backup: self.backup,
            private_key: PrivateKey::generate(self.algorithm),
        }
    }

    fn registration_response(
        &self,
        credential: &Credential,
        client_data: &ClientData,
        options: &CreationOptions,
        spoil: &Spoil,
    ) -> String {
        let id = spoil.credential_id.as_ref().unwrap_or(&credential.id);
        let data = AuthenticatorData {
            rp_id: &credential.rp_id,
            user_verified: self.verifies_user,
            backup: credential.backup,
            counter: credential.counter,
            attested: Some(self.attested_credential_data(id, &credential.private_key, spoil)),
        };
        let data = data.to_bytes(spoil);
        let key = &credential.private_key;
        let mut attestation = attestation::object(&data, &client_data.hash, key, spoil.attestation);
        attestation.extend(&spoil.attestation_trailing_bytes);
        let mut response = json!({
            "clientDataJSON": base64url::encode(&client_data.json),
            "authenticatorData": base64url::encode(&data),
            "transports": self.transports,
            "publicKeyAlgorithm": self.algorithm.cose(),
            "attestationObject": base64url::encode(&attestation),
        });
        match spoil.public_key {
            // A browser that does not know the algorithm leaves the key out (section 5.2.1.1).
            Some(PublicKeySpoil::Algorithm(number)) => {
                response["publicKeyAlgorithm"] = json!(number)
            }
            _ => response["publicKey"] = json!(base64url::encode(&credential.private_key.spki())),
        }
        let mut extensions = Map::new();
        if options.wants_cred_props() {
            extensions.insert(
                "credProps".to_owned(),
                json!({ "rk": credential.discoverable }),
            );
        }
        json!({
            "id": base64url::encode(id),
            "rawId": base64url::encode(spoil.raw_id.as_ref().unwrap_or(id)),
            "response": response,
            "authenticatorAttachment": self.attachment.as_str(),
            "clientExtensionResults": extensions,
            "type": spoil.credential_type.as_deref().unwrap_or("public-key"),
        })
        .to_string()
    }

    /// Section 6.5.1.
    fn attested_credential_data(&self, id: &[u8], key: &PrivateKey, spoil: &Spoil) -> Vec<u8> {
        let mut bytes = self.aaguid.to_vec();
        bytes.extend((id.len() as u16).to_be_bytes());
        bytes.extend(id);
        bytes.extend(public_key(key, spoil.public_key));
        bytes
    }
}

impl Credential {
    /// Whether an authenticator drops the old one for this one.
    fn replaces(&self, old: &Self) -> bool {
        self.discoverable
            && old.discoverable
            && old.rp_id == self.rp_id
            && old.user_handle == self.user_handle
    }
}

/// The COSE key, spoiled.
fn public_key(key: &PrivateKey, spoil: Option<PublicKeySpoil>) -> Vec<u8> {
    let mut members = key.cose_key();
    let last = *members.keys().min().expect("a key has coordinates"); // -3 with two coordinates, -2 with one
    match spoil {
        None => {}
        Some(PublicKeySpoil::Algorithm(number)) => {
            members.insert(3, Value::Integer(number.into()));
        }
        Some(PublicKeySpoil::OffCurve) => {
            if let Some(Value::Bytes(coordinate)) = members.get_mut(&last) {
                match last {
                    -3 => coordinate[0] ^= 1, // a point's y is one of two: no other is on the curve
                    _ => coordinate.truncate(coordinate.len() - 1),
                }
            }
        }
        Some(PublicKeySpoil::Incomplete) => {
            members.remove(&last);
        }
        Some(PublicKeySpoil::Rsa3072) => {
            members = [
                (1, Value::Integer(3)),
                (3, Value::Integer(-257)),
                (-1, Value::Bytes(vec![0xc5; 3072 / 8])),
                (-2, Value::Bytes(vec![1, 0, 1])),
            ]
            .into();
        }
        Some(PublicKeySpoil::NotCbor) => return vec![0xff; 77], // "break", outside anything it could end
    }
    let integer = |(label, value)| (Value::Integer(label), value);
    cbor(Value::Map(members.into_iter().map(integer).collect()))
}
