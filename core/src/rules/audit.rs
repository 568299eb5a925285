//! Looking at the audit log.

use crate::{
    clock, db,
    error::{InputReason, Result, invalid},
    gate::{handle::Keyplate, list, methods::Method},
    model::audit::{ActorKind, AuditEvent, AuditPage, AuditQuery},
    values::numbers::at_least,
};

/// How many values a list may be narrowed to.
const MOST_VALUES: usize = 100;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Lists what happened, the newest first unless the query says otherwise; or what happened after an event, the oldest
    /// first: so another process, or a host that wants to close what a revoked session has open, hears of every change
    /// (`AuditQuery.after`). Users who are no administrators see the rows that concern them or that they made. Of what
    /// another user did to them they see what and when, and nothing of who did it or from where: no actor but the kind
    /// `User`, no address, no agent, no credential.
    ///
    /// # Errors
    /// `PermissionDenied`, `InvalidInput`, the storage errors.
    pub fn list_audit_events(&self, query: AuditQuery) -> Result<AuditPage> {
        let page = list::page_request(query.page, query.limit)?;
        check_after(&query)?;
        let since = query.since.map(|time| clock::within("since", time));
        at_most("user_ids", query.user_ids.len())?;
        at_most("kinds", query.kinds.len())?;
        let query = AuditQuery {
            since: since.transpose()?,
            ..query
        };
        self.read(Method::ListAuditEvents, |_, _| Ok(()))?;
        self.write_refusals();
        self.read(Method::ListAuditEvents, |reader, caller| {
            for id in &query.user_ids {
                list::visible_owner(caller, Some(*id))?;
            }
            let user_id = match query.user_ids.is_empty() {
                true => list::visible_owner(caller, query.user_id)?,
                false => query.user_id,
            };
            let query = AuditQuery {
                user_id,
                ..query.clone()
            };
            let own_id = caller.user_id();
            let viewer = own_id.as_ref().filter(|_| !caller.is_administrator());
            let total = db::audit::count(reader, &query)?;
            let mut items = db::audit::list(reader, &query, viewer, page, total)?;
            if !caller.is_administrator() {
                let own = caller.user_id().map(|id| id.to_string());
                items
                    .iter_mut()
                    .filter(|row| row.actor_kind == ActorKind::User && row.actor_id != own)
                    .for_each(AuditEvent::redact);
            }
            Ok(AuditPage {
                items,
                total,
                page: page.page,
            })
        })
    }
}

/// A feed has one page at a time: the next begins after the last event of this one.
fn check_after(query: &AuditQuery) -> Result<()> {
    let Some(after) = query.after else {
        return Ok(());
    };
    at_least("after", after, 0)?;
    let excluded = [
        ("page", query.page.is_some_and(|page| page != 1)),
        ("sort", query.sort.is_some()),
    ];
    match excluded.into_iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((field, _)) => Err(invalid(
            field,
            InputReason::Excludes {
                field: "after".to_owned(),
            },
        )),
    }
}

fn at_most(field: &str, values: usize) -> Result<()> {
    match values > MOST_VALUES {
        true => Err(invalid(
            field,
            InputReason::TooMany {
                most: MOST_VALUES as i64,
            },
        )),
        false => Ok(()),
    }
}
