//! The facade as the generators see it: every type, method and error that a face must carry.

/// A type that may stand in a public signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    Text,
    Id(String),
    Bytes,
    Bool,
    Int(&'static str),
    Time,
    Duration,
    /// An enum without data.
    Choice(String),
    /// An enum with data.
    Union(String),
    Record(String),
    Object(String),
    /// A trait that the host implements.
    Trait(String),
    Option(Box<Ty>),
    List(Box<Ty>),
}

/// A field of a record, a variant or an error, or a parameter of a method.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) ty: Ty,
    /// Without a default.
    pub(crate) required: bool,
    pub(crate) by_ref: bool,
    pub(crate) doc: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) name: String,
    /// What it is about: the file of core that it stands in.
    pub(crate) noun: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) doc: String,
    /// A method takes it.
    pub(crate) is_input: bool,
    /// A method, another record or a callback hands it out.
    pub(crate) is_output: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) name: String,
    /// In C and in Python; from `core/numbers.txt`. An error has its code instead.
    pub(crate) number: i32,
    pub(crate) fields: Vec<Field>,
    pub(crate) doc: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Enum {
    pub(crate) name: String,
    pub(crate) variants: Vec<Variant>,
    pub(crate) doc: String,
    pub(crate) non_exhaustive: bool,
    pub(crate) is_input: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) name: String,
    pub(crate) noun: String,
    pub(crate) inputs: Vec<Field>,
    pub(crate) output: Option<Ty>,
    pub(crate) doc: String,
    pub(crate) is_constructor: bool,
}

/// One line of the table of error codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) name: String,
    pub(crate) number: i64,
    pub(crate) doc: String,
}

/// An object or a trait of the facade: a name and what it is.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) noun: String,
    pub(crate) doc: String,
}

/// Documentation that some face shows.
#[derive(Clone, Debug)]
pub(crate) struct Doc {
    /// `User.id`
    pub(crate) of: String,
    pub(crate) text: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Facade {
    pub(crate) ids: Vec<String>,
    pub(crate) records: Vec<Record>,
    pub(crate) enums: Vec<Enum>,
    pub(crate) objects: Vec<Named>,
    pub(crate) traits: Vec<Named>,
    /// What is handed to these traits.
    pub(crate) heard: Vec<Ty>,
    pub(crate) methods: Vec<Method>,
    pub(crate) error: Enum,
    pub(crate) codes: Vec<Code>,
    /// Of all items and their parts.
    pub(crate) docs: Vec<Doc>,
}

impl Ty {
    /// The type without `Option` and `Vec` around it.
    pub(crate) fn leaf(&self) -> &Ty {
        match self {
            Ty::Option(inner) | Ty::List(inner) => inner.leaf(),
            ty => ty,
        }
    }

    /// As Rust writes it; for messages and `core/api.txt`.
    pub(crate) fn rust(&self) -> String {
        match self {
            Ty::Text => "String".to_owned(),
            Ty::Bytes => "Vec<u8>".to_owned(),
            Ty::Bool => "bool".to_owned(),
            Ty::Int(name) => (*name).to_owned(),
            Ty::Time => "SystemTime".to_owned(),
            Ty::Duration => "Duration".to_owned(),
            Ty::Id(name) | Ty::Choice(name) | Ty::Union(name) | Ty::Record(name) => name.clone(),
            Ty::Object(name) => name.clone(),
            Ty::Trait(name) => format!("dyn {name}"),
            Ty::Option(inner) => format!("Option<{}>", inner.rust()),
            Ty::List(inner) => format!("Vec<{}>", inner.rust()),
        }
    }

    /// The name of the record inside, if there is one.
    pub(crate) fn record(&self) -> Option<&str> {
        match self.leaf() {
            Ty::Record(name) => Some(name),
            _ => None,
        }
    }
}

impl Enum {
    /// Without data in any variant.
    pub(crate) fn is_choice(&self) -> bool {
        self.variants
            .iter()
            .all(|variant| variant.fields.is_empty())
    }
}

impl Facade {
    /// A record by its name.
    pub(crate) fn record(&self, name: &str) -> &Record {
        self.records
            .iter()
            .find(|record| record.name == name)
            .expect("the metadata names only records that it holds")
    }

    /// An input that is never handed out and never in a list: Python has its fields as keyword arguments.
    pub(crate) fn is_flat(&self, name: &str) -> bool {
        let record = self.record(name);
        let in_list = |ty: &Ty| *ty == Ty::List(Box::new(Ty::Record(name.to_owned())));
        let listed = self
            .methods
            .iter()
            .flat_map(|method| &method.inputs)
            .any(|input| in_list(&input.ty));
        record.is_input && !record.is_output && !listed
    }

    pub(crate) fn constructor(&self) -> impl Iterator<Item = &Method> {
        self.methods.iter().filter(|method| method.is_constructor)
    }
}
