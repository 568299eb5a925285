//! Sign-up: S1–S7, and U5 where it gives groups and claims.

mod approval;
mod limits;
mod pending;
mod races;
mod table;
mod tokens;

use keyplate::{NewSignupToken, SignupMode, SignupTokenChanges};

use crate::common::{signups::*, *};

fn token_of_kind(f: &Fixture, kind: &str) -> Option<String> {
    let bound = (kind == "bound to another").then(|| "ann@x.example".to_owned());
    let made = token(
        f,
        NewSignupToken {
            email: bound,
            ..with_uses(1)
        },
    );
    let id = &made.signup_token.id;
    let secret = made.secret.reveal();
    match kind {
        "none" => return None,
        "expired" => f.clock.advance(8 * 24 * 3_600),
        "exhausted" => {
            let mode = f.keyplate.get_settings().unwrap().signup_mode;
            set_mode(f, SignupMode::WithToken);
            f.stranger()
                .sign_up(signup("first", Some(&secret)))
                .unwrap();
            set_mode(f, mode);
        }
        "paused" => {
            let pause = SignupTokenChanges {
                enabled: Some(false),
                ..Default::default()
            };
            f.keyplate.update_signup_token(id, pause).unwrap();
        }
        "revoked" => f.keyplate.revoke_signup_token(id).unwrap(),
        "malformed" => return Some("kp_inv_short".to_owned()),
        "wrong checksum" => {
            let last = if secret.ends_with('0') { "1" } else { "0" };
            return Some(format!("{}{last}", &secret[..secret.len() - 1]));
        }
        _ => {}
    }
    Some(secret)
}
