//! Where a visitor comes from, and who stands between them and the shop, whose word on that is therefore believed.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

/// The header in which each proxy adds the address of its client.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The trusted proxies of this shop; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

impl FromStr for Proxies {
    type Err = String;

    /// Addresses and networks such as `10.0.0.0/8`, separated by commas.
    fn from_str(text: &str) -> Result<Self, String> {
        let network = |one: &str| match one.parse::<IpAddr>() {
            Ok(address) => Ok(IpNet::from(address.to_canonical())),
            Err(_) => {
                one.parse().map_err(|_| format!("must be an address or a network such as 10.0.0.0/8, not {one:?}"))
            }
        };
        text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(network).collect::<Result<_, _>>().map(Self)
    }
}

impl Proxies {
    /// Whether a trusted proxy has this address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The visitor behind a connection: the last address that a trusted proxy reports and that is not a trusted proxy
    /// itself. Earlier entries of the header are written by the visitor and can be forged.
    pub fn visitor(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut visitor = peer;
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        for name in lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')) {
            if !self.contains(visitor) {
                break;
            }
            let Some(named) = address(name.trim()) else { break };
            visitor = named;
        }
        visitor
    }
}

/// An address, with or without a port behind it.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|it| it.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    text.parse().ok().or_else(with_port).or_else(in_brackets)
}

/// The part of an address that identifies one visitor: all of an IPv4 address, the first half of an IPv6 one.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_visitor_is_the_last_who_is_no_proxy_of_ours() {
        let proxies: Proxies = "10.0.0.0/8, 2001:db8::7 ,192.0.2.1".parse().unwrap();
        for (peer, lines, visitor) in [
            // No proxy in between: the header is ignored.
            ("203.0.113.5", &["198.51.100.1"][..], "203.0.113.5"),
            ("10.1.1.1", &[], "10.1.1.1"),
            ("10.1.1.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.1.1.1", &["198.51.100.1"], "198.51.100.1"),
            // Two of ours, and before them what the visitor made up.
            ("10.1.1.1", &["1.1.1.1, 198.51.100.1, 192.0.2.1"], "198.51.100.1"),
            ("10.1.1.1", &["1.1.1.1", "198.51.100.1", "192.0.2.1,10.9.9.9"], "198.51.100.1"),
            ("2001:db8::7", &["[2001:db8:1::1]:4711"], "2001:db8:1::1"),
            ("10.1.1.1", &["[2001:db8:1::1]"], "2001:db8:1::1"),
            ("10.1.1.1", &["198.51.100.1:80"], "198.51.100.1"),
            // What is no address ends it: the proxy that wrote it is all that is known.
            ("10.1.1.1", &["198.51.100.1, unknown"], "10.1.1.1"),
            ("10.1.1.1", &["198.51.100.1, unknown, 10.2.2.2"], "10.2.2.2"),
            ("10.1.1.1", &[""], "10.1.1.1"),
            ("10.1.1.1", &["\u{e4}"], "10.1.1.1"),
            ("10.1.1.1", &["10.1.1.2"], "10.1.1.2"),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(FORWARDED_FOR, http::HeaderValue::from_bytes(line.as_bytes()).unwrap());
            }
            assert_eq!(proxies.visitor(peer.parse().unwrap(), &headers).to_string(), visitor, "{peer} {lines:?}");
        }
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        assert_eq!("".parse(), Ok(Proxies::default()));
        for wrong in ["nginx", "10.0.0.0/33", "10.0.0", "1.2.3.4:80"] {
            assert!(wrong.parse::<Proxies>().unwrap_err().contains(wrong), "{wrong}");
        }
    }
}
