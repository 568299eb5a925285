//! What webauthn-rs does for us (P1), and in which words we hear of it: options as JSON, responses as JSON, and of each
//! failure the reason.

mod failure;
#[cfg(test)]
mod vectors;

use serde::Deserialize;
use url::Url;
use webauthn_rs_core::{
    WebauthnCore,
    proto::{
        AttestationConveyancePreference, AttestationFormat, AttestationMetadata,
        AuthenticationState, AuthenticatorTransport, COSEAlgorithm, COSEKey, Credential,
        ParsedAttestation, ParsedAttestationData, PublicKeyCredential, RegisterPublicKeyCredential,
        RegisteredExtensions, RegistrationState, RequestRegistrationExtensions,
        UserVerificationPolicy,
    },
};

use crate::{
    clock,
    crypto::base64url::base64url,
    error::{PasskeyFailure, Result, internal},
};
use failure::{failure, unexpected};

/// P2.
pub(crate) const LIFETIME_SECONDS: i64 = 5 * 60;

/// More than any authenticator sends; the rest of the world need not be parsed.
const MAX_RESPONSE: usize = 64 * 1024;

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
    policy: Policy,
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
    pub(crate) backup_eligible: bool,
    pub(crate) backup_state: bool,
}

/// A verified assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Assertion {
    pub(crate) counter: u32,
    pub(crate) backup_state: bool,
}

/// The client data's members that webauthn-rs does not look at in every ceremony.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FrameData {
    #[serde(default)]
    cross_origin: bool,
    #[serde(default)]
    top_origin: Option<String>,
}

impl Verifier {
    pub(crate) fn new(rp_id: &str, origins: Vec<Url>) -> Self {
        Self::with_policy(rp_id, origins, POLICY)
    }

    pub(crate) fn with_policy(rp_id: &str, origins: Vec<Url>, policy: Policy) -> Self {
        let timeout = clock::seconds(LIFETIME_SECONDS);
        // Exact origins: no other subdomains, no other ports.
        let core = WebauthnCore::new_unsafe_experts_only(
            rp_id,
            rp_id,
            origins,
            timeout,
            Some(false),
            Some(false),
        );
        Self { core, policy }
    }

    /// PublicKeyCredentialCreationOptionsJSON, and what must be kept until the answer comes.
    pub(crate) fn begin_registration(
        &self,
        rp_name: &str,
        user: &CredentialUser<'_>,
        exclude: Vec<Vec<u8>>,
    ) -> Result<(String, RegistrationState)> {
        let builder = self
            .core
            .new_challenge_register_builder(user.handle, user.name, user.display_name)
            .map_err(unexpected)?
            .attestation(AttestationConveyancePreference::None)
            .user_verification_policy(self.policy.user_verification)
            .require_resident_key(true)
            .credential_algorithms(COSEAlgorithm::secure_algs())
            .exclude_credentials(Some(exclude))
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
        Ok((to_json(&options.public_key)?, state))
    }

    pub(crate) fn register(
        &self,
        state: &RegistrationState,
        response: &str,
    ) -> Result<NewCredential, PasskeyFailure> {
        let response: RegisterPublicKeyCredential = parse(response)?;
        check_form(&response.id, &response.raw_id, &response.type_)?;
        let told = response.extensions.cred_props.as_ref();
        let discoverable = told.and_then(|properties| properties.rk);
        if discoverable == Some(false) {
            return Err(PasskeyFailure::NotDiscoverable);
        }
        self.check_frame(&response.response.client_data_json)?;
        let credential = self
            .core
            .register_credential(&response, state, None)
            .map_err(failure)?;
        let told = attested(&response.response.attestation_object)?;
        if told.credential_id != response.raw_id {
            return Err(PasskeyFailure::Malformed);
        }
        Ok(NewCredential {
            transports: transports(response.response.transports.unwrap_or_default()),
            backup_eligible: credential.backup_eligible,
            backup_state: credential.backup_state,
            counter: credential.counter,
            ..told
        })
    }

    /// PublicKeyCredentialRequestOptionsJSON, and what must be kept. None allowed: whichever the user picks.
    pub(crate) fn begin_authentication(
        &self,
        allowed: &[(Vec<u8>, Vec<String>)],
    ) -> Result<(String, AuthenticationState)> {
        let builder = self
            .core
            .new_challenge_authenticate_builder(Vec::new(), Some(self.policy.user_verification))
            .map_err(unexpected)?;
        let (mut options, state) = self
            .core
            .generate_challenge_authenticate(builder)
            .map_err(unexpected)?;
        options.public_key.allow_credentials = allowed
            .iter()
            .map(
                |(id, transports)| webauthn_rs_core::proto::AllowCredentials {
                    type_: "public-key".to_owned(),
                    id: id.clone(),
                    transports: Some(
                        transports
                            .iter()
                            .filter_map(|name| name.parse().ok())
                            .collect(),
                    ),
                },
            )
            .collect();
        Ok((to_json(&options.public_key)?, state))
    }

    pub(crate) fn parse_assertion(response: &str) -> Result<PublicKeyCredential, PasskeyFailure> {
        let response: PublicKeyCredential = parse(response)?;
        check_form(&response.id, &response.raw_id, &response.type_)?;
        parse_authenticator_data(&response.response.authenticator_data)?;
        Ok(response)
    }

