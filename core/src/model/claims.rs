//! Claims of users and groups.

/// Something that a host wants to know about a user or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Claim {
    /// Its name: 1 to 100 characters without blanks, and not one that a token's issuer sets itself.
    pub key: String,
    /// Its value, of at most 1000 characters.
    pub value: String,
}
