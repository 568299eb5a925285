use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{
    commands::{api_keys, users},
    options::{self, Options},
};

/// Users, passkeys, first-run setup, sign-up, groups, services, API keys and sessions over HTTP, with pages for people.
#[derive(Debug, Parser)]
#[command(name = "keyplate-server", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

/// What the program is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve; the same as no command.
    Serve,
    /// Print a code, or beyond 15 minutes a token, that signs a user in once. A server may be running.
    OneTimeToken {
        /// His username, e-mail address or id.
        name: String,
        /// How long it works: 15m, 24h, 7d; at most 31 days.
        #[arg(long, value_name = "TIME", default_value = "15m", value_parser = options::seconds)]
        ttl: u32,
        /// For who has lost his passkey: within 15 minutes of signing in he may register a new one and delete others.
        /// All his other sessions end.
        #[arg(long)]
        recovery: bool,
    },
    /// Print a new setup link, until setup is complete; earlier ones end. A server may be running.
    SetupToken,
    /// Open setup again, when nobody can sign in as administrator any more, and print the setup link. A server may be
    /// running.
    ResetSetup {
        /// Which setup is opened again: 1 for the first. It must be the present one.
        #[arg(long, value_name = "N")]
        generation: u32,
    },
    /// List, make and change users. A server may be running.
    User {
        #[command(subcommand)]
        command: users::Command,
    },
    /// List, make and revoke API keys. A server may be running.
    ApiKey {
        #[command(subcommand)]
        command: api_keys::Command,
    },
    /// Copy the database to a new file, while a server goes on writing.
    Backup {
        /// The file, which must not exist.
        file: PathBuf,
    },
    /// Read all of the database and say what is wrong with it. A server may be running.
    Check,
    /// Let another key sign access tokens. Give it the encryption key that the server has, which may be running.
    RotateKey {
        /// How long tokens of the former key are good: 1h if left out, at most 7d; 0 for a key that got into other hands.
        #[arg(long, value_name = "TIME", value_parser = overlap)]
        overlap: Option<u32>,
    },
    /// Make settings, groups, services, users, invitations and API keys as a plan declares them, and print what was
    /// different. The database is made if it is missing; a server may be running.
    Bootstrap {
        /// The plan, .toml or .json; examples/server/plan.toml is one.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Print a fresh random secret, for an API key of a plan or as an encryption key.
    GenerateKey,
}

/// Reads command line and environment; ends the process for `--help`, `--version` and mistakes.
pub(crate) fn read() -> (Command, Options) {
    let line = CommandLine::parse();
    let mut options = line.options;
    // An environment variable that is there and empty says nothing.
    for list in [
        &mut options.extra_origins,
        &mut options.related_origins,
        &mut options.native_origins,
    ] {
        list.retain(|origin| !origin.is_empty());
    }
    options.rp_id = options.rp_id.filter(|id| !id.is_empty());
    options.bootstrap_file = options.bootstrap_file.filter(|f| !f.as_os_str().is_empty());
    let key_file = &mut options.encryption_key_file;
    key_file.take_if(|path| path.as_os_str().is_empty());
    (line.command.unwrap_or(Command::Serve), options)
}

/// A length of time that may be none.
fn overlap(text: &str) -> Result<u32, String> {
    if text == "0" {
        Ok(0)
    } else {
        options::seconds(text)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_help_tells_of_every_command_and_option() {
        let mut line = CommandLine::command();
        line.build();
        let mut commands = vec![line];
        let mut told = 0;
        while let Some(mut command) = commands.pop() {
            let name = command.get_name().to_owned();
            let help = command.render_help().to_string();
            for argument in command.get_arguments() {
                let id = argument.get_id();
                assert!(argument.get_help().is_some(), "{name}: {id}");
                let word = argument.get_long().map(|long| format!("--{long}"));
                let word = word.unwrap_or_else(|| id.as_str().to_uppercase());
                assert!(help.contains(&word), "{name}: {word}");
                told += 1;
            }
            for inner in command.get_subcommands() {
                let word = inner.get_name();
                assert!(inner.get_about().is_some(), "{name}: {word}");
                assert!(help.contains(&format!("\n  {word} ")), "{name}: {word}");
                // What clap makes itself, it documents itself.
                if word != "help" {
                    commands.push(inner.clone());
                }
            }
        }
        assert!(told > 100, "{told}");
    }
}
