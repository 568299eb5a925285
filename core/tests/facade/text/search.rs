//! Lists are searched without case and accents, by every name.

use keyplate::{
    ApiKeyQuery, GroupChanges, NewGroup, NewService, NewUser, ServiceQuery, UserChanges,
};

use super::AnyScript;
use crate::common::*;

fn person(any: &AnyScript, username: &str, texts: [&str; 5]) -> keyplate::User {
    let [email, display, first, last, external] = texts.map(|text| Some(text.to_owned()));
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    any.keyplate
        .create_user(NewUser {
            email: given(email),
            display_name: given(display),
            first_name: given(first),
            last_name: given(last),
            external_id: given(external),
            ..new_user(username)
        })
        .unwrap()
}

#[test]
fn users_are_found_by_all_their_names() {
    let any = AnyScript::new();
    let ann = [
        "ann@bücher.example",
        "Die Ännchen",
        "Ann",
        "Lee",
        "crm-1001",
    ];
    let ann = person(&any, "annlee", ann);
    person(&any, "mueller", ["", "Jürgen Müller", "", "", ""]);
    person(&any, "vladimir", ["", "Владимир Ёлкин", "", "", ""]);
    person(&any, "nguyen", ["", "", "Nguyễn", "Văn Đức", ""]);
    person(&any, "odos", ["", "ΟΔΟΣ Straße", "", "", ""]);
    person(&any, "hidden", ["", "fi\u{200c}re", "", "", ""]);
    for (search, found) in [
        ("muller", vec!["mueller"]),
        ("MULLER", vec!["mueller"]),
        ("Müller", vec!["mueller"]),
        ("mu\u{308}ller", vec!["mueller"]),
        ("jurgen mül", vec!["mueller"]),
        ("ann lee", vec!["annlee"]),
        ("Lee Ann", vec!["annlee"]),
        ("  ANN   LEE ", vec!["annlee"]),
        ("nlee", vec!["annlee"]),
        ("annchen", vec!["annlee"]),
        ("crm-10", vec!["annlee"]),
        ("ann@bucher", vec!["annlee"]),
        ("ann@xn--bcher-kva.example", vec!["annlee"]),
        ("елкин", vec!["vladimir"]),
        ("nguyen van", vec!["nguyen"]),
        ("οδος", vec!["odos"]),
        ("STRASSE", vec!["odos"]),
        ("ｍｕｌｌｅｒ", vec!["mueller"]),
        ("fire", vec!["hidden"]),
        ("fi\u{200b}re", vec!["hidden"]),
        ("%", vec![]),
        ("_", vec![]),
        ("lee die", vec![]),
        ("nobody", vec![]),
    ] {
        assert_eq!(any.found(search), found, "{search:?}");
    }
    assert_eq!(
        any.found("\u{301}").len(),
        6,
        "an accent alone is no search"
    );
    // The key follows a change.
    let changes = UserChanges {
        last_name: Some("Østergård".to_owned()),
        ..UserChanges::default()
    };
    any.keyplate.update_user(&ann.id, changes).unwrap();
    assert_eq!(any.found("ann lee"), [""; 0]);
    assert_eq!(any.found("ann østergard"), ["annlee"]);
}

#[test]
fn the_other_lists_are_searched_alike() {
    let any = AnyScript::new();
    let host = &any.keyplate;
    let group = NewGroup {
        name: "Família/Ção".to_owned(),
        friendly_name: Some("Die Größten".to_owned()),
    };
    let group = host.create_group(group).unwrap();
    for search in ["familia/cao", "GROSSTEN", "größ"] {
        assert_eq!(any.groups_found(search), ["Família/Ção"], "{search}");
    }
    let changes = GroupChanges {
        friendly_name: Some("Ándere".to_owned()),
        ..GroupChanges::default()
    };
    host.update_group(&group.id, changes).unwrap();
    assert_eq!(any.groups_found("grossten"), [""; 0]);
    assert_eq!(any.groups_found("andere"), ["Família/Ção"]);

    let cinema = NewService {
        slug: "films".to_owned(),
        name: Some("Cinéma Straße".to_owned()),
        ..NewService::default()
    };
    let cinema = host.create_service(cinema).unwrap();
    let services = |search: &str| {
        let query = ServiceQuery {
            search: Some(search.to_owned()),
            ..ServiceQuery::default()
        };
        host.list_services(query).unwrap().total
    };
    assert_eq!(["cinema strasse", "FILM", "kino"].map(services), [1, 1, 0]);
    let changes = keyplate::ServiceChanges {
        name: Some("Kinò".to_owned()),
        ..Default::default()
    };
    host.update_service(&cinema.id, changes).unwrap();
    assert_eq!(["cinema", "FILM", "kino"].map(services), [0, 1, 1]);

    let bob = any.name("bob").unwrap();
    let key = keyplate::NewApiKey {
        name: "Bücherei".to_owned(),
        ..new_key(Some(&bob), &["*"])
    };
    host.create_api_key(key).unwrap();
    let keys = |search: &str| {
        let query = ApiKeyQuery {
            search: Some(search.to_owned()),
            ..ApiKeyQuery::default()
        };
        host.list_api_keys(query).unwrap().total
    };
    assert_eq!(["bucherei", "BÜCHER", "x"].map(keys), [1, 1, 0]);
}
