//! The event sink: a C function that hears what happens.

use std::{ffi::c_void, fmt, sync::Arc};

use ::keyplate::{AuditEvent, EventSink};

use crate::{
    boundary::{borrow_mut, guard, lent},
    keyplate_audit_event, keyplate_config, keyplate_error, keyplate_status,
};

/// Hears one event, which is borrowed for the call. Called after the change is stored, with no lock held and in the
/// thread that made the change; it may call the library.
pub type keyplate_event_callback =
    Option<unsafe extern "C" fn(event: *const keyplate_audit_event, data: *mut c_void)>;

/// Lets go of a callback's data, when the last handle that might call is gone.
pub type keyplate_data_free = Option<unsafe extern "C" fn(data: *mut c_void)>;

/// The data of a callback, let go with it.
pub(crate) struct CallbackData {
    pub(crate) data: *mut c_void,
    free: keyplate_data_free,
}

// SAFETY: docs/c-api.md: the host's callbacks and their data may be used from any thread.
unsafe impl Send for CallbackData {}
// SAFETY: the same.
unsafe impl Sync for CallbackData {}

impl CallbackData {
    pub(crate) fn new(data: *mut c_void, free: keyplate_data_free) -> Self {
        Self { data, free }
    }
}

impl Drop for CallbackData {
    fn drop(&mut self) {
        if let Some(free) = self.free {
            // SAFETY: the host's own function for the host's own data, called once.
            unsafe { free(self.data) }
        }
    }
}

impl fmt::Debug for CallbackData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackData").finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct CSink {
    callback: unsafe extern "C" fn(*const keyplate_audit_event, *mut c_void),
    data: CallbackData,
}

impl EventSink for CSink {
    fn on_event(&self, event: AuditEvent) {
        // SAFETY: the host's function, with the host's data and an event that lives until it returns.
        unsafe { (self.callback)(lent(Some(&event)), self.data.data) }
    }
}

/// Sets who hears what happens: `callback` is called with each event and `data`. NULL for nobody. `free_data`, if not
/// NULL, is called with `data` when it is needed no more, also when this function fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_config_set_events(
    config: *mut keyplate_config,
    callback: keyplate_event_callback,
    data: *mut c_void,
    free_data: keyplate_data_free,
    error: *mut *mut keyplate_error,
) -> keyplate_status {
    let data = CallbackData::new(data, free_data);
    // SAFETY: NULL or what docs/c-api.md says: a configuration of the caller's, a place for a pointer.
    unsafe {
        guard(error, || {
            let config = borrow_mut(config, "config")?;
            config.events = callback.map(|callback| Arc::new(CSink { callback, data }) as _);
            Ok(())
        })
    }
}
