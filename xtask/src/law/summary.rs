//! What a house looks like, for people.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use super::{
    House,
    graph::{Graph, circles},
    verdict::{Way, breaches, stand, way},
};

/// Folders with their arrows, how many arrows go which way, and the circles.
pub(super) fn summary(house: &House, graph: &Graph) -> String {
    let mut out = String::new();
    let lines: usize = graph.files.iter().map(|file| file.lines).sum();
    let write = writeln!(
        out,
        "{}: {} files, {lines} lines, {} arrows between files",
        house.src,
        graph.files.len(),
        graph.arrows.len()
    );
    write.expect("a String takes everything");
    out += &folders(house, graph);
    let mut ways: BTreeMap<Way, usize> = BTreeMap::new();
    for (from, to) in graph.arrows.keys() {
        if let Some(way) = way(house, graph, *from, *to) {
            *ways.entry(way).or_default() += 1;
        }
    }
    let count = |way: Way| ways.get(&way).copied().unwrap_or_default();
    out += &format!(
        "  arrows: {} down, {} along, {} sideways, {} up, {} to {}\n",
        count(Way::Down),
        count(Way::Along),
        count(Way::Sideways),
        count(Way::Up),
        count(Way::Root),
        house.root
    );
    out += &described(graph);
    let breaches = breaches(house, graph);
    out += &format!("  breaches: {}\n", breaches.len());
    out
}

/// The folder that a file is counted with: its floor's, or without one its own.
fn folder(house: &House, graph: &Graph, file: usize) -> String {
    let path = &graph.files[file].path;
    match (stand(house, path), path.parent()) {
        (Some(stand), _) => stand.name.to_owned(),
        (None, Some(parent)) if parent != "" => format!("{parent}/"),
        _ if path == house.root => path.to_string(),
        _ => "(no floor)".to_owned(),
    }
}

fn folders(house: &House, graph: &Graph) -> String {
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    for file in 0..graph.files.len() {
        *sizes.entry(folder(house, graph, file)).or_default() += 1;
    }
    let mut arrows: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for (from, to) in graph.arrows.keys() {
        let (from, to) = (folder(house, graph, *from), folder(house, graph, *to));
        *arrows.entry(from).or_default().entry(to).or_default() += 1;
    }
    let mut names: Vec<&String> = sizes.keys().collect();
    let floor = |name: &&String| stand(house, name.as_str().into()).map(|stand| stand.floor);
    names.sort_by_key(|name| (floor(name).is_some(), floor(name), *name));
    let mut out = String::new();
    for name in names {
        let to = arrows.get(name).into_iter().flatten();
        let to: Vec<String> = to.map(|(to, count)| format!("{to} {count}")).collect();
        out += &format!("  {name} ({}) -> {}\n", sizes[name], to.join(", "));
    }
    let between = arrows.into_iter().map(|(from, to)| {
        let others = to.into_keys().filter(|other| *other != from);
        (from.clone(), others.collect::<BTreeSet<_>>())
    });
    for circle in circles(&between.collect()) {
        let names: Vec<String> = circle.into_iter().collect();
        out += &format!("  circle of folders: {}\n", names.join(", "));
    }
    out
}

/// Circles of files, rooms or not.
fn described(graph: &Graph) -> String {
    let mut files: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (from, to) in graph.arrows.keys() {
        files.entry(*from).or_default().insert(*to);
    }
    let mut out = String::new();
    for circle in circles(&files) {
        let names: Vec<&str> = circle
            .iter()
            .map(|file| graph.files[*file].path.as_str())
            .collect();
        out += &format!("  circle of {} files: {}\n", names.len(), names.join(", "));
    }
    out
}
