//! Keyplate's C face. Its conventions are in `docs/c-api.md`; `include/keyplate.h` is made from this crate.
//!
//! `generated/` holds, a file a noun, one function for each method of the facade, and the accessors of each record; the other
//! files hold, by hand, what these are built of.
#![expect(non_camel_case_types, reason = "the names are C's")]
#![expect(
    clippy::missing_safety_doc,
    reason = "one contract holds for every function; docs/c-api.md states it"
)]

mod boundary;
mod error;
mod events;
mod fork;
mod generated;
mod give;
mod handle;
mod http;
mod secret;
mod take;
#[cfg(debug_assertions)]
mod test_hook;
mod time_source;

use error::Failure;
pub use error::{
    keyplate_error, keyplate_error_free, keyplate_error_get_configuration_reason,
    keyplate_error_get_conflict_reason, keyplate_error_get_denial_reason, keyplate_error_get_field,
    keyplate_error_get_http_status, keyplate_error_get_input_reason, keyplate_error_get_message,
    keyplate_error_get_passkey_failure, keyplate_error_get_reason_code,
    keyplate_error_get_reason_json, keyplate_error_get_retry_after,
    keyplate_error_get_signup_refusal, keyplate_error_get_status, keyplate_error_get_thing,
};
pub use events::{keyplate_config_set_events, keyplate_data_free, keyplate_event_callback};
pub use generated::*;
pub use give::{keyplate_bytes, keyplate_str, keyplate_str_list};
pub use give::{keyplate_str_list_at, keyplate_str_list_free, keyplate_str_list_len};
pub use handle::{keyplate, keyplate_free, keyplate_version};
pub use http::{
    keyplate_cookie_new, keyplate_find_cookie, keyplate_find_credential,
    keyplate_session_cookie_new,
};
pub use secret::{
    keyplate_secret, keyplate_secret_free, keyplate_secret_new, keyplate_secret_reveal,
};
pub use take::Raw;
#[cfg(debug_assertions)]
pub use test_hook::keyplate_test_panic_in_next_call;
pub use time_source::{keyplate_config_set_time_source, keyplate_time_callback};
