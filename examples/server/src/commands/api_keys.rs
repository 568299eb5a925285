use std::{
    collections::{HashMap, hash_map::Entry},
    time::SystemTime,
};

use clap::Subcommand;
use keyplate::{ApiKey, ApiKeyId, ApiKeyQuery, Keyplate, KeyplateError, NewApiKey, UserId};

use super::{find_user, matched, open, printed, printed_json, refused, table};
use crate::{
    http::{answer, clock, list},
    json::api_keys::ApiKeyJson,
    options::{self, Options},
};

/// What is done with API keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make an API key, and print it this once.
    Create {
        /// Whose it is: a username, an id, or an e-mail address that somebody holds.
        #[arg(long, value_name = "NAME")]
        owner: String,
        /// What it is called.
        #[arg(long, value_name = "NAME")]
        name: String,
        /// What it may do, such as users:read or *. May be repeated.
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,
        /// For how long it works, with a unit, such as 12h or 90d; without it until it is revoked.
        #[arg(long, value_name = "TIME", value_parser = options::seconds)]
        expires: Option<i64>,
    },
    /// List API keys that are not revoked, the newest first.
    List {
        /// Only this user's: a username, an id, or an e-mail address that somebody holds.
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
        /// As JSON, in the form of the API.
        #[arg(long)]
        json: bool,
    },
    /// Revoke an API key at once.
    Revoke {
        /// Its id, as the list has it.
        id: String,
    },
}

pub(crate) fn run(options: &Options, command: &Command) -> Result<(), String> {
    let keyplate = open(options)?;
    match command {
        Command::Create {
            owner,
            name,
            scopes,
            expires,
        } => {
            let owner = find_user(&keyplate, owner)?;
            let key = NewApiKey {
                name: name.clone(),
                scopes: scopes.clone(),
                owner_id: Some(owner.id),
                expires_at: expires
                    .map(|seconds| in_seconds(&keyplate, seconds))
                    .transpose()?,
                ..NewApiKey::default()
            };
            let created = keyplate.create_api_key(key).map_err(refused)?;
            let (id, secret) = (&created.api_key.id, created.secret.as_str());
            printed(&format!("{}id: {id}\nkey: {secret}\n", matched(&owner)))
        }
        Command::List { owner, json } => {
            let owner = owner.as_deref();
            let owner = owner.map(|name| find_user(&keyplate, name)).transpose()?;
            list(&keyplate, owner.map(|owner| owner.id), *json)
        }
        Command::Revoke { id } => {
            let id = ApiKeyId::parse(id).map_err(|_| "there is no such API key")?;
            keyplate.revoke_api_key(&id).map_err(refused)?;
            printed(&format!("revoked {id}\n"))
        }
    }
}

/// By the time by which the key will expire.
fn in_seconds(keyplate: &Keyplate, seconds: i64) -> Result<SystemTime, String> {
    let now = keyplate.get_clock_state().map_err(refused)?.now;
    Ok(clock::after(now, seconds))
}

fn list(keyplate: &Keyplate, owner_id: Option<UserId>, json: bool) -> Result<(), String> {
    let keys = list::every(|page| {
        let found = keyplate.list_api_keys(ApiKeyQuery {
            owner_id,
            page: Some(page),
            limit: Some(list::MANY),
            ..ApiKeyQuery::default()
        })?;
        Ok((found.items, found.total))
    });
    let keys = keys.map_err(refused)?;
    if json {
        return printed_json(&keys.iter().map(ApiKeyJson::from).collect::<Vec<_>>());
    }
    let owners = owners_of(keyplate, &keys).map_err(refused)?;
    let rows: Vec<[String; 7]> = keys.iter().map(|key| row(key, &owners)).collect();
    let head = [
        "NAME",
        "OWNER",
        "SCOPES",
        "KEY",
        "EXPIRES",
        "LAST USED",
        "ID",
    ];
    printed(&table::aligned(head, &rows))
}

/// Their names by their ids.
fn owners_of(keyplate: &Keyplate, keys: &[ApiKey]) -> keyplate::Result<HashMap<UserId, String>> {
    let mut owners = HashMap::new();
    for key in keys {
        if let Entry::Vacant(entry) = owners.entry(key.owner_id) {
            entry.insert(name_of(keyplate, &key.owner_id)?);
        }
    }
    Ok(owners)
}

/// Empty for somebody who was deleted meanwhile.
fn name_of(keyplate: &Keyplate, id: &UserId) -> keyplate::Result<String> {
    match keyplate.get_user(id) {
        Ok(user) => Ok(user.username),
        Err(KeyplateError::NotFound { .. }) => Ok(String::new()),
        Err(error) => Err(error),
    }
}

fn row(key: &ApiKey, owners: &HashMap<UserId, String>) -> [String; 7] {
    [
        key.name.clone(),
        owners.get(&key.owner_id).cloned().unwrap_or_default(),
        key.scopes.join(" "),
        key.masked_secret.clone(),
        key.expires_at.map(answer::time).unwrap_or_default(),
        key.last_used_at.map(answer::time).unwrap_or_default(),
        key.id.to_string(),
    ]
}
