//! Where a request comes from (来源): the network address, for the limits on guessing.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tb_identity::accounts::limits;
use tb_web::Caller;

/// What stands for an address that the server did not hand on, as in tests.
pub const SOURCE_UNKNOWN: &str = "unknown";

/// The network address of the caller, without the port.
///
/// The site's outermost layer found it: of the socket, or what a proxy that the city trusts says.
/// Of an IPv6 address it is the network, because single addresses in it cost nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(pub limits::Source);

impl<S: Send + Sync> FromRequestParts<S> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Source, Infallible> {
        let caller = parts.extensions.get::<Caller>();
        let network = caller.and_then(|caller| caller.network());
        let address = network.map_or_else(|| SOURCE_UNKNOWN.to_owned(), |network| network.to_string());
        let is_shared = caller.is_some_and(|caller| caller.is_shared());
        Ok(Source(if is_shared { limits::Source::shared(address) } else { limits::Source::own(address) }))
    }
}
