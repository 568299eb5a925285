//! Lines on standard error. No query string, no header and no body ever gets here.
//!
//! A server's lines are written by a thread of their own: whoever reads the log may be slow, or may have stopped reading,
//! and requests wait for neither. What does not fit into the queue is counted, and the count is the next line.

use std::{
    fmt::Arguments,
    io::{self, Write},
    os::fd::AsFd,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

/// How many lines may wait for whoever reads them.
const WAITING: usize = 1_024;
/// How long the last lines may take when the server ends.
const LAST_LINES: Duration = Duration::from_secs(1);

static QUEUE: OnceLock<SyncSender<Entry>> = OnceLock::new();
static LOST: AtomicU64 = AtomicU64::new(0);

enum Entry {
    Line(String),
    /// Everything before it has been written when this is answered.
    End(SyncSender<()>),
}

/// The longest part of a path that is written as it is: no secret is that short, no name of ours that long.
const LONGEST_PLAIN: usize = 36;
/// The longest path that is written in full.
const LONGEST_PATH: usize = 200;

/// Writes one line: at once, or by the thread if there is one.
pub(crate) fn line(text: Arguments<'_>) {
    let Some(queue) = QUEUE.get() else {
        // A log that nobody reads any more stops nothing.
        let _ = writeln!(io::stderr().lock(), "{text}");
        return;
    };
    if queue.try_send(Entry::Line(text.to_string())).is_err() {
        LOST.fetch_add(1, Ordering::Relaxed);
    }
}

/// From now on a thread writes the lines.
pub(crate) fn start_thread() -> io::Result<()> {
    // Not through `io::stderr`: its lock would be held while nobody reads, and a panic would wait for it.
    let out = std::fs::File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let (queue, entries) = sync_channel(WAITING);
    thread::Builder::new()
        .name("log".to_owned())
        .spawn(move || write_all(&entries, out))?;
    // There is one server a process.
    let _ = QUEUE.set(queue);
    Ok(())
}

fn write_all(entries: &Receiver<Entry>, mut out: impl Write) {
    for entry in entries {
        let lost = LOST.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let _ = writeln!(
                out,
                "warning: {lost} lines were not written: the log is read too slowly"
            );
        }
        match entry {
            Entry::Line(mut line) => {
                line.push('\n');
                let _ = out.write_all(line.as_bytes());
            }
            Entry::End(written) => {
                let _ = written.send(());
            }
        }
    }
}

/// Waits until everything has been written, but no longer than a moment.
pub(crate) fn finish() {
    let Some(queue) = QUEUE.get() else {
        return;
    };
    let deadline = Instant::now() + LAST_LINES;
    let (written, end) = sync_channel(1);
    let mut entry = Entry::End(written);
    loop {
        match queue.try_send(entry) {
            Ok(()) => break,
            Err(TrySendError::Full(back)) if Instant::now() < deadline => entry = back,
            Err(_) => return,
        }
        thread::sleep(Duration::from_millis(5));
    }
    let _ = end.recv_timeout(deadline.saturating_duration_since(Instant::now()));
}

/// A path as it may be logged: what stands where old links carry a secret, and whatever is long enough to be
/// one, is left out.
pub(crate) fn path(path: &str) -> String {
    let mut before = "";
    let parts = path.split('/').map(|part| {
        let follows_secret_route = matches!(before, "st" | "lc" | "one-time-access-token");
        before = part;
        let secret = follows_secret_route && part != "setup" || part.len() > LONGEST_PLAIN;
        if secret {
            "…".to_owned()
        } else {
            part.escape_debug().to_string()
        }
    });
    let mut text = parts.collect::<Vec<_>>().join("/");
    if let Some((end, _)) = text.char_indices().nth(LONGEST_PATH) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_counted_in_the_next_line() {
        let (queue, entries) = sync_channel(3);
        let (written, end) = sync_channel(1);
        queue.send(Entry::Line("one".to_owned())).unwrap();
        queue.send(Entry::Line("two".to_owned())).unwrap();
        queue.send(Entry::End(written)).unwrap();
        drop(queue);
        LOST.store(7, Ordering::Relaxed);
        let mut out = Vec::new();
        write_all(&entries, &mut out);
        end.recv().unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "warning: 7 lines were not written: the log is read too slowly\none\ntwo\n"
        );
    }

    #[test]
    fn a_path_shows_no_secret() {
        let id = "0190a1b2-0000-7000-8000-00000000abcd";
        for plain in [
            "/",
            "/healthz",
            &format!("/api/users/{id}"),
            "/api/one-time-access-token/setup",
        ] {
            assert_eq!(path(plain), plain);
        }
        let token = format!("kp_inv_{}", "x".repeat(49));
        for (with, without) in [
            (format!("/st/{token}"), "/st/…"),
            (format!("/anything/{token}/more"), "/anything/…/more"),
            (
                "/api/one-time-access-token/ABCD-EFGH".to_owned(),
                "/api/one-time-access-token/…",
            ),
        ] {
            assert_eq!(path(&with), without);
        }
        assert_eq!(path(&"/a".repeat(30_000)).chars().count(), LONGEST_PATH + 1);
        assert_eq!(path("/a\u{1b}[2J"), "/a\\u{1b}[2J");
    }
}
