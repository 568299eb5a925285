//! U1: characters that nobody sees, and letters of other scripts.

use std::ops::RangeInclusive;

use keyplate::{GroupChanges, NewApiKey, NewService, UserChanges};

use super::{AnyScript, because, why};
use crate::common::*;

/// `Default_Ignorable_Code_Point` of the Unicode Character Database 17.0, DerivedCoreProperties.txt.
const IGNORABLE: [RangeInclusive<u32>; 17] = [
    0xad..=0xad,
    0x34f..=0x34f,
    0x61c..=0x61c,
    0x115f..=0x1160,
    0x17b4..=0x17b5,
    0x180b..=0x180f,
    0x200b..=0x200f,
    0x202a..=0x202e,
    0x2060..=0x206f,
    0x3164..=0x3164,
    0xfe00..=0xfe0f,
    0xfeff..=0xfeff,
    0xffa0..=0xffa0,
    0xfff0..=0xfff8,
    0x1bca0..=0x1bca3,
    0x1d173..=0x1d17a,
    0xe0000..=0xe0fff,
];

fn ignorable() -> impl Iterator<Item = char> {
    IGNORABLE.into_iter().flatten().filter_map(char::from_u32)
}

/// Scripts and emoji are written with these.
fn joins(c: char) -> bool {
    matches!(
        c as u32,
        0x200c..=0x200d | 0xfe00..=0xfe0f | 0xe0100..=0xe01ef | 0x180b..=0x180f
    )
}

/// U1.
#[test]
fn no_username_and_no_address_has_a_character_that_nobody_sees() {
    assert_eq!(ignorable().count(), 4174, "the total of the database");
    let any = AnyScript::new();
    for c in ignorable() {
        for name in [format!("an{c}n"), format!("{c}ann"), format!("ann{c}")] {
            let (field, reason) = why(any.name(&name));
            // Those that turn the direction, and those that NFC takes away, were refused before.
            let known = [
                "invisible_characters",
                "control_characters",
                "not_normalised",
            ];
            assert!(
                field == "username" && known.contains(&reason.as_str()),
                "{name:?} {reason}"
            );
        }
        for address in [
            format!("an{c}n@x.example"),
            format!("ann@x{c}y.example"),
            format!("ann@x.exa{c}mple"),
            format!("{c}@x.example"),
        ] {
            let (field, reason) = why(any.address("ann", &address));
            let known = ["invisible_characters", "control_characters"];
            assert!(
                field == "email" && known.contains(&reason.as_str()),
                "{address:?} {reason}"
            );
        }
    }
    assert!(any.found("").is_empty());
}

/// U1, G1: the same look is the same name.
#[test]
fn names_that_people_read_have_something_to_be_seen() {
    let any = AnyScript::new();
    let ann = any.name("ann").unwrap();
    let display = |text: &str| {
        let changes = UserChanges {
            display_name: Some(text.to_owned()),
            ..UserChanges::default()
        };
        any.keyplate.update_user(&ann.id, changes)
    };
    let family = any.group("family").unwrap();
    for c in ignorable() {
        let unseen = format!("{c}{c}");
        assert!(why(display(&unseen)).0 == "display_name", "{unseen:?}");
        assert_eq!(why(any.group(&unseen)).0, "name", "{unseen:?}");
        let within = format!("fam{c}ily");
        let changes = GroupChanges {
            friendly_name: Some(within.clone()),
            ..GroupChanges::default()
        };
        let shown = any.keyplate.update_group(&family.id, changes);
        assert_eq!(shown.is_ok(), joins(c), "{within:?} {shown:?}");
        assert_eq!(display(&within).is_ok(), joins(c), "{within:?}");
        assert!(any.group(&within).is_err(), "{within:?}");
    }
    for unseen in [
        "\u{2800}",
        "\u{2800} \u{2800}",
        "\u{301}\u{302}",
        "\u{20dd}",
        "\u{3164}\u{fe0f}",
        "\u{200d}",
        "\u{fffa}",
        "\u{1d159}",
        "\u{13441}",
    ] {
        assert_eq!(
            why(display(unseen)),
            because("display_name", "nothing_visible"),
            "{unseen:?}"
        );
    }
    for seen in [
        "Ann",
        "Zoë ❤\u{fe0f}",
        "👩\u{200d}🚀",
        "क्\u{200d}ष",
        "می\u{200c}خواهم",
        "Ann \u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "ᠮᠣᠩᠭᠣᠯ\u{180e}ᠠ",
        ".",
    ] {
        assert_eq!(display(seen).unwrap().display_name.as_deref(), Some(seen));
    }
    for hidden in [
        "Ann\u{e0041}",
        "Ann\u{200b}",
        "\u{200f}Ann",
        "A\u{1f3f4}x\u{e0041}",
    ] {
        let expected = because("display_name", "invisible_characters");
        assert_eq!(why(display(hidden)), expected, "{hidden:?}");
    }
}

