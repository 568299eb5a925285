use std::{collections::BTreeSet, fs, path::Path};

use crate::support::{Reply, Server};

const PAGES: [&str; 21] = [
    "/",
    "/setup",
    "/signin",
    "/login",
    "/code",
    "/device",
    "/signup",
    "/st/kp_inv_old",
    "/account",
    "/admin",
    "/admin/users",
    "/admin/users/42",
    "/admin/groups",
    "/admin/groups/42",
    "/admin/services",
    "/admin/services/42",
    "/admin/signup",
    "/admin/signup/42",
    "/admin/keys",
    "/admin/audit",
    "/admin/settings",
];

#[test]
fn pages_are_served_to_everybody_and_let_nothing_else_in() {
    let server = Server::start();
    for path in PAGES {
        let reply = server.get(path).send();
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(
            reply.header("cache-control"),
            Some("private, no-store"),
            "{path}"
        );
        is_page(&reply);
        let head = server.request("HEAD", path).send();
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        server
            .post(path)
            .send()
            .is_refused(405, "method_not_allowed");
    }
}

/// The headers of a page, and nothing in it that its own policy would refuse.
#[track_caller]
fn is_page(reply: &Reply) {
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(reply.header("set-cookie"), None);
    let policy = reply.header("content-security-policy").unwrap();
    assert!(!policy.contains("unsafe"), "{policy}");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    for inline in ["<style", "style=", "<script>", " onclick=", " onload="] {
        assert!(!reply.body.contains(inline), "{inline}: {}", reply.body);
    }
    assert!(reply.body.contains("<html lang=\"en\"") && reply.body.contains("<main"));
    assert!(!reply.body.contains("{{"), "{}", reply.body);
}

#[test]
fn everything_that_a_page_loads_is_there_and_nothing_else() {
    let server = Server::start();
    let mut wanted = BTreeSet::new();
    for path in PAGES.into_iter().chain(["/nothing"]) {
        let page = server.get(path).send().body;
        for piece in [
            "src=\"",
            "rel=\"icon\" href=\"",
            "rel=\"stylesheet\" href=\"",
            "rel=\"modulepreload\" href=\"",
        ] {
            let found = between(&page, piece, "\"");
            wanted.extend(found.iter().map(|address| from_page(path, address)));
        }
    }
    let elsewhere = ["messages/de.js", "kit/elements.js"].map(|name| assets(&server) + name);
    wanted.extend(elsewhere);
    let mut seen = BTreeSet::new();
    while let Some(path) = wanted.pop_first() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let reply = server.get(&path).send();
        assert_eq!(reply.status, 200, "{path}");
        let kind = match path.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!(reply.header("content-type"), Some(kind), "{path}");
        for import in imports(&reply.body).into_iter().chain(later(&reply.body)) {
            wanted.insert(resolved(&path, &import));
        }
    }
    let prefix = assets(&server);
    let served: BTreeSet<String> = seen
        .iter()
        .map(|path| path.strip_prefix(&prefix).unwrap().to_owned())
        .collect();
    let files: BTreeSet<String> = files()
        .into_iter()
        .filter(|name| !name.ends_with(".html"))
        .collect();
    assert_eq!(served, files);
}

#[test]
fn a_page_names_beforehand_all_modules_that_it_will_import() {
    let server = Server::start();
    for path in PAGES {
        let page = server.get(path).send().body;
        let preloaded = between(&page, "rel=\"modulepreload\" href=\"", "\"");
        let script = between(&page, "src=\"", "\"");
        let named = preloaded.iter().chain(&script);
        let named: BTreeSet<String> = named.map(|address| from_page(path, address)).collect();
        for module in &named {
            let text = server.get(module).send().body;
            for import in imports(&text) {
                let import = resolved(module, &import);
                assert!(named.contains(&import), "{path}: {import}");
            }
        }
    }
}

/// Where everything that pages load is, with the hash of the set.
fn assets(server: &Server) -> String {
    let page = server.get("/signin").send().body;
    let script = between(&page, "src=\"./", "\"").remove(0);
    format!("/{}", script.strip_suffix("doors/signin.js").unwrap())
}

/// What a page means by an address.
fn from_page(page: &str, address: &str) -> String {
    resolved(page, address)
}

