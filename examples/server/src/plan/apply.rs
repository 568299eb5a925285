//! Plans from the command line and at each start: the library applies them, this prints what it did.

use std::path::Path;

use keyplate::{
    ApiKey, BootstrapAction, BootstrapChange, BootstrapKind, BootstrapReport, Keyplate,
    KeyplateError, SetupStage,
};

use crate::{
    commands::printed,
    http::origin,
    log,
    open::{
        self, Opening, failure,
        print::{self, print},
    },
    options::Options,
    plan::{file, secrets::BootstrapSecrets},
};

/// What tokens of this server begin with; the library's default.
const TOKEN_PREFIX: &str = "kp";

/// Applies a plan, beside a running server too, and prints what it did, and the secrets that it made.
pub(crate) fn run(options: &Options, file: &Path) -> Result<(), String> {
    origin::own_scheme(options)?;
    let plan = file::read(file, options.allow_shared_file)?;
    open::make_folder(&options.data)?;
    let keyplate = open::open(options, Opening::ForMaintenance)?;
    let report = keyplate
        .bootstrap(&plan)
        .map_err(|error| refused(file, error))?;
    let told = match report.changes.is_empty() {
        true => "no change\n".to_owned(),
        false => {
            let origin = print::origin_of_links(options, &keyplate);
            // Whatever failed now would lose the secrets.
            let origin = origin.unwrap_or_else(|_| options.origin().to_owned());
            changes(&report) + &secrets(&origin, &report)
        }
    };
    printed(&told)
}

/// Applies the plan of the options, if there is one: before a setup link is printed, which it may make superfluous.
pub(crate) fn at_start(keyplate: &Keyplate, options: &Options) -> Result<(), String> {
    let Some(file) = &options.bootstrap_file else {
        return Ok(());
    };
    let plan = file::read(file, options.allow_shared_file)?;
    let mut kept = BootstrapSecrets::open(&options.data, options.allow_shared_file)?;
    let report = match keyplate.bootstrap(&plan) {
        // What people do here may contradict the plan one day. Their service goes on.
        Err(KeyplateError::InvalidInput { field, reason }) if is_in_use(keyplate)? => {
            log::line(format_args!(
                "warning: the plan was not applied: {field} {reason}"
            ));
            return Ok(());
        }
        report => report.map_err(|error| refused(file, error))?,
    };
    let secrets = secrets(options.origin(), &report);
    let mut told = changes(&report);
    if !secrets.is_empty() {
        kept.keep(&secrets)?;
        let path = kept.path().display();
        told.push_str(&format!(
            "secrets that the plan made are in {path}: read them and delete it\n"
        ));
    }
    // Nobody may be listening; there is no secret in it.
    let _ = print(&told);
    Ok(())
}

fn is_in_use(keyplate: &Keyplate) -> Result<bool, String> {
    let state = keyplate.get_setup_state();
    let stage = state.map_err(|error| failure::told(&error))?.stage;
    Ok(stage == SetupStage::Complete)
}

/// Prints a secret for a plan.
pub(crate) fn generate_key() -> Result<(), String> {
    let secret = keyplate::generate_api_key_secret(TOKEN_PREFIX);
    let secret = secret.map_err(|error| error.to_string())?;
    printed(&format!("{}\n", secret.as_str()))
}

fn refused(file: &Path, error: KeyplateError) -> String {
    let file = file.display();
    match error {
        KeyplateError::InvalidInput { field, reason } => format!("{file}: {field} {reason}"),
        error => format!("cannot apply {file}: {}", failure::told(&error)),
    }
}

/// A line for each change.
fn changes(report: &BootstrapReport) -> String {
    report.changes.iter().map(line).collect()
}

