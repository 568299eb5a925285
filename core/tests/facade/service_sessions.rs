//! F1–F3: what a reverse proxy asks before it lets a request through to a service.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use keyplate::{
    ErrorCode::{
        self, AccountDisabled, InvalidCredential, InvalidInput, NotFound, PermissionDenied,
    },
    Keyplate, NewGroup, NewService, OpenedServiceSession, Service, ServiceAccess, ServiceChanges,
    ServiceEntrance, ServiceTicket, ServiceVisit, ServiceVisitor, User,
};
use ring::digest::{SHA256, digest};

use crate::common::*;

const FILMS: &str = "https://films.example";
const NONCE: &str = "a-nonce-of-at-least-22-characters";

fn challenge(nonce: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(digest(&SHA256, nonce.as_bytes()))
}

fn service(f: &Fixture, slug: &str, origins: &[&str]) -> Service {
    let service = NewService {
        slug: slug.to_owned(),
        origins: origins.iter().map(|&origin| origin.to_owned()).collect(),
        access: Some(ServiceAccess::Everyone),
        ..NewService::default()
    };
    f.keyplate.create_service(service).unwrap()
}

fn entrance(service: &str, origin: &str) -> ServiceEntrance {
    ServiceEntrance {
        service: service.to_owned(),
        origin: origin.to_owned(),
        challenge: challenge(NONCE),
        return_path: Some("/watch?film=7".to_owned()),
    }
}

fn ticket(as_whom: &Keyplate) -> keyplate::Result<ServiceTicket> {
    as_whom.begin_service_session(entrance("films", FILMS))
}

fn redeem(f: &Fixture, ticket: &ServiceTicket) -> keyplate::Result<OpenedServiceSession> {
    let ticket = ticket.secret.as_str();
    f.stranger().redeem_service_ticket(ticket, FILMS, NONCE)
}

fn visit(keyplate: &Keyplate, credential: Option<&str>) -> keyplate::Result<ServiceVisitor> {
    keyplate.verify_service_session(ServiceVisit {
        service: "films".to_owned(),
        origin: FILMS.to_owned(),
        credential: credential.map(str::to_owned),
    })
}

/// A user who has entered the service, with the secrets of their session and of the service's.
fn entered(f: &Fixture, user: &User) -> (String, String) {
    let session = f.session(user).secret.reveal().to_owned();
    let ticket = ticket(&f.acting(&session)).unwrap();
    let opened = redeem(f, &ticket).unwrap();
    (session, opened.secret.reveal().to_owned())
}

#[test]
fn somebody_who_is_signed_in_enters_a_service() {
    let f = Fixture::new();
    let films = service(&f, "films", &[FILMS, "https://films.example:8443"]);
    let bob = f.user("bob");
    let friends = NewGroup {
        name: "friends".to_owned(),
        friendly_name: None,
    };
    let friends = f.keyplate.create_group(friends).unwrap();
    f.keyplate.set_user_groups(&bob.id, &[friends.id]).unwrap();
    let session = f.session(&bob);
    let bobs = f.acting(session.secret.as_str());

    let ticket = ticket(&bobs).unwrap();
    assert_eq!((ticket.service_id, &*ticket.origin), (films.id, FILMS));
    assert_eq!(ticket.expires_at, f.in_seconds(30));
    let opened = redeem(&f, &ticket).unwrap();
    assert_eq!((opened.service_id, opened.user_id), (films.id, bob.id));
    assert_eq!(opened.return_path, "/watch?film=7");
    assert_eq!(opened.expires_at, session.session.expires_at);

    let token = opened.secret.as_str();
    let visitor = visit(&f.keyplate, Some(token)).unwrap();
    assert_eq!((visitor.user_id, &*visitor.username), (bob.id, "bob"));
    assert_eq!(visitor.groups, ["friends"]);
    assert_eq!(visitor.session_id, Some(session.session.id));
    assert_eq!((visitor.api_key_id, visitor.email), (None, None));
    // It is no credential of this library, and no session that anybody else sees.
    assert_eq!(code(f.keyplate.authenticate(token)), InvalidCredential);
    assert_eq!(code(f.keyplate.verify_session(token)), InvalidCredential);
    assert_eq!(
        f.keyplate.list_sessions(Default::default()).unwrap().total,
        1
    );
    // And the session by which they are signed in is none of the service's.
    let own = Some(session.secret.as_str());
    assert_eq!(code(visit(&f.keyplate, own)), InvalidCredential);
}

