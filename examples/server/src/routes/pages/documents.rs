//! The documents: two frames in HTML, with the addresses of what they load written in.

use std::fmt::Write;

use super::files::Files;
use crate::http::forwarded::ENTRANCE;

/// A path at which there is a page.
pub(super) struct Page {
    pub(super) path: &'static str,
    pub(super) document: Document,
}

/// A page before anything is written into it.
pub(super) struct Document {
    frame: &'static str,
    /// The module that it begins with.
    script: &'static str,
    /// What that imports by itself as soon as it has seen the path.
    part: Option<&'static str>,
    /// Until the script says it in the person's language.
    title: &'static str,
    /// What the script asks for first, whoever is there.
    asks: &'static [&'static str],
}

const DOOR: &str = "doors/door.html";
const FRAME: &str = "parts/frame.html";
const ELSEWHERE: &str = "doors/elsewhere.html";
const REFUSED: &str = "doors/refused.html";
const SETTINGS: &str = "api/application-configuration";
const ME: &str = "api/users/me";
const SETUP: &str = "api/signup/setup";

const fn door(
    path: &'static str,
    script: &'static str,
    title: &'static str,
    asks: &'static [&'static str],
) -> Page {
    let document = Document {
        frame: DOOR,
        script,
        part: None,
        title,
        asks,
    };
    Page { path, document }
}

const fn admin(path: &'static str, part: &'static str) -> Page {
    let document = Document {
        frame: FRAME,
        script: "admin/admin.js",
        part: Some(part),
        title: "Administration",
        asks: &[SETTINGS, ME],
    };
    Page { path, document }
}

const ACCOUNT: Page = Page {
    path: "/account",
    document: Document {
        frame: FRAME,
        script: "account/account.js",
        part: None,
        title: "Your account",
        asks: &[SETTINGS, ME],
    },
};

/// The pages, by the paths at which they are.
pub(super) static PAGES: [Page; 24] = [
    door("/", "doors/home.js", "One moment", &[ME, SETUP]),
    door("/setup", "doors/setup.js", "Set up", &[SETTINGS, SETUP]),
    door("/signin", "doors/signin.js", "Sign in", &[SETTINGS, SETUP]),
    door("/login", "doors/signin.js", "Sign in", &[SETTINGS, SETUP]),
    door("/code", "doors/code.js", "Sign in with a code", &[SETTINGS]),
    door(
        "/device",
        "doors/device.js",
        "Sign in a device",
        &[SETTINGS, ME],
    ),
    door("/signup", "doors/signup.js", "Sign up", &[SETTINGS, ME]),
    // Old links; the pages take the token or code out of the address at once.
    door("/st/{token}", "doors/signup.js", "Sign up", &[SETTINGS, ME]),
    door("/lc", "doors/code.js", "Sign in with a code", &[SETTINGS]),
    door(
        "/lc/{code}",
        "doors/code.js",
        "Sign in with a code",
        &[SETTINGS],
    ),
    door(
        "/login/alternative/code",
        "doors/code.js",
        "Sign in with a code",
        &[SETTINGS],
    ),
    ACCOUNT,
    admin("/admin", "admin/users.js"),
    admin("/admin/users", "admin/users.js"),
    admin("/admin/users/{id}", "admin/user.js"),
    admin("/admin/groups", "admin/groups.js"),
    admin("/admin/groups/{id}", "admin/group.js"),
    admin("/admin/services", "admin/services.js"),
    admin("/admin/services/{id}", "admin/service.js"),
    admin("/admin/signup", "admin/signup.js"),
    admin("/admin/signup/{id}", "admin/token.js"),
    admin("/admin/keys", "admin/keys.js"),
    admin("/admin/audit", "admin/audit.js"),
    admin("/admin/settings", "admin/settings.js"),
];

pub(super) static MISSING: Document = Document {
    frame: DOOR,
    script: "doors/missing.js",
    part: None,
    title: "Page not found",
    asks: &[SETTINGS],
};

