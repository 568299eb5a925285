//! Groups of users.

use std::time::SystemTime;

use crate::model::{
    claims::Claim,
    ids::{GroupId, UserId},
};

/// A group of users.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Group {
    /// The id, which never changes.
    pub id: GroupId,
    /// The name for programs, unique regardless of case.
    pub name: String,
    /// The name for people.
    pub friendly_name: String,
    /// The claims that its members have.
    pub claims: Vec<Claim>,
    /// How many users are in it.
    pub member_count: i64,
    /// When it was created.
    pub created_at: SystemTime,
}

/// A group to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NewGroup {
    /// 2 to 255 characters of any script, without commas, and without a blank at either end.
    pub name: String,
    /// The name for people: 2 to 50 characters. The default is `name`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub friendly_name: Option<String>,
}

/// Changes to a group. What is left out stays the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct GroupChanges {
    /// As in `NewGroup`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub name: Option<String>,
    /// As in `NewGroup`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub friendly_name: Option<String>,
}

/// Which groups to list, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct GroupQuery {
    /// A part of a name, without regard to case and accents.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub search: Option<String>,
    /// Only those that this user is in. Users who are not administrators always see only their own.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub user_id: Option<UserId>,
    /// The order. The default is the order of creation.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sort: Option<GroupSort>,
    /// Whether to reverse the order.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub descending: bool,
    /// Which page to return, counted from 1.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<i64>,
    /// How many items to put on a page: 1 to 1000, 20 by default.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<i64>,
}

/// An order of groups. Equal ones are ordered by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum GroupSort {
    /// By time of creation.
    #[default]
    CreatedAt,
    /// By name.
    Name,
    /// By the name for people.
    FriendlyName,
    /// By the number of members.
    MemberCount,
}

/// A page of groups.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct GroupPage {
    /// The groups.
    pub items: Vec<Group>,
    /// How many there are on all pages.
    pub total: i64,
    /// Which page this is. Past the last page, `items` is empty.
    pub page: i64,
}
