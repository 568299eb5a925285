use super::{
    place::each,
    plan::GroupEntry,
    run::{Run, updated},
};
use crate::{
    db::{self, Reader},
    error::{InputReason, Result, Thing, invalid},
    gate::change::Change,
    model::{
        bootstrap::{BootstrapAction, BootstrapKind},
        claims::Claim,
        groups::{Group, GroupChanges, NewGroup},
        ids::GroupId,
    },
    rules::{claims, groups},
    values::text,
};

pub(super) fn apply(run: &mut Run<'_>, entries: &[GroupEntry]) -> Result<()> {
    each("groups", entries, |_, entry| {
        let action = ensure(run.change, entry)?;
        run.note(action, BootstrapKind::Group, &entry.name);
        Ok(())
    })
}

fn ensure(change: &Change<'_>, entry: &GroupEntry) -> Result<Option<BootstrapAction>> {
    let claims = entry.claims();
    let Some(before) = find(change, &entry.name)? else {
        let made = groups::create(
            change,
            &NewGroup {
                name: entry.name.clone(),
                friendly_name: entry.friendly_name.clone(),
            },
        )?;
        add_claims(change, &made, claims)?;
        return Ok(Some(BootstrapAction::Created));
    };
    let changes = GroupChanges {
        name: None,
        friendly_name: entry.friendly_name.clone(),
    };
    let after = changes.applied(before.clone())?;
    let renamed = after != before;
    if renamed {
        groups::store(change, &before, &after)?;
    }
    Ok(updated(add_claims(change, &before, claims)? || renamed))
}

fn add_claims(change: &Change<'_>, group: &Group, added: Vec<Claim>) -> Result<bool> {
    let claims = claims::with_added(&group.claims, added)?;
    let changed = claims != group.claims;
    if changed {
        groups::set_claims(change, &group.id, &claims)?;
    }
    Ok(changed)
}

/// The ids of groups that a plan names; the field is of the entry that names them.
pub(super) fn ids(reader: &Reader<'_>, field: &str, names: &[String]) -> Result<Vec<GroupId>> {
    let mut ids = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let missing = || {
            invalid(
                &format!("{field}[{index}]"),
                InputReason::NamesNothing { what: Thing::Group },
            )
        };
        let id = db::groups::find_id_by_name(reader, &text::folded(name))?;
        let id = id.ok_or_else(missing)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Do they hold the same, in whatever order?
pub(super) fn same<T: PartialEq>(some: &[T], others: &[T]) -> bool {
    some.len() == others.len() && some.iter().all(|one| others.contains(one))
}

fn find(reader: &Reader<'_>, name: &str) -> Result<Option<Group>> {
    db::groups::find_by_name(reader, &text::folded(name))
}
