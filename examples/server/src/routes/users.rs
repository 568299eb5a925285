use keyplate::{
    Expiry, GroupId, NewUser, Role, UserChanges, UserId, UserQuery, UserSort, UserStatus,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::http::openapi as doc;
use crate::http::openapi::{Operation, names};
use crate::{
    http::{
        answer::{self, Answer},
        body::{self, Json},
        caller::{Administrator, Caller, Enrolling},
        error::Failure,
        length::Length,
        list::{self, Query},
        path::{self, Id},
    },
    json::users::{STATUSES, UserJson},
    routes::groups,
};

/// The columns that a list may be sorted by.
const COLUMNS: [(&str, UserSort); 10] = [
    ("createdAt", UserSort::CreatedAt),
    ("username", UserSort::Username),
    ("displayName", UserSort::DisplayName),
    ("firstName", UserSort::FirstName),
    ("lastName", UserSort::LastName),
    ("email", UserSort::Email),
    ("isAdmin", UserSort::Role),
    ("expiresAt", UserSort::ExpiresAt),
    ("emailVerified", UserSort::EmailVerified),
    ("disabled", UserSort::Disabled),
];
const FILTERS: [&str; 3] = ["disabled", "isAdmin", "emailVerified"];

/// A user as a client sends one, to be made or in place of the one that is there.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct UserBody {
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
    /// Null: the account does not lapse.
    #[serde(deserialize_with = "body::given")]
    expires_at: Option<Option<String>>,
}

impl UserBody {
    fn role(&self) -> Role {
        role(self.is_admin == Some(true))
    }

    fn into_new_user(self) -> Result<NewUser, Failure> {
        let group_ids = groups::parse_ids(self.user_group_ids.clone())?;
        let expires_at = match self.expiry()? {
            Some(Expiry::At { time }) => Some(time),
            _ => None,
        };
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
            group_ids,
            role: Some(role),
            status: (self.disabled == Some(true)).then_some(UserStatus::Disabled),
            expires_at,
            ..NewUser::default()
        })
    }

    fn expiry(&self) -> Result<Option<Expiry>, Failure> {
        let expiry = |text: &Option<String>| match text {
            None => Ok(Expiry::Never),
            Some(text) => {
                let time = body::time("expiresAt", Some(text))?;
                Ok(Expiry::At { time })
            }
        };
        self.expires_at.as_ref().map(expiry).transpose()
    }

    /// The names and the address, in place of those that are there: what the body leaves out is taken away.
    fn profile(self) -> UserChanges {
        UserChanges {
            email: Some(self.email.unwrap_or_default()),
            display_name: Some(self.display_name.unwrap_or_default()),
            first_name: Some(self.first_name.unwrap_or_default()),
            last_name: Some(self.last_name.unwrap_or_default()),
            locale: Some(self.locale.unwrap_or_default()),
            ..UserChanges::default()
        }
    }

    /// A full replacement, but for two things: groups have a route of their own, and when the account lapses stays
    /// where it is not said, because clients that know nothing of it must not make it last for ever.
    fn into_changes(self) -> Result<UserChanges, Failure> {
        Ok(UserChanges {
            username: Some(self.username.clone().unwrap_or_default()),
            email_verified: self.email_verified,
            expiry: self.expiry()?,
            role: Some(self.role()),
            disabled: Some(self.disabled == Some(true)),
            ..self.profile()
        })
    }
}

pub(super) async fn list(Administrator(caller): Administrator, query: Query) -> Answer {
    let asked = query.listing(&COLUMNS, &FILTERS)?;
    let (page, limit) = (asked.page, asked.limit);
    // In the library administrators come first; here, as elsewhere, what is true comes last.
    let turned = matches!(asked.sort, Some(UserSort::Role));
    let users = UserQuery {
        search: query.search(),
        disabled: query.flag("disabled")?,
        email_verified: query.flag("emailVerified")?,
        role: query.flag("isAdmin")?.map(role),
        status: query.one_of("status", &STATUSES)?,
        group_id: group(&query)?,
        expiring_within_seconds: expiring_within(&query)?,
        sort: asked.sort,
        descending: asked.is_descending() != turned,
        limit: Some(limit),
        ..UserQuery::default()
    };
    let (items, total, page) = caller
        .call(move |keyplate| {
            let page = list::page_or_last(page, limit, |page| {
                keyplate.list_users(UserQuery {
                    page: Some(page),
                    ..users.clone()
                })
            })?;
            let items = UserJson::all(keyplate, &page.items)?;
            Ok((items, page.total, page.page))
        })
        .await?;
    list::answer(items, total, page, limit)
}

