//! Which file names which, and what circles there are.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::Utf8PathBuf;

use super::{
    mentions::{Mention, mentions},
    names::Names,
    tree::{File, ROOT, Tree},
};

/// A line that names something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: usize,
    /// As the crate calls it: `crate::db::value::Param`.
    pub(super) name: String,
}

/// All that one file names of another.
#[derive(Debug, Default)]
pub(super) struct Arrow {
    imports: BTreeSet<Place>,
    others: BTreeSet<Place>,
}

/// The files of a crate and the arrows between them.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) src: String,
    pub(super) files: Vec<File>,
    pub(super) arrows: BTreeMap<(usize, usize), Arrow>,
    /// Rust files that are no part of the crate.
    pub(super) strays: Vec<Utf8PathBuf>,
}

impl Arrow {
    /// The lines to change: the imports, and only without any the lines that name the file by a whole path.
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        if self.imports.is_empty() {
            self.others.iter()
        } else {
            self.imports.iter()
        }
    }
}

impl Graph {
    pub(super) fn of(tree: &Tree) -> Result<Self> {
        let names = Names::of(tree);
        let mut graph = Self {
            src: tree.src.clone(),
            files: tree.files.clone(),
            arrows: BTreeMap::new(),
            strays: tree.strays.clone(),
        };
        for mention in mentions(tree, &names)? {
            graph.add(tree, &mention);
        }
        Ok(graph)
    }

    fn add(&mut self, tree: &Tree, mention: &Mention) {
        if mention.is_door {
            return;
        }
        let from = tree.modules[mention.module].file;
        let mut named = BTreeSet::from([tree.modules[mention.target.module].file]);
        // The first of those that pass it on is named too. A module that passes on what is inside it is only the way there,
        // but not the crate's own file, whose names are for others.
        let others = mention.target.through.iter();
        if let Some(module) = others
            .copied()
            .find(|module| tree.modules[*module].file != from)
            && (module == ROOT || !tree.is_within(mention.target.module, module))
        {
            named.insert(tree.modules[module].file);
        }
        named.remove(&from);
        for to in named {
            let arrow = self.arrows.entry((from, to)).or_default();
            let places = match mention.is_use {
                true => &mut arrow.imports,
                false => &mut arrow.others,
            };
            places.insert(Place {
                line: mention.line,
                name: mention.target.name.clone(),
            });
        }
    }

    /// A file as messages name it.
    pub(super) fn shown(&self, file: usize) -> String {
        format!("{}/{}", self.src, self.files[file].path)
    }
}

/// The largest sets of which each member reaches each other one, of two members and more.
pub(super) fn circles<T: Ord + Clone>(arrows: &BTreeMap<T, BTreeSet<T>>) -> Vec<BTreeSet<T>> {
    let reached: BTreeMap<&T, BTreeSet<&T>> = arrows
        .keys()
        .map(|start| (start, reach(arrows, start)))
        .collect();
    let mut found: Vec<BTreeSet<T>> = Vec::new();
    for (start, its) in &reached {
        let is_back = |other: &&&T| {
            reached
                .get(**other)
                .is_some_and(|back| back.contains(start))
        };
        let circle: BTreeSet<T> = its
            .iter()
            .filter(is_back)
            .map(|other| (*other).clone())
            .collect();
        if circle.len() > 1 && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

fn reach<'a, T: Ord>(arrows: &'a BTreeMap<T, BTreeSet<T>>, start: &'a T) -> BTreeSet<&'a T> {
    let mut found = BTreeSet::new();
    let mut todo = vec![start];
    while let Some(next) = todo.pop() {
        let new = arrows.get(next).into_iter().flatten();
        todo.extend(new.filter(|other| found.insert(*other)));
    }
    found
}
