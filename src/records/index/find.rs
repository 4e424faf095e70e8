//! Finding mutations by the index: which ones can be meant is looked up, and only those are read in the log.

use std::collections::BTreeSet;

use redb::ReadableTable as _;

use super::cache::Index;
use super::places::{self, Places};
use super::tables::{GROUPS, LINKS, MUTATIONS, Source, Useless, from_bytes, link_key, of_link_key};
use crate::records::entry::Body;
use crate::records::head::Head;
use crate::records::lines::line_at;
use crate::records::mutation::{Assembly, Mutation, MutationRoot};
use crate::records::query::Query;

impl Index {
    /// The mutations that are asked for, oldest first.
    pub(in crate::records) fn find(&self, source: Source<'_>, query: &Query) -> Result<Vec<Mutation>, Useless> {
        let reading = self.database.begin_read()?;
        let mutations = reading.open_table(MUTATIONS)?;
        let mut roots = Roots { source, known: None };
        let limit = query.newest().unwrap_or(usize::MAX);
        let mut found = Vec::new();
        let mut add = |places: Places| -> Result<bool, Useless> {
            if found.len() >= limit {
                return Ok(false);
            }
            let mutation = roots.mutation(places)?;
            found.extend(mutation.filter(|mutation| query.fits(mutation)));
            Ok(true)
        };
        match self.candidates(&reading, query)? {
            Some(candidates) => {
                for seq in candidates.into_iter().rev() {
                    if !add(places::find(&mutations, seq)?.ok_or(Useless)?)? {
                        break;
                    }
                }
            }
            None => {
                'all: for row in mutations.iter()?.rev() {
                    for places in places::of_row(row?.1.value())?.into_iter().rev() {
                        if !add(places)? {
                            break 'all;
                        }
                    }
                }
            }
        }
        found.reverse();
        Ok(found)
    }

    /// The numbers of those that can be meant; `None` if all can.
    fn candidates(&self, reading: &redb::ReadTransaction, query: &Query) -> Result<Option<BTreeSet<u64>>, Useless> {
        let mut candidates = BTreeSet::new();
        if let Some(group) = query.wanted_group() {
            for run in reading.open_table(GROUPS)?.range((group, 0)..=(group, u64::MAX))? {
                let (first, last) = run?;
                let (first, last) = (first.value().1, last.value());
                if last >= self.tree.size() {
                    return Err(Useless);
                }
                candidates.extend(first..=last);
            }
            return Ok(Some(candidates));
        }
        if !query.names_links() {
            return Ok(None);
        }
        let links = reading.open_table(LINKS)?;
        if let Some(exact) = query.plain_links() {
            for link in exact {
                let mut keys = [Vec::new(), Vec::new()];
                for (key, seq) in keys.iter_mut().zip([0, u64::MAX]) {
                    link_key(key, link.as_bytes(), seq);
                }
                for key in links.range(&*keys[0]..=&*keys[1])? {
                    let key = key?.0;
                    let (named, seq) = of_link_key(key.value()).ok_or(Useless)?;
                    candidates.extend((named == link.as_bytes()).then_some(seq));
                }
            }
            return Ok(Some(candidates));
        }
        let (mut last, mut fits) = (None, false);
        for key in links.iter()? {
            let key = key?.0;
            let (link, seq) = of_link_key(key.value()).ok_or(Useless)?;
            if last.as_deref() != Some(link) {
                fits = from_bytes(link.to_vec()).is_some_and(|path| query.fits_link(path.as_ref()));
                last = Some(link.to_vec());
            }
            candidates.extend(fits.then_some(seq));
        }
        Ok(Some(candidates))
    }
}

/// Reads mutations at their places, each with the root that it was of.
struct Roots<'a> {
    source: Source<'a>,
    known: Option<(u64, MutationRoot)>,
}

impl Roots<'_> {
    fn entry(&self, place: u64) -> Result<(Head, Body), Useless> {
        let line = line_at(self.source.log, place, self.source.end)?.ok_or(Useless)?;
        let head = Head::of_entry(&line).map_err(|_| Useless)?;
        let body = head.body(&line).map_err(|_| Useless)?;
        Ok((head, body))
    }

    fn mutation(&mut self, Places { seq, place, result }: Places) -> Result<Option<Mutation>, Useless> {
        let (head, body) = self.entry(place)?;
        if head.seq != seq {
            return Err(Useless);
        }
        let mut assembly = Assembly::of(self.root(head.settings_at)?);
        assembly.take(&head, body, false);
        if result > 0 {
            let (head, body) = self.entry(result)?;
            assembly.take(&head, body, false);
        }
        Ok(assembly.next().or_else(|| assembly.rest()))
    }

    fn root(&mut self, place: u64) -> Result<MutationRoot, Useless> {
        if let Some((known, root)) = &self.known
            && *known == place
        {
            return Ok(root.clone());
        }
        let root = match self.entry(place)?.1 {
            Body::Records(founding) => MutationRoot::of(&founding.settled),
            Body::Settings(settled) => MutationRoot::of(&settled),
            _ => return Err(Useless),
        };
        self.known = Some((place, root.clone()));
        Ok(root)
    }
}
