//! Text that must not be seen by accident.

use std::fmt;

use zeroize::Zeroizing;

/// A secret. It is redacted wherever it is printed, and wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object), uniffi::export(Display))]
pub struct Secret(Zeroizing<String>);

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Secret {
    /// Wraps a secret that the host has.
    #[cfg_attr(feature = "uniffi", uniffi::constructor)]
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// Returns the secret itself. Show it once and store it nowhere. It is up to the caller to wipe this copy.
    pub fn reveal(&self) -> String {
        self.as_str().to_owned()
    }
}

impl Secret {
    /// The secret itself, borrowed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
