//! What some entries say of links, groups and mutations: in memory until it is written, in the order of the tables' keys.

use redb::{Table, WriteTransaction};

use super::places::{self, Places};
use super::tables::{GROUPS, LINKS, MUTATIONS, Useless, bytes, link_key};
use crate::wire::Text;

/// The tables that this is written to.
pub(super) struct Tables<'t> {
    links: Table<'t, &'static [u8], ()>,
    groups: Table<'t, (&'static str, u64), u64>,
    pub(super) mutations: Table<'t, u64, &'static [u8]>,
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Tables<'t>, Useless> {
        let (links, groups) = (transaction.open_table(LINKS)?, transaction.open_table(GROUPS)?);
        Ok(Tables { links, groups, mutations: transaction.open_table(MUTATIONS)? })
    }
}

/// What some entries say.
#[derive(Default)]
pub(super) struct Batch {
    /// Keys of links, one behind the other, and where each begins and ends.
    keys: Vec<u8>,
    links: Vec<(usize, usize)>,
    /// Groups, with the first and the last number of mutations without a gap.
    groups: Vec<(String, u64, u64)>,
    /// Those that are announced by these entries, in order.
    mutations: Vec<Places>,
    /// Results of those that were announced before, with their places.
    results: Vec<(u64, u64)>,
}

impl Batch {
    /// The next mutation, by the number and the place of its entry.
    pub(super) fn mutation(&mut self, seq: u64, place: u64) {
        self.mutations.push(Places { seq, place, result: 0 });
    }

    /// A mutation names a link.
    pub(super) fn link(&mut self, link: &Text, seq: u64) {
        let begin = self.keys.len();
        link_key(&mut self.keys, bytes(link), seq);
        self.links.push((begin, self.keys.len()));
    }

    /// A mutation is of a group.
    pub(super) fn group(&mut self, group: &str, seq: u64) {
        match self.groups.last_mut() {
            Some((last, _, end)) if last == group && *end + 1 == seq => *end = seq,
            _ => self.groups.push((group.to_owned(), seq, seq)),
        }
    }

    /// The result of a mutation, by the place of its entry.
    pub(super) fn result(&mut self, of: u64, place: u64) {
        match self.mutations.first() {
            Some(first) if first.seq <= of => places::end(&mut self.mutations, of, place),
            _ => self.results.push((of, place)),
        }
    }

    /// Writes it, and begins anew.
    pub(super) fn write(&mut self, tables: &mut Tables<'_>) -> Result<(), Useless> {
        let Batch { keys, links, groups, mutations, results } = self;
        links.sort_unstable_by(|one, other| keys[one.0..one.1].cmp(&keys[other.0..other.1]));
        for (begin, end) in links.drain(..) {
            tables.links.insert(&keys[begin..end], ())?;
        }
        keys.clear();
        for (group, first, last) in groups.drain(..) {
            tables.groups.insert((group.as_str(), first), last)?;
        }
        places::write_results(&mut tables.mutations, results)?;
        places::write_new(&mut tables.mutations, mutations)
    }
}
