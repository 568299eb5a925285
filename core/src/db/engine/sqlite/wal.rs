//! Does the log beside a file belong to it (D8)? SQLite believes any log under the right name: one that stayed when a
//! back-up was put in the place of the database overlays the back-up with pages of the former file.
//!
//! Each transaction writes the row `instance`, and so its page, into the log. That row holds the file's own id, which every
//! copy gets anew, and counts the transactions. What the file itself holds is what was brought over from its log at some
//! time. So either the row as it stands in the file is one of those in the log, or the log goes on from it.
//!
//! The file is read by SQLite, with its log out of sight; the log by what <https://sqlite.org/walformat.html> and
//! <https://sqlite.org/fileformat2.html> say.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
    thread,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::{failure, trouble::with_suffix};
use crate::{
    crypto::encryption,
    error::{ConfigurationReason, Result, configuration},
};

/// What a file id begins with, by which it is found in a page, and how many random bytes follow.
const ID_PREFIX: &[u8; 8] = b"keyplate";
const ID_BYTES: usize = 24;
const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// A table's leaf page, and what stands before its cells.
const LEAF: u8 = 0x0d;
const LEAF_HEADER: usize = 8;
/// A file that another process writes into right now may seem odd for a moment.
const TRIES: usize = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// What the row `instance` says of the file, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    file_id: Vec<u8>,
    /// How many transactions there had been.
    commits: i64,
}

/// What is known of the file without its log.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stored {
    /// There are no tables yet, or those of a schema that had no marks.
    Unmarked,
    Marked(Mark),
    /// A page may be half written: then the log has it too.
    Unknown,
}

/// A new id for a file.
fn new_file_id() -> Result<Vec<u8>> {
    let random: [u8; ID_BYTES - ID_PREFIX.len()] = encryption::random()?;
    Ok([ID_PREFIX.as_slice(), &random].concat())
}

/// From now on the file is none of those that it was copied from.
pub(super) fn give_file_id(connection: &Connection) -> Result<()> {
    connection
        .execute("UPDATE instance SET file_id = ?1", [new_file_id()?])
        .map(drop)
        .map_err(failure)
}

/// Refuses a file whose log is of another file, or of another state of it. What cannot be read is left to SQLite.
pub(super) fn check_belongs(database: &Path) -> Result<()> {
    for _ in 0..TRIES {
        let log = with_suffix(database, "-wal");
        let Ok(Some(first)) = Log::read(&log) else {
            return Ok(());
        };
        let stored = stored(database);
        if first.goes_on_from(&stored) {
            return Ok(());
        }
        // Both were as they are during one moment if neither has changed: the count of commits never goes back.
        let again = Log::read(&log);
        if again.is_ok_and(|again| again.is_some_and(|again| again.salts == first.salts))
            && self::stored(database) == stored
        {
            return Err(configuration("path", ConfigurationReason::OtherLog));
        }
        thread::sleep(BETWEEN_TRIES);
    }
    Ok(())
}

/// SQLite opens and closes it, so that the locks of this process stay what they are.
fn stored(database: &Path) -> Stored {
    let Some(uri) = immutable_uri(database) else {
        return Stored::Unknown;
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    #[expect(
        clippy::disallowed_methods,
        reason = "reads the file without its log, and writes nothing"
    )]
    let Ok(connection) = Connection::open_with_flags(uri, flags) else {
        return Stored::Unknown;
    };
    let columns = "SELECT count(*) FROM pragma_table_info('instance') WHERE name = 'file_id'";
    let has_marks = connection.query_row(columns, [], |row| row.get::<_, i64>(0));
    match has_marks {
        Ok(0) => return Stored::Unmarked,
        Ok(_) => {}
        Err(_) => return Stored::Unknown,
    }
    let row = connection.query_row("SELECT file_id, commits FROM instance", [], |row| {
        Ok((row.get::<_, Option<Vec<u8>>>(0)?, row.get(1)?))
    });
    match row {
        Ok((Some(file_id), commits)) => Stored::Marked(Mark { file_id, commits }),
        Ok((None, _)) => Stored::Unmarked,
        Err(_) => Stored::Unknown,
    }
}

/// SQLite then reads the file and nothing beside it, and takes no locks.
fn immutable_uri(path: &Path) -> Option<String> {
    use std::fmt::Write;

    let mut uri = "file:".to_owned();
    for byte in path.to_str()?.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                uri.push(char::from(byte));
            }
            _ => write!(uri, "%{byte:02X}").expect("text can be written to"),
        }
    }
    uri.push_str("?immutable=1");
    Some(uri)
}

/// What a log holds of the row `instance`.
#[derive(Debug)]
struct Log {
    salts: [u8; 8],
    marks: Vec<Mark>,
}

impl Log {
    /// None if it holds no transaction of a library that left marks.
    fn read(path: &Path) -> io::Result<Option<Self>> {
        let mut frames = match Frames::open(path)? {
            Some(frames) => frames,
            None => return Ok(None),
        };
        let (mut marks, mut uncommitted) = (Vec::new(), None);
        while let Some(ends_transaction) = frames.next()? {
            uncommitted = mark_in(&frames.page).or(uncommitted);
            if ends_transaction {
                marks.extend(uncommitted.take());
            }
        }
        let salts = frames.salts;
        Ok((!marks.is_empty()).then_some(Self { salts, marks }))
    }

