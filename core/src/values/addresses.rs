//! Addresses of clients, as proxies and frameworks write them.

use std::net::IpAddr;

/// Stands for the address of a client of whom none is known that is one. All of them are one source.
pub(crate) const UNKNOWN: &str = "unknown";

/// Reads the one IP address in what a proxy or a framework calls a client: `203.0.113.9:51234`, `"[2001:db8::1]:443"`,
/// `fe80::1%eth0`. Blanks, commas and one pair of quotes around it, brackets, a port (also an obfuscated one, RFC 7239) and
/// a zone are left out. An IPv4 address that is written as IPv6 (`::ffff:203.0.113.9`) is that IPv4 address.
///
/// `None` for everything else: a host name, `unknown`, an obfuscated identifier, several addresses.
#[must_use]
pub fn client_address(text: &str) -> Option<IpAddr> {
    let is_around = |c: char| c.is_whitespace() || c == ',';
    let text = text.trim_matches(is_around);
    let quoted = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    let text = quoted.map_or(text, |inner| inner.trim_matches(is_around));
    let (address, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']')?;
            let port = match after {
                "" => None,
                after => Some(after.strip_prefix(':')?),
            };
            (address, port)
        }
        // More than one colon is IPv6 without brackets, which has no port.
        None => match text.split_once(':') {
            Some((address, port)) if !port.contains(':') => (address, Some(port)),
            _ => (text, None),
        },
    };
    if !port.is_none_or(is_port) {
        return None;
    }
    let address = match address.split_once('%') {
        Some((address, zone)) => {
            let is_zoned = address.contains(':') && !zone.is_empty();
            is_zoned.then_some(address)?
        }
        None => address,
    };
    let address: IpAddr = address.parse().ok()?;
    Some(address.to_canonical())
}

/// RFC 7239, section 6.2.
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(hidden) => {
            let is_good = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
            !hidden.is_empty() && hidden.bytes().all(is_good)
        }
        None => text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (written, address) in [
            ("203.0.113.9", "203.0.113.9"),
            ("203.0.113.9:51234", "203.0.113.9"),
            ("203.0.113.9:0", "203.0.113.9"),
            (" 203.0.113.9\t", "203.0.113.9"),
            ("203.0.113.9,", "203.0.113.9"),
            (", 203.0.113.9 , ", "203.0.113.9"),
            ("\"203.0.113.9:80\"", "203.0.113.9"),
            ("\"203.0.113.9,\",", "203.0.113.9"),
            ("192.0.2.43:_gazonk", "192.0.2.43"),
            ("[192.0.2.43]:80", "192.0.2.43"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("\"[2001:db8::1]:_p-1.x\"", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%25eth0]:443", "fe80::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("[::ffff:203.0.113.9]:51234", "203.0.113.9"),
            ("::ffff:cb00:7109", "203.0.113.9"),
            ("::ffff:203.0.113.9%eth0", "203.0.113.9"),
            ("::1", "::1"),
        ] {
            let read = client_address(written).map(|address| address.to_string());
            assert_eq!(read.as_deref(), Some(address), "{written}");
        }
        for none in [
            "",
            " ",
            ",",
            "\"\"",
            "unknown",
            "_hidden",
            "somewhere",
            "localhost",
            "id.example:443",
            "203.0.113",
            "203.0.113.256",
            "010.0.0.1",
            "0x7f000001",
            "3405803785",
            "203.0.113.9:",
            "203.0.113.9:65536",
            "203.0.113.9:+80",
            "203.0.113.9:_",
            "203.0.113.9:_a b",
            "203.0.113.9:80:80",
            "203.0.113.9%eth0",
            "203.0.113.9/24",
            "203.0.113.9, 198.51.100.1",
            "203.0.113.9 198.51.100.1",
            "\"203.0.113.9",
            "[2001:db8::1",
            "2001:db8::1]",
            "[2001:db8::1]443",
            "[[2001:db8::1]]",
            "[]",
            "[]:443",
            "2001:db8::1::",
            "fe80::1%",
            "for=203.0.113.9",
            "http://203.0.113.9",
        ] {
            assert_eq!(client_address(none), None, "{none}");
        }
    }
}
