//! A plan as a file: TOML or JSON, with secrets by value, from the environment, or from files of their own.
//!
//! No error repeats what a file says: it may be a secret.

use std::{
    env,
    fs::File,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use serde_json::{Map, Value};

use crate::{open::secret_file, plan::text};

/// The longest plan.
const LONGEST: u64 = 4 * 1024 * 1024;

/// The fields of an API key that give its secret.
const SECRETS: [&str; 3] = ["secret", "secret_env", "secret_file"];

/// Who but the owner may read or write.
const OTHERS: u32 = 0o077;
/// Whoever can write a plan can make themselves administrator.
const OTHERS_WRITE: u32 = 0o022;

/// Reads a plan and puts the secrets in; gives the JSON that the library takes.
pub(super) fn read(path: &Path, allow_shared_file: bool) -> Result<String, String> {
    let name = path.display();
    if !allow_shared_file {
        secret_file::check_ownership(path)
            .map_err(|reason| format!("cannot read {name}: {reason}"))?;
    }
    let (text, mode) = contents(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    if mode & OTHERS_WRITE != 0 {
        return Err(format!("{name} can be written by others: chmod go-w it"));
    }
    let mut plan = parsed(path, &text).map_err(|reason| format!("{name}{reason}"))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let keys = plan.get_mut("api_keys").and_then(Value::as_array_mut);
    for (index, key) in keys.into_iter().flatten().enumerate() {
        // What is no table the library will name.
        let Some(key) = key.as_object_mut() else {
            continue;
        };
        // As for the library, null is the same as nothing.
        key.retain(|field, value| !(SECRETS.contains(&field.as_str()) && value.is_null()));
        if key.contains_key("secret") && mode & OTHERS != 0 {
            return Err(format!(
                "{name} holds a secret (api_keys[{index}]) and can be read by others: chmod 600 it"
            ));
        }
        put_secret(key, folder, allow_shared_file)
            .map_err(|(field, reason)| format!("{name}: api_keys[{index}].{field} {reason}"))?;
    }
    Ok(plan.to_string())
}

/// What a file holds, and its mode.
fn contents(path: &Path) -> io::Result<(String, u32)> {
    let file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode();
    let mut text = String::new();
    let length = file.take(LONGEST + 1).read_to_string(&mut text)?;
    if length as u64 > LONGEST {
        return Err(io::Error::other("it is too long"));
    }
    Ok((text, mode))
}

fn parsed(path: &Path, text: &str) -> Result<Value, String> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => text::json(text),
        Some("toml") => text::toml(text),
        _ => Err(" must be a .toml or .json file".to_owned()),
    }
}

type Wrong = (&'static str, String);

/// Puts the secret itself in the place of `secret_env` or `secret_file`.
fn put_secret(
    key: &mut Map<String, Value>,
    folder: &Path,
    allow_shared_file: bool,
) -> Result<(), Wrong> {
    for field in ["secret_env", "secret_file"] {
        let Some(source) = key.remove(field) else {
            continue;
        };
        if key.contains_key("secret") {
            let reason = "stands beside another secret: give one of them";
            return Err((field, reason.to_owned()));
        }
        let source = source
            .as_str()
            .ok_or_else(|| (field, "must be a string".to_owned()))?;
        let secret = match field {
            "secret_env" => from_environment(source),
            _ => from_file(source, folder, allow_shared_file),
        };
        let secret = secret.map_err(|reason| (field, reason))?;
        key.insert("secret".to_owned(), Value::String(secret));
    }
    Ok(())
}

fn from_environment(name: &str) -> Result<String, String> {
    match env::var(name) {
        Ok(secret) => match secret_file::without_line_end(&secret) {
            "" => Err(format!("names {name}, which is empty")),
            secret => Ok(secret.to_owned()),
        },
        Err(env::VarError::NotPresent) => Err(format!("names {name}, which is not set")),
        Err(env::VarError::NotUnicode(_)) => Err(format!("names {name}, which is no text")),
    }
}

/// The path is relative to the plan's folder.
fn from_file(path: &str, folder: &Path, allow_shared_file: bool) -> Result<String, String> {
    secret_file::read(&folder.join(path), allow_shared_file)
        .map_err(|reason| format!("names {path}: {reason}"))
}
