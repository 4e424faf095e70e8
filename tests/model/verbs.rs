//! What each verb owes, computed on a world.

use super::operations::{Done, Holder, Op, Said, Style, To};
use super::spelling;
use super::walk::{Overlay, Stop, walk};
use super::world::{Names, Node, World};

type Outcome<T> = Result<T, (&'static str, Option<usize>)>;

fn below(dir: &[String], name: &str) -> Names {
    let mut path = dir.to_vec();
    path.push(name.to_owned());
    path
}

fn shown(path: &[String]) -> String {
    path.join("/")
}

impl World {
    /// Whether the way to a link goes through what the operation is about.
    ///
    /// Only a holder who follows links can ask for this. The library finds that the way is no longer what it was and
    /// takes the change back; the model has no opinion.
    pub(crate) fn saws_its_branch(&self, op: &Op, holder: Holder) -> bool {
        let paths = match op {
            Op::Create { path, .. } | Op::Ensure { path, .. } | Op::Swap { path, .. } | Op::Remove { path, .. } => {
                vec![path]
            }
            Op::Exchange { a, b, .. } => vec![a, b],
            Op::Inspect { .. } | Op::Resolve { .. } => return false,
        };
        let names: Vec<Names> = paths.into_iter().filter_map(|path| spelling::link(path).ok()).collect();
        let above = |names: &Names| names[..names.len() - 1].to_vec();
        let mut without = self.clone();
        for names in &names {
            if let Ok(mut at) = self.parent(&above(names), holder) {
                at.extend(names.last().cloned());
                without.rename(&at, &["elsewhere".to_owned()]);
            }
        }
        holder.follow
            && names.iter().any(|names| self.parent(&above(names), holder) != without.parent(&above(names), holder))
    }

    pub(crate) fn apply(&mut self, op: &Op, holder: Holder) -> Said {
        let said = match op {
            Op::Create { path, to, parents } => self.edit(path, holder, Some(to), Expect::Nothing, *parents, false),
            Op::Ensure { path, to, parents, backup } => {
                self.edit(path, holder, Some(to), Expect::NothingOrLink, *parents, *backup)
            }
            Op::Swap { path, to, old, parents } => {
                self.edit(path, holder, Some(to), Expect::Text(old), *parents, false)
            }
            Op::Remove { path, expect, missing_ok } => self.remove(path, holder, expect.as_deref(), *missing_ok),
            Op::Exchange { a, b, dangling, outside } => return self.exchange(a, b, holder, *dangling, *outside),
            Op::Inspect { path } => {
                return self.inspect(path, holder).unwrap_or_else(|(kind, at)| Said::Failed(kind, at));
            }
            Op::Resolve { path } => return self.resolve(path),
        };
        match said {
            Ok(done) => Said::Done(vec![done]),
            Err((kind, at)) => Said::Failed(kind, at),
        }
    }

    /// The physical path of a directory.
    fn parent(&self, names: &[String], holder: Holder) -> Outcome<Names> {
        if holder.follow && !names.is_empty() {
            return match walk(self, &[], &(shown(names) + "/."), 0, &[]).0 {
                Ok(at) => Ok(at),
                Err(stop) => Err((stop.kind(), None)),
            };
        }
        for (index, _) in names.iter().enumerate() {
            match self.get(&names[..=index]) {
                Some(Node::Dir) => {}
                Some(Node::Link(_)) => return Err(("symlink_in_path", Some(index))),
                Some(Node::File(_)) | None => return Err(("not_found", Some(index))),
            }
        }
        Ok(names.to_vec())
    }

    /// The physical path that a directory will have, and what must be made for it.
    fn new_parents(&self, names: &[String], holder: Holder) -> Outcome<(Names, Vec<Names>)> {
        let mut missing = (names.len(), ("not_found", None));
        loop {
            match self.parent(&names[..missing.0], holder) {
                Ok(at) => {
                    let rest = &names[missing.0..];
                    if rest.first().is_some_and(|name| self.get(&below(&at, name)).is_some()) {
                        return Err(missing.1);
                    }
                    let made = (1..=rest.len()).map(|count| [&at[..], &rest[..count]].concat()).collect();
                    return Ok(([&at[..], rest].concat(), made));
                }
                Err(error) if error.0 == "not_found" && missing.0 > 0 => missing = (missing.0 - 1, error),
                Err(error) => return Err(error),
            }
        }
    }

    fn stored(&self, to: &To, from: &[String]) -> Outcome<String> {
        if to.text.is_empty() || to.text.contains('\0') {
            return Err(("invalid_target", None));
        }
        let below = match to.style {
            Style::Verbatim => return Ok(to.text.clone()),
            _ => spelling::target(&to.text).map_err(|kind| (kind, None))?,
        };
        Ok(match to.style {
            Style::Absolute if below.is_empty() => self.root.clone(),
            Style::Absolute => format!("{}/{}", self.root, shown(&below)),
            _ => {
                let common = from.iter().zip(&below).take_while(|(a, b)| a == b).count();
                let up = vec!["..".to_owned(); from.len() - common];
                let text = shown(&[&up[..], &below[common..]].concat());
                if text.is_empty() { ".".to_owned() } else { text }
            }
        })
    }

    fn judge(
        &self,
        holder: Holder,
        from: &[String],
        text: &str,
        overlay: Overlay<'_>,
        (dangling, outside): (bool, bool),
    ) -> Outcome<()> {
        match walk(self, from, text, 1, overlay).0 {
            Ok(_) => Ok(()),
            Err(Stop::Missing) if dangling && holder.dangling => Ok(()),
            Err(Stop::Escape) if outside && holder.outside => Ok(()),
            Err(Stop::Missing) => Err(("dangling", None)),
            Err(stop) => Err((stop.kind(), None)),
        }
    }

    fn edit(
        &mut self,
        path: &str,
        holder: Holder,
        to: Option<&To>,
        expect: Expect<'_>,
        parents: bool,
        backup: bool,
    ) -> Outcome<Done> {
        let to = to.expect("these verbs have a target");
        let names = spelling::link(path)?;
        let (name, above) = names.split_last().expect("a link has a name");
        let (dir, made) = match self.parent(above, holder) {
            Ok(dir) => (dir, Vec::new()),
            Err(error) if error.0 == "not_found" && parents && !matches!(expect, Expect::Text(_)) => {
                self.new_parents(above, holder)?
            }
            Err(error) => return Err(error),
        };
        let at = below(&dir, name);
        let text = self.stored(to, &dir);
        let found = self.get(&at).cloned();
        let done = |change| Done { change, target: text.clone().ok(), atomic: true, ..Done::default() };
        let mut done = match (&found, expect) {
            (None, Expect::Text(_)) => return Err(("not_found", None)),
            (None, _) => done("created"),
            (Some(_), Expect::Nothing) => return Err(("exists", None)),
            (Some(Node::Link(present)), Expect::Text(old)) if present != old => return Err(("mismatch", None)),
            (Some(Node::Link(present)), _) if Ok(present) == text.as_ref() => return Ok(done("unchanged")),
            (Some(Node::Link(present)), _) => {
                Done { previous: Some(present.clone()), atomic: holder.exchange, ..done("replaced") }
            }
            (Some(_), _) if backup => done("created"),
            (Some(_), _) => return Err(("not_a_link", None)),
        };
        let allowed = if found.is_some() { holder.replace } else { holder.create };
        if !allowed {
            return Err(("policy", None));
        }
        let text = text?;
        self.judge(holder, &dir, &text, &[(&at, &text)], (to.dangling, to.outside))?;
        let asks_for_directory = to.style != Style::Verbatim && (to.text.ends_with('/') || to.text.ends_with("/."));
        if asks_for_directory && walk(self, &dir, &text, 1, &[(&at, &text)]).0.is_ok_and(|end| !self.is_dir(&end)) {
            return Err(("invalid_target", None));
        }
        if matches!(found, Some(Node::Dir | Node::File(_))) {
            if !holder.exchange {
                return Err(("unsupported", None));
            }
            let free = |count: usize| {
                let suffix = if count == 0 { String::new() } else { format!("-{count}") };
                [&dir[..], &[format!("{name}.backup{suffix}")]].concat()
            };
            let aside = (0..).map(free).find(|path| self.get(path).is_none()).expect("there is always another name");
            self.rename(&at, &aside);
            done.backup = Some(shown(&aside));
        }
        for dir in made {
            done.made.push(shown(&dir));
            self.put(dir, Node::Dir);
        }
        self.put(at, Node::Link(text));
        Ok(done)
    }

    fn remove(&mut self, path: &str, holder: Holder, expect: Option<&str>, missing_ok: bool) -> Outcome<Done> {
        let names = spelling::link(path)?;
        let (name, above) = names.split_last().expect("a link has a name");
        let unchanged = || Done { change: "unchanged", atomic: true, ..Done::default() };
        let dir = match self.parent(above, holder) {
            Ok(dir) => dir,
            Err(("not_found", _)) if missing_ok => return Ok(unchanged()),
            Err(error) => return Err(error),
        };
        let at = below(&dir, name);
        match self.get(&at) {
            None if missing_ok => Ok(unchanged()),
            None => Err(("not_found", None)),
            Some(Node::Link(text)) if expect.is_some_and(|expect| expect != text) => Err(("mismatch", None)),
            Some(Node::Link(_)) if !holder.remove => Err(("policy", None)),
            Some(Node::Link(text)) => {
                let previous = Some(text.clone());
                self.take(&at);
                Ok(Done { change: "removed", previous, atomic: holder.no_replace, ..Done::default() })
            }
            Some(_) => Err(("not_a_link", None)),
        }
    }

    fn exchange(&mut self, a: &str, b: &str, holder: Holder, dangling: bool, outside: bool) -> Said {
        let failed = |(kind, at): (&'static str, Option<usize>)| Said::Failed(kind, at);
        let spelled = spelling::link(a).and_then(|a| Ok((a, spelling::link(b)?)));
        let (a, b) = match spelled {
            Ok(both) => both,
            Err(refusal) => return failed(refusal),
        };
        let place = |names: &Names| {
            let (name, above) = names.split_last().expect("a link has a name");
            let dir = self.parent(above, holder)?;
            Ok((below(&dir, name), dir))
        };
        let ((a, dir_a), (b, dir_b)) = match (place(&a), place(&b)) {
            (Ok(a), Ok(b)) => (a, b),
            (Err(error), _) | (Ok(_), Err(error)) => return failed(error),
        };
        let link = |at: &Names| match self.get(at) {
            Some(Node::Link(text)) => Ok(text.clone()),
            Some(_) => Err(("not_a_link", None)),
            None => Err(("not_found", None)),
        };
        let (text_a, text_b) = match (link(&a), link(&b)) {
            (Ok(a), Ok(b)) => (a, b),
            (Err(error), _) | (Ok(_), Err(error)) => return failed(error),
        };
        let done = |change, target: &String, previous: Option<&String>| Done {
            change,
            target: Some(target.clone()),
            previous: previous.cloned(),
            atomic: true,
            ..Done::default()
        };
        if a == b {
            return Said::Done(vec![done("unchanged", &text_a, None), done("unchanged", &text_b, None)]);
        }
        if !holder.replace {
            return failed(("policy", None));
        }
        let overlay: [(&[String], &str); 2] = [(&a, &text_b), (&b, &text_a)];
        for (dir, text) in [(&dir_a, &text_b), (&dir_b, &text_a)] {
            if let Err(error) = self.judge(holder, dir, text, &overlay, (dangling, outside)) {
                return failed(error);
            }
        }
        if !holder.exchange {
            return failed(("unsupported", None));
        }
        let said = vec![done("exchanged", &text_b, Some(&text_a)), done("exchanged", &text_a, Some(&text_b))];
        self.put(a, Node::Link(text_b));
        self.put(b, Node::Link(text_a));
        Said::Done(said)
    }

    fn inspect(&self, path: &str, holder: Holder) -> Outcome<Said> {
        let spelled = spelling::place(path)?;
        let Some((name, above)) = spelled.names.split_last() else { return Ok(Said::Seen(Some("dir"), None, None)) };
        let nothing = Ok(Said::Seen(None, None, None));
        let dir = match self.parent(above, holder) {
            Ok(dir) => dir,
            Err(("not_found", _)) => return nothing,
            Err(error) => return Err(error),
        };
        match self.get(&below(&dir, name)) {
            None => nothing,
            Some(Node::Dir) => Ok(Said::Seen(Some("dir"), None, None)),
            Some(Node::File(_)) if spelled.directory => nothing,
            Some(Node::File(_)) => Ok(Said::Seen(Some("file"), None, None)),
            Some(Node::Link(_)) if spelled.directory => Err(("invalid_path", None)),
            Some(Node::Link(text)) => {
                let (status, resolved) = match walk(self, &dir, text, 1, &[]).0 {
                    Ok(at) => ("ok", Some(shown(&at))),
                    Err(Stop::Missing) => ("dangling", None),
                    Err(stop) => (stop.kind(), None),
                };
                Ok(Said::Seen(Some("symlink"), Some(status), resolved))
            }
        }
    }

    fn resolve(&self, path: &str) -> Said {
        if let Err((kind, at)) = spelling::place(path) {
            return Said::Failed(kind, at);
        }
        match walk(self, &[], path, 0, &[]).0 {
            Ok(at) => Said::Resolved(shown(&at)),
            Err(stop) => Said::Failed(stop.kind(), None),
        }
    }
}

#[derive(Clone, Copy)]
enum Expect<'a> {
    Nothing,
    NothingOrLink,
    Text(&'a str),
}
