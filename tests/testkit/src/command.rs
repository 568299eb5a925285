use std::{
    io::{self, Read},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand};
use keyplate_testkit::{Authenticator, Backup, CeremonyError, SPOILS, Spoil};

use crate::state;

/// A software WebAuthn authenticator and browser for tests.
#[derive(Debug, Parser)]
#[command(
    name = "keyplate-testkit",
    after_help = "Exit status: 0, 1 when the browser would throw (the line begins with \
the exception's name), 2 for bad use."
)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a file with an empty authenticator.
    New(New),
    /// Read creation options on standard input, write the new credential to standard output.
    #[command(after_help = spoils())]
    Register(Ceremony),
    /// Read request options on standard input, write the assertion to standard output.
    #[command(after_help = spoils())]
    Authenticate {
        #[command(flatten)]
        ceremony: Ceremony,
        /// The user.name of the credential to take, when several fit.
        #[arg(long = "as", value_name = "NAME")]
        user_name: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The file, which must not exist.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Makes synced passkeys: flags BE and BS.
    #[arg(long)]
    synced: bool,
    /// Always sends 0 as the counter.
    #[arg(long)]
    no_counter: bool,
    /// Cannot verify the user.
    #[arg(long)]
    no_user_verification: bool,
    /// The model.
    #[arg(long, value_name = "UUID", value_parser = aaguid)]
    aaguid: Option<[u8; 16]>,
    /// ES256, ES384, EdDSA or RS256.
    #[arg(long, value_name = "NAME", default_value = "ES256", value_parser = named::<keyplate_testkit::Algorithm>)]
    algorithm: keyplate_testkit::Algorithm,
    /// platform or cross-platform.
    #[arg(long, value_name = "NAME", default_value = "platform", value_parser = named::<keyplate_testkit::Attachment>)]
    attachment: keyplate_testkit::Attachment,
    /// What getTransports() gives. May be repeated; by default internal.
    #[arg(long = "transport", value_name = "NAME")]
    transports: Vec<String>,
    /// An origin that may use any RP id. May be repeated.
    #[arg(long = "related-origin", value_name = "ORIGIN")]
    related_origins: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Ceremony {
    /// The authenticator's file.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// The origin of the page, or of the app.
    #[arg(long)]
    origin: String,
    /// What is to be wrong. May be repeated.
    #[arg(long = "spoil", value_name = "NAME[=VALUE]")]
    spoils: Vec<String>,
    /// Afterwards copies the authenticator to this file, which must not exist.
    #[arg(long, value_name = "FILE")]
    clone_to: Option<PathBuf>,
}

/// Why the program gives nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The call itself is wrong: arguments, files, spoils.
    Usage(String),
    /// A browser would have thrown.
    Refused(CeremonyError),
}

/// Does it, and gives what is to be printed.
pub(crate) fn run(command: Command) -> Result<String, Failure> {
    match command {
        Command::New(new) => {
            state::create(&new.state, &new.authenticator())?;
            Ok(String::new())
        }
        Command::Register(ceremony) => ceremony.run(|authenticator, options, spoil| {
            authenticator.register(&ceremony.origin, options, spoil)
        }),
        Command::Authenticate {
            ceremony,
            user_name: None,
        } => ceremony.run(|authenticator, options, spoil| {
            authenticator.authenticate(&ceremony.origin, options, spoil)
        }),
        Command::Authenticate {
            ceremony,
            user_name: Some(name),
        } => ceremony.run(|authenticator, options, spoil| {
            authenticator.authenticate_as(&name, &ceremony.origin, options, spoil)
        }),
    }
}

impl New {
    fn authenticator(&self) -> Authenticator {
        let default = Authenticator::new();
        Authenticator {
            aaguid: self.aaguid.unwrap_or(default.aaguid),
            algorithm: self.algorithm,
            attachment: self.attachment,
            transports: match self.transports.is_empty() {
                true => default.transports,
                false => self.transports.clone(),
            },
            verifies_user: !self.no_user_verification,
            backup: if self.synced {
                Backup::BackedUp
            } else {
                Backup::NotEligible
            },
            counts: !self.no_counter,
            related_origins: self.related_origins.clone(),
            credentials: Vec::new(),
        }
    }
}

impl Ceremony {
    fn run(
        &self,
        perform: impl FnOnce(&mut Authenticator, &str, &Spoil) -> Result<String, CeremonyError>,
    ) -> Result<String, Failure> {
        let mut spoil = Spoil::default();
        for text in &self.spoils {
            spoil.add(text)?;
        }
        let mut options = String::new();
        io::stdin()
            .read_to_string(&mut options)
            .map_err(|error| Failure::Usage(format!("standard input: {error}")))?;
        let mut file = state::File::open(&self.state)?;
        let mut credential = perform(&mut file.authenticator, &options, &spoil)?;
        credential.push('\n');
        if let Some(clone) = &self.clone_to {
            state::create(clone, &file.authenticator)?;
        }
        file.save()?;
        Ok(credential)
    }
}

impl From<CeremonyError> for Failure {
    fn from(error: CeremonyError) -> Self {
        match error {
            CeremonyError::Spoil(_) => Self::Usage(error.to_string()),
            _ => Self::Refused(error),
        }
    }
}

fn spoils() -> String {
    let mut text = "Spoils (bytes are base64url):\n".to_owned();
    for spoil in SPOILS {
        let gap = if spoil.usage.len() > 34 {
            "\n                                    "
        } else {
            ""
        };
        text.push_str(&format!("  {:<34}{gap} {}\n", spoil.usage, spoil.help));
    }
    text
}

fn aaguid(text: &str) -> Result<[u8; 16], String> {
    let digits = text.replace('-', "");
    match u128::from_str_radix(&digits, 16) {
        Ok(number) if digits.len() == 32 => Ok(number.to_be_bytes()),
        _ => Err("not a UUID".to_owned()),
    }
}

/// Reads a name as the state file has it.
fn named<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|_| "not one of the names".to_owned())
}
