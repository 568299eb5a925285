//! Somebody in front of a browser with an authenticator.

use std::collections::BTreeMap;

use keyplate_testkit::{Authenticator, Spoil};
use serde_json::{Value, json};

use crate::support::{Reply, Request, Server, session_cookie};

/// Keeps cookies as a browser does, and sends what a page of this server sends.
#[derive(Clone)]
pub(crate) struct Person<'a> {
    server: &'a Server,
    /// Where they have opened the server.
    pub(crate) origin: String,
    pub(crate) authenticator: Authenticator,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl<'a> Person<'a> {
    pub(crate) fn at(server: &'a Server) -> Self {
        Self {
            server,
            origin: server.origin.clone(),
            authenticator: Authenticator::new(),
            cookies: BTreeMap::new(),
        }
    }

    pub(crate) fn with_session(server: &'a Server, token: &str) -> Self {
        let mut person = Self::at(server);
        let name = person.session_name();
        person.cookies.insert(name, token.to_owned());
        person
    }

    /// Somebody who has set the server up, with a passkey.
    pub(crate) fn administrator(server: &'a Server) -> Self {
        let mut person = Self::with_session(server, &server.claim());
        assert_eq!(person.register().status, 200);
        person
    }

    /// A user of that name, with a passkey and signed in by it.
    pub(crate) fn user(server: &'a Server, key: &str, username: &str) -> (String, Self) {
        let (id, session) = server.user_with_session(key, username);
        let mut person = Self::with_session(server, &session);
        assert_eq!(person.register().status, 200);
        (id, person)
    }

    fn session_name(&self) -> String {
        session_cookie(&self.server.origin)
    }

    pub(crate) fn session(&self) -> String {
        self.cookies[&self.session_name()].clone()
    }

    /// As a page of this origin asks.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request<'a> {
        let pairs = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let cookies = pairs.collect::<Vec<_>>().join("; ");
        self.server
            .request(method, path)
            .host(self.origin.split_once("://").unwrap().1)
            .header("Origin", &self.origin)
            .header("Sec-Fetch-Site", "same-origin")
            .header("Cookie", &cookies)
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.request("GET", path).send()
    }

    /// Sends, and keeps the cookies of the answer.
    pub(crate) fn send(&mut self, request: Request<'_>) -> Reply {
        let reply = request.send();
        for cookie in reply.cookies() {
            let (pair, rest) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }

    /// The cookies of the ceremonies of a kind, with their values.
    pub(crate) fn ceremonies(&self, kind: &str) -> Vec<(String, String)> {
        let part = format!("ceremony-{kind}-");
        let cookies = self.cookies.iter();
        cookies
            .filter(|(name, _)| name.contains(&part))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Begins a ceremony and gives its options.
    #[track_caller]
    pub(crate) fn begin(&mut self, path: &str) -> String {
        let reply = self.send(self.request("GET", path));
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json();
        reply.body
    }

    pub(crate) fn create(&mut self, options: &str, spoil: &Spoil) -> Value {
        let origin = self.origin.clone();
        let credential = self.authenticator.register(&origin, options, spoil);
        serde_json::from_str(&credential.unwrap()).unwrap()
    }

    pub(crate) fn show(&mut self, options: &str, spoil: &Spoil) -> Value {
        let origin = self.origin.clone();
        let credential = self.authenticator.authenticate(&origin, options, spoil);
        serde_json::from_str(&credential.unwrap()).unwrap()
    }

    pub(crate) fn finish(&mut self, path: &str, credential: &Value) -> Reply {
        self.send(self.request("POST", path).json(credential))
    }

    /// Registers a passkey.
    #[track_caller]
    pub(crate) fn register(&mut self) -> Reply {
        let options = self.begin("/api/webauthn/register/start");
        let credential = self.create(&options, &Spoil::default());
        self.finish("/api/webauthn/register/finish", &credential)
    }

    /// Signs in, without saying who they are.
    #[track_caller]
    pub(crate) fn log_in(&mut self) -> Reply {
        self.log_in_with(&Spoil::default())
    }

    #[track_caller]
    pub(crate) fn log_in_with(&mut self, spoil: &Spoil) -> Reply {
        let options = self.begin("/api/webauthn/login/start");
        let credential = self.show(&options, spoil);
        self.finish("/api/webauthn/login/finish", &credential)
    }

    #[track_caller]
    pub(crate) fn step_up(&mut self) -> Reply {
        let options = self.begin("/api/webauthn/reauthenticate/start");
        let credential = self.show(&options, &Spoil::default());
        self.finish("/api/webauthn/reauthenticate", &credential)
    }

    /// Begins to sign up by a passkey.
    pub(crate) fn begin_signup(&mut self, username: &str, token: &str) -> Reply {
        let body = json!({ "username": username, "token": token });
        let path = "/api/signup/passkey/start";
        self.send(self.request("POST", path).json(&body))
    }

    #[track_caller]
    pub(crate) fn sign_up(&mut self, username: &str, token: &str) -> Reply {
        let begun = self.begin_signup(username, token);
        assert_eq!(begun.status, 200, "{}", begun.body);
        let credential = self.create(&begun.body, &Spoil::default());
        self.finish("/api/signup/passkey/finish", &credential)
    }

    pub(crate) fn passkeys(&self) -> Vec<Value> {
        let list = self.get("/api/webauthn/credentials");
        assert_eq!(list.status, 200, "{}", list.body);
        list.json().as_array().unwrap().clone()
    }

    /// As if they had signed in long ago.
    #[expect(
        clippy::disallowed_methods,
        reason = "the server's clock cannot be set from outside"
    )]
    pub(crate) fn grow_old(&self) {
        let database = rusqlite::Connection::open(self.server.database()).unwrap();
        let change = "
            UPDATE sessions
            SET signed_in_at = signed_in_at - 7200000,
                stepped_up_at = stepped_up_at - 7200000,
                expires_at = expires_at - 7200000";
        database.execute(change, []).unwrap();
    }
}
