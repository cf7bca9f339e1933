//! Connections within limits (连接限制): how many from one caller, how long a head may take, how long an answer may stall.
//!
//! The exchange and the public site both serve by this file, so that a slow or greedy caller meets the same bounds at either door.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::hash::Hash;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// A request whose head is not there in this time is given up; a connection that waits idly for its next request, too.
pub const HEAD_SECONDS_MAX: u64 = 10;
/// Fields of a head; browsers send about twenty, a signed message about fifteen.
pub const FIELDS_MAX: usize = 64;
/// A head in bytes; the longest that our own pages cause is below 4 KiB.
pub const HEAD_BYTES_MAX: usize = 32 * 1024;
/// An answer of which the caller takes nothing for so long is dropped.
pub const STALL_SECONDS_MAX: u64 = 30;
/// A connection takes no new request after this time: whoever drips along does not hold a place for ever.
pub const LIFE_SECONDS_MAX: u64 = 15 * 60;
/// What is in work when a connection is to end is finished within this time.
const LAST_SECONDS_MAX: u64 = 5 * 60;
/// Requests at once on one connection of HTTP/2; a peer's worker has one query and one message at a time.
pub(crate) const STREAMS_MAX: u32 = 64;
/// Streams that a caller opened and reset before they were looked at (CVE-2023-44487); one more ends the connection.
const RESETS_PENDING_MAX: usize = 20;
/// Streams that we reset for errors of the caller's; one more ends the connection.
const RESETS_LOCAL_MAX: usize = 64;
/// An idle HTTP/2 connection is asked whether it is alive this often, and dropped when it does not say so.
const ALIVE_SECONDS: u64 = 30;
const ALIVE_ANSWER_SECONDS_MAX: u64 = 10;

/// Which version of HTTP a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// HTTP/1.1, as browsers and proxies do.
    Http1,
    /// HTTP/2, as agreed by TLS.
    Http2,
}

/// Serves one connection until it ends, lives too long or is told to stop; requests in work are finished.
pub async fn serve<I, S>(
    io: I,
    speaks: Speaks,
    service: S,
    stop: impl Future<Output = ()>,
) -> hyper::Result<()>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Send + 'static,
    S::Future: Send + 'static,
{
    let io = TokioIo::new(Moving::new(io, Duration::from_secs(STALL_SECONDS_MAX)));
    match speaks {
        Speaks::Http1 => {
            let connection = http1().serve_connection(io, service);
            finish(connection, http1::Connection::graceful_shutdown, stop).await
        }
        Speaks::Http2 => {
            let connection = http2().serve_connection(io, service);
            finish(connection, http2::Connection::graceful_shutdown, stop).await
        }
    }
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEAD_SECONDS_MAX))
        .max_headers(FIELDS_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    builder
}

fn http2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(RESETS_PENDING_MAX)
        .max_local_error_reset_streams(RESETS_LOCAL_MAX)
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .keep_alive_interval(Duration::from_secs(ALIVE_SECONDS))
        .keep_alive_timeout(Duration::from_secs(ALIVE_ANSWER_SECONDS_MAX));
    builder
}

async fn finish<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    last_one: impl FnOnce(Pin<&mut C>),
    stop: impl Future<Output = ()>,
) -> hyper::Result<()> {
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended,
        () = stop => {}
        () = tokio::time::sleep(Duration::from_secs(LIFE_SECONDS_MAX)) => {}
    }
    last_one(connection.as_mut());
    let within = Duration::from_secs(LAST_SECONDS_MAX);
    tokio::time::timeout(within, connection).await.unwrap_or(Ok(()))
}

/// A stream that fails when nothing that was written moves on.
struct Moving<I> {
    inner: I,
    stall_max: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<I> Moving<I> {
    fn new(inner: I, stall_max: Duration) -> Moving<I> {
        Moving { inner, stall_max, stalled: None }
    }

    /// Waits on, up to the time; what moved sets the time anew.
    fn judge<T>(&mut self, cx: &mut Context<'_>, moved: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if moved.is_ready() {
            self.stalled = None;
            return moved;
        }
        let stall_max = self.stall_max;
        ready!(self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(stall_max))).as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the caller takes nothing of its answer")))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Moving<I> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_read(cx, buf)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Moving<I> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let moved = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.judge(cx, moved)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let moved = Pin::new(&mut this.inner).poll_write_vectored(cx, bytes);
        this.judge(cx, moved)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let moved = Pin::new(&mut this.inner).poll_flush(cx);
        this.judge(cx, moved)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let moved = Pin::new(&mut this.inner).poll_shutdown(cx);
        this.judge(cx, moved)
    }
}

/// How many connections each caller has (连接计数); a caller without any takes no memory.
pub struct Crowd<K> {
    each_max: usize,
    counted: Arc<Mutex<HashMap<K, usize>>>,
}

/// A place of one caller; given back when dropped.
pub struct Place<K: Eq + Hash> {
    caller: K,
    counted: Arc<Mutex<HashMap<K, usize>>>,
}

impl<K: Eq + Hash + Clone> Crowd<K> {
    /// A crowd of which each has at most so many places.
    pub fn new(each_max: usize) -> Crowd<K> {
        Crowd { each_max, counted: Arc::default() }
    }

    /// A place for this caller; none when it has as many as it may.
    pub fn enter(&self, caller: &K) -> Option<Place<K>> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let places = counted.entry(caller.clone()).or_insert(0);
        if self.each_max <= *places {
            return None;
        }
        *places += 1;
        Some(Place { caller: caller.clone(), counted: Arc::clone(&self.counted) })
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = counted.get_mut(&self.caller) {
            *places -= 1;
            if *places == 0 {
                counted.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use tokio::io::AsyncWriteExt;

    #[test]
    fn places_are_counted_for_each_and_given_back() {
        let crowd = Crowd::new(2);
        let first = crowd.enter(&1);
        let second = crowd.enter(&1);
        assert!(first.is_some() && second.is_some());
        assert!(crowd.enter(&1).is_none());
        assert!(crowd.enter(&2).is_some());
        drop(first);
        assert!(crowd.enter(&1).is_some());
        drop(second);
        assert!(crowd.counted.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_answer_that_nobody_takes_is_dropped() {
        let (ours, theirs) = tokio::io::duplex(16);
        let mut moving = Moving::new(ours, Duration::from_millis(20));
        moving.write_all(b"fits").await.unwrap();
        let error = moving.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(theirs);
    }
}
