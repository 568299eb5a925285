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

/// A service to be made. It is closed to all at first.
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
}

/// Which services, by slug.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ServiceQuery {
    /// A part of slug or name, without regard to case.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub search: Option<String>,
    /// Only those that this user may use. A user who is no administrator sees his own in any case.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub user_id: Option<UserId>,
    /// Which page, from 1.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<u32>,
    /// How many on a page: 1 to 1000, by default 20.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<u32>,
}

/// A page of services.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ServicePage {
    /// The services.
    pub items: Vec<Service>,
    /// How many there are in all.
    pub total: u64,
    /// Which page this is; the last one when a later one was asked for.
    pub page: u32,
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
