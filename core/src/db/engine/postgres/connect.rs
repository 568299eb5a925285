//! Where the server is, and how it is connected to.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use postgres::{
    Config, NoTls,
    config::{Host, SslMode, TargetSessionAttrs},
};
use rustls::{ClientConfig, RootCertStore};
use tokio::{runtime::Handle, task::block_in_place};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{failure::failure, session::Session};
use crate::error::{ConfigurationReason, KeyplateError, Result, configuration, internal};

/// The option that names the database.
const OPTION: &str = "database";
/// How long a connection may take, unless the URL says otherwise.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A server that answers nothing for so long is not there, unless the URL says otherwise.
const SILENT_FOR: Duration = Duration::from_secs(15);

/// A server, or several of which one is the primary, and a database there.
pub(super) struct Server {
    config: Config,
    /// None where a socket of this machine is all there is.
    tls: Option<MakeRustlsConnect>,
    /// For messages: hosts and database, never a password.
    name: String,
}

impl Server {
    pub(super) fn of(url: &str) -> Result<Self> {
        let refused = || configuration(OPTION, ConfigurationReason::NotDatabaseUrl);
        let mut config: Config = url.parse().map_err(|_| refused())?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(refused());
        }
        if config.get_application_name().is_none() {
            config.application_name("keyplate");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_WITHIN);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENT_FOR);
        }
        // Of several, the one that can be written: so a failover needs no new configuration.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        let name = name(&config);
        Ok(Self {
            tls: tls(&config)?,
            config,
            name,
        })
    }

    pub(super) fn connect(&self) -> Result<Session> {
        let client = match &self.tls {
            Some(tls) => self.config.connect(tls.clone()),
            None => self.config.connect(NoTls),
        };
        client.map(Session::new).map_err(|error| failure(&error))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The error with the server's name.
    pub(super) fn explained(&self, error: KeyplateError) -> KeyplateError {
        use KeyplateError as E;
        let name = || self.name.clone();
        match error {
            E::StorageFailed { path, reason } if path.is_empty() => E::StorageFailed {
                path: name(),
                reason,
            },
            E::StorageReadOnly { path } if path.is_empty() => E::StorageReadOnly { path: name() },
            E::StorageFull { path } if path.is_empty() => E::StorageFull { path: name() },
            error => error,
        }
    }
}

/// `db1.example:5432,db2.example:5432/keyplate`.
fn name(config: &Config) -> String {
    let ports = config.get_ports();
    let port = |place: usize| ports.get(place).or(ports.first()).copied().unwrap_or(5432);
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(place, host)| match host {
            Host::Tcp(host) => format!("{host}:{}", port(place)),
            Host::Unix(path) => format!("{}:{}", path.display(), port(place)),
        })
        .collect();
    let database = config
        .get_dbname()
        .or(config.get_user())
        .unwrap_or_default();
    format!("{}/{database}", hosts.join(","))
}

/// The certificate of a server is checked by those that the system trusts (`SSL_CERT_FILE`), whenever TLS is spoken.
fn tls(config: &Config) -> Result<Option<MakeRustlsConnect>> {
    let hosts = config.get_hosts();
    let is_near = !hosts.is_empty() && !hosts.iter().any(|host| matches!(host, Host::Tcp(_)));
    if is_near || config.get_ssl_mode() == SslMode::Disable {
        return Ok(None);
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| internal("ring speaks no version of TLS"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
    Ok(Some(MakeRustlsConnect::new(config)))
}

/// The driver waits for its answers in a runtime of its own, and no thread may wait in two. A worker of a runtime with
/// several threads steps out of it for the time of the call; the only thread of a runtime cannot.
pub(super) fn off_the_runtime<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    if Handle::try_current().is_err() {
        return call();
    }
    match catch_unwind(AssertUnwindSafe(|| block_in_place(|| ()))) {
        Ok(()) => block_in_place(call),
        Err(_) => Err(internal(
            "a call on the only thread of an async runtime: make it on a thread for blocking work",
        )),
    }
}