/// F2: dead when that one is, at the very next question, in every process.
#[test]
fn it_ends_with_the_session_the_account_and_the_access() {
    type End = fn(&Fixture, &User, &Service, &str);
    let ends: [(&str, End, ErrorCode); 9] = [
        (
            "signed out",
            |f, _, _, session| {
                let who = f.keyplate.verify_session(session).unwrap();
                f.keyplate.revoke_session(&who.session_id.unwrap()).unwrap();
            },
            InvalidCredential,
        ),
        (
            "all sessions ended",
            |f, bob, _, _| assert_eq!(f.keyplate.revoke_user_sessions(&bob.id, None), Ok(1)),
            InvalidCredential,
        ),
        (
            "disabled",
            |f, bob, _, _| drop(f.keyplate.disable_user(&bob.id).unwrap()),
            AccountDisabled,
        ),
        (
            "deleted",
            |f, bob, _, _| f.keyplate.delete_user(&bob.id).unwrap(),
            InvalidCredential,
        ),
        (
            "closed",
            |f, _, films, _| {
                let closed = f.keyplate.set_service_access(&films.id, false, &[]);
                drop(closed.unwrap());
            },
            PermissionDenied,
        ),
        (
            "deleted service",
            |f, _, films, _| f.keyplate.delete_service(&films.id).unwrap(),
            NotFound,
        ),
        (
            "another origin",
            |f, _, films, _| {
                let origins = ["https://other.example".to_owned()];
                f.keyplate.set_service_origins(&films.id, &origins).unwrap();
            },
            PermissionDenied,
        ),
        (
            "idle",
            |f, _, _, _| f.clock.advance(8 * 86_400),
            InvalidCredential,
        ),
        (
            "too old",
            |f, _, _, _| f.clock.advance(31 * 86_400),
            InvalidCredential,
        ),
    ];
    for (what, end, expected) in ends {
        let f = Fixture::new();
        let films = service(&f, "films", &[FILMS]);
        let bob = f.user("bob");
        let (session, token) = entered(&f, &bob);
        let other = f.open_again();
        assert!(visit(&other, Some(&token)).is_ok(), "{what}");
        end(&f, &bob, &films, &session);
        for keyplate in [&f.keyplate, &other] {
            assert_eq!(code(visit(keyplate, Some(&token))), expected, "{what}");
        }
    }
}

#[test]
fn using_a_service_keeps_the_session_alive() {
    let f = Fixture::new();
    service(&f, "films", &[FILMS]);
    let (session, token) = entered(&f, &f.user("bob"));
    for _ in 0..4 {
        f.clock.advance(5 * 86_400);
        assert!(visit(&f.keyplate, Some(&token)).is_ok());
    }
    assert!(f.keyplate.verify_session(&session).is_ok());
}

