//! What breaks the law: an arrow that climbs or goes sideways, a name of `lib.rs`, a circle, a file without a floor.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::{
    House,
    graph::{Graph, Place, circles},
};

/// Where a file stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stand {
    /// From the top.
    pub(super) floor: usize,
    /// The file or folder that the floors name.
    pub(super) name: &'static str,
    /// Within a folder with floors of its own.
    inner: usize,
    /// `name`, or in a folder of rooms `name/room`.
    pub(super) room: String,
}

/// Where a file stands, if the floors have a place for it.
pub(super) fn stand(house: &House, path: &Utf8Path) -> Option<Stand> {
    let path = path
        .as_str()
        .trim_end_matches(".rs")
        .trim_end_matches("/mod");
    let parts: Vec<&str> = path.split('/').collect();
    let apart = house.apart.iter().find(|room| **room == path);
    for (floor, entries) in house.floors.iter().enumerate() {
        for entry in *entries {
            let name = entry.trim_end_matches('/');
            if name != parts[0] {
                continue;
            }
            let room = parts.get(1).filter(|_| entry.ends_with('/'));
            let within = house.within.iter().find(|(folder, _)| *folder == name);
            let inner = match (room, within) {
                (Some(room), Some((_, rooms))) => rooms
                    .iter()
                    .position(|other| other == room)
                    .map_or(0, |place| place + 1),
                _ => 0,
            };
            return Some(Stand {
                floor,
                name,
                inner,
                room: match (apart, room) {
                    (Some(room), _) => (*room).to_owned(),
                    (None, Some(room)) => format!("{name}/{room}"),
                    (None, None) => name.to_owned(),
                },
            });
        }
    }
    None
}

/// How an arrow goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Down,
    /// Within a room, or to another room of the same folder.
    Along,
    /// To a neighbour that may not be named.
    Sideways,
    Up,
    /// To the crate's own names, which are for others.
    Root,
}

/// How the arrow from one file to another goes; None where one of them has no place, or only passes on.
pub(super) fn way(house: &House, graph: &Graph, from: usize, to: usize) -> Option<Way> {
    let path = |file: usize| graph.files[file].path.as_path();
    let stand = |file: usize| stand(house, path(file));
    let (Some(from), Some(to)) = (stand(from), stand(to)) else {
        let is_root = path(to) == house.root && path(from) != house.root;
        return is_root.then_some(Way::Root);
    };
    let here = (
        from.floor,
        if from.name == to.name { from.inner } else { 0 },
    );
    let there = (to.floor, if from.name == to.name { to.inner } else { 0 });
    Some(match here.cmp(&there) {
        std::cmp::Ordering::Less => Way::Down,
        std::cmp::Ordering::Greater => Way::Up,
        std::cmp::Ordering::Equal => {
            let is_allowed = house.beside.contains(&(from.name, to.name));
            if from.name == to.name || is_allowed {
                Way::Along
            } else {
                Way::Sideways
            }
        }
    })
}

/// Every breach, a line each.
pub(super) fn breaches(house: &House, graph: &Graph) -> Vec<String> {
    let mut found = without_place(house, graph);
    found.extend(
        graph
            .strays
            .iter()
            .map(|path| format!("{}/{path}: no part of the crate", house.src)),
    );
    for ((from, to), arrow) in &graph.arrows {
        let Some(way @ (Way::Up | Way::Sideways | Way::Root)) = way(house, graph, *from, *to)
        else {
            continue;
        };
        for Place { line, name } in arrow.places() {
            let place = format!("{}:{line}", graph.shown(*from));
            let who = called(house, graph, *from, *to);
            found.push(match way {
                Way::Root => {
                    format!("{place}: {who} may not name {}; it is {name}", house.root)
                }
                _ => {
                    let whom = called(house, graph, *to, *from);
                    format!("{place}: {who} may not name {whom} ({name})")
                }
            });
        }
    }
    found.extend(circles_of_rooms(house, graph));
    found
}

/// The floor that a file stands on, or within one floor its room.
fn called(house: &House, graph: &Graph, file: usize, other: usize) -> String {
    let of = |file: usize| stand(house, &graph.files[file].path);
    match (of(file), of(other)) {
        (Some(here), Some(there)) if here.name == there.name => here.room,
        (Some(here), _) => here.name.to_owned(),
        (None, _) => graph.files[file].path.to_string(),
    }
}

fn without_place(house: &House, graph: &Graph) -> Vec<String> {
    let paths = graph.files.iter().map(|file| file.path.as_path());
    let lost = paths.filter(|path| *path != house.root && stand(house, path).is_none());
    lost.map(|path| {
        let first = path.components().next().map_or("", |first| first.as_str());
        let name = first.trim_end_matches(".rs");
        format!("{}/{path}: {name} stands on no floor", house.src)
    })
    .collect()
}

/// Circles between the rooms of a floor.
fn circles_of_rooms(house: &House, graph: &Graph) -> Vec<String> {
    let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut lines: BTreeMap<(String, String), String> = BTreeMap::new();
    for ((from, to), arrow) in &graph.arrows {
        let stands = [*from, *to].map(|file| stand(house, &graph.files[file].path));
        let [Some(here), Some(there)] = stands else {
            continue;
        };
        let is_left_out = house
            .circles
            .contains(&(here.room.as_str(), there.room.as_str()));
        if here.floor != there.floor || here.room == there.room || is_left_out {
            continue;
        }
        if let Some(Place { line, name }) = arrow.places().next() {
            let pair = (here.room.clone(), there.room.clone());
            let shown = format!("{}:{line} names {name}", graph.shown(*from));
            lines.entry(pair).or_insert(shown);
        }
        rooms.entry(here.room).or_default().insert(there.room);
    }
    let describe = |circle: BTreeSet<String>| {
        let inside = lines
            .iter()
            .filter(|((from, to), _)| circle.contains(from) && circle.contains(to));
        let lines: Vec<&str> = inside.map(|(_, line)| line.as_str()).collect();
        let names: Vec<&str> = circle.iter().map(String::as_str).collect();
        format!(
            "{}: a circle of {}: {}",
            house.src,
            names.join(", "),
            lines.join("; ")
        )
    };
    circles(&rooms).into_iter().map(describe).collect()
}
