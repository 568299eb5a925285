//! U1, G1: one name in two spellings.

use keyplate::Result;

use super::{AnyScript, because, why};

/// How a second name was answered.
fn same<T: std::fmt::Debug>(second: Result<T>, field: &str) -> bool {
    match second {
        Ok(_) => false,
        Err(_) => why(second).0 == field,
    }
}

/// U1, G1.
#[test]
fn full_case_folding_compares_names() {
    let any = AnyScript::new();
    let mut number = 0;
    for (one, other, is_same) in [
        ("ΟΔΟΣ", "οδοσ", true),
        ("οδος", "οδοσ", true),
        ("Straße", "STRASSE", true),
        ("STRAẞE", "strasse", true),
        ("ſam", "sam", true),
        ("ǅunja", "ǆUNJA", true),
        ("İpek", "i\u{307}pek", true),
        ("ıpek", "ipek", false),
        ("ıpek", "Ipek", false),
        ("ᾳa", "αιa", true),
        ("Ꭰꭱ", "ꭰᎡ", true),
        ("Ann", "ANN", true),
        ("Ann", "Anne", false),
        ("Müller", "Muller", false),
    ] {
        number += 1;
        let (group, other_group) = (format!("{one} {number}"), format!("{other} {number}"));
        any.group(&group).unwrap();
        let second = any.group(&other_group);
        assert_eq!(second.is_err(), is_same, "{one} {other} {second:?}");
        let (name, other_name) = (format!("{one}{number}"), format!("{other}{number}"));
        if any.name(&name).is_ok() {
            let second = any.name(&other_name);
            assert_eq!(second.is_err(), is_same, "{one} {other} {second:?}");
        }
        let (user, other_user) = (format!("u{number}"), format!("v{number}"));
        if any.address(&user, &format!("{name}@x.example")).is_ok() {
            let second = any.address(&other_user, &format!("{other_name}@x.example"));
            assert_eq!(second.is_err(), is_same, "{one} {other} {second:?}");
        }
    }
}

/// Every pair that the standard library's mappings give, but for the dotless i, whose capital is another letter's.
#[test]
fn every_pair_of_cases_is_one_name() {
    let any = AnyScript::new();
    let (mut usernames, mut addresses, mut groups) = (0, 0, 0);
    let cased = ('\u{80}'..=char::MAX).filter(|&c| c != 'ı').map(|c| {
        let upper: String = c.to_uppercase().collect();
        let lower: String = c.to_lowercase().collect();
        (c, [upper, lower])
    });
    for (c, forms) in cased {
        for other in forms.iter().filter(|form| **form != c.to_string()) {
            let number = c as u32;
            let first = format!("{c}{number}");
            let second = format!("{other}{number}");
            // A second form of the same letter finds the first one's name taken as well.
            let made = any.group(&first);
            assert!(made.is_ok() || why(made).1 == "taken");
            assert_eq!(
                why(any.group(&second)),
                because("name", "taken"),
                "{first} {second}"
            );
            groups += 1;
            if any.name(&first).is_ok() {
                assert!(same(any.name(&second), "username"), "{first} {second}");
                usernames += 1;
            }
            let of_first = any.address(
                &format!("u{usernames}x{addresses}"),
                &format!("{first}@x.example"),
            );
            if of_first.is_ok() {
                let of_second = any.address("second", &format!("{second}@x.example"));
                assert!(same(of_second, "email"), "{first} {second}");
                addresses += 1;
            }
        }
    }
    assert!(groups > 2_800, "{groups}");
    assert!(usernames > 1_300, "{usernames}");
    assert!(addresses > 1_300, "{addresses}");
}
