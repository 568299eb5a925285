//! How long a connection may keep its server waiting.
//!
//! The head of a request must be complete soon after it began, and the first one soon after the connection did. Between two
//! requests a connection may be idle for much longer: a proxy keeps it for the next one, and if it is closed just when that
//! comes, the proxy's client gets a 502. So the times are apart, and an idle connection is closed only when it has been idle
//! for the whole of its time and nothing has come since.
//!
//! A state changes only while its connection is polled, and the time is looked at after that, in the same task.

use std::{
    io,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, sleep_until},
};

/// What a connection is waited for, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    /// A head that has begun, or the first one.
    ForHead(Instant),
    /// The next request.
    Idle(Instant),
    /// Nothing: a request is being answered, which has times of its own.
    Busy,
}

/// The patience with one connection.
#[derive(Debug)]
pub(super) struct Patience {
    head: Duration,
    idle: Duration,
    waiting: Mutex<Waiting>,
}

/// A request that is being answered, until this is dropped.
#[derive(Debug)]
pub(super) struct Answering(Arc<Patience>);

impl Patience {
    /// With a connection that begins now.
    pub(super) fn new(head: Duration, idle: Duration) -> Arc<Self> {
        Arc::new(Self {
            head,
            idle,
            waiting: Mutex::new(Waiting::ForHead(Instant::now() + head)),
        })
    }

    pub(super) fn answering(self: &Arc<Self>) -> Answering {
        *self.lock() = Waiting::Busy;
        Answering(Arc::clone(self))
    }

    /// Runs a connection until it ends or is out of time.
    pub(super) async fn limit(&self, connection: impl Future) {
        let mut connection = pin!(connection);
        let mut alarm = pin!(sleep_until(Instant::now()));
        std::future::poll_fn(|cx| {
            // First: what has come meanwhile counts.
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            let until = match *self.lock() {
                Waiting::Busy => return Poll::Pending,
                Waiting::ForHead(until) | Waiting::Idle(until) => until,
            };
            if alarm.deadline() != until {
                alarm.as_mut().reset(until);
            }
            alarm.as_mut().poll(cx)
        })
        .await;
    }

    fn came(&self) {
        let mut waiting = self.lock();
        if matches!(*waiting, Waiting::Idle(_)) {
            *waiting = Waiting::ForHead(Instant::now() + self.head);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        *self.0.lock() = Waiting::Idle(Instant::now() + self.0.idle);
    }
}

/// A stream that tells when something has come.
#[derive(Debug)]
pub(super) struct Listened<S> {
    stream: S,
    patience: Arc<Patience>,
}

impl<S> Listened<S> {
    pub(super) fn new(stream: S, patience: &Arc<Patience>) -> Self {
        let patience = Arc::clone(patience);
        Self { stream, patience }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Listened<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.patience.came();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Listened<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
