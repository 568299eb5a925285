//! Whose a name is (U1).
//!
//! A user has one username, one external id and at most one e-mail address; each is found by a look-up of its own. What holds
//! of them, in this order:
//!
//! 1. A username is one user's. One with `@` was given by an administrator or the host, and holds that address.
//! 2. An address is *held* when it was proved, or given by an administrator or the host, as address or as username. A held
//!    address is one user's. Whatever else stands in a profile its owner typed: it blocks nobody and finds nobody.
//! 3. Nobody has typed what somebody else holds. It is refused to whoever comes later, and goes from whoever came earlier.
//! 4. What a user was called is remembered: whoever had a name last may have it back, and only `create_user` and plans give it
//!    to anybody else. Of those who were never let in nothing is remembered.
//!
//! All of it is looked at and changed in one transaction with what comes of it, and writers come one after the other. Unique
//! indexes stand behind the first two.

use crate::{
    db::{self, Reader, Writer},
    error::{InputReason, Result, former, invalid, taken},
    gate::change::{Change, Subject},
    model::{
        audit::EventKind,
        ids::UserId,
        users::{NameKind, User},
    },
    values::text,
};

/// Stores a new user to whom an administrator or the host gives these names.
pub(in crate::rules) fn insert_given(change: &Change<'_>, user: &User) -> Result<()> {
    insert(change, &given(user))
}

/// The same for the first administrator, who gives them to themselves; but no name that somebody else had.
pub(in crate::rules) fn insert_claimed(change: &Change<'_>, user: &User) -> Result<()> {
    let user = given(user);
    check_never_anothers(change, &user)?;
    insert(change, &user)
}

/// The same for somebody who signs up, and only typed the address.
pub(in crate::rules) fn insert_signed_up(change: &Change<'_>, user: &User) -> Result<()> {
    check_for_signup(change, user)?;
    insert(change, user)
}

/// May somebody sign up by these names?
pub(in crate::rules) fn check_for_signup(reader: &Reader<'_>, user: &User) -> Result<()> {
    check_not_address(&user.username)?;
    check_never_anothers(reader, user)?;
    check_free(reader, user)
}

/// Stores the changes of a user, with what comes of them for names: those that they had before are remembered, and an address
/// that they come to hold goes from whoever typed it.
pub(super) fn update(change: &Change<'_>, before: &User, after: &User) -> Result<()> {
    let had = Held::of(change, before)?;
    let renamed = text::name_key(&before.username) != text::name_key(&after.username);
    let has = Held {
        by_username: match renamed {
            true => text::address_of_username(&after.username),
            false => had.by_username.clone(),
        },
        by_email: held_email(after),
    };
    let id = &after.id;
    if renamed {
        if !change.caller.is_administrator() {
            check_not_address(&after.username)?;
        }
        check_username_free(change, id, &after.username)?;
        check_not_anothers_before(
            change,
            id,
            NameKind::Username,
            &text::name_key(&after.username),
            "username",
        )?;
    }
    if let Some(address) = has.by_username.as_ref().filter(|_| renamed) {
        check_address_free(change, id, address, "username")?;
        check_not_anothers_before(change, id, NameKind::Email, address, "username")?;
    }
    let typed = after.email.as_deref().map(text::name_key);
    let moved = typed != before.email.as_deref().map(text::name_key);
    if let Some(address) = typed.filter(|_| moved || has.by_email != had.by_email) {
        check_address_free(change, id, &address, "email")?;
    }
    if let Some(address) = has.by_email.as_ref().filter(|address| !had.has(address)) {
        check_not_anothers_before(change, id, NameKind::Email, address, "email")?;
    }
    check_external_id_free(change, after)?;

    db::users::update(change, after)?;
    if renamed {
        let former = text::name_key(&before.username);
        db::former_names::insert(change, NameKind::Username, &former, id)?;
    }
    for lost in had.all().filter(|address| !has.has(address)) {
        db::former_names::insert(change, NameKind::Email, lost, id)?;
    }
    release(change, id, has.all().filter(|address| !had.has(address)))
}

/// Deletes a user and remembers what they were called.
pub(super) fn delete(writer: &Writer<'_>, user: &User) -> Result<()> {
    let username = text::name_key(&user.username);
    db::former_names::insert(writer, NameKind::Username, &username, &user.id)?;
    for address in Held::of(writer, user)?.all() {
        db::former_names::insert(writer, NameKind::Email, address, &user.id)?;
    }
    db::users::delete(writer, &user.id)
}

/// Deletes a user who was never let in: their names are as free as if they had not come.
pub(in crate::rules) fn delete_unapproved(writer: &Writer<'_>, user: &User) -> Result<()> {
    db::former_names::delete_of_user(writer, &user.id)?;
    db::users::delete(writer, &user.id)
}

