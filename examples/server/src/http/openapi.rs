//! What a route takes and gives, for the OpenAPI document: said beside the route, from the types that it reads and writes.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::http::list::Page;

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Public,
    /// Any signed-in user.
    User,
    /// The same, in a session: an API key is refused.
    Browser,
    Administrator,
}

/// The schema of a type, in a generator that keeps what it refers to.
type OfType = fn(&mut SchemaGenerator) -> Schema;

enum Content {
    Nothing,
    Json(OfType),
    /// JSON that others define, or another type.
    Other(&'static str),
}

/// One method of one path.
pub(crate) struct Operation {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    who: Who,
    query: Vec<Value>,
    body: Option<OfType>,
    answers: Vec<(u16, Content)>,
    refusals: Vec<u16>,
}

impl Operation {
    /// `method` in small letters, `path` as the router has it.
    pub(crate) fn new(
        who: Who,
        method: &'static str,
        path: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            summary,
            who,
            query: Vec::new(),
            body: None,
            answers: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// The body.
    pub(crate) fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    pub(crate) fn gives<T: JsonSchema>(self, status: u16) -> Self {
        self.answered(status, Content::Json(SchemaGenerator::subschema_for::<T>))
    }

    pub(crate) fn gives_nothing(self) -> Self {
        self.answered(204, Content::Nothing)
    }

    /// What this document does not describe.
    pub(crate) fn gives_other(self, media_type: &'static str) -> Self {
        self.answered(200, Content::Other(media_type))
    }

    /// A status whose body is not that of other refusals.
    pub(crate) fn refuses_otherwise(self, status: u16, media_type: &'static str) -> Self {
        self.answered(status, Content::Other(media_type))
    }

    fn answered(mut self, status: u16, content: Content) -> Self {
        self.answers.push((status, content));
        self
    }

    /// A page of a list, which may be sorted by these columns and narrowed by these filters.
    pub(crate) fn lists<T: JsonSchema>(
        mut self,
        columns: &[&str],
        filters: &[&str],
        is_searched: bool,
    ) -> Self {
        let number = json!({ "type": "integer" });
        for (name, what) in [
            (
                "pagination[page]",
                "Which page, from 1; past the end it is the last one.",
            ),
            (
                "pagination[limit]",
                "How many on a page: 20 where nothing is said, at most 100.",
            ),
            ("page", "The same as pagination[page]."),
            ("limit", "The same as pagination[limit]."),
        ] {
            self.query.push(parameter(name, what, &number));
        }
        if is_searched {
            self = self.parameter("search", "A part of what is listed.");
        }
        if !columns.is_empty() {
            let columns = json!({ "type": "string", "enum": columns });
            self.query
                .push(parameter("sort[column]", "What to sort by.", &columns));
            let directions = json!({ "type": "string", "enum": ["asc", "desc"] });
            self.query
                .push(parameter("sort[direction]", "In any case.", &directions));
        }
        for filter in filters {
            let name = format!("filters[{filter}]");
            let what = "May be there several times, and with an index: filters[…][0].";
            let text = json!({ "type": "string" });
            self.query.push(parameter(&name, what, &text));
        }
        self.gives::<Page<T>>(200)
    }

    /// A parameter of the query, as text.
    pub(crate) fn parameter(mut self, name: &str, what: &str) -> Self {
        self.query
            .push(parameter(name, what, &json!({ "type": "string" })));
        self
    }

    /// Statuses beside those that all have.
    pub(crate) fn refuses(mut self, statuses: &[u16]) -> Self {
        self.refusals.extend(statuses);
        self
    }

    fn statuses(&self) -> Vec<u16> {
        let mut statuses = vec![400, 408, 413, 421, 500, 503];
        if self.who != Who::Public {
            statuses.extend([401, 403]);
        }
        if self.path.contains('{') {
            statuses.push(404);
        }
        if self.method != "get" {
            statuses.extend([403, 409, 415]);
        }
        statuses.extend(&self.refusals);
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }

    fn name(&self) -> String {
        let path = self
            .path
            .replace(['{', '}'], "")
            .replace(['/', '.', '-'], "_");
        format!("{}{path}", self.method)
    }
}

/// Shorter to write in a list of many.
pub(crate) fn public(method: &'static str, path: &'static str, summary: &'static str) -> Operation {
    Operation::new(Who::Public, method, path, summary)
}

pub(crate) fn user(method: &'static str, path: &'static str, summary: &'static str) -> Operation {
    Operation::new(Who::User, method, path, summary)
}

pub(crate) fn browser(
    method: &'static str,
    path: &'static str,
    summary: &'static str,
) -> Operation {
    Operation::new(Who::Browser, method, path, summary)
}

pub(crate) fn administrator(
    method: &'static str,
    path: &'static str,
    summary: &'static str,
) -> Operation {
    Operation::new(Who::Administrator, method, path, summary)
}

fn parameter(name: &str, what: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "query", "description": what, "schema": schema })
}

