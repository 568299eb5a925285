//! The folder of the operator's own files for the pages (`--web-dir`), read once: what is served does not change under a
//! browser that has loaded half of it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::options::Options;

/// Pages are small. Whoever names their home folder by mistake is told so before it has been read.
const MOST_FILES: usize = 1_000;
const MOST_BYTES: u64 = 32 << 20;

/// All files of the folder, each by its path from there.
pub(crate) fn read(options: &Options) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut found = Found::default();
    if let Some(folder) = &options.web_dir {
        let called = options.called("web-dir");
        let in_words = |reason| format!("{called} {}: {reason}", folder.display());
        found.walk(folder, "").map_err(in_words)?;
    }
    Ok(found.files)
}

#[derive(Default)]
struct Found {
    files: BTreeMap<String, Vec<u8>>,
    bytes: u64,
}

impl Found {
    fn walk(&mut self, folder: &Path, prefix: &str) -> Result<(), String> {
        for (name, path) in entries(folder).map_err(|error| error.to_string())? {
            let name = format!("{prefix}{name}");
            let about = fs::metadata(&path).map_err(|error| format!("{name}: {error}"))?;
            if about.is_dir() {
                self.walk(&path, &format!("{name}/"))?;
                continue;
            }
            self.bytes += about.len();
            if self.files.len() == MOST_FILES || self.bytes > MOST_BYTES {
                return Err("holds more than pages need; is it the right folder?".to_owned());
            }
            let bytes = fs::read(&path).map_err(|error| format!("{name}: {error}"))?;
            self.files.insert(name, bytes);
        }
        Ok(())
    }
}

/// What is in a folder, without what is hidden: editors and version control keep their own things there.
fn entries(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|_| io::Error::other("a file's name is not UTF-8"))?;
        if !name.starts_with('.') {
            entries.push((name, entry.path()));
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(folder: &Path) -> Options {
        let mut options = Options::of("http://localhost:1411");
        options.web_dir = Some(folder.to_owned());
        options
    }

    #[test]
    fn files_are_named_by_their_path_and_hidden_ones_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("messages")).unwrap();
        fs::create_dir_all(folder.path().join(".git")).unwrap();
        fs::write(folder.path().join("messages/fr.js"), "x").unwrap();
        fs::write(folder.path().join(".git/config"), "x").unwrap();
        let files = read(&with(folder.path())).unwrap();
        assert_eq!(files.into_keys().collect::<Vec<_>>(), ["messages/fr.js"]);
    }

    #[test]
    fn a_folder_that_is_not_there_or_too_large_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let error = read(&with(&folder.path().join("nothing"))).unwrap_err();
        assert!(error.starts_with("--web-dir "), "{error}");
        for i in 0..=MOST_FILES {
            fs::write(folder.path().join(i.to_string()), "").unwrap();
        }
        let error = read(&with(folder.path())).unwrap_err();
        assert!(error.contains("more than pages need"), "{error}");
    }
}
