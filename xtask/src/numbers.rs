//! `core/numbers.txt`: the numbers of enums in C and in Python, and of the kinds of enums with data. They never move.
//!
//! A new variant gets the number after the highest that its enum ever had. The number of one that is gone stays in the table
//! as retired. Tables of the main branch's past are compared, so that an edit of the table by hand does not go unseen.

mod past;

use std::{collections::BTreeMap, fmt::Write};

use anyhow::{Context, Result, bail, ensure};

use crate::facade::Facade;
pub(crate) use past::check;

/// The committed table.
pub(crate) const PATH: &str = "core/numbers.txt";

const HEAD: &str = "\
# The numbers of enums in C and in Python, and of the kinds of enums with data. `cargo xtask generate` adds what is new and
# marks what is gone as retired. A number never moves, and that of a retired variant is never used again.
";

const RETIRED: &str = "# retired";

/// The numbers of one enum.
type Lines = BTreeMap<i32, Line>;

/// The table, by the names of its enums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers(BTreeMap<String, Lines>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    variant: String,
    retired: bool,
}

impl Numbers {
    /// Reads a table; fails when a number or a variant stands in it twice.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut numbers = Self::default();
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            numbers
                .add(line)
                .with_context(|| format!("{PATH}: {line}"))?;
        }
        Ok(numbers)
    }

    fn add(&mut self, line: &str) -> Result<()> {
        let (line, retired) = match line.strip_suffix(RETIRED) {
            Some(line) => (line, true),
            None => (line, false),
        };
        let (name, number) = line.split_once('=').context("no `Enum.Variant = N`")?;
        let (item, variant) = name.trim().split_once('.').context("no `Enum.Variant`")?;
        let number: i32 = number.trim().parse().context("no number")?;
        ensure!(
            number > 0,
            "numbers begin with 1: 0 is what C does not know"
        );
        let lines = self.0.entry(item.to_owned()).or_default();
        if let Some((other, _)) = find(lines, variant) {
            bail!("{item}.{variant} has the number {other} too");
        }
        let line = Line {
            variant: variant.to_owned(),
            retired,
        };
        match lines.insert(number, line) {
            Some(other) if other.retired || retired => bail!(
                "the number {number} of a retired variant is used again: {} and {variant}",
                other.variant
            ),
            Some(other) => bail!("{} has the number {number} too", other.variant),
            None => Ok(()),
        }
    }

    /// The table for this facade: what is new has the next numbers, what is gone is retired.
    pub(crate) fn current(mut self, facade: &Facade) -> Result<Self> {
        for (item, lines) in &mut self.0 {
            let item = facade.enums.iter().find(|other| other.name == *item);
            for line in lines.values_mut() {
                let mut variants = item.iter().flat_map(|item| &item.variants);
                line.retired |= !variants.any(|variant| variant.name == line.variant);
            }
        }
        for item in &facade.enums {
            let lines = self.0.entry(item.name.clone()).or_default();
            for variant in &item.variants {
                match find(lines, &variant.name) {
                    Some((number, line)) => ensure!(
                        !line.retired,
                        "{}.{} is retired in {PATH}, with the number {number}: a new variant needs another name",
                        item.name,
                        variant.name
                    ),
                    None => {
                        let next = lines.keys().last().map_or(1, |number| number + 1);
                        let line = Line {
                            variant: variant.name.clone(),
                            retired: false,
                        };
                        lines.insert(next, line);
                    }
                }
            }
        }
        Ok(self)
    }

    /// Gives each variant its number.
    pub(crate) fn assign(&self, facade: &mut Facade) -> Result<()> {
        for item in &mut facade.enums {
            for variant in &mut item.variants {
                let lines = self.0.get(&item.name);
                let line = lines.and_then(|lines| find(lines, &variant.name));
                let (number, _) =
                    line.with_context(|| format!("{}.{}: no number", item.name, variant.name))?;
                variant.number = number;
            }
        }
        Ok(())
    }

    pub(crate) fn text(&self) -> String {
        let mut out = HEAD.to_owned();
        for (item, lines) in &self.0 {
            out.push('\n');
            for (number, line) in lines {
                let retired = if line.retired {
                    format!("  {RETIRED}")
                } else {
                    String::new()
                };
                writeln!(out, "{item}.{} = {number}{retired}", line.variant)
                    .expect("a String takes everything");
            }
        }
        out
    }

    /// Fails when a number that the earlier table had is no longer the same variant's.
    fn keeps(&self, earlier: &Self) -> Result<()> {
        let mut moved = Vec::new();
        for (item, lines) in &earlier.0 {
            let now = self.0.get(item);
            for (number, line) in lines {
                let name = format!("{item}.{}", line.variant);
                let heir = now.and_then(|now| now.get(number));
                let place = now.and_then(|now| find(now, &line.variant));
                match (heir, place) {
                    (Some(heir), _) if heir.variant == line.variant => {
                        if line.retired && !heir.retired {
                            moved.push(format!("{name} = {number} was retired and is used again"));
                        }
                    }
                    (_, Some((place, _))) => {
                        moved.push(format!("{name} was {number} and is {place}"));
                    }
                    (Some(heir), None) => {
                        moved.push(format!("{number} was {name}'s and is {}'s", heir.variant));
                    }
                    (None, None) => moved.push(format!("{name} = {number} is gone")),
                }
            }
        }
        ensure!(
            moved.is_empty(),
            "{PATH}: numbers never move, and what is gone stays in the table as retired: {}",
            moved.join("; ")
        );
        Ok(())
    }
}

