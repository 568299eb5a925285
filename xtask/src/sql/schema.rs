use std::collections::{BTreeMap, BTreeSet};

/// What `schema.sql` says of columns.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    /// Table → its columns that may be NULL.
    nullable: BTreeMap<String, BTreeSet<String>>,
    /// Columns that hold 0 or 1.
    flags: BTreeSet<String>,
    /// The table that a file is about, for what names none.
    table: Option<String>,
}

impl Schema {
    pub(super) fn read(text: &str) -> Self {
        let mut schema = Self {
            nullable: BTreeMap::new(),
            flags: BTreeSet::new(),
            table: None,
        };
        let mut table = None;
        for line in text.lines() {
            let line = line.split("--").next().unwrap_or_default().trim();
            if let Some(name) = line.strip_prefix("CREATE TABLE ") {
                let name = name.trim_end_matches(['(', ' ']).to_owned();
                table = Some(schema.nullable.entry(name).or_default());
            } else if line.starts_with(')') {
                table = None;
            } else if let Some(table) = &mut table {
                let column = line.split_whitespace().next().unwrap_or_default();
                if !column.starts_with(|c: char| c.is_ascii_lowercase()) {
                    continue; // a constraint of the table
                }
                if !line.contains("NOT NULL") && !line.contains("PRIMARY KEY") {
                    table.insert(column.to_owned());
                }
                if line.contains(&format!("CHECK ({column} IN (0, 1))")) {
                    schema.flags.insert(column.to_owned());
                }
            }
        }
        schema
    }

    /// For a file that bears a table's name.
    pub(super) fn of_file(&self, stem: &str) -> Self {
        let table = self.nullable.contains_key(stem).then(|| stem.to_owned());
        Self {
            table,
            ..self.clone()
        }
    }

    /// May the column be NULL in one of these tables, or in that of the file, or, when nobody knows, in any?
    pub(super) fn is_nullable(&self, column: &str, tables: &[&str]) -> bool {
        let mut tables: Vec<&str> = tables.to_vec();
        tables.retain(|table| self.nullable.contains_key(*table));
        if tables.is_empty() {
            tables.extend(self.table.as_deref());
        }
        self.nullable
            .iter()
            .filter(|(table, _)| tables.is_empty() || tables.contains(&table.as_str()))
            .any(|(_, columns)| columns.contains(column))
    }

    pub(super) fn is_flag(&self, column: &str) -> bool {
        self.flags.contains(column)
    }
}
