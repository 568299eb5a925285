//! A file by which the one who changes credentials tells those who verify them what is committed.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
};

use keyplate::{Authenticated, ErrorCode, Role};

/// How many credentials there are.
pub(crate) const PLACES: usize = 12;
const SECRET: usize = 64;
const LEN: usize = 8 + SECRET;

/// What is committed about a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It is being changed: either answer is right.
    Changing,
    Administrator,
    User,
    Disabled,
    Expired,
    Gone,
}

const STATES: [State; 6] = [
    State::Changing,
    State::Administrator,
    State::User,
    State::Disabled,
    State::Expired,
    State::Gone,
];

impl State {
    /// What is wrong with an answer that was asked for after this was committed.
    pub(crate) fn objection(self, answer: &keyplate::Result<Authenticated>) -> Option<String> {
        let code = answer.as_ref().err().map(|error| error.code());
        let role = answer.as_ref().ok().map(|found| found.role);
        let is_right = match self {
            Self::Changing => true,
            Self::Administrator => role == Some(Role::Administrator),
            Self::User => role == Some(Role::User),
            Self::Disabled => code == Some(ErrorCode::AccountDisabled),
            Self::Expired => code == Some(ErrorCode::AccountExpired),
            Self::Gone => code == Some(ErrorCode::InvalidCredential),
        };
        (!is_right).then(|| format!("{self:?}, but {role:?} {code:?}"))
    }
}

pub(crate) struct Board(File);

impl Board {
    pub(crate) fn of(database: &Path) -> Self {
        let path = database.with_file_name("board");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .unwrap();
        Self(file)
    }

    pub(crate) fn tell_secret(&self, place: usize, secret: &str) {
        let mut bytes = [b' '; SECRET];
        bytes[..secret.len()].copy_from_slice(secret.as_bytes());
        self.0.write_all_at(&bytes, at(place) + 8).unwrap();
    }

    /// Each time it is another version, so that whoever has read the same twice knows that nothing was told between.
    pub(crate) fn tell(&self, place: usize, state: State) {
        let version = (self.word(place) >> 3) + 1;
        let number = STATES.iter().position(|other| *other == state).unwrap() as u64;
        let word = (version << 3 | number).to_le_bytes();
        self.0.write_all_at(&word, at(place)).unwrap();
    }

    /// The state with its version.
    pub(crate) fn word(&self, place: usize) -> u64 {
        let mut word = [0; 8];
        let _ = self.0.read_at(&mut word, at(place)).unwrap();
        u64::from_le_bytes(word)
    }

    pub(crate) fn secret(&self, place: usize) -> String {
        let mut bytes = [0; SECRET];
        self.0.read_exact_at(&mut bytes, at(place) + 8).unwrap();
        String::from_utf8(bytes.to_vec())
            .unwrap()
            .trim_end()
            .to_owned()
    }
}

pub(crate) fn state(word: u64) -> State {
    STATES[(word & 7) as usize]
}

fn at(place: usize) -> u64 {
    (place * LEN) as u64
}
