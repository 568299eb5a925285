//! Lists of users, paged, searched and sorted.

use keyplate::{NewUser, UserQuery, UserSort};

use crate::common::*;

#[test]
fn lists_are_paged_searched_and_sorted() {
    let f = Fixture::new();
    for name in ["dora", "ann", "carol", "bob", "a_b", "axb"] {
        f.user(name);
        f.clock.advance(1);
    }
    let list = |query: UserQuery| {
        let page = f.keyplate.list_users(query).unwrap();
        let names: Vec<String> = page.items.into_iter().map(|user| user.username).collect();
        (names.join(" "), page.total, page.page)
    };
    let query = UserQuery::default;
    assert_eq!(list(query()).0, "dora ann carol bob a_b axb");
    let by_name = || UserQuery {
        sort: Some(UserSort::Username),
        ..query()
    };
    assert_eq!(list(by_name()).0, "a_b ann axb bob carol dora");
    assert_eq!(
        list(UserQuery {
            descending: true,
            ..by_name()
        })
        .0,
        "dora carol bob axb ann a_b"
    );
    assert_eq!(
        list(UserQuery {
            limit: Some(4),
            page: Some(2),
            ..by_name()
        }),
        ("carol dora".to_owned(), 6, 2)
    );
    assert_eq!(
        list(UserQuery {
            limit: Some(4),
            page: Some(99),
            ..by_name()
        }),
        (String::new(), 6, 99)
    );
    assert_eq!(
        list(UserQuery {
            search: Some("A_b".to_owned()),
            ..query()
        })
        .0,
        "a_b",
        "_ is literal"
    );
    assert_eq!(
        list(UserQuery {
            search: Some("%".to_owned()),
            ..query()
        })
        .1,
        0
    );
    for (field, bad) in [
        (
            "page",
            UserQuery {
                page: Some(0),
                ..query()
            },
        ),
        (
            "limit",
            UserQuery {
                limit: Some(0),
                ..query()
            },
        ),
        (
            "limit",
            UserQuery {
                limit: Some(1_001),
                ..query()
            },
        ),
        (
            "search",
            UserQuery {
                search: Some("x".repeat(201)),
                ..query()
            },
        ),
    ] {
        assert_eq!(
            refusal(f.keyplate.list_users(bad)).1.as_deref(),
            Some(field)
        );
    }
}

#[test]
fn search_knows_all_letters() {
    let f = Fixture::new();
    let user = NewUser {
        display_name: Some("ÄRGER Šimon".to_owned()),
        ..new_user("a")
    };
    f.keyplate.create_user(user).unwrap();
    for text in ["ÄRGER", "ärger", "šIMON"] {
        let query = UserQuery {
            search: Some(text.to_owned()),
            ..UserQuery::default()
        };
        assert_eq!(f.keyplate.list_users(query).unwrap().total, 1, "{text}");
    }
}

#[test]
fn the_disabled_and_the_verified_are_found_by_a_filter_and_sorted() {
    let f = Fixture::new();
    for (name, verified, disabled) in [
        ("ann", true, false),
        ("bob", false, true),
        ("carol", true, true),
        ("dora", false, false),
    ] {
        let user = NewUser {
            email: Some(format!("{name}@x.example")),
            email_verified: verified,
            status: disabled.then_some(keyplate::UserStatus::Disabled),
            ..new_user(name)
        };
        f.keyplate.create_user(user).unwrap();
        f.clock.advance(1);
    }
    let list = |query: UserQuery| {
        let page = f.keyplate.list_users(query).unwrap();
        assert_eq!(page.total, page.items.len() as i64);
        let names: Vec<String> = page.items.into_iter().map(|user| user.username).collect();
        names.join(" ")
    };
    let query = UserQuery::default;
    for (disabled, email_verified, expected) in [
        (Some(true), None, "bob carol"),
        (Some(false), None, "ann dora"),
        (None, Some(true), "ann carol"),
        (None, Some(false), "bob dora"),
        (Some(true), Some(true), "carol"),
        (None, None, "ann bob carol dora"),
    ] {
        let found = list(UserQuery {
            disabled,
            email_verified,
            ..query()
        });
        assert_eq!(found, expected, "{disabled:?} {email_verified:?}");
    }
    for (sort, expected) in [
        (UserSort::Disabled, "ann dora bob carol"),
        (UserSort::EmailVerified, "bob dora ann carol"),
    ] {
        let sorted = list(UserQuery {
            sort: Some(sort),
            ..query()
        });
        assert_eq!(sorted, expected);
    }
}
