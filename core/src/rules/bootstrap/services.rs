use super::{
    groups,
    place::each,
    plan::ServiceEntry,
    run::{Run, updated},
};
use crate::{
    db,
    error::Result,
    gate::change::Change,
    model::{
        bootstrap::{BootstrapAction, BootstrapKind},
        services::{NewService, Service, ServiceChanges},
    },
    rules::services,
};

pub(super) fn apply(run: &mut Run<'_>, entries: &[ServiceEntry]) -> Result<()> {
    each("services", entries, |_, entry| {
        let action = ensure(run.change, entry)?;
        run.note(action, BootstrapKind::Service, &entry.slug);
        Ok(())
    })
}

fn ensure(change: &Change<'_>, entry: &ServiceEntry) -> Result<Option<BootstrapAction>> {
    let Some(before) = db::services::find_by_slug(change, &entry.slug)? else {
        let made = services::create(
            change,
            &NewService {
                slug: entry.slug.clone(),
                name: entry.name.clone(),
                origins: entry.origins.clone().unwrap_or_default(),
                wants_token: entry.wants_token.unwrap_or_default(),
                ..NewService::default()
            },
        )?;
        set_access(change, &made, entry)?;
        return Ok(Some(BootstrapAction::Created));
    };
    let changes = ServiceChanges {
        name: entry.name.clone(),
        wants_token: entry.wants_token,
        ..ServiceChanges::default()
    };
    let after = changes.applied(before.clone())?;
    let renamed = after != before;
    if renamed {
        services::store(change, &after)?;
    }
    let moved = set_origins(change, &before, entry)?;
    let opened = set_access(change, &before, entry)?;
    Ok(updated(renamed || moved || opened))
}

fn set_origins(change: &Change<'_>, before: &Service, entry: &ServiceEntry) -> Result<bool> {
    let Some(origins) = &entry.origins else {
        return Ok(false);
    };
    let origins = services::checked_origins(origins)?;
    let texts: Vec<String> = origins.iter().map(|origin| origin.text.clone()).collect();
    let changed = !groups::same(&texts, &before.origins);
    if changed {
        services::set_origins(change, before, &origins)?;
    }
    Ok(changed)
}

fn set_access(change: &Change<'_>, before: &Service, entry: &ServiceEntry) -> Result<bool> {
    let for_everyone = entry.for_everyone.unwrap_or(before.for_everyone);
    let group_ids = match &entry.groups {
        Some(names) => groups::ids(change, "groups", names)?,
        None => before.group_ids.clone(),
    };
    let changed =
        for_everyone != before.for_everyone || !groups::same(&group_ids, &before.group_ids);
    if changed {
        services::set_access(change, before, for_everyone, &group_ids)?;
    }
    Ok(changed)
}
