use keyplate::{
    Group, GroupChanges, GroupId, GroupQuery, GroupSort, Keyplate, KeyplateError, NewGroup, Thing,
    User, UserId, UserQuery,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::openapi as doc;
use crate::http::openapi::{Operation, names};
use crate::{
    http::{
        answer::{self, Answer},
        body::{self, Json},
        caller::Administrator,
        error::Failure,
        list::{self, Query},
        path::{self, Id},
    },
    json::{groups::GroupJson, users::UserJson},
};

/// The columns that a list may be sorted by.
const COLUMNS: [(&str, GroupSort); 4] = [
    ("createdAt", GroupSort::CreatedAt),
    ("name", GroupSort::Name),
    ("friendlyName", GroupSort::FriendlyName),
    ("userCount", GroupSort::MemberCount),
];

/// A group in a list.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "GroupInList")]
#[serde(rename_all = "camelCase")]
struct CountedJson {
    #[serde(flatten)]
    group: GroupJson,
    user_count: i64,
}

impl From<&Group> for CountedJson {
    fn from(group: &Group) -> Self {
        Self {
            group: GroupJson::from(group),
            user_count: group.member_count,
        }
    }
}

/// A group alone.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "GroupWithUsers")]
struct WithUsersJson {
    #[serde(flatten)]
    group: CountedJson,
    /// Left out where the caller may see groups but no users.
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<Vec<UserJson>>,
}

impl WithUsersJson {
    fn load(keyplate: &Keyplate, group: &Group) -> keyplate::Result<Self> {
        let users = match members(keyplate, group) {
            Ok(users) => Some(UserJson::all(keyplate, &users)?),
            Err(KeyplateError::PermissionDenied { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            group: CountedJson::from(group),
            users,
        })
    }
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct GroupBody {
    name: Option<String>,
    friendly_name: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MembersBody {
    user_ids: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct UserGroupsBody {
    user_group_ids: Option<Vec<String>>,
}

pub(super) async fn list(Administrator(caller): Administrator, query: Query) -> Answer {
    let asked = query.listing(&COLUMNS, &[])?;
    let (page, limit) = (asked.page, asked.limit);
    let groups = GroupQuery {
        search: query.search(),
        sort: asked.sort,
        descending: asked.is_descending(),
        limit: Some(limit),
        ..GroupQuery::default()
    };
    let page = caller
        .call(move |keyplate| {
            list::page_or_last(page, limit, |page| {
                keyplate.list_groups(GroupQuery {
                    page: Some(page),
                    ..groups.clone()
                })
            })
        })
        .await?;
    let items = page.items.iter().map(CountedJson::from).collect();
    list::answer(items, page.total, page.page, limit)
}

pub(super) async fn create(
    Administrator(caller): Administrator,
    Json(body): Json<GroupBody>,
) -> Answer {
    let group = NewGroup {
        name: body.name.unwrap_or_default(),
        friendly_name: body.friendly_name,
    };
    let group = caller
        .call(move |keyplate| WithUsersJson::load(keyplate, &keyplate.create_group(group)?))
        .await?;
    answer::created(&group)
}

pub(super) async fn get(Administrator(caller): Administrator, id: Id) -> Answer {
    let id = path::group_id(&id)?;
    let group = caller
        .call(move |keyplate| WithUsersJson::load(keyplate, &keyplate.get_group(&id)?))
        .await?;
    answer::ok(&group)
}

/// Both names, in place of those that are there.
pub(super) async fn replace(
    Administrator(caller): Administrator,
    id: Id,
    Json(body): Json<GroupBody>,
) -> Answer {
    let id = path::group_id(&id)?;
    let changes = GroupChanges {
        name: Some(body.name.unwrap_or_default()),
        friendly_name: Some(body.friendly_name.unwrap_or_default()),
    };
    let group = caller
        .call(move |keyplate| WithUsersJson::load(keyplate, &keyplate.update_group(&id, changes)?))
        .await?;
    answer::ok(&group)
}

pub(super) async fn delete(Administrator(caller): Administrator, id: Id) -> Answer {
    let id = path::group_id(&id)?;
    caller
        .call(move |keyplate| keyplate.delete_group(&id))
        .await?;
    answer::no_content()
}

/// Exactly these users, in place of those that are in it.
pub(super) async fn replace_members(
    Administrator(caller): Administrator,
    id: Id,
    Json(body): Json<MembersBody>,
) -> Answer {
    let field = "userIds";
    let id = path::group_id(&id)?;
    let users = body::ids(field, body.user_ids, UserId::parse)?;
    let group = caller
        .call(move |keyplate| {
            WithUsersJson::load(keyplate, &keyplate.set_group_members(&id, &users)?)
        })
        .await
        .map_err(|failure| failure.missing_is(Thing::User, field))?;
    answer::ok(&group)
}

/// The groups of a user, the first by name first.
pub(super) async fn of_user(Administrator(caller): Administrator, id: Id, query: Query) -> Answer {
    query.nothing_more()?;
    let id = path::user_id(&id)?;
    let groups = caller
        .call(move |keyplate| {
            let ids = keyplate.get_user(&id)?.group_ids;
            let groups = ids.iter().map(|id| keyplate.get_group(id));
            groups.collect::<keyplate::Result<Vec<Group>>>()
        })
        .await?;
    let groups: Vec<CountedJson> = groups.iter().map(CountedJson::from).collect();
    answer::ok(&groups)
}

/// Exactly these groups, in place of those that the user is in.
pub(super) async fn replace_of_user(
    Administrator(caller): Administrator,
    id: Id,
    Json(body): Json<UserGroupsBody>,
) -> Answer {
    let id = path::user_id(&id)?;
    let groups = parse_whole(body.user_group_ids)?;
    let user = caller
        .call(move |keyplate| UserJson::one(keyplate, &keyplate.set_user_groups(&id, &groups)?))
        .await
        .map_err(missing)?;
    answer::ok(&user)
}

/// What bodies call the groups that they give.
const FIELD: &str = "userGroupIds";

/// Reads `userGroupIds` where it may be left out.
pub(super) fn parse_ids(ids: Option<Vec<String>>) -> Result<Vec<GroupId>, Failure> {
    body::ids(FIELD, Some(ids.unwrap_or_default()), GroupId::parse)
}

/// A group as it is answered, of which only the id counts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub(super) struct Named {
    id: String,
}

/// The groups that a body gives: by their ids or, as clients send back what they got, whole.
pub(super) fn given_ids(
    ids: &Option<Vec<String>>,
    whole: &Option<Vec<Named>>,
) -> Result<Option<Vec<GroupId>>, Failure> {
    let (field, ids) = match (ids, whole) {
        (Some(ids), _) => (FIELD, ids.clone()),
        (None, Some(groups)) => {
            let ids = groups.iter().map(|group| group.id.clone());
            ("userGroups", ids.collect())
        }
        (None, None) => return Ok(None),
    };
    body::ids(field, Some(ids), GroupId::parse).map(Some)
}

/// The same where it must be there, because it replaces another.
pub(super) fn parse_whole(ids: Option<Vec<String>>) -> Result<Vec<GroupId>, Failure> {
    body::ids(FIELD, ids, GroupId::parse)
}

/// A group that is not there was named by the body, not by the path.
pub(super) fn missing(failure: Failure) -> Failure {
    failure.missing_is(Thing::Group, FIELD)
}

fn members(keyplate: &Keyplate, group: &Group) -> keyplate::Result<Vec<User>> {
    // Nobody is asked for: a key that may make groups need not be able to see users.
    if group.member_count == 0 {
        return Ok(Vec::new());
    }
    list::every(|page| {
        let users = keyplate.list_users(UserQuery {
            group_id: Some(group.id),
            page: Some(page),
            limit: Some(list::MANY),
            ..UserQuery::default()
        })?;
        Ok((users.items, users.total))
    })
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::administrator("get", "/api/user-groups", "Lists groups").lists::<CountedJson>(
            &names(&COLUMNS),
            &[],
            true,
        ),
        doc::administrator("post", "/api/user-groups", "Creates a group")
            .takes::<GroupBody>()
            .gives::<WithUsersJson>(201),
        doc::administrator("get", "/api/user-groups/{id}", "Gives a group")
            .gives::<WithUsersJson>(200),
        doc::administrator("put", "/api/user-groups/{id}", "Replaces a group's names")
            .takes::<GroupBody>()
            .gives::<WithUsersJson>(200),
        doc::administrator("delete", "/api/user-groups/{id}", "Deletes a group").gives_nothing(),
        doc::administrator(
            "put",
            "/api/user-groups/{id}/users",
            "Replaces a group's members",
        )
        .takes::<MembersBody>()
        .gives::<WithUsersJson>(200),
        doc::administrator("get", "/api/users/{id}/groups", "Gives a user's groups")
            .gives::<Vec<CountedJson>>(200),
        doc::administrator(
            "put",
            "/api/users/{id}/user-groups",
            "Replaces a user's groups",
        )
        .takes::<UserGroupsBody>()
        .gives::<UserJson>(200),
    ]
}
