//! Where a request comes from (来源): the network address, for the limits on guessing.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tb_web::Caller;

/// What stands for an address that the server did not hand on, as in tests.
pub const SOURCE_UNKNOWN: &str = "unknown";

/// The network address of the caller, without the port.
///
/// The site's outermost layer found it: of the socket, or what a proxy that the city trusts says.
/// Of an IPv6 address it is the network, because single addresses in it cost nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Source, Infallible> {
        let caller = parts.extensions.get::<Caller>();
        let address = caller.and_then(|caller| caller.network()).map(|network| network.to_string());
        Ok(Source(address.unwrap_or_else(|| SOURCE_UNKNOWN.to_owned())))
    }
}
