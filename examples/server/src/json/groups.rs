use std::collections::HashMap;

use keyplate::{Group, GroupId, Keyplate, KeyplateError};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{http::answer, json::claims::ClaimJson};

/// A group as JSON.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[schemars(rename = "Group")]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupJson {
    id: String,
    name: String,
    friendly_name: String,
    custom_claims: Vec<ClaimJson>,
    created_at: String,
    ldap_id: Option<String>,
}

impl From<&Group> for GroupJson {
    fn from(group: &Group) -> Self {
        Self {
            id: group.id.to_string(),
            name: group.name.clone(),
            friendly_name: group.friendly_name.clone(),
            custom_claims: group.claims.iter().map(ClaimJson::from).collect(),
            created_at: answer::time(group.created_at),
            ldap_id: None,
        }
    }
}

/// Groups that other records name by their ids, as far as the caller may see them.
#[derive(Debug, Default)]
pub(crate) struct Visible(HashMap<GroupId, GroupJson>);

/// A group where another record names it.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(untagged)]
pub(crate) enum NamedGroup {
    Visible(GroupJson),
    /// The caller may not look at groups, or it was deleted a moment ago.
    Hidden {
        id: String,
    },
}

impl Visible {
    pub(crate) fn load<'a>(
        keyplate: &Keyplate,
        ids: impl Iterator<Item = &'a GroupId>,
    ) -> keyplate::Result<Self> {
        let mut groups = HashMap::new();
        for id in ids {
            if groups.contains_key(id) {
                continue;
            }
            match keyplate.get_group(id) {
                Ok(group) => groups.insert(*id, GroupJson::from(&group)),
                Err(error) if hides(&error) => continue,
                Err(error) => return Err(error),
            };
        }
        Ok(Self(groups))
    }

    /// The names of those that are visible.
    pub(crate) fn names(&self, ids: &[GroupId]) -> Vec<String> {
        let groups = ids.iter().filter_map(|id| self.0.get(id));
        groups.map(|group| group.name.clone()).collect()
    }

    pub(crate) fn named(&self, ids: &[GroupId]) -> Vec<NamedGroup> {
        let named = |id| match self.0.get(id) {
            Some(group) => NamedGroup::Visible(group.clone()),
            None => NamedGroup::Hidden { id: id.to_string() },
        };
        ids.iter().map(named).collect()
    }
}

/// Is it about what the caller may see? They may also just have ended their own rights.
fn hides(error: &KeyplateError) -> bool {
    matches!(
        error,
        KeyplateError::NotFound { .. }
            | KeyplateError::PermissionDenied { .. }
            | KeyplateError::InvalidCredential
            | KeyplateError::AccountDisabled
            | KeyplateError::AccountExpired
    )
}
