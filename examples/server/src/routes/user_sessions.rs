//! Where somebody is signed in, for administrators. One of them is ended at `/api/sessions/{id}`, as one's own are.

use crate::{
    http::{
        answer::{self, Answer},
        caller::Administrator,
        list::Query,
        openapi::{self as doc, Operation},
        path::{self, Id},
    },
    routes::sessions,
};

pub(super) async fn list(Administrator(caller): Administrator, id: Id, query: Query) -> Answer {
    let id = path::user_id(&id)?;
    let user = id;
    caller
        .call(move |keyplate| keyplate.get_user(&user))
        .await?;
    sessions::list_of(&caller, id, &query).await
}

/// Ends all of them, but the one that asks if they are one's own.
pub(super) async fn revoke_all(Administrator(caller): Administrator, id: Id) -> Answer {
    let id = path::user_id(&id)?;
    let asking = caller.who.session_id;
    let keep = asking.filter(|_| caller.who.user_id == id);
    caller
        .call(move |keyplate| keyplate.revoke_user_sessions(&id, keep))
        .await?;
    answer::no_content()
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    let path = "/api/users/{id}/sessions";
    vec![
        doc::administrator("get", path, "Lists a user's sessions").lists::<sessions::SessionJson>(
            &[],
            &[],
            false,
        ),
        doc::administrator("delete", path, "Ends all of a user's sessions").gives_nothing(),
    ]
}