/// The addresses that a user holds, in their folded form.
struct Held {
    by_username: Option<String>,
    by_email: Option<String>,
}

impl Held {
    fn of(reader: &Reader<'_>, user: &User) -> Result<Self> {
        let (by_username, by_email) = db::users::held_addresses(reader, &user.id)?;
        Ok(Self {
            by_username,
            by_email,
        })
    }

    /// Of somebody new, whose username is given if it is an address.
    fn of_new(user: &User) -> Self {
        Self {
            by_username: text::address_of_username(&user.username),
            by_email: held_email(user),
        }
    }

    fn all(&self) -> impl Iterator<Item = &String> {
        let email = self.by_email.iter();
        let email = email.filter(|address| self.by_username.as_ref() != Some(address));
        self.by_username.iter().chain(email)
    }

    fn has(&self, address: &String) -> bool {
        self.all().any(|held| held == address)
    }
}

fn held_email(user: &User) -> Option<String> {
    let email = user.email.as_deref().filter(|_| user.email_held);
    email.map(text::name_key)
}

fn given(user: &User) -> User {
    User {
        email_held: user.email.is_some(),
        ..user.clone()
    }
}

fn insert(change: &Change<'_>, user: &User) -> Result<()> {
    if db::users::id_was_used(change, &user.id)? {
        return Err(taken("id"));
    }
    check_free(change, user)?;
    db::users::insert(change, user)?;
    release(change, &user.id, Held::of_new(user).all())
}

/// Nobody else has these names now.
fn check_free(reader: &Reader<'_>, user: &User) -> Result<()> {
    check_username_free(reader, &user.id, &user.username)?;
    if let Some(address) = text::address_of_username(&user.username) {
        check_address_free(reader, &user.id, &address, "username")?;
    }
    if let Some(email) = &user.email {
        check_address_free(reader, &user.id, &text::name_key(email), "email")?;
    }
    check_external_id_free(reader, user)
}

/// Nobody else had these names before. Whoever comes new does not even type an address that was somebody's: they could never
/// come to hold it.
fn check_never_anothers(reader: &Reader<'_>, user: &User) -> Result<()> {
    let check = |kind, folded: &str, field| {
        check_not_anothers_before(reader, &user.id, kind, folded, field)
    };
    check(
        NameKind::Username,
        &text::name_key(&user.username),
        "username",
    )?;
    if let Some(address) = text::address_of_username(&user.username) {
        check(NameKind::Email, &address, "username")?;
    }
    match &user.email {
        Some(email) => check(NameKind::Email, &text::name_key(email), "email"),
        None => Ok(()),
    }
}

/// Whoever chooses a name for themselves chooses nobody's address.
fn check_not_address(username: &str) -> Result<()> {
    match text::address_of_username(username) {
        Some(_) => Err(invalid("username", InputReason::AddressAsUsername)),
        None => Ok(()),
    }
}

fn check_username_free(reader: &Reader<'_>, id: &UserId, username: &str) -> Result<()> {
    match db::users::other_has_username(reader, id, &text::name_key(username))? {
        true => Err(taken("username")),
        false => Ok(()),
    }
}

fn check_address_free(reader: &Reader<'_>, id: &UserId, address: &str, field: &str) -> Result<()> {
    match db::users::other_holds(reader, id, address)? {
        true => Err(taken(field)),
        false => Ok(()),
    }
}

fn check_external_id_free(reader: &Reader<'_>, user: &User) -> Result<()> {
    match &user.external_id {
        Some(own) if db::users::other_has_external_id(reader, &user.id, own)? => {
            Err(taken("external_id"))
        }
        _ => Ok(()),
    }
}

fn check_not_anothers_before(
    reader: &Reader<'_>,
    id: &UserId,
    kind: NameKind,
    folded: &str,
    field: &str,
) -> Result<()> {
    match db::former_names::find_last_owner(reader, kind, folded)? {
        Some(owner) if owner != *id => Err(former(field)),
        _ => Ok(()),
    }
}

/// Whoever only typed one of these addresses has it no more.
fn release<'a>(
    change: &Change<'_>,
    holder: &UserId,
    addresses: impl Iterator<Item = &'a String>,
) -> Result<()> {
    for address in addresses {
        for typed in db::users::list_who_typed(change, address)? {
            if typed.id == *holder {
                continue;
            }
            let without = User {
                email: None,
                updated_at: change.now(),
                ..typed
            };
            db::users::update(change, &without)?;
            change.record(EventKind::EmailReleased, Subject::user(&without), &[])?;
        }
    }
    Ok(())
}