/// What a module imports from the start.
fn imports(text: &str) -> Vec<String> {
    let mut found = between(text, "from \"", "\";");
    found.extend(between(text, "\nimport \"", "\";"));
    found
}

/// What it imports when it wants to: parts of administration, and what a click wants.
fn later(text: &str) -> Vec<String> {
    between(text, "import(\"", "\")")
}

#[test]
fn modules_give_what_others_take_and_stay_within_bounds() {
    for (name, text) in modules() {
        for import in between(&text, "import {", ";\n") {
            let (names, from) = import.split_once("} from \"").unwrap();
            let from = resolved(&name, from.trim_end_matches('"'));
            let from = fs::read_to_string(web().join(from)).unwrap();
            for taken in names.split(',').map(str::trim).filter(|t| !t.is_empty()) {
                let taken = taken.split(' ').next().unwrap();
                let is_given = ["function ", "async function ", "const ", "class "]
                    .iter()
                    .any(|kind| {
                        let export = format!("export {kind}{taken}");
                        from.match_indices(&export).any(|(at, _)| {
                            !from[at + export.len()..].starts_with(char::is_alphanumeric)
                        })
                    });
                assert!(is_given, "{name} takes {taken}");
            }
        }
        for never in [
            // Text must not become markup or code.
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            // A secret must not outlive the page.
            "localStorage",
            "sessionStorage",
            "document.cookie",
            // Nothing comes from elsewhere, and nothing but the icons' name space is called so.
            "https:/",
        ] {
            let text = text
                .replace("https:// address", "")
                .replace("https://-", "");
            assert!(!text.contains(never), "{name}: {never}");
        }
    }
}

