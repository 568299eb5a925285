//! Which noun an item of the facade belongs to, and in which order the items stand.
//!
//! The noun is the file of core that an item stands in, whatever the floor: `rules/passkeys/login.rs` and
//! `model/passkeys.rs` are both of passkeys. Headers and stubs have the nouns in the order of their names, and within one what
//! stands in the noun's own file first. That order is for those who read a difference, so it does not change when something
//! moves within core: what has moved is listed here with the place that it keeps.

use uniffi_meta::Metadata;

/// Folders of core that are floors and no nouns.
const FLOORS: &[&str] = &["rules", "gate", "db", "model", "values", "crypto"];

/// Items whose place is not that of their file.
const PLACED: &[(&str, &str)] = &[
    // The handle, how it is opened and for whom: several files of core, one thing for a host.
    ("Keyplate", "handle"),
    ("Config", "handle"),
    ("UsernamePolicy", "handle"),
    ("ClientInfo", "handle"),
    ("open", "handle"),
    ("anonymous", "handle"),
    ("acting_as", "handle"),
    ("with_client", "handle"),
    ("Principal", "principal"),
    ("Authenticated", "principal"),
    ("authenticate", "principal"),
    ("PasskeyProblem", "relying_party"),
    ("BackupReport", "backup"),
    ("PasskeyCeremony", "passkeys::ceremonies"),
    ("PasskeyRegistration", "passkeys::registration"),
];

/// The place of an item: its noun, and what part of the noun it stands in.
pub(super) fn place(module_path: &str, name: &str) -> String {
    if let Some((_, place)) = PLACED.iter().find(|(placed, _)| *placed == name) {
        return (*place).to_owned();
    }
    let mut parts: Vec<&str> = module_path.split("::").skip(1).collect();
    if parts.first().is_some_and(|first| FLOORS.contains(first)) {
        parts.remove(0);
    }
    parts.join("::")
}

/// The noun of an item.
pub(super) fn noun(module_path: &str, name: &str) -> String {
    let place = place(module_path, name);
    place.split("::").next().unwrap_or_default().to_owned()
}

/// Puts items of the same kind into the order of their places and names.
pub(super) fn sort(items: &mut [Metadata]) {
    items.sort();
    let key = |item: &Metadata| {
        let name = name(item);
        (kind(item), place(item.module_path(), name), name.to_owned())
    };
    items.sort_by_cached_key(key);
}

/// What UniFFI's order begins with.
fn kind(item: &Metadata) -> u8 {
    match item {
        Metadata::Object(_) => 0,
        Metadata::Record(_) => 1,
        Metadata::Enum(_) => 2,
        Metadata::Constructor(_) => 3,
        Metadata::Method(_) => 4,
        Metadata::TraitMethod(_) => 5,
        Metadata::CustomType(_) => 6,
        _ => 7,
    }
}

fn name(item: &Metadata) -> &str {
    match item {
        Metadata::Object(item) => &item.name,
        Metadata::Record(item) => &item.name,
        Metadata::Enum(item) => &item.name,
        Metadata::Constructor(item) => &item.name,
        Metadata::Method(item) => &item.name,
        Metadata::TraitMethod(item) => &item.name,
        Metadata::CustomType(item) => &item.name,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noun_is_the_file_on_whatever_floor() {
        for path in [
            "keyplate::passkeys::login",
            "keyplate::rules::passkeys::login",
            "keyplate::model::passkeys",
        ] {
            assert_eq!(noun(path, "x"), "passkeys");
        }
        assert_eq!(noun("keyplate::error", "x"), "error");
    }

    #[test]
    fn nothing_changes_its_place_by_moving_within_core() {
        let moved = [
            (
                "passkeys::login",
                "rules::passkeys::login",
                "begin_passkey_login",
            ),
            ("users", "model::users", "User"),
            ("keyplate", "model::config", "Config"),
            ("keyplate", "rules::open", "open"),
            ("keyplate", "gate::handle", "acting_as"),
            ("keyplate", "values::text", "UsernamePolicy"),
            ("relying_party", "values::origins", "PasskeyProblem"),
            ("principal", "rules::authenticate", "authenticate"),
            ("principal", "model::credentials", "Authenticated"),
            ("backup", "model::upkeep", "BackupReport"),
            (
                "passkeys::registration",
                "model::passkeys",
                "PasskeyRegistration",
            ),
        ];
        for (from, to, name) in moved {
            let [from, to] = [from, to].map(|path| place(&format!("keyplate::{path}"), name));
            assert_eq!(from, to, "{name}");
        }
    }
}