pub(super) async fn create(
    Administrator(caller): Administrator,
    Json(body): Json<UserBody>,
) -> Answer {
    let user = body.into_new_user()?;
    let user = caller
        .call(|keyplate| UserJson::one(keyplate, &keyplate.create_user(user)?))
        .await
        .map_err(groups::missing)?;
    answer::created(&user)
}

pub(super) async fn get(Administrator(caller): Administrator, id: Id) -> Answer {
    let id = path::user_id(&id)?;
    let user = caller
        .call(move |keyplate| UserJson::one(keyplate, &keyplate.get_user(&id)?))
        .await?;
    answer::ok(&user)
}

pub(super) async fn replace(
    Administrator(caller): Administrator,
    id: Id,
    Json(body): Json<UserBody>,
) -> Answer {
    let id = path::user_id(&id)?;
    let changes = body.into_changes()?;
    let user = caller
        .call(move |keyplate| UserJson::one(keyplate, &keyplate.update_user(&id, changes)?))
        .await
        .map_err(|failure| failure.renamed("expiry", "expiresAt"))?;
    answer::ok(&user)
}

pub(super) async fn delete(Administrator(caller): Administrator, id: Id) -> Answer {
    let id = path::user_id(&id)?;
    caller
        .call(move |keyplate| keyplate.delete_user(&id))
        .await?;
    answer::no_content()
}

/// Lets a pending user in.
pub(super) async fn approve(Administrator(caller): Administrator, id: Id) -> Answer {
    let id = path::user_id(&id)?;
    let user = caller
        .call(move |keyplate| UserJson::one(keyplate, &keyplate.approve_user(&id)?))
        .await?;
    answer::ok(&user)
}

/// Removes a pending user.
pub(super) async fn reject(Administrator(caller): Administrator, id: Id) -> Answer {
    let id = path::user_id(&id)?;
    caller
        .call(move |keyplate| keyplate.reject_user(&id))
        .await?;
    answer::no_content()
}

pub(super) async fn me(Enrolling(caller): Enrolling) -> Answer {
    let id = caller.who.user_id;
    let user = caller
        .call(move |keyplate| UserJson::one(keyplate, &keyplate.get_user(&id)?))
        .await?;
    answer::ok(&user)
}

/// One's own profile: role and status in the body count for nothing, a username left out stays.
pub(super) async fn update_me(caller: Caller, Json(body): Json<UserBody>) -> Answer {
    let id = caller.who.user_id;
    let changes = UserChanges {
        username: body.username.clone(),
        ..body.profile()
    };
    let user = caller
        .call(move |keyplate| UserJson::one(keyplate, &keyplate.update_user(&id, changes)?))
        .await?;
    answer::ok(&user)
}

fn role(is_admin: bool) -> Role {
    if is_admin {
        Role::Administrator
    } else {
        Role::User
    }
}

fn group(query: &Query) -> Result<Option<GroupId>, Failure> {
    let field = "group";
    let id = query.get(field).map(GroupId::parse).transpose();
    id.map_err(|_| Failure::field(field, "invalid", "is not an id"))
}

fn expiring_within(query: &Query) -> Result<Option<i64>, Failure> {
    let field = "expiringWithin";
    let length = query.get(field).map(|text| Length::Text(text.to_owned()));
    length.map(|length| length.seconds(field)).transpose()
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::administrator("get", "/api/users", "Lists users")
            .parameter("status", "pending, active or disabled")
            .parameter("group", "The id of a group")
            .parameter(
                "expiringWithin",
                "Whose account lapses within this time, such as 30d",
            )
            .lists::<UserJson>(&names(&COLUMNS), &FILTERS, true),
        doc::administrator("post", "/api/users", "Creates a user")
            .takes::<UserBody>()
            .gives::<UserJson>(201),
        doc::user("get", "/api/users/me", "Gives the caller").gives::<UserJson>(200),
        doc::user("put", "/api/users/me", "Replaces one's own profile")
            .takes::<UserBody>()
            .gives::<UserJson>(200),
        doc::administrator("get", "/api/users/{id}", "Gives a user").gives::<UserJson>(200),
        doc::administrator("put", "/api/users/{id}", "Replaces a user")
            .takes::<UserBody>()
            .gives::<UserJson>(200),
        doc::administrator("delete", "/api/users/{id}", "Deletes a user").gives_nothing(),
        doc::administrator("post", "/api/users/{id}/approve", "Lets a pending user in")
            .gives::<UserJson>(200),
        doc::administrator("post", "/api/users/{id}/reject", "Removes a pending user")
            .gives_nothing(),
    ]
}
