//! U1: domains by UTS 46, one address in two spellings.

use keyplate::{NewSignup, NewSignupToken, NewUser, SignupMode, UserChanges};

use super::{AnyScript, because, why};
use crate::common::{signups::set_mode, *};

const SHOWN: &str = "ann@bücher.example";
const SPELLINGS: [&str; 6] = [
    SHOWN,
    "ann@xn--bcher-kva.example",
    "ann@XN--BCHER-KVA.Example",
    "ANN@BÜCHER.EXAMPLE",
    "ann@bu\u{308}cher.example",
    "ann@bücher。example",
];

/// U1.
#[test]
fn a_domain_is_one_in_every_spelling() {
    let any = AnyScript::new();
    for first in SPELLINGS {
        let user = any.address("first", first).unwrap();
        let shown = user.email.clone().unwrap();
        assert_eq!(shown.to_lowercase(), SHOWN, "{first}");
        for second in SPELLINGS {
            let expected = because("email", "taken");
            assert_eq!(
                why(any.address("second", second)),
                expected,
                "{first} {second}"
            );
        }
        for part in [
            "bücher.ex",
            "bucher",
            "xn--bcher",
            "@BÜCHER",
            "ann@xn--bcher-kva.example",
        ] {
            assert_eq!(any.found(part), ["first"], "{first} {part}");
        }
        any.keyplate.delete_user(&user.id).unwrap();
    }
    // In ASCII it stays as it was typed.
    let plain = any.address("plain", "Ann@Mail.Example").unwrap();
    assert_eq!(plain.email.as_deref(), Some("Ann@Mail.Example"));
    // ß is a letter of its own in domains.
    any.address("one", "ann@straße.example").unwrap();
    any.address("two", "ann@strasse.example").unwrap();
    // A label that looks like another stays in ASCII; so does one with what nobody sees.
    for encoded in [
        "ann@xn--pple-43d.example",
        "ann@xn--mgba3gch31f060k.example",
    ] {
        let user = any.address("odd", encoded).unwrap();
        assert_eq!(user.email.as_deref(), Some(encoded));
        any.keyplate.delete_user(&user.id).unwrap();
    }
}

/// U1.
#[test]
fn what_is_no_domain_is_no_address() {
    let any = AnyScript::new();
    for bad in [
        "ann",
        "ann@",
        "@x.example",
        "ann@[192.0.2.1]",
        "ann@[IPv6:2001:db8::1]",
        "ann@x..example",
        "ann@-x.example",
        "ann@x-.example",
        "ann@x_y.example",
        "ann@x y.example",
        "ann@x.example.",
        "ann@xn--a.example",
        "ann@xn--.example",
        "ann@\u{301}x.example",
        "ann@x\u{fffd}.example",
        "ann@x\u{2488}example",
        "ann@אabc.example",
        "ann＠x.example",
        &format!("ann@{}.example", "x".repeat(64)),
        &format!("ann@{}.example", "ü".repeat(60)),
        "a\u{2800}nn@x.example",
        "\u{301}@x.example",
        "ａnn@x.example",
    ] {
        let (field, reason) = why(any.address("ann", bad));
        let known = ["not_email", "invisible_characters"];
        assert!(
            field == "email" && known.contains(&reason.as_str()),
            "{bad:?} {reason}"
        );
    }
    for mixed in ["аnn@x.example", "annо@x.example", "αnn@x.example"] {
        let expected = because("email", "mixed_scripts");
        assert_eq!(why(any.address("ann", mixed)), expected, "{mixed}");
    }
    for (name, good) in [
        ("a1", "оля@почта.example"),
        ("a2", "ann@почта.example"),
        ("a3", "田中abc@x.example"),
        ("a4", "o'ann+news@x.example"),
        ("a5", "zoë🎈@x.example"),
        ("a6", "ann@r3---sn.example"),
        ("a7", "ann@lan"),
    ] {
        any.address(name, good).unwrap();
    }
}