#[test]
fn what_pages_load_is_kept_for_good_and_sent_small() {
    let server = Server::start();
    let path = assets(&server) + "kit/client.js";
    let plain = server.get(&path).send();
    assert_eq!(
        plain.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(plain.header("vary"), Some("Accept-Encoding"));
    let head = |coding: &str| {
        let request = server.request("HEAD", &path);
        request.header("Accept-Encoding", coding).send()
    };
    let small = head("br, gzip");
    assert_eq!(small.header("content-encoding"), Some("gzip"));
    let length: usize = small.header("content-length").unwrap().parse().unwrap();
    assert!(length * 3 < plain.body.len(), "{length}");
    assert_eq!(head("gzip;q=0").header("content-encoding"), None);
    // Under another hash there is nothing: what is cached for good must be what it is called.
    let other = path.replace("/assets/", "/assets/0");
    server.get(&other).send().is_refused(404, "not_found");
}

#[test]
fn hosts_load_the_kit_at_an_address_that_stays() {
    let server = Server::start();
    let reply = server.get("/kit/elements.js").send();
    assert_eq!(reply.status, 307);
    assert_eq!(reply.header("cache-control"), Some("no-cache"));
    let to = from_page("/kit/elements.js", reply.header("location").unwrap());
    assert_eq!(to, assets(&server) + "kit/elements.js");
    server
        .get("/kit/nothing.js")
        .send()
        .is_refused(404, "not_found");
    server
        .get("/kit/../admin/users.js")
        .send()
        .is_refused(404, "not_found");
}

#[test]
fn a_page_speaks_the_language_that_is_asked_for() {
    let server = Server::start();
    let in_german = server
        .get("/signin")
        .header("Accept-Language", "de-CH, en;q=0.5");
    let page = in_german.send();
    assert_eq!(page.header("vary"), Some("Accept-Language"));
    assert!(page.body.contains("<html lang=\"de\">"));
    assert!(page.body.contains("/messages/de.js"));
    assert!(!page.body.contains("/messages/en.js"));
}

#[test]
fn where_nothing_is_people_get_a_page_and_programs_json() {
    let server = Server::start();
    for path in [
        "/nothing",
        "/admin/nothing",
        "/apis",
        "/st",
        "/nothing/",
        "/%ff",
    ] {
        let reply = server.get(path).send();
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(reply.header("cache-control"), Some("private, no-store"));
        is_page(&reply);
    }
    for path in [
        "/api/nothing",
        "/assets/nothing.js",
        "/assets/0/parts/base.css",
        "/.well-known/nothing",
    ] {
        server.get(path).send().is_refused(404, "not_found");
    }
    server.post("/nothing").send().is_refused(404, "not_found");
}

#[test]
fn at_another_host_name_people_get_a_page_and_programs_json() {
    let server = Server::start();
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let at = |method: &str, path: &str, accept: &str| {
        let request = server.request(method, path).host("evil.example");
        request.header("Accept", accept).send()
    };
    for path in ["/", "/setup", "/nothing"] {
        let reply = at("GET", path, browser);
        assert_eq!(reply.status, 421, "{path}");
        assert_eq!(reply.header("cache-control"), Some("private, no-store"));
        assert!(server.log().contains(reply.header("x-request-id").unwrap()));
        is_page(&reply);
        assert!(
            reply
                .body
                .contains("This is not the address of this server")
        );
        // It names the addresses that are right, and loads nothing but how it looks.
        assert!(
            reply
                .body
                .contains(&format!("<a href=\"{0}\">{0}</a>", server.origin))
        );
        assert!(!reply.body.contains("src="));
        for style in between(&reply.body, "rel=\"stylesheet\" href=\"", "\"") {
            let style = at("GET", &from_page(path, &style), "text/css,*/*;q=0.1");
            assert_eq!(style.status, 200);
        }
        assert_eq!(at("HEAD", path, browser).body, "");
    }
    let assets = assets(&server);
    let script = assets + "kit/client.js";
    for (method, path, accept) in [
        ("GET", "/", "*/*"),
        ("GET", "/", "application/json"),
        ("GET", "/api/users", browser),
        ("GET", script.as_str(), browser),
        ("GET", "/assets/0/parts/base.css", browser),
        ("POST", "/", browser),
    ] {
        at(method, path, accept).is_refused(421, "misdirected_request");
    }
    let elsewhere = server.get("/").host("evil.example").send();
    elsewhere.is_refused(421, "misdirected_request");
}

#[test]
fn the_token_of_an_old_link_is_neither_used_nor_kept() {
    let (server, key) = Server::inviting(&[]);
    let (id, token) = server.invitation(&key, serde_json::json!({ "usageLimit": 1 }));
    let reply = server.get(&format!("/st/{token}")).send();
    // But for its depth it is the page of sign-up.
    let page = server.get("/signup").send().body;
    assert_eq!(reply.body.replace("../", "./"), page);
    assert!(!server.log().contains(&token));
    let path = format!("/api/signup-tokens/{id}");
    assert_eq!(server.get(&path).key(&key).send().json()["usageCount"], 0);
}

/// Hosts have the same lines in the documentation.
#[test]
fn the_documentation_shows_the_lines_for_browsers_as_they_are() {
    let lines = fs::read_to_string(web().join("kit/webauthn.js")).unwrap();
    let docs = web().join("../../../docs/passkeys.md");
    let text = fs::read_to_string(docs).unwrap();
    assert!(text.contains(&format!("```js\n{lines}```\n")));
    assert!(!lines.contains("import "), "it can be copied");
}

fn web() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/web"))
}

/// What is in the folder `web`, each by its path from there.
fn files() -> Vec<String> {
    let mut files = Vec::new();
    for folder in fs::read_dir(web()).unwrap() {
        let folder = folder.unwrap();
        for file in fs::read_dir(folder.path()).unwrap() {
            let names = [folder.file_name(), file.unwrap().file_name()];
            files.push(names.map(|name| name.into_string().unwrap()).join("/"));
        }
    }
    files
}

fn modules() -> Vec<(String, String)> {
    files()
        .into_iter()
        .filter(|name| name.ends_with(".js"))
        .map(|name| {
            let text = fs::read_to_string(web().join(&name)).unwrap();
            (name, text)
        })
        .collect()
}

/// What a module means by a name from which it imports: as a browser reads it, a path from its own folder.
fn resolved(module: &str, import: &str) -> String {
    assert!(import.starts_with('.'), "{module} imports {import}");
    let mut path: Vec<&str> = module.split('/').collect();
    path.pop();
    for part in import.split('/') {
        match part {
            "." => {}
            ".." => assert!(path.pop().is_some(), "{module} imports {import}"),
            part => path.push(part),
        }
    }
    path.join("/")
}

/// All pieces of a text that stand between two others.
fn between(text: &str, before: &str, after: &str) -> Vec<String> {
    let pieces = text.split(before).skip(1);
    pieces
        .map(|piece| piece.split_once(after).unwrap().0.to_owned())
        .collect()
}
