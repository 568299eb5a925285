//! Services, and who may use them (G2).

use crate::{
    db::{self, PageRequest, Reader},
    error::{Found, InputReason, KeyplateError, Result, Thing, invalid, not_found, taken},
    gate::{
        caller::Acting,
        change::{Change, Subject},
        handle::Keyplate,
        list,
        methods::Method,
    },
    model::{
        audit::EventKind,
        credentials::Principal,
        ids::{GroupId, ServiceId, UserId},
        services::{
            Decision, DecisionReason, NewService, Service, ServiceAccess, ServiceChanges,
            ServicePage, ServiceQuery,
        },
    },
    rules::groups,
    values::{origins::Origin, scopes, text},
};

const MAX_SLUG: usize = 64;
const MAX_NAME: usize = 100;
const MAX_ORIGINS: usize = 20;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Creates a service. It is closed to everybody unless the input says who may use it.
    ///
    /// # Errors
    /// `InvalidInput`; `NotFound` for a group; `Conflict` for a slug that is taken; `PermissionDenied`.
    pub fn create_service(&self, service: NewService) -> Result<Service> {
        let access = asked_access(service.access, &service.group_ids)?;
        self.write(Method::CreateService, |change| {
            let made = create(change, &service)?;
            open_to(change, made, access)
        })
    }

    /// Returns a service. Users who are not administrators see those that they may use.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    pub fn get_service(&self, id: &ServiceId) -> Result<Service> {
        self.read(Method::GetService, |reader, caller| {
            let service = get(reader, id)?;
            let hidden = || not_found(Thing::Service);
            if !caller.is_administrator() {
                let acting = caller.acting().ok_or_else(hidden)?;
                access(reader, &service, &acting.user.id)?.map_err(|_| hidden())?;
            }
            Ok(service)
        })
    }

    /// Lists services by slug.
    ///
    /// # Errors
    /// `InvalidInput`, `PermissionDenied`.
    pub fn list_services(&self, query: ServiceQuery) -> Result<ServicePage> {
        let page = list::page_request(query.page, query.limit)?;
        let search = list::search(query.search.as_deref())?;
        self.read(Method::ListServices, |reader, caller| {
            let user_id = list::visible_owner(caller, query.user_id)?;
            let total = db::services::count(reader, user_id.as_ref(), search.as_deref())?;
            Ok(ServicePage {
                items: db::services::list(reader, user_id.as_ref(), search.as_deref(), page)?,
                total,
                page: page.page,
            })
        })
    }

    /// Changes a service's names, origins and access: everything that is named or, on an error, nothing. Scopes with the
    /// former slug no longer mean this service.
    ///
    /// # Errors
    /// `NotFound` for the service or a group; `InvalidInput`; `Conflict` for a slug that is taken; `PermissionDenied`.
    pub fn update_service(&self, id: &ServiceId, changes: ServiceChanges) -> Result<Service> {
        let access = asked_access(changes.access, &changes.group_ids)?;
        let origins = changes.asked_origins()?;
        self.write(Method::UpdateService, |change| {
            let before = get(change, id)?;
            let mut after = changes.applied(before.clone())?;
            if after != before {
                store(change, &after)?;
            }
            if let Some(origins) = &origins {
                after = set_origins(change, &after, origins)?;
            }
            open_to(change, after, access)
        })
    }

    /// Gives a service exactly these web origins.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, `PermissionDenied`.
    pub fn set_service_origins(&self, id: &ServiceId, origins: &[String]) -> Result<Service> {
        let origins = checked_origins(origins)?;
        self.write(Method::SetServiceOrigins, |change| {
            let before = get(change, id)?;
            set_origins(change, &before, &origins)
        })
    }

    /// Opens a service to everyone, or to exactly these groups. With neither, it is closed to everybody.
    ///
    /// # Errors
    /// `NotFound` for the service or a group; `PermissionDenied`.
    pub fn set_service_access(
        &self,
        id: &ServiceId,
        for_everyone: bool,
        group_ids: &[GroupId],
    ) -> Result<Service> {
        self.write(Method::SetServiceAccess, |change| {
            let before = get(change, id)?;
            groups::check_all_exist(change, group_ids)?;
            set_access(change, &before, for_everyone, group_ids)
        })
    }

    /// Deletes a service.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    pub fn delete_service(&self, id: &ServiceId) -> Result<()> {
        self.write(Method::DeleteService, |change| {
            let service = get(change, id)?;
            db::services::delete(change, id)?;
            record(change, EventKind::ServiceDeleted, &service)
        })
    }

    /// Decides whether somebody may use a service, named by id or slug, and says why. Their account must be active, the
    /// service must be open to them, and their credential must have `*` or a scope that begins with the service's slug, as
    /// `library:stream` does for the service `library`. Administrators are users like others here.
    ///
    /// # Errors
    /// `NotFound` for the service; the storage errors.
    pub fn authorize(&self, principal: &Principal, service: &str) -> Result<Decision> {
        self.read(Method::Authorize, |reader, _| {
            let service = find(reader, service)?.ok_or_else(|| not_found(Thing::Service))?;
            let (outcome, user_id) = match Acting::load(reader, principal) {
                Ok(acting) => (decide(reader, &service, &acting)?, Some(acting.user.id)),
                Err(error) => (Err(refused(error)?), None),
            };
            Ok(Decision {
                allowed: outcome.is_ok(),
                reason: outcome.unwrap_or_else(|reason| reason),
                service_id: service.id,
                user_id,
            })
        })
    }
}

