//! Lists: what a query string may ask for, and the frame of the answer.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::{
    answer::{self, Answer},
    error::Failure,
};

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;
/// How many the library gives at once, where everything is wanted.
pub(crate) const MANY: i64 = 1_000;

/// A query string.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let text = parts.uri.query().unwrap_or_default();
        Ok(Self(
            form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        ))
    }
}

impl Query {
    /// A value that is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    pub(crate) fn search(&self) -> Option<String> {
        self.get("search").map(str::to_owned)
    }

    /// Whether a parameter of ours is set.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// What a list is asked for. `columns` are those that it may be sorted by, `filters` the names in `filters[…]`; any other
    /// is refused, so that nobody takes everything for what they asked for.
    pub(crate) fn listing<T: Copy>(
        &self,
        columns: &[(&str, T)],
        filters: &[&str],
    ) -> Result<Listing<T>, Failure> {
        self.check_filters(filters)?;
        let listing = Listing {
            page: self.number("pagination[page]", "page").unwrap_or(1),
            limit: match self.number("pagination[limit]", "limit") {
                Some(limit) if limit > 0 => limit.min(MAX_LIMIT),
                _ => DEFAULT_LIMIT,
            },
            sort: self.sort(columns)?,
            descending: self.descending()?,
        };
        match listing.descending {
            Some(_) if columns.is_empty() => Err(not_here("sort[direction]")),
            _ => Ok(listing),
        }
    }

    /// The same for a list that cannot be searched.
    pub(crate) fn unsearched<T: Copy>(
        &self,
        columns: &[(&str, T)],
        filters: &[&str],
    ) -> Result<Listing<T>, Failure> {
        match self.get("search") {
            Some(_) => Err(not_here("search")),
            None => self.listing(columns, filters),
        }
    }

    /// For a list that always gives everything, in its own order.
    pub(crate) fn nothing_more(&self) -> Result<(), Failure> {
        self.unsearched::<()>(&[], &[]).map(drop)
    }

    /// The values of a filter, which may be there several times, with and without an index.
    pub(crate) fn filter<'q>(&'q self, name: &'q str) -> impl Iterator<Item = (&'q str, &'q str)> {
        let named = self
            .0
            .iter()
            .filter(move |(key, _)| Filter::read(key).is_some_and(|filter| filter.is(name)));
        named.map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// A filter that is true or false; both together filter nothing.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        let mut found = None;
        for (key, value) in self.filter(name) {
            let value = match value {
                "true" | "1" => true,
                "false" | "0" => false,
                _ => return Err(Failure::field(key, "invalid", "must be true or false")),
            };
            if found.replace(value).is_some_and(|other| other != value) {
                return Ok(None);
            }
        }
        Ok(found)
    }

    fn check_filters(&self, filters: &[&str]) -> Result<(), Failure> {
        for (key, _) in &self.0 {
            let is_known = match Filter::read(key) {
                Some(filter) => filters.iter().any(|name| filter.is(name)),
                None => {
                    !key.starts_with("filter")
                        && (!key.starts_with("sort") || SORT.contains(&key.as_str()))
                }
            };
            if !is_known {
                return Err(match filters {
                    _ if key.starts_with("sort") => not_here(key),
                    [] => not_here(key),
                    known => {
                        let reason =
                            format!("is not a filter here: there are {}", known.join(", "));
                        Failure::field(key, "invalid", &reason)
                    }
                });
            }
        }
        Ok(())
    }

    /// The column to sort by, out of those that can be sorted by.
    fn sort<T: Copy>(&self, columns: &[(&str, T)]) -> Result<Option<T>, Failure> {
        let name = SORT[0];
        let Some(wanted) = self.get(name) else {
            return Ok(None);
        };
        match columns.iter().find(|(column, _)| is_named(wanted, column)) {
            Some((_, column)) => Ok(Some(*column)),
            None if columns.is_empty() => Err(not_here(name)),
            None => Err(must_be_one_of(name, columns)),
        }
    }

    /// A value out of those that there are.
    pub(crate) fn one_of<T: Copy>(
        &self,
        name: &str,
        values: &[(&str, T)],
    ) -> Result<Option<T>, Failure> {
        let Some(wanted) = self.get(name) else {
            return Ok(None);
        };
        match values.iter().find(|(value, _)| *value == wanted) {
            Some((_, value)) => Ok(Some(*value)),
            None => Err(must_be_one_of(name, values)),
        }
    }

    fn descending(&self) -> Result<Option<bool>, Failure> {
        let name = SORT[1];
        let Some(direction) = self.get(name) else {
            return Ok(None);
        };
        match direction.trim().to_ascii_lowercase().as_str() {
            "asc" => Ok(Some(false)),
            "desc" => Ok(Some(true)),
            _ => Err(Failure::field(name, "invalid", "must be asc or desc")),
        }
    }

    /// A number, if it is one. What is none is as if it were not there, as clients expect; one that is too large is large.
    fn number(&self, name: &str, short: &str) -> Option<i64> {
        let text = self.get(name).or_else(|| self.get(short))?;
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let is_negative = digits.len() < text.len();
        let number = if is_negative {
            0
        } else {
            text.parse().unwrap_or(i64::MAX)
        };
        Some(number)
    }
}

