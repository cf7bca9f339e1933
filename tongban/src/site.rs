//! The site's socket (站点监听): how many connections in all and from one address, bounded in time, a clean end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::Request;
use hyper::body::Incoming;
use tb_node::connection::{self, Crowd, Speaks};
use tb_web::Origins;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

/// Connections at once; the next ones wait in the system's queue.
const CONNECTIONS_MAX: usize = 2_048;
/// Connections at once of one address, which may be an office behind one line; a browser opens six.
const CONNECTIONS_EACH_MAX: usize = 128;
/// The pause after the system refused a connection, for want of file descriptors most likely.
const REFUSED_PAUSE: Duration = Duration::from_millis(50);
/// What a caller is told who has too many connections.
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 22\r\n\r\ntoo many connections\r\n";

/// Serves until told to stop; then finishes the requests in work.
///
/// HTTP/1.1 only: that is what browsers and proxies speak where TLS ends before us, and what is not spoken is not attacked.
pub async fn serve(socket: TcpListener, site: Router, origins: Origins, mut stop: watch::Receiver<bool>) {
    let (places, crowd) = (Arc::new(Semaphore::new(CONNECTIONS_MAX)), Crowd::new(CONNECTIONS_EACH_MAX));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&socket, &places) => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        while connections.try_join_next().is_some() {}
        let Some((place, stream, from)) = accepted else {
            tokio::time::sleep(REFUSED_PAUSE).await;
            continue;
        };
        // A proxy or a hall brings many people by one address; it has the places of all.
        let own = match origins.is_many(from.ip()) {
            true => None,
            false => match crowd.enter(&tb_web::network_of(from.ip())) {
                Some(own) => Some(own),
                None => {
                    let _ = stream.try_write(TOO_MANY);
                    continue;
                }
            },
        };
        let (site, stop) = (site.clone(), stop.clone());
        connections.spawn(async move {
            connect(stream, from, site, stop).await;
            drop((place, own));
        });
    }
    drop(socket);
    while connections.join_next().await.is_some() {}
}

async fn accept(
    socket: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let place = places.clone().acquire_owned().await.ok()?;
    let (stream, from) = socket.accept().await.ok()?;
    Some((place, stream, from))
}

async fn connect(stream: TcpStream, from: SocketAddr, site: Router, mut stop: watch::Receiver<bool>) {
    // An answer goes out at once; a socket that is gone already shows itself when it is read.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(from));
        answer(site.clone(), request)
    });
    let stopped = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    if let Err(error) = connection::serve(stream, Speaks::Http1, service, stopped).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// HTTP/1.1 wants one host, and only one (RFC 9112 §3.2): with two, a proxy and the site may see different ones.
async fn answer(site: Router, request: Request<Incoming>) -> Result<Response, Infallible> {
    if request.headers().get_all(header::HOST).iter().count() != 1 {
        return Ok((StatusCode::BAD_REQUEST, [(header::CONNECTION, "close")]).into_response());
    }
    site.oneshot(request).await
}