/// U1: somebody's username is nobody's address, in whatever spelling.
#[test]
fn a_username_with_a_domain_is_compared_as_an_address() {
    let any = AnyScript::new();
    any.name("ann@bücher.example").unwrap();
    let again = any.name("Ann@xn--bcher-kva.example");
    assert_eq!(why(again), because("username", "taken"));
    let address = any.address("bob", "ann@xn--bcher-kva.example");
    assert_eq!(why(address), because("email", "taken"));
}

/// S2: Chromium submits an address in ASCII.
#[test]
fn an_invitation_for_a_domain_admits_every_spelling() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::WithToken);
    let mut number = 0;
    let mut sign_up = |bound: &str, email: &str| {
        number += 1;
        let token = NewSignupToken {
            email: Some(bound.to_owned()),
            ..NewSignupToken::default()
        };
        let token = f.keyplate.create_signup_token(token).unwrap();
        f.stranger().sign_up(NewSignup {
            username: format!("u{number}"),
            email: Some(email.to_owned()),
            token: Some(token.secret),
            ..NewSignup::default()
        })
    };
    let bounds = [
        "@bücher.example",
        "@xn--bcher-kva.example",
        "@BÜCHER.example",
    ];
    for (index, bound) in bounds.into_iter().enumerate() {
        for (second, domain) in ["bücher.example", "xn--bcher-kva.example"]
            .iter()
            .enumerate()
        {
            sign_up(bound, &format!("a{index}{second}@{domain}")).unwrap();
        }
        assert!(sign_up(bound, "x@bucher.example").is_err());
        assert!(sign_up(bound, "x@sub.bücher.example").is_err());
    }
    sign_up("eve@xn--bcher-kva.example", "Eve@bücher.example").unwrap();
    assert!(sign_up("eve@bücher.example", "eva@bücher.example").is_err());
}

/// S1: the setting likewise, and a domain that is in it twice is there once.
#[test]
fn allowed_domains_admit_every_spelling() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::Open);
    let domains = ["xn--bcher-kva.example", "BÜCHER.example", "Mail.Example"].map(str::to_owned);
    let settings = f.keyplate.set_signup_email_domains(&domains).unwrap();
    assert_eq!(
        settings.signup_email_domains,
        ["bücher.example", "mail.example"]
    );
    for (name, email, ok) in [
        ("a", "a@bücher.example", true),
        ("b", "b@xn--bcher-kva.example", true),
        ("c", "c@MAIL.example", true),
        ("d", "d@bucher.example", false),
    ] {
        let signed_up = f.stranger().sign_up(NewSignup {
            username: name.to_owned(),
            email: Some(email.to_owned()),
            ..NewSignup::default()
        });
        assert_eq!(signed_up.is_ok(), ok, "{email} {signed_up:?}");
    }
    for bad in [
        "bü cher",
        "xn--a",
        "x\u{200b}y.example",
        "[192.0.2.1]",
        "a_b.example",
    ] {
        let refused = f.keyplate.set_signup_email_domains(&[bad.to_owned()]);
        assert_eq!(why(refused).0, "domains", "{bad}");
    }
}

/// U6: a form that sends the address back in the browser's spelling changes nothing.
#[test]
fn another_spelling_of_ones_domain_is_no_new_address() {
    let f = Fixture::new();
    let bob = NewUser {
        email: Some("bob@bücher.example".to_owned()),
        email_verified: true,
        ..new_user("bob")
    };
    let bob = f.keyplate.create_user(bob).unwrap();
    let his = f.acting(f.session(&bob).secret.as_str());
    let set = |email: &str| {
        let changes = UserChanges {
            email: Some(email.to_owned()),
            ..UserChanges::default()
        };
        his.update_user(&bob.id, changes).unwrap()
    };
    let after = set("bob@xn--bcher-kva.example");
    assert_eq!(
        (after.email.clone(), after.email_verified),
        (bob.email, true)
    );
    assert!(set("bob@BÜCHER.example").email_verified);
    assert!(!set("rob@bücher.example").email_verified);
}
