use clap::Subcommand;
use keyplate::{Group, GroupId, GroupQuery, Keyplate, NewUser, Role, User, UserQuery, UserSort};

use super::{find_user, open, printed, printed_json, refused, table};
use crate::{
    http::{answer, list},
    json::users::{UserJson, status_name},
    options::Options,
};

/// What is done with users.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List users, by name.
    List {
        /// A part of a name or e-mail address.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// As JSON, in the form of the API.
        #[arg(long)]
        json: bool,
    },
    /// Make a user. The first administrator ends setup.
    Create {
        /// The username.
        name: String,
        /// The e-mail address, which nobody else holds.
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// The name that others see.
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
        /// Make the user an administrator.
        #[arg(long)]
        admin: bool,
        /// A group to put the user into, by its name or id. Can be repeated.
        #[arg(long = "group", value_name = "NAME")]
        groups: Vec<String>,
    },
    /// Keep a user out. Their sessions and API keys fail at once, until they are enabled again.
    Disable {
        /// Their username, id, or an e-mail address that they hold.
        name: String,
    },
    /// Let a disabled user in again.
    Enable {
        /// Their username, id, or an e-mail address that they hold.
        name: String,
    },
    /// Make a user an administrator. Their existing sessions and API keys gain nothing by it.
    Promote {
        /// Their username, id, or an e-mail address that they hold.
        name: String,
    },
    /// Make an administrator an ordinary user.
    Demote {
        /// Their username, id, or an e-mail address that they hold.
        name: String,
    },
}

pub(crate) fn run(options: &Options, command: &Command) -> Result<(), String> {
    let keyplate = open(options)?;
    let change = |name: &str, change: &dyn Fn(&User) -> keyplate::Result<User>| {
        let user = find_user(&keyplate, name)?;
        let user = change(&user).map_err(refused)?;
        printed(&told(&user))
    };
    match command {
        Command::List { search, json } => list(&keyplate, search.as_deref(), *json),
        Command::Create {
            name,
            email,
            display_name,
            admin,
            groups,
        } => {
            let user = NewUser {
                username: name.clone(),
                email: email.clone(),
                display_name: display_name.clone(),
                role: admin.then_some(Role::Administrator),
                group_ids: find_groups(&keyplate, groups)?,
                ..NewUser::default()
            };
            printed(&told(&keyplate.create_user(user).map_err(refused)?))
        }
        Command::Disable { name } => change(name, &|user| keyplate.disable_user(&user.id)),
        Command::Enable { name } => change(name, &|user| keyplate.enable_user(&user.id)),
        Command::Promote { name } => change(name, &|user| {
            keyplate.set_user_role(&user.id, Role::Administrator)
        }),
        Command::Demote { name } => {
            change(name, &|user| keyplate.set_user_role(&user.id, Role::User))
        }
    }
}

fn list(keyplate: &Keyplate, search: Option<&str>, json: bool) -> Result<(), String> {
    let users = list::every(|page| {
        let found = keyplate.list_users(UserQuery {
            search: search.map(str::to_owned),
            sort: Some(UserSort::Username),
            page: Some(page),
            limit: Some(list::MANY),
            ..UserQuery::default()
        })?;
        Ok((found.items, found.total))
    });
    let users = users.map_err(refused)?;
    if json {
        return printed_json(&UserJson::all(keyplate, &users).map_err(refused)?);
    }
    let rows: Vec<[String; 6]> = users.iter().map(row).collect();
    let head = ["USERNAME", "ROLE", "STATUS", "E-MAIL", "LAPSES", "ID"];
    printed(&table::aligned(head, &rows))
}

fn row(user: &User) -> [String; 6] {
    [
        user.username.clone(),
        role_name(user).to_owned(),
        status_name(user.status).to_owned(),
        email(user),
        user.expires_at.map(answer::time).unwrap_or_default(),
        user.id.to_string(),
    ]
}

/// One that nobody proved or gave is not to be taken for the user's.
fn email(user: &User) -> String {
    match &user.email {
        Some(email) if user.email_held => email.clone(),
        Some(email) => format!("{email} (typed)"),
        None => String::new(),
    }
}

/// One line about a user, after a change.
fn told(user: &User) -> String {
    let (role, status) = (role_name(user), status_name(user.status));
    format!("{}: {role}, {status}, {}\n", user.username, user.id)
}

fn role_name(user: &User) -> &'static str {
    match user.role {
        Role::Administrator => "administrator",
        _ => "user",
    }
}

fn find_groups(keyplate: &Keyplate, names: &[String]) -> Result<Vec<GroupId>, String> {
    let find = |name: &String| {
        if let Ok(id) = GroupId::parse(name) {
            return Ok(id); // whether it exists the library sees
        }
        let found = list::every(|page| {
            let found = keyplate.list_groups(GroupQuery {
                search: Some(name.clone()),
                page: Some(page),
                limit: Some(list::MANY),
                ..GroupQuery::default()
            })?;
            Ok((found.items, found.total))
        });
        let found = found.map_err(refused)?;
        let same = |group: &&Group| group.name.to_lowercase() == name.to_lowercase();
        let group = found
            .iter()
            .find(|group| group.name == *name)
            .or_else(|| found.iter().find(same));
        group
            .map(|group| group.id)
            .ok_or_else(|| format!("there is no group {name}"))
    };
    names.iter().map(find).collect()
}
