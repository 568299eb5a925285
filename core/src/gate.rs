//! What every call passes: the handle, who calls and what they may, the transaction with its audit row, limits, events.

pub(crate) mod caller;
pub(crate) mod change;
pub(crate) mod events;
pub(crate) mod handle;
pub(crate) mod limits;
pub(crate) mod list;
pub(crate) mod methods;
#[cfg(debug_assertions)]
pub(crate) mod panic_hook;
pub(crate) mod refusals;
pub(crate) mod relying_party;
pub(crate) mod seen;
pub(crate) mod time;
