//! A lost passkey is replaced, by a token that an administrator or the host makes.

use keyplate::{AuditQuery, ErrorCode, EventKind, SignInMethod};
use keyplate_testkit::Spoil;

use super::{is_dead, recover, redeem};
use crate::common::{passkeys::Person, *};

#[test]
fn a_lost_passkey_is_replaced() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let (mut lost, old, by_old) = f.person(&bob);
    let by_host = f.session(&bob);
    let key = f.key(&bob, &["library:stream"]);
    let anns = f.session(&f.user("ann"));

    let token = f.keyplate.create_recovery_token(&bob.id, None).unwrap();
    assert!(token.one_time_token.is_recovery);
    assert!(!is_dead(&f, &by_old), "nothing ends before it is used");
    let recovered = redeem(&f, token.secret.as_str());
    let session = &recovered.session;
    assert_eq!(session.method, SignInMethod::Recovery);
    assert_eq!(session.stepped_up_at, None);
    assert_eq!(session.expires_at, f.in_seconds(15 * 60));
    assert!(is_dead(&f, &by_old) && is_dead(&f, &by_host));
    assert!(!is_dead(&f, &anns));
    f.keyplate.verify_api_key(key.secret.as_str()).unwrap();
    let again = f.stranger().redeem_one_time_token(token.secret.as_str());
    assert_eq!(code(again), ErrorCode::InvalidCredential);

    let acting = f.acting(recovered.secret.as_str());
    let mut bobs = Person::new();
    let registered = bobs.register(&acting).unwrap();
    let by_new = registered.signed_in.unwrap();
    assert_eq!(by_new.session.method, SignInMethod::Passkey);
    assert!(is_dead(&f, &recovered) && !is_dead(&f, &by_new));
    let second = Person::new().register(&acting);
    assert_eq!(code(second), ErrorCode::InvalidCredential);

    f.acting(by_new.secret.as_str())
        .delete_passkey(&old.id)
        .unwrap();
    assert!(lost.log_in(&f.stranger()).is_err());
    bobs.log_in(&f.stranger()).unwrap();

    let expected = [
        EventKind::RecoveryTokenCreated,
        EventKind::RecoveryTokenRedeemed,
        EventKind::PasskeyRegistered,
        EventKind::PasskeyDeleted,
    ];
    let heard = f.heard.kinds();
    let heard: Vec<_> = heard
        .iter()
        .filter(|kind| expected.contains(kind))
        .collect();
    let first = EventKind::PasskeyRegistered; // the one that was lost
    assert_eq!(
        heard,
        [&first].into_iter().chain(&expected).collect::<Vec<_>>()
    );
    for (kind, by_host) in expected.into_iter().zip([true, false, false, false]) {
        let query = AuditQuery {
            user_id: Some(bob.id),
            kind: Some(kind),
            ..AuditQuery::default()
        };
        let row = f.keyplate.list_audit_events(query).unwrap().items.remove(0);
        assert_eq!(row.username.as_deref(), Some("bob"), "{kind:?}");
        let address = row.address.as_deref();
        assert_eq!(address, (!by_host).then_some("192.0.2.7"), "{kind:?}");
    }
}

#[test]
fn the_old_one_may_be_deleted_first_but_not_the_last() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let (_, first, session) = f.person(&bob);
    let by_passkey = f.acting(session.secret.as_str());
    let second = Person::new().register(&by_passkey).unwrap().passkey;
    let (_, anns, _) = f.person(&f.user("ann"));
    f.clock.advance(7_200);
    let acting = f.acting(recover(&f, &bob).secret.as_str());
    acting.delete_passkey(&first.id).unwrap();
    assert_eq!(code(acting.delete_passkey(&second.id)), ErrorCode::Conflict);
    assert_eq!(code(acting.delete_passkey(&anns.id)), ErrorCode::NotFound);
    Person::new().register(&acting).unwrap();
}

#[test]
fn it_ends_after_a_quarter_of_an_hour() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let recovered = recover(&f, &bob);
    let acting = f.acting(recovered.secret.as_str());
    f.clock.advance(15 * 60 - 1);
    let mut person = Person::new();
    let ceremony = acting.begin_passkey_registration().unwrap();
    let response = person.create(&ceremony, &Spoil::default());
    f.clock.advance(1);
    let late = acting.finish_passkey_registration(&ceremony.ceremony, &response, None);
    assert_eq!(code(late), ErrorCode::InvalidCredential);
    assert!(f.keyplate.list_passkeys(Some(bob.id)).unwrap().is_empty());
}

#[test]
fn two_ceremonies_of_one_recovery_give_one_passkey() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let acting = f.acting(recover(&f, &bob).secret.as_str());
    let begun = [(); 2].map(|()| {
        let ceremony = acting.begin_passkey_registration().unwrap();
        let response = Person::new().create(&ceremony, &Spoil::default());
        (ceremony, response)
    });
    let outcomes = begun.map(|(ceremony, response)| {
        let finished = acting.finish_passkey_registration(&ceremony.ceremony, &response, None);
        finished.err().map(|error| error.code())
    });
    assert_eq!(outcomes, [None, Some(ErrorCode::InvalidCredential)]);
    assert_eq!(f.keyplate.list_passkeys(Some(bob.id)).unwrap().len(), 1);
}

#[test]
fn an_administrator_makes_one_after_a_step_up() {
    let f = Fixture::new();
    let (mut root, _, session) = f.person(&f.administrator("root"));
    let (ann, bob) = (f.administrator("ann"), f.user("bob"));
    f.person(&bob);
    f.clock.advance(3_600);
    let acting = f.acting(session.secret.as_str());
    for user in [&ann, &bob] {
        let refused = acting.create_recovery_token(&user.id, None);
        assert_eq!(code(refused), ErrorCode::StepUpRequired);
    }
    let acting = f.acting(root.step_up(&acting).unwrap().secret.as_str());
    for user in [&ann, &bob] {
        let made = acting.create_recovery_token(&user.id, Some(901)).unwrap();
        let maker = made.one_time_token.created_by;
        assert_eq!(maker, Some(session.user.id.to_string()));
        let recovered = redeem(&f, made.secret.as_str());
        let signed_in = Person::new()
            .register(&f.acting(recovered.secret.as_str()))
            .unwrap()
            .signed_in
            .unwrap();
        // He is wholly himself again.
        let found = f.keyplate.authenticate(signed_in.secret.as_str()).unwrap();
        assert_eq!(found.role, user.role);
    }
    let bobs = f.acting(f.session(&bob).secret.as_str());
    let refused = bobs.create_recovery_token(&bob.id, None);
    assert_eq!(code(refused), ErrorCode::PermissionDenied);
}

#[test]
fn not_for_who_may_not_sign_in_and_not_twice() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let (first, second) = (
        f.keyplate.create_recovery_token(&bob.id, None).unwrap(),
        f.keyplate.create_recovery_token(&bob.id, None).unwrap(),
    );
    f.keyplate.disable_user(&bob.id).unwrap();
    let refused = f.keyplate.create_recovery_token(&bob.id, None);
    assert_eq!(code(refused), ErrorCode::AccountDisabled);
    let refused = f.stranger().redeem_one_time_token(first.secret.as_str());
    assert_eq!(code(refused), ErrorCode::AccountDisabled);
    f.keyplate.enable_user(&bob.id).unwrap();
    let by_first = redeem(&f, first.secret.as_str()); // it was not used up
    let by_second = redeem(&f, second.secret.as_str());
    assert!(is_dead(&f, &by_first) && !is_dead(&f, &by_second));
}