/// A document as it is sent for this path. Addresses in it are relative: a proxy may have mounted the server under a path
/// of which it does not know.
pub(super) fn write(files: &Files, document: &Document, path: &str, accepted: &str) -> String {
    let up = up(path);
    let assets = format!("{up}assets/{}", files.set());
    let language = language(files.languages(), accepted);
    let mut modules = files.modules(document.script);
    if let Some(part) = document.part {
        for module in files.modules(part) {
            if !modules.contains(&module) {
                modules.push(module);
            }
        }
    }
    // The script itself is named by its own element. The words are the largest, so they come first.
    modules[0] = format!("messages/{language}.js");
    let mut preload = String::new();
    let mut line = |text: std::fmt::Arguments| {
        let written = preload.write_fmt(format_args!("\n    {text}"));
        written.expect("a text takes everything");
    };
    for asked in document.asks {
        line(format_args!(
            "<link rel=\"preload\" as=\"fetch\" href=\"{up}{asked}\" crossorigin>"
        ));
    }
    for module in modules {
        line(format_args!(
            "<link rel=\"modulepreload\" href=\"{assets}/{module}\">"
        ));
    }
    let frame = files.text(document.frame);
    fill(
        &frame,
        &[
            ("language", language),
            ("languages", &files.languages().join(" ")),
            ("title", document.title),
            ("assets", &assets),
            ("script", document.script),
            ("preload", &preload),
        ],
    )
}

/// What is said at a host name that is not this server's, with the names that are.
pub(super) fn elsewhere(files: &Files, path: &str, origins: &[String]) -> String {
    let mut names = String::new();
    for origin in origins {
        let origin = escaped(origin);
        let item = format_args!("\n          <li><a href=\"{origin}\">{origin}</a></li>");
        names.write_fmt(item).expect("a text takes everything");
    }
    let assets = format!("{}assets/{}", up(path), files.set());
    let frame = files.text(ELSEWHERE);
    fill(&frame, &[("assets", &assets), ("origins", &names)])
}

/// What somebody reads who is not let through to a service. It stands on that service's host, where no other file of the
/// pages is but what it looks like.
pub(super) fn refused(files: &Files, why: &str, accepted: &str, account: &str) -> String {
    let language = language(files.languages(), accepted);
    let say = |key: &str| escaped(&files.message(language, key));
    let assets = format!("{ENTRANCE}/assets/{}", files.set());
    let frame = files.text(REFUSED);
    fill(
        &frame,
        &[
            ("language", language),
            ("assets", &assets),
            ("title", &say(&format!("refused.{why}"))),
            ("text", &say(&format!("refused.{why}.text"))),
            ("link", &say("refused.account")),
            ("account", &escaped(account)),
        ],
    )
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('"', "&quot;")
}

/// The way from a document to the start.
fn up(path: &str) -> String {
    match path.matches('/').count() {
        0 | 1 => "./".to_owned(),
        deep => "../".repeat(deep - 1),
    }
}

fn fill(frame: &str, values: &[(&str, &str)]) -> String {
    let mut text = frame.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{{{name}}}}}"), value);
    }
    text
}

/// The language of the browser's wishes (RFC 9110, section 12.5.4) that there is, else English. The pages choose in the same
/// way; this is so that they need not wait for their words.
fn language<'a>(known: &'a [String], accepted: &str) -> &'a str {
    let mut wanted: Vec<(&str, f32)> = accepted
        .split(',')
        .map(|range| {
            let (tag, weight) = range.split_once(';').unwrap_or((range, ""));
            let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
            (tag.trim(), weight.parse().unwrap_or(0.0))
        })
        .filter(|(_, weight)| *weight > 0.0)
        .collect();
    wanted.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let exactly = |tag: &str| known.iter().find(|name| name.eq_ignore_ascii_case(tag));
    let found = wanted.iter().find_map(|(tag, _)| {
        let base = tag.split('-').next().unwrap_or(tag);
        exactly(tag).or_else(|| exactly(base))
    });
    found.map_or("en", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_first_wish_that_can_be_met() {
        let known = ["de", "en", "pt-BR"].map(str::to_owned);
        for (accepted, expected) in [
            ("", "en"),
            ("de", "de"),
            ("de-CH,de;q=0.9,en;q=0.8", "de"),
            ("fr, en;q=0.5, de;q=0.7", "de"),
            ("fr, de;q=0", "en"),
            ("pt-br", "pt-BR"),
            ("*", "en"),
        ] {
            assert_eq!(language(&known, accepted), expected, "{accepted}");
        }
    }

    #[test]
    fn addresses_lead_back_to_the_start() {
        for (path, expected) in [
            ("/", "./"),
            ("/signin", "./"),
            ("/admin/users", "../"),
            ("/admin/users/1", "../../"),
        ] {
            assert_eq!(up(path), expected, "{path}");
        }
    }

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(escaped("a\"<b>&"), "a&quot;&lt;b>&amp;");
    }
}
