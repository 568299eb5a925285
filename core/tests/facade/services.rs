//! G2: services, and who may use them.

use std::sync::Arc;

use keyplate::{
    DecisionReason::{self, *},
    ErrorCode, EventKind, Expiry, GroupId, KeyplateError, NewGroup, NewService, NewSignup,
    Principal, Service, ServiceAccess, ServiceChanges, ServiceId, ServiceQuery, SettingsChanges,
    SignupMode, Thing, User, UserChanges,
};

use crate::common::*;

fn new_service(slug: &str) -> NewService {
    NewService {
        slug: slug.to_owned(),
        ..NewService::default()
    }
}

fn group(f: &Fixture, name: &str) -> GroupId {
    let group = NewGroup {
        name: name.to_owned(),
        friendly_name: None,
    };
    f.keyplate.create_group(group).unwrap().id
}

/// A service closed to all, one for a group, one for everyone.
fn three(f: &Fixture) -> ([Service; 3], GroupId) {
    let friends = group(f, "friends");
    let services = ["closed", "films", "library"].map(|slug| {
        let service = f.keyplate.create_service(new_service(slug)).unwrap();
        let groups = if slug == "films" {
            vec![friends]
        } else {
            Vec::new()
        };
        f.keyplate
            .set_service_access(&service.id, slug == "library", &groups)
            .unwrap()
    });
    (services, friends)
}

#[test]
fn who_may_use_what() {
    let f = Fixture::new();
    let (_, friends) = three(&f);
    let (member, stranger) = (f.user("member"), f.user("stranger"));
    let administrator = f.administrator("ann");
    f.keyplate.set_user_groups(&member.id, &[friends]).unwrap();
    let principal = |secret: &str| f.keyplate.authenticate(secret).unwrap().principal;
    let session = |user: &User| principal(f.session(user).secret.as_str());
    let key = |scopes: &[&str]| principal(f.key(&member, scopes).secret.as_str());

    f.keyplate
        .update_settings(SettingsChanges {
            signup_mode: Some(SignupMode::Open),
            signup_approval: Some(true),
            ..SettingsChanges::default()
        })
        .unwrap();
    let pending = f
        .stranger()
        .sign_up(NewSignup {
            username: "pending".to_owned(),
            ..NewSignup::default()
        })
        .unwrap();
    let in_group = |name: &str| {
        let user = f.user(name);
        f.keyplate.set_user_groups(&user.id, &[friends]).unwrap();
        let session = session(&user);
        (user, session)
    };
    let (disabled, of_disabled) = in_group("disabled");
    f.keyplate.disable_user(&disabled.id).unwrap();
    let (lapsed, of_lapsed) = in_group("lapsed");
    let soon = UserChanges {
        expiry: Some(Expiry::At {
            time: f.in_seconds(10),
        }),
        ..UserChanges::default()
    };
    f.keyplate.update_user(&lapsed.id, soon).unwrap();
    let (ended, of_ended) = in_group("ended");
    f.keyplate.revoke_user_sessions(&ended.id, None).unwrap();
    let of_pending = f.keyplate.authenticate_pending(pending.secret.as_str());
    let of_pending = of_pending.unwrap().principal;
    f.clock.advance(11);

    // Who, and what comes of the three services: closed, of a group, for everyone.
    let table: [(&str, Arc<Principal>, [DecisionReason; 3]); 13] = [
        ("a member", session(&member), [Closed, Group, Everyone]),
        ("no member", session(&stranger), [Closed, NoGroup, Everyone]),
        (
            "an administrator",
            session(&administrator),
            [Closed, NoGroup, Everyone],
        ),
        ("a pending user", of_pending, [AccountPending; 3]),
        ("a disabled user", of_disabled, [AccountDisabled; 3]),
        ("a lapsed user", of_lapsed, [AccountExpired; 3]),
        ("an ended session", of_ended, [CredentialEnded; 3]),
        ("a key with *", key(&["*"]), [Closed, Group, Everyone]),
        (
            "a key of films",
            key(&["films:watch"]),
            [MissingScope, Group, MissingScope],
        ),
        (
            "a key of the library",
            key(&["library:stream"]),
            [MissingScope, MissingScope, Everyone],
        ),
        (
            "a key of something else",
            key(&["film:s"]),
            [MissingScope; 3],
        ),
        (
            "a key of the built-in area",
            key(&["services:write"]),
            [MissingScope; 3],
        ),
        (
            "a key with roles:write",
            key(&["roles:write"]),
            [MissingScope; 3],
        ),
    ];
    for (who, principal, reasons) in table {
        for (service, reason) in ["closed", "films", "library"].into_iter().zip(reasons) {
            let decision = f.keyplate.authorize(&principal, service).unwrap();
            let expected = matches!(reason, Everyone | Group);
            assert_eq!(
                (decision.allowed, decision.reason),
                (expected, reason),
                "{who}, {service}"
            );
        }
    }
    let unknown = f.keyplate.authorize(&session(&member), "nothing");
    assert_eq!(unknown.unwrap_err().code(), ErrorCode::NotFound);
}

