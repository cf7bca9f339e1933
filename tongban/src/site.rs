//! The site's socket (站点监听): how many connections, how long a request may take to say what it wants, a clean end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::Service as _;

/// Connections at once; the next ones wait in the system's queue.
const CONNECTIONS_MAX: usize = 2_048;
/// A request whose head is not there in this time is given up.
const HEAD_SECONDS_MAX: u64 = 10;
/// The pause after the system refused a connection, for want of file descriptors most likely.
const REFUSED_PAUSE: Duration = Duration::from_millis(50);

/// Serves until told to stop; then finishes the requests in work.
pub async fn serve(socket: TcpListener, site: Router, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&socket, &places) => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Some((place, stream, from)) = accepted else {
            tokio::time::sleep(REFUSED_PAUSE).await;
            continue;
        };
        connect(&graceful, site.clone(), place, stream, from);
    }
    drop(socket);
    graceful.shutdown().await;
}

async fn accept(
    socket: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let place = places.clone().acquire_owned().await.ok()?;
    let (stream, from) = socket.accept().await.ok()?;
    Some((place, stream, from))
}

fn connect(
    graceful: &GracefulShutdown,
    site: Router,
    place: OwnedSemaphorePermit,
    stream: TcpStream,
    from: SocketAddr,
) {
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(from));
        site.clone().call(request)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(HEAD_SECONDS_MAX));
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%from, %error, "a connection ended early");
        }
        drop(place);
    });
}
