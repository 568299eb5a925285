//! Lists: what a query string may ask for, and the frame of the answer.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};
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

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// The page, from 1.
    pub(crate) fn page(&self) -> Result<i64, Failure> {
        Ok(self.number("pagination[page]", "page")?.unwrap_or(1))
    }

    /// How many on a page.
    pub(crate) fn limit(&self) -> Result<i64, Failure> {
        let limit = self.number("pagination[limit]", "limit")?;
        Ok(limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT))
    }

    /// The column to sort by, out of those that can be sorted by.
    pub(crate) fn sort<T: Copy>(&self, columns: &[(&str, T)]) -> Result<Option<T>, Failure> {
        self.one_of("sort[column]", columns)
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
            None => {
                let known: Vec<&str> = values.iter().map(|(value, _)| *value).collect();
                let reason = format!("must be one of: {}", known.join(", "));
                Err(Failure::field(name, "invalid", &reason))
            }
        }
    }

    pub(crate) fn descending(&self) -> Result<bool, Failure> {
        let name = "sort[direction]";
        match self.get(name) {
            None | Some("asc") => Ok(false),
            Some("desc") => Ok(true),
            Some(_) => Err(Failure::field(name, "invalid", "must be asc or desc")),
        }
    }

    /// A number of 1 or more. What is below is 1, as clients expect; what is no number is a mistake.
    fn number(&self, name: &str, short: &str) -> Result<Option<i64>, Failure> {
        let (name, text) = match (self.get(name), self.get(short)) {
            (Some(text), _) => (name, text),
            (None, Some(text)) => (short, text),
            (None, None) => return Ok(None),
        };
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Failure::field(name, "invalid_type", "must be a number"));
        }
        if digits.len() < text.len() {
            return Ok(Some(1));
        }
        Ok(Some(text.parse().unwrap_or(i64::MAX).max(1)))
    }
}

#[derive(Serialize)]
struct Page<T> {
    data: Vec<T>,
    pagination: Pagination,
}

#[derive(Serialize)]
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
    mut page: i64,
    limit: i64,
    list: impl Fn(i64) -> keyplate::Result<P>,
) -> keyplate::Result<P> {
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

    #[test]
    fn pages() {
        let paging = |text: &str| {
            query(text)
                .page()
                .and_then(|page| Ok((page, query(text).limit()?)))
        };
        assert_eq!(paging("").unwrap(), (1, 20));
        assert_eq!(
            paging("pagination[page]=3&pagination%5Blimit%5D=7").unwrap(),
            (3, 7)
        );
        assert_eq!(paging("page=2&limit=1000").unwrap(), (2, 100));
        assert_eq!(paging("page=0&limit=-5").unwrap(), (1, 1));
        assert_eq!(paging("page=99999999999999999999").unwrap(), (i64::MAX, 20));
        for bad in ["page=x", "limit=1.5", "page=-", "limit=1e3"] {
            assert_eq!(paging(bad).unwrap_err().code, "validation_failed", "{bad}");
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
        let columns = [("username", 1), ("email", 2)];
        assert_eq!(query("sort[column]=email").sort(&columns).unwrap(), Some(2));
        assert_eq!(query("").sort(&columns).unwrap(), None);
        let error = query("sort[column]=password").sort(&columns).unwrap_err();
        assert_eq!(error.fields[0].field, "sort[column]");
        assert!(query("sort[direction]=desc").descending().unwrap());
        assert!(query("sort[direction]=down").descending().is_err());
    }
}
