//! Ceremonies with the software authenticator of the test kit.

use keyplate::{
    Keyplate, KeyplateError, Passkey, PasskeyCeremony, PasskeyFailure, PasskeyRegistration, Result,
    SignedIn,
};
use keyplate_testkit::{Authenticator, Spoil};

use super::Fixture;

/// Where the tests' people are.
pub const ORIGIN: &str = "https://media.example";

/// Somebody at his browser.
pub struct Person {
    pub authenticator: Authenticator,
    pub origin: String,
}

impl Person {
    pub fn new() -> Self {
        Self {
            authenticator: Authenticator::new(),
            origin: ORIGIN.to_owned(),
        }
    }

    pub fn create(&mut self, ceremony: &PasskeyCeremony, spoil: &Spoil) -> String {
        self.authenticator
            .register(&self.origin, &ceremony.options, spoil)
            .unwrap()
    }

    pub fn get(&mut self, ceremony: &PasskeyCeremony, spoil: &Spoil) -> String {
        self.authenticator
            .authenticate(&self.origin, &ceremony.options, spoil)
            .unwrap()
    }

    /// Registers by a handle that acts for him.
    pub fn register(&mut self, acting: &Keyplate) -> Result<PasskeyRegistration> {
        self.register_spoilt(acting, &Spoil::default())
    }

    pub fn register_spoilt(
        &mut self,
        acting: &Keyplate,
        spoil: &Spoil,
    ) -> Result<PasskeyRegistration> {
        let ceremony = acting.begin_passkey_registration()?;
        let response = self.create(&ceremony, spoil);
        acting.finish_passkey_registration(&ceremony.ceremony, &response, None)
    }

    pub fn log_in(&mut self, stranger: &Keyplate) -> Result<SignedIn> {
        self.log_in_spoilt(stranger, &Spoil::default())
    }

    pub fn log_in_spoilt(&mut self, stranger: &Keyplate, spoil: &Spoil) -> Result<SignedIn> {
        let ceremony = stranger.begin_passkey_login()?;
        let response = self.get(&ceremony, spoil);
        stranger.finish_passkey_login(&ceremony.ceremony, &response)
    }

    pub fn step_up(&mut self, acting: &Keyplate) -> Result<SignedIn> {
        let ceremony = acting.begin_step_up()?;
        let response = self.get(&ceremony, &Spoil::default());
        acting.finish_step_up(&ceremony.ceremony, &response)
    }
}

impl Fixture {
    /// A user with a passkey, and his session by it.
    pub fn person(&self, user: &keyplate::User) -> (Person, Passkey, SignedIn) {
        let mut person = Person::new();
        let session = self.session(user);
        let registered = person
            .register(&self.acting(session.secret.as_str()))
            .unwrap();
        let signed_in = registered.signed_in.unwrap();
        (person, registered.passkey, signed_in)
    }
}

/// The reason of a ceremony's failure.
pub fn reason<T: std::fmt::Debug>(result: Result<T>) -> PasskeyFailure {
    match result {
        Err(KeyplateError::PasskeyCeremonyFailed { reason }) => reason,
        other => panic!("no ceremony failed: {other:?}"),
    }
}
