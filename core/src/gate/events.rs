use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::model::{audit::AuditEvent, events::EventSink};

pub(crate) fn deliver(sink: &dyn EventSink, events: Vec<AuditEvent>) {
    for event in events {
        // A foreign exception arrives as a panic.
        let _ = catch_unwind(AssertUnwindSafe(|| sink.on_event(event)));
    }
}
