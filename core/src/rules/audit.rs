//! Looking at the audit log.

use crate::{
    db,
    error::Result,
    gate::{handle::Keyplate, list, methods::Method},
    model::audit::{AuditPage, AuditQuery},
};

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Lists what happened, the newest first.
    ///
    /// # Errors
    /// `PermissionDenied`, `InvalidInput`, the storage errors.
    pub fn list_audit_events(&self, query: AuditQuery) -> Result<AuditPage> {
        let page = list::page_request(query.page, query.limit)?;
        self.read(Method::ListAuditEvents, |_, _| Ok(()))?;
        self.write_refusals();
        self.read(Method::ListAuditEvents, |reader, caller| {
            let query = AuditQuery {
                user_id: list::visible_owner(caller, query.user_id)?,
                ..query
            };
            let total = db::audit::count(reader, &query)?;
            let page = page.within(total);
            Ok(AuditPage {
                items: db::audit::list(reader, &query, page, total)?,
                total,
                page: page.page,
            })
        })
    }
}
