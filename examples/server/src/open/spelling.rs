//! The library's names, as they are spelled on the command line here.

/// The library's options and methods, and what they are called here.
const NAMES: [(&str, &str); 10] = [
    ("accept_rp_id_change", "--accept-rp-id-change"),
    ("allow_insecure_origin", "--allow-insecure-origin"),
    ("allow_shared_file", "--allow-shared-file"),
    ("encryption_key", "the encryption key"),
    ("more_origins", "--extra-origin"),
    ("native_origins", "--native-origin"),
    ("origin", "--origin"),
    ("related_origins", "--related-origin"),
    ("rotate_signing_key", "rotate-key"),
    ("rp_id", "--rp-id"),
];

/// What one of them is called here.
pub(crate) fn spelled(name: &str) -> String {
    let known = NAMES.iter().find(|(ours, _)| *ours == name);
    known.map_or(name, |(_, here)| here).to_owned()
}