/// The same rule at every text that is shown.
#[test]
fn every_name_that_is_shown_has_something_to_be_seen() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let host = &f.keyplate;
    let key = NewApiKey {
        note: Some("\u{200b}".to_owned()),
        ..new_key(Some(&bob), &["*"])
    };
    let field = |field: &str| because(field, "nothing_visible");
    assert_eq!(why(host.create_api_key(key)), field("note"));
    let key = NewApiKey {
        name: "\u{2800}".to_owned(),
        ..new_key(Some(&bob), &["*"])
    };
    assert_eq!(why(host.create_api_key(key)), field("name"));
    let films = NewService {
        slug: "films".to_owned(),
        name: Some("\u{3164}".to_owned()),
        ..NewService::default()
    };
    assert_eq!(why(host.create_service(films)), field("name"));
    let named = |changes| why(host.update_user(&bob.id, changes));
    let text = || Some("\u{feff}\u{301}".to_owned());
    let first = UserChanges {
        first_name: text(),
        ..UserChanges::default()
    };
    assert_eq!(named(first), field("first_name"));
    let last = UserChanges {
        last_name: text(),
        ..UserChanges::default()
    };
    assert_eq!(named(last), field("last_name"));
    let token = keyplate::NewSignupToken {
        note: text(),
        ..Default::default()
    };
    assert_eq!(why(host.create_signup_token(token)), field("note"));
    let settings = keyplate::SettingsChanges {
        app_name: text(),
        ..Default::default()
    };
    assert_eq!(why(host.update_settings(settings)), field("app_name"));
    let client = keyplate::ClientInfo {
        device_name: text(),
        ..Default::default()
    };
    assert_eq!(why(host.anonymous(client).map(drop)), field("device_name"));
}

/// U1: UTS 39, highly restrictive.
#[test]
fn letters_of_one_username_belong_together() {
    let any = AnyScript::new();
    for good in [
        "Änn",
        "оля",
        "οδυσσέας",
        "שרה",
        "فاطمة",
        "たなか太郎",
        "田中abc",
        "タナカLab",
        "김민수kim",
        "漢字ㄅㄆ",
        "ann.lee-2_x",
        "оля2",
        "оля@mail.example",
        "ann@почта.example",
    ] {
        any.name(good).unwrap();
    }
    for mixed in [
        "аnn",
        "annа",
        "оля.ann",
        "αnn",
        "annשרה",
        "カタ김",
        "оляたなか",
        "ㄅたなか",
        "ann١",
        "аnn@mail.example",
        "ann@pаypal.example",
    ] {
        let expected = because("username", "mixed_scripts");
        assert_eq!(why(any.name(mixed)), expected, "{mixed}");
    }
    // Letters that stand for others.
    for disguised in ["ａnn", "𝐚𝐧𝐧", "ann²", "ⓐnn", "ﾀﾅｶ"] {
        let expected = because("username", "not_username");
        assert_eq!(why(any.name(disguised)), expected, "{disguised}");
    }
}
