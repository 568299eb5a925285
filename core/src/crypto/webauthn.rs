//! What webauthn-rs does for us (P1), and in which words we hear of it: options as JSON, responses as JSON, and of each
//! failure the reason.

mod answer;
mod authenticator_data;
mod challenge;
mod failure;
#[cfg(test)]
mod vectors;

use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;
use webauthn_rs_core::{
    WebauthnCore,
    proto::{
        AttestationConveyancePreference, AttestationFormat, AttestationMetadata,
        AuthenticationState, COSEAlgorithm, COSEKey, Credential, ParsedAttestation,
        ParsedAttestationData, PublicKeyCredential, RegisteredExtensions, RegistrationState,
        RequestRegistrationExtensions, UserVerificationPolicy,
    },
};

use crate::{
    clock,
    crypto::base64url::{base64url, from_base64url},
    error::{PasskeyFailure, Result, internal},
};
use answer::RegistrationAnswer;
use authenticator_data::{AuthenticatorData, attested, check_key, cose_value};
use failure::{failure, unexpected};

pub(crate) use challenge::Challenge;

/// P2.
pub(crate) const LIFETIME_SECONDS: i64 = 5 * 60;

/// What a ceremony must show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) user_verification: UserVerificationPolicy,
    /// In a frame of another origin?
    pub(crate) cross_origin: bool,
}

/// P1.
const POLICY: Policy = Policy {
    user_verification: UserVerificationPolicy::Required,
    cross_origin: false,
};

/// Verifies ceremonies for one RP id and its origins.
pub(crate) struct Verifier {
    core: WebauthnCore,
    /// As browsers and Android write them.
    origins: Vec<String>,
    policy: Policy,
}

/// What a ceremony begins with.
pub(crate) struct Begun {
    /// For the browser, as JSON.
    pub(crate) options: String,
    pub(crate) challenge: Challenge,
}

/// Whom a credential is for, as the authenticator is told.
pub(crate) struct CredentialUser<'a> {
    pub(crate) handle: &'a [u8],
    pub(crate) name: &'a str,
    pub(crate) display_name: &'a str,
}

/// A credential as it was registered.
#[derive(Clone, Debug)]
pub(crate) struct NewCredential {
    pub(crate) credential_id: Vec<u8>,
    /// COSE_Key, RFC 9052.
    pub(crate) public_key: Vec<u8>,
    pub(crate) aaguid: Option<uuid::Uuid>,
    pub(crate) transports: Vec<String>,
    pub(crate) backup_eligible: bool,
    pub(crate) backup_state: bool,
    pub(crate) counter: u32,
}

/// What of a stored credential is needed to verify its assertion.
#[derive(Clone, Debug)]
pub(crate) struct KnownCredential {
    pub(crate) credential_id: Vec<u8>,
    pub(crate) public_key: Vec<u8>,
}

/// An answer to a sign-in or a step-up, which nobody has verified yet.
pub(crate) struct AssertionAnswer {
    credential: PublicKeyCredential,
    told: AuthenticatorData,
}

/// A verified assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Assertion {
    pub(crate) counter: u32,
    pub(crate) backup_eligible: bool,
    pub(crate) backup_state: bool,
}

/// The client data's members that webauthn-rs does not look at in every ceremony, or not as the standard has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: Option<bool>,
    #[serde(default)]
    top_origin: Option<String>,
}

impl Verifier {
    pub(crate) fn new(rp_id: &str, origins: Vec<Url>) -> Self {
        Self::with_policy(rp_id, origins, POLICY)
    }

    pub(crate) fn with_policy(rp_id: &str, origins: Vec<Url>, policy: Policy) -> Self {
        let timeout = clock::seconds(LIFETIME_SECONDS);
        let texts = origins.iter().map(origin_text).collect();
        // Exact origins: no other subdomains, no other ports.
        let core = WebauthnCore::new_unsafe_experts_only(
            rp_id,
            rp_id,
            origins,
            timeout,
            Some(false),
            Some(false),
        );
        Self {
            core,
            origins: texts,
            policy,
        }
    }

