//! U1: a name is found by its own look-up, and is whose it was proved to be, or was given to. What a stranger chose blocks and
//! finds nobody.

use keyplate::{
    AuditQuery, ErrorCode, EventKind, Keyplate, NewSignup, NewUser, Result, SettingsChanges,
    SignedIn, SignupMode, User, UserChanges, UserQuery,
};

use crate::common::*;

/// Everybody may sign up, and users may rename themselves.
fn open_house() -> Fixture {
    let f = Fixture::new();
    let settings = SettingsChanges {
        signup_mode: Some(SignupMode::Open),
        open_signups_per_hour: Some(1_000),
        username_change: Some(true),
        ..SettingsChanges::default()
    };
    f.keyplate.update_settings(settings).unwrap();
    f
}

fn join(f: &Fixture, name: &str, email: Option<&str>) -> Result<SignedIn> {
    f.stranger().sign_up(NewSignup {
        username: name.to_owned(),
        email: email.map(str::to_owned),
        ..NewSignup::default()
    })
}

fn with_email(name: &str, email: &str) -> NewUser {
    NewUser {
        email: Some(email.to_owned()),
        ..new_user(name)
    }
}

fn rename(name: &str) -> UserChanges {
    UserChanges {
        username: Some(name.to_owned()),
        ..UserChanges::default()
    }
}

fn move_to(email: &str) -> UserChanges {
    UserChanges {
        email: Some(email.to_owned()),
        ..UserChanges::default()
    }
}

fn proved(email: &str) -> UserChanges {
    UserChanges {
        email_verified: Some(true),
        ..move_to(email)
    }
}

fn found(keyplate: &Keyplate, email: &str) -> Option<String> {
    let user = keyplate.find_user_by_email(email).unwrap();
    user.map(|user| user.username)
}

fn email_of(f: &Fixture, user: &User) -> Option<String> {
    f.keyplate.get_user(&user.id).unwrap().email
}

fn conflict(field: &str) -> (ErrorCode, Option<String>) {
    (ErrorCode::Conflict, Some(field.to_owned()))
}

fn bad(field: &str) -> (ErrorCode, Option<String>) {
    (ErrorCode::InvalidInput, Some(field.to_owned()))
}

#[test]
fn a_stranger_who_calls_himself_by_an_external_id_is_not_found_by_it() {
    let f = open_house();
    let ann = NewUser {
        external_id: Some("1001".to_owned()),
        ..new_user("ann")
    };
    let ann = f.keyplate.create_user(ann).unwrap();
    let stranger = join(&f, "1001", None).unwrap().user;
    let by_key = f.keyplate.find_user_by_external_id("1001").unwrap();
    assert_eq!(by_key.unwrap().id, ann.id);
    let by_name = f.keyplate.find_user_by_username("1001").unwrap();
    assert_eq!(by_name.unwrap().id, stranger.id);
    // An id in place of a name is nobody's name.
    let own = join(&f, &ann.id.to_string(), None).unwrap().user;
    let by_name = f.keyplate.find_user_by_username(ann.id.as_str()).unwrap();
    assert_eq!(by_name.unwrap().id, own.id);
}

