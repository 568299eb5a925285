//! Settings of accounts: who needs an address, who may change a profile, and what an account begins with.

use keyplate::{
    Claim, ConflictReason, DenialReason, ErrorCode, EventKind, InputReason, KeyplateError,
    NewAdmin, NewSignupToken, NewUser, SettingsChanges, SignupMode, UserChanges,
};

use crate::common::{passkeys::Person, signups::*, *};

fn set(f: &Fixture, changes: SettingsChanges) {
    f.keyplate.update_settings(changes).unwrap();
}

fn claim(key: &str, value: &str) -> Claim {
    Claim {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

fn missing_email<T: std::fmt::Debug>(result: keyplate::Result<T>) {
    let error = KeyplateError::InvalidInput {
        field: "email".to_owned(),
        reason: InputReason::Missing,
    };
    assert_eq!(result.unwrap_err(), error);
}

fn with_email(username: &str) -> NewUser {
    NewUser {
        email: Some(format!("{username}@x.example")),
        ..new_user(username)
    }
}

fn email(text: &str) -> UserChanges {
    UserChanges {
        email: Some(text.to_owned()),
        ..UserChanges::default()
    }
}

/// S5.
#[test]
fn where_an_address_is_required_no_new_account_is_without_one() {
    let f = Fixture::new();
    let bare = f.user("before");
    let require_email = || SettingsChanges {
        require_email: Some(true),
        signup_mode: Some(SignupMode::Open),
        ..Default::default()
    };
    set(&f, require_email());
    assert!(f.stranger().get_public_settings().unwrap().require_email);
    let stranger = f.stranger();
    missing_email(f.keyplate.create_user(new_user("ann")));
    missing_email(stranger.sign_up(signup("bob", None)));
    missing_email(stranger.begin_passkey_signup(signup("bob", None)));
    let admin = NewAdmin {
        username: "root".to_owned(),
        ..Default::default()
    };
    missing_email(f.keyplate.claim_setup(None, admin));
    let plan = r#"{"users": [{"username": "carol"}]}"#;
    let error = f.keyplate.bootstrap(plan).unwrap_err();
    assert_eq!(error.field().as_deref(), Some("users[0].email"));

    let ann = f.keyplate.create_user(with_email("ann")).unwrap();
    let member = |name: &str| keyplate::NewSignup {
        email: Some(format!("{name}@x.example")),
        ..signup(name, None)
    };
    stranger.sign_up(member("bob")).unwrap();
    // A sign-up that began before the setting was changed is bound by it too.
    set(
        &f,
        SettingsChanges {
            require_email: Some(false),
            ..Default::default()
        },
    );
    let mut person = Person::new();
    let ceremony = stranger.begin_passkey_signup(signup("dora", None)).unwrap();
    set(&f, require_email());
    let response = person.create(&ceremony, &Default::default());
    missing_email(stranger.finish_passkey_signup(&ceremony.ceremony, &response));

    // Nobody's is taken away, by themselves or by others; who never had one goes on without.
    missing_email(f.keyplate.update_user(&ann.id, email("")));
    let own = f.acting(f.session(&ann).secret.as_str());
    missing_email(own.update_user(&ann.id, email("")));
    let name = UserChanges {
        first_name: Some("B".to_owned()),
        email: Some(String::new()),
        ..UserChanges::default()
    };
    f.keyplate.update_user(&bare.id, name).unwrap();
}

/// U6.
#[test]
fn a_profile_is_closed_to_its_owner_and_open_to_administrators() {
    let f = Fixture::new();
    let (ann, bob) = (f.administrator("ann"), f.user("bob"));
    let own = f.acting(f.session(&bob).secret.as_str());
    set(
        &f,
        SettingsChanges {
            own_profile: Some(false),
            username_change: Some(true),
            ..Default::default()
        },
    );
    assert!(!f.stranger().get_public_settings().unwrap().own_profile);
    let text = || Some("new".to_owned());
    let none = UserChanges::default;
    let changes = [
        UserChanges {
            username: text(),
            ..none()
        },
        UserChanges {
            display_name: text(),
            ..none()
        },
        UserChanges {
            first_name: text(),
            ..none()
        },
        UserChanges {
            last_name: text(),
            ..none()
        },
        UserChanges {
            locale: Some("de".to_owned()),
            ..none()
        },
        email("new@x.example"),
    ];
    for changes in changes.clone() {
        let refused = own.update_user(&bob.id, changes).unwrap_err();
        let reason = DenialReason::OwnProfileClosed;
        assert_eq!(refused, KeyplateError::PermissionDenied { reason });
    }
    // What is only repeated is no change.
    let same = UserChanges {
        username: Some("bob".to_owned()),
        ..none()
    };
    assert_eq!(own.update_user(&bob.id, same).unwrap(), bob);
    let as_ann = f.acting(f.session(&ann).secret.as_str());
    for changes in changes {
        as_ann.update_user(&bob.id, changes).unwrap();
    }
    as_ann
        .update_user(
            &ann.id,
            UserChanges {
                first_name: text(),
                ..none()
            },
        )
        .unwrap();
}

/// S5.
#[test]
fn everybody_who_signs_up_has_the_default_claims_and_those_of_their_token() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::Open);
    let defaults = vec![claim("quota", "5"), claim("theme", "dark")];
    let settings = f.keyplate.set_default_claims(defaults.clone()).unwrap();
    assert_eq!(settings.default_claims, defaults);
    assert_eq!(f.open_again().get_settings().unwrap(), settings);
    let bob = f.stranger().sign_up(signup("bob", None)).unwrap().user;
    assert_eq!(bob.claims, defaults);

    let created = token(&f, NewSignupToken::default());
    let of_token = vec![claim("Quota", "9"), claim("room", "den")];
    let id = &created.signup_token.id;
    f.keyplate
        .set_signup_token_grants(id, &[], of_token)
        .unwrap();
    let secret = created.secret.as_str();
    let carol = f.stranger().sign_up(signup("carol", Some(secret)));
    let expected = [
        claim("Quota", "9"),
        claim("room", "den"),
        claim("theme", "dark"),
    ];
    assert_eq!(
        carol.unwrap().user.claims,
        expected,
        "one name in two spellings"
    );
    let mut person = Person::new();
    let dora = person.sign_up(&f.stranger(), signup("dora", None)).unwrap();
    assert_eq!(dora.user.claims, defaults);
    // Who is created by others has what those give.
    assert!(f.user("eve").claims.is_empty());

    let heard = f.heard.kinds().len();
    f.keyplate.set_default_claims(defaults).unwrap();
    assert_eq!(
        f.heard.kinds().len(),
        heard,
        "a change of nothing is no event"
    );
    let reserved = f.keyplate.set_default_claims(vec![claim("sub", "x")]);
    assert_eq!(reserved.unwrap_err().field().as_deref(), Some("claims"));
    let key = |scopes: &[&str]| {
        let key = new_key(
            Some(&f.administrator(&format!("a{}", scopes.len()))),
            scopes,
        );
        f.acting(f.keyplate.create_api_key(key).unwrap().secret.as_str())
    };
    let none = Vec::new;
    let weak = key(&["settings:write"]).set_default_claims(none());
    assert_eq!(code(weak), ErrorCode::PermissionDenied);
    let enough = key(&["settings:write", "users:write"]);
    assert_eq!(
        enough.set_default_claims(none()).unwrap().default_claims,
        []
    );
    assert_eq!(f.heard.kinds().last(), Some(&EventKind::SettingsChanged));
}