/// What a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listing<T> {
    /// From 1.
    pub(crate) page: i64,
    /// How many on a page.
    pub(crate) limit: i64,
    pub(crate) sort: Option<T>,
    descending: Option<bool>,
}

impl<T> Listing<T> {
    /// Clients that name no direction expect the smallest first.
    pub(crate) fn is_descending(&self) -> bool {
        self.descending == Some(true)
    }

    /// The same for a list that has the newest first where no order is asked for.
    pub(crate) fn is_ascending(&self) -> bool {
        match self.descending {
            Some(descending) => !descending,
            None => self.sort.is_some(),
        }
    }
}

const SORT: [&str; 2] = ["sort[column]", "sort[direction]"];

/// A filter's name out of `filters[name]`, `filters[name][]` or `filters[name][0]`.
struct Filter<'q>(&'q str);

impl<'q> Filter<'q> {
    fn read(key: &'q str) -> Option<Self> {
        let (name, rest) = key.strip_prefix("filters[")?.split_once(']')?;
        let is_whole = match rest
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            None => rest.is_empty(),
            Some(index) => index.bytes().all(|b| b.is_ascii_digit()),
        };
        is_whole.then_some(Self(name))
    }

    fn is(&self, name: &str) -> bool {
        is_named(self.0, name)
    }
}

/// Clients write the first letter of a name small or large.
fn is_named(written: &str, name: &str) -> bool {
    let mut letters = written.chars();
    letters
        .next()
        .is_some_and(|first| first.to_ascii_lowercase().to_string() + letters.as_str() == name)
}

fn must_be_one_of<T>(name: &str, values: &[(&str, T)]) -> Failure {
    let known: Vec<&str> = values.iter().map(|(value, _)| *value).collect();
    let reason = format!("must be one of: {}", known.join(", "));
    Failure::field(name, "invalid", &reason)
}

fn not_here(name: &str) -> Failure {
    Failure::field(name, "invalid", "is not possible for this list")
}

/// A page of a list, as it is answered.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Page<T> {
    data: Vec<T>,
    pagination: Pagination,
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    total_pages: i64,
    total_items: i64,
    current_page: i64,
    items_per_page: i64,
}

/// A page of a list: its items, how many there are in all, which page it is and how many it may hold.
pub(crate) fn answer<T: Serialize>(data: Vec<T>, total: i64, page: i64, limit: i64) -> Answer {
    answer::ok(&Page {
        data,
        pagination: Pagination {
            total_pages: pages(total, limit),
            total_items: total,
            current_page: page,
            items_per_page: limit,
        },
    })
}

/// A page as the library gives it.
pub(crate) trait Counted {
    /// How many items there are on all pages.
    fn total(&self) -> i64;
}

macro_rules! counted {
    ($($page:ident),* $(,)?) => { $(
        impl Counted for keyplate::$page {
            fn total(&self) -> i64 {
                self.total
            }
        }
    )* };
}

counted! {
    ApiKeyPage, AppPasswordPage, AuditPage, GroupPage, ServicePage, SessionPage, SignupRedemptionPage, SignupTokenPage, UserPage,
}

/// The page that is asked for or, past the end, the last one, as clients of Pocket ID's API expect. In the library, a page
/// past the end is empty.
pub(crate) fn page_or_last<P: Counted>(
    page: i64,
    limit: i64,
    list: impl Fn(i64) -> keyplate::Result<P>,
) -> keyplate::Result<P> {
    let mut page = page.max(1);
    loop {
        let found = list(page)?;
        let last = pages(found.total(), limit);
        if page <= last {
            return Ok(found);
        }
        page = last; // It may be gone by now, too.
    }
}

/// How many pages there are; an empty list has one.
fn pages(total: i64, limit: i64) -> i64 {
    ((total + limit - 1) / limit).max(1)
}

