/// Something that a host wants to know of a user or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Claim {
    /// Its name: 1 to 100 characters without blanks, none that a token's issuer sets itself.
    pub key: String,
    /// Its value, at most 1000 characters.
    pub value: String,
}