/// F2: once, in time, where it was meant for, in the browser that keeps the nonce.
#[test]
fn a_ticket_is_good_once_in_its_own_browser() {
    let f = Fixture::new();
    service(&f, "films", &[FILMS, "https://films.example:8443"]);
    service(&f, "library", &["https://library.example"]);
    let session = f.session(&f.user("bob"));
    let bobs = f.acting(session.secret.as_str());
    let try_it = |ticket: &str, origin: &str, nonce: &str| {
        f.stranger().redeem_service_ticket(ticket, origin, nonce)
    };
    let good = ticket(&bobs).unwrap();
    let secret = good.secret.as_str();
    for (origin, nonce) in [
        ("https://library.example", NONCE),
        ("https://films.example:8443", NONCE),
        ("http://films.example", NONCE),
        ("films.example", NONCE),
        ("", NONCE),
        (FILMS, "another-nonce-of-at-least-22-characters"),
        (FILMS, &challenge(NONCE)),
        (FILMS, ""),
    ] {
        assert_eq!(
            code(try_it(secret, origin, nonce)),
            InvalidCredential,
            "{origin} {nonce}"
        );
    }
    for other in ["", "rubbish", session.secret.as_str()] {
        assert_eq!(
            code(try_it(other, FILMS, NONCE)),
            InvalidCredential,
            "{other}"
        );
    }
    // None of that used it up.
    f.clock.advance(29);
    assert!(redeem(&f, &good).is_ok());
    assert_eq!(code(redeem(&f, &good)), InvalidCredential, "twice");
    let late = ticket(&bobs).unwrap();
    f.clock.advance(30);
    assert_eq!(code(redeem(&f, &late)), InvalidCredential, "late");
    let orphan = ticket(&bobs).unwrap();
    f.keyplate.revoke_session(&session.session.id).unwrap();
    assert_eq!(code(redeem(&f, &orphan)), InvalidCredential, "signed out");
}

#[test]
fn of_many_who_redeem_a_ticket_one_enters() {
    let f = Fixture::on_disk();
    service(&f, "films", &[FILMS]);
    let session = f.session(&f.user("bob"));
    for _ in 0..10 {
        let ticket = ticket(&f.acting(session.secret.as_str())).unwrap();
        let entered = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| match redeem(&f, &ticket) {
                    Ok(_) => drop(entered.fetch_add(1, Ordering::SeqCst)),
                    Err(error) => assert_eq!(error.code(), InvalidCredential),
                });
            }
        });
        assert_eq!(entered.into_inner(), 1);
    }
}

/// F1, F2: the origin is one of the service's, and no cookie of its hosts is anybody else's, ports aside.
#[test]
fn the_host_must_be_the_services_alone() {
    let f = Fixture::new();
    service(&f, "films", &[FILMS]);
    let session = f.session(&f.user("bob"));
    let bobs = f.acting(session.secret.as_str());
    let ask = |service: &str, origin: &str| {
        let visit = ServiceVisit {
            service: service.to_owned(),
            origin: origin.to_owned(),
            credential: None,
        };
        let begun = bobs.begin_service_session(entrance(service, origin));
        let asked = reason(f.keyplate.verify_service_session(visit));
        match begun {
            Ok(_) => assert_eq!(asked.0, InvalidCredential, "{service} {origin}"),
            Err(error) => assert_eq!(asked, (error.code(), error.reason_code())),
        }
        asked.1
    };
    let denied = |reason: &str| Some(reason.to_owned());
    for same in [FILMS, "https://FILMS.example:443", "https://films.example/"] {
        assert_eq!(ask("films", same), None, "{same}");
    }
    for other in [
        "http://films.example",
        "https://films.example:8443",
        "https://x.films.example",
        "https://films.example.evil",
        "https://films.example@evil.example",
        "https://media.example",
        "films.example",
        "",
    ] {
        assert_eq!(ask("films", other), denied("service_origin"), "{other}");
    }
    for (slug, origins) in [
        // Where people sign in, on whatever port.
        ("own", &["https://media.example:8443"][..]),
        ("own-too", &["http://media.example", "https://fine.example"]),
        // Another service, on another port.
        ("near-films", &["https://films.example:9443"]),
    ] {
        let made = service(&f, slug, origins);
        assert_eq!(
            ask(slug, origins[0]),
            denied("service_host_shared"),
            "{slug}"
        );
        if slug == "own-too" {
            assert_eq!(ask(slug, origins[1]), None, "another host of its own");
        }
        if slug == "near-films" {
            assert_eq!(ask("films", FILMS), denied("service_host_shared"));
        }
        f.keyplate.delete_service(&made.id).unwrap();
    }
    assert_eq!(ask("films", FILMS), None);
    // Whoever is inside is out as soon as a cookie of theirs could reach another.
    let (_, token) = entered(&f, &f.user("eve"));
    assert!(visit(&f.keyplate, Some(&token)).is_ok());
    let near = service(&f, "near-films", &["https://films.example:9443"]);
    let asked = reason(visit(&f.keyplate, Some(&token)));
    assert_eq!(asked.1, denied("service_host_shared"));
    f.keyplate.delete_service(&near.id).unwrap();
    let missing = visit(&f.keyplate, None);
    assert_eq!(code(missing), InvalidCredential);
}

