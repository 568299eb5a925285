//! What is counted because it may be tried only so often.

use crate::model::named::named;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    WrongCode,
    OpenSignUp,
    WrongUserCode,
    WrongAppPassword,
}

named!(Attempt {
    WrongCode = "wrong_code",
    OpenSignUp = "open_sign_up",
    WrongUserCode = "wrong_user_code",
    WrongAppPassword = "wrong_app_password",
});
