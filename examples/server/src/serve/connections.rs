//! Connections: accepted, timed, and ended in good order.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use keyplate::Keyplate;
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};

use crate::{
    http::{
        client::{Network, Peer},
        error::Failure,
        origin::Origins,
    },
    log,
    options::Options,
    routes::router,
    serve::stall::Unstalled,
};

/// How long a client may take to send a request's head, and may keep an idle connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests that are under way have after a signal.
const GRACE: Duration = Duration::from_secs(10);
/// How many connections there may be; each may bring a body of a megabyte.
const MAX_CONNECTIONS: usize = 256;

/// What every route needs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

struct Shared {
    keyplate: Keyplate,
    origins: Origins,
    trusted_proxies: Vec<Network>,
    open_setup: bool,
    listener: IpAddr,
}

impl App {
    pub(crate) fn new(
        keyplate: Keyplate,
        origins: Origins,
        options: &Options,
        listener: SocketAddr,
    ) -> Self {
        Self(Arc::new(Shared {
            keyplate,
            origins,
            trusted_proxies: options.trusted_proxies.clone(),
            open_setup: options.open_setup,
            listener: listener.ip().to_canonical(),
        }))
    }

    /// The host's handle, which may do everything: for authenticating, and for what no caller is asked about.
    pub(crate) fn keyplate(&self) -> &Keyplate {
        &self.0.keyplate
    }

    pub(crate) fn origins(&self) -> &Origins {
        &self.0.origins
    }

    pub(crate) fn trusted_proxies(&self) -> &[Network] {
        &self.0.trusted_proxies
    }

    pub(crate) fn open_setup(&self) -> bool {
        self.0.open_setup
    }

    pub(crate) fn listens_on_loopback(&self) -> bool {
        self.0.listener.is_loopback()
    }

    /// Runs a call of the library, all of which may wait for the disk, away from the threads that serve.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        f: impl FnOnce() -> keyplate::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        match tokio::task::spawn_blocking(f).await {
            Ok(result) => result.map_err(Failure::from),
            Err(error) => Err(Failure::internal(error)),
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

/// Serves until SIGTERM or SIGINT; then lets what is under way end.
pub(crate) async fn serve(listener: std::net::TcpListener, app: App) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let routes = router::routes(app);
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop_signal()?);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections) => accepted,
            () = &mut stop => break,
        };
        if let Some((stream, peer, permit)) = accepted {
            connect(stream, peer, permit, &routes, &graceful);
        }
    }
    drop(listener);
    if timeout(GRACE, graceful.shutdown()).await.is_err() {
        log::line(format_args!("warning: stopped with requests under way"));
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            // Out of file descriptors, or the client has gone: neither is mended by trying at once.
            log::line(format_args!("warning: cannot accept a connection: {error}"));
            sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

fn connect(
    stream: TcpStream,
    peer: SocketAddr,
    permit: OwnedSemaphorePermit,
    routes: &Router,
    graceful: &GracefulShutdown,
) {
    // Answers are small; one that waits for the client's acknowledgement is only late.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(routes.clone().layer(Extension(Peer(peer.ip()))));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(64 * 1_024)
        .serve_connection(TokioIo::new(Unstalled::new(stream)), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // A client that goes away, or is too slow, is its own affair.
        let _ = connection.await;
        drop(permit);
    });
}

fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
