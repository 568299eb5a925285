use keyplate::{
    Keyplate, NewUser, Role, User, UserChanges, UserId, UserQuery, UserSort, UserStatus,
};
use serde::{Deserialize, Serialize};

use crate::{
    answer::{self, Answer},
    body::Json,
    caller::{Administrator, Caller},
    error::Failure,
    list::{self, Query},
    router::Id,
};

/// The columns that a list may be sorted by.
const COLUMNS: [(&str, UserSort); 7] = [
    ("createdAt", UserSort::CreatedAt),
    ("username", UserSort::Username),
    ("displayName", UserSort::DisplayName),
    ("firstName", UserSort::FirstName),
    ("lastName", UserSort::LastName),
    ("email", UserSort::Email),
    ("isAdmin", UserSort::Role),
];

/// A user as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserJson {
    id: String,
    username: String,
    email: Option<String>,
    email_verified: bool,
    first_name: String,
    last_name: String,
    display_name: String,
    is_admin: bool,
    locale: Option<String>,
    custom_claims: [(); 0],
    user_groups: [(); 0],
    ldap_id: Option<String>,
    disabled: bool,
    status: &'static str,
    expires_at: Option<String>,
}

impl From<&User> for UserJson {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            username: user.username.clone(),
            email: user.email.clone(),
            email_verified: user.email_verified,
            first_name: user.first_name.clone().unwrap_or_default(),
            last_name: user.last_name.clone().unwrap_or_default(),
            display_name: user.display_name.clone().unwrap_or_default(),
            is_admin: user.role == Role::Administrator,
            locale: user.locale.clone(),
            custom_claims: [],
            user_groups: [],
            ldap_id: None,
            disabled: user.status == UserStatus::Disabled,
            status: match user.status {
                UserStatus::Pending => "pending",
                UserStatus::Active => "active",
                _ => "disabled",
            },
            expires_at: user.expires_at.map(answer::time),
        }
    }
}

/// A user as a client sends one, to be made or in place of the one that is there.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct UserBody {
    id: Option<String>,
    username: Option<String>,
    email: Option<String>,
    email_verified: Option<bool>,
    first_name: Option<String>,
    last_name: Option<String>,
    display_name: Option<String>,
    is_admin: Option<bool>,
    locale: Option<String>,
    disabled: Option<bool>,
    user_group_ids: Option<Vec<String>>,
}

impl UserBody {
    fn role(&self) -> Role {
        if self.is_admin == Some(true) {
            Role::Administrator
        } else {
            Role::User
        }
    }

    fn into_new_user(self) -> Result<NewUser, Failure> {
        // There are no groups here yet: no id can name one.
        if self
            .user_group_ids
            .as_ref()
            .is_some_and(|ids| !ids.is_empty())
        {
            let reason = "names a group that does not exist";
            return Err(Failure::field("userGroupIds", "invalid", reason));
        }
        let role = self.role();
        let id = self.id.as_deref().filter(|id| !id.is_empty());
        let id = id.map(UserId::parse).transpose();
        Ok(NewUser {
            id: id.map_err(|error| Failure::from(error).renamed("userId", "id"))?,
            username: self.username.unwrap_or_default(),
            email: self.email,
            email_verified: self.email_verified == Some(true),
            display_name: self.display_name,
            first_name: self.first_name,
            last_name: self.last_name,
            locale: self.locale,
            role: Some(role),
            status: (self.disabled == Some(true)).then_some(UserStatus::Disabled),
            ..NewUser::default()
        })
    }

    /// A full replacement: what the body leaves out is taken away, not kept.
    fn into_changes(self) -> UserChanges {
        UserChanges {
            username: Some(self.username.unwrap_or_default()),
            email: Some(self.email.unwrap_or_default()),
            email_verified: self.email_verified,
            display_name: Some(self.display_name.unwrap_or_default()),
            first_name: Some(self.first_name.unwrap_or_default()),
            last_name: Some(self.last_name.unwrap_or_default()),
            locale: Some(self.locale.unwrap_or_default()),
            ..UserChanges::default()
        }
    }
}

pub(crate) async fn list(Administrator(caller): Administrator, query: Query) -> Answer {
    let limit = query.limit()?;
    let users = UserQuery {
        search: query.search(),
        sort: query.sort(&COLUMNS)?,
        descending: query.descending()?,
        page: Some(query.page()?),
        limit: Some(limit),
        ..UserQuery::default()
    };
    let page = caller.call(|keyplate| keyplate.list_users(users)).await?;
    let items = page.items.iter().map(UserJson::from).collect();
    list::answer(items, page.total, page.page, limit)
}

pub(crate) async fn create(
    Administrator(caller): Administrator,
    Json(body): Json<UserBody>,
) -> Answer {
    let user = body.into_new_user()?;
    let user = caller.call(|keyplate| keyplate.create_user(user)).await?;
    answer::created(&UserJson::from(&user))
}

pub(crate) async fn get(Administrator(caller): Administrator, id: Id) -> Answer {
    let id = parse_id(&id)?;
    let user = caller.call(move |keyplate| keyplate.get_user(&id)).await?;
    answer::ok(&UserJson::from(&user))
}

pub(crate) async fn replace(
    Administrator(caller): Administrator,
    id: Id,
    Json(body): Json<UserBody>,
) -> Answer {
    let id = parse_id(&id)?;
    let user = caller
        .call(move |keyplate| replace_user(keyplate, &id, body))
        .await?;
    answer::ok(&UserJson::from(&user))
}

pub(crate) async fn delete(Administrator(caller): Administrator, id: Id) -> Answer {
    let id = parse_id(&id)?;
    caller
        .call(move |keyplate| keyplate.delete_user(&id))
        .await?;
    answer::no_content()
}

pub(crate) async fn me(caller: Caller) -> Answer {
    let id = caller.who.user_id;
    let user = caller.call(move |keyplate| keyplate.get_user(&id)).await?;
    answer::ok(&UserJson::from(&user))
}

/// One's own profile: role and status in the body count for nothing, a username left out stays.
pub(crate) async fn update_me(caller: Caller, Json(body): Json<UserBody>) -> Answer {
    let id = caller.who.user_id;
    let changes = UserChanges {
        username: body.username.clone(),
        email_verified: None,
        ..body.into_changes()
    };
    let user = caller
        .call(move |keyplate| keyplate.update_user(&id, changes))
        .await?;
    answer::ok(&UserJson::from(&user))
}

/// Up to three calls, each a transaction of its own. The role comes first, as the one most likely to be refused, so that
/// a refusal usually finds nothing done; the status last, because an administrator who disables himself may do
/// nothing afterwards. What is already as wanted is not asked for: it would want rights that the caller need not have.
fn replace_user(keyplate: &Keyplate, id: &UserId, body: UserBody) -> keyplate::Result<User> {
    let before = keyplate.get_user(id)?;
    let (role, disabled) = (body.role(), body.disabled == Some(true));
    if role != before.role {
        keyplate.set_user_role(id, role)?;
    }
    let user = keyplate.update_user(id, body.into_changes())?;
    match (user.status == UserStatus::Disabled, disabled) {
        (false, true) => keyplate.disable_user(id),
        (true, false) => keyplate.enable_user(id),
        _ => Ok(user),
    }
}

fn parse_id(id: &Id) -> Result<UserId, Failure> {
    UserId::parse(&id.0).map_err(|_| Failure::not_found("user"))
}
