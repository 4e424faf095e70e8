//! Finding mutations by the index: which ones can be meant is looked up, and only those are read in the log.

use std::collections::BTreeSet;

use redb::{ReadableDatabase as _, ReadableTable as _};

use super::cache::Index;
use super::tables::{GROUPS, LINKS, MUTATIONS, Source, Useless, from_bytes};
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
        let mut add = |seq: u64, places: (u64, u64)| -> Result<bool, Useless> {
            if found.len() >= limit {
                return Ok(false);
            }
            let mutation = roots.mutation(seq, places)?;
            found.extend(mutation.filter(|mutation| query.fits(mutation)));
            Ok(true)
        };
        match self.candidates(&reading, query)? {
            Some(candidates) => {
                for seq in candidates.into_iter().rev() {
                    let places = mutations.get(seq)?.ok_or(Useless)?.value();
                    if !add(seq, places)? {
                        break;
                    }
                }
            }
            None => {
                for mutation in mutations.iter()?.rev() {
                    let (seq, places) = mutation?;
                    if !add(seq.value(), places.value())? {
                        break;
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
            for seq in reading.open_multimap_table(GROUPS)?.get(group)? {
                candidates.insert(seq?.value());
            }
            return Ok(Some(candidates));
        }
        if !query.names_links() {
            return Ok(None);
        }
        let links = reading.open_multimap_table(LINKS)?;
        if let Some(exact) = query.plain_links() {
            for link in exact {
                for seq in links.get(link.as_bytes())? {
                    candidates.insert(seq?.value());
                }
            }
            return Ok(Some(candidates));
        }
        for link in redb::ReadableMultimapTable::iter(&links)? {
            let (link, seqs) = link?;
            let Some(path) = from_bytes(link.value().to_vec()) else { continue };
            if query.fits_link(path.as_ref()) {
                for seq in seqs {
                    candidates.insert(seq?.value());
                }
            }
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

    fn mutation(&mut self, seq: u64, (place, result): (u64, u64)) -> Result<Option<Mutation>, Useless> {
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
