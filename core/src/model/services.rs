//! Services, and the decision whether somebody may use one.

use std::time::SystemTime;

use crate::model::ids::{GroupId, ServiceId, UserId};

/// Something that users reach by way of the host: an application behind a reverse proxy, a part of the host itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Service {
    /// Names it for ever.
    pub id: ServiceId,
    /// Its short name for programs, unique.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// The web origins where it is.
    pub origins: Vec<String>,
    /// Open to every user?
    pub for_everyone: bool,
    /// Otherwise open to the members of these groups; to nobody when there is none.
    pub group_ids: Vec<GroupId>,
    /// When it was made.
    pub created_at: SystemTime,
}

/// To whom a service is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum ServiceAccess {
    /// To nobody.
    Nobody,
    /// To every user.
    Everyone,
    /// To the members of the groups that are named beside it.
    Groups,
}

/// A service to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NewService {
    /// 1 to 64 small letters, digits and `_ . -`, a letter first; no area of scopes.
    pub slug: String,
    /// 1 to 100 characters; by default the slug.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub name: Option<String>,
    /// At most 20 web origins, for example `https://films.example`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub origins: Vec<String>,
    /// To whom it is open; by default to the groups that are named, and to nobody when there are none.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub access: Option<ServiceAccess>,
    /// The groups. `Nobody` excludes them; with `Everyone` they are kept for later.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub group_ids: Vec<GroupId>,
}

/// Changes to a service: what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ServiceChanges {
    /// As in `NewService`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub slug: Option<String>,
    /// As in `NewService`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub name: Option<String>,
    /// Whether `origins` take the place of those that it has; otherwise they must be empty.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub replace_origins: bool,
    /// As in `NewService`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub origins: Vec<String>,
    /// As in `NewService`; without it and without groups, access stays as it is.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub access: Option<ServiceAccess>,
    /// As in `NewService`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub group_ids: Vec<GroupId>,
}

/// Which services, by slug.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ServiceQuery {
    /// A part of slug or name, without regard to case and accents.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub search: Option<String>,
    /// Only those that this user may use. A user who is no administrator sees his own in any case.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub user_id: Option<UserId>,
    /// Which page, from 1.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<i64>,
    /// How many on a page: 1 to 1000, by default 20.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<i64>,
}

/// A page of services.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ServicePage {
    /// The services.
    pub items: Vec<Service>,
    /// How many there are in all.
    pub total: i64,
    /// Which page this is; the last one when a later one was asked for.
    pub page: i64,
}

/// May somebody use a service, and why?
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Decision {
    /// Let him in?
    pub allowed: bool,
    /// Why, or why not.
    pub reason: DecisionReason,
    /// The service.
    pub service_id: ServiceId,
    /// Who asks; none when his credential has ended.
    pub user_id: Option<UserId>,
}

/// Why somebody may use a service, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum DecisionReason {
    /// Allowed: the service is open to everyone.
    Everyone,
    /// Allowed: he is in one of its groups.
    Group,
    /// The service is closed to all.
    Closed,
    /// He is in none of its groups.
    NoGroup,
    /// His credential has neither `*` nor a scope of this service.
    MissingScope,
    /// His account waits for approval.
    AccountPending,
    /// His account is disabled.
    AccountDisabled,
    /// His account has lapsed.
    AccountExpired,
    /// His credential has expired or was revoked.
    CredentialEnded,
}
