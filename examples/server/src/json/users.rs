use keyplate::{Keyplate, Role, User, UserStatus};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    http::answer,
    json::{
        claims::ClaimJson,
        groups::{NamedGroup, Visible},
    },
};

/// What the statuses are called.
pub(crate) const STATUSES: [(&str, UserStatus); 3] = [
    ("pending", UserStatus::Pending),
    ("active", UserStatus::Active),
    ("disabled", UserStatus::Disabled),
];

pub(crate) fn status_name(status: UserStatus) -> &'static str {
    let name = STATUSES.iter().find(|(_, found)| *found == status);
    name.map_or("disabled", |(name, _)| *name)
}

/// A user as JSON.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "User")]
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
    /// A user with their groups, as the holder of this handle may see them.
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