#[test]
fn what_is_deleted_leaves_nothing_dangling() {
    let f = Fixture::new();
    let ([_, films, _], friends) = three(&f);
    let bob = f.user("bob");
    f.keyplate.set_user_groups(&bob.id, &[friends]).unwrap();
    let session = f.session(&bob);
    let principal = f
        .keyplate
        .authenticate(session.secret.as_str())
        .unwrap()
        .principal;
    let reason = || {
        let decision = f.keyplate.authorize(&principal, films.id.as_str());
        decision.map(|decision| decision.reason)
    };
    assert_eq!(reason(), Ok(Group));
    f.keyplate.delete_group(&friends).unwrap();
    assert_eq!(reason(), Ok(Closed), "not open to everyone by that");
    assert!(
        f.keyplate
            .get_service(&films.id)
            .unwrap()
            .group_ids
            .is_empty()
    );
    f.keyplate.delete_service(&films.id).unwrap();
    let gone = KeyplateError::NotFound {
        what: Thing::Service,
    };
    assert_eq!(reason(), Err(gone));
    assert!(f.keyplate.check_integrity().unwrap().ok);
    let again = f.keyplate.create_service(new_service("films")).unwrap();
    assert!(!again.for_everyone && again.group_ids.is_empty());
}

#[test]
fn a_user_sees_what_he_may_use() {
    let f = Fixture::new();
    let ([closed, films, library], friends) = three(&f);
    let (member, stranger) = (f.user("member"), f.user("stranger"));
    f.keyplate.set_user_groups(&member.id, &[friends]).unwrap();
    let slugs = |query: ServiceQuery, keyplate: &keyplate::Keyplate| -> Vec<String> {
        let page = keyplate.list_services(query).unwrap();
        assert_eq!(page.total as usize, page.items.len());
        page.items.into_iter().map(|service| service.slug).collect()
    };
    let acting = |user| f.acting(f.session(user).secret.as_str());
    let all = ServiceQuery::default;
    assert_eq!(slugs(all(), &f.keyplate), ["closed", "films", "library"]);
    assert_eq!(slugs(all(), &acting(&member)), ["films", "library"]);
    assert_eq!(slugs(all(), &acting(&stranger)), ["library"]);
    let search = ServiceQuery {
        search: Some("LIB".to_owned()),
        ..all()
    };
    assert_eq!(slugs(search, &f.keyplate), ["library"]);
    let wild = ServiceQuery {
        search: Some("%".to_owned()),
        ..all()
    };
    assert!(slugs(wild, &f.keyplate).is_empty());

    let sees = |user, service: &Service| acting(user).get_service(&service.id).is_ok();
    assert!(sees(&member, &films) && sees(&stranger, &library));
    assert!(!sees(&stranger, &films) && !sees(&member, &closed));
    let refused = acting(&member).create_service(new_service("mine"));
    assert_eq!(refused.unwrap_err().code(), ErrorCode::PermissionDenied);
}

