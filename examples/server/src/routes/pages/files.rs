//! What the pages load: the built-in files with the operator's own over them, and the hash of the whole set.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    sync::OnceLock,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use flate2::{Compression, write::GzEncoder};

use super::{dressed, plain};

macro_rules! files {
    ($($name:literal)*) => {
        [$(($name, include_bytes!(concat!("../../../web/", $name)))),*]
    };
}

/// The files of the folder `web`.
static BUILT_IN: &[(&str, &[u8])] = &files! {
    "account/account.js" "account/apps.js" "account/keys.js" "account/myservices.js"
    "account/new-app.js" "account/new-key.js" "admin/access.js" "admin/admin.js" "admin/audit.js"
    "admin/change.js" "admin/claims.js" "admin/group.js" "admin/groups.js" "admin/keys.js"
    "admin/proxy-files.js" "admin/proxy.js" "admin/service.js" "admin/services.js"
    "admin/settings.js" "admin/signup.js" "admin/token.js" "admin/user.js" "admin/users.js"
    "doors/code.js" "doors/device.js" "doors/door.html" "doors/door.js" "doors/elsewhere.html"
    "doors/home.js" "doors/missing.js" "doors/refused.html" "doors/setup.js" "doors/signin.js"
    "doors/signup.js" "kit/account.js" "kit/add-device.js" "kit/calls.js" "kit/client.js"
    "kit/devices.js" "kit/dialogs.js" "kit/dom.js" "kit/element.js" "kit/elements.js"
    "kit/format.js" "kit/forms.js" "kit/kit.css" "kit/list.js" "kit/my-passkeys.js"
    "kit/my-sessions.js" "kit/new-device.js" "kit/passkeys.js" "kit/pieces.js" "kit/profile.js"
    "kit/secrets.js" "kit/sign-in.js" "kit/sign-up.js" "kit/ticks.js" "kit/webauthn.js"
    "kit/words.js" "messages/de.js" "messages/en.js" "parts/base.css" "parts/frame.html"
    "parts/go.js" "parts/icon.svg" "parts/next.js" "parts/shell.js" "parts/steps.js"
};

/// All files by their names, such as `parts/base.css`.
pub(super) struct Files {
    by_name: BTreeMap<String, File>,
    set: String,
    languages: Vec<String>,
}

impl Files {
    /// The built-in ones, with these in place of those of the same name, and beside them.
    pub(super) fn with(laid_over: &BTreeMap<String, Vec<u8>>) -> Self {
        let built_in = BUILT_IN.iter();
        let mut by_name: BTreeMap<String, File> = built_in
            .map(|(name, bytes)| ((*name).to_owned(), File::built_in(bytes)))
            .collect();
        for (name, bytes) in laid_over {
            by_name.insert(name.clone(), File::new(Bytes::from(bytes.clone())));
        }
        let mut hasher = DefaultHasher::new();
        for (name, file) in &by_name {
            (name, &file.bytes).hash(&mut hasher);
        }
        let languages = by_name.keys().filter_map(|name| {
            let name = name.strip_prefix("messages/")?.strip_suffix(".js")?;
            Some(name.to_owned())
        });
        Self {
            languages: languages.collect(),
            // Nobody has to be unable to guess it; it has to change with the contents.
            set: format!("{:016x}", hasher.finish()),
            by_name,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&File> {
        self.by_name.get(name)
    }

    pub(super) fn text(&self, name: &str) -> Cow<'_, str> {
        let bytes = self.by_name.get(name).map_or(&b""[..], |file| &file.bytes);
        String::from_utf8_lossy(bytes)
    }

    /// What the catalogue of a language says under this key, for a page that runs no script.
    pub(super) fn message(&self, language: &str, key: &str) -> String {
        let catalogue = self.text(&format!("messages/{language}.js"));
        let said = catalogue.split_once(&format!("\n  \"{key}\":"));
        let said = said.and_then(|(_, rest)| {
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            values.next()?.ok()
        });
        said.unwrap_or_default()
    }

    /// The hash of all of them, which stands in their addresses.
    pub(super) fn set(&self) -> &str {
        &self.set
    }

    /// The languages of which there are messages.
    pub(super) fn languages(&self) -> &[String] {
        &self.languages
    }

    /// A module and everything that it imports from the start, each once, in the order in which a browser finds them.
    pub(super) fn modules(&self, entry: &str) -> Vec<String> {
        let mut found = vec![entry.to_owned()];
        let mut next = 0;
        while let Some(name) = found.get(next).cloned() {
            next += 1;
            for import in imports(&self.text(&name)) {
                let import = resolved(&name, import);
                if self.by_name.contains_key(&import) && !found.contains(&import) {
                    found.push(import);
                }
            }
        }
        found
    }
}

pub(super) struct File {
    bytes: Bytes,
    is_ours: bool,
    /// Made when it is first wanted, and kept: most runs of the program are commands and tests.
    compressed: OnceLock<Bytes>,
}

impl File {
    fn new(bytes: Bytes) -> Self {
        Self {
            bytes,
            is_ours: false,
            compressed: OnceLock::new(),
        }
    }

