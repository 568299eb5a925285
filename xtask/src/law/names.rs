//! What a path names: followed through modules, imports and re-exports to the file that defines what it ends at.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Item, UseTree, Visibility};

use super::tree::{ROOT, Tree, plain};

/// A path as it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Written {
    /// It begins with `::`: another crate's.
    pub(super) is_foreign: bool,
    pub(super) segments: Vec<String>,
    /// It ends with `::*`.
    pub(super) is_glob: bool,
}

/// One name that a `use` declaration brings.
#[derive(Clone, Debug)]
pub(super) struct Import {
    /// What it is called here; nothing for `as _` and for globs.
    pub(super) name: Option<String>,
    pub(super) written: Written,
    pub(super) line: usize,
    /// `pub` in any form: it passes on.
    pub(super) is_reexport: bool,
}

/// What a path ends at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The module, or the one that defines the item.
    pub(super) module: usize,
    pub(super) is_module: bool,
    /// The name from the crate on, by the shortest way.
    pub(super) name: String,
    /// The modules whose imports were followed.
    pub(super) through: Vec<usize>,
}

#[derive(Debug, Default)]
struct Scope {
    modules: BTreeMap<String, usize>,
    items: BTreeSet<String>,
    imports: Vec<Import>,
}

/// The names of a crate.
#[derive(Debug)]
pub(super) struct Names<'a> {
    tree: &'a Tree,
    scopes: Vec<Scope>,
    /// `macro_rules!` by their names, and whether they are exported.
    macros: BTreeMap<String, Vec<(usize, bool)>>,
}

/// What a name means in a module.
enum Found {
    Module(usize),
    Item(usize, String),
    Foreign,
}

type Seen = BTreeSet<(usize, String)>;

impl<'a> Names<'a> {
    pub(super) fn of(tree: &'a Tree) -> Self {
        let mut names = Self {
            tree,
            scopes: Vec::new(),
            macros: BTreeMap::new(),
        };
        for (at, module) in tree.modules.iter().enumerate() {
            let mut scope = Scope::default();
            for item in &module.items {
                names.add(&mut scope, at, item);
            }
            names.scopes.push(scope);
        }
        for (at, module) in tree.modules.iter().enumerate() {
            if let (Some(parent), Some(name)) = (module.parent, module.path.last()) {
                // Of two with the same name under different conditions the first stands for both.
                names.scopes[parent]
                    .modules
                    .entry(name.clone())
                    .or_insert(at);
            }
        }
        names
    }

    fn add(&mut self, scope: &mut Scope, at: usize, item: &Item) {
        let ident = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::TraitAlias(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Union(item) => &item.ident,
            Item::Use(item) => {
                scope.imports.extend(imports(item));
                return;
            }
            Item::Macro(item) => {
                if let Some(ident) = &item.ident {
                    let is_exported = item
                        .attrs
                        .iter()
                        .any(|attribute| attribute.path().is_ident("macro_export"));
                    let places = self.macros.entry(plain(ident)).or_default();
                    places.push((at, is_exported));
                    scope.items.insert(plain(ident));
                }
                return;
            }
            _ => return,
        };
        scope.items.insert(plain(ident));
    }

    /// What a path names that is written in a module, below the local `use` declarations of a function. None when that is
    /// not of this crate.
    pub(super) fn target(&self, at: usize, local: &[Import], written: &Written) -> Option<Target> {
        let mut through = Vec::new();
        let mut seen = Seen::new();
        let found = self.local(at, local, written, &mut seen, &mut through)?;
        let (module, rest) = match found {
            Found::Module(module) => (module, None),
            Found::Item(module, rest) => (module, Some(rest)),
            Found::Foreign => return None,
        };
        let is_module = rest.is_none();
        let mut name = vec!["crate".to_owned()];
        name.extend(self.tree.modules[module].path.iter().cloned());
        name.extend(rest);
        name.extend(written.is_glob.then(|| "*".to_owned()));
        Some(Target {
            module,
            is_module,
            name: name.join("::"),
            through,
        })
    }

