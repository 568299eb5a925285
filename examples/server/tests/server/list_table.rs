//! Every list, with every parameter that clients send to lists: it does what it says, or it is refused by its name. Nothing is
//! passed over, since whoever asks for a part and gets everything acts on everything.

use serde_json::{Value, json};

use crate::support::{Server, text};

/// A list: its path, the columns that it may be sorted by, its filters with a value each, and whether it can be searched.
struct List {
    path: String,
    columns: &'static [&'static str],
    filters: Vec<(&'static str, String)>,
    searched: bool,
    /// Has it pages, or does it always give everything?
    paged: bool,
}

const USERS: &[&str] = &[
    "createdAt",
    "username",
    "displayName",
    "firstName",
    "lastName",
    "email",
    "isAdmin",
    "expiresAt",
    "emailVerified",
    "disabled",
];
const GROUPS: &[&str] = &["createdAt", "name", "friendlyName", "userCount"];
const KEYS: &[&str] = &["createdAt", "name", "expiresAt", "lastUsedAt"];
const TOKENS: &[&str] = &[
    "createdAt",
    "expiresAt",
    "usageLimit",
    "usageCount",
    "token",
];
const AUDIT: &[&str] = &[
    "createdAt",
    "event",
    "ipAddress",
    "userAgent",
    "device",
    "country",
    "city",
];
const CLIENTS: &[&str] = &["createdAt", "name", "pkceEnabled", "isGroupRestricted"];

/// All routes that give lists, some of a user and some of a sign-up token.
fn lists(user: &str, token: &str) -> Vec<List> {
    let list = |path: &str, columns, searched| List {
        path: path.to_owned(),
        columns,
        filters: Vec::new(),
        searched,
        paged: true,
    };
    let whole = |path: &str| List {
        paged: false,
        ..list(path, &[], false)
    };
    let yes = || "true".to_owned();
    let audit = || {
        vec![
            ("event", "SIGN_IN".to_owned()),
            ("userID", user.to_owned()),
            ("userId", user.to_owned()),
            ("clientName", "Grafana".to_owned()),
        ]
    };
    vec![
        List {
            filters: vec![
                ("disabled", yes()),
                ("isAdmin", yes()),
                ("emailVerified", yes()),
            ],
            ..list("/api/users", USERS, true)
        },
        list("/api/user-groups", GROUPS, true),
        list("/api/services", &[], true),
        list("/api/api-keys", KEYS, true),
        list("/api/app-passwords", &[], true),
        list("/api/sessions", &[], false),
        list("/api/signup-tokens", TOKENS, false),
        list(
            &format!("/api/signup-tokens/{token}/redemptions"),
            &[],
            false,
        ),
        List {
            filters: audit(),
            ..list("/api/audit-logs", AUDIT, false)
        },
        List {
            filters: audit(),
            ..list("/api/audit-logs/all", AUDIT, false)
        },
        List {
            filters: vec![("pkceEnabled", yes())],
            ..list("/api/oidc/clients", CLIENTS, true)
        },
        whole(&format!("/api/users/{user}/groups")),
        whole(&format!("/api/users/{user}/webauthn-credentials")),
        whole(&format!("/api/users/{user}/one-time-access-tokens")),
        whole("/api/webauthn/credentials"),
        whole("/api/custom-claims/suggestions"),
        whole("/api/audit-logs/filters/users"),
        whole("/api/audit-logs/filters/events"),
        whole("/api/audit-logs/filters/client-names"),
    ]
}

