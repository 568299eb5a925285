//! The audit log (A1): what a list shows, how refusals are counted, how long rows are kept.

mod feed;
mod keeping;
mod listing;
mod readers;
mod refusals;

use keyplate::{AuditEvent, AuditQuery, ClientInfo, Keyplate};

use crate::common::*;

pub(crate) fn all(keyplate: &Keyplate) -> Vec<AuditEvent> {
    let query = AuditQuery {
        limit: Some(1_000),
        ..AuditQuery::default()
    };
    keyplate.list_audit_events(query).unwrap().items
}

/// A stranger from this address.
pub(crate) fn from(f: &Fixture, address: &str) -> Keyplate {
    f.keyplate
        .anonymous(ClientInfo {
            address: Some(address.to_owned()),
            ..ClientInfo::default()
        })
        .unwrap()
}
