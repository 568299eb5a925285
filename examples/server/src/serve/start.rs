//! From options to a running server: every way in which that fails is one line.

use std::{
    fs, io,
    io::Write,
    net::TcpListener,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use keyplate::{
    AuditEvent, Config, CreatedSetupToken, EventKind, EventSink, Keyplate, KeyplateError,
    PasskeyProblem, SetupStage,
};

use crate::{
    http::origin::Origins,
    log,
    open::encryption_key,
    options::Options,
    plan::apply,
    serve::connections::{self, App},
};

const DATABASE: &str = "keyplate.db";

/// How long a call that is under way may still take after everything else has stopped: the busy time-out and a bit.
const LAST_CALLS: Duration = Duration::from_secs(6);

/// Runs until a signal stops it.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let origins = Origins::of(options)?;
    make_folder(&options.data)?;
    // Before the database: a second server by mistake must not mint a token that ends the first one's.
    let listener = bind(options)?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let keyplate = open(options, Opening::ToServe)?;
    apply::at_start(&keyplate, options)?;
    announce(&keyplate, options, address).map_err(|error| format!("cannot begin: {error}"))?;

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start threads: {error}"))?;
    let app = App::new(keyplate, origins, options, address);
    let result = runtime.block_on(connections::serve(listener, app));
    runtime.shutdown_timeout(LAST_CALLS);
    result.map_err(|error| format!("cannot serve: {error}"))
}

pub(crate) fn make_folder(folder: &Path) -> Result<(), String> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| {
            let folder = folder.display();
            format!("cannot make the data folder {folder}: {error}")
        })
}

fn bind(options: &Options) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(options.listen)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    listener.map_err(|error| {
        let address = options.listen;
        if error.kind() == io::ErrorKind::AddrInUse {
            return format!("cannot listen on {address}: something listens there already");
        }
        format!("cannot listen on {address}: {error}")
    })
}

/// Where the database is.
pub(crate) fn database(options: &Options) -> PathBuf {
    options.data.join(DATABASE)
}

/// What a database is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    ToServe,
    /// P6: commands that recover work whatever the RP id and the origin.
    ForMaintenance,
}

pub(crate) fn open(options: &Options, opening: Opening) -> Result<Keyplate, String> {
    let path = database(options);
    let config = Config {
        path: path
            .to_str()
            .ok_or("the data folder's name must be UTF-8")?
            .to_owned(),
        origin: options.origin.clone(),
        encryption_key: encryption_key::read(options)?,
        events: Some(Arc::new(Warnings)),
        ..match opening {
            Opening::ToServe => relying_party(options),
            Opening::ForMaintenance => Config {
                maintenance: true,
                ..Config::default()
            },
        }
    };
    Keyplate::open(config).map_err(|error| match error {
        KeyplateError::Configuration { option, reason } => refused(&option, &reason),
        error => format!("cannot open {}: {error}", path.display()),
    })
}

/// What the keeper must hear of although he asked for nothing.
struct Warnings;

impl EventSink for Warnings {
    fn on_event(&self, event: AuditEvent) {
        if event.kind != EventKind::BackupRestored {
            return;
        }
        let detail = |name: &str| {
            let found = event.details.iter().find(|detail| detail.name == name);
            found.map_or("?", |detail| detail.value.as_str())
        };
        // D8: those that were revoked since are among them.
        log::line(format_args!(
            "warning: a back-up of {} was restored; API keys that work: {}, sign-up tokens: {}",
            detail("made_at"),
            detail("api_keys"),
            detail("signup_tokens")
        ));
    }
}

fn relying_party(options: &Options) -> Config {
    Config {
        rp_id: options.rp_id.clone(),
        rp_name: options.rp_name.clone(),
        more_origins: options.extra_origins.clone(),
        related_origins: options.related_origins.clone(),
        native_origins: options.native_origins.clone(),
        allow_insecure_origin: options.allow_insecure_origin,
        accept_rp_id_change: options.accept_rp_id_change,
        ..Config::default()
    }
}

/// The library's options, and what they are called here.
const FLAGS: [(&str, &str); 8] = [
    ("accept_rp_id_change", "--accept-rp-id-change"),
    ("allow_insecure_origin", "--allow-insecure-origin"),
    ("more_origins", "--extra-origin"),
    ("related_origins", "--related-origin"),
    ("native_origins", "--native-origin"),
    ("rp_id", "--rp-id"),
    ("encryption_key", "the encryption key"),
    ("origin", "--origin"),
];

/// Says a refusal with the flags by which it is mended.
fn refused(option: &str, reason: &str) -> String {
    let mut reason = reason.to_owned();
    for (name, flag) in FLAGS.iter().filter(|(name, _)| name.contains('_')) {
        reason = reason.replace(name, flag);
    }
    // P6: nobody need have given that option; it is the database that wants something.
    if reason.contains("--accept-rp-id-change") {
        return format!("{reason} (see --origin and --rp-id)");
    }
    match FLAGS.iter().find(|(name, _)| *name == option) {
        Some((_, flag)) => format!("{flag} {reason}"),
        None => format!("{option} {reason}"),
    }
}

/// Says where the server is and, until setup is complete, how to begin: the one secret that a start prints. It ends with
/// the next one; those of a plan last, and go to a file instead (C2).
fn announce(
    keyplate: &Keyplate,
    options: &Options,
    address: std::net::SocketAddr,
) -> Result<(), String> {
    let mut text = format!("listening on {address}\naddress: {}\n", options.origin);
    let state = keyplate
        .get_setup_state()
        .map_err(|error| error.to_string())?;
    if state.stage != SetupStage::Complete {
        let token = keyplate
            .create_setup_token()
            .map_err(|error| error.to_string())?;
        text.push_str(&setup_link(options, &token));
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

/// The line with the setup link.
pub(crate) fn setup_link(options: &Options, token: &CreatedSetupToken) -> String {
    let (origin, token) = (&options.origin, token.secret.as_str());
    format!("setup link: {origin}/setup#token={token}\n")
}

/// Writes to standard output.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}
