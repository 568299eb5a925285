use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;
use keyplate::client_address;

/// What the peers that come through Unix sockets are called.
const UNIX: &str = "unix";

/// A network in CIDR notation, a single address, or whoever comes through a Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    Addresses(IpNet),
    UnixSockets,
}

impl Network {
    /// Is this address in it?
    pub(crate) fn contains(&self, other: IpAddr) -> bool {
        match self {
            Self::Addresses(network) => network.contains(&other.to_canonical()),
            Self::UnixSockets => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    /// Addresses are read as those of clients are, brackets and zones included, but have no port. A network of IPv4
    /// addresses that are written as IPv6 is one of those IPv4 addresses.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "is not an address or a network such as 10.0.0.0/8, nor unix".to_owned();
        if text.trim() == UNIX {
            return Ok(Self::UnixSockets);
        }
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text.trim(), None),
        };
        let has_port = match address.split_once(']') {
            Some((_, after)) => !after.is_empty(),
            None => address.matches(':').count() == 1,
        };
        // Not by the crate: its own reader takes 010.0.0.0 for 10.0.0.0, others for 8.0.0.0.
        let read = client_address(address).filter(|_| !has_port);
        let read = read.ok_or_else(wrong)?;
        let Some(prefix) = prefix else {
            return Ok(Self::Addresses(read.into()));
        };
        let prefix: u8 = prefix.parse().map_err(|_| wrong())?;
        let is_mapped = read.is_ipv4() && address.contains(':');
        let prefix = match is_mapped {
            true => prefix.checked_sub(96).ok_or_else(wrong)?,
            false => prefix,
        };
        IpNet::new(read, prefix)
            .map(Self::Addresses)
            .map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let contains = |network: &str, address: &str| {
            network
                .parse::<Network>()
                .unwrap()
                .contains(address.parse().unwrap())
        };
        assert!(contains("10.0.0.0/8", "10.255.0.1") && !contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("127.0.0.1", "127.0.0.1") && contains("127.0.0.1", "::ffff:127.0.0.1"));
        assert!(contains("0.0.0.0/0", "203.0.113.9") && !contains("0.0.0.0/0", "2001:db8::1"));
        assert!(contains("10.1.2.3/8", "10.255.0.1") && contains("::/0", "2001:db8::1"));
        assert!(contains("2001:db8::/32", "2001:db8::7") && !contains("::1", "::2"));
        // However an address may be written.
        assert!(contains("[::1]", "::1") && contains("[2001:db8::]/32", "2001:db8::7"));
        assert!(contains("fe80::1%eth0", "fe80::1") && contains("fe80::%eth0/10", "fe80::7"));
        assert!(contains("::ffff:10.0.0.0/104", "10.255.0.1"));
        assert!(!contains("::ffff:10.0.0.0/104", "11.0.0.1"));
        assert!(contains("::ffff:10.0.0.1", "::ffff:10.0.0.1"));
        assert_eq!("unix".parse(), Ok(Network::UnixSockets));
        assert!(!contains("unix", "127.0.0.1"));
        for wrong in [
            "",
            "unix:",
            "unix/8",
            "10.0.0.0/33",
            "10.0.0/8",
            "::/129",
            "10.0.0.0/-1",
            "10.0.0.0/",
            "010.0.0.0/8",
            "10.0.0.1:80",
            "[::1]:80",
            "::ffff:10.0.0.0/8",
            "localhost",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