/// To whom a service is to be open: to everyone or not, and to which groups. None if nothing is asked.
type Access<'a> = Option<(bool, &'a [GroupId])>;

fn asked_access(access: Option<ServiceAccess>, group_ids: &[GroupId]) -> Result<Access<'_>> {
    let field = "group_ids";
    match (access, group_ids) {
        (None, []) => Ok(None),
        (Some(ServiceAccess::Nobody), []) => Ok(Some((false, group_ids))),
        (Some(ServiceAccess::Nobody), _) => Err(invalid(
            field,
            InputReason::Excludes {
                field: "access".to_owned(),
            },
        )),
        (Some(ServiceAccess::Groups), []) => Err(invalid(field, InputReason::TooFew { least: 1 })),
        (Some(ServiceAccess::Everyone), _) => Ok(Some((true, group_ids))),
        (Some(ServiceAccess::Groups) | None, _) => Ok(Some((false, group_ids))),
    }
}

fn open_to(change: &Change<'_>, service: Service, access: Access<'_>) -> Result<Service> {
    let Some((for_everyone, group_ids)) = access else {
        return Ok(service);
    };
    groups::check_all_exist(change, group_ids)?;
    set_access(change, &service, for_everyone, group_ids)
}

impl ServiceChanges {
    fn asked_origins(&self) -> Result<Option<Vec<Origin>>> {
        match (self.replace_origins, self.origins.is_empty()) {
            (true, _) => checked_origins(&self.origins).map(Some),
            (false, true) => Ok(None),
            (false, false) => Err(invalid(
                "origins",
                InputReason::Needs {
                    field: "replace_origins".to_owned(),
                },
            )),
        }
    }

    pub(in crate::rules) fn applied(&self, before: Service) -> Result<Service> {
        Ok(Service {
            slug: match &self.slug {
                Some(slug) => checked_slug(slug)?,
                None => before.slug,
            },
            wants_token: self.wants_token.unwrap_or(before.wants_token),
            name: match &self.name {
                Some(name) if *name != before.name => checked_name(name)?,
                _ => before.name,
            },
            ..before
        })
    }
}

/// G2: closed to all at first.
pub(in crate::rules) fn create(change: &Change<'_>, service: &NewService) -> Result<Service> {
    let slug = checked_slug(&service.slug)?;
    let origins = checked_origins(&service.origins)?;
    let service = Service {
        id: ServiceId::generate(change.now())?,
        name: checked_name(service.name.as_deref().unwrap_or(&slug))?,
        slug,
        origins: origins.iter().map(|origin| origin.text.clone()).collect(),
        for_everyone: false,
        group_ids: Vec::new(),
        wants_token: service.wants_token,
        created_at: change.now(),
    };
    check_free(change, &service)?;
    db::services::insert(change, &service)?;
    db::services::replace_origins(change, &service.id, &origins)?;
    record(change, EventKind::ServiceCreated, &service)?;
    Ok(service)
}

/// Stores a service's names.
pub(in crate::rules) fn store(change: &Change<'_>, service: &Service) -> Result<()> {
    check_free(change, service)?;
    db::services::update(change, service)?;
    record(change, EventKind::ServiceUpdated, service)
}

/// Gives a service exactly these origins, which are well-formed.
pub(in crate::rules) fn set_origins(
    change: &Change<'_>,
    before: &Service,
    origins: &[Origin],
) -> Result<Service> {
    db::services::replace_origins(change, &before.id, origins)?;
    let service = get(change, &before.id)?;
    if service != *before {
        record(change, EventKind::ServiceUpdated, &service)?;
    }
    Ok(service)
}

/// Opens a service to everyone, or to exactly these groups, which exist.
pub(in crate::rules) fn set_access(
    change: &Change<'_>,
    before: &Service,
    for_everyone: bool,
    group_ids: &[GroupId],
) -> Result<Service> {
    db::services::set_access(change, &before.id, for_everyone, group_ids)?;
    let service = get(change, &before.id)?;
    let access = |service: &Service| (service.for_everyone, service.group_ids.clone());
    if access(&service) == access(before) {
        return Ok(service);
    }
    let count = service.group_ids.len().to_string();
    let everyone = for_everyone.to_string();
    change.record(
        EventKind::ServiceAccessChanged,
        Subject::thing(service.id.as_str(), &service.slug),
        &[("for_everyone", &everyone), ("groups", &count)],
    )?;
    Ok(service)
}

