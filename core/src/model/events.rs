//! The host's event sink.

use crate::model::audit::AuditEvent;

/// Hears what was committed; given by the host in `Config`.
///
/// It is called on the thread of the call that did it, after the commit and with no lock held, and may call back.
/// What it throws is caught and forgotten: a change that is committed stays.
#[cfg_attr(feature = "uniffi", uniffi::export(with_foreign))]
pub trait EventSink: Send + Sync {
    /// Takes one event, the same as `list_audit_events` shows.
    fn on_event(&self, event: AuditEvent);
}