    fn goes_on_from(&self, stored: &Stored) -> bool {
        let Some(first) = self.marks.first() else {
            return true;
        };
        match stored {
            Stored::Unknown => true,
            // The log begins with the transaction that gave the file its id.
            Stored::Unmarked => first.commits == 0,
            Stored::Marked(mark) => {
                let is_next = first.file_id == mark.file_id && first.commits == mark.commits + 1;
                is_next || self.marks.contains(mark)
            }
        }
    }
}

/// The frames of a log that count: those of its present generation, up to where it breaks off.
struct Frames {
    log: BufReader<File>,
    salts: [u8; 8],
    is_big_endian: bool,
    sums: (u32, u32),
    page: Vec<u8>,
}

impl Frames {
    fn open(path: &Path) -> io::Result<Option<Self>> {
        let mut log = BufReader::with_capacity(1 << 16, File::open(path)?);
        let mut header = [0; HEADER];
        if !read_whole(&mut log, &mut header)? {
            return Ok(None);
        }
        let magic = number(&header, 0);
        let page_size = number(&header, 8) as usize;
        let mut frames = Self {
            log,
            salts: header[16..24].try_into().expect("eight bytes"),
            is_big_endian: magic & 1 == 1,
            sums: (0, 0),
            page: vec![0; page_size.clamp(512, 65_536)],
        };
        frames.add(&header[..24]);
        let is_log = magic & !1 == 0x377f_0682
            && frames.page.len() == page_size
            && frames.sums == (number(&header, 24), number(&header, 28));
        Ok(is_log.then_some(frames))
    }

    /// Reads a frame's page; true if it ends a transaction. None at the end.
    fn next(&mut self) -> io::Result<Option<bool>> {
        let mut header = [0; FRAME_HEADER];
        let mut page = std::mem::take(&mut self.page);
        let is_whole =
            read_whole(&mut self.log, &mut header)? && read_whole(&mut self.log, &mut page)?;
        self.page = page;
        if !is_whole || header[8..16] != self.salts {
            return Ok(None);
        }
        self.add(&header[..8]);
        let page = std::mem::take(&mut self.page);
        self.add(&page);
        self.page = page;
        let is_right = self.sums == (number(&header, 16), number(&header, 20));
        Ok(is_right.then(|| number(&header, 4) != 0))
    }

    /// Goes on with the checksum, which runs through all of the log.
    fn add(&mut self, bytes: &[u8]) {
        let (mut first, mut second) = self.sums;
        for words in bytes.chunks_exact(8) {
            let word = |at: usize| {
                let bytes = words[at..at + 4].try_into().expect("four bytes");
                match self.is_big_endian {
                    true => u32::from_be_bytes(bytes),
                    false => u32::from_le_bytes(bytes),
                }
            };
            first = first.wrapping_add(word(0)).wrapping_add(second);
            second = second.wrapping_add(word(4)).wrapping_add(first);
        }
        self.sums = (first, second);
    }
}

/// False at the end of the file.
fn read_whole(log: &mut impl Read, into: &mut [u8]) -> io::Result<bool> {
    match log.read_exact(into) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// The mark, if this is the page of `instance`: a leaf with one row, in which an id of ours stands before a number. Where
/// in the row is not told here, since schemas add columns.
fn mark_in(page: &[u8]) -> Option<Mark> {
    if page[0] != LEAF || page[3..5] != [0, 1] {
        return None;
    }
    let cell = usize::from(u16::from_be_bytes([
        page[LEAF_HEADER],
        page[LEAF_HEADER + 1],
    ]));
    let (length, rest) = varint(page.get(cell..)?)?;
    let (rowid, rest) = varint(rest)?;
    let record = rest.get(..usize::try_from(length).ok()?)?;
    let (header_length, _) = varint(record)?;
    let header = record.get(..usize::try_from(header_length).ok()?)?;
    let (_, mut types) = varint(header)?;
    let mut values = &record[header.len()..];
    let mut id = None;
    while !types.is_empty() && rowid == 1 {
        let (serial_type, more) = varint(types)?;
        let value;
        (value, values) = values.split_at_checked(size_of_value(serial_type)?)?;
        if let (Some(file_id), 1..=6 | 8 | 9) = (id, serial_type) {
            let commits = integer(serial_type, value);
            return Some(Mark { file_id, commits });
        }
        let is_id = serial_type == (ID_BYTES as u64 * 2 + 12) && value.starts_with(ID_PREFIX);
        id = is_id.then(|| value.to_owned());
        types = more;
    }
    None
}

/// The bytes of a value with this serial type.
fn size_of_value(serial_type: u64) -> Option<usize> {
    match serial_type {
        0 | 8 | 9 => Some(0),
        1..=4 => Some(serial_type as usize),
        5 => Some(6),
        6 | 7 => Some(8),
        10 | 11 => None,
        text_or_blob => usize::try_from((text_or_blob - 12) / 2).ok(),
    }
}

fn integer(serial_type: u64, value: &[u8]) -> i64 {
    match serial_type {
        8 => 0,
        9 => 1,
        _ => {
            let negative = value.first().is_some_and(|byte| byte & 0x80 != 0);
            let start = if negative { -1 } else { 0 };
            let add = |number: i64, byte: &u8| (number << 8) | i64::from(*byte);
            value.iter().fold(start, add)
        }
    }
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (index, byte) in bytes.iter().take(8).enumerate() {
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[index + 1..]));
        }
    }
    let (ninth, rest) = bytes.get(8..)?.split_first()?;
    Some(((number << 8) | u64::from(*ninth), rest))
}
