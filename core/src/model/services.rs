//! Services, and the decision whether somebody may use one.

use std::time::SystemTime;

use crate::model::ids::{GroupId, ServiceId, UserId};

/// Something that users reach through the host: an application behind a reverse proxy, or a part of the host itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Service {
    /// The id, which never changes.
    pub id: ServiceId,
    /// The short, unique name for programs.
    pub slug: String,
    /// The name for people.
    pub name: String,
    /// The web origins at which it is served.
    pub origins: Vec<String>,
    /// Whether it is open to every user.
    pub for_everyone: bool,
    /// The groups whose members may use it, if it is not open to every user. Without groups, nobody may.
    pub group_ids: Vec<GroupId>,
    /// Whether a proxy hands it an access token with each request (forward auth).
    pub wants_token: bool,
    /// When it was created.
    pub created_at: SystemTime,
}

/// Who may use a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum ServiceAccess {
    /// Nobody.
    Nobody,
    /// Every user.
    Everyone,
    /// The members of the groups that are named with it.
    Groups,
}

/// A service to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NewService {
    /// The short name for programs: 1 to 64 lower-case letters, digits and `_ . -`. It begins with a letter and is not the
    /// name of an area of scopes.
    pub slug: String,
    /// The name for people: 1 to 100 characters. The default is `slug`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub name: Option<String>,
    /// At most 20 web origins, for example `https://films.example`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub origins: Vec<String>,
    /// Who may use it. The default is the groups that are named, and nobody if there are none.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub access: Option<ServiceAccess>,
    /// The groups whose members may use it. With `Nobody` there must be none; with `Everyone` they are kept for later.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub group_ids: Vec<GroupId>,
    /// Whether a proxy hands it an access token with each request (forward auth).
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub wants_token: bool,
}

/// Changes to a service. What is left out stays the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ServiceChanges {
    /// As in `NewService`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub slug: Option<String>,
    /// As in `NewService`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub name: Option<String>,
    /// Whether `origins` replace those that it has. If not, they must be empty.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub replace_origins: bool,
    /// As in `NewService`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub origins: Vec<String>,
    /// As in `NewService`. Without it and without groups, access stays the same.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub access: Option<ServiceAccess>,
    /// As in `NewService`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub group_ids: Vec<GroupId>,
    /// As in `NewService`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub wants_token: Option<bool>,
}

/// Which services to list. They are ordered by slug.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ServiceQuery {
    /// A part of slug or name, without regard to case and accents.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub search: Option<String>,
    /// Only those that this user may use. Users who are not administrators always see only those that they may use.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub user_id: Option<UserId>,
    /// Which page to return, counted from 1.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<i64>,
    /// How many items to put on a page: 1 to 1000, 20 by default.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<i64>,
}

/// A page of services.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ServicePage {
    /// The services.
    pub items: Vec<Service>,
    /// How many there are on all pages.
    pub total: i64,
    /// Which page this is. Past the last page, `items` is empty.
    pub page: i64,
}

/// Whether somebody may use a service, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Decision {
    /// Whether to let them in.
    pub allowed: bool,
    /// The reason for the decision.
    pub reason: DecisionReason,
    /// The service.
    pub service_id: ServiceId,
    /// The user who asks. It is absent if their credential has ended.
    pub user_id: Option<UserId>,
}

/// Why somebody may or may not use a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum DecisionReason {
    /// Allowed: the service is open to everyone.
    Everyone,
    /// Allowed: they are in one of its groups.
    Group,
    /// The service is closed to everybody.
    Closed,
    /// They are in none of its groups.
    NoGroup,
    /// Their credential has neither `*` nor a scope of this service.
    MissingScope,
    /// Their account waits for approval.
    AccountPending,
    /// Their account is disabled.
    AccountDisabled,
    /// Their account has lapsed.
    AccountExpired,
    /// Their credential has expired or was revoked.
    CredentialEnded,
}
