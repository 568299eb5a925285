//! Plans from the command line and at each start: the library applies them, this prints what it did.

use std::path::Path;

use keyplate::{
    BootstrapAction, BootstrapChange, BootstrapKind, BootstrapReport, Keyplate, KeyplateError,
};

use crate::{
    commands::printed,
    options::Options,
    origin::Origin,
    plan_file,
    start::{self, Opening},
};

/// What tokens of this server begin with; the library's default.
const TOKEN_PREFIX: &str = "kp";

/// Applies a plan, beside a running server too, and prints what it did.
pub(crate) fn run(options: &Options, file: &Path) -> Result<(), String> {
    Origin::own(options)?;
    let plan = plan_file::read(file)?;
    start::make_folder(&options.data)?;
    let keyplate = start::open(options, Opening::ForMaintenance)?;
    let told = apply(&keyplate, options, file, &plan)?;
    let told = if told.is_empty() {
        "no change\n".to_owned()
    } else {
        told
    };
    printed(&told)
}

/// Applies the plan of the options, if there is one: before a setup link is printed, which it may make superfluous.
pub(crate) fn at_start(keyplate: &Keyplate, options: &Options) -> Result<(), String> {
    let Some(file) = &options.bootstrap_file else {
        return Ok(());
    };
    let plan = plan_file::read(file)?;
    printed(&apply(keyplate, options, file, &plan)?)
}

/// Prints a secret for a plan.
pub(crate) fn generate_key() -> Result<(), String> {
    let secret = keyplate::generate_api_key_secret(TOKEN_PREFIX);
    let secret = secret.map_err(|error| error.to_string())?;
    printed(&format!("{}\n", secret.as_str()))
}

fn apply(
    keyplate: &Keyplate,
    options: &Options,
    file: &Path,
    plan: &str,
) -> Result<String, String> {
    let file = file.display();
    let report = keyplate.bootstrap(plan).map_err(|error| match error {
        KeyplateError::InvalidInput { field, reason } => format!("{file}: {field} {reason}"),
        error => format!("cannot apply {file}: {error}"),
    })?;
    told(keyplate, options, &report).map_err(|error| error.to_string())
}

/// A line for each change, and the secrets that are shown this once.
fn told(
    keyplate: &Keyplate,
    options: &Options,
    report: &BootstrapReport,
) -> keyplate::Result<String> {
    let mut text = String::new();
    for change in &report.changes {
        text.push_str(&line(change));
    }
    for created in &report.api_keys {
        let owner = keyplate.get_user(&created.api_key.owner_id)?.username;
        let (name, secret) = (&created.api_key.name, created.secret.as_str());
        text.push_str(&format!("secret of API key {owner}/{name}: {secret}\n"));
    }
    for created in &report.signup_tokens {
        let note = created.signup_token.note.as_deref().unwrap_or_default();
        let (origin, secret) = (&options.origin, created.secret.as_str());
        text.push_str(&format!(
            "link of sign-up token {note}: {origin}/signup#token={secret}\n"
        ));
    }
    Ok(text)
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
