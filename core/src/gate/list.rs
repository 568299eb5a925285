//! What all lists share.

use crate::{
    db::PageRequest,
    error::{Result, denied, invalid},
    gate::caller::Caller,
    model::ids::UserId,
    values::text,
};

const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 1_000;
const MAX_SEARCH: usize = 200;

/// The page that a query asks for: counted from 1, of 20 items unless it says otherwise.
pub(crate) fn page_request(page: Option<u32>, limit: Option<u32>) -> Result<PageRequest> {
    let page = page.unwrap_or(1);
    if page == 0 {
        return Err(invalid("page", "pages are counted from 1"));
    }
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(invalid(
            "limit",
            format!("must be between 1 and {MAX_LIMIT}"),
        ));
    }
    Ok(PageRequest { page, limit })
}

/// The text to search for, in its folded form.
pub(crate) fn search(text: Option<&str>) -> Result<Option<String>> {
    Ok(text::maybe("search", text, MAX_SEARCH)?.map(|text| text::folded(&text)))
}

/// Whose things a list shows: everybody's or the one asked for, and to all but administrators only their own.
pub(crate) fn visible_owner(caller: &Caller, asked: Option<UserId>) -> Result<Option<UserId>> {
    if caller.is_administrator() {
        return Ok(asked);
    }
    let own = caller.user_id();
    if asked.is_some() && asked != own {
        return Err(denied("only administrators see what is others'"));
    }
    Ok(own)
}