fn find<'a>(lines: &'a Lines, variant: &str) -> Option<(i32, &'a Line)> {
    let mut lines = lines.iter();
    let found = lines.find(|(_, line)| line.variant == variant);
    found.map(|(number, line)| (*number, line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facade::{Enum, Variant};

    fn facade(variants: &[&str]) -> Facade {
        let variant = |name: &&str| Variant {
            name: (*name).to_owned(),
            number: 0,
            fields: Vec::new(),
            doc: String::new(),
        };
        let item = Enum {
            name: "Role".to_owned(),
            variants: variants.iter().map(variant).collect(),
            ..Enum::default()
        };
        Facade {
            enums: vec![item],
            ..Facade::default()
        }
    }

    fn table(text: &str) -> Numbers {
        Numbers::parse(text).unwrap()
    }

    fn refused<T: std::fmt::Debug>(result: Result<T>) -> String {
        format!("{:#}", result.unwrap_err())
    }

    #[test]
    fn a_new_variant_gets_the_next_number_wherever_it_stands() {
        let mut facade = facade(&["New", "User", "Admin", "Newer"]);
        let numbers = table("Role.User = 1\nRole.Admin = 4\n");
        let numbers = numbers.current(&facade).unwrap();
        numbers.assign(&mut facade).unwrap();
        let given: Vec<i32> = facade.enums[0]
            .variants
            .iter()
            .map(|variant| variant.number)
            .collect();
        assert_eq!(given, [5, 1, 4, 6]);
        let lines = "\nRole.User = 1\nRole.Admin = 4\nRole.New = 5\nRole.Newer = 6\n";
        assert_eq!(numbers.text(), format!("{HEAD}{lines}"));
        assert_eq!(table(&numbers.text()), numbers);
    }

    #[test]
    fn a_retired_number_stays_and_is_never_given_again() {
        let numbers = table("Role.User = 1\nRole.Admin = 2\nGone.It = 1\n");
        let numbers = numbers.current(&facade(&["User"])).unwrap();
        let text = numbers.text();
        assert!(text.contains("\nRole.User = 1\nRole.Admin = 2  # retired\n"));
        assert!(text.contains("\nGone.It = 1  # retired\n"));
        let numbers = table(&text).current(&facade(&["User", "Owner"])).unwrap();
        assert!(numbers.text().contains("\nRole.Owner = 3\n"));
        let error = refused(numbers.current(&facade(&["User", "Admin"])));
        assert!(error.contains("Role.Admin is retired"), "{error}");
    }

    #[test]
    fn a_number_that_is_used_twice_is_refused() {
        let error = refused(Numbers::parse("Role.User = 1\nRole.Admin = 1\n"));
        assert!(error.contains("User has the number 1 too"), "{error}");
        let error = refused(Numbers::parse("Role.User = 1\nRole.User = 2\n"));
        assert!(error.contains("Role.User has the number 1 too"), "{error}");
        assert!(Numbers::parse("Role.User = 1\nOther.User = 1\n").is_ok());
    }

    #[test]
    fn a_retired_number_that_is_used_again_is_refused() {
        for text in [
            "Role.User = 1  # retired\nRole.Admin = 1\n",
            "Role.Admin = 1\nRole.User = 1 # retired\n",
        ] {
            let error = refused(Numbers::parse(text));
            assert!(error.contains("number 1 of a retired variant"), "{error}");
        }
    }

    #[test]
    fn what_is_no_line_of_the_table_is_refused() {
        for text in ["Role.User", "User = 1", "Role.User = one", "Role.User = 0"] {
            assert!(refused(Numbers::parse(text)).contains(text));
        }
    }

    #[test]
    fn a_number_that_moved_is_named() {
        let earlier = table("Role.User = 1\nRole.Admin = 2\nRole.Old = 3  # retired\n");
        let keeps = |text: &str| table(text).keeps(&earlier);
        assert!(
            keeps("Role.User = 1\nRole.Admin = 2\nRole.Old = 3 # retired\nRole.New = 4").is_ok()
        );
        assert!(keeps("Role.User = 1 # retired\nRole.Admin = 2\nRole.Old = 3 # retired").is_ok());
        for (text, expected) in [
            (
                "Role.User = 2\nRole.Admin = 1\nRole.Old = 3 # retired",
                "Role.User was 1 and is 2",
            ),
            (
                "Role.New = 1\nRole.Admin = 2\nRole.Old = 3 # retired",
                "1 was Role.User's and is New's",
            ),
            ("Role.User = 1\nRole.Admin = 2", "Role.Old = 3 is gone"),
            (
                "Role.User = 1\nRole.Admin = 2\nRole.Old = 3",
                "Role.Old = 3 was retired",
            ),
            ("", "Role.User = 1 is gone"),
        ] {
            let error = refused(keeps(text));
            assert!(error.contains(expected), "{error}");
        }
    }
}
