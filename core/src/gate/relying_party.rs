//! The relying party (P6): which origins and which RP id, and whether passkeys can work there at all.

use crate::{
    crypto::webauthn::Verifier,
    db::{self, Reader},
    error::{ConfigurationReason, KeyplateError, PasskeyFailure, Result, configuration},
    model::config::Config,
    values::origins::{Origin, PasskeyProblem, native_origin, rp_id},
};

/// What the configuration says of the relying party.
pub(crate) struct RelyingParty {
    pub(crate) id: String,
    /// The configured origin, as browsers write it.
    pub(crate) origin: String,
    /// The hosts of all web origins, whose cookies are the host's own (F2).
    pub(crate) hosts: Vec<String>,
    pub(crate) name: Option<String>,
    pub(crate) problem: Option<PasskeyProblem>,
    pub(crate) verifier: Verifier,
    pub(crate) is_maintenance: bool,
}

impl RelyingParty {
    pub(crate) fn of(config: &Config) -> Result<Self> {
        let origin = Origin::parse("origin", &config.origin)?;
        let problem = origin.problem();
        if let Some(problem) = problem
            && !config.allow_insecure_origin
            && !config.maintenance
        {
            return Err(insecure(problem));
        }
        let id = config.rp_id.as_deref().map(rp_id);
        let id = id.unwrap_or_else(|| origin.host.clone());
        if problem.is_none() && !origin.is_within(&id) {
            return Err(configuration(
                "rp_id",
                ConfigurationReason::RpIdOutsideOrigin,
            ));
        }
        let text = origin.text;
        let mut hosts = vec![origin.host];
        let mut origins = vec![origin.url];
        for more in &config.more_origins {
            let more = Origin::parse("more_origins", more)?;
            if problem.is_none() && !(more.is_within(&id) && more.problem().is_none()) {
                return Err(configuration(
                    "more_origins",
                    ConfigurationReason::OutsideRpId,
                ));
            }
            hosts.push(more.host);
            origins.push(more.url);
        }
        for related in &config.related_origins {
            let related = Origin::parse("related_origins", related)?;
            if related.problem().is_some() {
                return Err(configuration(
                    "related_origins",
                    ConfigurationReason::NotHttps,
                ));
            }
            hosts.push(related.host);
            origins.push(related.url);
        }
        for native in &config.native_origins {
            origins.push(native_origin(native)?);
        }
        let verifier = Verifier::new(&id, origins);
        Ok(Self {
            id,
            origin: text,
            hosts,
            name: config.rp_name.clone().filter(|name| !name.is_empty()),
            problem,
            verifier,
            is_maintenance: config.maintenance,
        })
    }

    /// Fails where no ceremony can be held: at such an origin, under another RP id than the database's, and for
    /// commands that only recover.
    pub(crate) fn check_available(&self, reader: &Reader<'_>) -> Result<()> {
        let other = db::passkeys::rp_id(reader)?.is_some_and(|id| id != self.id);
        if self.problem.is_some() || self.is_maintenance || other {
            return Err(PasskeyFailure::Unavailable.into());
        }
        Ok(())
    }
}

fn insecure(problem: PasskeyProblem) -> KeyplateError {
    configuration(
        "origin",
        match problem {
            PasskeyProblem::IpAddress => ConfigurationReason::IpAddress,
            PasskeyProblem::InsecureOrigin => ConfigurationReason::InsecureOrigin,
        },
    )
}

