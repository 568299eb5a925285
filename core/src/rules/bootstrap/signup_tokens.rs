use super::{
    groups,
    place::each,
    plan::SignupTokenEntry,
    run::{Run, updated},
};
use crate::{
    clock, db,
    error::Result,
    gate::change::Change,
    model::{
        bootstrap::{BootstrapAction, BootstrapKind},
        signup_tokens::{Limit, NewSignupToken, SignupToken, SignupTokenChanges},
        users::Expiry,
    },
    rules::{
        claims,
        signup_tokens::{self, MAX_NOTE},
    },
    values::text,
};

pub(super) fn apply(run: &mut Run<'_>, entries: &[SignupTokenEntry]) -> Result<()> {
    each("signup_tokens", entries, |_, entry| {
        let note = text::required("note", &entry.note, MAX_NOTE)?;
        let action = match db::signup_tokens::find_by_note(run.change, &note)? {
            None => Some(create(run, entry, &note)?),
            // Nobody's revocation is undone.
            Some(token) if token.revoked_at.is_some() => None,
            Some(token) => update(run.change, entry, token)?,
        };
        run.note(action, BootstrapKind::SignupToken, &note);
        Ok(())
    })
}

fn create(run: &mut Run<'_>, entry: &SignupTokenEntry, note: &str) -> Result<BootstrapAction> {
    let change = run.change;
    let names = entry.groups.as_deref().unwrap_or_default();
    let lifetime = |seconds| Expiry::At {
        time: clock::after(change.now(), seconds),
    };
    let token = NewSignupToken {
        note: Some(note.to_owned()),
        expiry: entry.expires_at.or(entry.lifetime_seconds.map(lifetime)),
        uses: entry.max_uses,
        group_ids: groups::ids(change, "groups", names)?,
        account_lifetime_seconds: match entry.account_lifetime_seconds {
            Some(Limit::AtMost { most }) => Some(most),
            Some(Limit::Unlimited) | None => None,
        },
        approval: entry.approval,
        email: entry.email.clone(),
    };
    let prefix = &run.keyplate.shared.token_prefix;
    let mut created = signup_tokens::create(change, prefix, &token)?;
    if set_grants(change, entry, &created.signup_token)? {
        created.signup_token = signup_tokens::get(change, &created.signup_token.id)?;
    }
    run.report.signup_tokens.push(created);
    Ok(BootstrapAction::Created)
}

fn update(
    change: &Change<'_>,
    entry: &SignupTokenEntry,
    before: SignupToken,
) -> Result<Option<BootstrapAction>> {
    // An end that is as the plan says may have passed.
    let expiry = entry
        .expires_at
        .filter(|expiry| !expiry.is_stored(before.expires_at));
    let changes = SignupTokenChanges {
        note: None,
        expiry,
        uses: entry.max_uses,
        account_lifetime: entry.account_lifetime_seconds,
        approval: entry.approval,
        enabled: None,
        email: entry.email.clone(),
    };
    let after = changes.applied(before.clone(), change.now())?;
    let changed = after != before;
    if changed {
        signup_tokens::store(change, &after)?;
    }
    Ok(updated(set_grants(change, entry, &before)? || changed))
}

fn set_grants(change: &Change<'_>, entry: &SignupTokenEntry, before: &SignupToken) -> Result<bool> {
    let group_ids = match &entry.groups {
        Some(names) => groups::ids(change, "groups", names)?,
        None => before.group_ids.clone(),
    };
    let claims = match entry.claims() {
        Some(claims) => claims::checked(claims)?,
        None => before.claims.clone(),
    };
    let changed = claims != before.claims || !groups::same(&group_ids, &before.group_ids);
    if changed {
        signup_tokens::set_grants(change, &before.id, &group_ids, &claims)?;
    }
    Ok(changed)
}
