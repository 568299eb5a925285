//! What all lists share: a page past the end is empty, so that a loop over the pages of a list ends.

use std::{collections::BTreeSet, fmt::Debug};

use keyplate::{
    ApiKeyQuery, AuditQuery, GroupQuery, Limit, NewGroup, NewService, NewSignup, NewSignupToken,
    ServiceQuery, SessionQuery, SettingsChanges, SignupMode, SignupRedemptionQuery,
    SignupTokenQuery, UserQuery,
};

use crate::common::*;

/// What a page says: its items, told apart by their id, the total and the number.
struct Listed(Vec<String>, i64, i64);

/// Three of everything that is listed by pages.
fn three_of_all() -> Fixture {
    let f = Fixture::new();
    let changes = SettingsChanges {
        signup_mode: Some(SignupMode::WithToken),
        ..SettingsChanges::default()
    };
    f.keyplate.update_settings(changes).unwrap();
    let token = NewSignupToken {
        uses: Some(Limit::AtMost { most: 3 }),
        ..NewSignupToken::default()
    };
    let token = f.keyplate.create_signup_token(token).unwrap();
    let stranger = f.keyplate.anonymous(Default::default()).unwrap();
    for name in ["ann", "bob", "carol"] {
        let signup = NewSignup {
            username: name.to_owned(),
            token: Some(token.secret.clone()),
            ..NewSignup::default()
        };
        let user = stranger.sign_up(signup).unwrap().user;
        f.key(&user, &["library:stream"]);
        let group = NewGroup {
            name: name.to_owned(),
            ..NewGroup::default()
        };
        f.keyplate.create_group(group).unwrap();
        let service = NewService {
            slug: name.to_owned(),
            ..NewService::default()
        };
        f.keyplate.create_service(service).unwrap();
    }
    for _ in 0..2 {
        f.keyplate
            .create_signup_token(NewSignupToken::default())
            .unwrap();
    }
    f
}

/// Goes through a list as a host would: page after page, until one is empty.
fn ends(name: &str, list: impl Fn(i64, i64) -> Listed) {
    let Listed(all, total, page) = list(1, 1_000);
    assert_eq!((all.len() as i64, page), (total, 1), "{name}");
    assert!(total >= 3, "{name}: there is something to list");
    for limit in [1, 2, total, 1_000] {
        let mut seen = Vec::new();
        for page in 1.. {
            assert!(
                page <= total + 1,
                "{name}: a loop over pages of {limit} does not end"
            );
            let Listed(items, counted, number) = list(page, limit);
            assert_eq!((counted, number), (total, page), "{name}");
            if items.is_empty() {
                break;
            }
            seen.extend(items);
        }
        assert_eq!(
            seen, all,
            "{name}: each once and in order, by pages of {limit}"
        );
    }
    assert_eq!(
        all.iter().collect::<BTreeSet<_>>().len(),
        all.len(),
        "{name}"
    );
    for far in [total + 1, 1_000_000, i64::MAX] {
        let Listed(items, counted, number) = list(far, 1_000);
        assert!(items.is_empty(), "{name}: page {far}");
        assert_eq!((counted, number), (total, far), "{name}");
    }
}

#[test]
fn a_loop_over_the_pages_of_a_list_ends() {
    let f = three_of_all();
    let keyplate = &f.keyplate;
    fn ids<T, I: Debug>(items: &[T], id: impl Fn(&T) -> I) -> Vec<String> {
        items.iter().map(|item| format!("{:?}", id(item))).collect()
    }
    macro_rules! listed {
        ($method:ident, $query:ident, $id:ident) => {
            ends(stringify!($method), |page, limit| {
                let query = $query {
                    page: Some(page),
                    limit: Some(limit),
                    ..$query::default()
                };
                let page = keyplate.$method(query).unwrap();
                Listed(ids(&page.items, |item| item.$id), page.total, page.page)
            });
        };
    }
    listed!(list_users, UserQuery, id);
    listed!(list_groups, GroupQuery, id);
    listed!(list_services, ServiceQuery, id);
    listed!(list_sessions, SessionQuery, id);
    listed!(list_api_keys, ApiKeyQuery, id);
    listed!(list_signup_tokens, SignupTokenQuery, id);
    listed!(list_signup_redemptions, SignupRedemptionQuery, id);
    listed!(list_audit_events, AuditQuery, id);
}

/// An empty list has one empty page, and as many empty ones after it as are asked for.
#[test]
fn an_empty_list_is_empty_everywhere() {
    let f = Fixture::new();
    for page in [1, 2, i64::MAX] {
        let query = GroupQuery {
            page: Some(page),
            ..GroupQuery::default()
        };
        let found = f.keyplate.list_groups(query).unwrap();
        assert_eq!((found.items.len(), found.total, found.page), (0, 0, page));
    }
}
