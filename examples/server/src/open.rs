//! The database, opened as the options say. What is refused is said with the flags by which it is mended.

mod encryption_key;
pub(crate) mod failure;
pub(crate) mod print;
pub(crate) mod secret_file;
pub(crate) mod spelling;
pub(crate) mod web_dir;

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

use crate::{log, open::spelling::spelled, options::Options};

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
    failure::is_of(&path);
    let config = Config {
        path: path
            .to_str()
            .ok_or("the data folder's name must be UTF-8")?
            .to_owned(),
        origin: options.origin().to_owned(),
        allow_shared_file: options.allow_shared_file,
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
        KeyplateError::Configuration { option, reason } if option == "path" => {
            format!(
                "cannot open {}: it {}",
                path.display(),
                reason.worded(spelled)
            )
        }
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

/// Says a refusal with the flags by which it is mended.
fn refused(options: &Options, option: &str, reason: ConfigurationReason) -> String {
    let sentence = reason.worded(spelled);
    match reason {
        // P6: nobody need have given that option; it is the database that wants something.
        ConfigurationReason::OtherRpId { .. } => sentence,
        _ => {
            let name = spelled(option);
            let given = name.strip_prefix("--").map(|flag| options.called(flag));
            format!("{} {sentence}", given.unwrap_or_else(|| name.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the library calls its options, nobody can give them here under that name.
    #[test]
    fn no_refusal_names_an_option_that_there_is_not() {
        let fields = include_str!("../../../core/api.txt");
        let (_, config) = fields.split_once("record Config (input)\n").unwrap();
        let fields: Vec<&str> = config
            .lines()
            .map_while(|line| line.strip_prefix("    "))
            .filter_map(|line| line.split(':').next())
            .filter(|field| field.contains('_'))
            .collect();
        assert!(fields.contains(&"allow_shared_file"));
        let text = || "x".to_owned();
        for reason in [
            ConfigurationReason::SharedFile,
            ConfigurationReason::OthersFile,
            ConfigurationReason::SharedFolder,
            ConfigurationReason::UnsafeSideFile { suffix: text() },
            ConfigurationReason::SeveralNames,
            ConfigurationReason::MountedFile,
            ConfigurationReason::OutsideRpId,
            ConfigurationReason::IpAddress,
            ConfigurationReason::InsecureOrigin,
            ConfigurationReason::OtherRpId {
                stored: text(),
                configured: text(),
            },
            ConfigurationReason::WrongKey,
        ] {
            let mine = reason.to_string();
            let here = refused(&Options::of("https://id.example"), "rp_id", reason);
            assert!(!here.contains("rotate_signing_key"), "{here}");
            for field in &fields {
                assert!(!here.contains(field), "{field}: {here}");
            }
            assert_ne!(mine, here);
        }
    }
}