#[test]
fn what_somebody_only_typed_blocks_nobody_finds_nobody_and_goes() {
    let f = open_house();
    type Hold = fn(&Fixture, &str) -> User;
    let ways: [(&str, Hold); 5] = [
        ("made", |f, email| {
            f.keyplate.create_user(with_email("made", email)).unwrap()
        }),
        ("given", |f, email| {
            let user = f.user("given");
            f.keyplate.update_user(&user.id, move_to(email)).unwrap()
        }),
        ("proved", |f, email| {
            let user = join(f, "proved", Some(email)).unwrap().user;
            f.keyplate.update_user(&user.id, proved(email)).unwrap()
        }),
        ("named", |f, email| f.user(email)),
        ("renamed", |f, email| {
            let user = f.user("renamed");
            f.keyplate.update_user(&user.id, rename(email)).unwrap()
        }),
    ];
    for (way, hold) in ways {
        let email = format!("{way}@corp.example");
        let eve = join(&f, &format!("eve-{way}"), Some(&email)).unwrap();
        let adam = join(&f, &format!("adam-{way}"), Some(&email.to_uppercase())).unwrap();
        for typed in [&eve.user, &adam.user] {
            assert!(typed.email.is_some() && !typed.email_held && !typed.email_verified);
        }
        assert_eq!(found(&f.keyplate, &email), None, "{way}");
        f.clock.advance(5);
        f.heard.0.lock().unwrap().clear();
        let holder = hold(&f, &email);
        assert_eq!(found(&f.keyplate, &email), Some(holder.username.clone()));
        assert_eq!(holder.email_held, holder.email.is_some());
        for user in [&eve.user, &adam.user] {
            let left = f.keyplate.get_user(&user.id).unwrap();
            assert_eq!((left.email, left.updated_at), (None, f.now()), "{way}");
            let told = f.heard.0.lock().unwrap().iter().any(|event| {
                event.kind == EventKind::EmailReleased && event.user_id == Some(user.id.to_string())
            });
            assert!(told, "{way}");
            let log = AuditQuery {
                user_id: Some(user.id),
                kind: Some(EventKind::EmailReleased),
                ..AuditQuery::default()
            };
            assert_eq!(f.keyplate.list_audit_events(log).unwrap().total, 1, "{way}");
        }
        let session = f.keyplate.verify_session(eve.secret.as_str());
        assert!(session.is_ok(), "nobody is signed out by it");
    }
    let integrity = f.keyplate.check_integrity().unwrap();
    assert!(integrity.ok, "{integrity:?}");
}

#[test]
fn what_somebody_holds_nobody_else_types() {
    let f = open_house();
    let ann = with_email("ann", "ann@x.example");
    f.keyplate.create_user(ann).unwrap();
    f.user("ceo@corp.example");
    let eve = join(&f, "eve", Some("eve@x.example")).unwrap();
    let own = f.acting(eve.secret.as_str());
    for held in ["Ann@X.example", "CEO@corp.example"] {
        let refused = join(&f, "adam", Some(held));
        assert_eq!(refusal(refused), conflict("email"));
        let refused = own.update_user(&eve.user.id, move_to(held));
        assert_eq!(refusal(refused), conflict("email"));
        let refused = f.keyplate.create_user(with_email("adam", held));
        assert_eq!(refusal(refused), conflict("email"));
        let refused = f.keyplate.create_user(new_user(held));
        assert_eq!(refusal(refused), conflict("username"));
        let refused = f.keyplate.update_user(&eve.user.id, rename(held));
        assert_eq!(refusal(refused), conflict("username"));
    }
    assert_eq!(
        email_of(&f, &eve.user).as_deref(),
        Some("eve@x.example"),
        "a refusal takes nothing"
    );
    // Their own username as their own address is no conflict, and one held address.
    let own = with_email("own@x.example", "Own@x.example");
    let own = f.keyplate.create_user(own).unwrap();
    assert_eq!(found(&f.keyplate, "own@x.example"), Some(own.username));
}

/// Administrators and the host give names with `@`, and nobody else.
#[test]
fn a_username_that_is_an_address_is_given() {
    let f = open_house();
    let name = "ceo@corp.example";
    assert_eq!(refusal(join(&f, name, None)), bad("username"));
    let own = join(&f, "cfo@corp.example", Some("cfo@corp.example"));
    assert_eq!(refusal(own), bad("username"), "their own address too");
    let signup = NewSignup {
        username: name.to_owned(),
        ..NewSignup::default()
    };
    let begun = f.stranger().begin_passkey_signup(signup);
    assert_eq!(refusal(begun), bad("username"));
    let eve = join(&f, "eve", None).unwrap();
    let own = f.acting(eve.secret.as_str());
    let refused = own.update_user(&eve.user.id, rename(name));
    assert_eq!(refusal(refused), bad("username"));
    // An administrator gives it by a key that may make users.
    let ann = f.administrator("ann");
    let by_key = f.acting(f.key(&ann, &["users:write"]).secret.as_str());
    by_key.create_user(new_user(name)).unwrap();
    assert_eq!(found(&f.keyplate, name).as_deref(), Some(name));
    f.keyplate
        .update_user(&eve.user.id, rename("eve@corp.example"))
        .unwrap();
    assert_eq!(
        found(&f.keyplate, "EVE@corp.example").as_deref(),
        Some("eve@corp.example")
    );
    // Whoever has one writes it otherwise, and leaves it.
    own.update_user(&eve.user.id, rename("Eve@corp.example"))
        .unwrap();
    assert!(found(&f.keyplate, "eve@corp.example").is_some());
    own.update_user(&eve.user.id, rename("eve")).unwrap();
    assert_eq!(found(&f.keyplate, "eve@corp.example"), None);

    // Nor does whoever claims setup have to think of another name.
    let f = Fixture::new();
    let token = f.keyplate.create_setup_token().unwrap();
    let claimed = f
        .stranger()
        .claim_setup(Some(token.secret.reveal()), admin(name));
    assert_eq!(claimed.unwrap().user.username, name);
    assert_eq!(found(&f.keyplate, name).as_deref(), Some(name));
}

