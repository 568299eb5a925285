//! What all lists share.

use crate::{
    db::PageRequest,
    error::{DenialReason, Result, denied},
    gate::caller::Caller,
    model::ids::UserId,
    values::{
        numbers::{at_least, within},
        text,
    },
};

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 1_000;
const MAX_SEARCH: usize = 200;

/// The page that a query asks for: counted from 1, of 20 items unless it says otherwise.
pub(crate) fn page_request(page: Option<i64>, limit: Option<i64>) -> Result<PageRequest> {
    let page = at_least("page", page.unwrap_or(1), 1)?;
    let limit = within("limit", limit.unwrap_or(DEFAULT_LIMIT), 1, MAX_LIMIT)?;
    Ok(PageRequest { page, limit })
}

/// The text to search for, in the form that `search_key` columns have. Accents alone search for nothing.
pub(crate) fn search(text: Option<&str>) -> Result<Option<String>> {
    let text = text.map_or(Ok(None), |text| text::opaque("search", text, MAX_SEARCH))?;
    let wanted = text.map(|text| text::searchable(&text));
    Ok(wanted.filter(|wanted| !wanted.is_empty()))
}

/// Whose things a list shows: everybody's or the one asked for, and to all but administrators only their own.
pub(crate) fn visible_owner(caller: &Caller, asked: Option<UserId>) -> Result<Option<UserId>> {
    if caller.is_administrator() {
        return Ok(asked);
    }
    let own = caller.user_id();
    if asked.is_some() && asked != own {
        return Err(denied(DenialReason::AdministratorsOnly));
    }
    Ok(own)
}
