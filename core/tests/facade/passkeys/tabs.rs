//! P2: somebody has several ceremonies of a kind under way, in as many tabs, and finishes them in any order.

use std::collections::HashMap;

use keyplate::{Keyplate, PasskeyCeremony, PasskeyFailure, SignupMode};
use keyplate_testkit::Spoil;

use super::kinds::{Kind, begin, finish};
use crate::common::{
    passkeys::{Person, reason},
    signups::*,
    *,
};

/// A person with a passkey in one session, and sign-up open to everybody.
fn ready(f: &Fixture, name: &str) -> (Person, Keyplate) {
    set_mode(f, SignupMode::Open);
    let (person, _, session) = f.person(&f.user(name));
    (person, f.acting(session.secret.as_str()))
}

#[test]
fn an_answer_tells_which_ceremony_it_belongs_to_and_both_are_finished_in_either_order() {
    let f = Fixture::new();
    for (number, kind) in Kind::ALL.into_iter().enumerate() {
        for older_first in [true, false] {
            let (mut person, acting) = ready(&f, &format!("user{number}{older_first}"));
            let who = |tab: usize| format!("new{number}{older_first}{tab}");
            let begun: Vec<_> = (0..2)
                .map(|tab| begin(&f, &acting, kind, &who(tab)))
                .collect();
            // As a host keeps them: each under its id.
            let kept: HashMap<String, PasskeyCeremony> = begun
                .iter()
                .map(|one| (one.id.clone(), one.clone()))
                .collect();
            assert_eq!(kept.len(), 2, "{kind:?}");
            let order = if older_first { [0, 1] } else { [1, 0] };
            for tab in order {
                let answer = kind.answer(&mut person, &begun[tab]);
                let told = f.stranger().inspect_passkey_answer(&answer).unwrap();
                let id = told.ceremony_id;
                assert_eq!(id, begun[tab].id, "{kind:?}");
                let finished = finish(&f, &acting, kind, &kept[&id].ceremony, &answer);
                assert!(finished.is_ok(), "{kind:?}, {order:?}: {finished:?}");
            }
        }
    }
}

#[test]
fn an_answer_to_another_tabs_ceremony_is_refused_and_spends_neither() {
    let f = Fixture::new();
    let (mut person, acting) = ready(&f, "bob");
    for kind in Kind::ALL {
        let [first, second] = ["eve", "eva"].map(|who| {
            let who = format!("{who}{kind:?}").to_lowercase();
            begin(&f, &acting, kind, &who)
        });
        let answers = [&first, &second].map(|one| kind.answer(&mut person, one));
        let crossed = finish(&f, &acting, kind, &first.ceremony, &answers[1]);
        assert_eq!(reason(crossed), PasskeyFailure::WrongChallenge, "{kind:?}");
        finish(&f, &acting, kind, &first.ceremony, &answers[0]).unwrap();
        finish(&f, &acting, kind, &second.ceremony, &answers[1]).unwrap();
    }
}

#[test]
fn ids_are_short_and_of_no_two_ceremonies() {
    let f = Fixture::new();
    let (_, acting) = ready(&f, "bob");
    let mut ids = Vec::new();
    for number in 0..5 {
        for kind in Kind::ALL {
            let begun = begin(&f, &acting, kind, &format!("new{number}"));
            let in_a_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            assert_eq!(begun.id.len(), 16);
            assert!(begun.id.chars().all(in_a_name), "{}", begun.id);
            // The state of a sign-in travels in a cookie, of which there may be several.
            assert!(begun.ceremony.len() <= 120, "{}", begun.ceremony.len());
            ids.push(begun.id);
        }
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5 * Kind::ALL.len());
}

#[test]
fn what_is_no_answer_belongs_to_no_ceremony() {
    let f = Fixture::new();
    let (mut person, _) = ready(&f, "bob");
    let login = f.stranger().begin_passkey_login().unwrap();
    let whole = person.get(&login, &Spoil::default());
    let mut client_data = |data: &[u8]| {
        let spoil = Spoil {
            client_data: Some(data.to_vec()),
            ..Spoil::default()
        };
        person.get(&login, &spoil)
    };
    for answer in [
        String::new(),
        "{}".to_owned(),
        "[]".to_owned(),
        whole.replace("clientDataJSON", "clientData"),
        whole.replace("public-key", "password"),
        client_data(b"{}"),
        client_data(b"challenge"),
        client_data(br#"{"challenge":7}"#),
        client_data(br#"{"challenge":"not base64url!"}"#),
        format!("{whole}{}", " ".repeat(70_000)),
    ] {
        let result = f.stranger().inspect_passkey_answer(&answer);
        assert_eq!(reason(result), PasskeyFailure::Malformed, "{answer}");
    }
    // Of every handle, as it looks at nothing but the answer.
    let told = f.keyplate.inspect_passkey_answer(&whole).unwrap();
    let passkey = &f.keyplate.list_passkeys(None).unwrap()[0];
    assert_eq!(
        (&told.ceremony_id, &told.credential_id),
        (&login.id, &passkey.credential_id)
    );
}
