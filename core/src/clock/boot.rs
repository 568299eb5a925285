//! The clock of this boot: it counts from the start of the machine, goes on while the machine is suspended, and nobody
//! sets it (C5). Rust's `Instant` does not count suspend on Linux.

use std::{
    borrow::Cow,
    hash::{BuildHasher, Hasher, RandomState},
    sync::{Arc, OnceLock},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

/// It counts suspend: `CLOCK_BOOTTIME` on Linux, and Apple's `CLOCK_MONOTONIC`. On other systems the monotonic clock may
/// leave suspend out; there a clock that is behind ends credentials later by as long as the machine slept.
#[cfg(any(target_os = "linux", target_os = "android"))]
const BOOT_CLOCK: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const BOOT_CLOCK: ClockId = ClockId::Monotonic;

/// Plays the machine's boot-time clock. For the library's own tests.
pub trait BootClock: Send + Sync {
    /// Names the boot: another one after each start of the machine.
    fn boot_id(&self) -> String;

    /// How long the machine has been running, suspended or not.
    fn since_boot(&self) -> Duration;
}

/// The machine's boot-time clock, or one that a test plays.
#[derive(Clone, Default)]
pub(super) struct Boot(pub(super) Option<Arc<dyn BootClock>>);

/// A reading of it. Times of two boots cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BootTime {
    pub(crate) id: Cow<'static, str>,
    pub(crate) millis: i64,
}

impl Boot {
    pub(super) fn now(&self) -> BootTime {
        match &self.0 {
            None => {
                let now = clock_gettime(BOOT_CLOCK);
                BootTime {
                    id: Cow::Borrowed(id_of_machine()),
                    millis: now.tv_sec * 1_000 + now.tv_nsec / 1_000_000,
                }
            }
            Some(played) => BootTime {
                id: Cow::Owned(played.boot_id()),
                millis: i64::try_from(played.since_boot().as_millis()).unwrap_or(i64::MAX),
            },
        }
    }
}

/// Read once: a process does not outlive its boot. A forked child has its parent's, which is right; a process or machine
/// that is brought back from a checkpoint goes on with the name and the clock that it had.
fn id_of_machine() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| from_kernel().unwrap_or_else(of_process))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn from_kernel() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let id = id.trim();
    let offsets = std::fs::read_to_string("/proc/self/timens_offsets").unwrap_or_default();
    (!id.is_empty()).then(|| format!("{id}{}", offset(&offsets)))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn from_kernel() -> Option<String> {
    None
}

/// In a time namespace the boot-time clock is another's, shifted (`time_namespaces(7)`): a boot of its own.
#[cfg(any(target_os = "linux", target_os = "android", test))]
fn offset(offsets: &str) -> String {
    let line = offsets.lines().map(|line| line.split_whitespace());
    let of_boot = line.filter_map(|mut words| (words.next() == Some("boottime")).then_some(words));
    let offset: Vec<&str> = of_boot.flatten().collect();
    if offset.iter().all(|part| *part == "0") {
        String::new()
    } else {
        format!(" shifted by {}", offset.join(" "))
    }
}

/// Where the system does not name its boot, each process counts as one: time goes on in it, and what passed between the
/// end of one process and the start of the next is known by the clock alone.
fn of_process() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("process {:016x}{:016x}", random(), random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_clock_goes_on_and_keeps_its_name() {
        let before = Boot::default().now();
        std::thread::sleep(Duration::from_millis(5));
        let after = Boot::default().now();
        assert_eq!(before.id, after.id);
        assert!(after.millis - before.millis >= 4, "{before:?} {after:?}");
        if cfg!(target_os = "linux") {
            let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
            let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
            let apart = uptime - after.millis as f64 / 1_000.0;
            // `/proc/uptime` counts suspend as well, in hundredths.
            assert!((-0.05..5.0).contains(&apart), "{apart}");
        }
    }

    #[test]
    fn a_time_namespace_is_a_boot_of_its_own() {
        let of_host = "monotonic           0         0\nboottime            0         0\n";
        assert_eq!((offset(of_host).as_str(), offset("").as_str()), ("", ""));
        let of_container = "monotonic           7         0\nboottime       604800         0\n";
        assert_eq!(offset(of_container), " shifted by 604800 0");
        let back = "boottime -5 500000000\n";
        assert_eq!(offset(back), " shifted by -5 500000000");
    }

    #[test]
    fn without_a_name_each_process_has_one_of_its_own() {
        assert_ne!(of_process(), of_process());
    }
}
