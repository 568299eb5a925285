//! P1–P7: the ceremonies, each spoilt in every way, and what the passkeys are afterwards.

mod answers;
mod authenticators;
mod ceremonies;
mod eligibility;
mod kinds;
mod list;
mod login;
mod races;
mod registration;
mod setup;
mod signup;
mod signup_refusals;
mod spending;
mod tabs;

use keyplate::PasskeyFailure;
use keyplate_testkit::Spoil;

fn spoils_of_both() -> Vec<(&'static str, Spoil, PasskeyFailure)> {
    let other = Spoil::default;
    vec![
        (
            "another origin",
            Spoil {
                origin: Some("https://evil.example".to_owned()),
                ..other()
            },
            PasskeyFailure::WrongOrigin,
        ),
        (
            "another port",
            Spoil {
                origin: Some("https://media.example:8443".to_owned()),
                ..other()
            },
            PasskeyFailure::WrongOrigin,
        ),
        (
            "a subdomain",
            Spoil {
                origin: Some("https://x.media.example".to_owned()),
                ..other()
            },
            PasskeyFailure::WrongOrigin,
        ),
        (
            "without TLS",
            Spoil {
                origin: Some("http://media.example".to_owned()),
                ..other()
            },
            PasskeyFailure::WrongOrigin,
        ),
        (
            "another challenge",
            Spoil {
                challenge: Some(vec![7; 32]),
                ..other()
            },
            PasskeyFailure::WrongChallenge,
        ),
        (
            "in a frame",
            Spoil {
                cross_origin: true,
                ..other()
            },
            PasskeyFailure::CrossOrigin,
        ),
        (
            "under another page",
            Spoil {
                top_origin: Some("https://evil.example".to_owned()),
                ..other()
            },
            PasskeyFailure::CrossOrigin,
        ),
        (
            "another RP id",
            Spoil {
                rp_id: Some("evil.example".to_owned()),
                ..other()
            },
            PasskeyFailure::WrongRpId,
        ),
        (
            "nobody there",
            Spoil {
                no_user_presence: true,
                ..other()
            },
            PasskeyFailure::UserNotPresent,
        ),
        (
            "nobody verified",
            Spoil {
                no_user_verification: true,
                ..other()
            },
            PasskeyFailure::UserNotVerified,
        ),
        (
            "backed up though not eligible",
            Spoil {
                backup_state: Some(true),
                ..other()
            },
            PasskeyFailure::WrongBackupFlags,
        ),
        (
            "client data that is none",
            Spoil {
                client_data: Some(b"{}".to_vec()),
                ..other()
            },
            PasskeyFailure::Malformed,
        ),
        (
            "cut authenticator data",
            Spoil {
                truncated: 3,
                ..other()
            },
            PasskeyFailure::Malformed,
        ),
        (
            "something behind the authenticator data",
            Spoil {
                trailing_bytes: vec![0xa0],
                ..other()
            },
            PasskeyFailure::Malformed,
        ),
        (
            "another type of credential",
            Spoil {
                credential_type: Some("password".to_owned()),
                ..other()
            },
            PasskeyFailure::Malformed,
        ),
        (
            "id and rawId apart",
            Spoil {
                raw_id: Some(vec![1; 16]),
                ..other()
            },
            PasskeyFailure::Malformed,
        ),
    ]
}
