use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::support::Server;

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
    let sorted = get("sort[column]=isAdmin&limit=1").json();
    assert_eq!(names(&sorted), ["admin"]);
    get("sort[column]=passwordHash").refuses_field("sort[column]");
    get("sort[direction]=sideways").refuses_field("sort[direction]");
    get("page=two").refuses_field("page");
    get("pagination[limit]=1e9").refuses_field("pagination[limit]");
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
