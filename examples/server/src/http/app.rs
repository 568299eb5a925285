use std::{collections::BTreeMap, fmt, sync::Arc, time::SystemTime};

use keyplate::Keyplate;

use crate::{
    http::{error::Failure, origin::Origins, storage::Storage},
    open,
    options::{Options, network::Network},
};

/// What every route needs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

struct Shared {
    keyplate: Keyplate,
    origins: Origins,
    trusted_proxies: Vec<Network>,
    open_setup: bool,
    listens_on_this_machine: bool,
    storage: Storage,
    web: BTreeMap<String, Vec<u8>>,
}

impl App {
    pub(crate) fn new(
        keyplate: Keyplate,
        origins: Origins,
        options: &Options,
        listens_on_this_machine: bool,
        web: BTreeMap<String, Vec<u8>>,
    ) -> Self {
        Self(Arc::new(Shared {
            keyplate,
            origins,
            trusted_proxies: options.trusted_proxies.clone(),
            open_setup: options.open_setup,
            listens_on_this_machine,
            storage: Storage::of(&open::database(options)),
            web,
        }))
    }

    /// The host's handle, which may do everything: for authenticating, and for what no caller is asked about.
    pub(crate) fn keyplate(&self) -> &Keyplate {
        &self.0.keyplate
    }

    pub(crate) fn origins(&self) -> &Origins {
        &self.0.origins
    }

    /// The operator's own files for the pages, by their names.
    pub(crate) fn web(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.0.web
    }

    pub(crate) fn trusted_proxies(&self) -> &[Network] {
        &self.0.trusted_proxies
    }

    pub(crate) fn open_setup(&self) -> bool {
        self.0.open_setup
    }

    /// Does nothing but this machine reach any of the places where it listens?
    pub(crate) fn listens_on_this_machine(&self) -> bool {
        self.0.listens_on_this_machine
    }

    pub(crate) fn storage(&self) -> &Storage {
        &self.0.storage
    }

    /// The time by which credentials expire, which is not always the clock's.
    pub(crate) async fn now(&self) -> Result<SystemTime, Failure> {
        let host = self.keyplate().clone();
        let state = self.blocking(move || host.get_clock_state()).await?;
        Ok(state.now)
    }

    /// Runs a call of the library, all of which may wait for the disk, away from the threads that serve.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        f: impl FnOnce() -> keyplate::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        match tokio::task::spawn_blocking(f).await {
            Ok(result) => {
                if let Err(error) = &result {
                    self.0.storage.note(error);
                }
                result.map_err(Failure::from)
            }
            Err(error) => Err(Failure::internal(error)),
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}
