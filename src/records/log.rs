//! The log's file: opened at the state directory, read from its end, and written at its end only.
//!
//! To append: take the file's lock, with a bounded wait; read what others appended meanwhile, and check that it follows;
//! make sure of the space; write; give the lock back; sync. What several programs append meanwhile is on the medium
//! after the first of their syncs, since each of them is of the whole file.
//!
//! Many entries are written in pieces, for all of which the space is made sure of first. That is no other append than a single
//! call would be, which can end in its midst as well: whole lines and the beginning of one are there, and a group that is not
//! there as a whole was not begun.
//!
//! Looking takes no lock. It sees whole lines, and leaves what stands behind the last of them.

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::Duration;

use super::entry::{Body, CUT, FORMAT, Founding, Intent, LINE_MAX, Settled};
use super::head::Head;
use super::identity::RootIdentity;
use super::index::{Source, check_known};
use super::lines::{Lines, Next, line_at, line_before};
use super::log_file::{LOG_NAME, damaged, io, lock, open_own};
use super::many::{Many, Room, TOGETHER};
use super::state::{Line, NOT_CUT, Opened, Pending, State, TOO_LONG, Unfit, could_be_cut};
use super::tree::Hash;
use crate::error::{Error, Kind, Result};
use crate::root::Root;
use crate::sys::{Calls, FileUse, Handle, OpenFile};

/// What is read of the end at first, in bytes.
const TAIL: u64 = 8 * 1024;

/// Space is made sure of in pieces of this size, in bytes: the blocks of most file systems.
const BLOCK: u64 = 4096;

/// The room that the result of an intent needs, in bytes.
const RESULT_ROOM: u64 = 512;

/// An opened log, as far as it was read.
pub(crate) struct Log {
    file: Arc<OpenFile>,
    /// The process that opened it.
    process: u32,
    pub(super) founding: Founding,
    pub(super) state: State,
    /// The settings that hold, and the place of the entry that says so.
    settled: (u64, Settled),
    /// What stands behind the last newline.
    cut: Vec<u8>,
    /// Why it cannot be written, where it was opened to be read only.
    unwritable: Option<Kind>,
}

fn unfit(at: Unfit) -> Error {
    damaged(at.seq, at.reason)
}

impl Log {
    /// Opens the log of a state directory, and reads what its end tells; `None` if there is none.
    pub(super) fn open(calls: &dyn Calls, dir: &Handle) -> Result<Option<Log>> {
        let opened = match open_own(calls, dir, LOG_NAME, FileUse::Append) {
            Err(error) if matches!(error.kind(), Kind::Permission | Kind::ReadOnly) => {
                open_own(calls, dir, LOG_NAME, FileUse::Read)?.map(|file| (file, Some(error.kind())))
            }
            opened => opened?.map(|file| (file, None)),
        };
        let Some((file, unwritable)) = opened else { return Ok(None) };
        let founding = found(&file)?;
        match resume(&file) {
            Ok((state, cut)) => {
                let settled = (0, founding.settled.clone());
                let process = std::process::id();
                let mut log = Log { file: Arc::new(file), process, founding, state, settled, cut, unwritable };
                log.settle()?;
                let Log { file, founding, state, .. } = &log;
                check_known(Source { calls, dir, log: file, id: &founding.id, end: state.end })?;
                Ok(Some(log))
            }
            Err(error) if error.kind() == Kind::Integrity => Err(first_unfit(&file).unwrap_or(error)),
            Err(error) => Err(error),
        }
    }

    pub(super) fn file(&self) -> &Arc<OpenFile> {
        &self.file
    }

    /// The settings that hold, with the root.
    pub(super) fn settled(&self) -> &Settled {
        &self.settled.1
    }

    /// Checks that the records are those of this root.
    pub(super) fn is_of(&self, root: &RootIdentity) -> Result<()> {
        if self.settled().root.is_same(root) {
            return Ok(());
        }
        let reason = "they are those of another root; if this root was moved here, say so with `records rebind`";
        Err(Error::new(Kind::Integrity).during("use the records").because(reason).at_entry(0))
    }

    /// Reads what was appended since, without the lock.
    pub(super) fn refresh(&mut self) -> Result<()> {
        let length = self.file.len().map_err(io)?;
        let shorter = || damaged(self.state.seq.saturating_sub(1), "the log has become shorter");
        if length < self.state.end {
            return Err(shorter());
        }
        let mut lines = Lines::new(&self.file, self.state.end, length);
        loop {
            match lines.next().map_err(io)? {
                Next::Line(line) => drop(self.state.take(line).map_err(unfit)?),
                Next::Rest(rest) => {
                    self.cut = rest.to_vec();
                    break;
                }
            }
        }
        self.settle()
    }

