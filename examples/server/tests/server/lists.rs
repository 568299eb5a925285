use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::support::{Server, text};

fn with_users(count: u32) -> (Server, String) {
    let server = Server::start();
    let key = server.claim_with_key().1;
    for n in 0..count {
        let body =
            json!({ "username": format!("user{n:02}"), "lastName": format!("L{:02}", 99 - n) });
        assert_eq!(
            server
                .post("/api/users")
                .key(&key)
                .json(&body)
                .send()
                .status,
            201
        );
    }
    (server, key)
}

fn names(page: &Value) -> Vec<&str> {
    let data = page["data"].as_array().unwrap();
    data.iter()
        .map(|user| user["username"].as_str().unwrap())
        .collect()
}

#[test]
fn pages_of_users() {
    let (server, key) = with_users(24);
    let list = |query: &str| {
        let reply = server.get(&format!("/api/users?{query}")).key(&key).send();
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    };
    let first = list("");
    assert_eq!(names(&first).len(), 20);
    assert_eq!(
        names(&first)[..3],
        ["admin", "user00", "user01"],
        "in the order of creation"
    );
    let expected =
        json!({ "totalPages": 2, "totalItems": 25, "currentPage": 1, "itemsPerPage": 20 });
    assert_eq!(first["pagination"], expected);

    let second = list("pagination[page]=2&pagination[limit]=10");
    assert_eq!(names(&second)[0], "user09");
    assert_eq!(second, list("page=2&limit=10"));
    assert_eq!(
        second,
        list("pagination%5Bpage%5D=2&pagination%5Blimit%5D=10")
    );
    assert_eq!(second["pagination"]["totalPages"], 3);

    let past = list("page=99&limit=10");
    assert_eq!(past["pagination"]["currentPage"], 3, "the last page");
    assert_eq!(names(&past).len(), 5);
    assert_eq!(list("limit=5000")["pagination"]["itemsPerPage"], 100);
    assert_eq!(list("page=0")["pagination"]["currentPage"], 1);
}

#[test]
fn searched_and_sorted() {
    let (server, key) = with_users(12);
    let get = |query: &str| server.get(&format!("/api/users?{query}")).key(&key).send();
    assert_eq!(names(&get("search=USER1").json()), ["user10", "user11"]);
    assert_eq!(
        get("search=%25").json()["pagination"]["totalItems"],
        0,
        "% is a letter"
    );
    assert_eq!(
        get("search=user_1").json()["pagination"]["totalItems"],
        0,
        "_ too"
    );
    assert_eq!(get("search=nobody").json()["pagination"]["totalPages"], 1);
    let sorted = get("sort[column]=lastName&sort[direction]=asc&search=user&limit=2").json();
    assert_eq!(names(&sorted), ["user11", "user10"]);
    let sorted = get("sort[column]=username&sort[direction]=desc&limit=1").json();
    assert_eq!(names(&sorted), ["user11"]);
    let sorted = get("sort[column]=isAdmin&sort[direction]=DESC&limit=1").json();
    assert_eq!(names(&sorted), ["admin"]);
    get("sort[column]=passwordHash").refuses_field("sort[column]");
    get("sort[direction]=sideways").refuses_field("sort[direction]");
    get(&format!("search={}", "x".repeat(300))).refuses_field("search");
    get("search=a%00b").refuses_field("search");
}

#[test]
fn users_by_status_group_and_end() {
    let (server, key) = with_users(3);
    let list = |query: &str| server.get(&format!("/api/users?{query}")).key(&key).send();
    let group = server.made(&key, "/api/user-groups", json!({ "name": "friends" }));
    let group = group["id"].as_str().unwrap();
    let end = OffsetDateTime::now_utc() + Duration::hours(50);
    let guest = json!({
        "username": "guest", "userGroupIds": [group], "expiresAt": end.format(&Rfc3339).unwrap(), "disabled": true,
    });
    server.made(&key, "/api/users", guest);
    assert_eq!(names(&list(&format!("group={group}")).json()), ["guest"]);
    assert_eq!(names(&list("status=disabled").json()), ["guest"]);
    assert_eq!(names(&list("status=active").json()).len(), 4);
    assert_eq!(names(&list("status=pending").json()).len(), 0);
    assert_eq!(names(&list("expiringWithin=3d").json()), ["guest"]);
    assert_eq!(names(&list("expiringWithin=2d").json()).len(), 0);
    list("status=asleep").refuses_field("status");
    list("group=friends").refuses_field("group");
    list("expiringWithin=soon").refuses_field("expiringWithin");
    list("expiringWithin=259200").refuses_field("expiringWithin");
}

/// In the library such a page is empty; clients of this API get the last one.
#[test]
fn a_page_past_the_end_of_any_list_is_the_last_one() {
    let (server, key) = Server::inviting(&[]);
    let (token, secret) = server.invitation(&key, json!({ "usageLimit": 3 }));
    for name in ["ann", "bob", "carol"] {
        assert_eq!(server.sign_up(name, &secret).status, 201);
        server.invitation(&key, json!({}));
        server.made(&key, "/api/user-groups", json!({ "name": name }));
        server.made(&key, "/api/services", json!({ "slug": name }));
    }
    let (bob, session) = server.user_with_session(&key, "bobby");
    for _ in 0..2 {
        let bob = keyplate::UserId::parse(&bob).unwrap();
        let made = server
            .library()
            .create_session(&bob, Default::default(), None);
        made.unwrap();
    }
    for name in ["one", "two", "three"] {
        server.make_key(&session, name, Some(&["library:stream"]));
    }
    let redemptions = format!("/api/signup-tokens/{token}/redemptions");
    for path in [
        "/api/users",
        "/api/user-groups",
        "/api/services",
        "/api/sessions",
        "/api/api-keys",
        "/api/signup-tokens",
        &redemptions,
        "/api/audit-logs",
        "/api/audit-logs/all",
    ] {
        let list = |query: &str| {
            let request = server.get(&format!("{path}?{query}"));
            let by_bob = ["/api/sessions", "/api/api-keys", "/api/audit-logs"].contains(&path);
            let reply = if by_bob {
                request.bearer(&session)
            } else {
                request.key(&key)
            }
            .send();
            assert_eq!(reply.status, 200, "{path}: {}", reply.body);
            reply.json()
        };
        let ids = |page: &Value| -> Vec<String> {
            let data = page["data"].as_array().unwrap();
            data.iter().map(|item| text(&item["id"])).collect()
        };
        let all = list("limit=100");
        let total = all["pagination"]["totalItems"].as_i64().unwrap();
        assert!(total >= 3, "{path}: {total}");
        let last = list(&format!("limit=2&page={}", (total + 1) / 2));
        assert!(!ids(&last).is_empty(), "{path}");
        for page in ["1000", "99999999999999999999"] {
            let past = list(&format!("limit=2&page={page}"));
            assert_eq!(past["pagination"], last["pagination"], "{path}");
            assert_eq!(ids(&past), ids(&last), "{path}");
        }
    }
}
