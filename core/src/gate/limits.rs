//! How often something may be tried (C3, S1), counted in the database, so that all processes count together.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::{Duration, SystemTime},
};

use crate::{
    db::{self, Reader, Writer},
    error::{KeyplateError, Result},
    model::{attempts::Attempt, config::ClientInfo},
    values::addresses::{UNKNOWN, client_address},
};

/// At most so many within a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) most: i64,
    pub(crate) within: Duration,
}

/// Rows older than the longest rate are of no use.
const KEPT: Duration = Duration::from_secs(3_600);

/// From where, as far as it is counted: an address, or an IPv6 network that one customer has. Whoever has no address that
/// can be read is one source with all who have none; nobody gets out of a limit by being badly told of.
pub(crate) fn source(client: &ClientInfo) -> Option<String> {
    let address = client.address.as_deref()?;
    let Some(address) = client_address(address) else {
        return Some(UNKNOWN.to_owned());
    };
    Some(match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    })
}

/// `RateLimited` when there were too many from this source, or from anywhere when none is given.
pub(crate) fn check(
    reader: &Reader<'_>,
    attempt: Attempt,
    source: Option<&str>,
    rate: Rate,
) -> Result<()> {
    match exceeded(reader, attempt, source, rate)? {
        None => Ok(()),
        Some(retry_after) => Err(KeyplateError::RateLimited { retry_after }),
    }
}

/// How long to wait when there were too many.
pub(crate) fn exceeded(
    reader: &Reader<'_>,
    attempt: Attempt,
    source: Option<&str>,
    rate: Rate,
) -> Result<Option<Duration>> {
    let since = reader.now() - rate.within;
    let oldest = db::attempts::nth_last(reader, attempt, source, since, rate.most)?;
    Ok(oldest.map(|oldest| wait(oldest, rate, reader.now())))
}

fn wait(oldest: SystemTime, rate: Rate, now: SystemTime) -> Duration {
    let free = (oldest + rate.within)
        .duration_since(now)
        .unwrap_or_default();
    free.max(Duration::from_secs(1))
}

/// Counts one.
pub(crate) fn note(writer: &Writer<'_>, attempt: Attempt, source: Option<&str>) -> Result<()> {
    db::attempts::forget_before(writer, writer.now() - KEPT)?;
    db::attempts::insert(writer, attempt, source.unwrap_or("-"), writer.now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_customer_is_one_source() {
        let source = |address: &str| {
            source(&ClientInfo {
                address: Some(address.to_owned()),
                ..ClientInfo::default()
            })
        };
        assert_eq!(
            source("2001:db8:1:2:3::4").as_deref(),
            Some("2001:db8:1:2::/64")
        );
        assert_eq!(source("2001:db8:1:2:ffff::"), source("2001:db8:1:2::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        for same in [
            "192.0.2.1:51234",
            "[::ffff:192.0.2.1]:443",
            "::ffff:c000:201,",
        ] {
            assert_eq!(source(same), source("192.0.2.1"), "{same}");
        }
        assert_eq!(source("[2001:db8:1:2::9]:443"), source("2001:db8:1:2::1"));
        assert_eq!(source("fe80::1%eth0"), source("fe80::2%wlan0"));
        assert_eq!(source("_hidden").as_deref(), Some("unknown"));
        assert_eq!(super::source(&ClientInfo::default()), None);
    }
}
