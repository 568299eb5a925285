use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};

pub(crate) fn base64url(bytes: &[u8]) -> String {
    BASE64URL.encode(bytes)
}

pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    BASE64URL.decode(text).ok()
}
