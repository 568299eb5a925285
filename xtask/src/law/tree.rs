//! A crate as its sources are: files, and the modules in them.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use syn::{Attribute, Expr, Item, ItemMod, Lit, Meta};

/// The crate's root; the first module that is read.
pub(super) const ROOT: usize = 0;

#[derive(Clone, Debug)]
pub(super) struct File {
    /// Seen from the folder of the sources.
    pub(super) path: Utf8PathBuf,
    pub(super) lines: usize,
}

#[derive(Debug)]
pub(super) struct Module {
    /// Seen from the crate; the root's is empty.
    pub(super) path: Vec<String>,
    pub(super) file: usize,
    pub(super) parent: Option<usize>,
    /// Modules inside it stand in the list of modules, and here without their content.
    pub(super) items: Vec<Item>,
    /// Its macros reach into the modules beside it.
    pub(super) macro_use: bool,
}

#[derive(Debug)]
pub(super) struct Tree {
    pub(super) src: String,
    pub(super) files: Vec<File>,
    pub(super) modules: Vec<Module>,
    /// Rust files in the folder that are no part of the crate.
    pub(super) strays: Vec<Utf8PathBuf>,
}

/// Where the files of a module's children are.
#[derive(Clone)]
struct Place {
    file: usize,
    /// For `mod x;`.
    folder: Utf8PathBuf,
    /// For `#[path]`.
    beside: Utf8PathBuf,
}

impl Tree {
    /// Reads the crate whose file is `src/root`, all modules that it declares, with whatever `cfg`.
    pub(super) fn read(workspace: &Utf8Path, src: &str, root: &str) -> Result<Self> {
        let mut tree = Self {
            src: src.to_owned(),
            files: Vec::new(),
            modules: Vec::new(),
            strays: Vec::new(),
        };
        let folder = workspace.join(src);
        tree.file(&folder, Utf8Path::new(root), true, Declared::crate_root())?;
        let read: BTreeSet<&Utf8Path> = tree.files.iter().map(|file| file.path.as_path()).collect();
        let mut strays = Vec::new();
        rust_files(&folder, Utf8Path::new(""), &mut strays)?;
        strays.retain(|path| !read.contains(path.as_path()));
        tree.strays = strays;
        Ok(tree)
    }

    /// `is_mod_rs`: its children's files are beside it, not in a folder of its name.
    fn file(
        &mut self,
        src: &Utf8Path,
        path: &Utf8Path,
        is_mod_rs: bool,
        declared: Declared,
    ) -> Result<()> {
        let place = src.join(path);
        let text = std::fs::read_to_string(&place).with_context(|| place.to_string())?;
        let content = syn::parse_file(&text).map_err(|error| {
            let start = error.span().start();
            anyhow::anyhow!("{place}:{}: {error}", start.line)
        })?;
        self.files.push(File {
            path: path.to_owned(),
            lines: text.lines().count(),
        });
        let beside = path.parent().unwrap_or(Utf8Path::new("")).to_owned();
        let folder = if is_mod_rs {
            beside.clone()
        } else {
            beside.join(path.file_stem().unwrap_or_default())
        };
        let place = Place {
            file: self.files.len() - 1,
            folder,
            beside,
        };
        self.module(src, &place, content.items, declared)
    }

    fn module(
        &mut self,
        src: &Utf8Path,
        place: &Place,
        mut items: Vec<Item>,
        declared: Declared,
    ) -> Result<()> {
        let me = self.modules.len();
        let mut inner = Vec::new();
        for item in &mut items {
            if let Item::Mod(item) = item {
                inner.push((item.content.take(), item.clone()));
            }
        }
        let path = declared.path.clone();
        self.modules.push(Module {
            path: declared.path,
            file: place.file,
            parent: declared.parent,
            items,
            macro_use: declared.macro_use,
        });
        for (content, item) in inner {
            let name = plain(&item.ident);
            let mut child = Declared {
                path: path.clone(),
                parent: Some(me),
                macro_use: item
                    .attrs
                    .iter()
                    .any(|attr| attr.path().is_ident("macro_use")),
            };
            child.path.push(name.clone());
            match content {
                Some((_, items)) => {
                    let folder = place.folder.join(&name);
                    let place = Place {
                        file: place.file,
                        beside: folder.clone(),
                        folder,
                    };
                    self.module(src, &place, items, child)?;
                }
                None => self.declared_file(src, place, &item, &name, child)?,
            }
        }
        Ok(())
    }

    /// `mod name;`
    fn declared_file(
        &mut self,
        src: &Utf8Path,
        place: &Place,
        item: &ItemMod,
        name: &str,
        child: Declared,
    ) -> Result<()> {
        if let Some(path) = path_attribute(&item.attrs) {
            let path = normal(&place.beside.join(path));
            return self.file(src, &path, true, child);
        }
        let single = place.folder.join(format!("{name}.rs"));
        let nested = place.folder.join(name).join("mod.rs");
        if src.join(&single).is_file() {
            self.file(src, &single, false, child)
        } else if src.join(&nested).is_file() {
            self.file(src, &nested, true, child)
        } else {
            bail!(
                "{}/{}: no file for `mod {name}`",
                self.src,
                self.files[place.file].path
            )
        }
    }

    /// A file as messages name it.
    pub(super) fn shown(&self, file: usize) -> String {
        format!("{}/{}", self.src, self.files[file].path)
    }

    /// Is `inner` the module `outer` or inside it?
    pub(super) fn is_within(&self, inner: usize, outer: usize) -> bool {
        self.modules[inner]
            .path
            .starts_with(&self.modules[outer].path)
    }
}

/// What a declaration says of the module that it declares.
struct Declared {
    path: Vec<String>,
    parent: Option<usize>,
    macro_use: bool,
}

impl Declared {
    fn crate_root() -> Self {
        Self {
            path: Vec::new(),
            parent: None,
            macro_use: false,
        }
    }
}

/// A name without the `r#` before reserved words.
pub(super) fn plain(ident: &proc_macro2::Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes
        .iter()
        .find_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
                Expr::Lit(literal) => match &literal.lit {
                    Lit::Str(text) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        })
}

/// Without `.` and `..` where there is something to go back from.
fn normal(path: &Utf8Path) -> Utf8PathBuf {
    let mut out = Utf8PathBuf::new();
    for part in path.components() {
        match part.as_str() {
            "." => {}
            ".." if out.file_name().is_some_and(|name| name != "..") => drop(out.pop()),
            part => out.push(part),
        }
    }
    out
}

fn rust_files(src: &Utf8Path, folder: &Utf8Path, found: &mut Vec<Utf8PathBuf>) -> Result<()> {
    let place = src.join(folder);
    for entry in place.read_dir_utf8().with_context(|| place.to_string())? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            rust_files(src, &path, found)?;
        } else if path.extension() == Some("rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(())
}
