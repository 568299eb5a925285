//! The server as its clients see it: each test starts the program itself, on a port and a folder of its own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod access_tokens;
mod api_keys;
mod audit;
mod bodies;
mod bootstrap;
mod callers;
mod claims;
mod clients;
mod clock;
mod commands;
mod connections;
mod conventions;
mod database_commands;
mod edges;
mod encryption_key;
mod files;
mod grounds;
mod groups;
mod healthcheck;
mod keep_alive;
mod key_commands;
mod list_table;
mod lists;
mod local_users;
mod measurements;
mod names;
mod one_time;
mod pages;
mod passkey_login;
mod passkey_signup;
mod passkey_tabs;
mod passkeys;
mod person;
mod process;
mod put_back;
mod qr_code;
mod recovery;
mod relying_party;
mod service;
mod services;
mod sessions;
mod settings;
mod setup;
mod signals;
mod signup;
mod signup_tokens;
mod step_up;
mod storage;
mod support;
mod times;
mod unix_sockets;
mod upkeep;
mod user_commands;
mod users;
mod ways_in;
