//! The same operations through the library, on a real tree.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use caplink::{
    Abilities, Edit, Error, Guarantee, LinkPath, MakesLink, Outcome, Policy, Result, Root, Style as LibraryStyle,
    Target,
};

use super::operations::{Done, Holder, Op, Said, Style, To};
use super::world::{Names, Node, World, names};

/// Builds the world below its root, which is an empty directory.
pub(crate) fn build(world: &World) {
    for (path, node) in world.nodes() {
        let at = Path::new(&world.root).join(path.join("/"));
        match node {
            Node::Dir => fs::create_dir(at),
            Node::File(content) => fs::write(at, content),
            Node::Link(text) => symlink(text, at),
        }
        .expect("the tree is built");
    }
}

/// What is really below the root.
pub(crate) fn read(root: &Path) -> BTreeMap<Names, Node> {
    let mut nodes = BTreeMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(root.join(&dir)).expect("the tree is read") {
            let entry = entry.expect("the tree is read");
            let path = dir.join(entry.file_name());
            let kind = entry.file_type().expect("the tree is read");
            let node = if kind.is_dir() {
                open.push(path.clone());
                Node::Dir
            } else if kind.is_symlink() {
                Node::Link(string(fs::read_link(entry.path()).expect("the tree is read").as_os_str()))
            } else {
                Node::File(fs::read_to_string(entry.path()).expect("the tree is read"))
            };
            nodes.insert(names(&string(path.as_os_str())), node);
        }
    }
    nodes
}

pub(crate) fn open(root: &Path, holder: Holder) -> Root {
    let Holder { confined_open, exchange, no_replace, follow, create, replace, remove, dangling, outside } = holder;
    let policy = Policy::default().follow(follow).create(create).replace(replace).remove(remove);
    let policy = policy.dangling(dangling).outside(outside);
    let root = Root::open_ambient(root, policy, cap_std::ambient_authority()).expect("the root is opened");
    root.with_abilities(Abilities { confined_open, exchange, no_replace })
}

/// Carries out the operation, and says what the library said.
pub(crate) fn perform(root: &Root, op: &Op) -> Said {
    let said = match op {
        Op::Create { path, to, parents } => {
            edit(root, path, |path| widened(Edit::create(path, target(to)), to).parents(*parents))
        }
        Op::Ensure { path, to, parents, backup } => {
            edit(root, path, |path| widened(Edit::ensure(path, target(to)), to).parents(*parents).backup(*backup))
        }
        Op::Swap { path, to, old, .. } => edit(root, path, |path| widened(Edit::swap(path, target(to), old), to)),
        Op::Remove { path, expect, missing_ok } => edit(root, path, |path| {
            let removal = Edit::remove(path).missing_ok(*missing_ok);
            match expect {
                Some(text) => removal.expect(text),
                None => removal,
            }
        }),
        Op::Exchange { a, b, dangling, outside } => LinkPath::new(a)
            .and_then(|a| {
                let exchange = Edit::exchange(a, LinkPath::new(b)?).allow_dangling(*dangling).allow_outside(*outside);
                previewed(root.preview(&exchange), || root.apply(&exchange))
            })
            .map(|outcome| Said::Done(outcome.each().map(done).collect())),
        Op::Inspect { path } => root.inspect(path).map(|seen| {
            let link = seen.link.as_ref();
            let resolved = link.and_then(|link| link.resolved.as_ref()).map(|path| string(path.as_os_str()));
            Said::Seen(seen.kind.map(caplink::FileKind::as_str), link.map(|link| link.status.as_str()), resolved)
        }),
        Op::Resolve { path } => root.resolve(path).map(|resolved| Said::Resolved(string(resolved.path.as_os_str()))),
    };
    said.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &Error) -> Said {
    assert!(error.left().is_empty() && error.preserved().is_empty() && error.made().is_empty(), "{error:?}");
    Said::Failed(error.kind().as_str(), error.component().map(|component| component.index))
}

fn target(to: &To) -> Target {
    let style = match to.style {
        Style::Relative => LibraryStyle::Relative,
        Style::Absolute => LibraryStyle::Absolute,
        Style::Verbatim => LibraryStyle::Verbatim,
    };
    Target::new(style, &to.text)
}

fn widened<C: MakesLink>(edit: Edit<C>, to: &To) -> Edit<C> {
    edit.allow_dangling(to.dangling).allow_outside(to.outside)
}

fn edit<E: Into<Edit>>(root: &Root, path: &str, edit: impl FnOnce(LinkPath) -> E) -> Result<Said> {
    let edit = edit(LinkPath::new(path)?).into();
    let outcome = previewed(root.preview(&edit), || root.apply(&edit));
    outcome.map(|outcome| Said::Done(outcome.each().map(done).collect()))
}

/// The real run says what the dry run said.
fn previewed(preview: Result<Outcome>, real: impl FnOnce() -> Result<Outcome>) -> Result<Outcome> {
    let told = |result: &Result<Outcome>| match result {
        Ok(outcome) => format!("{:?}", outcome.each().map(done).collect::<Vec<_>>()),
        Err(error) => format!("{error:?}"),
    };
    let real = real();
    assert_eq!(told(&preview), told(&real), "the dry run says what the real run says");
    real
}

fn done(outcome: &Outcome) -> Done {
    assert!(outcome.verified && outcome.shortfalls.is_empty(), "{outcome:?}");
    let paths = |paths: &[PathBuf]| paths.iter().map(|path| string(path.as_os_str())).collect();
    Done {
        change: outcome.effect.as_str(),
        target: outcome.target.as_deref().map(string),
        previous: outcome.previous.as_deref().map(string),
        backup: outcome.backup.as_ref().map(|path| string(path.as_os_str())),
        made: paths(&outcome.made),
        atomic: outcome.guarantee == Guarantee::Atomic,
    }
}

fn string(text: &std::ffi::OsStr) -> String {
    text.to_str().expect("the names of a world are plain").to_owned()
}
