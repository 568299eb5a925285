//! P2: several ceremonies of a kind under way, in as many tabs of one browser.

use keyplate_testkit::Spoil;
use serde_json::{Value, json};

use crate::{
    person::Person,
    support::{Reply, Server},
};

/// A kind of ceremony: the name in its cookies, and its two requests.
struct Kind {
    name: &'static str,
    start: &'static str,
    finish: &'static str,
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "login",
        start: "/api/webauthn/login/start",
        finish: "/api/webauthn/login/finish",
    },
    Kind {
        name: "reauthenticate",
        start: "/api/webauthn/reauthenticate/start",
        finish: "/api/webauthn/reauthenticate",
    },
    Kind {
        name: "register",
        start: "/api/webauthn/register/start",
        finish: "/api/webauthn/register/finish",
    },
    Kind {
        name: "signup",
        start: "/api/signup/passkey/start",
        finish: "/api/signup/passkey/finish",
    },
];

impl Kind {
    /// In a new tab; the options.
    fn begin(&self, person: &mut Person<'_>, tab: &str) -> String {
        if self.name != "signup" {
            return person.begin(self.start);
        }
        let body = json!({ "username": tab });
        let begun = person.request("POST", self.start).json(&body);
        let begun = person.send(begun);
        assert_eq!(begun.status, 200, "{}", begun.body);
        begun.body
    }

    fn answer(&self, person: &mut Person<'_>, options: &str) -> Value {
        self.spoilt(person, options, &Spoil::default())
    }

    fn spoilt(&self, person: &mut Person<'_>, options: &str, spoil: &Spoil) -> Value {
        match self.name {
            "login" | "reauthenticate" => person.show(options, spoil),
            // Each on another device.
            _ => {
                let mut other = person.clone();
                other.authenticator = keyplate_testkit::Authenticator::new();
                other.create(options, spoil)
            }
        }
    }
}

fn is_done(reply: &Reply) -> bool {
    matches!(reply.status, 200 | 201 | 204)
}

/// A server that is open to sign-ups, with its administrator.
fn opened(server: &Server) -> Person<'_> {
    let (session, key) = server.claim_with_key();
    server.configure(&key, json!({ "allowUserSignups": "open" }));
    let mut ann = Person::with_session(server, &session);
    assert_eq!(ann.register().status, 200);
    ann
}

#[test]
fn two_tabs_finish_in_either_order() {
    let server = Server::start();
    let mut ann = opened(&server);
    for kind in &KINDS {
        for older_first in [true, false] {
            let tabs: Vec<String> = (0..2)
                .map(|tab| kind.begin(&mut ann, &format!("{}{older_first}{tab}", kind.name)))
                .collect();
            assert_eq!(ann.ceremonies(kind.name).len(), 2);
            let order = if older_first { [0, 1] } else { [1, 0] };
            let mut signed_in = ann.clone();
            for tab in order {
                let answer = kind.answer(&mut signed_in, &tabs[tab]);
                let done = signed_in.finish(kind.finish, &answer);
                assert!(is_done(&done), "{} {order:?}: {}", kind.name, done.body);
            }
            assert_eq!(signed_in.ceremonies(kind.name), []);
            // Whoever signed up is somebody else; the administrator goes on.
            if kind.name == "signup" {
                ann.cookies.retain(|name, _| !name.contains("ceremony"));
            } else {
                ann = signed_in;
            }
        }
    }
}

#[test]
fn a_refused_answer_leaves_its_ceremony_and_the_other_tabs() {
    let server = Server::start();
    let mut ann = opened(&server);
    for kind in &KINDS {
        let tabs = ["one", "two"].map(|tab| kind.begin(&mut ann, &format!("{}{tab}", kind.name)));
        let elsewhere = Spoil {
            origin: Some("https://evil.example".to_owned()),
            ..Spoil::default()
        };
        let evil = kind.spoilt(&mut ann, &tabs[0], &elsewhere);
        ann.finish(kind.finish, &json!({}))
            .fails_ceremony("malformed");
        ann.finish(kind.finish, &evil)
            .fails_ceremony("wrong_origin");
        assert_eq!(ann.ceremonies(kind.name).len(), 2);
        for options in &tabs {
            let mut tab = ann.clone();
            let answer = kind.answer(&mut tab, options);
            let done = tab.finish(kind.finish, &answer);
            assert!(is_done(&done), "{}: {}", kind.name, done.body);
            if kind.name != "signup" {
                ann = tab;
            }
        }
    }
}

#[test]
fn four_of_a_kind_stay_and_all_of_them_are_small() {
    let server = Server::start();
    let mut ann = opened(&server);
    for kind in &KINDS {
        let tabs: Vec<String> = (0..6)
            .map(|tab| {
                // They are told apart by the millisecond in which they expire.
                std::thread::sleep(std::time::Duration::from_millis(3));
                kind.begin(&mut ann, &format!("{}{tab}", kind.name))
            })
            .collect();
        assert_eq!(ann.ceremonies(kind.name).len(), 4);
        let mut own = ann.clone();
        let dropped = kind.answer(&mut own, &tabs[1]);
        own.finish(kind.finish, &dropped)
            .fails_ceremony("wrong_challenge");
        let kept = kind.answer(&mut own, &tabs[2]);
        let done = own.finish(kind.finish, &kept);
        assert!(is_done(&done), "{}: {}", kind.name, done.body);
        if kind.name != "signup" {
            own.cookies.extend(ann.ceremonies(kind.name));
            ann = own;
        }
    }
    let sizes = ann
        .cookies
        .iter()
        .map(|(name, value)| name.len() + value.len() + 3);
    let all: usize = sizes.sum();
    // Servers and proxies take 8 KB of headers, some 4.
    assert!((1_500..2_600).contains(&all), "{all} bytes");
}

/// The cookie outlives the ceremony.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the server's clock cannot be set from outside"
)]
fn who_takes_too_long_is_told_so() {
    let server = Server::start();
    let mut ann = opened(&server);
    for kind in KINDS.iter().filter(|kind| kind.name != "login") {
        let options = kind.begin(&mut ann, "eve");
        let database = rusqlite::Connection::open(server.database()).unwrap();
        let past = "UPDATE ceremonies SET expires_at = expires_at - 300000";
        assert_eq!(database.execute(past, []).unwrap(), 1);
        let answer = kind.answer(&mut ann, &options);
        let late = ann.finish(kind.finish, &answer);
        late.fails_ceremony("expired_ceremony");
        let advice = late.json()["error"].as_str().unwrap().to_owned();
        assert!(advice.contains("longer than five minutes"), "{advice}");
        database.execute("DELETE FROM ceremonies", []).unwrap();
    }
}
