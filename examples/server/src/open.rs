//! The database, opened as the options say. What is refused is said with the flags by which it is mended.

mod encryption_key;
pub(crate) mod print;
pub(crate) mod secret_file;

use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use keyplate::{
    AuditEvent, ClockState, Config, ConfigurationReason, EventKind, EventSink, Keyplate,
    KeyplateError,
};

use crate::{log, options::Options};

const DATABASE: &str = "keyplate.db";

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
        origin: options.origin().to_owned(),
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
        KeyplateError::Configuration { option, reason } => refused(options, &option, reason),
        error => format!("cannot open {}: {error}", path.display()),
    })
}

/// What the operator must be told although they asked for nothing.
struct Warnings;

impl EventSink for Warnings {
    fn on_event(&self, event: AuditEvent) {
        let detail = |name: &str| {
            let found = event.details.iter().find(|detail| detail.name == name);
            found.map_or("?", |detail| detail.value.as_str())
        };
        match event.kind {
            // D8: those that were revoked since are among them.
            EventKind::BackupRestored => log::line(format_args!(
                "warning: a back-up of {} was restored; API keys that work: {}, sign-up tokens: {}",
                detail("made_at"),
                detail("api_keys"),
                detail("signup_tokens")
            )),
            EventKind::ClockBehind => clock_is_behind(detail("behind_seconds")),
            _ => {}
        }
    }
}

/// The log says of the clock what there is to say.
static CLOCK_IS_TOLD: AtomicBool = AtomicBool::new(false);

/// C5.
fn clock_is_behind(seconds: &str) {
    CLOCK_IS_TOLD.store(true, Ordering::Relaxed);
    log::line(format_args!(
        "warning: the clock is {seconds} seconds behind the time of the last change; no access tokens until it is right, \
         or, if it is right now, reset-clock has run"
    ));
}

/// The event is raised once in a boot, in one process; the others hear of it when they look.
pub(crate) fn warn_of_clock(state: &ClockState) {
    if !state.access_tokens_stopped {
        CLOCK_IS_TOLD.store(false, Ordering::Relaxed);
    } else if !CLOCK_IS_TOLD.load(Ordering::Relaxed) {
        clock_is_behind(&state.behind_seconds.to_string());
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
const FLAGS: [(&str, &str); 5] = [
    ("more_origins", "extra-origin"),
    ("related_origins", "related-origin"),
    ("native_origins", "native-origin"),
    ("rp_id", "rp-id"),
    ("origin", "origin"),
];

/// Says a refusal with the flags by which it is mended.
fn refused(options: &Options, option: &str, reason: ConfigurationReason) -> String {
    use ConfigurationReason as R;
    let flag = FLAGS.iter().find(|(name, _)| *name == option);
    let flag = match (flag, option) {
        (Some((_, name)), _) => options.called(name),
        (None, "encryption_key") => "the encryption key".to_owned(),
        (None, option) => option.to_owned(),
    };
    let reason = match reason {
        // P6: nobody need have given that option; it is the database that wants something.
        R::OtherRpId { stored, configured } => {
            return format!(
                "the passkeys in this database are of the RP id {stored} and cannot work under {configured}: keep \
                 the former --origin or --rp-id, or give --accept-rp-id-change, by which everybody registers a new one"
            );
        }
        R::IpAddress => "is an IP address, where passkeys cannot work: use a host name, or --allow-insecure-origin \
                         to do without"
            .to_owned(),
        R::InsecureOrigin => "is neither https nor localhost, where passkeys cannot work: use https, or \
                              --allow-insecure-origin to do without"
            .to_owned(),
        R::OutsideRpId => {
            "must be https or localhost, and of the RP id; others are --related-origin".to_owned()
        }
        R::WrongKey => "is not the one under which the signing key is sealed; rotate-key makes another".to_owned(),
        reason => reason.to_string(),
    };
    format!("{flag} {reason}")
}
