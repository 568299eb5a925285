//! Connections: accepted, timed, and ended in good order.

use std::{sync::Arc, time::Duration};

use axum::{Extension, Router};
use http_body_util::BodyExt;
use hyper::{
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown, service::TowerToHyperService};
use tokio::{
    io::{AsyncRead, AsyncWrite},
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
    options::Options,
    routes::router,
    serve::{
        listeners::{self, Accepted, Listener},
        patience::{Listened, Patience},
        places::Places,
        service_manager,
        signals::Signals,
    },
};

/// How long a client may take to send a request's head: from the beginning of the connection the first one, from its first
/// byte every other.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The same for a connection that may only ask for the health check.
const RESERVE_HEAD_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a client may take no byte of an answer: hyper times what comes in, not what goes out.
const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
/// How long requests that are under way have after a signal.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until SIGTERM or SIGINT; then lets what is under way end.
pub(super) async fn serve(
    listeners: Vec<Listener>,
    app: App,
    options: &Options,
    signals: &mut Signals,
) {
    let server = Server {
        routes: router::routes(app),
        places: Places::new(&options.trusted_proxies),
        keep_alive: options.keep_alive,
        graceful: GracefulShutdown::new(),
    };
    let mut turn = 0;
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listeners, &mut turn) => accepted,
            () = signals.stop() => break,
        };
        if let Some(accepted) = accepted {
            server.connect(accepted);
        }
    }
    let _ = service_manager::tell(service_manager::STOPPING);
    drop(listeners);
    if timeout(GRACE, server.graceful.shutdown()).await.is_err() {
        log::line(format_args!("warning: stopped with requests under way"));
    }
}

async fn accept(listeners: &[Listener], turn: &mut usize) -> Option<Accepted> {
    match listeners::accept(listeners, turn).await {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            // Out of file descriptors, or the client has gone: neither is mended by trying at once.
            log::line(format_args!("warning: cannot accept a connection: {error}"));
            sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

/// What every connection needs.
struct Server {
    routes: Router,
    places: Arc<Places>,
    keep_alive: Duration,
    graceful: GracefulShutdown,
}

impl Server {
    fn connect(&self, accepted: Accepted) {
        match accepted {
            Accepted::Tcp(stream, peer) => {
                // Answers are small; one that waits for the client's acknowledgement is only late.
                let _ = stream.set_nodelay(true);
                let connection = Connection::of(&stream);
                self.run(stream, Peer::Address(peer.ip()), connection);
            }
            Accepted::Unix(stream) => {
                let connection = Connection::of_unix(&stream);
                self.run(stream, Peer::UnixSocket, connection);
            }
        }
    }

    fn run(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        peer: Peer,
        connection: Connection,
    ) {
        let (place, evicted) = self.places.take(peer);
        let routes = self.routes.clone();
        let (routes, head_timeout) = match place.is_reserve {
            false => (routes, HEAD_TIMEOUT),
            true => (routes.layer(Extension(Reserve)), RESERVE_HEAD_TIMEOUT),
        };
        let known = (Extension(peer), Extension(connection));
        let routes = TowerToHyperService::new(routes.layer(known));
        let patience = Patience::new(head_timeout, self.keep_alive);
        let place = Arc::new(place);
        let patient = Arc::clone(&patience);
        let service = service_fn(move |request| {
            let busy = (place.busy(), patient.answering());
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
        let stream = Listened::new(Box::pin(stream), &patience);
        let connection = http1::Builder::new()
            .max_buf_size(64 * 1_024)
            .serve_connection(TokioIo::new(stream), service);
        let connection = self.graceful.watch(connection);
        tokio::spawn(async move {
            tokio::select! {
                // A client that goes away, or is too slow, is its own affair.
                () = patience.limit(connection) => {}
                _ = evicted => {}
            }
        });
    }
}
