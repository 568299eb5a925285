//! Where a crate's sources name its own modules and items.

use anyhow::{Result, bail};
use syn::{
    Attribute, Block, Expr, ItemMod, ItemUse, Lit, Macro, Meta, Path, Stmt, Visibility,
    visit::{self, Visit},
};

use super::{
    names::{Import, Names, Target, Written, imports},
    tokens,
    tree::{Tree, plain},
};

/// One place where something of the crate is named.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    /// The module that it stands in.
    pub(super) module: usize,
    pub(super) line: usize,
    pub(super) target: Target,
    /// It stands in a `use` declaration.
    pub(super) is_use: bool,
    /// The declaration passes on what stands inside the same module: a door, no arrow.
    pub(super) is_door: bool,
}

/// All mentions, in the order of the modules.
pub(super) fn mentions(tree: &Tree, names: &Names) -> Result<Vec<Mention>> {
    let mut reader = Reader {
        tree,
        names,
        at: 0,
        local: Vec::new(),
        found: Vec::new(),
        hidden: Vec::new(),
    };
    for (at, module) in tree.modules.iter().enumerate() {
        reader.at = at;
        for item in &module.items {
            reader.visit_item(item);
        }
    }
    if let Some((module, line)) = reader.hidden.first() {
        let file = tree.shown(tree.modules[*module].file);
        bail!("{file}:{line}: a module inside a function; put it beside the function");
    }
    Ok(reader.found)
}

/// Keys of attributes whose text is a path.
const PATHS_IN_TEXT: &[&str] = &[
    "default",
    "deserialize_with",
    "from",
    "into",
    "remote",
    "serialize_with",
    "skip_serializing_if",
    "try_from",
    "with",
];

struct Reader<'a> {
    tree: &'a Tree,
    names: &'a Names<'a>,
    at: usize,
    /// What the blocks around this place import.
    local: Vec<Import>,
    found: Vec<Mention>,
    /// Modules inside functions, which are in no list of modules.
    hidden: Vec<(usize, usize)>,
}

impl Reader<'_> {
    fn name(&mut self, written: &Written, line: usize) {
        if let Some(target) = self.names.target(self.at, &self.local, written) {
            self.push(target, line, false, false);
        }
    }

    fn push(&mut self, target: Target, line: usize, is_use: bool, is_reexport: bool) {
        let is_inside = self.tree.is_within(target.module, self.at);
        self.found.push(Mention {
            module: self.at,
            line,
            target,
            is_use,
            is_door: is_reexport && is_inside,
        });
    }

    fn call(&mut self, name: &str, line: usize) {
        let written = Written {
            is_foreign: false,
            segments: vec![name.to_owned()],
            is_glob: false,
        };
        // One that was imported is named where it is imported.
        if self.names.target(self.at, &self.local, &written).is_none()
            && let Some(target) = self.names.textual_macro(self.at, name)
        {
            self.push(target, line, false, false);
        }
    }

    fn tokens(&mut self, tokens: proc_macro2::TokenStream) {
        for among in tokens::paths(tokens) {
            match among.is_call {
                true => self.call(&among.written.segments[0], among.line),
                false => self.name(&among.written, among.line),
            }
        }
    }

    /// `#[serde(with = "a::b")]`: text that is a path.
    fn texts(&mut self, tokens: proc_macro2::TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        for three in tokens.windows(3) {
            let [
                proc_macro2::TokenTree::Ident(key),
                proc_macro2::TokenTree::Punct(sign),
                proc_macro2::TokenTree::Literal(text),
            ] = three
            else {
                continue;
            };
            let is_key = PATHS_IN_TEXT.contains(&key.to_string().as_str()) && sign.as_char() == '=';
            let text = syn::parse_str::<Lit>(&text.to_string());
            if let (true, Ok(Lit::Str(text))) = (is_key, text)
                && let Ok(path) = syn::parse_str::<Path>(&text.value())
            {
                self.name(&written(&path), key.span().start().line);
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        for import in imports(item) {
            // In a function, what stands there already may be where it begins.
            let outer: Vec<Import> = self
                .local
                .iter()
                .filter(|other| other.name != import.name)
                .cloned()
                .collect();
            let Some(target) = self.names.target(self.at, &outer, &import.written) else {
                continue;
            };
            let file = |module: usize| self.tree.modules[module].file;
            // What the same file imports is named there already.
            let is_elsewhere = file(target.module) != file(self.at);
            if import.written.is_glob && target.is_module && is_elsewhere {
                for brought in self.names.brought(self.at, target.module) {
                    self.push(brought, import.line, true, import.is_reexport);
                }
            }
            self.push(target, import.line, true, import.is_reexport);
        }
        for attribute in &item.attrs {
            self.visit_attribute(attribute);
        }
    }

    fn visit_block(&mut self, block: &'ast Block) {
        let before = self.local.len();
        for statement in &block.stmts {
            if let Stmt::Item(syn::Item::Use(item)) = statement {
                self.local.extend(imports(item));
            }
        }
        visit::visit_block(self, block);
        self.local.truncate(before);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.segments.len() > 1
            && let Some(last) = path.segments.last()
        {
            self.name(&written(path), last.ident.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        match call.path.get_ident() {
            Some(name) => self.call(&plain(name), name.span().start().line),
            None => self.visit_path(&call.path),
        }
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("doc") {
            return;
        }
        self.visit_path(attribute.path());
        match &attribute.meta {
            Meta::Path(_) => {}
            Meta::List(list) => {
                self.tokens(list.tokens.clone());
                self.texts(list.tokens.clone());
            }
            Meta::NameValue(pair) => {
                if !matches!(pair.value, Expr::Lit(_)) {
                    self.visit_expr(&pair.value);
                }
            }
        }
    }

    /// `pub(in crate::rules)` says who sees it, and imports nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        for attribute in &item.attrs {
            self.visit_attribute(attribute);
        }
        if item.content.is_some() {
            self.hidden.push((self.at, item.ident.span().start().line));
        }
    }
}

fn written(path: &Path) -> Written {
    Written {
        is_foreign: path.leading_colon.is_some(),
        segments: path
            .segments
            .iter()
            .map(|segment| plain(&segment.ident))
            .collect(),
        is_glob: false,
    }
}