/// G2: why they are let in, or why not.
pub(in crate::rules) fn decide(
    reader: &Reader<'_>,
    service: &Service,
    acting: &Acting,
) -> Result<Result<DecisionReason, DecisionReason>> {
    if acting.ceiling.scopes.are_enrol() {
        return Ok(Err(DecisionReason::AccountPending));
    }
    if !acting.ceiling.scopes.reach_service(&service.slug) {
        return Ok(Err(DecisionReason::MissingScope));
    }
    access(reader, service, &acting.user.id)
}

/// The services that `authorize` lets them use, by slug.
pub(in crate::rules) fn open_to_acting(
    reader: &Reader<'_>,
    acting: &Acting,
) -> Result<Vec<Service>> {
    let mut open = db::services::list(reader, Some(&acting.user.id), None, PageRequest::ALL)?;
    let scopes = &acting.ceiling.scopes;
    open.retain(|service| !scopes.are_enrol() && scopes.reach_service(&service.slug));
    Ok(open)
}

/// To whom the service is open.
pub(in crate::rules) fn access(
    reader: &Reader<'_>,
    service: &Service,
    user_id: &UserId,
) -> Result<Result<DecisionReason, DecisionReason>> {
    if service.for_everyone {
        return Ok(Ok(DecisionReason::Everyone));
    }
    if service.group_ids.is_empty() {
        return Ok(Err(DecisionReason::Closed));
    }
    let his = db::groups::of_user(reader, user_id)?;
    let is_member = service.group_ids.iter().any(|group| his.contains(group));
    Ok(if is_member {
        Ok(DecisionReason::Group)
    } else {
        Err(DecisionReason::NoGroup)
    })
}

/// What is wrong with who asks is an answer; what is wrong with the storage is an error.
fn refused(error: KeyplateError) -> Result<DecisionReason> {
    match error {
        KeyplateError::AccountPending => Ok(DecisionReason::AccountPending),
        KeyplateError::AccountDisabled => Ok(DecisionReason::AccountDisabled),
        KeyplateError::AccountExpired => Ok(DecisionReason::AccountExpired),
        KeyplateError::InvalidCredential => Ok(DecisionReason::CredentialEnded),
        error => Err(error),
    }
}

fn get(reader: &Reader<'_>, id: &ServiceId) -> Result<Service> {
    db::services::find(reader, id)?.or_missing(Thing::Service)
}

pub(in crate::rules) fn find(reader: &Reader<'_>, key: &str) -> Result<Option<Service>> {
    if let Ok(id) = ServiceId::parse(key)
        && let Some(service) = db::services::find(reader, &id)?
    {
        return Ok(Some(service));
    }
    db::services::find_by_slug(reader, key)
}

fn checked_slug(text: &str) -> Result<String> {
    let field = "slug";
    let slug = text::required(field, text, MAX_SLUG)?;
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b);
    let begins = slug.starts_with(|c: char| c.is_ascii_lowercase());
    if slug != text || !begins || !slug.bytes().all(allowed) {
        return Err(invalid(field, InputReason::NotSlug));
    }
    if scopes::is_area(&slug) {
        return Err(invalid(field, InputReason::Reserved { name: slug }));
    }
    Ok(slug)
}

fn checked_name(text: &str) -> Result<String> {
    text::required("name", text, MAX_NAME)
}

pub(in crate::rules) fn checked_origins(origins: &[String]) -> Result<Vec<Origin>> {
    let field = "origins";
    if origins.len() > MAX_ORIGINS {
        return Err(invalid(
            field,
            InputReason::TooMany {
                most: MAX_ORIGINS as i64,
            },
        ));
    }
    let mut checked: Vec<Origin> = Vec::with_capacity(origins.len());
    for origin in origins {
        let origin =
            Origin::parse(field, origin).map_err(|_| invalid(field, InputReason::NotOrigin))?;
        if !checked.iter().any(|known| known.text == origin.text) {
            checked.push(origin);
        }
    }
    Ok(checked)
}

fn check_free(reader: &Reader<'_>, service: &Service) -> Result<()> {
    match db::services::find_by_slug(reader, &service.slug)? {
        Some(other) if other.id != service.id => Err(taken("slug")),
        _ => Ok(()),
    }
}

fn record(change: &Change<'_>, kind: EventKind, service: &Service) -> Result<()> {
    change.record(
        kind,
        Subject::thing(service.id.as_str(), &service.slug),
        &[],
    )
}