    fn built_in(bytes: &'static [u8]) -> Self {
        Self {
            is_ours: true,
            ..Self::new(Bytes::from_static(bytes))
        }
    }

    /// The file as a slow network has it: of our own, comments and indentation are left out too, a fifth of the whole.
    fn compress(&self, name: &str) -> Bytes {
        let text = std::str::from_utf8(&self.bytes).unwrap_or_default();
        match self.is_ours && (name.ends_with(".js") || name.ends_with(".css")) {
            true => gzip(bare(text).as_bytes()),
            false => gzip(&self.bytes),
        }
    }

    pub(super) fn response(&self, name: &str, asked: &HeaderMap, cache: HeaderValue) -> Response {
        let kind = content_type(name);
        let small = is_text(kind) && takes_gzip(asked);
        let bytes = match small {
            true => self.compressed.get_or_init(|| self.compress(name)).clone(),
            false => self.bytes.clone(),
        };
        // A script or a style sheet is what a page makes of it; a picture can be opened by itself.
        let mut response = match kind.contains("svg") {
            true => dressed(Body::from(bytes), kind),
            false => plain(Body::from(bytes), kind),
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, cache);
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if small {
            let gzip = HeaderValue::from_static("gzip");
            headers.insert(header::CONTENT_ENCODING, gzip);
        }
        response
    }
}

fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("memory takes everything").into()
}

/// Without comments that have lines of their own, and without indentation. A test keeps our files such that nothing else is
/// lost: none has a text of several lines.
fn bare(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut in_comment = false;
    for line in text.lines().map(str::trim) {
        let begins = line.starts_with("/*");
        if in_comment || begins {
            in_comment = !line.ends_with("*/");
        } else if !line.is_empty() && !line.starts_with("//") {
            bare.push_str(line);
            bare.push('\n');
        }
    }
    bare
}

/// Does `Accept-Encoding` name gzip, and not to refuse it?
fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
    let accepted = accepted.filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1").parse();
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight: f32| weight > 0.0)
    })
}

fn is_text(content_type: &str) -> bool {
    content_type.starts_with("text/") || content_type.contains("svg")
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// From what a module imports before it runs: `import … from "…"`, `export … from "…"` and `import "…"`, each ending a line,
/// as all of ours have them. What this misses is only loaded later.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let bare = || line.strip_prefix("import \"");
        let from = line.split_once(" from \"").map(|(_, from)| from);
        let name = from.or_else(bare)?.strip_suffix("\";")?;
        name.starts_with('.').then_some(name)
    })
}

/// What a module means by a name from which it imports.
fn resolved(module: &str, import: &str) -> String {
    let mut path: Vec<&str> = module.split('/').collect();
    path.pop();
    for part in import.split('/') {
        match part {
            "." => {}
            ".." => drop(path.pop()),
            part => path.push(part),
        }
    }
    path.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_files_take_the_place_of_built_in_ones_and_change_the_address() {
        let own = BTreeMap::from([
            ("parts/icon.svg".to_owned(), b"<svg/>".to_vec()),
            ("messages/fr.js".to_owned(), b"export default {};".to_vec()),
        ]);
        let (plain, laid_over) = (Files::with(&BTreeMap::new()), Files::with(&own));
        assert_ne!(plain.set(), laid_over.set());
        assert_eq!(laid_over.text("parts/icon.svg"), "<svg/>");
        assert_eq!(laid_over.languages(), ["de", "en", "fr"]);
        assert_eq!(plain.languages(), ["de", "en"]);
        assert_eq!(plain.set(), Files::with(&BTreeMap::new()).set());
    }

    #[test]
    fn only_comments_and_indentation_are_left_out() {
        let text =
            "// One.\n/** Two,\n    and three. */\n  const a = 1; // stays\n\n/* Four. */\n}\n";
        assert_eq!(bare(text), "const a = 1; // stays\n}\n");
        for (name, bytes) in BUILT_IN {
            let text = std::str::from_utf8(bytes).unwrap();
            for line in text.lines() {
                // A text that goes on in the next line would lose its indentation.
                assert!(line.matches('`').count() % 2 == 0, "{name}: {line}");
                // Nothing but a comment stands in a line that begins one.
                let line = line.trim();
                let after = line.split_once("*/").filter(|_| line.starts_with("/*"));
                assert!(
                    after.is_none_or(|(_, rest)| rest.is_empty()),
                    "{name}: {line}"
                );
            }
        }
    }

    #[test]
    fn a_weight_of_nothing_refuses() {
        let takes = |text: &'static str| {
            let value = HeaderValue::from_static(text);
            takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, value)]))
        };
        for text in ["gzip", "br, GZIP", "deflate, gzip;q=0.5, *;q=0"] {
            assert!(takes(text), "{text}");
        }
        for text in ["", "br", "gzip;q=0", "gzip;q=0.0", "identity", "x-gzip"] {
            assert!(!takes(text), "{text}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
