//! The origins at which people reach the server, as requests are compared with them.

use url::{Host, Origin, Url};

use crate::options::Options;

/// All of them, as they were configured.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    /// `--origin` first, then further ones of the RP id, then those of other domains.
    all: Vec<Origin>,
    texts: Vec<String>,
    /// Of all of them.
    scheme: &'static str,
    have_related: bool,
    rp_id: Option<Origin>,
}

impl Origins {
    /// Reads them. Whether they are well-formed, and of the RP id, is asked of the library.
    pub(crate) fn of(options: &Options) -> Result<Self, String> {
        let scheme = own_scheme(options)?;
        let mut texts = vec![options.origin().to_owned()];
        let extra = options.extra_origins.iter().map(|o| ("extra-origin", o));
        let related = options.related_origins.iter();
        for (name, text) in extra.chain(related.map(|o| ("related-origin", o))) {
            let called = options.called(name);
            let other = scheme_of(text)
                .ok_or_else(|| format!("{called} must begin with https:// or http://"))?;
            // One name of the cookie is meant for all: `__Host-` works on https only.
            if other != scheme {
                return Err(format!("{called} must have the scheme of --origin: {text}"));
            }
            texts.push(text.clone());
        }
        // One that cannot be read is like no other; the library is going to say so.
        let all = texts.iter().map(|text| read(text));
        let all: Vec<Origin> = all
            .map(|origin| origin.unwrap_or_else(Origin::new_opaque))
            .collect();
        let rp_id = match (&options.rp_id, &all[0]) {
            (Some(id), _) => Some(id.clone()),
            (None, Origin::Tuple(_, host, _)) => Some(host.to_string()),
            (None, Origin::Opaque(_)) => None,
        };
        Ok(Self {
            rp_id: rp_id.and_then(|id| read(&format!("https://{id}"))),
            all,
            texts,
            scheme,
            have_related: !options.related_origins.is_empty(),
        })
    }

    /// What `--origin` says.
    pub(crate) fn own(&self) -> &str {
        self.texts.first().map_or("", String::as_str)
    }

    /// The port of `--origin`, also where nobody writes it.
    pub(super) fn own_port(&self) -> u16 {
        match self.all.first() {
            Some(Origin::Tuple(_, _, port)) => *port,
            _ => 0,
        }
    }

    /// What was configured, in this order.
    pub(crate) fn texts(&self) -> &[String] {
        &self.texts
    }

    pub(crate) fn have_related(&self) -> bool {
        self.have_related
    }

    /// Of all of them.
    pub(crate) fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// Are people here by TLS?
    pub(super) fn are_secure(&self) -> bool {
        self.scheme == "https"
    }

    /// Does this `Host` name one of them?
    pub(super) fn have_authority(&self, host: &str) -> bool {
        self.contain(&format!("{}://{host}", self.scheme))
    }

    /// Is this `Host` the RP id, where browsers look for the related origins?
    pub(super) fn have_rp_id(&self, host: &str) -> bool {
        let host = read(&format!("https://{host}"));
        host.is_some() && host == self.rp_id
    }

    /// Is this `Origin` header one of them?
    pub(super) fn contain(&self, header: &str) -> bool {
        read(header).is_some_and(|origin| self.all.contains(&origin))
    }

    /// Does only this machine reach the server under these names?
    pub(crate) fn are_local(&self) -> bool {
        self.all.iter().all(is_local)
    }
}

/// What `--origin` begins with.
pub(crate) fn own_scheme(options: &Options) -> Result<&'static str, String> {
    scheme_of(options.origin()).ok_or_else(|| {
        let called = options.called("origin");
        format!("{called} must begin with https:// or http://, for example https://id.example")
    })
}

fn scheme_of(text: &str) -> Option<&'static str> {
    let (scheme, _) = text.split_once("://")?;
    ["https", "http"].into_iter().find(|known| *known == scheme)
}

/// Reads a scheme, a host and perhaps a port. What else a URL may have is in no `Host` and no `Origin`.
fn read(text: &str) -> Option<Origin> {
    scheme_of(text)?;
    let (_, authority) = text.split_once("://")?;
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    if !authority.bytes().all(is_bare) {
        return None;
    }
    Url::parse(text).ok().map(|url| url.origin())
}