/// F1: a session of one service is none of another, even with the same session behind it.
#[test]
fn each_service_has_a_session_of_its_own() {
    let f = Fixture::new();
    service(&f, "films", &[FILMS]);
    service(&f, "library", &["https://library.example"]);
    let (_, token) = entered(&f, &f.user("bob"));
    let elsewhere = ServiceVisit {
        service: "library".to_owned(),
        origin: "https://library.example".to_owned(),
        credential: Some(token),
    };
    assert_eq!(
        code(f.keyplate.verify_service_session(elsewhere)),
        InvalidCredential
    );
}

/// F3: the service sees the key, so it must be of no use anywhere else.
#[test]
fn keys_for_this_service_alone_pass() {
    let f = Fixture::new();
    let films = service(&f, "films", &[FILMS]);
    let (ann, bob) = (f.administrator("ann"), f.user("bob"));
    let ask = |key: &str| visit(&f.keyplate, Some(key));
    for (scopes, passes) in [
        (&["films:view"][..], true),
        (&["films:view", "films:delete"], true),
        (&["*"], false),
        (&["films:view", "library:read"], false),
        (&["films:view", "sessions:read"], false),
        (&["users:read"], false),
        (&["filmsx:view"], false),
        (&["roles:write", "films:view"], false),
    ] {
        let key = f.key(&ann, scopes);
        let asked = ask(key.secret.as_str());
        match passes {
            true => assert_eq!(asked.unwrap().api_key_id, Some(key.api_key.id)),
            false => assert_eq!(
                reason(asked).1.as_deref(),
                Some("for_others_too"),
                "{scopes:?}"
            ),
        }
    }
    let key = f.key(&bob, &["films:view"]);
    let secret = key.secret.as_str();
    f.keyplate
        .set_service_access(&films.id, false, &[])
        .unwrap();
    assert_eq!(reason(ask(secret)).1.as_deref(), Some("service_closed"));
    f.keyplate.set_service_access(&films.id, true, &[]).unwrap();
    f.keyplate.revoke_api_key(&key.api_key.id).unwrap();
    assert_eq!(code(ask(secret)), InvalidCredential);
}

#[test]
fn who_waits_or_has_no_session_gets_no_ticket() {
    let f = Fixture::new();
    let films = service(&f, "films", &[FILMS]);
    let bob = f.user("bob");
    let key = f.key(&bob, &["*"]);
    for as_whom in [&f.keyplate, &f.stranger(), &f.acting(key.secret.as_str())] {
        assert_eq!(reason(ticket(as_whom)).1.as_deref(), Some("session_needed"));
    }
    let session = f.session(&bob);
    let bobs = f.acting(session.secret.as_str());
    f.keyplate
        .set_service_access(&films.id, false, &[])
        .unwrap();
    assert_eq!(reason(ticket(&bobs)).1.as_deref(), Some("service_closed"));
    assert_eq!(
        code(bobs.begin_service_session(entrance("none", FILMS))),
        NotFound
    );
    let odd = ServiceEntrance {
        challenge: "short".to_owned(),
        ..entrance("films", FILMS)
    };
    assert_eq!(
        refusal(bobs.begin_service_session(odd)),
        (InvalidInput, Some("challenge".to_owned()))
    );
}

