//! Places for connections: how many there are, how many one client may have, and who goes when they are all taken.
//!
//! A connection is idle before the head of a request is complete, and between requests. When a place is wanted the one
//! that has been idle for longest gives up its own: of the client itself if it has its share, else of all. Where nobody is
//! idle a newcomer gets a place of the reserve, where only the health check is answered; the oldest there goes first.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::oneshot;

use crate::{http::client::Peer, options::network::Network};

/// How many connections there may be; each may bring a body of a megabyte.
const MOST: usize = 256;
/// How many of one client, which is an address or, of IPv6, a network that one customer has.
const MOST_OF_ONE: usize = 64;
/// How many more, for health checks.
const RESERVE: usize = 32;

/// All places of a server.
#[derive(Debug)]
pub(super) struct Places {
    /// They speak for many clients: only the number of all places bounds theirs.
    proxies: Vec<Network>,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    last: u64,
    connections: HashMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    client: Client,
    is_reserve: bool,
    /// How many requests are being answered: one, or none.
    busy: usize,
    /// Since when it is idle, if it is not busy.
    since: Instant,
    /// Dropped when the place is given to somebody else.
    _hold: oneshot::Sender<()>,
}

/// Who is counted as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    /// An address or, of IPv6, a network that one customer has.
    Network(IpAddr),
    UnixSockets,
}

/// A connection's place, which is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    pub(super) is_reserve: bool,
}

/// A request on its way: its connection is not idle until this is dropped.
#[derive(Debug)]
pub(super) struct Busy(Arc<Place>);

/// Ends when the place has been given to somebody else.
pub(super) type Evicted = oneshot::Receiver<()>;

impl Places {
    pub(super) fn new(proxies: &[Network]) -> Arc<Self> {
        Arc::new(Self {
            proxies: proxies.to_vec(),
            taken: Mutex::default(),
        })
    }

