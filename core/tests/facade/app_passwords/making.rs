//! Who makes app passwords, and what of them is stored (W1, W3, K1, K2).

use keyplate::{
    AppPasswordQuery, DenialReason, ErrorCode, EventKind, InputReason, KeyplateError,
    NewAppPassword, Role,
};

use super::{for_service, make, named, open_service, verify};
use crate::common::*;

#[test]
fn it_is_shown_once_listed_and_revoked() {
    let f = Fixture::new();
    let (bob, eve) = (f.user("bob"), f.user("eve"));
    let ann = f.administrator("ann");
    let films = open_service(&f, "films");
    let made = make(&f, &bob, for_service("films"));
    let secret = made.secret.reveal();
    let groups: Vec<&str> = secret.split('-').collect();
    assert!(groups.len() == 4 && groups.iter().all(|group| group.len() == 4));
    assert_eq!(secret, secret.to_lowercase());
    let password = &made.app_password;
    assert_eq!(password.owner_id, bob.id);
    assert_eq!(password.service_id, Some(films.id));
    assert!(password.scopes.is_empty() && !password.is_recoverable);
    f.clock.advance(1);
    let later = make(&f, &bob, named("É-Reader"));

    let bobs = f.acting(f.session(&bob).secret.as_str());
    let listed = bobs
        .list_app_passwords(AppPasswordQuery::default())
        .unwrap();
    let ids: Vec<_> = listed.items.iter().map(|one| one.id).collect();
    assert_eq!(
        (listed.total, ids),
        (2, vec![later.app_password.id, password.id])
    );
    let search = AppPasswordQuery {
        search: Some("e-reader".to_owned()),
        ..AppPasswordQuery::default()
    };
    assert_eq!(bobs.list_app_passwords(search).unwrap().total, 1);
    let eves = f.acting(f.session(&eve).secret.as_str());
    assert_eq!(
        eves.list_app_passwords(Default::default()).unwrap().total,
        0
    );
    let id = &password.id;
    assert_eq!(code(eves.revoke_app_password(id)), ErrorCode::NotFound);
    let anns = f.acting(f.session(&ann).secret.as_str());
    let of_bob = AppPasswordQuery {
        owner_id: Some(bob.id),
        ..AppPasswordQuery::default()
    };
    assert_eq!(anns.list_app_passwords(of_bob).unwrap().total, 2);
    anns.revoke_app_password(id).unwrap();
    assert_eq!(code(anns.revoke_app_password(id)), ErrorCode::NotFound);
    let refused = verify(&f.keyplate, "bob", &secret, Some("films"));
    assert_eq!(code(refused), ErrorCode::InvalidCredential);
    let kinds = f.heard.kinds();
    for kind in [
        EventKind::AppPasswordCreated,
        EventKind::AppPasswordRevoked,
        EventKind::AppPasswordRefused,
    ] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}

/// W1, P5: a fresh sign-in of any method, and for oneself alone.
#[test]
fn only_whoever_signed_in_lately_makes_one_for_themselves() {
    let f = Fixture::new();
    let (bob, eve) = (f.user("bob"), f.user("eve"));
    let ann = f.administrator("ann");
    let session = f.session(&bob);
    let bobs = f.acting(session.secret.as_str());
    bobs.create_app_password(named("now")).unwrap();
    f.clock.advance(3_600);
    let late = bobs.create_app_password(named("later"));
    assert_eq!(code(late), ErrorCode::StepUpRequired);
    let of = |user: &keyplate::User| NewAppPassword {
        owner_id: Some(user.id),
        ..named("a client")
    };
    let anns = f.acting(f.session(&ann).secret.as_str());
    let others = anns.create_app_password(of(&eve));
    let reason = DenialReason::OwnAppPasswordsOnly;
    assert_eq!(others, Err(KeyplateError::PermissionDenied { reason }));
    assert!(f.keyplate.create_app_password(of(&eve)).is_ok());
    let nobodys = refusal(f.keyplate.create_app_password(named("whose")));
    assert_eq!(
        nobodys,
        (ErrorCode::InvalidInput, Some("owner_id".to_owned()))
    );
    let strangers = f.stranger().create_app_password(named("nobody's"));
    assert_eq!(code(strangers), ErrorCode::PermissionDenied);
}

