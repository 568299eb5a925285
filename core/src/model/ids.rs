//! Ids: UUIDs of version 7, with a type for each noun.

use std::{fmt, time::SystemTime};

use uuid::Uuid;

use crate::{
    clock,
    crypto::encryption,
    error::{InputReason, Result, invalid},
};

/// The length of a UUID in its text form.
const TEXT_LEN: usize = 36;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        // Text, not 16 bytes: every face lends it as text, and the database can be read by eye.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; TEXT_LEN]);

        impl $name {
            /// Reads an id in its text form, in either case.
            ///
            /// # Errors
            /// `InvalidInput` when it is not a UUID.
            pub fn parse(text: &str) -> Result<Self> {
                parse(text).map(Self).ok_or_else(|| invalid($field, InputReason::NotUuid))
            }

            /// The id in its text form: lower case, with hyphens.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).expect("only made from a UUID's text")
            }

            /// An id that was checked when it was stored.
            pub(crate) fn from_stored(text: &str) -> Option<Self> {
                let bytes = text.as_bytes().try_into().ok()?;
                text.is_ascii().then_some(Self(bytes))
            }

            pub(crate) fn generate(now: SystemTime) -> Result<Self> {
                generate(now).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        #[cfg(feature = "uniffi")]
        uniffi::custom_type!($name, String, {
            try_lift: |text| Ok($name::parse(&text)?),
            lower: |id| id.as_str().to_owned(),
        });
    };
}

id!(
    /// The id of a user. It is never given to anybody else, not even after the user is deleted.
    UserId,
    "user_id"
);
id!(
    /// The id of a session.
    SessionId,
    "session_id"
);
id!(
    /// The id of an API key. It stays the same when the key is rotated.
    ApiKeyId,
    "api_key_id"
);

id!(
    /// The id of a group.
    GroupId,
    "group_id"
);
id!(
    /// The id of a sign-up token.
    SignupTokenId,
    "signup_token_id"
);
id!(
    /// The id of one use of a sign-up token.
    SignupRedemptionId,
    "signup_redemption_id"
);
id!(
    /// The id of a one-time token.
    OneTimeTokenId,
    "one_time_token_id"
);
id!(
    /// The id of a passkey.
    PasskeyId,
    "passkey_id"
);
id!(
    /// The id of an app password.
    AppPasswordId,
    "app_password_id"
);
id!(
    /// The id of a device's request to be signed in.
    DeviceLoginId,
    "device_login_id"
);
id!(
    /// The id of a link by which a user adds another device.
    DeviceLinkId,
    "device_link_id"
);
id!(
    /// The id of a service.
    ServiceId,
    "service_id"
);

fn parse(text: &str) -> Option<[u8; TEXT_LEN]> {
    // `Uuid` also reads braces, URNs and forms without hyphens; one id has one form here.
    if text.len() != TEXT_LEN {
        return None;
    }
    Uuid::try_parse(text).ok().map(to_text)
}

/// A version 7 UUID: ids made later sort later.
fn generate(now: SystemTime) -> Result<[u8; TEXT_LEN]> {
    let random = encryption::random::<10>()?;
    let millis = u64::try_from(clock::to_millis(now)).unwrap_or(0);
    Ok(to_text(
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid(),
    ))
}

/// An id that no face has a type for.
pub(crate) fn generate_text(now: SystemTime) -> Result<String> {
    Ok(String::from_utf8_lossy(&generate(now)?).into_owned())
}

fn to_text(id: Uuid) -> [u8; TEXT_LEN] {
    let mut text = [0; TEXT_LEN];
    id.hyphenated().encode_lower(&mut text);
    text
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn an_id_has_one_text_form() {
        let id = UserId::parse("0190A1B2-0000-7000-8000-00000000ABCD").unwrap();
        assert_eq!(id.as_str(), "0190a1b2-0000-7000-8000-00000000abcd");
        assert_eq!(format!("{id:?}"), id.to_string());
        for bad in [
            "",
            "x",
            "0190a1b2000070008000000000000000",
            "{0190a1b2-0000-7000-8000-00000000abcd}",
        ] {
            let error = UserId::parse(bad).unwrap_err();
            assert_eq!(error.field().as_deref(), Some("user_id"));
        }
    }

    #[test]
    fn ids_sort_by_time_and_differ() {
        let at = |seconds| UserId::generate(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        assert!(at(1_000) < at(1_001));
        assert_ne!(at(1_000), at(1_000));
    }
}
