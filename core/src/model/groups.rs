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
    /// Names it for ever.
    pub id: GroupId,
    /// Unique without regard to case; for programs.
    pub name: String,
    /// For people.
    pub friendly_name: String,
    /// What holds for its members.
    pub claims: Vec<Claim>,
    /// How many users are in it.
    pub member_count: i64,
    /// When it was made.
    pub created_at: SystemTime,
}

/// A group to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NewGroup {
    /// 2 to 255 characters of any script, without commas, and without a blank at either end.
    pub name: String,
    /// 2 to 50 characters; by default the name.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub friendly_name: Option<String>,
}

/// Changes to a group: what is left out stays.
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

/// Which groups, in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct GroupQuery {
    /// A part of a name, without regard to case and accents.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub search: Option<String>,
    /// Only those that this user is in. A user who is no administrator sees his own in any case.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub user_id: Option<UserId>,
    /// The order; by default that of creation.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sort: Option<GroupSort>,
    /// The other way round.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub descending: bool,
    /// Which page, from 1.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<i64>,
    /// How many on a page: 1 to 1000, by default 20.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<i64>,
}

/// An order of groups; the id decides between equals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum GroupSort {
    /// By the time when they were made.
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
    /// How many there are in all.
    pub total: i64,
    /// Which page this is; the last one when a later one was asked for.
    pub page: i64,
}
