//! Connections: accepted, timed, and ended in good order.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_io_timeout::TimeoutWriter;

use crate::{
    http::{app::App, client::Peer, peer::Connection},
    log,
    routes::router,
};

/// How long a client may take to send a request's head, and may keep an idle connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take no byte of an answer: hyper times what comes in, not what goes out.
const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
/// How long requests that are under way have after a signal.
const GRACE: Duration = Duration::from_secs(10);
/// How many connections there may be; each may bring a body of a megabyte.
const MAX_CONNECTIONS: usize = 256;

/// Serves until SIGTERM or SIGINT; then lets what is under way end.
pub(super) async fn serve(listener: std::net::TcpListener, app: App) -> io::Result<()> {
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
    let known = (
        Extension(Peer(peer.ip())),
        Extension(Connection::of(&stream)),
    );
    let service = TowerToHyperService::new(routes.clone().layer(known));
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(WRITE_TIMEOUT));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(64 * 1_024)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
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
