//! A transaction that changes something, with the audit row that each change writes into it (A1).

use std::{cell::RefCell, ops::Deref, time::SystemTime};

use crate::{
    clock,
    db::{self, Writer},
    error::{ErrorCode, KeyplateError, Result},
    gate::{
        caller::{Actor, Caller},
        time,
    },
    model::{
        audit::{ActorKind, AuditEvent, Detail, EventKind},
        config::ClientInfo,
        credentials::CredentialId,
        named::Named,
        users::User,
    },
};

/// Boots that began within so many milliseconds of each other, by our time, are one incident of a clock that is behind.
const INCIDENT_MILLIS: i64 = 300_000;

/// What an event speaks of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Subject<'a> {
    user: Option<&'a User>,
    thing: Option<(&'a str, &'a str)>,
}

impl<'a> Subject<'a> {
    pub(crate) fn user(user: &'a User) -> Self {
        Self {
            user: Some(user),
            thing: None,
        }
    }

    pub(crate) fn thing(id: &'a str, name: &'a str) -> Self {
        Self {
            user: None,
            thing: Some((id, name)),
        }
    }

    /// Something that belongs to a user.
    pub(crate) fn of(user: &'a User, id: &'a str, name: &'a str) -> Self {
        Self {
            user: Some(user),
            thing: Some((id, name)),
        }
    }
}

/// What a transaction that is committed either way has come to.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    Granted(T),
    Refused(KeyplateError),
}

/// A transaction that changes something, with who does it; its events leave after the commit.
pub(crate) struct Change<'w> {
    writer: &'w Writer<'w>,
    pub(crate) caller: &'w Caller,
    pub(crate) client: &'w ClientInfo,
    events: RefCell<Vec<AuditEvent>>,
}

impl<'w> Deref for Change<'w> {
    type Target = Writer<'w>;

    fn deref(&self) -> &Writer<'w> {
        self.writer
    }
}

impl<'w> Change<'w> {
    pub(crate) fn new(writer: &'w Writer<'w>, caller: &'w Caller, client: &'w ClientInfo) -> Self {
        Self {
            writer,
            caller,
            client,
            events: RefCell::default(),
        }
    }

    /// Writes the row of a change into the change's own transaction (A1).
    pub(crate) fn record(
        &self,
        kind: EventKind,
        subject: Subject<'_>,
        details: &[(&str, &str)],
    ) -> Result<()> {
        let mut event = self.event(kind, subject, details);
        event.id = db::audit::insert(self.writer, &event)?;
        self.events.borrow_mut().push(event);
        Ok(())
    }

    /// The row of what takes several transactions: the first makes it, the others bring it up to date. Gives the event,
    /// which the host has yet to hear.
    pub(crate) fn record_sum(
        &self,
        kind: EventKind,
        row: Option<i64>,
        name: &str,
        sum: &str,
    ) -> Result<AuditEvent> {
        let mut event = self.event(kind, Subject::default(), &[(name, sum)]);
        match row {
            None => event.id = db::audit::insert(self.writer, &event)?,
            Some(id) => {
                event.id = id;
                db::audit::set_details(self.writer, id, &event.details)?;
            }
        }
        Ok(event)
    }

    /// C5: a clock that is far behind is told once in a boot; the row counts the writes until it catches up.
    pub(crate) fn note_clock(&self) -> Result<()> {
        let Some(behind) = time::far_behind(self.writer) else {
            return Ok(());
        };
        let seconds = time::whole_seconds(behind).to_string();
        let incident = self.writer.boot_began().div_euclid(INCIDENT_MILLIS);
        self.tell_once(
            EventKind::ClockBehind,
            incident,
            &[("behind_seconds", &seconds)],
        )
    }

    /// C3: told once an hour.
    pub(crate) fn note_code_guessing(&self) -> Result<()> {
        let hour = clock::to_millis(self.writer.now()) / 3_600_000;
        self.tell_once(EventKind::CodeGuessing, hour, &[])
    }

    /// One row and one event for each number; the row counts how many times.
    fn tell_once(&self, kind: EventKind, number: i64, details: &[(&str, &str)]) -> Result<()> {
        let event = self.event(kind, Subject::default(), details);
        let key = format!("{} {number}", kind.name());
        let event = db::audit::insert_or_count(self.writer, &event, &key, 1)?;
        if event.count == 1 {
            self.events.borrow_mut().push(event);
        }
        Ok(())
    }

