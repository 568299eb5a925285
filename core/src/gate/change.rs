//! A transaction that changes something, with the audit row that each change writes into it (A1).

use std::{cell::RefCell, ops::Deref, time::SystemTime};

use crate::{
    clock,
    db::{self, Writer},
    error::{ErrorCode, KeyplateError, Result},
    gate::caller::Caller,
    model::{
        audit::{ActorKind, AuditEvent, Detail, EventKind},
        config::ClientInfo,
        credentials::Credential,
        named::Named,
        users::User,
    },
};

/// How far the clock may be behind the last commit before it is an event (C5).
const CLOCK_TOLERANCE: std::time::Duration = std::time::Duration::from_secs(24 * 3_600);

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

    /// C5: a clock that went back by more than a day is told once; the row counts the writes until it catches up.
    pub(crate) fn note_clock(&self) -> Result<()> {
        let behind = self.writer.clock_is_behind();
        if behind <= CLOCK_TOLERANCE {
            return Ok(());
        }
        let seconds = behind.as_secs().to_string();
        let incident = clock::to_millis(self.writer.now());
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

    pub(crate) fn into_events(self) -> Vec<AuditEvent> {
        self.events.into_inner()
    }

    fn event(&self, kind: EventKind, subject: Subject<'_>, details: &[(&str, &str)]) -> AuditEvent {
        event(
            self.writer.now(),
            self.caller,
            self.client,
            kind,
            subject,
            details,
        )
    }
}

/// The row of a refusal.
pub(crate) fn refusal(
    at: SystemTime,
    caller: &Caller,
    client: &ClientInfo,
    kind: EventKind,
    error: &KeyplateError,
) -> AuditEvent {
    let reason = match error {
        KeyplateError::PasskeyCeremonyFailed { reason } => format!("{reason:?}"),
        error => format!("{:?}", error.code()),
    };
    let subject = Subject::default();
    event(at, caller, client, kind, subject, &[("reason", &reason)])
}

fn event(
    at: SystemTime,
    caller: &Caller,
    client: &ClientInfo,
    kind: EventKind,
    subject: Subject<'_>,
    details: &[(&str, &str)],
) -> AuditEvent {
    let (actor_kind, acting) = match caller {
        Caller::Host => (ActorKind::Host, None),
        Caller::Anonymous => (ActorKind::Anonymous, None),
        Caller::User(acting) => (ActorKind::User, Some(acting)),
    };
    let mut details: Vec<Detail> = details
        .iter()
        .map(|&(name, value)| detail(name, value))
        .collect();
    details.extend(acting.map(|acting| match acting.credential {
        Credential::Session { id, .. } => detail("by_session", id.as_str()),
        Credential::ApiKey { id, .. } => detail("by_api_key", id.as_str()),
    }));
    AuditEvent {
        id: 0, // given by the database
        at,
        kind,
        actor_kind,
        actor_id: acting.map(|acting| acting.user.id.to_string()),
        actor_name: acting.map(|acting| acting.user.username.clone()),
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

/// Refusals are logged for what somebody showed or was not allowed, not for slips and storage problems.
pub(crate) fn is_refusal(error: &KeyplateError) -> bool {
    (100..500).contains(&(error.code() as i32)) && error.code() != ErrorCode::StepUpRequired
}