/// The document of these operations.
pub(crate) fn document(title: &str, version: &str, operations: &[Operation]) -> Value {
    let mut given = SchemaSettings::draft2020_12().for_serialize();
    given.definitions_path = "/components/schemas".into();
    given.meta_schema = None;
    let mut given = given.into_generator();
    let mut taken = SchemaSettings::draft2020_12();
    taken.inline_subschemas = true;
    taken.meta_schema = None;
    let mut taken = taken.into_generator();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations {
        let described = described(operation, &mut given, &mut taken);
        let path = paths.entry(operation.path).or_default();
        path.insert(operation.method.to_owned(), described);
    }
    let mut schemas = given.take_definitions(true);
    schemas.insert("Error".to_owned(), error_schema());
    json!({
        "openapi": "3.1.0",
        "info": { "title": title, "version": version },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "apiKey": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
                "bearer": { "type": "http", "scheme": "bearer" },
            },
        },
    })
}

fn described(
    operation: &Operation,
    given: &mut SchemaGenerator,
    taken: &mut SchemaGenerator,
) -> Value {
    let in_path = operation.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        let text = json!({ "type": "string" });
        Some(json!({ "name": name, "in": "path", "required": true, "schema": text }))
    });
    let parameters: Vec<Value> = in_path.chain(operation.query.iter().cloned()).collect();
    let mut answers = Map::new();
    for (status, content) in &operation.answers {
        let answer = match content {
            Content::Nothing => json!({ "description": "Done" }),
            Content::Json(of_type) => {
                let schema = of_type(given);
                json!({ "description": "Success", "content": { "application/json": { "schema": schema } } })
            }
            Content::Other(media_type) => {
                json!({ "description": "Success", "content": { *media_type: {} } })
            }
        };
        answers.insert(status.to_string(), answer);
    }
    let error = json!({ "$ref": "#/components/schemas/Error" });
    for status in operation.statuses() {
        let refusal = json!({ "description": "Refused", "content": { "application/json": { "schema": error } } });
        answers.entry(status.to_string()).or_insert(refusal);
    }
    let security = match operation.who {
        Who::Public => json!([]),
        Who::Browser => json!([{ "bearer": [] }]),
        Who::User | Who::Administrator => json!([{ "apiKey": [] }, { "bearer": [] }]),
    };
    let mut described = json!({
        "operationId": operation.name(),
        "summary": operation.summary,
        "security": security,
        "responses": answers,
    });
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(of_type) = operation.body {
        let schema = of_type(taken);
        described["requestBody"] =
            json!({ "content": { "application/json": { "schema": schema } } });
    }
    described
}

/// As `edge` writes every refusal.
fn error_schema() -> Value {
    let text = || json!({ "type": "string" });
    json!({
        "type": "object",
        "required": ["error", "code", "request_id"],
        "properties": {
            "error": text(),
            "code": text(),
            "request_id": text(),
            "details": {
                "type": "object",
                "properties": {
                    "fields": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["field", "code", "message"],
                            "properties": { "field": text(), "code": text(), "message": text() },
                        },
                    },
                },
            },
        },
    })
}

/// The names of a table of columns.
pub(crate) fn names<T>(columns: &[(&'static str, T)]) -> Vec<&'static str> {
    columns.iter().map(|(name, _)| *name).collect()
}
