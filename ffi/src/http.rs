//! What every host with a web server writes otherwise: the credential of a request, and the cookie of a session.

use std::{
    ffi::{CStr, c_char},
    sync::Arc,
};

use ::keyplate::{InputReason, Secret, SignedIn};

use crate::{
    boundary::{guard, peek, put},
    error::Failure,
    give::{keyplate_str, lend_text},
    keyplate_error, keyplate_secret, keyplate_signed_in, keyplate_status,
    take::{sized_text, text},
};

/// Finds the credential of a request. The arguments are the headers `Authorization`, `X-API-Key` and `Cookie`, and the name
/// of the session's cookie; NULL for what is not there. The cookie decides if there is one, then `Authorization: Bearer`,
/// then `X-API-Key`. The result is borrowed from the argument it stands in; its `ptr` is NULL when there is no credential.
/// Whether it was the cookie is written to `from_cookie`, which may be NULL: browsers send cookies by themselves, so a host
/// that changes something then has to look at `Origin`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_find_credential(
    authorization: *const c_char,
    api_key: *const c_char,
    cookie: *const c_char,
    cookie_name: *const c_char,
    from_cookie: *mut bool,
) -> keyplate_str {
    // SAFETY: each is NULL or NUL-terminated, and stays as it is while the result is used.
    let (authorization, api_key, cookie, cookie_name) = unsafe {
        (
            header(authorization),
            header(api_key),
            header(cookie),
            header(cookie_name),
        )
    };
    let in_cookie = find_cookie(cookie, cookie_name);
    if !from_cookie.is_null() {
        // SAFETY: not NULL, so a place for a truth value.
        unsafe { from_cookie.write(in_cookie.is_some()) }
    }
    let in_header = || bearer(authorization).or_else(|| said(api_key));
    lend_text(in_cookie.or_else(in_header))
}

/// Finds the value of a cookie in the header `Cookie`: the first of this name that is not empty, borrowed from `cookie`.
/// `ptr` is NULL when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_find_cookie(
    cookie: *const c_char,
    name: *const c_char,
) -> keyplate_str {
    // SAFETY: each is NULL or NUL-terminated, and stays as it is while the result is used.
    let (cookie, name) = unsafe { (header(cookie), header(name)) };
    lend_text(find_cookie(cookie, name))
}

/// Makes the value of the header `Set-Cookie` that gives a browser its session: out of reach of scripts, for this host alone,
/// and for as long as the session can last. NULL for `signed_in` makes the one that takes the cookie away. Over https set
/// `secure` and let the name begin with `__Host-`, so that no other host can set it. `out` is the caller's, because it has
/// the token in it: free it with `keyplate_secret_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_session_cookie_new(
    name: *const c_char,
    signed_in: *const keyplate_signed_in,
    secure: bool,
    out: *mut *mut keyplate_secret,
    error: *mut *mut keyplate_error,
) -> keyplate_status {
    // SAFETY: NULL or what docs/c-api.md says: text, a record, places for pointers.
    unsafe {
        guard(error, || {
            put(out, || {
                let name = text(name, "name")?;
                match peek(signed_in) {
                    None => written(name, "", 0, secure),
                    Some(signed_in) => {
                        let token = signed_in.secret.as_str();
                        written(name, token, lifetime(signed_in), secure)
                    }
                }
            })
        })
    }
}

/// Makes the value of the header `Set-Cookie` for something else that belongs to a browser, such as the `ceremony` of a
/// passkey, with the same care as `keyplate_session_cookie_new`. `value` is `value_len` bytes; with none, or with 0 for
/// `max_age_seconds`, the browser drops the cookie. Free `out` with `keyplate_secret_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_cookie_new(
    name: *const c_char,
    value: *const c_char,
    value_len: usize,
    max_age_seconds: i64,
    secure: bool,
    out: *mut *mut keyplate_secret,
    error: *mut *mut keyplate_error,
) -> keyplate_status {
    // SAFETY: NULL or what docs/c-api.md says: text, `value_len` bytes, places for pointers.
    unsafe {
        guard(error, || {
            put(out, || {
                let name = text(name, "name")?;
                let value = sized_text(value, value_len, "value")?;
                if max_age_seconds < 0 {
                    let reason = InputReason::TooSmall { least: 0 };
                    return Err(Failure::argument("max_age_seconds", reason));
                }
                written(name, value, max_age_seconds, secure)
            })
        })
    }
}

/// A header's value, or a name; none where it is not text, since no credential of ours is anything else.
///
/// # Safety
/// `value` is NULL or NUL-terminated, and stays as it is for `'a`.
unsafe fn header<'a>(value: *const c_char) -> Option<&'a str> {
    if value.is_null() {
        return None;
    }
    // SAFETY: not NULL, so NUL-terminated.
    unsafe { CStr::from_ptr(value) }.to_str().ok()
}

fn find_cookie<'a>(header: Option<&'a str>, name: Option<&str>) -> Option<&'a str> {
    let name = said(name)?;
    let pairs = header?.split(';').filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(other, _)| other.trim() == name)
        .find_map(|(_, value)| said(Some(value)))
}

/// RFC 6750, section 2.1; the scheme's case does not matter (RFC 9110, section 11.1).
fn bearer(header: Option<&str>) -> Option<&str> {
    let (scheme, token) = header?.trim().split_once(' ')?;
    said(Some(token)).filter(|_| scheme.eq_ignore_ascii_case("bearer"))
}

/// Without blanks at its ends; none where nothing is left.
fn said(value: Option<&str>) -> Option<&str> {
    value.map(str::trim).filter(|value| !value.is_empty())
}

/// A step-up gives a new token to a session that has lived for a while.
fn lifetime(signed_in: &SignedIn) -> i64 {
    let session = &signed_in.session;
    let since = session.stepped_up_at.unwrap_or(session.signed_in_at);
    let lifetime = session.expires_at.duration_since(since).unwrap_or_default();
    i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX)
}

/// RFC 6265, section 4.1; for `__Host-` its successor's section 4.1.3.2, by which browsers drop such a cookie without
/// `Secure`.
fn written(name: &str, value: &str, max_age: i64, secure: bool) -> Result<Arc<Secret>, Failure> {
    let is_letter = |byte: u8| byte.is_ascii_graphic() && !br#"()<>@,;:\"/[]?={}"#.contains(&byte);
    if name.is_empty() || !name.bytes().all(is_letter) {
        return Err(not("name", "the name of a cookie"));
    }
    if !value
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !br#"",;\"#.contains(&byte))
    {
        return Err(not("value", "the value of a cookie"));
    }
    let lower = name.to_ascii_lowercase();
    if !secure && (lower.starts_with("__host-") || lower.starts_with("__secure-")) {
        let reason = InputReason::Needs {
            field: "secure".to_owned(),
        };
        return Err(Failure::argument("name", reason));
    }
    let max_age = if value.is_empty() { 0 } else { max_age };
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
    Ok(Arc::new(Secret::new(text)))
}

fn not(field: &str, expected: &str) -> Failure {
    let expected = expected.to_owned();
    Failure::argument(field, InputReason::WrongType { expected })
}
