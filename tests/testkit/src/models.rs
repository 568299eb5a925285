//! Authenticators that people have, in the shapes in which their answers come.

use crate::{
    Algorithm, Attachment, AttestationSpoil, Authenticator, Backup, PublicKeySpoil, Spoil,
};

/// A model of authenticator.
#[derive(Clone, Debug)]
pub struct Model {
    /// What people call it.
    pub name: &'static str,
    /// One that holds nothing yet.
    pub authenticator: Authenticator,
    /// What it sends at a registration beyond the plain form: the statement that it adds unasked, or a fault.
    pub registration: Spoil,
    /// Its flags of backup at later sign-ins, where they are not those of the registration.
    pub later: Option<Backup>,
}

/// A passkey that its manager synchronises, of ES256, without a statement or a counter, on this device and by way of
/// another one.
fn synced(name: &'static str, aaguid: u128) -> Model {
    let authenticator = Authenticator {
        aaguid: aaguid.to_be_bytes(),
        transports: named(&["internal", "hybrid"]),
        backup: Backup::BackedUp,
        counts: false,
        ..Authenticator::new()
    };
    Model {
        name,
        authenticator,
        registration: Spoil::default(),
        later: None,
    }
}

/// A passkey of one device, with this statement.
fn bound(name: &'static str, aaguid: u128, statement: Option<AttestationSpoil>) -> Model {
    let authenticator = Authenticator {
        aaguid: aaguid.to_be_bytes(),
        ..Authenticator::new()
    };
    Model {
        name,
        authenticator,
        registration: Spoil {
            attestation: statement,
            ..Spoil::default()
        },
        later: None,
    }
}

fn named(transports: &[&str]) -> Vec<String> {
    transports.iter().map(|name| (*name).to_owned()).collect()
}

impl Model {
    fn of(mut self, algorithm: Algorithm) -> Self {
        self.authenticator.algorithm = algorithm;
        self
    }

    fn by(mut self, transports: &[&str]) -> Self {
        self.authenticator.transports = named(transports);
        self
    }

    fn with(mut self, backup: Backup) -> Self {
        self.authenticator.backup = backup;
        self
    }

    fn then(mut self, backup: Backup) -> Self {
        self.later = Some(backup);
        self
    }

    fn roaming(mut self) -> Self {
        self.authenticator.attachment = Attachment::CrossPlatform;
        self
    }

    fn spoilt(mut self, spoil: Spoil) -> Self {
        self.registration = spoil;
        self
    }
}

/// The models, and at the end faults that some sent.
pub fn models() -> Vec<Model> {
    use AttestationSpoil as S;
    const HELLO: u128 = 0x08987058_cadc_4b81_b6e1_30de50dcbe96;
    const HELLO_SOFTWARE: u128 = 0x6028b017_b1d4_4c02_b4b3_afcdafc96bb2;
    const ICLOUD: u128 = 0xfbfc3007_154e_4ecc_8c0b_6e020557d7bd;
    const KEEPASSXC: u128 = 0xfdb141b2_5d84_443e_8a35_4698c205a502;
    const YUBIKEY: u128 = 0xee882879_721c_4913_9775_3dfcce97072a;
    vec![
        bound("Windows Hello, TPM", HELLO, Some(S::Tpm)).of(Algorithm::Rs256),
        bound("Windows Hello, without a statement", HELLO_SOFTWARE, None).of(Algorithm::Rs256),
        synced("iCloud Keychain", ICLOUD),
        bound("Apple, attested", 0, Some(S::Apple)),
        synced(
            "Google Password Manager",
            0xea9b8d66_4d01_1d21_3ce4_b6b48cb575d4,
        ),
        bound(
            "Android, SafetyNet",
            0xb93fd961_f2e6_462f_b122_82002247de78,
            Some(S::SafetyNet),
        ),
        bound(
            "Android, hardware key",
            0xb93fd961_f2e6_462f_b122_82002247de78,
            Some(S::AndroidKey),
        ),
        synced("Samsung Pass", 0x53414d53_554e_4700_0000_000000000000),
        synced("1Password", 0xbada5566_a7aa_401f_bd96_45619a55120d).by(&["internal"]),
        synced("Bitwarden", 0xd548826e_79b4_db40_a3d8_11116f7e8349).by(&["internal"]),
        bound("KeePassXC, before", KEEPASSXC, None),
        synced("KeePassXC, after", KEEPASSXC).by(&["internal"]),
        bound("KeePassXC, registered before, used after", KEEPASSXC, None).then(Backup::BackedUp),
        synced("moved out of a manager to one device", ICLOUD).then(Backup::NotEligible),
        bound("YubiKey 5, packed", YUBIKEY, Some(S::Certified))
            .by(&["usb", "nfc"])
            .roaming(),
        bound("security key of U2F's time", 0, Some(S::FidoU2f))
            .by(&["usb"])
            .roaming(),
        synced("telephone over the cable protocol", 0)
            .by(&["cable"])
            .roaming(),
        bound("self-attested, of ES384", 0, Some(S::SelfSigned)).of(Algorithm::Es384),
        bound("P-384 key called ES256", 0, None)
            .of(Algorithm::Es384)
            .spoilt(Spoil {
                public_key: Some(PublicKeySpoil::Algorithm(-7)),
                ..Spoil::default()
            }),
        bound("backed up, though it may not be", 0, None)
            .with(Backup::NotEligible)
            .spoilt(Spoil {
                backup_state: Some(true),
                ..Spoil::default()
            }),
    ]
}