    pub(crate) fn authenticate(
        &self,
        state: &AuthenticationState,
        response: &PublicKeyCredential,
        known: &KnownCredential,
    ) -> Result<Assertion, PasskeyFailure> {
        self.check_frame(&response.response.client_data_json)?;
        let credential = self.credential(known)?;
        let result = self
            .core
            .authenticate_single_credential(response, state, &credential)
            .map_err(failure)?;
        Ok(Assertion {
            counter: result.counter(),
            backup_state: result.backup_state(),
        })
    }

    fn credential(&self, known: &KnownCredential) -> Result<Credential, PasskeyFailure> {
        Ok(Credential {
            cred_id: known.credential_id.clone(),
            cred: public_key(&known.public_key)?,
            // webauthn-rs would refuse a counter that went back; that is our setting's to decide (P3).
            counter: 0,
            transports: None,
            user_verified: self.policy.user_verification == UserVerificationPolicy::Required,
            backup_eligible: known.backup_eligible,
            backup_state: known.backup_state,
            registration_policy: self.policy.user_verification,
            extensions: RegisteredExtensions::none(),
            attestation: ParsedAttestation {
                data: ParsedAttestationData::None,
                metadata: AttestationMetadata::None,
            },
            attestation_format: AttestationFormat::None,
        })
    }

    /// WebAuthn Level 3, sections 7.1 step 10 and 7.2 step 13: nobody puts our ceremonies into a frame of their own.
    fn check_frame(&self, client_data: &[u8]) -> Result<(), PasskeyFailure> {
        let frame: FrameData =
            serde_json::from_slice(client_data).map_err(|_| PasskeyFailure::Malformed)?;
        if (frame.cross_origin || frame.top_origin.is_some()) && !self.policy.cross_origin {
            return Err(PasskeyFailure::CrossOrigin);
        }
        Ok(())
    }
}

fn parse<T: serde::de::DeserializeOwned>(response: &str) -> Result<T, PasskeyFailure> {
    if response.len() > MAX_RESPONSE {
        return Err(PasskeyFailure::Malformed);
    }
    serde_json::from_str(response).map_err(|_| PasskeyFailure::Malformed)
}

fn check_form(id: &str, raw_id: &[u8], kind: &str) -> Result<(), PasskeyFailure> {
    if id == base64url(raw_id) && kind == "public-key" {
        Ok(())
    } else {
        Err(PasskeyFailure::Malformed)
    }
}

pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|_| internal("a value cannot be written as JSON"))
}

fn transports(named: Vec<AuthenticatorTransport>) -> Vec<String> {
    named
        .into_iter()
        .filter(|transport| *transport != AuthenticatorTransport::Unknown)
        .filter_map(|transport| serde_json::to_value(transport).ok())
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}

/// What the authenticator says of a new credential.
pub(crate) fn attested(attestation_object: &[u8]) -> Result<NewCredential, PasskeyFailure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct AttestationObject<'a> {
        fmt: &'a str,
        att_stmt: serde_cbor_2::Value,
        auth_data: &'a [u8],
    }
    let object: AttestationObject<'_> =
        serde_cbor_2::from_slice(attestation_object).map_err(|_| PasskeyFailure::Malformed)?;
    // WebAuthn Level 3, section 8.7.
    let empty = serde_cbor_2::Value::Map(std::collections::BTreeMap::new());
    if object.fmt == "none" && object.att_stmt != empty {
        return Err(PasskeyFailure::BadAttestation);
    }
    parse_authenticator_data(object.auth_data)?.ok_or(PasskeyFailure::Malformed)
}

/// Authenticator data (WebAuthn Level 3, section 6.1): the credential that is in it, if there is one. webauthn-rs
/// passes over what stands behind it; here nothing may.
fn parse_authenticator_data(bytes: &[u8]) -> Result<Option<NewCredential>, PasskeyFailure> {
    const FLAGS: usize = 32;
    const ATTESTED_CREDENTIAL_DATA: u8 = 1 << 6;
    const EXTENSION_DATA: u8 = 1 << 7;
    let (fixed, mut rest) = split(bytes, FLAGS + 1 + 4)?;
    let mut credential = None;
    if fixed[FLAGS] & ATTESTED_CREDENTIAL_DATA != 0 {
        let (aaguid, after) = split(rest, 16)?;
        let (len, after) = split(after, 2)?;
        let len = usize::from(u16::from_be_bytes([len[0], len[1]]));
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
    if fixed[FLAGS] & EXTENSION_DATA != 0 {
        rest = split(rest, cbor_len(rest)?)?.1;
    }
    if rest.is_empty() {
        Ok(credential)
    } else {
        Err(PasskeyFailure::Malformed)
    }
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), PasskeyFailure> {
    bytes.split_at_checked(at).ok_or(PasskeyFailure::Malformed)
}

/// The length of the CBOR value at the beginning.
fn cbor_len(bytes: &[u8]) -> Result<usize, PasskeyFailure> {
    let mut reader = serde_cbor_2::Deserializer::from_slice(bytes);
    serde::de::IgnoredAny::deserialize(&mut reader).map_err(|_| PasskeyFailure::Malformed)?;
    Ok(reader.byte_offset())
}

fn public_key(cose: &[u8]) -> Result<COSEKey, PasskeyFailure> {
    let value: serde_cbor_2::Value =
        serde_cbor_2::from_slice(cose).map_err(|_| PasskeyFailure::Malformed)?;
    COSEKey::try_from(&value).map_err(failure)
}
