//! A listener whose connections are TLS and whose address is the city that called.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rustls::ServerConfig;
use tb_base::NodeId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::tls::{self, Door};

/// Handshakes that take longer are dropped.
const HANDSHAKE_SECONDS_MAX: u64 = 5;
/// Handshakes at once; whoever comes beyond them is turned away and comes again.
const HANDSHAKES_MAX: usize = 256;
/// Connections that wait for a place.
const ACCEPTED_MAX: usize = 256;

/// The city at the other end of a connection, as its certificate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerCity(pub NodeId);

type Accepted = (Guarded, PeerCity);

/// A connection that lasts as long as its certificate is good: a city that left is cut off in the midst of one.
pub struct Guarded {
    stream: TlsStream<TcpStream>,
    door: Door,
    city: NodeId,
    shown: String,
}

impl Guarded {
    /// The protocol that both sides agreed on.
    pub fn speaks(&self) -> Option<&[u8]> {
        self.stream.get_ref().1.alpn_protocol()
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.door.is_open(self.city, &self.shown) {
            let ended = format!("the certificate of {} is not good any more", self.city);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, ended)));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Accepts TLS connections of the region's cities; a slow handshake delays nobody else.
pub struct TlsListener {
    accepted: mpsc::Receiver<Accepted>,
    address: SocketAddr,
    accepting: tokio::task::JoinHandle<()>,
}

impl TlsListener {
    /// Begins to accept on a bound socket.
    pub fn new(tcp: TcpListener, config: Arc<ServerConfig>, door: Door) -> io::Result<TlsListener> {
        let address = tcp.local_addr()?;
        let (sender, accepted) = mpsc::channel(ACCEPTED_MAX);
        let accepting = tokio::spawn(accept(tcp, TlsAcceptor::from(config), door, sender));
        Ok(TlsListener { accepted, address, accepting })
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(tcp: TcpListener, acceptor: TlsAcceptor, door: Door, sender: mpsc::Sender<Accepted>) {
    let places = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    loop {
        let Ok((stream, from)) = tcp.accept().await else {
            // Too many open files, most likely: give other connections time to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::warn!(%from, "a connection was turned away: too many handshakes");
            continue;
        };
        let (acceptor, door, sender) = (acceptor.clone(), door.clone(), sender.clone());
        tokio::spawn(async move {
            let shaken = handshake(stream, &acceptor, door).await;
            drop(place);
            match shaken {
                Ok(accepted) => drop(sender.send(accepted).await),
                Err(error) => tracing::info!(%from, %error, "a connection was refused"),
            }
        });
    }
}

async fn handshake(stream: TcpStream, acceptor: &TlsAcceptor, door: Door) -> io::Result<Accepted> {
    stream.set_nodelay(true)?;
    let within = Duration::from_secs(HANDSHAKE_SECONDS_MAX);
    let stream = tokio::time::timeout(within, acceptor.accept(stream)).await??;
    let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let shown = certificates.first().map(|shown| shown.to_vec()).unwrap_or_default();
    let city = door.city_of(&shown).ok_or_else(|| io::Error::other("no city has this certificate"))?;
    let guarded = Guarded { stream, door, city, shown: tls::fingerprint(&shown) };
    Ok((guarded, PeerCity(city)))
}

impl Listener for TlsListener {
    type Io = Guarded;
    type Addr = PeerCity;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.accepted.recv().await {
            Some(accepted) => accepted,
            // The accepting task ended with the runtime: nothing will ever come.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Err(io::Error::other(format!("listening on {}", self.address)))
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for PeerCity {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> PeerCity {
        *stream.remote_addr()
    }
}