    /// All that a glob brings into a module from elsewhere than the module that it names: re-exports, and for modules inside
    /// that one its private imports too.
    pub(super) fn brought(&self, at: usize, from: usize) -> Vec<Target> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        let mut todo = vec![from];
        while let Some(from) = todo.pop().filter(|from| seen.insert(*from)) {
            let is_inside = self.tree.is_within(at, from);
            for import in &self.scopes[from].imports {
                if !import.is_reexport && !is_inside {
                    continue;
                }
                if let Some(target) = self.target(from, &[], &import.written) {
                    todo.extend(
                        (import.written.is_glob && target.is_module).then_some(target.module),
                    );
                    found.push(target);
                }
            }
        }
        found
    }

    /// Where the macro of this name is defined, if it comes into this module without an import.
    pub(super) fn textual_macro(&self, at: usize, name: &str) -> Option<Target> {
        let (place, _) = self.macros.get(name)?.iter().find(|(place, _)| {
            let reach = |place: usize| self.tree.is_within(at, place);
            let mut outer = *place;
            // `#[macro_use] mod x;` lets the macros of x out.
            while !reach(outer) && self.tree.modules[outer].macro_use {
                match self.tree.modules[outer].parent {
                    Some(parent) => outer = parent,
                    None => break,
                }
            }
            reach(outer)
        })?;
        let mut name = vec![name.to_owned()];
        name.splice(0..0, self.tree.modules[*place].path.iter().cloned());
        Some(Target {
            module: *place,
            is_module: false,
            name: format!("crate::{}!", name.join("::")),
            through: Vec::new(),
        })
    }

    /// `#[macro_export]` puts a macro's name beside the crate's own.
    fn exported_macro(&self, name: &str) -> Option<usize> {
        let places = self.macros.get(name)?;
        let exported = places.iter().find(|(_, is_exported)| *is_exported);
        exported.map(|(place, _)| *place)
    }

    /// A path whose first name may be one of a function's own imports.
    fn local(
        &self,
        at: usize,
        local: &[Import],
        written: &Written,
        seen: &mut Seen,
        through: &mut Vec<usize>,
    ) -> Option<Found> {
        let first = written.segments.first()?;
        let mine = local
            .iter()
            .enumerate()
            .rfind(|(_, import)| import.name.as_ref() == Some(first));
        match mine.filter(|_| !written.is_foreign) {
            Some((place, import)) => {
                let outer = &local[..place];
                let found = self.local(at, outer, &import.written, seen, through)?;
                Some(self.descend(found, &written.segments[1..], seen, through))
            }
            None => self.follow(at, written, seen, through),
        }
    }

    fn follow(
        &self,
        at: usize,
        written: &Written,
        seen: &mut Seen,
        through: &mut Vec<usize>,
    ) -> Option<Found> {
        if written.is_foreign {
            return Some(Found::Foreign);
        }
        let mut rest = written.segments.as_slice();
        let mut start = None;
        while let Some((first, others)) = rest.split_first() {
            start = match (first.as_str(), start) {
                ("crate" | "$crate", None) => Some(ROOT),
                ("self", None) => Some(at),
                ("super", None) => Some(self.tree.modules[at].parent?),
                ("super", Some(module)) => Some(self.tree.modules[module].parent?),
                _ => break,
            };
            rest = others;
        }
        let found = match start {
            Some(module) => Found::Module(module),
            None => {
                let (first, others) = rest.split_first()?;
                rest = others;
                self.enter(at, first, seen, through)
                    .unwrap_or(Found::Foreign)
            }
        };
        Some(self.descend(found, rest, seen, through))
    }

    fn descend(
        &self,
        mut found: Found,
        rest: &[String],
        seen: &mut Seen,
        through: &mut Vec<usize>,
    ) -> Found {
        for (place, name) in rest.iter().enumerate() {
            match found {
                Found::Module(module) => {
                    // What is not found was made by a macro, here.
                    found = self
                        .enter(module, name, seen, through)
                        .unwrap_or_else(|| Found::Item(module, name.clone()));
                }
                Found::Item(module, first) => {
                    let rest = rest[place..].join("::");
                    return Found::Item(module, format!("{first}::{rest}"));
                }
                Found::Foreign => return Found::Foreign,
            }
        }
        found
    }

    /// A name in a module: a module inside it, an item, an import, or one that a glob brings.
    fn enter(
        &self,
        at: usize,
        name: &str,
        seen: &mut Seen,
        through: &mut Vec<usize>,
    ) -> Option<Found> {
        if !seen.insert((at, name.to_owned())) {
            return None;
        }
        let scope = &self.scopes[at];
        if let Some(module) = scope.modules.get(name) {
            return Some(Found::Module(*module));
        }
        if scope.items.contains(name) {
            return Some(Found::Item(at, name.to_owned()));
        }
        if let Some(place) = self.exported_macro(name).filter(|_| at == ROOT) {
            return Some(Found::Item(place, name.to_owned()));
        }
        let named = |import: &&Import| import.name.as_deref() == Some(name);
        if let Some(import) = scope.imports.iter().find(named) {
            through.push(at);
            return self.follow(at, &import.written, seen, through);
        }
        for import in scope.imports.iter().filter(|import| import.written.is_glob) {
            let before = through.len();
            through.push(at);
            if let Some(Found::Module(module)) = self.follow(at, &import.written, seen, through)
                && let Some(found) = self.enter(module, name, seen, through)
            {
                return Some(found);
            }
            through.truncate(before);
        }
        None
    }
}

/// The names that a declaration brings.
pub(super) fn imports(item: &syn::ItemUse) -> Vec<Import> {
    let mut found = Vec::new();
    let start = Written {
        is_foreign: item.leading_colon.is_some(),
        segments: Vec::new(),
        is_glob: false,
    };
    let is_reexport = !matches!(item.vis, Visibility::Inherited);
    leaves(&item.tree, start, is_reexport, &mut found);
    found
}

fn leaves(tree: &UseTree, mut written: Written, is_reexport: bool, found: &mut Vec<Import>) {
    let (name, ident) = match tree {
        UseTree::Path(path) => {
            written.segments.push(plain(&path.ident));
            return leaves(&path.tree, written, is_reexport, found);
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                leaves(tree, written.clone(), is_reexport, found);
            }
            return;
        }
        UseTree::Glob(glob) => {
            written.is_glob = true;
            let line = glob.star_token.spans[0].start().line;
            found.push(Import {
                name: None,
                written,
                line,
                is_reexport,
            });
            return;
        }
        UseTree::Name(name) => (plain(&name.ident), &name.ident),
        UseTree::Rename(rename) => (plain(&rename.rename), &rename.ident),
    };
    // `a::{self}` brings a.
    let is_self = ident == "self" && !written.segments.is_empty();
    let name = match tree {
        UseTree::Name(_) if is_self => written.segments.last().cloned(),
        _ => Some(name).filter(|name| name != "_"),
    };
    if !is_self {
        written.segments.push(plain(ident));
    }
    found.push(Import {
        name,
        written,
        line: ident.span().start().line,
        is_reexport,
    });
}