/// P6: other passkeys than these were registered.
pub(crate) fn other_rp_id(ours: &str, stored: &str) -> KeyplateError {
    configuration(
        "rp_id",
        ConfigurationReason::OtherRpId {
            stored: stored.to_owned(),
            configured: ours.to_owned(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(origin: &str, change: impl FnOnce(&mut Config)) -> Result<RelyingParty> {
        let mut config = Config {
            origin: origin.to_owned(),
            ..Config::default()
        };
        change(&mut config);
        RelyingParty::of(&config)
    }

    fn refused(result: Result<RelyingParty>) -> Option<String> {
        result.err().and_then(|error| error.field())
    }

    #[test]
    fn origins() {
        for (good, id) in [
            ("https://a.example", "a.example"),
            ("http://localhost:1411", "localhost"),
            ("http://media.localhost", "media.localhost"),
            ("https://a.example:8443", "a.example"),
            ("https://a.example:443", "a.example"),
            ("https://xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
            // What is only written in another way.
            ("https://a.example/", "a.example"),
            ("https://a.example:443/", "a.example"),
            ("https://A.Example", "a.example"),
            ("HTTPS://a.example", "a.example"),
            ("https://münchen.example", "xn--mnchen-3ya.example"),
            ("https://MÜNCHEN.example:443", "xn--mnchen-3ya.example"),
            ("https://straße.example", "xn--strae-oqa.example"),
            ("https://日本。example", "xn--wgv71a.example"),
        ] {
            let party = party(good, |_| {}).map(|party| (party.id, party.problem));
            assert_eq!(party, Ok((id.to_owned(), None)), "{good}");
        }
        for bad in [
            "",
            "a.example",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://a//",
            "https:///a",
            "https:/a",
            "https:a",
            " https://a",
            "https://a ",
            "https://a\u{a0}",
            "https://ex\tample",
            "https://mün%63hen.example",
            "https://mün chen.example",
            "https://müñ_x.example",
            "https://a:0",
            "https://a:x",
            "https://[::g]",
            "https://a b",
            "https://u@a",
            "https://a?q",
            "https://a:99999",
            "https://a:",
            "https://a#f",
            "https://a\\b",
            "https://a\n",
            "https://a.",
            "https://a..b",
            "https://.a",
            "https://a_b.example",
            "https://*.example",
            "https://a,https://b",
            "https://a%2eexample",
            "https://xn--a.example",
            "https://[::1",
            "https://[::1]:",
            "https://u@[::1]",
            "https://256.0.0.1",
        ] {
            assert_eq!(
                refused(party(bad, |_| {})).as_deref(),
                Some("origin"),
                "{bad}"
            );
        }
    }

    #[test]
    fn an_origin_has_one_form() {
        for (written, normal) in [
            ("https://a.example", "https://a.example"),
            ("https://a.example:443", "https://a.example"),
            ("https://A.example:8443/", "https://a.example:8443"),
            ("http://LOCALHOST:80/", "http://localhost"),
            ("http://localhost:443", "http://localhost:443"),
            (
                "https://Bücher.example:443/",
                "https://xn--bcher-kva.example",
            ),
        ] {
            let party = party(written, |_| {}).unwrap();
            assert_eq!(party.origin, normal, "{written}");
        }
        // Passkeys are made for and verified under that form, however many are written.
        let one = party("https://id.bücher.example:443/", |c| {
            c.rp_id = Some("BÜCHER.example".to_owned());
            c.more_origins = vec!["https://TV.bücher.example:443/".to_owned()];
            c.related_origins = vec!["https://äpfel.example/".to_owned()];
        });
        assert_eq!(one.unwrap().id, "xn--bcher-kva.example");
    }

    #[test]
    fn where_passkeys_cannot_work() {
        for (origin, problem) in [
            ("http://media.lan", PasskeyProblem::InsecureOrigin),
            ("http://192.0.2.1:1411", PasskeyProblem::IpAddress),
            ("https://192.0.2.1", PasskeyProblem::IpAddress),
            ("https://[::1]:8443", PasskeyProblem::IpAddress),
            ("http://127.0.0.1", PasskeyProblem::IpAddress),
            // Browsers read these as addresses too.
            ("https://[2001:DB8::1]", PasskeyProblem::IpAddress),
            ("https://192.0.513", PasskeyProblem::IpAddress),
            ("https://0x7f000001", PasskeyProblem::IpAddress),
        ] {
            assert_eq!(refused(party(origin, |_| {})).as_deref(), Some("origin"));
            let allowed = party(origin, |config| config.allow_insecure_origin = true).unwrap();
            assert_eq!(allowed.problem, Some(problem), "{origin}");
            assert!(party(origin, |config| config.maintenance = true).is_ok());
        }
    }

    #[test]
    fn an_rp_id_is_of_the_origin() {
        let with = |id: &str| {
            party("https://media.home.example", |c| {
                c.rp_id = Some(id.to_owned())
            })
        };
        for good in [
            "media.home.example",
            "home.example",
            "Home.Example",
            "ＨＯＭＥ.example",
        ] {
            assert!(with(good).is_ok(), "{good}");
        }
        for bad in [
            "example",
            "ome.example",
            "other.example",
            "x.media.home.example",
            "home.example:443",
            "home.example/",
            "home.example.",
            ".home.example",
            "https://home.example",
            "me@home.example",
            "",
        ] {
            assert_eq!(refused(with(bad)).as_deref(), Some("rp_id"), "{bad}");
        }
    }

    #[test]
    fn further_origins() {
        let more = |origin: &str| {
            party("https://home.example", |c| {
                c.more_origins = vec![origin.to_owned()]
            })
        };
        assert!(more("https://media.home.example:8443").is_ok());
        for bad in [
            "http://media.home.example",
            "https://other.example",
            "media.home.example",
        ] {
            assert_eq!(refused(more(bad)).as_deref(), Some("more_origins"), "{bad}");
        }
        let related = |origin: &str| {
            party("https://home.example", |c| {
                c.related_origins = vec![origin.to_owned()]
            })
        };
        assert!(related("https://other.example").is_ok());
        assert_eq!(
            refused(related("http://other.example")).as_deref(),
            Some("related_origins")
        );
        let native = |origin: &str| {
            party("https://home.example", |c| {
                c.native_origins = vec![origin.to_owned()]
            })
        };
        assert!(native(&format!("android:apk-key-hash:{}", "a".repeat(43))).is_ok());
        for bad in [
            "android:apk-key-hash:abc",
            "https://home.example",
            "ios:bundle-id:x",
        ] {
            assert_eq!(
                refused(native(bad)).as_deref(),
                Some("native_origins"),
                "{bad}"
            );
        }
    }
}
