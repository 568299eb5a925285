//! G1: groups, and who sees them.

use keyplate::{ErrorCode, Group, NewGroup};

use crate::common::*;

pub(crate) fn group(f: &Fixture, name: &str) -> Group {
    f.keyplate
        .create_group(NewGroup {
            name: name.to_owned(),
            friendly_name: None,
        })
        .unwrap()
}

/// G1.
#[test]
fn a_user_sees_the_groups_that_he_is_in_and_names_keep_their_form() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let (family, work) = (group(&f, "family"), group(&f, "work"));
    f.keyplate.set_user_groups(&bob.id, &[family.id]).unwrap();
    let his = f.acting(f.session(&bob).secret.as_str());
    let listed = his.list_groups(Default::default()).unwrap();
    assert_eq!((listed.total, listed.items[0].id), (1, family.id));
    assert!(his.get_group(&family.id).is_ok());
    assert_eq!(code(his.get_group(&work.id)), ErrorCode::NotFound);
    let ann = f.user("ann");
    assert_eq!(code(his.get_effective_claims(&ann.id)), ErrorCode::NotFound);
    let rename = |name: &str| {
        let changes = keyplate::GroupChanges {
            name: Some(name.to_owned()),
            ..Default::default()
        };
        refusal(f.keyplate.update_group(&work.id, changes))
    };
    let field = Some("name".to_owned());
    assert_eq!(rename("FAMILY"), (ErrorCode::Conflict, field.clone()));
    for bad in ["x", "", "a,b", "ann ", " ann", &"x".repeat(256)] {
        assert_eq!(
            rename(bad),
            (ErrorCode::InvalidInput, field.clone()),
            "{bad}"
        );
    }
    let short = keyplate::GroupChanges {
        friendly_name: Some("x".to_owned()),
        ..Default::default()
    };
    assert_eq!(
        refusal(f.keyplate.update_group(&work.id, short))
            .1
            .as_deref(),
        Some("friendly_name")
    );
}
