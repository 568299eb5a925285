use super::{PageRequest, Reader, Row, Writer, columns::columns, contains_pattern, params};
use crate::{
    error::Result,
    model::{
        ids::{GroupId, ServiceId, UserId},
        services::Service,
    },
    values::{origins::Origin, text},
};

columns! {
    COLUMNS = services (id, slug, name, for_everyone, created_at, wants_token) kept (name_key, search_key)
}

fn from_row(row: &Row<'_, '_>) -> Result<Service> {
    Ok(Service {
        id: row.get("id")?,
        slug: row.get("slug")?,
        name: row.get("name")?,
        for_everyone: row.get("for_everyone")?,
        created_at: row.get("created_at")?,
        wants_token: row.get("wants_token")?,
        origins: Vec::new(),
        group_ids: Vec::new(),
    })
}

fn with_origins_and_groups(reader: &Reader<'_>, mut service: Service) -> Result<Service> {
    service.origins = reader.query_all(
        "SELECT origin FROM service_origins WHERE service_id = ?1 ORDER BY origin",
        params![&service.id],
        |row| row.at(0),
    )?;
    service.group_ids = reader.query_all(
        "SELECT group_id FROM service_groups WHERE service_id = ?1 ORDER BY group_id",
        params![&service.id],
        |row| row.at(0),
    )?;
    Ok(service)
}

pub(crate) fn find(reader: &Reader<'_>, id: &ServiceId) -> Result<Option<Service>> {
    let sql = format!("SELECT {COLUMNS} FROM services WHERE id = ?1");
    let found = reader.query_one(&sql, params![id], from_row)?;
    found
        .map(|service| with_origins_and_groups(reader, service))
        .transpose()
}

pub(crate) fn find_by_slug(reader: &Reader<'_>, slug: &str) -> Result<Option<Service>> {
    let sql = format!("SELECT {COLUMNS} FROM services WHERE slug = ?1");
    let found = reader.query_one(&sql, params![slug], from_row)?;
    found
        .map(|service| with_origins_and_groups(reader, service))
        .transpose()
}

pub(crate) fn insert(writer: &Writer<'_>, service: &Service) -> Result<()> {
    COLUMNS.insert(
        writer,
        params![
            &service.id,
            &service.slug,
            &service.name,
            service.for_everyone,
            service.created_at,
            service.wants_token,
        ],
        params![&text::folded(&service.name), &search_key(service)],
    )
}

pub(crate) fn update(writer: &Writer<'_>, service: &Service) -> Result<()> {
    writer.execute(
        "UPDATE services SET slug = ?2, name = ?3, name_key = ?4, search_key = ?5, wants_token = ?6 WHERE id = ?1",
        params![
            &service.id,
            &service.slug,
            &service.name,
            &text::folded(&service.name),
            &search_key(service),
            service.wants_token,
        ],
    )?;
    Ok(())
}

fn search_key(service: &Service) -> String {
    text::search_key([Some(service.slug.as_str()), Some(&service.name)])
}

pub(crate) fn delete(writer: &Writer<'_>, id: &ServiceId) -> Result<()> {
    writer.execute("DELETE FROM services WHERE id = ?1", params![id])?;
    Ok(())
}

/// Each with its host.
pub(crate) fn replace_origins(
    writer: &Writer<'_>,
    id: &ServiceId,
    origins: &[Origin],
) -> Result<()> {
    writer.execute(
        "DELETE FROM service_origins WHERE service_id = ?1",
        params![id],
    )?;
    for origin in origins {
        writer.execute(
            "INSERT INTO service_origins (service_id, origin, host) VALUES (?1, ?2, ?3)",
            params![id, &origin.text, &origin.host],
        )?;
    }
    super::service_sessions::end_misplaced(writer)
}

pub(crate) fn set_access(
    writer: &Writer<'_>,
    id: &ServiceId,
    for_everyone: bool,
    group_ids: &[GroupId],
) -> Result<()> {
    writer.execute(
        "UPDATE services SET for_everyone = ?2 WHERE id = ?1",
        params![id, for_everyone],
    )?;
    writer.execute(
        "DELETE FROM service_groups WHERE service_id = ?1",
        params![id],
    )?;
    for group_id in group_ids {
        writer.execute(
            r"
            INSERT INTO service_groups (service_id, group_id)
            VALUES (?1, ?2)
            ON CONFLICT (service_id, group_id) DO NOTHING",
            params![id, group_id],
        )?;
    }
    Ok(())
}

const FILTER: &str = r"
    WHERE (CAST(?1 AS TEXT) IS NULL
           OR for_everyone = 1
           OR EXISTS (SELECT 1
                      FROM service_groups
                      JOIN group_members ON group_members.group_id = service_groups.group_id
                      WHERE service_groups.service_id = services.id AND group_members.user_id = ?1))
      AND (CAST(?2 AS TEXT) IS NULL OR search_key LIKE ?2 ESCAPE '\')";

pub(crate) fn count(
    reader: &Reader<'_>,
    user_id: Option<&UserId>,
    search: Option<&str>,
) -> Result<i64> {
    let pattern = search.map(contains_pattern);
    reader.value(
        &format!("SELECT count(*) FROM services {FILTER}"),
        params![user_id, pattern.as_ref()],
    )
}

pub(crate) fn list(
    reader: &Reader<'_>,
    user_id: Option<&UserId>,
    search: Option<&str>,
    page: PageRequest,
) -> Result<Vec<Service>> {
    let pattern = search.map(contains_pattern);
    let services = reader.query_all(
        &format!(
            r"
            SELECT {COLUMNS}
            FROM services
            {FILTER}
            ORDER BY slug
            LIMIT ?3 OFFSET ?4"
        ),
        params![user_id, pattern.as_ref(), page.limit, page.offset()],
        from_row,
    )?;
    services
        .into_iter()
        .map(|service| with_origins_and_groups(reader, service))
        .collect()
}