fn is_local(origin: &Origin) -> bool {
    match origin {
        Origin::Tuple(_, Host::Domain(name), _) => name == "localhost",
        Origin::Tuple(_, Host::Ipv4(address), _) => address.is_loopback(),
        Origin::Tuple(_, Host::Ipv6(address), _) => address.is_loopback(),
        Origin::Opaque(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(own: &str, extra: &[&str], related: &[&str]) -> Result<Origins, String> {
        let mut options = Options::of(own);
        options.extra_origins = extra.iter().map(|&o| o.to_owned()).collect();
        options.related_origins = related.iter().map(|&o| o.to_owned()).collect();
        Origins::of(&options)
    }

    #[test]
    fn compares_hosts_and_origins() {
        let origins = origins("https://id.example", &[], &[]).unwrap();
        assert!(origins.have_authority("ID.example") && origins.have_authority("id.example:443"));
        assert!(!origins.have_authority("id.example:80"));
        assert!(!origins.have_authority("x.id.example"));
        assert!(origins.contain("https://id.example:443") && origins.contain("https://id.example"));
        for other in [
            "http://id.example",
            "null",
            "",
            "https://id.example.evil",
            "ftp://id.example",
            "https://id.example/",
            "https://id.example?",
            "https://id.example#",
            "https://me@id.example",
            "https://id%2eexample",
            "https://id.exam\tple",
            " https://id.example",
            "https:id.example",
            "https:\\\\id.example",
            "HTTPS://id.example",
            "https://id.example.",
            "https://id.example:444",
        ] {
            assert!(!origins.contain(other), "{other}");
        }
        for other in [
            "",
            "id.example/",
            "id.example\\",
            "id.example?",
            "me@id.example",
            "id%2eexample",
            "id.example:444",
            "id.example:x",
            "id.example, id.example",
        ] {
            assert!(!origins.have_authority(other), "{other}");
        }
    }

    fn own_port(own: &str) -> u16 {
        origins(own, &[], &[]).unwrap().own_port()
    }

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        assert_eq!(own_port("http://localhost:1411"), 1411);
        assert_eq!(own_port("http://media.lan"), 80);
        let six = origins("https://[2001:DB8::0001]:8443", &[], &[]).unwrap();
        assert!(six.have_authority("[2001:db8::1]:8443"));
        assert!(six.contain("https://[2001:db8::1]:8443"));
        assert!(!six.have_authority("[2001:db8::1]") && !six.have_authority("2001:db8::1:8443"));
    }

    #[test]
    fn what_cannot_be_read_is_no_origin_of_ours() {
        for text in ["https://", "https://id.example/x", "https://a b"] {
            let origins = origins(text, &[], &[]).unwrap();
            assert!(!origins.contain(text) && !origins.are_local());
            assert!(!origins.have_authority("") && !origins.have_rp_id(""));
        }
    }

    #[test]
    fn there_may_be_several() {
        let (extra, related) = (["https://tv.id.example:8443"], ["https://other.example"]);
        let several = origins("https://id.example", &extra, &related).unwrap();
        for host in ["id.example", "tv.id.example:8443", "other.example:443"] {
            assert!(several.have_authority(host), "{host}");
            assert!(several.contain(&format!("https://{host}")), "{host}");
        }
        assert!(!several.have_authority("tv.id.example"));
        assert!(several.have_rp_id("id.example:443") && !several.have_rp_id("other.example"));
        assert!(several.have_rp_id("ID.example") && !several.have_rp_id("id.example:80"));
        let local = origins("http://localhost:1411", &["http://localhost:1412"], &[]);
        assert!(local.unwrap().are_local());
        let not = origins("http://localhost:1411", &["http://media.lan"], &[]);
        assert!(!not.unwrap().are_local());
        for (extra, reason) in [
            (
                "http://tv.id.example",
                "--extra-origin must have the scheme of --origin: http://tv.id.example",
            ),
            (
                "tv.id.example",
                "--extra-origin must begin with https:// or http://",
            ),
        ] {
            let refused = origins("https://id.example", &[extra], &[]);
            assert_eq!(refused.err().as_deref(), Some(reason));
        }
    }

    #[test]
    fn knows_what_is_local() {
        for local in [
            "http://localhost:1411",
            "http://127.0.0.9",
            "https://[::1]:8443",
        ] {
            assert!(is_local(&read(local).unwrap()), "{local}");
        }
        for not in [
            "http://localhost.example",
            "http://10.0.0.1:1411",
            "https://[2001:db8::1]",
        ] {
            assert!(!is_local(&read(not).unwrap()), "{not}");
        }
    }
}