    /// Grants something, or undoes what was begun of it and says why. What the transaction did before stays in either
    /// case; a failure of the machine undoes that too.
    pub(crate) fn grant<T>(&self, f: impl FnOnce() -> Result<T>) -> Result<Outcome<T>> {
        let told = self.events.borrow().len();
        match self.writer.try_within(f) {
            Ok(granted) => Ok(Outcome::Granted(granted)),
            Err(error) if is_decision(&error) => {
                self.events.borrow_mut().truncate(told);
                Ok(Outcome::Refused(error))
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn into_events(self) -> Vec<AuditEvent> {
        self.events.into_inner()
    }

    fn event(&self, kind: EventKind, subject: Subject<'_>, details: &[(&str, &str)]) -> AuditEvent {
        event(
            self.writer.now(),
            By::caller(self.caller),
            self.client,
            kind,
            subject,
            details,
        )
    }
}

/// The row of a refusal. Whose credential it is stands in it when it is noted (`named`).
pub(crate) fn refusal(
    at: SystemTime,
    actor: &Actor,
    client: &ClientInfo,
    kind: EventKind,
    error: &KeyplateError,
) -> AuditEvent {
    let reason = match error {
        KeyplateError::PasskeyCeremonyFailed { reason } => format!("{reason:?}"),
        error => format!("{:?}", error.code()),
    };
    let by = By {
        kind: actor.kind(),
        user: None,
        credential: actor.credential(),
    };
    let subject = Subject::default();
    event(at, by, client, kind, subject, &[("reason", &reason)])
}

/// A1: with the name of whoever was refused.
pub(crate) fn named(event: AuditEvent, user: Option<&User>) -> AuditEvent {
    AuditEvent {
        actor_id: user.map(|user| user.id.to_string()),
        actor_name: user.map(|user| user.username.clone()),
        ..event
    }
}

/// Who did it, and by what.
struct By<'a> {
    kind: ActorKind,
    user: Option<&'a User>,
    credential: Option<CredentialId>,
}

impl<'a> By<'a> {
    fn caller(caller: &'a Caller) -> Self {
        let acting = caller.acting();
        Self {
            kind: match caller {
                Caller::Host => ActorKind::Host,
                Caller::Anonymous => ActorKind::Anonymous,
                Caller::User(_) => ActorKind::User,
            },
            user: acting.map(|acting| &acting.user),
            credential: acting.map(|acting| acting.credential.id()),
        }
    }
}

fn event(
    at: SystemTime,
    by: By<'_>,
    client: &ClientInfo,
    kind: EventKind,
    subject: Subject<'_>,
    details: &[(&str, &str)],
) -> AuditEvent {
    let mut details: Vec<Detail> = details
        .iter()
        .map(|&(name, value)| detail(name, value))
        .collect();
    details.extend(by.credential.map(|credential| {
        let (name, id) = credential.told();
        detail(name, id)
    }));
    AuditEvent {
        id: 0, // given by the database
        at,
        kind,
        actor_kind: by.kind,
        actor_id: by.user.map(|user| user.id.to_string()),
        actor_name: by.user.map(|user| user.username.clone()),
        user_id: subject.user.map(|user| user.id.to_string()),
        username: subject.user.map(|user| user.username.clone()),
        subject_id: subject.thing.map(|(id, _)| id.to_owned()),
        subject_name: subject.thing.map(|(_, name)| name.to_owned()),
        address: client.address.clone(),
        user_agent: client.user_agent.clone(),
        details,
        count: 1,
    }
}

fn detail(name: &str, value: &str) -> Detail {
    Detail {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

/// Something that we decided, and would again: no trouble with the machine.
fn is_decision(error: &KeyplateError) -> bool {
    (error.code() as i32) < ErrorCode::Busy as i32
}

/// Refusals are logged for what somebody showed or was not allowed, not for slips and storage problems.
pub(crate) fn is_refusal(error: &KeyplateError) -> bool {
    (100..500).contains(&(error.code() as i32)) && error.code() != ErrorCode::StepUpRequired
}