/// S5.
#[test]
fn addresses_that_administrators_give_are_verified_where_the_setting_says_so() {
    let f = Fixture::new();
    let before = f.keyplate.create_user(with_email("before")).unwrap();
    assert!(!before.email_verified);
    set(
        &f,
        SettingsChanges {
            emails_verified: Some(true),
            signup_mode: Some(SignupMode::Open),
            ..Default::default()
        },
    );
    let ann = f.keyplate.create_user(with_email("ann")).unwrap();
    assert!(ann.email_verified && ann.email_held);
    assert!(
        !f.user("bare").email_verified,
        "no address is none that is verified"
    );
    let plan = r#"{"users": [{"username": "carol", "email": "carol@x.example"}]}"#;
    f.keyplate.bootstrap(plan).unwrap();
    assert_eq!(
        f.keyplate.bootstrap(plan).unwrap().changes,
        [],
        "a second run"
    );
    let carol = f.keyplate.find_user_by_username("carol").unwrap().unwrap();
    assert!(carol.email_verified);

    // What nobody gives anew is as it was; a new address is verified unless it is said not to be.
    let name = UserChanges {
        first_name: Some("B".to_owned()),
        ..email("before@x.example")
    };
    assert!(
        !f.keyplate
            .update_user(&before.id, name)
            .unwrap()
            .email_verified
    );
    let unproved = UserChanges {
        email_verified: Some(false),
        ..email("second@x.example")
    };
    assert!(
        !f.keyplate
            .update_user(&before.id, unproved)
            .unwrap()
            .email_verified
    );
    let moved = f.keyplate.update_user(&before.id, email("third@x.example"));
    assert!(moved.unwrap().email_verified);

    // What somebody only typed is nobody's proof.
    let own = f.acting(f.session(&ann).secret.as_str());
    assert!(
        !own.update_user(&ann.id, email("typed@x.example"))
            .unwrap()
            .email_verified
    );
    let member = keyplate::NewSignup {
        email: Some("dora@x.example".to_owned()),
        ..signup("dora", None)
    };
    let dora = f.stranger().sign_up(member).unwrap().user;
    assert!(!dora.email_verified && !dora.email_held);
}