    /// A place for a client, as the kernel shows it.
    pub(super) fn take(self: &Arc<Self>, peer: Peer) -> (Place, Evicted) {
        let is_proxy = peer.is_proxy(&self.proxies);
        let client = Client::of(peer);
        let mut taken = self.lock();
        let own_share = is_proxy || taken.make_room(MOST_OF_ONE, |c| c.client == client);
        let is_reserve = !(own_share && taken.make_room(MOST, |_| true));
        if is_reserve {
            taken.make_reserve();
        }
        taken.last += 1;
        let number = taken.last;
        let (hold, evicted) = oneshot::channel();
        let connection = Connection {
            client,
            is_reserve,
            busy: 0,
            since: Instant::now(),
            _hold: hold,
        };
        taken.connections.insert(number, connection);
        let place = Place {
            places: Arc::clone(self),
            number,
            is_reserve,
        };
        (place, evicted)
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Is there a place among so many of these, perhaps because the one that was idle for longest has gone?
    fn make_room(&mut self, most: usize, of: impl Fn(&Connection) -> bool) -> bool {
        let these = || {
            let connections = self.connections.iter();
            connections.filter(|(_, c)| !c.is_reserve && of(c))
        };
        if these().count() < most {
            return true;
        }
        let idle = these().filter(|(_, c)| c.busy == 0);
        let oldest = idle.min_by_key(|(_, c)| c.since).map(|(number, _)| *number);
        oldest.is_some_and(|number| self.connections.remove(&number).is_some())
    }

    fn make_reserve(&mut self) {
        let reserve = || self.connections.iter().filter(|(_, c)| c.is_reserve);
        if reserve().count() < RESERVE {
            return;
        }
        // Numbers grow: the least came first.
        let oldest = reserve().map(|(number, _)| *number).min();
        oldest.map(|number| self.connections.remove(&number));
    }
}

impl Client {
    fn of(peer: Peer) -> Self {
        match peer {
            Peer::Address(address) => Self::Network(match address.to_canonical() {
                IpAddr::V6(address) => {
                    let [a, b, c, d, ..] = address.segments();
                    IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
                }
                address => address,
            }),
            Peer::UnixSocket => Self::UnixSockets,
        }
    }
}

impl Place {
    /// A request begins.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        if let Some(connection) = self.places.lock().connections.get_mut(&self.number) {
            connection.busy += 1;
        }
        Busy(Arc::clone(self))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut taken = self.0.places.lock();
        if let Some(connection) = taken.connections.get_mut(&self.0.number) {
            connection.busy -= 1;
            connection.since = Instant::now();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().connections.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Taker = (Arc<Place>, Evicted);

    fn take(places: &Arc<Places>, address: &str) -> Taker {
        let peer = match address {
            "unix" => Peer::UnixSocket,
            address => Peer::Address(address.parse().unwrap()),
        };
        let (place, evicted) = places.take(peer);
        (Arc::new(place), evicted)
    }

    fn is_evicted(taker: &mut Taker) -> bool {
        taker.1.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn a_client_that_has_its_share_gives_up_what_is_idle_for_longest() {
        let places = Places::new(&[]);
        let mut all: Vec<Taker> = (0..64).map(|_| take(&places, "192.0.2.1")).collect();
        let request = all[0].0.busy();
        let mut more = take(&places, "192.0.2.1");
        assert!(!more.0.is_reserve && is_evicted(&mut all[1]));
        assert!(!is_evicted(&mut all[0]), "it answers a request");
        drop(request);
        let again = take(&places, "192.0.2.1");
        assert!(!again.0.is_reserve && is_evicted(&mut all[2]));
        assert!(!is_evicted(&mut more));
        // All of them busy: nobody is cut off, and only the health check is left.
        let kept: Vec<&Taker> = all[3..].iter().chain([&all[0], &more, &again]).collect();
        assert_eq!(kept.len(), 64);
        let requests: Vec<Busy> = kept.iter().map(|taker| taker.0.busy()).collect();
        assert!(take(&places, "192.0.2.1").0.is_reserve);
        assert!(!take(&places, "192.0.2.2").0.is_reserve);
        drop(requests);
        assert!(!take(&places, "192.0.2.1").0.is_reserve);
    }

    #[test]
    fn an_ipv6_network_is_one_client_and_a_trusted_proxy_has_no_share() {
        let places = Places::new(&["2001:db8:5::/48".parse().unwrap()]);
        let mut taken: Vec<Taker> = (0..65)
            .map(|n| take(&places, &format!("2001:db8::{n:x}")))
            .collect();
        assert!(is_evicted(&mut taken[0]) && !is_evicted(&mut taken[1]));
        let mut proxied: Vec<Taker> = (0..100)
            .map(|n| take(&places, &format!("2001:db8:5::{n:x}")))
            .collect();
        assert!(proxied.iter_mut().all(|taker| !is_evicted(taker)));
    }

    #[test]
    fn a_unix_socket_is_one_client_unless_a_proxy_comes_through_it() {
        for (proxies, evicted) in [(&[][..], true), (&[Network::UnixSockets][..], false)] {
            let places = Places::new(proxies);
            let mut taken: Vec<Taker> = (0..65).map(|_| take(&places, "unix")).collect();
            assert_eq!(is_evicted(&mut taken[0]), evicted);
            assert!(!is_evicted(&mut taken[1]));
        }
    }

    #[test]
    fn when_all_places_are_taken_the_one_that_is_idle_for_longest_goes() {
        let places = Places::new(&[]);
        let mut all: Vec<Taker> = (0..256)
            .map(|n| take(&places, &format!("10.0.{}.1", n / 8)))
            .collect();
        let requests: Vec<Busy> = all[1..].iter().map(|taker| taker.0.busy()).collect();
        assert!(!take(&places, "192.0.2.1").0.is_reserve);
        assert!(is_evicted(&mut all[0]));
        let last = take(&places, "192.0.2.1");
        let request = last.0.busy();
        let mut reserve: Vec<Taker> = (0..32).map(|_| take(&places, "192.0.2.9")).collect();
        assert!(reserve.iter().all(|taker| taker.0.is_reserve));
        let newest = take(&places, "192.0.2.8");
        assert!(newest.0.is_reserve && is_evicted(&mut reserve[0]));
        assert!(!is_evicted(&mut reserve[1]));
        drop(requests);
        assert!(!take(&places, "192.0.2.7").0.is_reserve);
        drop((request, all, reserve, newest, last));
        assert!(places.lock().connections.is_empty());
    }
}
