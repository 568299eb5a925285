//! O3: who has lost his passkey, and what a weak credential cannot make of that (K2).

mod replacing;
mod weak;

use keyplate::{SignedIn, User};

use crate::common::*;

/// By the host's token.
fn recover(f: &Fixture, user: &User) -> SignedIn {
    let token = f.keyplate.create_recovery_token(&user.id, None).unwrap();
    redeem(f, token.secret.as_str())
}

fn redeem(f: &Fixture, secret: &str) -> SignedIn {
    f.stranger().redeem_one_time_token(secret).unwrap()
}

fn is_dead(f: &Fixture, session: &SignedIn) -> bool {
    f.keyplate.verify_session(session.secret.as_str()).is_err()
}