    /// Reads the settings that hold, where they are others than are known.
    fn settle(&mut self) -> Result<()> {
        let place = self.state.settings_at;
        if place == self.settled.0 {
            return Ok(());
        }
        let line = line_at(&self.file, place, self.state.end).map_err(io)?.unwrap_or_default();
        let body = Head::read(&line).and_then(|head| head.body(&line));
        let Ok(Body::Settings(settled)) = body else {
            return Err(damaged(self.state.seq, "there are no settings where it says"));
        };
        self.settled = (place, *settled);
        Ok(())
    }

    /// Appends what `decide` makes of the state that nobody else can change meanwhile, and then these; returns the numbers of
    /// the former, and that of the first of the latter behind them. Where nothing is to be appended the log need not be
    /// writable.
    ///
    /// They are not on the medium before they are [synced](Log::file).
    pub(super) fn append(
        &mut self,
        root: &Root,
        dir: &Handle,
        wait: Duration,
        decide: impl FnOnce(&Log) -> Result<Vec<Body>>,
        many: Many<'_>,
    ) -> Result<Vec<u64>> {
        self.have_own(root.calls(), dir)?;
        lock(root, &self.file, wait)?;
        let appended = self.is_the_named_one(root.calls(), dir).and_then(|()| self.append_locked(decide, many));
        self.file.unlock();
        appended
    }

    /// Opens the file anew in a child that was forked: a lock is that of the open file, which it shares with its parent.
    fn have_own(&mut self, calls: &dyn Calls, dir: &Handle) -> Result<()> {
        let process = std::process::id();
        if process != self.process {
            self.is_the_named_one(calls, dir)?;
            let own = open_own(calls, dir, LOG_NAME, FileUse::Append)?;
            self.file = Arc::new(own.ok_or_else(|| damaged(self.state.seq, "the log is gone"))?);
            self.process = process;
        }
        Ok(())
    }

    /// Checks that the opened log still is the one of the state directory: it may have been renewed.
    pub(super) fn is_the_named_one(&self, calls: &dyn Calls, dir: &Handle) -> Result<()> {
        let named = calls.stat_at(dir, OsStr::new(LOG_NAME)).map(|stat| stat.id);
        if named.is_ok_and(|id| self.file.stat().is_ok_and(|stat| stat.id == id)) {
            return Ok(());
        }
        Err(damaged(self.state.seq, "the log was moved away or replaced since it was opened"))
    }

    fn append_locked(&mut self, decide: impl FnOnce(&Log) -> Result<Vec<Body>>, many: Many<'_>) -> Result<Vec<u64>> {
        self.refresh()?;
        if !could_be_cut(&self.cut) {
            return Err(damaged(self.state.seq, NOT_CUT));
        }
        let bodies = decide(self)?;
        if bodies.is_empty() && many.count() == 0 {
            return Ok(Vec::new());
        }
        self.is_writable()?;
        match self.write(&bodies, many) {
            Ok(numbers) => {
                self.cut.clear();
                self.settle()?;
                Ok(numbers)
            }
            Err(error) => {
                // The state has gone on as if it had been written.
                (self.state, self.cut) = resume(&self.file)?;
                Err(error)
            }
        }
    }

    /// Refuses what is to be written where the log was opened to be read only.
    pub(super) fn is_writable(&self) -> Result<()> {
        match self.unwritable {
            Some(kind) => Err(Error::new(kind).during("use the records").because("the log cannot be written")),
            None => Ok(()),
        }
    }

    /// Writes entries behind the end, some at a time.
    fn write(&mut self, bodies: &[Body], many: Many<'_>) -> Result<Vec<u64>> {
        let returned = bodies.len() + many.count().min(1);
        let intents = bodies.iter().filter(|body| matches!(body, Body::Intent(_))).count() as u64;
        let mut extension = self.state.extend(&self.cut, bodies, many).map_err(unfit)?;
        let more = many.room(TOGETHER).ok_or_else(|| damaged(self.state.seq, TOO_LONG))?;
        let first = Room::of(&extension.bytes, intents + many.intents(many.piece(0)));
        self.make_room(first.and(more)).map_err(io)?;
        self.file.append(&extension.bytes).map_err(io)?;
        for from in (TOGETHER..many.count()).step_by(TOGETHER) {
            self.state.go_on(&mut extension, many, from).map_err(unfit)?;
            self.file.append(&extension.bytes).map_err(io)?;
        }
        extension.numbers.truncate(returned);
        Ok(extension.numbers)
    }

    /// The intent that is open; it is read where it is not held. None of what is no intent.
    pub(super) fn intent(&self, seq: u64, opened: &Opened) -> Result<Option<Arc<Intent>>> {
        let read;
        let opened = match &opened.what {
            Pending::Member => {
                read = opened_at(&self.file, seq, opened.place, self.state.end)?;
                &read
            }
            _ => opened,
        };
        match &opened.what {
            Pending::Intent(intent) => Ok(Some(Arc::clone(intent))),
            _ => Ok(None),
        }
    }

