//! From options to a running server: every way in which that fails is one line.

use std::{process, time::Duration};

use keyplate::{Keyplate, PasskeyProblem, SetupStage};
use tokio::runtime::Runtime;

use crate::{
    http::{app::App, origin::Origins},
    log,
    open::{
        self, Opening, failure,
        print::{print, setup_link},
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

/// What a start has made.
struct Started {
    options: Options,
    bound: Vec<Bound>,
    origins: Origins,
    keyplate: Keyplate,
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
    let Some(started) = start(&runtime, options, &mut signals)? else {
        log::line(format_args!("stopped before the start was complete"));
        // A call of the library may be under way: an upgrade, or the wait for a lock. A killed process leaves nothing half
        // done, and neither does this one (D2, C4).
        process::exit(0);
    };
    let result = serve(&runtime, started, &mut signals);
    runtime.shutdown_timeout(LAST_CALLS);
    log::finish();
    result
}

/// None if a signal came meanwhile.
fn start(
    runtime: &Runtime,
    options: &Options,
    signals: &mut Signals,
) -> Result<Option<Started>, String> {
    let options = options.clone();
    let mut starting = runtime.spawn_blocking(|| prepare(options));
    runtime.block_on(async {
        tokio::select! {
            started = &mut starting => match started {
                Ok(started) => started.map(Some),
                Err(error) => Err(format!("cannot begin: {error}")),
            },
            () = signals.stop() => Ok(None),
        }
    })
}

fn prepare(mut options: Options) -> Result<Started, String> {
    Origins::of(&options)?;
    open::make_folder(&options.data)?;
    // Before the database: a second server by mistake leaves no link and changes nothing.
    let bound = listeners::bind(&options)?;
    if let Some(origin) = origin_of(&bound) {
        options.default_origin = origin;
    }
    let origins = Origins::of(&options)?;
    let keyplate = open::open(&options, Opening::ToServe)?;
    // Commands beside the server make links too. Whoever gives them --origin needs no memory.
    if let Err(error) = keyplate.remember_origin() {
        log::line(format_args!(
            "warning: commands will not know --origin: {error}"
        ));
    }
    apply::at_start(&keyplate, &options)?;
    announce(&keyplate, &options, &bound).map_err(|error| format!("cannot begin: {error}"))?;
    Ok(Started {
        options,
        bound,
        origins,
        keyplate,
    })
}

fn serve(runtime: &Runtime, started: Started, signals: &mut Signals) -> Result<(), String> {
    let Started {
        options,
        bound,
        origins,
        keyplate,
    } = started;
    let is_local = bound.iter().all(Bound::is_of_this_machine);
    let app = App::new(keyplate.clone(), origins, &options, is_local);
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
fn announce(keyplate: &Keyplate, options: &Options, bound: &[Bound]) -> Result<(), String> {
    let origin = options.origin();
    let places = bound
        .iter()
        .map(|bound| format!("listening on {}\n", bound.name()));
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
