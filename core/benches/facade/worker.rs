//! Data and turns for the other languages' benchmarks, which `cargo xtask bench` runs beside this one.

use std::{fs, hint::black_box, io, path::Path, time::Instant};

use crate::data::Data;

/// The same data as `verify_api_key` has, with the secrets in a file, one a line.
pub(crate) fn prepare(folder: &Path) {
    let data = Data::with_keys(folder, 100_000);
    fs::write(folder.join("secrets"), data.secrets.join("\n")).unwrap();
}

/// Verifies API keys of the prepared data: for each line `FROM COUNT` so many, from that one on; answers with the
/// nanoseconds. The other languages' programs do the same.
pub(crate) fn work(folder: &Path) {
    let data = Data::prepared(folder);
    let keyplate = data.open();
    for line in io::stdin().lines() {
        let line = line.unwrap();
        let (from, count) = line.split_once(' ').unwrap();
        let (from, count): (usize, usize) = (from.parse().unwrap(), count.parse().unwrap());
        let began = Instant::now();
        for n in from..from + count {
            drop(black_box(keyplate.verify_api_key(data.secret(n)).unwrap()));
        }
        println!("{}", began.elapsed().as_nanos());
    }
}
