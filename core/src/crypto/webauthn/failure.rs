//! Of each failure that webauthn-rs tells, the reason. It evaluates no statement (P3), so none of them is about one.

use webauthn_rs_core::error::WebauthnError;

use crate::error::{KeyplateError, PasskeyFailure, internal};

pub(super) fn unexpected(_: WebauthnError) -> KeyplateError {
    internal("the options of a ceremony cannot be made")
}

/// The reason in our words.
pub(super) fn failure(error: WebauthnError) -> PasskeyFailure {
    use WebauthnError as E;
    match error {
        E::InvalidClientDataType => PasskeyFailure::WrongType,
        E::MismatchedChallenge => PasskeyFailure::WrongChallenge,
        E::InvalidRPOrigin => PasskeyFailure::WrongOrigin,
        E::CredentialCrossOrigin => PasskeyFailure::CrossOrigin,
        E::InvalidRPIDHash => PasskeyFailure::WrongRpId,
        E::UserNotPresent => PasskeyFailure::UserNotPresent,
        E::UserNotVerified => PasskeyFailure::UserNotVerified,
        E::AuthenticationFailure | E::SignatureInvalid => PasskeyFailure::BadSignature,
        E::CredentialAlteredAlgFromRequest
        | E::COSEKeyInvalidAlgorithm
        | E::COSEKeyInvalidType
        | E::COSEKeyECDSAInvalidCurve
        | E::COSEKeyEDDSAInvalidCurve
        | E::COSEKeyRSANEInvalid // RSA of another size than 2048 bits
        | E::COSEKeyEDUnsupported
        | E::SshPublicKeyEDUnsupported => PasskeyFailure::UnsupportedAlgorithm,
        E::CredentialMayNotBeHardwareBound | E::CredentialBackupEligibilityInconsistent => {
            PasskeyFailure::WrongBackupFlags
        }
        _ => PasskeyFailure::Malformed,
    }
}