    /// PublicKeyCredentialCreationOptionsJSON, and what must be kept until the answer comes.
    pub(crate) fn begin_registration(
        &self,
        rp_name: &str,
        user: &CredentialUser<'_>,
        exclude: &[(Vec<u8>, Vec<String>)],
    ) -> Result<(Begun, RegistrationState)> {
        let builder = self
            .core
            .new_challenge_register_builder(user.handle, user.name, user.display_name)
            .map_err(unexpected)?
            .attestation(AttestationConveyancePreference::None)
            .user_verification_policy(self.policy.user_verification)
            .require_resident_key(true)
            .credential_algorithms(COSEAlgorithm::secure_algs())
            .extensions(Some(RequestRegistrationExtensions {
                cred_protect: None,
                uvm: None,
                cred_props: Some(true),
                min_pin_length: None,
                hmac_create_secret: None,
            }));
        let (mut options, state) = self
            .core
            .generate_challenge_register(builder)
            .map_err(unexpected)?;
        rp_name.clone_into(&mut options.public_key.rp.name);
        // Not by the state: who registers one of these all the same is told that it is taken.
        let begun = Begun {
            options: with_listed(&options.public_key, "excludeCredentials", exclude)?,
            challenge: Challenge::new(options.public_key.challenge.as_ref()),
        };
        Ok((begun, state))
    }

    pub(crate) fn register(
        &self,
        state: &RegistrationState,
        response: &str,
    ) -> Result<NewCredential, PasskeyFailure> {
        let answer = RegistrationAnswer::parse(response)?;
        if answer.is_discoverable == Some(false) {
            return Err(PasskeyFailure::NotDiscoverable);
        }
        self.check_client(&answer.client_data)?;
        let (told, object) = attested(&answer.attestation_object)?;
        let credential = self
            .core
            .register_credential(&answer.with_attestation(object), state, None)
            .map_err(failure)?;
        check_key(&told.public_key)?;
        if told.credential_id != answer.raw_id {
            return Err(PasskeyFailure::Malformed);
        }
        Ok(NewCredential {
            transports: answer.transports,
            backup_eligible: credential.backup_eligible,
            backup_state: credential.backup_state,
            counter: credential.counter,
            ..told
        })
    }

    /// PublicKeyCredentialRequestOptionsJSON. None allowed: whichever the user picks.
    pub(crate) fn begin_authentication(&self, allowed: &[(Vec<u8>, Vec<String>)]) -> Result<Begun> {
        let builder = self
            .core
            .new_challenge_authenticate_builder(Vec::new(), Some(self.policy.user_verification))
            .map_err(unexpected)?;
        let (options, _) = self
            .core
            .generate_challenge_authenticate(builder)
            .map_err(unexpected)?;
        Ok(Begun {
            options: with_listed(&options.public_key, "allowCredentials", allowed)?,
            challenge: Challenge::new(options.public_key.challenge.as_ref()),
        })
    }

    pub(crate) fn authenticate(
        &self,
        challenge: &Challenge,
        answer: &AssertionAnswer,
        known: &KnownCredential,
    ) -> Result<Assertion, PasskeyFailure> {
        let AssertionAnswer { credential, told } = answer;
        self.check_client(&credential.response.client_data_json)?;
        let state = self.state(challenge);
        let known = self.credential(known, told)?;
        let result = self
            .core
            .authenticate_single_credential(credential, &state, &known)
            .map_err(failure)?;
        Ok(Assertion {
            counter: result.counter(),
            backup_eligible: told.backup_eligible,
            backup_state: result.backup_state(),
        })
    }