/// F2: one leading slash, and nothing that a browser could take for another host.
#[test]
fn the_page_to_come_back_to_is_local() {
    let f = Fixture::new();
    service(&f, "films", &[FILMS]);
    let session = f.session(&f.user("bob"));
    let bobs = f.acting(session.secret.as_str());
    let back = |path: Option<&str>| {
        let entrance = ServiceEntrance {
            return_path: path.map(str::to_owned),
            ..entrance("films", FILMS)
        };
        redeem(&f, &bobs.begin_service_session(entrance).unwrap())
            .unwrap()
            .return_path
    };
    for kept in [
        "/",
        "/a/b?c=d&e=%20",
        "/a//b",
        "/%2F%2Fevil.example",
        "/@evil.example",
    ] {
        assert_eq!(back(Some(kept)), kept);
    }
    let long = format!("/{}", "a".repeat(2_048));
    for other in [
        "",
        "films",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\\b",
        "https://evil.example",
        "javascript:alert(1)",
        " /a",
        "/a b",
        "/a\r\nSet-Cookie: x=1",
        "/ä",
        "/a#b",
        "/.keyplate/start",
        &long,
    ] {
        assert_eq!(back(Some(other)), "/", "{other:?}");
    }
    assert_eq!(back(None), "/");
}

#[test]
fn a_service_may_want_a_token_and_a_browser_many_sessions() {
    let f = Fixture::new();
    let films = service(&f, "films", &[FILMS]);
    let (session, token) = entered(&f, &f.user("bob"));
    assert!(!visit(&f.keyplate, Some(&token)).unwrap().wants_token);
    let changes = ServiceChanges {
        wants_token: Some(true),
        ..ServiceChanges::default()
    };
    f.keyplate.update_service(&films.id, changes).unwrap();
    let visitor = visit(&f.keyplate, Some(&token)).unwrap();
    assert!(visitor.wants_token);
    let issued = f
        .keyplate
        .issue_access_token(&visitor.principal, "films", None);
    assert_eq!(issued.unwrap().service_id, films.id);
    // Of those that one session opens for one service, the newest ten work.
    let bobs = f.acting(&session);
    let mut tokens = vec![token];
    for _ in 0..12 {
        f.clock.advance(1);
        let opened = redeem(&f, &ticket(&bobs).unwrap()).unwrap();
        tokens.push(opened.secret.reveal().to_owned());
    }
    let work = tokens
        .iter()
        .map(|token| visit(&f.keyplate, Some(token)).is_ok());
    assert_eq!(
        work.collect::<Vec<_>>(),
        [vec![false; 3], vec![true; 10]].concat()
    );
}

/// A1: entering is a row, and who asks without end writes none.
#[test]
fn entering_is_in_the_log() {
    let f = Fixture::new();
    service(&f, "films", &[FILMS]);
    entered(&f, &f.user("bob"));
    let opened = |f: &Fixture| {
        let kinds = f.heard.kinds();
        let opened =
            |kind: &&keyplate::EventKind| **kind == keyplate::EventKind::ServiceSessionOpened;
        kinds.iter().filter(opened).count()
    };
    assert_eq!(opened(&f), 1);
    let bytes = || {
        std::fs::metadata(f.path().with_extension("db-wal"))
            .unwrap()
            .len()
    };
    let before = bytes();
    for _ in 0..200 {
        let rubbish = f
            .stranger()
            .redeem_service_ticket("kp_tkt_rubbish", FILMS, NONCE);
        assert_eq!(code(rubbish), InvalidCredential);
    }
    assert_eq!((opened(&f), bytes()), (1, before));
}

/// J1: with a clock that is five minutes behind there is no token, and pages stay open.
#[test]
fn a_wrong_clock_closes_no_page() {
    let f = Fixture::new();
    service(&f, "films", &[FILMS]);
    let (_, token) = entered(&f, &f.user("bob"));
    f.clock.advance(301);
    f.user("carol");
    f.clock.set(START);
    let visitor = visit(&f.keyplate, Some(&token)).unwrap();
    let issued = f
        .keyplate
        .issue_access_token(&visitor.principal, "films", None);
    assert_eq!(code(issued.map(drop)), ErrorCode::ClockBehind);
    let bob = f.keyplate.find_user_by_username("bob").unwrap().unwrap();
    assert!(
        redeem(
            &f,
            &ticket(&f.acting(f.session(&bob).secret.as_str())).unwrap()
        )
        .is_ok()
    );
}