#[test]
fn what_is_only_repeated_is_not_given() {
    let f = open_house();
    let eve = join(&f, "eve", Some("eve@x.example")).unwrap().user;
    let whole = UserChanges {
        display_name: Some("Eve".to_owned()),
        ..move_to("Eve@x.example")
    };
    let after = f.keyplate.update_user(&eve.id, whole).unwrap();
    assert!(!after.email_held, "another spelling is no other address");
    assert_eq!(found(&f.keyplate, "eve@x.example"), None);
    let given = f.keyplate.update_user(&eve.id, move_to("e@x.example"));
    assert!(given.unwrap().email_held);
    // Whoever holds it, holds it unverified, or written otherwise, too.
    let unproved = UserChanges {
        email_verified: Some(false),
        ..UserChanges::default()
    };
    assert!(
        f.keyplate
            .update_user(&eve.id, unproved)
            .unwrap()
            .email_held
    );
    let own = f.acting(f.session(&eve).secret.as_str());
    let after = own.update_user(&eve.id, move_to("E@x.example")).unwrap();
    assert!(after.email_held && !after.email_verified);
    let after = own.update_user(&eve.id, move_to("new@x.example")).unwrap();
    assert!(!after.email_held);
    assert_eq!(found(&f.keyplate, "e@x.example"), None);
}

/// Between the mail and the click its owner may have typed another address.
#[test]
fn whoever_proves_an_address_names_it() {
    let f = open_house();
    let eve = join(&f, "eve", Some("x@x.example")).unwrap();
    let id = &eve.user.id;
    let own = f.acting(eve.secret.as_str());
    own.update_user(id, move_to("victim@x.example")).unwrap();
    let unnamed = UserChanges {
        email_verified: Some(true),
        ..UserChanges::default()
    };
    let ann = f.administrator("ann");
    let key = f.acting(f.key(&ann, &["*", "roles:write"]).secret.as_str());
    for by in [&f.keyplate, &key] {
        let refused = by.update_user(id, unnamed.clone());
        assert_eq!(refusal(refused), bad("email_verified"));
        let refused = by.update_user(id, proved(""));
        assert_eq!(refusal(refused), bad("email_verified"));
        let refused = by.update_user(id, proved("x@x.example"));
        assert_eq!(refusal(refused), conflict("email"));
        let refused = by.update_user(id, proved("x@x.example"));
        assert_eq!(reason(refused).1.as_deref(), Some("other_email"));
    }
    let stays = f.keyplate.get_user(id).unwrap();
    assert_eq!(stays.email.as_deref(), Some("victim@x.example"));
    assert!(!stays.email_verified && !stays.email_held);
    let proved_one = key.update_user(id, proved("Victim@x.example")).unwrap();
    assert!(proved_one.email_verified && proved_one.email_held);
    // Where there is none, none stands in the way.
    let bob = f.user("bob");
    let bob = f.keyplate.update_user(&bob.id, proved("bob@x.example"));
    assert!(bob.unwrap().email_verified);
}

