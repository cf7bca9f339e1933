//! Where a request comes from (来源): the address of the socket, or what a trusted proxy says of it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tb_base::Refusal;

/// Entries of `X-Forwarded-For` that are looked at, from the right; nobody stands behind more proxies.
const HOPS_MAX: usize = 8;
/// A household or an office has a network of this length in IPv6; single addresses in it cost nothing.
const IPV6_PREFIX: u8 = 64;

/// A range of addresses (网段), such as `10.1.0.0/16`; a single address is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether an address lies in it.
    pub fn holds(self, address: IpAddr) -> bool {
        let address = plain(address);
        self.address.is_ipv4() == address.is_ipv4() && cut(address, self.prefix) == self.address
    }
}

impl FromStr for Network {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Network, Refusal> {
        let wrong = || {
            Refusal::invalid(
                "WEB-NET-001",
                format!("“{text}”不是网段，应如 10.1.0.0/16"),
                format!("“{text}” is no network; write one such as 10.1.0.0/16"),
            )
        };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address = address.parse::<IpAddr>().map_err(|_| wrong())?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(whole);
        if whole < prefix || cut(address, prefix) != address {
            return Err(wrong());
        }
        Ok(Network { address, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Network, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|refusal: Refusal| serde::de::Error::custom(&refusal.en))
    }
}

/// What a city knows of the addresses that speak to it (来源设置).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// Proxies whose `X-Forwarded-For` is believed; from anybody else it is what the caller likes to write.
    pub trusted_proxies: Vec<Network>,
    /// Halls and offices where many people share an address: their requests are counted by account only, and ten times
    /// as many wrong passwords and codes may come from there.
    pub shared: Vec<Network>,
}

impl Origins {
    /// Whether many people may stand behind an address.
    pub fn is_many(&self, address: IpAddr) -> bool {
        self.is_trusted(address) || self.shared.iter().any(|network| network.holds(address))
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.holds(address))
    }

    /// Who calls: the first address from the right that is no trusted proxy.
    pub(crate) fn caller(&self, extensions: &Extensions, headers: &HeaderMap) -> Caller {
        let socket = extensions.get::<ConnectInfo<SocketAddr>>();
        let Some(socket) = socket.map(|socket| plain(socket.0.ip())) else { return Caller::NOBODY };
        let mut known = socket;
        for hop in forwarded(headers) {
            if !self.is_trusted(known) {
                break;
            }
            // What the proxy that we believe wrote is no address: we know no more than the proxy itself.
            let Some(hop) = hop else { break };
            known = hop;
        }
        Caller { address: Some(known), is_shared: self.is_many(known) }
    }
}

/// The entries of `X-Forwarded-For` from the right, which is where the nearest proxy writes.
fn forwarded(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(',').map(hop)).take(HOPS_MAX)
}

/// An address, with or without a port.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse::<IpAddr>().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(plain)
}

/// The caller of a request, as the outermost layer found it; none where no socket handed it on, as in tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    address: Option<IpAddr>,
    is_shared: bool,
}

impl Caller {
    /// A caller without an address.
    pub(crate) const NOBODY: Caller = Caller { address: None, is_shared: false };

    /// The address, of IPv6 its network: what limits count by.
    pub fn network(self) -> Option<IpAddr> {
        self.address.map(network_of)
    }

    /// Whether many people stand behind the address.
    pub fn is_shared(self) -> bool {
        self.is_shared
    }
}

/// What stands for an address in limits: an address of IPv4, a network of 64 bits of IPv6.
pub fn network_of(address: IpAddr) -> IpAddr {
    match plain(address) {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => cut(IpAddr::V6(address), IPV6_PREFIX),
    }
}

/// An IPv4 address that arrived on an IPv6 socket is the same caller.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The address with all bits behind the prefix set to nought.
fn cut(address: IpAddr, prefix: u8) -> IpAddr {
    let kept = u32::from(prefix);
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(kept)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(kept)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use axum::http::HeaderValue;

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| text.parse().expect("a network")).collect()
    }

    #[track_caller]
    fn check(socket: &str, forwarded: &[&'static str], expected: &str) {
        let origins = Origins {
            trusted_proxies: networks(&["10.0.0.0/8", "::1"]),
            shared: networks(&["172.16.0.0/12"]),
        };
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(socket.parse().expect("an address"), 1)));
        let network = origins.caller(&extensions, &headers).network().map(|it| it.to_string());
        assert_eq!(network.as_deref(), Some(expected), "{socket} {forwarded:?}");
    }

    #[test]
    fn a_forwarded_address_is_believed_from_trusted_proxies_only() {
        check("203.0.113.9", &["198.51.100.1"], "203.0.113.9");
        check("10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        // The caller wrote the left one; our proxy wrote the right one.
        check("10.0.0.1", &["6.6.6.6, 198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["6.6.6.6", "198.51.100.1, 10.0.0.7"], "198.51.100.1");
        check("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1");
        check("10.0.0.1", &["6.6.6.6, unknown"], "10.0.0.1");
        check("10.0.0.1", &[], "10.0.0.1");
        check("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("::1", &["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::");
        check("2001:db8:1:2:ffff::1", &[], "2001:db8:1:2::");
    }

    #[test]
    fn networks_hold_what_they_say() {
        let network: Network = "172.16.0.0/12".parse().expect("a network");
        assert!(network.holds("172.31.255.255".parse().expect("an address")));
        assert!(network.holds("::ffff:172.16.0.1".parse().expect("an address")));
        assert!(!network.holds("172.32.0.0".parse().expect("an address")));
        assert_eq!(network.to_string(), "172.16.0.0/12");
        let all: Network = "0.0.0.0/0".parse().expect("a network");
        assert!(all.holds("8.8.8.8".parse().expect("an address")));
        assert!(!all.holds("2001:db8::1".parse().expect("an address")));
        for wrong in ["10.0.0.1/8", "10.0.0.0/33", "ten/8", "", "10.0.0.0/", "::1/129"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
