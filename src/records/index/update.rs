//! Bringing the index up to date: the entries of the log behind those that it knows.

use redb::Database;

use super::batch::{Batch, Tables};
use super::ownership::{self, Announced};
use super::said::{self, Reader, Said};
use super::tables::{Source, UP_TO, Useless};
use super::up_to::UpTo;
use crate::records::entry::{Body, CUT};
use crate::records::lines::{Lines, Next};
use crate::records::owned::{Backing, Ownership, Told};

/// Entries that are taken at a time: what is learned from them is in memory until then.
const TOGETHER: u64 = if cfg!(test) { 4 } else { 4_096 };

/// Entries that are taken by one transaction: what is learned from them is lost if the program is stopped.
const AT_ONCE: u64 = 64 * TOGETHER;

/// Takes what is behind. The chain is checked on the way; what does not fit is left to whoever reads the log.
pub(super) fn bring_up(database: &Database, source: Source<'_>) -> Result<UpTo, Useless> {
    // What a power cut could take away must not be known.
    source.log.sync()?;
    let mut announced = None;
    loop {
        let (up_to, is_more) = take_some(database, source, &mut announced)?;
        if !is_more {
            return Ok(up_to);
        }
    }
}

fn take_some(
    database: &Database,
    source: Source<'_>,
    announced: &mut Option<Announced>,
) -> Result<(UpTo, bool), Useless> {
    let transaction = database.begin_write()?;
    let mut is_more = false;
    let (up_to, first) = {
        let mut kept = transaction.open_table(UP_TO)?;
        let mut up_to = UpTo::of(&kept)?.unwrap_or_else(UpTo::nothing);
        let first = up_to.tree.size();
        let mut tables = Tables::open(&transaction)?;
        let mut owned = ownership::begin(&transaction, source, announced.take())?;
        let (mut batch, mut reader, mut ended) = (Batch::default(), Reader::default(), Vec::new());
        let mut lines = Lines::new(source.log, up_to.end, source.end);
        while let Next::Line(line) = lines.next()? {
            let taken = up_to.tree.size() - first;
            if taken == AT_ONCE {
                is_more = true;
                break;
            }
            if taken > 0 && taken.is_multiple_of(TOGETHER) {
                batch.write(&mut tables)?;
                ownership::write(&mut owned)?;
            }
            if line.last() != Some(&CUT) {
                let (head, said) = reader.read(line).ok_or(Useless)?;
                if head.seq != up_to.tree.size() || head.prev != up_to.leaf {
                    return Err(Useless);
                }
                if let Said::Result(result) = &said
                    && result.of < first
                {
                    ended.push(result.of);
                }
                batch.take(head.seq, up_to.end, &said);
                take_owned(&mut owned, head.seq, said)?;
            }
            up_to.pass(line);
        }
        batch.write(&mut tables)?;
        ownership::write(&mut owned)?;
        if up_to.tree.size() > first {
            up_to.put(&mut kept)?;
        }
        *announced = Some(ownership::end(&transaction, owned, &tables.mutations, first, &ended)?);
        (up_to, first)
    };
    // What is as it was need not be written.
    if up_to.tree.size() > first {
        transaction.commit()?
    } else {
        transaction.abort()?
    }
    Ok((up_to, is_more))
}

impl Batch {
    /// Takes what an entry says, which begins at a place.
    fn take(&mut self, seq: u64, place: u64, said: &Said<'_>) {
        match said {
            Said::Intent(intent) => {
                self.mutation(seq, place);
                for link in [Some(&intent.link), intent.other.as_ref()].into_iter().flatten() {
                    self.link(link, seq);
                }
                if let Some(group) = &intent.group {
                    self.group(group, seq);
                }
            }
            Said::Result(ended) => self.result(ended.of, place),
            Said::Other(Body::Fact(fact)) => {
                self.mutation(seq, place);
                if let Some(group) = &fact.group {
                    self.group(group, seq);
                }
            }
            Said::Other(Body::Records(_) | Body::Settings(_)) => self.mutation(seq, place),
            Said::Other(_) => {}
        }
    }
}

fn take_owned<B: Backing>(owned: &mut Ownership<B>, seq: u64, said: Said<'_>) -> Result<(), B::Error> {
    match said {
        Said::Intent(intent) => {
            let said::Intent { verb, link, other, target, previous, moved, group, owner, .. } = *intent;
            if let Some(owner) = &owner {
                let (verb, group) = (&*verb, group.as_deref());
                owned.announce(seq, Told { verb, owner, group, link, target, previous, other, moved });
            }
            Ok(())
        }
        Said::Result(ended) => owned.end(ended.of, &ended.outcome, ended.target),
        Said::Other(body) => owned.take(seq, body),
    }
}
