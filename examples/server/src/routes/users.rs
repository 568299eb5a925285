use keyplate::{
    Expiry, GroupId, Keyplate, NewUser, Role, User, UserChanges, UserId, UserQuery, UserSort,
    UserStatus,
};
use serde::{Deserialize, Serialize};

use crate::{
    http::{
        answer::{self, Answer},
        body::{self, Json},
        caller::{Administrator, Caller},
        error::Failure,
        list::{self, Query},
    },
    options::duration::Length,
    routes::{
        claims::ClaimJson,
        groups::{self, NamedGroup, Visible},
        router::Id,
    },
};

/// The columns that a list may be sorted by.
const COLUMNS: [(&str, UserSort); 8] = [
    ("createdAt", UserSort::CreatedAt),
    ("username", UserSort::Username),
    ("displayName", UserSort::DisplayName),
    ("firstName", UserSort::FirstName),
    ("lastName", UserSort::LastName),
    ("email", UserSort::Email),
    ("isAdmin", UserSort::Role),
    ("expiresAt", UserSort::ExpiresAt),
];

/// The statuses that a list may be narrowed to.
const STATUSES: [(&str, UserStatus); 3] = [
    ("pending", UserStatus::Pending),
    ("active", UserStatus::Active),
    ("disabled", UserStatus::Disabled),
];

pub(crate) fn status_name(status: UserStatus) -> &'static str {
    let name = STATUSES.iter().find(|(_, found)| *found == status);
    name.map_or("disabled", |(name, _)| *name)
}

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
    custom_claims: Vec<ClaimJson>,
    user_groups: Vec<NamedGroup>,
    ldap_id: Option<String>,
    disabled: bool,
    status: &'static str,
    expires_at: Option<String>,
}

impl UserJson {
    /// A user with his groups, as the holder of this handle may see them.
    pub(crate) fn one(keyplate: &Keyplate, user: &User) -> keyplate::Result<Self> {
        let groups = Visible::load(keyplate, user.group_ids.iter())?;
        Ok(Self::new(user, &groups))
    }

    pub(crate) fn all(keyplate: &Keyplate, users: &[User]) -> keyplate::Result<Vec<Self>> {
        let groups = Visible::load(keyplate, users.iter().flat_map(|user| &user.group_ids))?;
        Ok(users.iter().map(|user| Self::new(user, &groups)).collect())
    }

    pub(crate) fn new(user: &User, groups: &Visible) -> Self {
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
            custom_claims: user.claims.iter().map(ClaimJson::from).collect(),
            user_groups: groups.named(&user.group_ids),
            ldap_id: None,
            disabled: user.status == UserStatus::Disabled,
            status: status_name(user.status),
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
    /// Null: the account does not lapse.
    #[serde(deserialize_with = "body::given")]
    expires_at: Option<Option<String>>,
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

pub(crate) async fn list(Administrator(caller): Administrator, query: Query) -> Answer {
    let limit = query.limit()?;
    let users = UserQuery {
        search: query.search(),
        status: query.one_of("status", &STATUSES)?,
        group_id: group(&query)?,
        expiring_within_seconds: expiring_within(&query)?,
        sort: query.sort(&COLUMNS)?,
        descending: query.descending()?,
        page: Some(query.page()?),
        limit: Some(limit),
        ..UserQuery::default()
    };
    let (items, total, page) = caller
        .call(|keyplate| {
            let page = keyplate.list_users(users)?;
            let items = UserJson::all(keyplate, &page.items)?;
            Ok((items, page.total, page.page))
        })
        .await?;
    list::answer(items, total, page, limit)
}

pub(crate) async fn create(
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

pub(crate) async fn get(Administrator(caller): Administrator, id: Id) -> Answer {
    let id = parse_id(&id)?;
    let user = caller
        .call(move |keyplate| UserJson::one(keyplate, &keyplate.get_user(&id)?))
        .await?;
    answer::ok(&user)
}

pub(crate) async fn replace(
    Administrator(caller): Administrator,
    id: Id,
    Json(body): Json<UserBody>,
) -> Answer {
    let id = parse_id(&id)?;
    let changes = body.into_changes()?;
    let user = caller
        .call(move |keyplate| UserJson::one(keyplate, &keyplate.update_user(&id, changes)?))
        .await
        .map_err(|failure| failure.renamed("expiry", "expiresAt"))?;
    answer::ok(&user)
}

pub(crate) async fn delete(Administrator(caller): Administrator, id: Id) -> Answer {
    let id = parse_id(&id)?;
    caller
        .call(move |keyplate| keyplate.delete_user(&id))
        .await?;
    answer::no_content()
}

/// Lets a pending user in.
pub(crate) async fn approve(Administrator(caller): Administrator, id: Id) -> Answer {
    let id = parse_id(&id)?;
    let user = caller
        .call(move |keyplate| UserJson::one(keyplate, &keyplate.approve_user(&id)?))
        .await?;
    answer::ok(&user)
}

/// Removes a pending user.
pub(crate) async fn reject(Administrator(caller): Administrator, id: Id) -> Answer {
    let id = parse_id(&id)?;
    caller
        .call(move |keyplate| keyplate.reject_user(&id))
        .await?;
    answer::no_content()
}

pub(crate) async fn me(caller: Caller) -> Answer {
    let id = caller.who.user_id;
    let user = caller
        .call(move |keyplate| UserJson::one(keyplate, &keyplate.get_user(&id)?))
        .await?;
    answer::ok(&user)
}

/// One's own profile: role and status in the body count for nothing, a username left out stays.
pub(crate) async fn update_me(caller: Caller, Json(body): Json<UserBody>) -> Answer {
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

fn group(query: &Query) -> Result<Option<GroupId>, Failure> {
    let field = "group";
    let id = query.get(field).map(GroupId::parse).transpose();
    id.map_err(|_| Failure::field(field, "invalid", "is not an id"))
}

fn expiring_within(query: &Query) -> Result<Option<u32>, Failure> {
    let field = "expiringWithin";
    let length = query.get(field).map(|text| Length::Text(text.to_owned()));
    length.map(|length| length.seconds(field)).transpose()
}

pub(crate) fn parse_id(id: &Id) -> Result<UserId, Failure> {
    UserId::parse(&id.0).map_err(|_| Failure::not_found("user"))
}
