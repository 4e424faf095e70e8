//! Bringing the index up to date: the entries of the log behind those that it knows.

use redb::{Database, ReadableTable as _};

use super::ownership::{self, Announced, Intents};
use super::tables::{GROUPS, LINKS, MUTATIONS, Source, UP_TO, Useless, bytes};
use crate::records::entry::{Body, CUT};
use crate::records::head::Head;
use crate::records::lines::{Lines, Next};
use crate::records::tree::{Hash, Tree};

/// Entries that are taken by one transaction: what is learned from them is in memory until then.
const TOGETHER: u64 = 16_384;

/// Up to where the index is.
pub(super) struct UpTo {
    pub(super) tree: Tree,
    pub(super) last: u64,
    pub(super) end: u64,
    pub(super) leaf: Hash,
}

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
    let is_new;
    let up_to = {
        let mut links = transaction.open_multimap_table(LINKS)?;
        let mut groups = transaction.open_multimap_table(GROUPS)?;
        let mut mutations = transaction.open_table(MUTATIONS)?;
        let mut kept = transaction.open_table(UP_TO)?;
        let mut up_to = match kept.get(0)? {
            Some(kept) => {
                let (entries, last, end, leaf, subtrees) = kept.value();
                let tree = Tree::from_bytes(entries, subtrees).ok_or(Useless)?;
                UpTo { tree, last, end, leaf: Hash(leaf.try_into().map_err(|_| Useless)?) }
            }
            None => UpTo { tree: Tree::default(), last: 0, end: 0, leaf: Hash::of_nothing() },
        };
        let mut owned = ownership::begin(&transaction, source, announced.take())?;
        let (first, mut intents) = (up_to.tree.size(), Intents::default());
        let mut lines = Lines::new(source.log, up_to.end, source.end);
        while let Next::Line(line) = lines.next()? {
            if up_to.tree.size() - first == TOGETHER {
                is_more = true;
                break;
            }
            if line.last() != Some(&CUT) {
                let head = Head::of_entry(line).map_err(|_| Useless)?;
                if head.seq != up_to.tree.size() || head.prev != up_to.leaf {
                    return Err(Useless);
                }
                let body = head.body(line).map_err(|_| Useless)?;
                match &body {
                    Body::Intent(intent) => {
                        for link in [Some(&intent.link), intent.other.as_ref()].into_iter().flatten() {
                            links.insert(bytes(link), head.seq)?;
                        }
                        if let Some(group) = &intent.group {
                            groups.insert(group.as_str(), head.seq)?;
                        }
                        if intent.owner.is_some() {
                            intents.new.push((head.seq, up_to.end));
                        }
                        mutations.insert(head.seq, (up_to.end, 0))?;
                    }
                    Body::Result(ended) => {
                        if ended.of < first {
                            intents.ended.push(ended.of);
                        }
                        let place = mutations.get(ended.of)?.map(|places| places.value());
                        if let Some((intent, 0)) = place {
                            mutations.insert(ended.of, (intent, up_to.end))?;
                        }
                    }
                    Body::Fact(fact) => {
                        if let Some(group) = &fact.group {
                            groups.insert(group.as_str(), head.seq)?;
                        }
                        mutations.insert(head.seq, (up_to.end, 0))?;
                    }
                    Body::Records(_) | Body::Settings(_) => drop(mutations.insert(head.seq, (up_to.end, 0))?),
                    Body::Group(_) | Body::GroupEnd(_) | Body::Torn(_) | Body::Open(_) => {}
                }
                owned.take(head.seq, body)?;
            }
            up_to.last = up_to.end;
            up_to.end += line.len() as u64 + 1;
            up_to.leaf = Hash::of_leaf(line);
            up_to.tree.push(up_to.leaf);
        }
        if up_to.tree.size() > first {
            let subtrees = up_to.tree.to_bytes();
            kept.insert(0, (up_to.tree.size(), up_to.last, up_to.end, &up_to.leaf.0[..], &subtrees[..]))?;
        }
        is_new = up_to.tree.size() > first;
        *announced = Some(ownership::end(&transaction, owned, &intents)?);
        up_to
    };
    // What is as it was need not be written.
    if is_new {
        transaction.commit()?
    } else {
        transaction.abort()?
    }
    Ok((up_to, is_more))
}
