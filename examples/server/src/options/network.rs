use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;

/// A network in CIDR notation, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network(IpNet);

impl Network {
    /// Is this address in it?
    pub(crate) fn contains(&self, other: IpAddr) -> bool {
        self.0.contains(&other.to_canonical())
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "not an address or a network such as 10.0.0.0/8".to_owned();
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text.trim(), None),
        };
        // By std: the crate's own reader takes 010.0.0.0 for 10.0.0.0, others for 8.0.0.0.
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let Some(prefix) = prefix else {
            return Ok(Self(address.into()));
        };
        let prefix = prefix.parse().map_err(|_| wrong())?;
        IpNet::new(address, prefix).map(Self).map_err(|_| wrong())
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
        for wrong in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "::/129",
            "10.0.0.0/-1",
            "10.0.0.0/",
            "010.0.0.0/8",
            "localhost",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
