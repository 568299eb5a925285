use super::{
    groups,
    place::Place,
    plan::SettingsEntry,
    run::{Run, updated},
};
use crate::{
    db,
    error::Result,
    gate::change::Change,
    model::{bootstrap::BootstrapKind, settings::Settings},
    rules::settings,
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