#[test]
fn a_former_name_comes_back_to_whoever_had_it_and_by_create_user() {
    let f = open_house();
    let ann = f.user("ann");
    let own = f.acting(f.session(&ann).secret.as_str());
    let bob = f.user("bob");
    let bobs = f.acting(f.session(&bob).secret.as_str());
    own.update_user(&ann.id, rename("anna")).unwrap();
    assert_eq!(refusal(join(&f, "Ann", None)), conflict("username"));
    for by in [&bobs, &f.keyplate] {
        let refused = by.update_user(&bob.id, rename("ANN"));
        assert_eq!(refusal(refused), conflict("username"));
    }
    own.update_user(&ann.id, rename("Ann")).unwrap();
    own.update_user(&ann.id, rename("anna")).unwrap();
    // An administrator gives it to somebody else: from then on it was theirs.
    let other = f.user("ann");
    f.keyplate.update_user(&other.id, rename("other")).unwrap();
    let refused = own.update_user(&ann.id, rename("ann"));
    assert_eq!(refusal(refused), conflict("username"));
    f.keyplate.delete_user(&other.id).unwrap();
    for gone in ["ann", "other"] {
        assert_eq!(refusal(join(&f, gone, None)), conflict("username"));
        let refused = own.update_user(&ann.id, rename(gone));
        assert_eq!(refusal(refused), conflict("username"));
    }
    f.user("other");

    // Nor by whoever claims setup with a token.
    let again = f.user("again");
    f.administrator("root");
    f.keyplate.delete_user(&again.id).unwrap();
    f.keyplate.reset_setup(1).unwrap();
    let token = f.keyplate.create_setup_token().unwrap();
    let claim = f
        .stranger()
        .claim_setup(Some(token.secret.reveal()), admin("again"));
    assert_eq!(refusal(claim), conflict("username"));
}

#[test]
fn a_formerly_held_address_comes_to_nobody_else() {
    let f = open_house();
    let bob = f.user("bob");
    let eve = join(&f, "eve", None).unwrap();
    let eves = f.acting(eve.secret.as_str());
    type Leave = fn(&Fixture, &User);
    let ways: [(&str, Leave); 4] = [
        ("moved", |f, user| {
            f.keyplate
                .update_user(&user.id, move_to("elsewhere@x.example"))
                .map(drop)
                .unwrap();
        }),
        ("removed", |f, user| {
            let own = f.acting(f.session(user).secret.as_str());
            own.update_user(&user.id, move_to("")).map(drop).unwrap();
        }),
        ("deleted", |f, user| {
            f.keyplate.delete_user(&user.id).unwrap()
        }),
        ("renamed@x.example", |f, user| {
            f.keyplate
                .update_user(&user.id, rename("renamed"))
                .map(drop)
                .unwrap();
        }),
    ];
    for (n, (name, leave)) in ways.into_iter().enumerate() {
        let email = match name.contains('@') {
            true => name.to_owned(),
            false => format!("{name}@x.example"),
        };
        let user = match name.contains('@') {
            true => f.user(name),
            false => f.keyplate.create_user(with_email(name, &email)).unwrap(),
        };
        leave(&f, &user);
        assert_eq!(found(&f.keyplate, &email), None, "{name}");
        // It may stand in a profile, where it is nobody's, and never comes to be held.
        let typed = eves.update_user(&eve.user.id, move_to(&email)).unwrap();
        assert!(!typed.email_held);
        for change in [proved(&email), rename(&email)] {
            let refused = f.keyplate.update_user(&eve.user.id, change);
            assert_eq!(code(refused), ErrorCode::Conflict, "{name}");
        }
        for change in [move_to(&email), proved(&email)] {
            let refused = f.keyplate.update_user(&bob.id, change);
            assert_eq!(refusal(refused), conflict("email"), "{name}");
        }
        let refused = join(&f, "adam", Some(&email));
        assert_eq!(refusal(refused), conflict("email"), "{name}");
        if f.keyplate.get_user(&user.id).is_ok() {
            let back = f.keyplate.update_user(&user.id, move_to(&email)).unwrap();
            assert!(back.email_held);
            let left = f.keyplate.get_user(&eve.user.id).unwrap();
            assert_eq!(left.email, None, "{name}: it is held again");
            f.keyplate.update_user(&user.id, move_to("")).unwrap();
        }
        let new = with_email(&format!("new{n}"), &email);
        assert!(f.keyplate.create_user(new).unwrap().email_held);
    }
}

