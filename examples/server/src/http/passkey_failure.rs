//! Ceremonies that failed, in words that say what to do.

use keyplate::PasskeyFailure;

pub(super) fn advice(failure: PasskeyFailure) -> &'static str {
    use PasskeyFailure as F;
    match failure {
        F::Unavailable => {
            "Passkeys cannot work at this server's address. Use a code instead, or tell the administrator"
        }
        F::UnknownCeremony => {
            "This is over, or was begun in another browser. Allow cookies for this page and try again"
        }
        F::ExpiredCeremony => "This took longer than five minutes. Try again",
        F::SpentChallenge => "This was sent twice, and works once only. Try again",
        F::WrongKind | F::WrongUser | F::WrongChallenge => {
            "Something else was begun in between, perhaps in another tab. Try again"
        }
        F::WrongOrigin | F::CrossOrigin | F::WrongRpId => {
            "This was not done on a page of this server. Open the server by its own address and try again"
        }
        F::UserNotPresent | F::UserNotVerified => {
            "The device did not check that it is you. Set up a screen lock, a PIN or a fingerprint on it and try again"
        }
        F::UnsupportedAlgorithm | F::BadAttestation => {
            "This device makes passkeys of a kind that is not accepted. Use another device"
        }
        F::NotDiscoverable => {
            "This device did not store the passkey. Use another device or a password manager"
        }
        F::CredentialTaken => "This passkey is registered already. Use another device",
        F::UnknownCredential => {
            "This passkey is not known here, or was removed. Choose another one, or sign in with a code"
        }
        F::WrongUserHandle => "This passkey belongs to another account. Choose another one",
        F::BackupEligibilityChanged => {
            "This passkey no longer is what was registered. Sign in another way and register it anew"
        }
        F::WrongBackupFlags => {
            "This device contradicts itself about copies of the passkey. Use another device"
        }
        F::CounterWentBack => {
            "This passkey may have been copied and is refused. Sign in another way, remove it and register a new one"
        }
        _ => "The device's answer could not be verified. Try again, or use another passkey",
    }
}