/// The items of all pages. `page` gives those of one, and how many there are in all.
pub(crate) fn every<T>(
    page: impl Fn(i64) -> keyplate::Result<(Vec<T>, i64)>,
) -> keyplate::Result<Vec<T>> {
    let (mut items, total) = page(1)?;
    for number in 2..=pages(total, MANY) {
        items.extend(page(number)?.0);
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use keyplate::GroupPage;

    use super::*;

    fn query(text: &str) -> Query {
        Query(
            form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    const COLUMNS: [(&str, i32); 2] = [("username", 1), ("email", 2)];

    fn listing(text: &str) -> Result<Listing<i32>, Failure> {
        query(text).listing(&COLUMNS, &["disabled", "userID"])
    }

    #[test]
    fn pages() {
        for (text, paging) in [
            ("", (1, 20)),
            ("pagination[page]=3&pagination%5Blimit%5D=7", (3, 7)),
            ("page=2&limit=1000", (2, 100)),
            ("page=0&limit=0", (0, 20)),
            ("page=-4&limit=-5", (0, 20)),
            ("page=x&limit=1.5", (1, 20)),
            ("page=-&limit=1e3", (1, 20)),
            ("page=99999999999999999999", (i64::MAX, 20)),
        ] {
            let found = listing(text).unwrap();
            assert_eq!((found.page, found.limit), paging, "{text}");
        }
    }

    #[test]
    fn the_last_page_may_go_while_it_is_looked_for() {
        // What the library counts each time that it is asked.
        let totals = std::cell::RefCell::new(vec![0, 11, 25]);
        let list = |page| {
            let total = totals.borrow_mut().pop().unwrap_or_default();
            Ok(GroupPage {
                items: Vec::new(),
                total,
                page,
            })
        };
        let found = page_or_last(9, 10, list).unwrap();
        assert_eq!((found.page, found.total), (1, 0));
    }

    #[test]
    fn orders() {
        let sorted = |text: &str| {
            let found = listing(text).unwrap();
            (found.sort, found.is_descending(), found.is_ascending())
        };
        assert_eq!(sorted(""), (None, false, false));
        assert_eq!(sorted("sort[column]=email"), (Some(2), false, true));
        assert_eq!(sorted("sort[column]=Email"), (Some(2), false, true));
        for direction in ["desc", "DESC", " Desc ", "dEsC"] {
            let text = format!("sort[column]=username&sort[direction]={direction}");
            assert_eq!(sorted(&text), (Some(1), true, false), "{direction}");
        }
        assert_eq!(sorted("sort[direction]=ASC"), (None, false, true));
        for (text, field) in [
            ("sort[column]=password", "sort[column]"),
            ("sort[column]=eMail", "sort[column]"),
            ("sort[direction]=down", "sort[direction]"),
            ("sort[colum]=email", "sort[colum]"),
            ("sort=email", "sort"),
        ] {
            assert_eq!(listing(text).unwrap_err().fields[0].field, field);
        }
        let unsorted = |text: &str| query(text).unsearched::<()>(&[], &[]);
        for field in ["sort[column]", "sort[direction]", "search"] {
            let text = format!("{field}=asc");
            assert_eq!(unsorted(&text).unwrap_err().fields[0].field, field);
        }
        assert!(unsorted("search=&page=2&all=true").is_ok());
    }

    #[test]
    fn filters_are_named_with_and_without_an_index() {
        for text in [
            "filters[disabled]=true",
            "filters[disabled][0]=true",
            "filters[disabled][]=1",
            "filters[Disabled][17]=true",
            "filters%5Bdisabled%5D=true&filters[disabled]=true",
        ] {
            assert!(listing(text).is_ok(), "{text}");
            assert_eq!(query(text).flag("disabled").unwrap(), Some(true), "{text}");
        }
        let both = query("filters[disabled][0]=true&filters[disabled][1]=false");
        assert_eq!(both.flag("disabled").unwrap(), None);
        assert_eq!(query("").flag("disabled").unwrap(), None);
        for value in ["", "yes", "TRUE", "2"] {
            let text = format!("filters[disabled]={value}");
            assert!(query(&text).flag("disabled").is_err(), "{text}");
        }
        let several = query("filters[userID][1]=b&filters[userID]=a&filters[UserID]=c");
        let values: Vec<&str> = several.filter("userID").map(|(_, value)| value).collect();
        assert_eq!(values, ["b", "a", "c"]);
        for key in [
            "filters[locked]",
            "filters[disabled",
            "filters[disabled]x",
            "filters[disabled][x]",
            "filters[disabled][0][1]",
            "filters[]",
            "filters",
            "filters.disabled",
            "filter[disabled]",
            "filters[DISABLED]",
        ] {
            let error = listing(&format!("{key}=true")).unwrap_err();
            assert_eq!(error.fields[0].field, key);
        }
    }
}
