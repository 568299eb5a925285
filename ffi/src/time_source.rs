//! The time source: a C function that tells the time, for tests and for hosts with a clock of their own.

use std::{ffi::c_void, panic::resume_unwind, sync::Arc, time::SystemTime};

use ::keyplate::TimeSource;

use crate::{
    boundary::{borrow_mut, guard},
    events::{CallbackData, keyplate_data_free},
    keyplate_config, keyplate_error, keyplate_status, take,
};

/// Tells the time, in milliseconds since 1970. Called from any thread, often, and with locks held: it must not call the
/// library.
pub type keyplate_time_callback = Option<unsafe extern "C" fn(data: *mut c_void) -> i64>;

#[derive(Debug)]
struct CTimeSource {
    callback: unsafe extern "C" fn(*mut c_void) -> i64,
    data: CallbackData,
}

impl TimeSource for CTimeSource {
    fn now(&self) -> SystemTime {
        // SAFETY: the host's function with the host's data.
        let millis = unsafe { (self.callback)(self.data.data) };
        // A time that Rust cannot hold. Core makes an error of it: any other time would let what has expired go on working.
        take::time(millis, "now")
            .unwrap_or_else(|_| resume_unwind(Box::new("the time source failed")))
    }
}

/// Sets who tells the time: `callback` is called with `data`. NULL for the system's clock. `free_data`, if not NULL, is
/// called with `data` when it is needed no more, also when this function fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_config_set_time_source(
    config: *mut keyplate_config,
    callback: keyplate_time_callback,
    data: *mut c_void,
    free_data: keyplate_data_free,
    error: *mut *mut keyplate_error,
) -> keyplate_status {
    let data = CallbackData::new(data, free_data);
    // SAFETY: NULL or what docs/c-api.md says: a configuration of the caller's, a place for a pointer.
    unsafe {
        guard(error, || {
            let config = borrow_mut(config, "config")?;
            config.time_source =
                callback.map(|callback| Arc::new(CTimeSource { callback, data }) as _);
            Ok(())
        })
    }
}
