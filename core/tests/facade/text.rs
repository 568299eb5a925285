//! U1, G1: names and addresses of any script. Who looks like somebody else is not a second account.

mod addresses;
mod characters;
mod folding;
mod search;

use keyplate::{
    Config, Group, GroupChanges, GroupQuery, Keyplate, NewGroup, NewUser, Result, User, UserQuery,
    UsernamePolicy,
};

use crate::common::*;

/// A database whose usernames may have letters of any script.
struct AnyScript {
    keyplate: Keyplate,
    _folder: tempfile::TempDir,
}

impl AnyScript {
    fn new() -> Self {
        let folder = folder();
        let keyplate = Keyplate::open(Config {
            username_policy: Some(UsernamePolicy::AnyScript),
            ..config(&folder.path().join("id.db"))
        });
        Self {
            keyplate: keyplate.unwrap(),
            _folder: folder,
        }
    }

    fn name(&self, username: &str) -> Result<User> {
        self.keyplate.create_user(new_user(username))
    }

    /// A user with this address.
    fn address(&self, username: &str, email: &str) -> Result<User> {
        self.keyplate.create_user(NewUser {
            email: Some(email.to_owned()),
            ..new_user(username)
        })
    }

    fn group(&self, name: &str) -> Result<Group> {
        self.keyplate.create_group(NewGroup {
            name: name.to_owned(),
            friendly_name: Some("friends".to_owned()),
        })
    }

    fn found(&self, search: &str) -> Vec<String> {
        let query = UserQuery {
            search: Some(search.to_owned()),
            ..UserQuery::default()
        };
        let page = self.keyplate.list_users(query).unwrap();
        page.items.into_iter().map(|user| user.username).collect()
    }

    fn groups_found(&self, search: &str) -> Vec<String> {
        let query = GroupQuery {
            search: Some(search.to_owned()),
            ..GroupQuery::default()
        };
        let page = self.keyplate.list_groups(query).unwrap();
        page.items.into_iter().map(|group| group.name).collect()
    }
}

/// The field and the code of the reason.
fn why<T: std::fmt::Debug>(result: Result<T>) -> (String, String) {
    let error = result.unwrap_err();
    let field = error.field().unwrap_or_default();
    (field, error.reason_code().unwrap_or_default())
}

fn because(field: &str, reason: &str) -> (String, String) {
    (field.to_owned(), reason.to_owned())
}

/// G1: a group is named as people name it.
#[test]
fn groups_have_names_of_any_script() {
    let any = AnyScript::new();
    for good in [
        "Family Müller",
        "media/admins",
        "日本",
        "Семья",
        "عائلة",
        "parents & children (2)",
        "نامه\u{200c}ها",
        "👩\u{200d}👩\u{200d}👧",
        &"ж".repeat(255),
    ] {
        assert_eq!(any.group(good).unwrap().name, good);
    }
    let field = "name";
    for (bad, reason) in [
        ("a,b", "not_group_name"),
        (" ab", "not_group_name"),
        ("ab ", "not_group_name"),
        ("ab\u{a0}", "not_group_name"),
        ("\u{3000}ab", "not_group_name"),
        ("ab\u{2800}", "not_group_name"),
        ("日", "too_short"),
        ("ab\u{7}", "control_characters"),
        ("ab\u{2028}c", "control_characters"),
        ("ab\u{202e}c", "control_characters"),
        ("ab\u{ad}c", "invisible_characters"),
        ("\u{2800}\u{2800}", "nothing_visible"),
        ("", "empty"),
        (&"ж".repeat(256), "too_long"),
    ] {
        assert_eq!(why(any.group(bad)), because(field, reason), "{bad:?}");
    }
    // What a Mac types is the same name, and shown in NFC.
    let family = "Fu\u{308}r alle";
    assert_eq!(any.group(family).unwrap().name, "Für alle");
    for same in ["FÜR ALLE", "fu\u{308}r alle", "für\u{200d} alle"] {
        assert_eq!(why(any.group(same)), because(field, "taken"), "{same:?}");
    }
}

/// U6: what was let in by an older version may be repeated.
#[test]
fn a_name_that_is_only_repeated_is_not_refused() {
    let f = Fixture::on_disk();
    let bob = f.user("bob");
    let work = crate::groups::group(&f, "work");
    let odd = "b\u{200b}b";
    raw(&f.path())
        .execute_batch(&format!(
            "UPDATE users SET username = '{odd}', email = '{odd}@x.example', email_key = '-', display_name = '{odd}';
             UPDATE groups SET name = 'a,b', friendly_name = '{odd}'"
        ))
        .unwrap();
    let changes = keyplate::UserChanges {
        username: Some(odd.to_owned()),
        email: Some(format!("{odd}@x.example")),
        display_name: Some(odd.to_owned()),
        first_name: Some("Bob".to_owned()),
        ..Default::default()
    };
    let after = f.keyplate.update_user(&bob.id, changes).unwrap();
    assert_eq!(after.first_name.as_deref(), Some("Bob"));
    assert_eq!(after.username, odd);
    let changes = GroupChanges {
        name: Some("a,b".to_owned()),
        friendly_name: Some(odd.to_owned()),
    };
    f.keyplate.update_group(&work.id, changes).unwrap();
}
