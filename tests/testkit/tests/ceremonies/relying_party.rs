//! A relying party that this crate has no part in: `webauthn-rs-core`.

use std::time::Duration;

use url::Url;
use webauthn_rs_core::{
    WebauthnCore,
    error::WebauthnError,
    proto::{
        AuthenticationResult, AuthenticationState, COSEAlgorithm, Credential, RegistrationState,
        UserVerificationPolicy,
    },
};

pub(crate) const RP_ID: &str = "example.org";
pub(crate) const ORIGIN: &str = "https://login.example.org";

pub(crate) struct RelyingParty(WebauthnCore);

impl RelyingParty {
    pub(crate) fn new() -> Self {
        let origin = Url::parse(ORIGIN).unwrap();
        let timeout = Duration::from_secs(300);
        Self(WebauthnCore::new_unsafe_experts_only(
            "Example",
            RP_ID,
            vec![origin],
            timeout,
            None,
            None,
        ))
    }

    /// Creation options for a discoverable credential with user verification, as JSON with `publicKey`.
    pub(crate) fn begin_registration(
        &self,
        user: &str,
        algorithms: Vec<COSEAlgorithm>,
        existing: &[&Credential],
    ) -> (String, RegistrationState) {
        let exclude = existing.iter().map(|one| one.cred_id.clone()).collect();
        let builder = self
            .0
            .new_challenge_register_builder(user.as_bytes(), user, user)
            .unwrap()
            .user_verification_policy(UserVerificationPolicy::Required)
            .require_resident_key(true)
            .credential_algorithms(algorithms)
            .exclude_credentials(Some(exclude));
        let (options, state) = self.0.generate_challenge_register(builder).unwrap();
        (serde_json::to_string(&options).unwrap(), state)
    }

    pub(crate) fn finish_registration(
        &self,
        credential: &str,
        state: &RegistrationState,
    ) -> Result<Credential, WebauthnError> {
        let credential = serde_json::from_str(credential).unwrap();
        self.0.register_credential(&credential, state, None)
    }

    /// Request options that list these credentials.
    pub(crate) fn begin_authentication(
        &self,
        credentials: &[&Credential],
    ) -> (String, AuthenticationState) {
        let credentials = credentials.iter().map(|&one| one.clone()).collect();
        let required = Some(UserVerificationPolicy::Required);
        let builder = self
            .0
            .new_challenge_authenticate_builder(credentials, required);
        let (options, state) = self
            .0
            .generate_challenge_authenticate(builder.unwrap())
            .unwrap();
        (serde_json::to_string(&options).unwrap(), state)
    }

    pub(crate) fn finish_authentication(
        &self,
        credential: &str,
        state: &AuthenticationState,
    ) -> Result<AuthenticationResult, WebauthnError> {
        let credential = serde_json::from_str(credential).unwrap();
        self.0.authenticate_credential(&credential, state)
    }
}

/// The options without their list of credentials: whoever has a discoverable one may sign in.
pub(crate) fn discoverable(options: &str) -> String {
    let mut options: serde_json::Value = serde_json::from_str(options).unwrap();
    options["publicKey"]["allowCredentials"] = serde_json::json!([]);
    options.to_string()
}

pub(crate) fn es256() -> Vec<COSEAlgorithm> {
    vec![COSEAlgorithm::ES256]
}