#[test]
fn every_list_takes_what_it_names_and_refuses_the_rest() {
    let (server, key) = Server::inviting(&[]);
    let (token, _) = server.invitation(&key, json!({}));
    let (user, _) = server.user_with_session(&key, "bob");
    let mut asked = 0;
    for list in lists(&user, &token) {
        let mut send = |query: &str| {
            asked += 1;
            server
                .get(&format!("{}?{query}", list.path))
                .key(&key)
                .send()
        };
        let path = &list.path;
        for query in [
            "",
            "search=",
            "page=1&limit=5",
            "sort[column]=&sort[direction]=",
        ] {
            assert_eq!(send(query).status, 200, "{path}?{query}");
        }
        // Pages: as upstream, what is no number of 1 or more is the default.
        for (query, page, limit) in [
            ("pagination[page]=1&pagination[limit]=7", 1, 7),
            ("page=1&limit=7", 1, 7),
            ("limit=0", 1, 20),
            ("limit=-3", 1, 20),
            ("pagination[limit]=many", 1, 20),
            ("pagination[limit]=1000", 1, 100),
            ("page=0", 1, 20),
            ("page=-1", 1, 20),
            ("pagination[page]=last", 1, 20),
        ] {
            let reply = send(query);
            assert_eq!(reply.status, 200, "{path}?{query}: {}", reply.body);
            if list.paged {
                let pagination = reply.json()["pagination"].clone();
                assert_eq!(pagination["currentPage"], page, "{path}?{query}");
                assert_eq!(pagination["itemsPerPage"], limit, "{path}?{query}");
            }
        }
        for column in list.columns {
            for direction in ["asc", "desc", "ASC", "Desc"] {
                let query = format!("sort[column]={column}&sort[direction]={direction}");
                let reply = send(&query);
                assert_eq!(reply.status, 200, "{path}?{query}: {}", reply.body);
            }
            let capital = column[..1].to_uppercase() + &column[1..];
            assert_eq!(
                send(&format!("sort[column]={capital}")).status,
                200,
                "{path} {capital}"
            );
        }
        for (name, value) in &list.filters {
            for key in [
                format!("filters[{name}]"),
                format!("filters[{name}][0]"),
                format!("filters%5B{name}%5D%5B%5D"),
            ] {
                let reply = send(&format!("{key}={value}"));
                assert_eq!(reply.status, 200, "{path}?{key}: {}", reply.body);
            }
        }
        if list.searched {
            assert_eq!(send("search=nobody-at-all").status, 200, "{path}");
        } else {
            send("search=x").refuses_field("search");
        }
        send("sort[column]=passwordHash").refuses_field("sort[column]");
        send("sort[direction]=sideways").refuses_field("sort[direction]");
        send("sort[columm]=createdAt").refuses_field("sort[columm]");
        for filter in [
            "filters[locked]",
            "filters[locked][0]",
            "filters[id]",
            "filters",
            "filter[disabled]",
        ] {
            send(&format!("{filter}=true")).refuses_field(filter);
        }
        for name in [
            "disabled",
            "event",
            "isAdmin",
            "userID",
            "pkceEnabled",
            "location",
        ] {
            if !list.filters.iter().any(|(known, _)| *known == name) {
                let filter = format!("filters[{name}]");
                send(&format!("{filter}=true")).refuses_field(&filter);
            }
        }
        if list.columns.is_empty() {
            send("sort[column]=createdAt").refuses_field("sort[column]");
            send("sort[direction]=asc").refuses_field("sort[direction]");
        }
    }
    assert!(asked > 500, "{asked}");
}

/// The table must not forget a list: every route of the router that answers GET with one is in it.
#[test]
fn no_list_is_forgotten() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/routes");
    let mut takers = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let calls = text.matches("query.listing").count()
            + text.matches("query.unsearched").count()
            + text.matches("query.nothing_more").count();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        takers.extend(std::iter::repeat_n(name, calls));
    }
    // `audit.rs` asks once for its two lists, and once more for those that are empty.
    let expected = lists("u", "t").len();
    assert_eq!(takers.len(), expected, "{takers:?}");
}

#[test]
fn users_are_filtered_as_scripts_expect() {
    let (server, key) = Server::inviting(&[]);
    for (name, disabled, verified) in [
        ("ann", true, true),
        ("bob", true, false),
        ("carol", false, true),
    ] {
        let body = json!({
            "username": name, "disabled": disabled, "email": format!("{name}@x.example"), "emailVerified": verified,
        });
        server.made(&key, "/api/users", body);
    }
    let list = |query: &str| {
        let reply = server.get(&format!("/api/users?{query}")).key(&key).send();
        assert_eq!(reply.status, 200, "{query}: {}", reply.body);
        let page: Value = reply.json();
        let rows = page["data"].as_array().unwrap();
        assert_eq!(page["pagination"]["totalItems"], rows.len(), "{query}");
        let names: Vec<String> = rows.iter().map(|user| text(&user["username"])).collect();
        names.join(" ")
    };
    for (query, expected) in [
        ("filters[disabled]=true", "ann bob"),
        ("filters[disabled][0]=true", "ann bob"),
        ("filters[disabled]=false", "admin carol"),
        ("filters[disabled]=true&filters[emailVerified]=true", "ann"),
        (
            "filters[disabled][0]=true&filters[disabled][1]=false",
            "admin ann bob carol",
        ),
        ("filters[isAdmin]=true", "admin"),
        (
            "filters[isAdmin][0]=false&search=x.example",
            "ann bob carol",
        ),
        ("filters[emailVerified]=false", "admin bob"),
        (
            "sort[column]=disabled&sort[direction]=DESC&filters[isAdmin]=false",
            "bob ann carol",
        ),
    ] {
        assert_eq!(list(query), expected, "{query}");
    }
    for value in ["", "yes", "all"] {
        let path = format!("/api/users?filters[disabled]={value}");
        server
            .get(&path)
            .key(&key)
            .send()
            .refuses_field("filters[disabled]");
    }
}
