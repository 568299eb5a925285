//! `navigator.credentials.get()` (sections 5.1.4 and 6.3.3).

use serde_json::json;

use crate::{
    Authenticator, CeremonyError, Credential, PrivateKey, SignatureSpoil, Spoil, UserHandleSpoil,
    authenticator_data::AuthenticatorData,
    base64url,
    client::{self, ClientData},
    options::RequestOptions,
};

impl Authenticator {
    /// Signs in, as `navigator.credentials.get()` does on a page of this origin.
    ///
    /// Takes `PublicKeyCredentialRequestOptionsJSON`, bare or as the member `publicKey`, and gives
    /// `AuthenticationResponseJSON`, with the user handle when the credential is discoverable. Of the credentials that fit
    /// it takes the newest: of those that `allowCredentials` lists or, when it is empty, of the discoverable ones for the
    /// RP id.
    ///
    /// # Errors
    /// What the browser would throw; `CeremonyError::Spoil` when the spoil means nothing here.
    pub fn authenticate(
        &mut self,
        origin: &str,
        options: &str,
        spoil: &Spoil,
    ) -> Result<String, CeremonyError> {
        self.authenticate_with(origin, options, spoil, |_| true)
    }

    /// Signs in as `authenticate` does, with the newest credential that has this `user.name`.
    ///
    /// # Errors
    /// As `authenticate`.
    pub fn authenticate_as(
        &mut self,
        user_name: &str,
        origin: &str,
        options: &str,
        spoil: &Spoil,
    ) -> Result<String, CeremonyError> {
        let is_chosen = |credential: &Credential| credential.user_name == user_name;
        self.authenticate_with(origin, options, spoil, is_chosen)
    }

    fn authenticate_with(
        &mut self,
        origin: &str,
        options: &str,
        spoil: &Spoil,
        is_chosen: impl Fn(&Credential) -> bool,
    ) -> Result<String, CeremonyError> {
        spoil.check_authentication()?;
        let options = RequestOptions::read(options)?;
        let rp_id = client::rp_id(self, origin, options.rp_id.as_deref())?;
        self.check_user_verification(options.user_verification.as_deref())?;
        let fits = |credential: &Credential| {
            let listed = || options.allows(credential);
            credential.rp_id == rp_id
                && is_chosen(credential)
                && (spoil.unlisted_credential != listed())
        };
        let Some(index) = self.credentials.iter().rposition(fits) else {
            let text = "the authenticator holds no credential that fits".to_owned();
            return Err(CeremonyError::NotAllowed(text));
        };
        if self.counts {
            self.credentials[index].counter += 1;
        }
        let client_data = ClientData::new("webauthn.get", &options.challenge, origin, spoil);
        Ok(self.authentication_response(&self.credentials[index], &client_data, spoil))
    }

    fn authentication_response(
        &self,
        credential: &Credential,
        client_data: &ClientData,
        spoil: &Spoil,
    ) -> String {
        let data = AuthenticatorData {
            rp_id: &credential.rp_id,
            user_verified: self.verifies_user,
            backup: credential.backup,
            counter: credential.counter,
            attested: None,
        };
        let data = data.to_bytes(spoil);
        let signed = [&data[..], &client_data.hash].concat();
        let mut response = json!({
            "clientDataJSON": base64url::encode(&client_data.json),
            "authenticatorData": base64url::encode(&data),
            "signature": base64url::encode(&signature(&credential.private_key, &signed, spoil)),
        });
        let user_handle = match &spoil.user_handle {
            None => credential.discoverable.then_some(&credential.user_handle),
            Some(UserHandleSpoil::Removed) => None,
            Some(UserHandleSpoil::Replaced(other)) => Some(other),
        };
        if let Some(user_handle) = user_handle {
            response["userHandle"] = json!(base64url::encode(user_handle));
        }
        let id = spoil.credential_id.as_ref().unwrap_or(&credential.id);
        json!({
            "id": base64url::encode(id),
            "rawId": base64url::encode(spoil.raw_id.as_ref().unwrap_or(id)),
            "response": response,
            "authenticatorAttachment": self.attachment.as_str(),
            "clientExtensionResults": {},
            "type": spoil.credential_type.as_deref().unwrap_or("public-key"),
        })
        .to_string()
    }
}

impl RequestOptions {
    fn allows(&self, credential: &Credential) -> bool {
        let mut listed = self.allow_credentials.iter();
        match self.allow_credentials.is_empty() {
            true => credential.discoverable,
            false => listed.any(|one| one.names(&credential.id)),
        }
    }
}

fn signature(key: &PrivateKey, message: &[u8], spoil: &Spoil) -> Vec<u8> {
    match spoil.signature {
        None => key.sign(message),
        Some(SignatureSpoil::Corrupted) => {
            let mut signature = key.sign(message);
            if let Some(last) = signature.last_mut() {
                *last ^= 1;
            }
            signature
        }
        Some(SignatureSpoil::OtherKey) => PrivateKey::other_than(key.algorithm()).sign(message),
        Some(SignatureSpoil::Empty) => Vec::new(),
    }
}
