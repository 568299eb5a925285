//! Starting the server, and a client that can also send what no good client sends.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use keyplate::{Config, Keyplate};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const BEFORE_LONG: &str = "2099-01-01T00:00:00.000Z";

/// A server in a folder of its own; it is stopped when it is dropped.
pub(crate) struct Server {
    pub(crate) folder: TempDir,
    pub(crate) child: Child,
    pub(crate) address: String,
    pub(crate) origin: String,
    /// The token of the setup link, if one was printed.
    pub(crate) setup_token: Option<String>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With more options.
    pub(crate) fn with(options: &[&str]) -> Self {
        Self::in_folder(TempDir::new().unwrap(), options)
    }

    pub(crate) fn in_folder(folder: TempDir, options: &[&str]) -> Self {
        Self::by(command(), folder, options)
    }

    /// Started by this command, which takes the program's options.
    pub(crate) fn by(mut command: Command, folder: TempDir, options: &[&str]) -> Self {
        let (out, log) = (folder.path().join("out"), folder.path().join("log"));
        if !options.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
            // Many requests of the tests are written out, with the port that people know.
            if !options.contains(&"--origin") {
                command.args(["--origin", "http://localhost:1411"]);
            }
        }
        if !options.contains(&"--data") {
            command.arg("--data").arg(folder.path().join("data"));
        }
        let child = command
            .args(options)
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut server = Self {
            folder,
            child,
            address: String::new(),
            origin: String::new(),
            setup_token: None,
        };
        wait_until(|| fs::read_to_string(&out).is_ok_and(|text| text.contains("address: ")));
        let text = fs::read_to_string(&out).unwrap();
        let after = |label: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(label));
            line.map(str::to_owned)
        };
        server.address = after("listening on ").unwrap();
        server.origin = after("address: ").unwrap();
        let link = after("setup link: ");
        server.setup_token =
            link.map(|link| link.split_once("/setup#token=").unwrap().1.to_owned());
        server
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("data/keyplate.db")
    }

    /// Everything that it has logged so far. Lines are written a moment after the answers that they tell of, so one more
    /// is asked for and waited for, unless it has ended.
    pub(crate) fn log(&self) -> String {
        const LAST: &str = "/this-line-is-the-last";
        let read = || fs::read_to_string(self.folder.path().join("log")).unwrap();
        let lines = |log: &str| log.matches(LAST).count();
        let before = lines(&read());
        if TcpStream::connect(&self.address).is_ok() {
            self.get(LAST).send();
            wait_until(|| lines(&read()) > before);
        }
        let log = read();
        let kept = log
            .split_inclusive('\n')
            .filter(|line| !line.contains(LAST));
        kept.collect()
    }

    /// The library on the same file, as another process would have it.
    pub(crate) fn library(&self) -> Keyplate {
        Keyplate::open(Config {
            path: self.database().to_str().unwrap().to_owned(),
            origin: self.origin.clone(),
            ..Config::default()
        })
        .unwrap()
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request<'_> {
        Request {
            server: self,
            method: method.to_owned(),
            path: path.to_owned(),
            version: "1.1",
            host: self.origin.split_once("://").unwrap().1.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Request<'_> {
        self.request("GET", path)
    }

    pub(crate) fn post(&self, path: &str) -> Request<'_> {
        self.request("POST", path)
    }

    /// Claims setup and gives the session token.
    pub(crate) fn claim(&self) -> String {
        let reply = self.post("/api/one-time-access-token/setup").send();
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.cookie_value()
    }

    /// Claims setup and gives the session token, and a key that may do everything but change roles.
    pub(crate) fn claim_with_key(&self) -> (String, String) {
        let session = self.claim();
        let key = self.make_key(&session, "automation", None);
        (session, key)
    }

    pub(crate) fn make_key(&self, session: &str, name: &str, scopes: Option<&[&str]>) -> String {
        let mut body = serde_json::json!({ "name": name, "expiresAt": BEFORE_LONG });
        if let Some(scopes) = scopes {
            body["scopes"] = scopes.into();
        }
        let reply = self
            .post("/api/api-keys")
            .bearer(session)
            .json(&body)
            .send();
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.json()["token"].as_str().unwrap().to_owned()
    }

    /// Makes an ordinary user and gives their id and a session of theirs.
    pub(crate) fn user_with_session(&self, key: &str, username: &str) -> (String, String) {
        let body = serde_json::json!({ "username": username });
        let reply = self.post("/api/users").key(key).json(&body).send();
        assert_eq!(reply.status, 201, "{}", reply.body);
        let id = reply.json()["id"].as_str().unwrap().to_owned();
        let user_id = keyplate::UserId::parse(&id).unwrap();
        let signed_in = self
            .library()
            .create_session(&user_id, Default::default(), None);
        (id, signed_in.unwrap().secret.reveal())
    }

    /// A server that lets in who has a token, and a key that may do everything.
    pub(crate) fn inviting(options: &[&str]) -> (Self, String) {
        let server = Self::with(options);
        let session = server.claim();
        let key = server.make_key(&session, "strong", Some(&["*", "roles:write"]));
        server.configure(&key, serde_json::json!({ "allowUserSignups": "withToken" }));
        (server, key)
    }

    /// Changes the application configuration.
    pub(crate) fn configure(&self, key: &str, body: Value) {
        let path = "/api/application-configuration";
        let reply = self.request("PUT", path).key(key).json(&body).send();
        assert_eq!(reply.status, 200, "{}", reply.body);
    }

    /// Makes something, and gives it.
    pub(crate) fn made(&self, key: &str, path: &str, body: Value) -> Value {
        let reply = self.post(path).key(key).json(&body).send();
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.json()
    }

    /// Makes a sign-up token: its id and its secret.
    pub(crate) fn invitation(&self, key: &str, body: Value) -> (String, String) {
        let made = self.made(key, "/api/signup-tokens", body);
        (text(&made["id"]), text(&made["token"]))
    }

    pub(crate) fn sign_up(&self, username: &str, token: &str) -> Reply {
        let body = serde_json::json!({ "username": username, "token": token });
        self.post("/api/signup").json(&body).send()
    }

    /// Sends bytes as they are and gives what comes back until the server closes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        // The answer may come before everything is sent.
        let _ = stream.write_all(bytes);
        read_all(&mut stream)
    }

    /// Asks it to stop, and gives its exit code.
    pub(crate) fn stop(&mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(status.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the session's cookie is called at this origin.
pub(crate) fn session_cookie(origin: &str) -> String {
    match origin.split_once("://").unwrap() {
        ("https", _) => "__Host-access_token".to_owned(),
        (_, host) => {
            let port = host.split_once(':').map_or("80", |(_, port)| port);
            format!("keyplate-{port}-access_token")
        }
    }
}

/// The program, without options from the tests' own environment.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyplate-server"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KEYPLATE_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// A text out of JSON.
#[track_caller]
/// What a cookie is set with, sorted: it has no order.
pub(crate) fn attributes(cookie: &str) -> Vec<&str> {
    let mut attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
    attributes.sort_unstable();
    attributes
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

pub(crate) fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "waited for too long");
        thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn read_all(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut part = [0; 4_096];
    loop {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(read) => text.extend_from_slice(&part[..read]),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("no answer: {error}"),
        }
    }
    String::from_utf8(text).unwrap()
}

/// A request that is being put together.
#[derive(Clone)]
pub(crate) struct Request<'a> {
    server: &'a Server,
    method: String,
    path: String,
    version: &'static str,
    host: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("X-API-Key", key)
    }

    pub(crate) fn cookie(self, token: &str) -> Self {
        let name = session_cookie(&self.server.origin);
        self.header("Cookie", &format!("{name}={token}"))
    }

    pub(crate) fn host(mut self, host: &str) -> Self {
        self.host = host.to_owned();
        self
    }

    pub(crate) fn http_1_0(mut self) -> Self {
        self.version = "1.0";
        self
    }

    pub(crate) fn json(self, value: &Value) -> Self {
        self.header("Content-Type", "application/json")
            .body(value.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub(crate) fn send(&self) -> Reply {
        Reply::parse(&self.server.raw(&self.bytes()))
    }

    /// As it is sent.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut text = format!(
            "{} {} HTTP/{}\r\nHost: {}\r\nConnection: close\r\n",
            self.method, self.path, self.version, self.host
        );
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &self.body {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend(self.body.iter().flatten());
        bytes
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn parse(text: &str) -> Self {
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let pairs = lines.map(|line| line.split_once(": ").unwrap());
        Self {
            status: status.parse().unwrap(),
            headers: pairs
                .map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned()))
                .collect(),
            body: body.to_owned(),
        }
    }

    /// What it says, without what is its own: the request's id and the time.
    pub(crate) fn outward(&self) -> (u16, Value, Vec<(String, String)>) {
        let own = ["x-request-id", "date", "content-length"];
        let mut headers = self.headers.clone();
        headers.retain(|(name, _)| !own.contains(&name.as_str()));
        let mut body = self.json();
        body["request_id"] = Value::Null;
        (self.status, body, headers)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(n, _)| n == name)?;
        Some(value)
    }

    /// All cookies that are set, in this order.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        let cookies = self.headers.iter().filter(|(name, _)| name == "set-cookie");
        cookies.map(|(_, value)| value.as_str()).collect()
    }

    /// The value of the first cookie that is set, as a script takes it out.
    pub(crate) fn cookie_value(&self) -> String {
        let cookie = self.header("set-cookie").expect("a cookie");
        let value = cookie.split(';').next().unwrap().split_once('=').unwrap().1;
        assert!(!value.contains('='));
        value.to_owned()
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{self:?}"
        );
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Status, code and the first field of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        let json = self.json();
        assert_eq!(
            json["request_id"].as_str(),
            self.header("x-request-id"),
            "{self:?}"
        );
        assert!(!json["error"].as_str().unwrap().is_empty());
        let field = json["details"]["fields"][0]["field"]
            .as_str()
            .unwrap_or_default();
        (
            self.status,
            json["code"].as_str().unwrap().to_owned(),
            field.to_owned(),
        )
    }

    /// Asserts a refusal without fields.
    #[track_caller]
    pub(crate) fn is_refused(&self, status: u16, code: &str) {
        assert_eq!(
            self.refusal(),
            (status, code.to_owned(), String::new()),
            "{}",
            self.body
        );
    }

    /// Asserts that the library denied it for this reason.
    #[track_caller]
    pub(crate) fn is_refused_for(&self, reason: &str) {
        self.is_refused(403, "forbidden");
        assert_eq!(self.json()["details"]["reason"], reason, "{}", self.body);
    }

    /// Asserts that another has this field's value.
    #[track_caller]
    pub(crate) fn is_taken(&self, field: &str) {
        let expected = (409, "already_in_use".to_owned(), field.to_owned());
        assert_eq!(self.refusal(), expected, "{}", self.body);
        assert_eq!(self.json()["details"]["fields"][0]["code"], "taken");
    }

    /// Asserts that a ceremony failed, and why.
    #[track_caller]
    pub(crate) fn fails_ceremony(&self, reason: &str) {
        self.is_refused(400, "passkey_ceremony_failed");
        let details = serde_json::json!({ "reason": reason });
        assert_eq!(self.json()["details"], details, "{}", self.body);
    }

    /// Asserts that one field is refused.
    #[track_caller]
    pub(crate) fn refuses_field(&self, field: &str) {
        let expected = (400, "validation_failed".to_owned(), field.to_owned());
        assert_eq!(self.refusal(), expected, "{}", self.body);
    }

    /// The same, where the field may be one within a list.
    #[track_caller]
    pub(crate) fn refuses_field_within(&self, field: &str) {
        let (status, code, refused) = self.refusal();
        assert_eq!((status, code.as_str()), (400, "validation_failed"));
        assert!(refused.starts_with(field), "{}", self.body);
    }
}
