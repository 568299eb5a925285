//! API keys of a plan. A plan never revives a key that somebody revoked, and never puts back a secret that somebody rotated
//! away: `supplied_hash` tells what a plan gave last.

use std::sync::Arc;

use super::{
    groups,
    place::each,
    plan::ApiKeyEntry,
    run::{Run, updated},
    users,
};
use crate::{
    clock,
    db::{self, api_keys::NamedApiKey},
    error::{InputReason, Result, Thing, invalid},
    gate::change::Change,
    model::{
        api_keys::{ApiKey, CreatedApiKey, NewApiKey},
        bootstrap::{BootstrapAction, BootstrapKind},
        users::{Role, User},
    },
    rules::api_keys::{self, MAX_NOTE},
    values::{
        scopes::{Ceiling, Scopes},
        text,
        tokens::{self, MintedToken, TokenKind},
    },
};

pub(super) fn apply(run: &mut Run<'_>, entries: &[ApiKeyEntry]) -> Result<()> {
    each("api_keys", entries, |_, entry| {
        let owner = users::find(run.change, &entry.owner)?
            .ok_or_else(|| invalid("owner", InputReason::NamesNothing { what: Thing::User }))?;
        let name = api_keys::checked_name(&entry.name)?;
        let named = db::api_keys::list_named(run.change, &owner.id, &name)?;
        let action = match &entry.supplied {
            Some(token) => supply(run.change, entry, &owner, present(named)?, token)?,
            None => generate(run, entry, &owner, present(named)?)?,
        };
        let name = format!("{}/{name}", owner.username);
        run.note(action, BootstrapKind::ApiKey, &name);
        Ok(())
    })
}

/// The key that the plan means: the one that a plan made last. One that somebody made by hand is not taken for it, because
/// they have its secret, and may have fewer rights than the plan gives.
fn present(mut named: Vec<NamedApiKey>) -> Result<Option<NamedApiKey>> {
    if let Some(index) = named.iter().position(|key| key.supplied_hash.is_some()) {
        return Ok(Some(named.swap_remove(index)));
    }
    if named.iter().any(|key| key.api_key.revoked_at.is_none()) {
        return Err(invalid(
            "name",
            InputReason::NotOfPlan {
                what: Thing::ApiKey,
            },
        ));
    }
    Ok(None)
}

fn supply(
    change: &Change<'_>,
    entry: &ApiKeyEntry,
    owner: &User,
    present: Option<NamedApiKey>,
    token: &MintedToken,
) -> Result<Option<BootstrapAction>> {
    let Some(present) = present else {
        return create(change, entry, owner, token).map(|_| Some(BootstrapAction::Created));
    };
    let is_revoked = present.api_key.revoked_at.is_some();
    if present.supplied_hash == Some(token.hash) {
        return match is_revoked {
            true => Ok(None),
            false => Ok(updated(change_fields(
                change,
                entry,
                owner,
                present.api_key,
            )?)),
        };
    }
    if is_revoked {
        return create(change, entry, owner, token).map(|_| Some(BootstrapAction::Created));
    }
    check_unused(change, token, Some(&present.api_key))?;
    let mut api_key = present.api_key;
    if present.secret_hash != Some(token.hash) {
        let expires_at = api_key.expires_at;
        api_key = api_keys::replace_secret(change, owner, api_key, expires_at, token, 0)?;
    }
    remember(change, &api_key, token)?;
    change_fields(change, entry, owner, api_key)?;
    Ok(Some(BootstrapAction::Updated))
}

fn generate(
    run: &mut Run<'_>,
    entry: &ApiKeyEntry,
    owner: &User,
    present: Option<NamedApiKey>,
) -> Result<Option<BootstrapAction>> {
    match present {
        Some(key) if key.api_key.revoked_at.is_some() => Ok(None),
        Some(key) => change_fields(run.change, entry, owner, key.api_key).map(updated),
        None => {
            let token = tokens::mint(&run.keyplate.shared.token_prefix, TokenKind::ApiKey)?;
            let api_key = create(run.change, entry, owner, &token)?;
            run.report.api_keys.push(CreatedApiKey {
                api_key,
                secret: Arc::new(token.secret),
            });
            Ok(Some(BootstrapAction::Created))
        }
    }
}

fn create(
    change: &Change<'_>,
    entry: &ApiKeyEntry,
    owner: &User,
    token: &MintedToken,
) -> Result<ApiKey> {
    check_unused(change, token, None)?;
    let lifetime = entry.lifetime_seconds;
    let key = NewApiKey {
        name: entry.name.clone(),
        scopes: entry.scopes.clone().unwrap_or_default(),
        owner_id: Some(owner.id),
        note: entry.note.clone(),
        expires_at: match entry.expires_at {
            Some(expiry) => expiry.time(),
            None => lifetime.map(|seconds| clock::after(change.now(), seconds)),
        },
    };
    let api_key = api_keys::create(change, &key, token)?;
    // A generated one too: it is not purged then, so that its revocation stays known.
    remember(change, &api_key, token)?;
    Ok(api_key)
}

fn remember(change: &Change<'_>, api_key: &ApiKey, token: &MintedToken) -> Result<()> {
    db::api_keys::set_supplied(change, &api_key.id, &token.hash)?;
    db::plans::remember_secret(change, &token.hash)
}

/// One secret is one key's for ever: one that was revoked or replaced does not come back, under another name either.
fn check_unused(change: &Change<'_>, token: &MintedToken, own: Option<&ApiKey>) -> Result<()> {
    let id = own.map(|key| &key.id);
    let taken = db::api_keys::other_has_secret(change, id, &token.hash)?;
    if taken || db::plans::knows_secret(change, &token.hash)? {
        return Err(invalid("secret", InputReason::SecretTaken));
    }
    Ok(())
}

/// Note, scopes and end, where the plan names them.
fn change_fields(
    change: &Change<'_>,
    entry: &ApiKeyEntry,
    owner: &User,
    before: ApiKey,
) -> Result<bool> {
    let mut after = before.clone();
    if let Some(note) = &entry.note
        && Some(note) != before.note.as_ref()
    {
        after.note = text::optional("note", note, MAX_NOTE)?;
    }
    if let Some(scopes) = &entry.scopes {
        let scopes = Scopes::parse("scopes", scopes)?;
        api_keys::check_verifying(&Ceiling {
            scopes: scopes.clone(),
            administrator: owner.role == Role::Administrator,
        })?;
        let scopes = scopes.into_names();
        if !groups::same(&scopes, &before.scopes) {
            after.scopes = scopes;
        }
    }
    let updated = after != before;
    if updated {
        api_keys::update(change, owner, &after)?;
    }
    // An end that is as the plan says may have passed.
    let expiry = entry
        .expires_at
        .filter(|expiry| !expiry.is_stored(before.expires_at));
    if let Some(expiry) = expiry {
        after.expires_at = expiry.checked("expires_at", change.now())?;
        api_keys::renew(change, owner, &after)?;
    }
    Ok(updated || expiry.is_some())
}
