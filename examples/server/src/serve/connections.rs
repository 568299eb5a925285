//! Connections: accepted, timed, and ended in good order.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Extension, Router};
use http_body_util::BodyExt;
use hyper::{
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
    time::{sleep, timeout},
};
use tokio_io_timeout::TimeoutWriter;

use crate::{
    http::{
        app::App,
        client::{Peer, Reserve},
        peer::Connection,
    },
    log,
    options::network::Network,
    routes::router,
    serve::places::{Evicted, Place, Places},
};

/// How long a client may take to send a request's head, and may keep an idle connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The same for a connection that may only ask for the health check.
const RESERVE_HEAD_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a client may take no byte of an answer: hyper times what comes in, not what goes out.
const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
/// How long requests that are under way have after a signal.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until SIGTERM or SIGINT; then lets what is under way end.
pub(super) async fn serve(
    listener: std::net::TcpListener,
    app: App,
    proxies: &[Network],
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let routes = router::routes(app);
    let places = Places::new(proxies);
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop_signal()?);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = &mut stop => break,
        };
        if let Some((stream, peer)) = accepted {
            connect(stream, peer, places.take(peer.ip()), &routes, &graceful);
        }
    }
    drop(listener);
    if timeout(GRACE, graceful.shutdown()).await.is_err() {
        log::line(format_args!("warning: stopped with requests under way"));
    }
    Ok(())
}

async fn accept(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok(accepted) => Some(accepted),
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
    (place, evicted): (Place, Evicted),
    routes: &Router,
    graceful: &GracefulShutdown,
) {
    // Answers are small; one that waits for the client's acknowledgement is only late.
    let _ = stream.set_nodelay(true);
    let (routes, head_timeout) = match place.is_reserve {
        false => (routes.clone(), HEAD_TIMEOUT),
        true => (
            routes.clone().layer(Extension(Reserve)),
            RESERVE_HEAD_TIMEOUT,
        ),
    };
    let known = (
        Extension(Peer(peer.ip())),
        Extension(Connection::of(&stream)),
    );
    let routes = TowerToHyperService::new(routes.layer(known));
    let place = Arc::new(place);
    let service = service_fn(move |request| {
        let busy = place.busy();
        let answer = routes.call(request);
        async move {
            // The connection is busy until the body has been handed on, or the client has gone.
            let answered = answer.await;
            answered.map(|answer| {
                answer.map(|body| {
                    body.map_frame(move |frame| {
                        let _busy = &busy;
                        frame
                    })
                })
            })
        }
    });
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(WRITE_TIMEOUT));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(64 * 1_024)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        tokio::select! {
            // A client that goes away, or is too slow, is its own affair.
            _ = connection => {}
            _ = evicted => {}
        }
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
