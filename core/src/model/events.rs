//! The host's event sink.

use crate::model::audit::AuditEvent;

/// Receives what was committed. The host puts one into `Config`.
///
/// It is called after the commit, on the thread of the call that made the change and with no lock held, and it may
/// call the library. Whatever it throws is caught and ignored, since the change is already committed.
#[cfg_attr(feature = "uniffi", uniffi::export(with_foreign))]
pub trait EventSink: Send + Sync {
    /// Receives one event, just as `list_audit_events` shows it.
    fn on_event(&self, event: AuditEvent);
}
