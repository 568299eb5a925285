//! The four kinds of ceremonies, for what is the same of each.

use keyplate::{Keyplate, PasskeyCeremony, Result};
use keyplate_testkit::Spoil;

use crate::common::{passkeys::Person, signups::signup, *};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Login,
    StepUp,
    Registration,
    SignUp,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Login, Self::StepUp, Self::Registration, Self::SignUp];

    /// As the browser answers, of a person who has a passkey.
    pub(super) fn answer(self, person: &mut Person, begun: &PasskeyCeremony) -> String {
        self.spoilt(person, begun, &Spoil::default())
    }

    pub(super) fn spoilt(
        self,
        person: &mut Person,
        begun: &PasskeyCeremony,
        spoil: &Spoil,
    ) -> String {
        match self {
            Self::Login | Self::StepUp => person.get(begun, spoil),
            Self::Registration | Self::SignUp => Person::new().create(begun, spoil),
        }
    }
}

/// By somebody who is signed in, or by a stranger who wants to be called so.
pub(super) fn begin(f: &Fixture, acting: &Keyplate, kind: Kind, name: &str) -> PasskeyCeremony {
    match kind {
        Kind::Login => f.stranger().begin_passkey_login(),
        Kind::StepUp => acting.begin_step_up(),
        Kind::Registration => acting.begin_passkey_registration(),
        Kind::SignUp => {
            // From an address of its own: of one address ten may sign up.
            let from = keyplate::ClientInfo {
                address: Some(format!("2001:db8:0:{:x}::1", crc(name))),
                ..Default::default()
            };
            let stranger = f.keyplate.anonymous(from).unwrap();
            stranger.begin_passkey_signup(signup(name, None))
        }
    }
    .unwrap()
}

fn crc(name: &str) -> u32 {
    name.bytes()
        .fold(7, |sum, byte| (sum * 31 + u32::from(byte)) & 0xffff)
}

pub(super) fn finish(
    f: &Fixture,
    acting: &Keyplate,
    kind: Kind,
    ceremony: &str,
    answer: &str,
) -> Result<()> {
    let stranger = f.stranger();
    match kind {
        Kind::Login => stranger.finish_passkey_login(ceremony, answer).map(drop),
        Kind::StepUp => acting.finish_step_up(ceremony, answer).map(drop),
        Kind::Registration => acting
            .finish_passkey_registration(ceremony, answer, None)
            .map(drop),
        Kind::SignUp => stranger.finish_passkey_signup(ceremony, answer).map(drop),
    }
}