/// B6: a plan has these settings too.
#[test]
fn a_plan_sets_them() {
    let f = Fixture::new();
    let plan = r#"{"settings": {"require_email": true, "own_profile": false, "emails_verified": true,
                                "default_claims": {"quota": "5"}}}"#;
    assert_eq!(f.keyplate.bootstrap(plan).unwrap().changes.len(), 1);
    let settings = f.keyplate.get_settings().unwrap();
    assert!(settings.require_email && !settings.own_profile && settings.emails_verified);
    assert_eq!(settings.default_claims, [claim("quota", "5")]);
    assert_eq!(f.keyplate.bootstrap(plan).unwrap().changes, []);
    let reserved = r#"{"settings": {"default_claims": {"sub": "x"}}}"#;
    let error = f.keyplate.bootstrap(reserved).unwrap_err();
    assert_eq!(error.field().as_deref(), Some("settings.default_claims"));
}

/// U1: the words for a name that was somebody's are not those for one that is.
#[test]
fn a_deleted_users_name_is_refused_as_such() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::Open);
    let gone = f.keyplate.create_user(with_email("gone")).unwrap();
    f.keyplate.delete_user(&gone.id).unwrap();
    let bob = f.user("bob");
    let former = |field: &str| KeyplateError::Conflict {
        what: ConflictReason::Former,
        field: Some(field.to_owned()),
    };
    let refused = f.stranger().sign_up(signup("GONE", None)).unwrap_err();
    assert_eq!(refused, former("username"));
    assert!(refused.to_string().contains("before"), "{refused}");
    let name = UserChanges {
        username: Some("gone".to_owned()),
        ..UserChanges::default()
    };
    assert_eq!(
        f.keyplate.update_user(&bob.id, name).unwrap_err(),
        former("username")
    );
    let address = f.keyplate.update_user(&bob.id, email("gone@x.example"));
    assert_eq!(address.unwrap_err(), former("email"));
    // An administrator who creates a user may give it again.
    f.keyplate.create_user(with_email("gone")).unwrap();
}

/// A1: a full replacement by what is there is no change, whatever is replaced.
#[test]
fn what_is_only_repeated_leaves_no_row() {
    let f = Fixture::new();
    let host = &f.keyplate;
    let (ann, bob) = (f.user("ann"), f.user("bob"));
    let group = |name: &str| {
        let group = keyplate::NewGroup {
            name: name.to_owned(),
            ..Default::default()
        };
        host.create_group(group).unwrap().id
    };
    let (one, two) = (group("one"), group("two"));
    let claims = |turned: bool| {
        let mut claims = vec![claim("a", "1"), claim("b", "2")];
        if turned {
            claims.reverse();
        }
        claims
    };
    let token = host
        .create_signup_token(NewSignupToken {
            expiry: Some(keyplate::Expiry::At {
                time: f.in_seconds(60),
            }),
            uses: Some(keyplate::Limit::AtMost { most: 1 }),
            account_lifetime_seconds: Some(600),
            ..NewSignupToken::default()
        })
        .unwrap()
        .signup_token;
    let same_names = keyplate::GroupChanges {
        name: Some("one".to_owned()),
        friendly_name: Some("one".to_owned()),
    };
    let everything = |turned: bool| {
        let (mut groups, mut users) = (vec![one, two], vec![ann.id, bob.id]);
        if turned {
            groups.reverse();
            users.reverse();
        }
        host.set_group_members(&one, &users).unwrap();
        host.update_group(&one, same_names.clone()).unwrap();
        host.set_user_groups(&ann.id, &groups).unwrap();
        host.set_user_claims(&ann.id, claims(turned)).unwrap();
        host.set_group_claims(&one, claims(turned)).unwrap();
        host.set_default_groups(&groups).unwrap();
        host.set_signup_token_grants(&token.id, &groups, claims(turned))
            .unwrap();
        let same = keyplate::SignupTokenChanges {
            note: Some(String::new()),
            expiry: Some(keyplate::Expiry::At {
                time: f.in_seconds(60),
            }),
            uses: Some(keyplate::Limit::AtMost { most: 1 }),
            account_lifetime: Some(keyplate::Limit::AtMost { most: 600 }),
            approval: Some(token.approval),
            enabled: Some(true),
            email: Some(String::new()),
        };
        assert_eq!(host.update_signup_token(&token.id, same).unwrap().uses, 0);
    };
    everything(false);
    let rows = f.heard.kinds().len();
    assert!(rows > 8, "the first time they are changes");
    everything(true);
    assert_eq!(f.heard.kinds().len(), rows);
    // Not even where it could be changed no more: its end has passed, and it is revoked.
    let same = keyplate::SignupTokenChanges {
        expiry: Some(keyplate::Expiry::At {
            time: f.in_seconds(60),
        }),
        ..Default::default()
    };
    f.clock.advance(90);
    host.update_signup_token(&token.id, same.clone()).unwrap();
    host.revoke_signup_token(&token.id).unwrap();
    let rows = f.heard.kinds().len();
    host.update_signup_token(&token.id, same).unwrap();
    assert_eq!(f.heard.kinds().len(), rows);
    let twice = host.set_user_claims(&ann.id, vec![claim("a", "1"), claim("a", "1")]);
    assert_eq!(code(twice), ErrorCode::InvalidInput);
}