/// K2: nothing gives more than it has; what is built in is there only where it is named.
#[test]
fn its_scopes_are_within_its_makers() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    open_service(&f, "films");
    let with = |scopes: &[&str], service: Option<&str>| NewAppPassword {
        scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        service: service.map(str::to_owned),
        ..named("a client")
    };
    let by_key = |user, scopes: &[&str], asked: &[&str], service| {
        let key = f.key(user, scopes);
        f.acting(key.secret.as_str())
            .create_app_password(with(asked, service))
            .map(|made| made.app_password.scopes)
    };
    let more = Err(KeyplateError::PermissionDenied {
        reason: DenialReason::MoreThanItself,
    });
    let own = "app_passwords:write";
    let (watch, listen) = ("films:watch", "music:listen");
    for (user, scopes, asked, service, expected) in [
        (&bob, &["*"][..], &[][..], None, Ok(vec![])),
        (&bob, &["*"], &[], Some("films"), Ok(vec![])),
        (&bob, &["*"], &[watch], Some("films"), Ok(vec![watch])),
        (&bob, &["*"], &[listen], Some("films"), more.clone()),
        (&bob, &[own, watch], &[], None, Ok(vec![watch])),
        (&bob, &[own, watch], &[], Some("films"), Ok(vec![watch])),
        (&bob, &[own, listen], &[], Some("films"), more.clone()),
        (&bob, &[own, watch], &[listen], None, more.clone()),
        (&bob, &[own], &[], None, more.clone()),
        (&bob, &[own], &[], Some("films"), more.clone()),
        (&bob, &[own], &["*"], None, more.clone()),
        (&ann, &["*"], &["roles:write"], None, more.clone()),
        (&ann, &["*"], &["users:read"], None, Ok(vec!["users:read"])),
    ] {
        let expected =
            expected.map(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>());
        let made = by_key(user, scopes, asked, service);
        assert_eq!(made, expected, "{scopes:?} {asked:?} {service:?}");
    }
    let role = |user, asked: &[&str]| {
        let made = make(&f, user, with(asked, None));
        let name = user.username.as_str();
        let found = verify(&f.keyplate, name, made.secret.as_str(), None);
        found.unwrap().role
    };
    assert_eq!(role(&ann, &[]), Role::User);
    assert_eq!(role(&ann, &["films:watch"]), Role::User);
    assert_eq!(role(&ann, &["users:read"]), Role::Administrator);
    assert_eq!(role(&bob, &["users:read"]), Role::User);
    // A promotion widens none.
    let before = make(&f, &bob, with(&["*"], None));
    f.keyplate
        .set_user_role(&bob.id, Role::Administrator)
        .unwrap();
    let found = verify(&f.keyplate, "bob", before.secret.as_str(), None).unwrap();
    assert_eq!(found.role, Role::User);
}

/// K1: the end of a key is handed on.
#[test]
fn it_ends_no_later_than_the_key_by_which_it_is_made() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let mut key = new_key(Some(&bob), &["*"]);
    key.expires_at = Some(f.in_seconds(600));
    let key = f.keyplate.create_api_key(key).unwrap();
    let acting = f.acting(key.secret.as_str());
    let until = |seconds| NewAppPassword {
        expires_at: Some(f.in_seconds(seconds)),
        ..named("a client")
    };
    for endless in [named("a client"), until(601)] {
        let reason = DenialReason::OutlivesItself;
        let refused = acting.create_app_password(endless);
        assert_eq!(refused, Err(KeyplateError::PermissionDenied { reason }));
    }
    let made = acting.create_app_password(until(600)).unwrap();
    let secret = made.secret.as_str();
    assert!(verify(&f.keyplate, "bob", secret, None).is_ok());
    f.clock.advance(600);
    let ended = verify(&f.keyplate, "bob", secret, None);
    assert_eq!(code(ended), ErrorCode::InvalidCredential);
}

#[test]
fn bad_input_is_named() {
    let f = Fixture::new();
    let bob = f.user("bob");
    open_service(&f, "films");
    f.keyplate
        .create_service(keyplate::NewService {
            slug: "hidden".to_owned(),
            ..Default::default()
        })
        .unwrap();
    let acting = f.acting(f.session(&bob).secret.as_str());
    let invalid = |field: &str, reason| {
        Err(KeyplateError::InvalidInput {
            field: field.to_owned(),
            reason,
        })
    };
    let needs = |field: &str| InputReason::Needs {
        field: field.to_owned(),
    };
    let refused = |password| acting.create_app_password(password).map(drop);
    assert_eq!(refused(named(" ")), invalid("name", InputReason::Empty));
    let long = named(&"x".repeat(101));
    assert_eq!(
        refused(long),
        invalid("name", InputReason::TooLong { most: 100 })
    );
    let past = NewAppPassword {
        expires_at: Some(f.now()),
        ..named("a client")
    };
    assert_eq!(refused(past), invalid("expires_at", InputReason::InThePast));
    let no_scope = NewAppPassword {
        scopes: vec!["films".to_owned()],
        ..named("a client")
    };
    assert_eq!(refused(no_scope), invalid("scopes", InputReason::NotScope));
    // A service that they may not use does not exist for them.
    for service in ["nowhere", "hidden"] {
        let refused = acting.create_app_password(for_service(service));
        assert_eq!(code(refused), ErrorCode::NotFound, "{service}");
    }
    let recoverable = |password| NewAppPassword {
        recoverable: true,
        ..password
    };
    let all = refused(recoverable(named("a client")));
    assert_eq!(all, invalid("recoverable", needs("service")));
    let keyless = refused(recoverable(for_service("films")));
    assert_eq!(keyless, invalid("recoverable", needs("encryption_key")));
}

/// U4, G2: what it hangs on.
#[test]
fn it_goes_with_its_owner_and_its_service() {
    let f = Fixture::new();
    let (bob, eve) = (f.user("bob"), f.user("eve"));
    let films = open_service(&f, "films");
    let bobs = make(&f, &bob, named("a client"));
    let eves = make(&f, &eve, for_service("films"));
    f.keyplate.delete_user(&bob.id).unwrap();
    f.keyplate.delete_service(&films.id).unwrap();
    for (name, made, service) in [("bob", bobs, None), ("eve", eves, None)] {
        let refused = verify(&f.keyplate, name, made.secret.as_str(), service);
        assert_eq!(code(refused), ErrorCode::InvalidCredential, "{name}");
    }
    assert_eq!(f.keyplate.get_statistics().unwrap().app_passwords, 0);
}
