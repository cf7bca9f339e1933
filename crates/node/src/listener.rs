//! A listener whose connections are TLS and whose address is the city that called.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rustls::ServerConfig;
use tb_base::NodeId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::connection::{Crowd, Place};
use crate::tls::{self, Door};

/// Handshakes that take longer are dropped.
const HANDSHAKE_SECONDS_MAX: u64 = 5;
/// Handshakes at once; whoever comes beyond them is turned away and comes again.
const HANDSHAKES_MAX: usize = 256;
/// Handshakes at once from one address: those of a city that begins, or of a few behind one address.
const HANDSHAKES_EACH_MAX: usize = 32;
/// Handshakes at once from addresses from which a city came before: strangers at many addresses do not take these.
const HANDSHAKES_KEPT_MAX: usize = 64;
/// Such addresses that are remembered.
const ADDRESSES_MAX: usize = 256;
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
    let porch = Arc::new(Porch::new());
    loop {
        let Ok((stream, from)) = tcp.accept().await else {
            // Too many open files, most likely: give other connections time to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Some(place) = porch.enter(from.ip()) else {
            tracing::debug!(%from, "a connection was turned away: too many handshakes");
            continue;
        };
        let (acceptor, door, sender, porch) =
            (acceptor.clone(), door.clone(), sender.clone(), Arc::clone(&porch));
        tokio::spawn(async move {
            let shaken = handshake(stream, &acceptor, door).await;
            drop(place);
            match shaken {
                Ok(accepted) => {
                    porch.knows(from.ip());
                    drop(sender.send(accepted).await);
                }
                Err(error) => tracing::info!(%from, %error, "a connection was refused"),
            }
        });
    }
}

/// Who stands before the door (握手名额): nobody has shown anything yet, so an address is all there is to go by.
struct Porch {
    each: Crowd<IpAddr>,
    strangers: Arc<Semaphore>,
    kept: Arc<Semaphore>,
    known: Mutex<HashSet<IpAddr>>,
}

impl Porch {
    fn new() -> Porch {
        Porch {
            each: Crowd::new(HANDSHAKES_EACH_MAX),
            strangers: Arc::new(Semaphore::new(HANDSHAKES_MAX)),
            kept: Arc::new(Semaphore::new(HANDSHAKES_KEPT_MAX)),
            known: Mutex::default(),
        }
    }

    /// A place for one handshake, if its address has not its share and there is one.
    fn enter(&self, from: IpAddr) -> Option<(Place<IpAddr>, OwnedSemaphorePermit)> {
        let from = holder_of(from);
        let own = self.each.enter(&from)?;
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(&from);
        let kept = if known { self.kept.clone().try_acquire_owned().ok() } else { None };
        let place = kept.or_else(|| self.strangers.clone().try_acquire_owned().ok())?;
        Some((own, place))
    }

    /// A city came from there.
    fn knows(&self, from: IpAddr) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < ADDRESSES_MAX {
            known.insert(holder_of(from));
        }
    }
}

/// Whoever has one address of IPv6 has its whole network of 64 bits.
fn holder_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
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

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{HANDSHAKES_EACH_MAX, HANDSHAKES_KEPT_MAX, HANDSHAKES_MAX, Porch};

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_share_and_a_known_one_a_place_of_its_own() {
        let porch = Porch::new();
        porch.knows(address("::ffff:192.0.2.1"));
        let mut crowd = Vec::new();
        for number in 0..=u16::MAX {
            // Thousands of addresses of one network of IPv6, and then of many.
            let from = address(&format!("2001:db8::{number:x}"));
            match porch.enter(from) {
                Some(place) => crowd.push(place),
                None => break,
            }
        }
        assert_eq!(crowd.len(), HANDSHAKES_EACH_MAX);
        for network in 1..=HANDSHAKES_MAX {
            crowd.extend(porch.enter(address(&format!("2001:db8:{network:x}::1"))));
        }
        assert_eq!(crowd.len(), HANDSHAKES_MAX);
        assert!(porch.enter(address("192.0.2.2")).is_none(), "there is no place for a stranger");
        let known: Vec<_> =
            (0..HANDSHAKES_KEPT_MAX).map_while(|_| porch.enter(address("192.0.2.1"))).collect();
        assert_eq!(known.len(), HANDSHAKES_EACH_MAX);
        drop(crowd);
        assert!(porch.enter(address("192.0.2.2")).is_some());
    }
}
