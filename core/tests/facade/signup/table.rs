//! Each mode with each kind of token.

use keyplate::{
    ErrorCode, EventKind, NewSignup, SettingsChanges, SignupMode, UserQuery, UserStatus,
};

use super::token_of_kind;
use crate::common::{signups::*, *};

/// Item 1: mode × token × approval.
#[test]
fn the_whole_table() {
    const TOKENS: [&str; 9] = [
        "none",
        "valid",
        "expired",
        "exhausted",
        "paused",
        "revoked",
        "bound to another",
        "malformed",
        "wrong checksum",
    ];
    for mode in [
        SignupMode::Disabled,
        SignupMode::WithToken,
        SignupMode::Open,
    ] {
        for kind in TOKENS {
            for approval in [false, true] {
                let f = Fixture::new();
                let changes = SettingsChanges {
                    signup_mode: Some(mode),
                    signup_approval: Some(approval),
                    ..Default::default()
                };
                f.keyplate.update_settings(changes).unwrap();
                let secret = token_of_kind(&f, kind);
                let before = f.keyplate.list_users(UserQuery::default()).unwrap().total;
                let result = f.stranger().sign_up(NewSignup {
                    email: Some("bob@x.example".to_owned()),
                    ..signup("bob", secret.as_deref())
                });
                let told = format!("{mode:?}, token {kind}, approval {approval}");
                let expected = match (mode, kind) {
                    (SignupMode::Disabled, _) | (SignupMode::WithToken, "none") => {
                        Err(ErrorCode::SignupRefused)
                    }
                    (SignupMode::Open, "none") | (_, "valid") => Ok(if approval {
                        UserStatus::Pending
                    } else {
                        UserStatus::Active
                    }),
                    _ => Err(ErrorCode::InvalidCredential),
                };
                let outcome = result
                    .map(|signed_in| signed_in.user.status)
                    .map_err(|error| error.code());
                assert_eq!(outcome, expected, "{told}");
                let made = f.keyplate.list_users(UserQuery::default()).unwrap().total - before;
                assert_eq!(made, u64::from(expected.is_ok()), "{told}");
                assert_eq!(
                    f.heard.kinds().contains(&EventKind::SignupRefused),
                    expected.is_err(),
                    "{told}"
                );
            }
        }
    }
}
