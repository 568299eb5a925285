//! D6: a commit is done once, also when nobody hears of it.

use std::{
    io::{Read, Write},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use keyplate::{AuditQuery, EventKind};

use super::{OnServer, open};
use crate::common::*;

/// What is lost of the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// The server has done it.
    Answer,
    /// The server never hears of it.
    Question,
}

/// Stands between the library and the server, and loses what it is told to.
struct Between {
    folder: tempfile::TempDir,
    next: Arc<Mutex<Option<Loss>>>,
}

impl Between {
    fn new(socket: PathBuf) -> Self {
        let folder = folder();
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let next = Arc::new(Mutex::new(None));
        let loss = Arc::clone(&next);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, UnixStream::connect(&socket)) else {
                    return;
                };
                pass_on(client, server, &loss);
            }
        });
        Self { folder, next }
    }

    fn lose(&self, loss: Loss) {
        *self.next.lock().unwrap() = Some(loss);
    }
}

fn pass_on(mut client: UnixStream, mut server: UnixStream, loss: &Arc<Mutex<Option<Loss>>>) {
    let is_lost = Arc::new(AtomicBool::new(false));
    let (mut to_client, mut from_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (loses, loss) = (Arc::clone(&is_lost), Arc::clone(loss));
    thread::spawn(move || {
        let mut bytes = [0; 8192];
        while let Ok(read @ 1..) = from_server.read(&mut bytes) {
            if loses.load(Ordering::SeqCst) || to_client.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
        let _ = from_server.shutdown(Shutdown::Both);
    });
    thread::spawn(move || {
        let mut bytes = [0; 8192];
        while let Ok(read @ 1..) = client.read(&mut bytes) {
            let is_commit = bytes[..read].windows(6).any(|word| word == b"COMMIT");
            let lost = if is_commit {
                loss.lock().unwrap().take()
            } else {
                None
            };
            match lost {
                Some(Loss::Question) => break,
                Some(Loss::Answer) => is_lost.store(true, Ordering::SeqCst),
                None => {}
            }
            if server.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    });
}

#[test]
fn a_commit_that_nobody_hears_of_is_done_once() {
    let database = OnServer::new();
    drop(database.open());
    let url = database.url();
    let (before, rest) = url.split_once('@').unwrap();
    let (host, rest) = rest.split_once('/').unwrap();
    let socket = PathBuf::from(host.replace("%2F", "/")).join(".s.PGSQL.5432");
    let between = Between::new(socket);
    let host = between.folder.path().to_str().unwrap().replace('/', "%2F");
    let keyplate = open(&format!("{before}@{host}/{rest}")).unwrap();

    for (number, loss) in [Loss::Answer, Loss::Question, Loss::Answer]
        .into_iter()
        .enumerate()
    {
        between.lose(loss);
        let name = format!("user{number}");
        let made = keyplate.create_user(new_user(&name)).unwrap();
        assert_eq!(*between.next.lock().unwrap(), None, "{loss:?} was lost");
        let found = keyplate.find_user_by_username(&name).unwrap().unwrap();
        assert_eq!(found.id, made.id, "{loss:?}");
    }
    let query = AuditQuery {
        kind: Some(EventKind::UserCreated),
        ..AuditQuery::default()
    };
    assert_eq!(keyplate.list_audit_events(query).unwrap().total, 3);
    let mut client = database.client();
    let sql = "SELECT count(*) FROM users";
    assert_eq!(client.query_one(sql, &[]).unwrap().get::<_, i64>(0), 3);
}