/// A line for each secret that is shown this once; from the report alone, because whatever failed now would lose them.
fn secrets(origin: &str, report: &BootstrapReport) -> String {
    let mut text = String::new();
    for created in &report.api_keys {
        let (name, secret) = (name_of(&created.api_key, report), created.secret.as_str());
        text.push_str(&format!("secret of API key {name}: {secret}\n"));
    }
    for created in &report.signup_tokens {
        let note = created.signup_token.note.as_deref().unwrap_or_default();
        let secret = created.secret.as_str();
        text.push_str(&format!(
            "link of sign-up token {note}: {origin}/signup#token={secret}\n"
        ));
    }
    text
}

/// The owner's username, a slash and the key's name. Of several owners' keys with that name the report does not always
/// tell which is whose; then it is the owner's id.
fn name_of(key: &ApiKey, report: &BootstrapReport) -> String {
    let is_named = |name: &str| {
        name.split_once('/')
            .is_some_and(|(_, name)| name == key.name)
    };
    let changes = report.changes.iter().filter(|change| {
        (change.action, change.kind) == (BootstrapAction::Created, BootstrapKind::ApiKey)
            && is_named(&change.name)
    });
    let alike = report.api_keys.iter().map(|created| &created.api_key);
    let alike = alike.filter(|other| other.name == key.name);
    let by_id = || format!("{}/{}", key.owner_id, key.name);
    if changes.clone().count() != alike.clone().count() {
        return by_id();
    }
    // Both are in the plan's order.
    let found = alike.zip(changes).find(|(other, _)| other.id == key.id);
    found.map_or_else(by_id, |(_, change)| change.name.clone())
}

fn line(change: &BootstrapChange) -> String {
    let action = match change.action {
        BootstrapAction::Created => "created",
        _ => "updated",
    };
    let kind = match change.kind {
        BootstrapKind::Settings => return format!("{action} settings\n"),
        BootstrapKind::Group => "group",
        BootstrapKind::Service => "service",
        BootstrapKind::User => "user",
        BootstrapKind::SignupToken => "sign-up token",
        BootstrapKind::ApiKey => "API key",
        _ => "entry",
    };
    format!("{action} {kind} {}\n", change.name)
}

#[cfg(test)]
mod tests {
    use keyplate::Config;

    use super::*;

    /// What a plan of two users makes, when it is said of each key named `operator` how it gets its secret.
    fn report(anna: &str, bob: &str) -> BootstrapReport {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyplate.db");
        let keyplate = Keyplate::open(Config {
            path: path.to_str().unwrap().to_owned(),
            origin: "https://id.example".to_owned(),
            ..Config::default()
        });
        let plan = format!(
            r#"{{
                "users": [{{"username": "anna"}}, {{"username": "bob"}}],
                "api_keys": [
                    {{"owner": "anna", "name": "operator", "scopes": ["*"], {anna}}},
                    {{"owner": "bob", "name": "a/b", "scopes": ["*"], "generate": true}},
                    {{"owner": "bob", "name": "operator", "scopes": ["*"], {bob}}}
                ]
            }}"#
        );
        keyplate.unwrap().bootstrap(&plan).unwrap()
    }

    #[test]
    fn a_secret_is_named_with_its_owner_from_the_report_alone() {
        let named = |report: &BootstrapReport| -> Vec<String> {
            let text = secrets("https://id.example", report);
            let names = text.lines().map(|line| {
                let line = line.strip_prefix("secret of API key ").unwrap();
                line.split_once(": kp_key_").unwrap().0.to_owned()
            });
            names.collect()
        };
        let both = report(r#""generate": true"#, r#""generate": true"#);
        assert_eq!(named(&both), ["anna/operator", "bob/a/b", "bob/operator"]);

        let own = r#""secret": "operators-own-secret-0123456789-abcdef""#;
        let mixed = report(own, r#""generate": true"#);
        let owner = &mixed.api_keys[1].api_key.owner_id;
        assert_eq!(
            named(&mixed),
            ["bob/a/b".to_owned(), format!("{owner}/operator")]
        );
    }
}
