//! Sign-up tokens, and who signs up by them.

use keyplate::{
    CreatedSignupToken, Keyplate, Limit, NewSignup, NewSignupToken, PasskeyCeremony, Result,
    SessionQuery, SettingsChanges, SignedIn, SignupMode, SignupRedemptionQuery, SignupTokenQuery,
    UserQuery,
};
use keyplate_testkit::Spoil;

use super::{Fixture, passkeys::Person};

pub fn set_mode(f: &Fixture, signup_mode: SignupMode) {
    let changes = SettingsChanges {
        signup_mode: Some(signup_mode),
        ..Default::default()
    };
    f.keyplate.update_settings(changes).unwrap();
}

pub fn token(f: &Fixture, token: NewSignupToken) -> CreatedSignupToken {
    f.keyplate.create_signup_token(token).unwrap()
}

pub fn with_uses(most: i64) -> NewSignupToken {
    NewSignupToken {
        uses: Some(Limit::AtMost { most }),
        ..Default::default()
    }
}

pub fn signup(username: &str, token: Option<&str>) -> NewSignup {
    NewSignup {
        username: username.to_owned(),
        token: token.map(super::secret),
        ..Default::default()
    }
}

impl Person {
    /// Passkey-first (S8).
    pub fn sign_up(&mut self, stranger: &Keyplate, signup: NewSignup) -> Result<SignedIn> {
        let ceremony = stranger.begin_passkey_signup(signup)?;
        let response = self.create(&ceremony, &Spoil::default());
        stranger.finish_passkey_signup(&ceremony.ceremony, &response)
    }
}

/// Uses, redemptions, accounts.
pub fn counts(keyplate: &Keyplate) -> (i64, i64, i64) {
    let query = SignupTokenQuery {
        limit: Some(1_000),
        ..Default::default()
    };
    let tokens = keyplate.list_signup_tokens(query).unwrap();
    let uses = tokens.items.iter().map(|token| token.uses).sum();
    let redemptions = keyplate.list_signup_redemptions(SignupRedemptionQuery::default());
    let users = keyplate.list_users(UserQuery::default());
    (uses, redemptions.unwrap().total, users.unwrap().total)
}

pub fn invited(uses: i64) -> (Fixture, CreatedSignupToken) {
    let f = Fixture::new();
    set_mode(&f, SignupMode::WithToken);
    let made = token(&f, with_uses(uses));
    (f, made)
}

/// A ceremony begun, and the browser's answer.
pub fn begun(f: &Fixture, signup: NewSignup) -> (PasskeyCeremony, String) {
    let ceremony = f.stranger().begin_passkey_signup(signup).unwrap();
    let response = Person::new().create(&ceremony, &Spoil::default());
    (ceremony, response)
}

/// Nobody came in and nothing was used.
pub fn assert_untouched(f: &Fixture, users: i64) {
    assert_eq!(counts(&f.keyplate), (0, 0, users));
    assert!(f.keyplate.list_passkeys(None).unwrap().is_empty());
    let sessions = f.keyplate.list_sessions(SessionQuery::default()).unwrap();
    assert_eq!(sessions.total, 0);
}
