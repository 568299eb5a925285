//! Authenticator data (section 6.1), spoiled where that is wished.

use ring::digest::{SHA256, digest};

use crate::{Backup, Spoil};

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKUP_STATE: u8 = 0x10;
const ATTESTED_CREDENTIAL_DATA: u8 = 0x40;

pub(crate) struct AuthenticatorData<'a> {
    pub(crate) rp_id: &'a str,
    pub(crate) user_verified: bool,
    pub(crate) backup: Backup,
    pub(crate) counter: u32,
    /// The attested credential data of a registration.
    pub(crate) attested: Option<Vec<u8>>,
}

impl AuthenticatorData<'_> {
    pub(crate) fn to_bytes(&self, spoil: &Spoil) -> Vec<u8> {
        let rp_id = spoil.rp_id.as_deref().unwrap_or(self.rp_id);
        let mut bytes = digest(&SHA256, rp_id.as_bytes()).as_ref().to_vec();
        bytes.push(self.flags(spoil));
        bytes.extend(spoil.counter.unwrap_or(self.counter).to_be_bytes());
        bytes.extend(self.attested(spoil).unwrap_or_default());
        bytes.extend(&spoil.trailing_bytes);
        bytes.truncate(bytes.len().saturating_sub(spoil.truncated));
        bytes
    }

    fn attested(&self, spoil: &Spoil) -> Option<&[u8]> {
        self.attested
            .as_deref()
            .filter(|_| !spoil.no_attested_credential_data)
    }

    fn flags(&self, spoil: &Spoil) -> u8 {
        let eligible = self.backup != Backup::NotEligible;
        let backed_up = self.backup == Backup::BackedUp;
        let flags = [
            (USER_PRESENT, !spoil.no_user_presence),
            (
                USER_VERIFIED,
                self.user_verified && !spoil.no_user_verification,
            ),
            (BACKUP_ELIGIBLE, spoil.backup_eligible.unwrap_or(eligible)),
            (BACKUP_STATE, spoil.backup_state.unwrap_or(backed_up)),
            (ATTESTED_CREDENTIAL_DATA, self.attested(spoil).is_some()),
        ];
        let set = flags.iter().filter(|(_, set)| *set);
        spoil
            .flags
            .unwrap_or_else(|| set.fold(0, |all, (flag, _)| all | flag))
    }
}
