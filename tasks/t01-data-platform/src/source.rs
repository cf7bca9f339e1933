//! Where a request comes from (来源): the network address, for the limits on guessing.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;

/// What stands for an address that the server did not hand on, as in tests.
pub const SOURCE_UNKNOWN: &str = "unknown";

/// The network address of the caller, without the port.
///
/// Only the socket is believed: a forwarded address is whatever the caller writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Source, Infallible> {
        let socket = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let address = socket.map(|socket| socket.0.ip().to_string());
        Ok(Source(address.unwrap_or_else(|| SOURCE_UNKNOWN.to_owned())))
    }
}