#[test]
fn what_a_service_may_be() {
    let f = Fixture::new();
    let films = NewService {
        slug: "films".to_owned(),
        name: Some("Films & series".to_owned()),
        origins: vec![
            "https://films.example".to_owned(),
            "https://films.example:443".to_owned(),
            "HTTPS://Films.example/".to_owned(),
            "https://kinoämter.example:8443/".to_owned(),
        ],
        ..NewService::default()
    };
    let films = f.keyplate.create_service(films).unwrap();
    assert_eq!(
        films.origins,
        [
            "https://films.example",
            "https://xn--kinomter-3za.example:8443"
        ]
    );
    assert_eq!(f.keyplate.get_service(&films.id).unwrap(), films);
    for slug in [
        "",
        "Films",
        "1films",
        "fi lms",
        "films:x",
        "users",
        "roles",
        "services",
        " films",
        &"x".repeat(65),
    ] {
        let error = f.keyplate.create_service(new_service(slug)).unwrap_err();
        assert_eq!(error.field().as_deref(), Some("slug"), "{slug:?}");
    }
    let taken = f.keyplate.create_service(new_service("films")).unwrap_err();
    assert_eq!(
        (taken.code(), taken.field().as_deref()),
        (ErrorCode::Conflict, Some("slug"))
    );
    for origin in [
        "films.example",
        "https://films.example/x",
        "ftp://films.example",
        "*",
    ] {
        let error = f
            .keyplate
            .set_service_origins(&films.id, &[origin.to_owned()])
            .unwrap_err();
        assert_eq!(error.field().as_deref(), Some("origins"), "{origin}");
    }
    let moved = f
        .keyplate
        .set_service_origins(&films.id, &["http://films.lan:8096".to_owned()])
        .unwrap();
    assert_eq!(moved.origins, ["http://films.lan:8096"]);
    let renamed = ServiceChanges {
        slug: Some("cinema".to_owned()),
        ..ServiceChanges::default()
    };
    let renamed = f.keyplate.update_service(&films.id, renamed).unwrap();
    assert_eq!(
        (renamed.slug.as_str(), renamed.name.as_str()),
        ("cinema", "Films & series")
    );
    assert_eq!(renamed.origins, moved.origins);
    let nobodys = GroupId::parse("01a19467-e800-7000-8000-000000000001").unwrap();
    let unknown = f.keyplate.set_service_access(&films.id, false, &[nobodys]);
    assert_eq!(unknown.unwrap_err().code(), ErrorCode::NotFound);
    let nothing = ServiceId::parse("01a19467-e800-7000-8000-000000000001").unwrap();
    assert_eq!(
        f.keyplate.delete_service(&nothing).unwrap_err().code(),
        ErrorCode::NotFound
    );
    f.keyplate.set_service_access(&films.id, true, &[]).unwrap();
    f.keyplate.delete_service(&films.id).unwrap();
    let kinds = f.heard.kinds();
    for kind in [
        EventKind::ServiceCreated,
        EventKind::ServiceUpdated,
        EventKind::ServiceAccessChanged,
        EventKind::ServiceDeleted,
    ] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}

#[test]
fn what_changes_nothing_is_no_event() {
    let f = Fixture::new();
    let ([_, films, library], friends) = three(&f);
    let origins = ["https://films.example".to_owned()];
    f.keyplate.set_service_origins(&films.id, &origins).unwrap();
    let before = f.heard.kinds().len();
    let same = ServiceChanges {
        slug: Some(films.slug.clone()),
        name: Some(films.name.clone()),
        ..ServiceChanges::default()
    };
    f.keyplate.update_service(&films.id, same).unwrap();
    f.keyplate.set_service_origins(&films.id, &origins).unwrap();
    let twice = [friends, friends];
    let access = |id, everyone, groups: &[GroupId]| {
        f.keyplate.set_service_access(id, everyone, groups).unwrap()
    };
    assert_eq!(access(&films.id, false, &twice).group_ids, [friends]);
    assert!(access(&library.id, true, &[]).for_everyone);
    assert_eq!(f.heard.kinds().len(), before);
    access(&library.id, false, &[]);
    assert_eq!(f.heard.kinds().len(), before + 1);
}

