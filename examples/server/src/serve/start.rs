//! From options to a running server: every way in which that fails is one line.

use std::{collections::BTreeMap, process, time::Duration};

use keyplate::{Keyplate, PasskeyProblem, SetupStage};
use tokio::runtime::Runtime;

use crate::{
    http::{app::App, origin::Origins},
    log,
    open::{
        self, Opening, failure,
        print::{print, setup_link},
        web_dir,
    },
    options::Options,
    plan::apply,
    serve::{
        connections,
        listeners::{self, Bound},
        service_manager,
        signals::Signals,
        upkeep,
    },
};

/// How long a call that is under way may still take after everything else has stopped: the busy time-out and a bit.
const LAST_CALLS: Duration = Duration::from_secs(6);

/// A place for the server, before there is a database.
struct Placed {
    options: Options,
    bound: Vec<Bound>,
    origins: Origins,
    /// The operator's own files for the pages, by their names.
    web: BTreeMap<String, Vec<u8>>,
}

/// Runs until a signal stops it.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start threads: {error}"))?;
    let mut signals = {
        let _within = runtime.enter();
        Signals::hear().map_err(|error| format!("cannot hear signals: {error}"))?
    };
    let options = options.clone();
    let placed = until_stopped(&runtime, &mut signals, move || place(options))?;
    let Some(placed) = placed else {
        stopped_early();
    };
    let names: Vec<String> = placed.bound.iter().map(Bound::name).collect();
    let options = placed.options.clone();
    let opened = until_stopped(&runtime, &mut signals, move || prepare(&options, &names))?;
    let Some(keyplate) = opened else {
        drop(placed);
        stopped_early();
    };
    let result = serve(&runtime, placed, keyplate, &mut signals);
    runtime.shutdown_timeout(LAST_CALLS);
    log::finish();
    result
}

/// Does a part of the start, all of which may wait for the disk; nothing if a signal comes meanwhile.
fn until_stopped<T: Send + 'static>(
    runtime: &Runtime,
    signals: &mut Signals,
    part: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<Option<T>, String> {
    let part = runtime.spawn_blocking(part);
    runtime.block_on(async {
        tokio::select! {
            done = part => match done {
                Ok(done) => done.map(Some),
                Err(error) => Err(format!("cannot begin: {error}")),
            },
            () = signals.stop() => Ok(None),
        }
    })
}

/// A call of the library may be under way: an upgrade, or the wait for a lock. A process that is killed leaves nothing half
/// done, and neither does this one (D2, C4).
fn stopped_early() -> ! {
    log::line(format_args!("stopped before the start was complete"));
    process::exit(0)
}

fn place(mut options: Options) -> Result<Placed, String> {
    Origins::of(&options)?;
    let web = web_dir::read(&options)?;
    open::make_folder(&options.data)?;
    // Before the database: a second server by mistake leaves no link and changes nothing.
    let bound = listeners::bind(&options)?;
    if let Some(origin) = origin_of(&bound) {
        options.default_origin = origin;
    }
    Ok(Placed {
        origins: Origins::of(&options)?,
        options,
        bound,
        web,
    })
}

fn prepare(options: &Options, places: &[String]) -> Result<Keyplate, String> {
    let keyplate = open::open(options, Opening::ToServe)?;
    // Commands beside the server make links too. Whoever gives them --origin needs no memory.
    if let Err(error) = keyplate.remember_origin() {
        log::line(format_args!(
            "warning: commands will not know --origin: {error}"
        ));
    }
    apply::at_start(&keyplate, options)?;
    announce(&keyplate, options, places).map_err(|error| format!("cannot begin: {error}"))?;
    Ok(keyplate)
}

fn serve(
    runtime: &Runtime,
    placed: Placed,
    keyplate: Keyplate,
    signals: &mut Signals,
) -> Result<(), String> {
    let Placed {
        options,
        bound,
        origins,
        web,
    } = placed;
    let is_local = bound.iter().all(Bound::is_of_this_machine);
    let app = App::new(keyplate.clone(), origins, &options, is_local, web);
    log::start_thread().map_err(|error| format!("cannot start threads: {error}"))?;
    runtime.block_on(async {
        let listeners = bound.into_iter().map(Bound::listen);
        let listeners = listeners.collect::<Result<Vec<_>, _>>();
        let listeners = listeners.map_err(|error| format!("cannot serve: {error}"))?;
        if let Err(error) = service_manager::tell(service_manager::READY) {
            log::line(format_args!(
                "warning: the service manager was not told of the start: {error}"
            ));
        }
        tokio::spawn(upkeep::every_day(keyplate));
        connections::serve(listeners, app, &options, signals).await;
        Ok(())
    })
}

/// Where people of this machine reach a server that nobody else reaches, unless they were told otherwise.
fn origin_of(bound: &[Bound]) -> Option<String> {
    let port = bound.iter().find_map(Bound::port)?;
    let is_local = bound.iter().all(Bound::is_of_this_machine);
    is_local.then(|| match port {
        80 => "http://localhost".to_owned(),
        port => format!("http://localhost:{port}"),
    })
}

/// Says where the server is and, until setup is complete, how to begin: the one secret that a start prints. It ends with
/// setup; those of a plan last, and go to a file instead (C2).
fn announce(keyplate: &Keyplate, options: &Options, places: &[String]) -> Result<(), String> {
    let origin = options.origin();
    let places = places.iter().map(|place| format!("listening on {place}\n"));
    let mut text = places.collect::<String>();
    text.push_str(&format!("address: {origin}\n"));
    let state = keyplate
        .get_setup_state()
        .map_err(|error| failure::told(&error))?;
    if state.stage != SetupStage::Complete {
        let token = keyplate
            .create_setup_token()
            .map_err(|error| failure::told(&error))?;
        text.push_str(&setup_link(origin, &token));
    }
    if let Some(problem) = state.passkey_problem {
        log::line(format_args!(
            "warning: passkeys cannot work: {}",
            why(problem)
        ));
    }
    if options.open_setup && state.stage != SetupStage::Complete {
        log::line(format_args!(
            "warning: --open-setup: whoever comes first becomes the administrator"
        ));
    }
    let clock = keyplate
        .get_clock_state()
        .map_err(|error| failure::told(&error))?;
    open::warn_of_clock(&clock);
    // Nobody may be listening; the server runs all the same.
    let _ = print(&text);
    Ok(())
}

fn why(problem: PasskeyProblem) -> &'static str {
    match problem {
        PasskeyProblem::IpAddress => "--origin is an IP address; give the server a host name",
        PasskeyProblem::InsecureOrigin => "--origin is neither https nor localhost",
        _ => "of --origin",
    }
}