    /// Makes sure of the space for what is written now, and for the results of the intents in it.
    fn make_room(&self, room: Room) -> std::io::Result<()> {
        let from = self.file.len()?;
        let needed = from + room.bytes + room.intents * RESULT_ROOM;
        let has = from.next_multiple_of(BLOCK);
        if needed > has { self.file.reserve(from, needed.next_multiple_of(BLOCK) - from) } else { Ok(()) }
    }
}

#[derive(serde::Deserialize)]
struct Format {
    format: u32,
}

/// The first entry.
pub(super) fn found(file: &OpenFile) -> Result<Founding> {
    let end = file.len().map_err(io)?.min(LINE_MAX as u64 + 1);
    let Some(line) = line_at(file, 0, end).map_err(io)? else {
        return Err(damaged(0, "the log has no first entry"));
    };
    // A later format may be another one in everything but this.
    if let Ok(Format { format }) = serde_json::from_slice(&line)
        && format > FORMAT
    {
        let reason = format!("their format is {format}, and this version reads {FORMAT}");
        return Err(Error::new(Kind::Integrity).during("read the records").because(reason).at_entry(0));
    }
    match Head::read(&line).and_then(|head| head.body(&line)) {
        Ok(Body::Records(founding)) if founding.format == FORMAT => Ok(*founding),
        _ => Err(damaged(0, "it does not found any records")),
    }
}

/// The state at the end, read from where the last entry says; with what stands behind the last newline.
fn resume(file: &OpenFile) -> Result<(State, Vec<u8>)> {
    let length = file.len().map_err(io)?;
    let mut state = first_state(file, length)?;
    let mut lines = Lines::new(file, state.end, length);
    loop {
        match lines.next().map_err(io)? {
            Next::Line(line) => {
                let taken = state.take(line).map_err(unfit)?;
                if let (Line::Entry(_, Body::Open(told)), true) = (&taken, state.open.is_empty()) {
                    for (seq, place) in &told.open {
                        let opened = opened_at(file, *seq, *place, length)?;
                        state.open.insert(*seq, opened);
                    }
                }
            }
            Next::Rest(rest) => {
                let rest = rest.to_vec();
                return Ok((state, rest));
            }
        }
    }
}

/// The state at the base of the last entry.
fn first_state(file: &OpenFile, length: u64) -> Result<State> {
    let mut size = TAIL;
    loop {
        let from = length.saturating_sub(size);
        let mut bytes = vec![0; usize::try_from(length - from).unwrap_or(usize::MAX)];
        let count = file.read_at(from, &mut bytes).map_err(io)?;
        bytes.truncate(count);
        // What stands before the first newline is the end of a line, unless it is the first of all.
        let ended = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let mut lines = bytes[..ended].split(|byte| *byte == b'\n').rev().skip(1).collect::<Vec<_>>();
        if from > 0 {
            lines.pop();
        }
        if let Some(line) = lines.into_iter().find(|line| line.last() != Some(&CUT)) {
            let head = Head::read(line).map_err(|_| damaged(0, "the last entry cannot be read"))?;
            let first = line_at(file, head.base, length).map_err(io)?.unwrap_or_default();
            let base = Head::read(&first).ok().filter(|first| first.base == head.base && first.seq <= head.seq);
            let base = base.ok_or_else(|| damaged(head.seq, "there is no entry where it says"))?;
            if base.seq == 0 {
                return Ok(State::empty());
            }
            // What stands before it says whether an entry is missing there.
            let before = line_before(file, head.base).map_err(io)?.unwrap_or_default();
            if Hash::of_leaf(&before) != base.prev {
                return Err(damaged(base.seq, "it does not follow the entry before it"));
            }
            return Ok(State::at(head.base, base.seq, base.prev));
        }
        if from == 0 || size > LINE_MAX as u64 * 2 {
            return Err(damaged(0, "the log has no entries"));
        }
        size *= 8;
    }
}

/// What is open, as its own entry says.
fn opened_at(file: &OpenFile, seq: u64, place: u64, length: u64) -> Result<Opened> {
    let line = line_at(file, place, length).map_err(io)?.unwrap_or_default();
    let read = Head::read(&line).and_then(|head| Ok((head.seq, head.body(&line)?)));
    let what = match read {
        Ok((number, Body::Intent(intent))) if number == seq => Pending::Intent(intent),
        Ok((number, Body::Group(group))) if number == seq => Pending::Group(group),
        _ => return Err(damaged(seq, "nothing begins where a later entry says")),
    };
    Ok(Opened { place, what })
}

/// The error of the first line from the beginning on that does not fit.
fn first_unfit(file: &OpenFile) -> Option<Error> {
    let mut state = State::empty();
    let mut lines = Lines::new(file, 0, file.len().ok()?);
    loop {
        match lines.next().ok()? {
            Next::Line(line) => {
                if let Err(at) = state.take(line) {
                    return Some(unfit(at));
                }
            }
            Next::Rest(_) => return None,
        }
    }
}
