//! Histories of manifests and people, and what holds after each manifest that was applied.
//!
//! Also used by the fuzz target of the planner.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use caplink::manage::{Facts, Manifest, ManifestPlan, OnConflict, Owned};
use caplink::{FileKind, LinkPath};

use super::model::{Node, Records, Wish, World};

const PATHS: &[&str] = &["a", "a/x", "a/y/z", "b", "b/dot-c", "b/c/d", "src", "src/f", "src/dot-g", "src/s/h", "s"];
const TEXTS: &[&str] = &["one", "two", "src/f", "src/s", "gone", "a/x"];
const POLICIES: &[&str] = &["refuse", "replace", "backup", "skip"];

/// Choices, one a byte; zeros at the end.
struct Choices<'b>(std::slice::Iter<'b, u8>);

impl Choices<'_> {
    fn number(&mut self) -> usize {
        self.0.next().copied().unwrap_or_default().into()
    }

    fn of<'l>(&mut self, list: &[&'l str]) -> &'l str {
        list[self.number() % list.len()]
    }
}

/// Follows a history that the bytes choose; panics where something does not hold. Returns how often each action was met.
pub(crate) fn follow(bytes: &[u8]) -> BTreeMap<&'static str, usize> {
    let mut met = BTreeMap::new();
    let mut choices = Choices(bytes.iter());
    let mut world = World { records: vec![Records::default(), Records::default()], ..World::default() };
    while choices.0.len() > 0 {
        let path = Path::new(choices.of(PATHS));
        match choices.number() % 8 {
            0 => world.put(path, Node::Dir),
            1 | 2 => world.put(path, Node::Other(FileKind::File, u32::try_from(choices.0.len()).unwrap_or_default())),
            3 => world.put(path, Node::Link(choices.of(TEXTS).to_owned())),
            4 => world.take(path),
            _ => {
                for action in apply(&mut world, &mut choices) {
                    *met.entry(action).or_default() += 1;
                }
            }
        }
    }
    met
}

fn apply(world: &mut World, choices: &mut Choices<'_>) -> Vec<&'static str> {
    let manifest = choices.number() % 2;
    let text = text(choices);
    let Ok(read) = Manifest::parse(text.as_bytes(), &Facts::default()) else { return Vec::new() };
    let Ok(expanded) = read.expand(world) else { return Vec::new() };
    assert!(expanded.links.is_sorted_by(|a, b| a.link != b.link && !a.link.as_path().starts_with(&b.link)), "{text}");
    let wish = Wish {
        links: expanded.links,
        unwanted: expanded.unwanted,
        on_conflict: read.on_conflict(),
        prune: !choices.number().is_multiple_of(8),
        tags: if choices.number().is_multiple_of(8) { vec!["t".to_owned()] } else { Vec::new() },
    };
    let plan = world.plan(manifest, &wish);
    if plan.conflicts().next().is_none() {
        let before = world.clone();
        world.apply(manifest, &plan);
        check(&before, world, manifest, &wish, &plan);
    }
    plan.steps.iter().map(|step| step.action.as_str()).collect()
}

/// A manifest of a few tables.
fn text(choices: &mut Choices<'_>) -> String {
    let mut text = String::from("version = 1\nname = 'm'\n");
    let _ = writeln!(text, "defaults.on_conflict = '{}'", choices.of(POLICIES));
    for _ in 0..choices.number() % 5 {
        let (path, to) = (choices.of(PATHS), choices.of(TEXTS));
        let table = match choices.number() % 6 {
            0 => format!(
                "[[tree]]\nfrom = '{path}'\ninto = '{}'\ndotfiles = true\n",
                choices.of(&["h", "h/i", "a", "."])
            ),
            1 => format!("[[each]]\nfor = '{path}*'\nlinks = {{ '{{dir}}/l' = '{to}' }}\n"),
            2 => "[[each]]\nfor = '**'\nlinks = { 'by/{base}' = '{dir}' }\nexclude = ['by', 'h']\n".to_owned(),
            3 => format!("[[absent]]\nat = '{path}'\n"),
            4 => format!("[[link]]\nat = '{path}'\nto = '{to}'\nstyle = 'verbatim'\nallow_dangling = true\n"),
            _ => format!("[[link]]\nat = '{path}'\nto = '{to}'\ntags = ['t']\n"),
        };
        text.push_str(&table);
    }
    text
}

/// The links that a manifest made and that are what it made.
fn held(world: &World, manifest: usize) -> BTreeSet<PathBuf> {
    let made = |(link, owned): (&LinkPath, &Owned)| {
        let text = owned.text.to_str().expect("texts are UTF-8 here").to_owned();
        (world.at(link.as_path()) == Some(&Node::Link(text))).then(|| link.as_path().to_path_buf())
    };
    world.records[manifest].owned.iter().filter_map(made).collect()
}

/// What holds once a plan was carried out.
pub(crate) fn check(before: &World, after: &World, manifest: usize, wish: &Wish, plan: &ManifestPlan) {
    // Everything is as it is to be: nothing is left to do, and doing it again changes nothing.
    let again = after.plan(manifest, wish);
    assert!(again.is_empty(), "{:#?}\nthen\n{:#?}", plan.steps, again.steps);
    // What another manifest made is as it was.
    let others = held(before, 1 - manifest);
    assert!(others.is_subset(&held(after, 1 - manifest)), "{:#?}", plan.steps);
    let own = held(before, manifest);
    let declared = |path: &Path| wish.links.iter().any(|declared| declared.link.as_path() == path);
    let unwanted = |path: &Path| wish.unwanted.iter().any(|one| one.link.as_path() == path);
    for (path, node) in &before.tree {
        let aside = after.tree.iter().any(|(other, kept)| kept == node && other.to_string_lossy().contains(".backup-"));
        let allowed = match node {
            // A link goes or changes if it is this manifest's own, or the manifest says so in as many words.
            Node::Link(_) => {
                own.contains(path)
                    || (declared(path) && matches!(wish.on_conflict, OnConflict::Replace | OnConflict::Backup))
                    || unwanted(path)
                    || aside
            }
            Node::Dir => before.records[manifest].dirs.contains(path) || aside,
            Node::Other(..) => aside && wish.on_conflict == OnConflict::Backup,
        };
        assert!(after.at(path) == Some(node) || allowed, "{node:?} at {path:?}: {:#?}", plan.steps);
    }
}