/// G2: names, origins and access come in one call, and one that is refused leaves nothing of it.
#[test]
fn a_service_is_made_and_changed_whole_or_not_at_all() {
    let f = Fixture::new();
    let ([_, films, _], friends) = three(&f);
    let nobodys = GroupId::parse("01a19467-e800-7000-8000-000000000001").unwrap();
    let music = |access, group_ids: &[GroupId]| NewService {
        access,
        group_ids: group_ids.to_vec(),
        ..new_service("music")
    };
    let count = || {
        let all = f.keyplate.list_services(ServiceQuery::default());
        (all.unwrap().total, f.heard.kinds().len())
    };
    let before = count();
    let refused = f.keyplate.create_service(music(None, &[friends, nobodys]));
    assert_eq!(refused.unwrap_err().code(), ErrorCode::NotFound);
    for (access, groups, reason) in [
        (ServiceAccess::Nobody, &[friends][..], "excludes"),
        (ServiceAccess::Groups, &[], "too_few"),
    ] {
        let refused = f.keyplate.create_service(music(Some(access), groups));
        let error = refused.unwrap_err();
        assert_eq!(error.field().as_deref(), Some("group_ids"));
        assert_eq!(error.reason_code().as_deref(), Some(reason));
    }
    assert_eq!(count(), before);
    // Closed as it is: no event, in whatever order its origins are.
    let closed = NewService {
        access: Some(ServiceAccess::Nobody),
        origins: vec![
            "https://z.example".to_owned(),
            "http://a.example".to_owned(),
        ],
        ..new_service("shut")
    };
    f.keyplate.create_service(closed).unwrap();
    assert_eq!(count(), (before.0 + 1, before.1 + 1));
    let made = f.keyplate.create_service(music(None, &[friends])).unwrap();
    assert_eq!(
        (made.for_everyone, &made.group_ids[..]),
        (false, &[friends][..])
    );

    let changes = |group_ids: &[GroupId]| ServiceChanges {
        name: Some("Cinema".to_owned()),
        replace_origins: true,
        origins: vec!["https://cinema.example".to_owned()],
        access: Some(ServiceAccess::Everyone),
        group_ids: group_ids.to_vec(),
        ..ServiceChanges::default()
    };
    let stored = f.keyplate.get_service(&films.id).unwrap();
    let heard = f.heard.kinds().len();
    let refused = f.keyplate.update_service(&films.id, changes(&[nobodys]));
    assert_eq!(refused.unwrap_err().code(), ErrorCode::NotFound);
    assert_eq!(f.keyplate.get_service(&films.id).unwrap(), stored);
    assert_eq!(f.heard.kinds().len(), heard);
    let changed = f.keyplate.update_service(&films.id, changes(&[])).unwrap();
    assert_eq!(changed.name, "Cinema");
    assert_eq!(changed.origins, ["https://cinema.example"]);
    assert!(changed.for_everyone && changed.group_ids.is_empty());
    assert_eq!(f.keyplate.get_service(&films.id).unwrap(), changed);

    let closed = ServiceChanges {
        access: Some(ServiceAccess::Nobody),
        ..ServiceChanges::default()
    };
    let closed = f.keyplate.update_service(&films.id, closed).unwrap();
    assert!(!closed.for_everyone && closed.origins == changed.origins);
    let stray = ServiceChanges {
        origins: vec!["https://cinema.example".to_owned()],
        ..ServiceChanges::default()
    };
    let refused = f.keyplate.update_service(&films.id, stray).unwrap_err();
    assert_eq!(refused.field().as_deref(), Some("origins"));
}
