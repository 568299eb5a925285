use thiserror::Error;

/// Why there is no credential: what a browser would throw, or a spoil that does not fit.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum CeremonyError {
    /// The options are not what WebAuthn Level 3 defines.
    #[error("the options are malformed: {0}")]
    Type(String),
    /// The origin may not use the RP id, or is no secure context.
    #[error("{0}")]
    Security(String),
    /// The authenticator holds one of the excluded credentials.
    #[error("the authenticator holds an excluded credential")]
    InvalidState,
    /// No credential fits, or the authenticator cannot do what is required.
    #[error("{0}")]
    NotAllowed(String),
    /// The authenticator supports none of the algorithms that are asked for.
    #[error("none of the algorithms asked for is supported")]
    NotSupported,
    /// The spoil is unknown, has a bad value, or would change nothing in this ceremony.
    #[error("spoil {0}")]
    Spoil(String),
}

impl CeremonyError {
    /// The name of the exception that a browser would throw, such as `InvalidStateError`; `SpoilError` has no counterpart
    /// there.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Type(_) => "TypeError",
            Self::Security(_) => "SecurityError",
            Self::InvalidState => "InvalidStateError",
            Self::NotAllowed(_) => "NotAllowedError",
            Self::NotSupported => "NotSupportedError",
            Self::Spoil(_) => "SpoilError",
        }
    }
}
