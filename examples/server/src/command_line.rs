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

/// What the program should do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the server. This is what happens without a command, too.
    ///
    /// SIGTERM and SIGINT stop it after the requests that are under way. SIGHUP changes nothing: there is no file to read
    /// again. A server in a terminal takes it as the end of that terminal, and stops.
    Serve,
    /// Print a code that signs a user in once, or a token if it is to work for longer than 15 minutes. A server may be
    /// running.
    OneTimeToken {
        /// The user's username, id, or an e-mail address that they hold.
        name: String,
        /// How long it works, with a unit, such as 45s, 15m, 24h or 7d; at most 31 days.
        #[arg(long, value_name = "TIME", default_value = "15m", value_parser = options::seconds)]
        ttl: i64,
        /// For a user who has lost their passkey: within 15 minutes of signing in they may register a new one and delete
        /// the others. All their other sessions end.
        #[arg(long)]
        recovery: bool,
    },
    /// Print a new setup link, as long as setup is not complete. The links before it go on working, ten at most. A server
    /// may be running.
    SetupToken,
    /// Open setup again and print the setup link, for when nobody can sign in as an administrator any more. A server may
    /// be running.
    ResetSetup {
        /// The current generation of setup, which is 1 for the first setup. Any other number is refused.
        #[arg(long, value_name = "N")]
        generation: i64,
    },
    /// List, create and change users. A server may be running.
    User {
        #[command(subcommand)]
        command: users::Command,
    },
    /// List, create and revoke API keys. A server may be running.
    ApiKey {
        #[command(subcommand)]
        command: api_keys::Command,
    },
    /// Copy the database to a new file. A server may be running and goes on writing.
    Backup {
        /// The new file, which must not exist yet.
        file: PathBuf,
    },
    /// Put a back-up in the place of the database, which is kept under another name. No server may be running.
    Restore {
        /// The back-up, which is checked first and stays where it is.
        backup: PathBuf,
    },
    /// Read the whole database and report any damage. A server may be running.
    Check,
    /// Remove what expired or was revoked more than 30 days ago, and what of the audit log is older than its retention, and
    /// print how much that was. A running server does this once a day; it may be running.
    Upkeep,
    /// Ask the running server whether it is healthy, at the place where --listen says that it listens. Ends with 0 if it
    /// is, and else with 1 and a line that says why not.
    Healthcheck,
    /// Replace the key that signs access tokens. It needs the same encryption key as the server, which may be running.
    RotateKey {
        /// How long tokens signed by the former key stay valid, with a unit, such as 30m: 1h by default, at most 7d. Use 0 if
        /// the key has leaked.
        #[arg(long, value_name = "TIME", value_parser = overlap)]
        overlap: Option<i64>,
    },
    /// Make the clock's time the one by which credentials expire, after a clock that ran ahead was put right. Sessions, codes
    /// and tokens that were made by the wrong time end, and so do all access tokens. A server may be running.
    ResetClock,
    /// Apply a plan, which declares settings, groups, services, users, invitations and API keys, and print what changed. The
    /// database is created if it is missing. A server may be running.
    Bootstrap {
        /// The plan, a .toml or .json file; examples/server/plan.toml is an example.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Print a new random secret, for an API key in a plan or for use as the encryption key.
    GenerateKey,
}

/// Reads the command line and the environment. Ends the process after `--help` and `--version`, and when they are wrong.
pub(crate) fn read() -> (Command, Options) {
    let line = CommandLine::parse();
    (line.command.unwrap_or(Command::Serve), line.options)
}

/// A length of time, or zero, which is the same in every unit.
fn overlap(text: &str) -> Result<i64, String> {
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
