//! From options to a running server: every way in which that fails is one line.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use keyplate::{Keyplate, PasskeyProblem, SetupStage};

use crate::{
    http::{app::App, origin::Origins},
    log,
    open::{
        self, Opening,
        print::{print, setup_link},
        web_dir,
    },
    options::Options,
    plan::apply,
    serve::{connections, upkeep},
};

/// How long a call that is under way may still take after everything else has stopped: the busy time-out and a bit.
const LAST_CALLS: Duration = Duration::from_secs(6);

/// Runs until a signal stops it.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let origins = Origins::of(options)?;
    let web = web_dir::read(options)?;
    open::make_folder(&options.data)?;
    // Before the database: a second server by mistake leaves no link and changes nothing.
    let listener = bind(options)?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let keyplate = open::open(options, Opening::ToServe)?;
    // Commands beside the server make links too. Whoever gives them --origin needs no memory.
    if let Err(error) = keyplate.remember_origin() {
        log::line(format_args!(
            "warning: commands will not know --origin: {error}"
        ));
    }
    apply::at_start(&keyplate, options)?;
    announce(&keyplate, options, address).map_err(|error| format!("cannot begin: {error}"))?;

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start threads: {error}"))?;
    let app = App::new(keyplate.clone(), origins, options, address, web);
    log::start_thread().map_err(|error| format!("cannot start threads: {error}"))?;
    let result = runtime.block_on(async {
        tokio::spawn(upkeep::every_day(keyplate));
        connections::serve(listener, app, &options.trusted_proxies).await
    });
    runtime.shutdown_timeout(LAST_CALLS);
    log::finish();
    result.map_err(|error| format!("cannot serve: {error}"))
}

fn bind(options: &Options) -> Result<TcpListener, String> {
    let listen = &options.listen;
    let listener = listen
        .addresses()
        .and_then(|addresses| TcpListener::bind(&addresses[..]))
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    listener.map_err(|error| {
        let address = listen;
        if error.kind() == io::ErrorKind::AddrInUse {
            return format!("cannot listen on {address}: something listens there already");
        }
        format!("cannot listen on {address}: {error}")
    })
}

/// Says where the server is and, until setup is complete, how to begin: the one secret that a start prints. It ends with
/// setup; those of a plan last, and go to a file instead (C2).
fn announce(keyplate: &Keyplate, options: &Options, address: SocketAddr) -> Result<(), String> {
    let origin = options.origin();
    let mut text = format!("listening on {address}\naddress: {origin}\n");
    let state = keyplate
        .get_setup_state()
        .map_err(|error| error.to_string())?;
    if state.stage != SetupStage::Complete {
        let token = keyplate
            .create_setup_token()
            .map_err(|error| error.to_string())?;
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
        .map_err(|error| error.to_string())?;
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
