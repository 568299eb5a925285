//! What the operator said: all options, from flags and from the environment.

pub(crate) mod duration;
pub(crate) mod listen;
pub(crate) mod network;
pub(crate) mod origin;
mod reading;
pub(crate) mod table;
#[cfg(test)]
mod tests;

use std::{ffi::OsString, path::PathBuf, sync::Arc, time::Duration};

use clap::{ArgMatches, error::ErrorKind};
use keyplate::Secret;

use {listen::Listen, network::Network, reading::Source};

/// A length of time, in the form that people write it: with a unit, so that 90 is never taken for days or for seconds.
pub(crate) fn seconds(text: &str) -> Result<i64, String> {
    duration::parse(text).map_err(|wrong| wrong.sentence().to_owned())
}

/// The shortest and the longest time for which a connection may be kept.
const KEEP_ALIVE: std::ops::RangeInclusive<i64> = 1..=86_400;

fn keep_alive(text: &str) -> Result<Duration, String> {
    let seconds = duration::parse(text).map_err(|wrong| format!("is {}", wrong.sentence()))?;
    let is_good = KEEP_ALIVE.contains(&seconds);
    let seconds = u64::try_from(seconds).ok().filter(|_| is_good);
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| "must be from 1s to 1d".to_owned())
}

/// How to serve. What each of them means stands in `table`.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) data: PathBuf,
    /// As it was given, if it was.
    pub(crate) given_origin: Option<String>,
    pub(crate) extra_origins: Vec<String>,
    pub(crate) rp_id: Option<String>,
    pub(crate) rp_name: Option<String>,
    pub(crate) related_origins: Vec<String>,
    pub(crate) native_origins: Vec<String>,
    pub(crate) allow_insecure_origin: bool,
    pub(crate) allow_shared_file: bool,
    pub(crate) accept_rp_id_change: bool,
    pub(crate) encryption_key_file: Option<PathBuf>,
    pub(crate) encryption_key: Option<Arc<Secret>>,
    /// What stands for the origin if none was given.
    pub(crate) default_origin: String,
    pub(crate) listen: Vec<Listen>,
    pub(crate) keep_alive: Duration,
    pub(crate) open_setup: bool,
    pub(crate) bootstrap_file: Option<PathBuf>,
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) web_dir: Option<PathBuf>,
    /// Which of them stood in the environment, by their names.
    in_environment: Vec<&'static str>,
}

impl Options {
    /// Where people reach the server.
    pub(crate) fn origin(&self) -> &str {
        self.given_origin.as_deref().unwrap_or(&self.default_origin)
    }

    /// What to call an option in a sentence: its variable, where that is what was given, and else its flag.
    pub(crate) fn called(&self, name: &str) -> String {
        let spec = table::of(name);
        match self.in_environment.contains(&name) {
            true => spec.variable.to_owned(),
            false => spec.flag(),
        }
    }

    fn read(source: &impl Source) -> Result<Self, String> {
        let mut in_environment = Vec::new();
        let mut given = |name: &str| {
            let spec = table::of(name);
            let given = reading::given(source, spec)?;
            if given.called == spec.variable {
                in_environment.push(spec.name);
            }
            Some(given)
        };
        fn each<T>(
            given: Option<reading::Given>,
            read: impl Fn(&str) -> Result<T, String>,
        ) -> Result<Vec<T>, String> {
            let Some(given) = given else {
                return Ok(Vec::new());
            };
            let values = given.texts()?.into_iter().map(read);
            let values: Result<_, String> = values.collect();
            values.map_err(|reason| format!("{} {reason}", given.called))
        }
        let one = |given: Option<reading::Given>| match given {
            Some(given) => given.text().map(|text| Some(text.to_owned())),
            None => Ok(None),
        };
        let is_yes =
            |given: Option<reading::Given>| given.map_or(Ok(false), |given| given.is_yes());
        let path = |given: Option<reading::Given>| {
            let value = given.and_then(|given| given.values.into_iter().next());
            value.map(PathBuf::from)
        };
        let origin = |text: &str| Ok(origin::normal(text));
        let listen = each(given("listen"), |text| text.parse())?;
        Ok(Self {
            data: path(given("data")).unwrap_or_else(|| PathBuf::from(table::DATA)),
            given_origin: each(given("origin"), origin)?.pop(),
            extra_origins: each(given("extra-origin"), origin)?,
            rp_id: one(given("rp-id"))?,
            rp_name: one(given("rp-name"))?,
            related_origins: each(given("related-origin"), origin)?,
            native_origins: each(given("native-origin"), |text| Ok(text.to_owned()))?,
            allow_insecure_origin: is_yes(given("allow-insecure-origin"))?,
            accept_rp_id_change: is_yes(given("accept-rp-id-change"))?,
            allow_shared_file: is_yes(given("allow-shared-file"))?,
            encryption_key_file: path(given("encryption-key-file")),
            encryption_key: one(given("encryption-key"))?.map(|key| Arc::new(Secret::new(key))),
            default_origin: table::ORIGIN.to_owned(),
            listen: match listen.is_empty() {
                false => listen,
                true => vec![table::LISTEN.parse()?],
            },
            keep_alive: match each(given("keep-alive"), keep_alive)?.pop() {
                Some(time) => time,
                None => keep_alive(table::KEEP_ALIVE)?,
            },
            open_setup: is_yes(given("open-setup"))?,
            bootstrap_file: path(given("bootstrap-file")),
            trusted_proxies: each(given("trusted-proxy"), |text| text.parse())?,
            web_dir: path(given("web-dir")),
            in_environment,
        })
    }
}

/// The command line, and the process's environment.
struct Process<'a>(&'a ArgMatches);

impl Source for Process<'_> {
    fn flag(&self, name: &str) -> Vec<OsString> {
        let values = self.0.get_many::<OsString>(name);
        values.into_iter().flatten().cloned().collect()
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }
}

impl clap::Args for Options {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.args(table::OPTIONS.iter().filter_map(table::Spec::argument))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Options {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let wrong = |reason| clap::Error::raw(ErrorKind::ValueValidation, format!("{reason}\n"));
        Self::read(&Process(matches)).map_err(wrong)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
impl Options {
    /// The default options with this origin.
    pub(crate) fn of(origin: &str) -> Self {
        tests::with_origin(origin)
    }
}
