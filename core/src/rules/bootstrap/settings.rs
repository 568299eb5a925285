use super::{
    groups,
    place::Place,
    plan::SettingsEntry,
    run::{Run, updated},
};
use crate::{
    db,
    error::{KeyplateError, Result, invalid},
    gate::change::Change,
    model::{bootstrap::BootstrapKind, claims::Claim, settings::Settings},
    rules::{claims, settings},
};

pub(super) fn apply(run: &mut Run<'_>, entry: Option<&SettingsEntry>) -> Result<()> {
    let place = Place::section("settings");
    let Some(entry) = entry else { return Ok(()) };
    let changed = ensure(run.change, entry).map_err(|error| place.blame(error))?;
    run.note(updated(changed), BootstrapKind::Settings, "settings");
    Ok(())
}

fn ensure(change: &Change<'_>, entry: &SettingsEntry) -> Result<bool> {
    let before = db::settings::load(change)?;
    let mut after = entry.changes().applied(&before)?;
    if let Some(domains) = &entry.signup_email_domains {
        after.signup_email_domains = settings::checked_domains(domains)?;
    }
    let mut changed = after != before;
    settings::store(change, &before, after)?;
    changed |= set_default_groups(change, &before, entry)?;
    changed |= set_default_claims(change, &before, entry)?;
    Ok(changed)
}

fn set_default_groups(
    change: &Change<'_>,
    before: &Settings,
    entry: &SettingsEntry,
) -> Result<bool> {
    let Some(names) = &entry.default_groups else {
        return Ok(false);
    };
    let ids = groups::ids(change, "default_groups", names)?;
    let changed = !groups::same(&ids, &before.default_group_ids);
    if changed {
        settings::store_default_groups(change, &ids)?;
    }
    Ok(changed)
}

fn set_default_claims(
    change: &Change<'_>,
    before: &Settings,
    entry: &SettingsEntry,
) -> Result<bool> {
    let Some(claims) = entry.default_claims() else {
        return Ok(false);
    };
    let claims = checked_claims(claims)?;
    let changed = claims != before.default_claims;
    if changed {
        settings::store_default_claims(change, &claims)?;
    }
    Ok(changed)
}

fn checked_claims(wanted: Vec<Claim>) -> Result<Vec<Claim>> {
    claims::checked(wanted).map_err(|error| match error {
        KeyplateError::InvalidInput { reason, .. } => invalid("default_claims", reason),
        error => error,
    })
}
