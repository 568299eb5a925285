//! What is counted because it may be tried only so often.

use crate::model::named::named;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    WrongCode,
    OpenSignUp,
}

named!(Attempt {
    WrongCode = "wrong_code",
    OpenSignUp = "open_sign_up",
});
