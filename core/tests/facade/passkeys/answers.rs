//! What browsers and password managers answer, in the forms in which they do: JSON, origins, credential ids, keys,
//! transports.

use keyplate::{Keyplate, PasskeyCeremony, PasskeyFailure};
use keyplate_testkit::{Algorithm, PublicKeySpoil, Spoil, UserHandleSpoil};
use serde_json::{Value, json};

use crate::common::{
    passkeys::{ORIGIN, Person, reason},
    *,
};

/// An answer with something changed in it.
fn changed(answer: &str, change: impl Fn(&mut Value)) -> String {
    let mut answer = serde_json::from_str(answer).unwrap();
    change(&mut answer);
    answer.to_string()
}

/// Registers, and gives what the library says to the changed answer.
fn register_changed(
    acting: &Keyplate,
    person: &mut Person,
    change: impl Fn(&mut Value),
) -> keyplate::Result<keyplate::Passkey> {
    let ceremony = acting.begin_passkey_registration()?;
    let answer = changed(&person.create(&ceremony, &Spoil::default()), change);
    let finished = acting.finish_passkey_registration(&ceremony.ceremony, &answer, None)?;
    Ok(finished.passkey)
}

/// A change that is nothing to the library.
type Harmless = (&'static str, fn(&mut Value));

const HARMLESS: [Harmless; 7] = [
    ("no results of extensions", |answer| {
        answer
            .as_object_mut()
            .unwrap()
            .remove("clientExtensionResults");
    }),
    ("null for them", |answer| {
        answer["clientExtensionResults"] = Value::Null;
    }),
    ("null for one of them", |answer| {
        answer["clientExtensionResults"] = json!({ "credProps": null });
    }),
    ("results that nobody asked for", |answer| {
        answer["clientExtensionResults"] =
            json!({ "prf": { "enabled": 1 }, "appid": "x", "credProps": {} });
    }),
    ("no attachment", |answer| {
        answer["authenticatorAttachment"] = Value::Null;
    }),
    ("members of a later level", |answer| {
        answer["response"]["later"] = json!([1]);
        answer["later"] = json!({});
    }),
    ("without transports", |answer| {
        answer["response"]
            .as_object_mut()
            .unwrap()
            .remove("transports");
    }),
];

#[test]
fn what_managers_leave_out_or_add_is_nothing_to_us() {
    let f = Fixture::new();
    let acting = f.acting(f.session(&f.user("bob")).secret.as_str());
    for (number, (what, change)) in HARMLESS.into_iter().enumerate() {
        let user = f.user(&format!("user{number}"));
        let acting = f.acting(f.session(&user).secret.as_str());
        let mut person = Person::new();
        let passkey = register_changed(&acting, &mut person, change);
        assert!(passkey.is_ok(), "registering, {what}: {passkey:?}");

        let login = f.stranger().begin_passkey_login().unwrap();
        let answer = changed(&person.get(&login, &Spoil::default()), change);
        let signed_in = f.stranger().finish_passkey_login(&login.ceremony, &answer);
        assert!(signed_in.is_ok(), "signing in, {what}: {signed_in:?}");
    }
    let passkey = register_changed(&acting, &mut Person::new(), |answer| {
        answer["response"]["transports"] = Value::Null;
    });
    assert_eq!(passkey.unwrap().transports, Vec::<String>::new());
}

/// The values of these members without their names, which some readers take for the object.
fn listed(object: &Value, names: &[&str]) -> Value {
    names.iter().map(|name| object[name].clone()).collect()
}

#[test]
fn answers_that_are_none_are_malformed() {
    let f = Fixture::new();
    let acting = f.acting(f.session(&f.user("bob")).secret.as_str());
    let harmful: [Harmless; 10] = [
        ("no id", |answer| {
            answer.as_object_mut().unwrap().remove("id");
        }),
        ("no rawId", |answer| {
            answer.as_object_mut().unwrap().remove("rawId");
        }),
        ("padded base64", |answer| {
            answer["rawId"] = json!(format!("{}=", answer["rawId"].as_str().unwrap()));
        }),
        ("no response", |answer| answer["response"] = Value::Null),
        ("no client data", |answer| {
            answer["response"]["clientDataJSON"] = Value::Null;
        }),
        ("bytes as an object", |answer| {
            answer["response"]["clientDataJSON"] = json!({});
        }),
        ("results as a list", |answer| {
            answer["clientExtensionResults"] = json!(["credProps"]);
        }),
        ("no object at all", |answer| *answer = json!("x")),
        ("the values in a list", |answer| {
            let names = ["id", "rawId", "type", "response", "clientExtensionResults"];
            *answer = listed(answer, &names);
        }),
        ("the response's values in a list", |answer| {
            let names: &[_] = match answer["response"].get("signature") {
                Some(_) => &[
                    "clientDataJSON",
                    "authenticatorData",
                    "signature",
                    "userHandle",
                ],
                None => &["clientDataJSON", "attestationObject", "transports"],
            };
            answer["response"] = listed(&answer["response"], names);
        }),
    ];
    let (mut bob, ..) = f.person(&f.user("cid"));
    for (what, change) in harmful {
        let result = register_changed(&acting, &mut Person::new(), change);
        assert_eq!(reason(result), PasskeyFailure::Malformed, "{what}");
        let login = f.stranger().begin_passkey_login().unwrap();
        let answer = changed(&bob.get(&login, &Spoil::default()), change);
        let result = f.stranger().finish_passkey_login(&login.ceremony, &answer);
        assert_eq!(reason(result), PasskeyFailure::Malformed, "{what}");
    }
}

/// The client data that a browser would make, with something changed in it; it is signed afterwards.
fn client_data(ceremony: &PasskeyCeremony, kind: &str, change: impl Fn(&mut Value)) -> Spoil {
    let options: Value = serde_json::from_str(&ceremony.options).unwrap();
    let mut members = json!({
        "type": kind, "challenge": options["challenge"], "origin": ORIGIN, "crossOrigin": false,
    });
    change(&mut members);
    Spoil {
        client_data: Some(members.to_string().into_bytes()),
        ..Spoil::default()
    }
}

/// A change of the client data, and why it is refused, if it is.
type InClientData = (&'static str, fn(&mut Value), Option<PasskeyFailure>);

#[test]
fn client_data_is_read_as_browsers_write_it() {
    let f = Fixture::new();
    let cases: [InClientData; 12] = [
        (
            "crossOrigin null",
            |data| data["crossOrigin"] = Value::Null,
            None,
        ),
        (
            "no crossOrigin",
            |data| {
                data.as_object_mut().unwrap().remove("crossOrigin");
            },
            None,
        ),
        (
            "topOrigin null",
            |data| data["topOrigin"] = Value::Null,
            None,
        ),
        (
            "an unknown member",
            |data| data["extraData"] = json!("later"),
            None,
        ),
        (
            "token binding",
            |data| data["tokenBinding"] = json!({ "status": "supported" }),
            None,
        ),
        (
            "padding of the challenge",
            |data| data["challenge"] = json!(format!("{}=", data["challenge"].as_str().unwrap())),
            Some(PasskeyFailure::WrongChallenge),
        ),
        (
            "a challenge of another ceremony",
            |data| data["challenge"] = json!("A".repeat(43)),
            Some(PasskeyFailure::WrongChallenge),
        ),
        (
            "capital letters in the origin",
            |data| data["origin"] = json!("https://MEDIA.example"),
            Some(PasskeyFailure::WrongOrigin),
        ),
        (
            "a slash behind it",
            |data| data["origin"] = json!("https://media.example/"),
            Some(PasskeyFailure::WrongOrigin),
        ),
        (
            "a path, a port, a user",
            |data| data["origin"] = json!("https://me@media.example:443/path?query#fragment"),
            Some(PasskeyFailure::WrongOrigin),
        ),
        (
            "white space",
            |data| data["origin"] = json!(" https://media.example"),
            Some(PasskeyFailure::WrongOrigin),
        ),
        (
            "no text",
            |data| data["origin"] = json!(["https://media.example"]),
            Some(PasskeyFailure::Malformed),
        ),
    ];
    for (number, (what, change, expected)) in cases.into_iter().enumerate() {
        let user = f.user(&format!("user{number}"));
        let acting = f.acting(f.session(&user).secret.as_str());
        let mut person = Person::new();
        let ceremony = acting.begin_passkey_registration().unwrap();
        let answer = person.create(
            &ceremony,
            &client_data(&ceremony, "webauthn.create", change),
        );
        let registered = acting.finish_passkey_registration(&ceremony.ceremony, &answer, None);
        if let Some(expected) = expected {
            assert_eq!(reason(registered), expected, "registering, {what}");
            person.register(&acting).unwrap();
        } else {
            assert!(registered.is_ok(), "registering, {what}: {registered:?}");
        }
        let login = f.stranger().begin_passkey_login().unwrap();
        let answer = person.get(&login, &client_data(&login, "webauthn.get", change));
        let signed_in = f.stranger().finish_passkey_login(&login.ceremony, &answer);
        match expected {
            Some(expected) => assert_eq!(reason(signed_in), expected, "signing in, {what}"),
            None => assert!(signed_in.is_ok(), "signing in, {what}: {signed_in:?}"),
        }
        f.clock.advance(60); // each refusal has a row of its own
    }
}

/// They stay refused: docs/passkeys.md names them.
#[test]
fn a_byte_order_mark_and_numbered_extensions_are_refused() {
    let f = Fixture::new();
    let acting = f.acting(f.session(&f.user("bob")).secret.as_str());
    let ceremony = acting.begin_passkey_registration().unwrap();
    let mut marked = client_data(&ceremony, "webauthn.create", |_| {});
    let plain = marked.client_data.take().unwrap();
    marked.client_data = Some([b"\xef\xbb\xbf", &plain[..]].concat());
    let answer = Person::new().create(&ceremony, &marked);
    let result = acting.finish_passkey_registration(&ceremony.ceremony, &answer, None);
    assert_eq!(reason(result), PasskeyFailure::Malformed);

    // UP, UV, AT and ED; a map with the key 1, or with a name.
    let extended = |map: &[u8]| Spoil {
        flags: Some(0b1100_0101),
        trailing_bytes: map.to_vec(),
        ..Spoil::default()
    };
    let numbered = Person::new().register_spoilt(&acting, &extended(b"\xa1\x01\xf5"));
    assert_eq!(reason(numbered), PasskeyFailure::Malformed);
    let named = Person::new().register_spoilt(&acting, &extended(b"\xa1\x61x\xf5"));
    assert!(named.is_ok(), "{named:?}");
}

#[test]
fn credential_ids_have_1_to_1023_bytes() {
    let f = Fixture::new();
    for (len, is_good) in [
        (0, false),
        (1, true),
        (1_023, true),
        (1_024, false),
        (5_000, false),
    ] {
        let user = f.user(&format!("user{len}"));
        let acting = f.acting(f.session(&user).secret.as_str());
        let spoil = Spoil {
            credential_id: Some(vec![7; len]),
            ..Spoil::default()
        };
        let mut person = Person::new();
        let registered = person.register_spoilt(&acting, &spoil);
        let signed_in = |person: &mut Person| person.log_in_spoilt(&f.stranger(), &spoil);
        if is_good {
            assert_eq!(registered.unwrap().passkey.user_id, user.id);
            assert_eq!(
                signed_in(&mut person).unwrap().user.id,
                user.id,
                "{len} bytes"
            );
        } else {
            assert_eq!(reason(registered), PasskeyFailure::Malformed, "{len} bytes");
            assert_eq!(reason(signed_in(&mut person)), PasskeyFailure::Malformed);
        }
        f.clock.advance(60);
    }
}

/// WebAuthn Level 3, section 5.8.5; every combination is tried beside the code.
#[test]
fn a_key_that_is_not_its_algorithms_is_refused_at_registration() {
    let f = Fixture::new();
    for of_key in [Algorithm::Es256, Algorithm::Es384, Algorithm::Rs256] {
        let user = f.user(&format!("user{}", of_key.cose().abs()));
        let acting = f.acting(f.session(&user).secret.as_str());
        let mut person = Person::new();
        person.authenticator.algorithm = of_key;
        for called in [-7, -35, -36, -8, -257, -65535] {
            if called == of_key.cose() {
                continue;
            }
            let spoil = Spoil {
                public_key: Some(PublicKeySpoil::Algorithm(called)),
                ..Spoil::default()
            };
            let refused = reason(person.register_spoilt(&acting, &spoil));
            let expected = PasskeyFailure::UnsupportedAlgorithm;
            assert_eq!(refused, expected, "{of_key:?} called {called}");
        }
        person.register(&acting).unwrap();
        person.log_in(&f.stranger()).unwrap();
    }
}

/// P3.
#[test]
fn a_credential_that_is_registered_again_is_taken() {
    let f = Fixture::new();
    let (bob, passkey, session) = f.person(&f.user("bob"));
    let again = Spoil {
        credential_id: Some(bob.authenticator.credentials[0].id.clone()),
        ..Spoil::default()
    };
    // By its owner, whose options exclude it, as by anybody else.
    let own = f.acting(session.secret.as_str());
    let result = Person::new().register_spoilt(&own, &again);
    assert_eq!(reason(result), PasskeyFailure::CredentialTaken);
    let cid = f.acting(f.session(&f.user("cid")).secret.as_str());
    let result = Person::new().register_spoilt(&cid, &again);
    assert_eq!(reason(result), PasskeyFailure::CredentialTaken);
    let kept = f.keyplate.list_passkeys(None).unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (&kept[0].id, &kept[0].user_id),
        (&passkey.id, &passkey.user_id)
    );
}

#[test]
fn transports_of_any_name_are_kept_and_sent_back() {
    let f = Fixture::new();
    let mut bob = Person::new();
    let long = "x".repeat(32);
    let named = [
        "internal",
        "cable",
        "smart-card",
        "zigbee",
        "übertragung",
        long.as_str(),
    ];
    bob.authenticator.transports = named.map(str::to_owned).to_vec();
    let session = f.session(&f.user("bob"));
    let registered = bob.register(&f.acting(session.secret.as_str())).unwrap();
    assert_eq!(registered.passkey.transports, named);
    assert_eq!(f.keyplate.list_passkeys(None).unwrap()[0].transports, named);

    let acting = f.acting(registered.signed_in.unwrap().secret.as_str());
    let options =
        |ceremony: PasskeyCeremony| -> Value { serde_json::from_str(&ceremony.options).unwrap() };
    let step_up = options(acting.begin_step_up().unwrap());
    assert_eq!(step_up["allowCredentials"][0]["transports"], json!(named));
    assert_eq!(step_up["allowCredentials"][0]["type"], "public-key");
    let further = options(acting.begin_passkey_registration().unwrap());
    assert_eq!(further["excludeCredentials"][0]["transports"], json!(named));
    assert_eq!(
        further["excludeCredentials"][0]["id"],
        registered.passkey.credential_id
    );
}

#[test]
fn transports_are_bounded_and_what_is_no_name_is_left_out() {
    let f = Fixture::new();
    let acting = f.acting(f.session(&f.user("bob")).secret.as_str());
    let passkey = register_changed(&acting, &mut Person::new(), |answer| {
        let mut named = vec![json!("usb"), json!("usb"), json!(""), json!(7), Value::Null];
        named.extend([json!("two words"), json!("line\n"), json!("x".repeat(33))]);
        named.extend((0..100).map(|number| json!(format!("t{number}"))));
        answer["response"]["transports"] = named.into();
    });
    let kept = passkey.unwrap().transports;
    assert_eq!(kept.len(), 16);
    assert_eq!((kept[0].as_str(), kept[15].as_str()), ("usb", "t14"));
}

/// P3.
#[test]
fn an_empty_handle_is_none_where_the_owner_is_known() {
    let f = Fixture::new();
    let (mut bob, _, session) = f.person(&f.user("bob"));
    let empty = Spoil {
        user_handle: Some(UserHandleSpoil::Replaced(Vec::new())),
        ..Spoil::default()
    };
    let acting = f.acting(session.secret.as_str());
    let ceremony = acting.begin_step_up().unwrap();
    let answer = bob.get(&ceremony, &empty);
    assert!(answer.contains(r#""userHandle":"""#));
    acting.finish_step_up(&ceremony.ceremony, &answer).unwrap();
    // Without a user name nobody else says whose it is.
    let result = bob.log_in_spoilt(&f.stranger(), &empty);
    assert_eq!(reason(result), PasskeyFailure::WrongUserHandle);
}