/// S7: those who were never let in.
#[test]
fn rejected_sign_ups_leave_nothing() {
    let f = open_house();
    let gone = f.keyplate.create_user(with_email("gone", "gone@x.example"));
    f.keyplate.delete_user(&gone.unwrap().id).unwrap();
    let approval = SettingsChanges {
        signup_approval: Some(true),
        ..SettingsChanges::default()
    };
    f.keyplate.update_settings(approval).unwrap();
    let eve = join(&f, "eve", Some("eve@x.example")).unwrap().user;
    for name in ["eva", "evi@x.example", "evo"] {
        f.keyplate.update_user(&eve.id, rename(name)).unwrap();
    }
    for email in ["given@x.example", "other@x.example"] {
        f.keyplate.update_user(&eve.id, move_to(email)).unwrap();
    }
    f.keyplate.reject_user(&eve.id).unwrap();
    let names = ["eve", "eva", "evo", "adam", "abel"];
    let emails = [
        "eve@x.example",
        "evi@x.example",
        "given@x.example",
        "other@x.example",
    ];
    for (name, email) in names.iter().zip(emails) {
        let user = join(&f, name, Some(email)).unwrap().user;
        f.keyplate.update_user(&user.id, proved(email)).unwrap();
    }
    join(&f, names[4], None).unwrap();
    assert_eq!(refusal(join(&f, "gone", None)), conflict("username"));
    assert_eq!(
        refusal(join(&f, "cain", Some("gone@x.example"))),
        conflict("email")
    );
}

/// Of several who come to hold an address at once, by whatever way, one wins, and nobody is left with it who only typed it.
#[test]
fn of_several_who_come_to_hold_an_address_one_wins() {
    let f = open_house();
    let again = f.open_again();
    for round in 0..10 {
        let email = format!("ann{round}@x.example");
        let users: Vec<User> = (0..4)
            .map(|n| {
                let name = format!("u{round}-{n}");
                join(&f, &name, Some(&email)).unwrap().user
            })
            .collect();
        let won: Vec<Result<User>> = std::thread::scope(|scope| {
            let (keyplate, again, email) = (&f.keyplate, &again, &email);
            let mut ways: Vec<std::thread::ScopedJoinHandle<'_, Result<User>>> = Vec::new();
            for (n, user) in users.iter().enumerate() {
                let by = if n % 2 == 0 { keyplate } else { again };
                ways.push(scope.spawn(move || by.update_user(&user.id, proved(email))));
            }
            ways.push(scope.spawn(move || again.create_user(new_user(email))));
            let new = with_email(&format!("new{round}"), email);
            ways.push(scope.spawn(move || keyplate.create_user(new)));
            ways.into_iter().map(|way| way.join().unwrap()).collect()
        });
        let winners: Vec<&User> = won.iter().filter_map(|one| one.as_ref().ok()).collect();
        // Whoever comes later than the winner has no address any more, so that none stands in the way.
        assert_eq!(winners.len(), 1, "{won:?}");
        for refused in won.iter().filter_map(|one| one.as_ref().err()) {
            assert_eq!(refused.code(), ErrorCode::Conflict);
        }
        let holder = f.keyplate.find_user_by_email(&email).unwrap().unwrap();
        assert_eq!(holder.id, winners[0].id);
        let everybody = UserQuery {
            search: Some(email.clone()),
            ..UserQuery::default()
        };
        assert_eq!(f.keyplate.list_users(everybody).unwrap().total, 1);
    }
}

#[test]
fn an_ordinary_user_finds_themselves_only() {
    let f = open_house();
    let user = |name: &str| NewUser {
        external_id: Some(format!("key-{name}")),
        ..with_email(name, &format!("{name}@x.example"))
    };
    let ann = f.keyplate.create_user(user("ann")).unwrap();
    f.keyplate.create_user(user("bob")).unwrap();
    let own = f.acting(f.session(&ann).secret.as_str());
    for (name, seen) in [("ann", true), ("bob", false)] {
        let by_name = own.find_user_by_username(name).unwrap();
        let by_email = own
            .find_user_by_email(&format!("{name}@x.example"))
            .unwrap();
        let by_key = own
            .find_user_by_external_id(&format!("key-{name}"))
            .unwrap();
        for one in [by_name, by_email, by_key] {
            assert_eq!(one.is_some(), seen);
        }
    }
    let stranger = f.stranger();
    assert_eq!(
        code(stranger.find_user_by_email("ann@x.example")),
        ErrorCode::PermissionDenied
    );
}