    /// What webauthn-rs keeps of an authentication, of which only the challenge is not the same in each. Its fields are
    /// its own, and so is what it writes them as.
    fn state(&self, challenge: &Challenge) -> AuthenticationState {
        let state = json!({
            "credentials": [],
            "policy": self.policy.user_verification,
            "challenge": challenge,
            "appid": null,
            "allow_backup_eligible_upgrade": false,
        });
        serde_json::from_value(state).expect("this is what webauthn-rs writes of its own")
    }

    fn credential(
        &self,
        known: &KnownCredential,
        told: &AuthenticatorData,
    ) -> Result<Credential, PasskeyFailure> {
        Ok(Credential {
            cred_id: known.credential_id.clone(),
            cred: public_key(&known.public_key)?,
            // webauthn-rs would refuse a counter that went back; that is our setting's to decide (P3).
            counter: 0,
            transports: None,
            user_verified: self.policy.user_verification == UserVerificationPolicy::Required,
            // Likewise an eligibility that changed. That nothing is backed up without it stays webauthn-rs's to check.
            backup_eligible: told.backup_eligible,
            backup_state: told.backup_state,
            registration_policy: self.policy.user_verification,
            extensions: RegisteredExtensions::none(),
            attestation: ParsedAttestation {
                data: ParsedAttestationData::None,
                metadata: AttestationMetadata::None,
            },
            attestation_format: AttestationFormat::None,
        })
    }

    /// WebAuthn Level 3, sections 7.1 steps 8 to 11 and 7.2 steps 11 to 14: the challenge is spelled as base64url has it,
    /// where webauthn-rs takes padding too; the origin is one of ours as a text, where webauthn-rs compares URLs, whose
    /// other spellings no browser sends; and nobody puts our ceremonies into a frame of theirs.
    fn check_client(&self, client_data: &[u8]) -> Result<(), PasskeyFailure> {
        let client: ClientData = answer::from_json(client_data)?;
        if from_base64url(&client.challenge).is_none() {
            return Err(PasskeyFailure::WrongChallenge);
        }
        if !self.origins.contains(&client.origin) {
            return Err(PasskeyFailure::WrongOrigin);
        }
        let in_frame = client.cross_origin == Some(true) || client.top_origin.is_some();
        if in_frame && !self.policy.cross_origin {
            return Err(PasskeyFailure::CrossOrigin);
        }
        Ok(())
    }
}

impl AssertionAnswer {
    pub(crate) fn parse(response: &str) -> Result<Self, PasskeyFailure> {
        let credential = answer::assertion(response)?;
        let told = AuthenticatorData::parse(&credential.response.authenticator_data)?;
        Ok(Self { credential, told })
    }

    pub(crate) fn credential_id(&self) -> &[u8] {
        &self.credential.raw_id
    }

    pub(crate) fn user_handle(&self) -> Option<&[u8]> {
        self.credential.response.user_handle.as_deref()
    }
}

/// As RFC 6454, section 6.2 writes a web origin; an application's is its URL.
fn origin_text(url: &Url) -> String {
    match url.origin() {
        origin if origin.is_tuple() => origin.ascii_serialization(),
        _ => url.as_str().to_owned(),
    }
}

/// Options with these credentials. Their transports are texts, of which webauthn-rs knows only some.
fn with_listed(
    options: &impl serde::Serialize,
    member: &str,
    credentials: &[(Vec<u8>, Vec<String>)],
) -> Result<String> {
    let listed = credentials.iter().map(|(id, transports)| {
        json!({ "type": "public-key", "id": base64url(id), "transports": transports })
    });
    let listed: Vec<Value> = listed.collect();
    let unwritable = |_| internal("options cannot be written as JSON");
    let mut options = serde_json::to_value(options).map_err(unwritable)?;
    options[member] = listed.into();
    Ok(options.to_string())
}

pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|_| internal("a value cannot be written as JSON"))
}

fn public_key(cose: &[u8]) -> Result<COSEKey, PasskeyFailure> {
    COSEKey::try_from(&cose_value(cose)?).map_err(failure)
}
