//! The ledger of a run in memory: the tree as it is seen, and its log as it is entered.

use caplink::adversary::{self as memory, Call, Object, Tree};
use caplink::{Confinement, FileKind};

use crate::answers::Answers;
use crate::run::Fault;
use crate::scene::Scene;
use crate::support::ledger::{Ledger, Setting};
use crate::support::report::{Item, Report};
use crate::support::view::{Actor, Change, Changed, Name, Step, View};

/// The most calls of one run; waiting for a lock takes most of them, or trying a thousand names for a backup.
const CALLS_MAX: usize = 10_000;

pub(crate) type Judge = Ledger<Object>;

impl View for Tree {
    type Id = Object;

    fn entries(&self, dir: Object) -> impl DoubleEndedIterator<Item = (&std::ffi::OsStr, Object)> {
        Tree::entries(self, dir).iter().map(|(name, object)| (&**name, *object))
    }

    fn get(&self, dir: Object, name: &std::ffi::OsStr) -> Option<Object> {
        Tree::get(self, dir, name)
    }

    fn directories(&self) -> impl Iterator<Item = Object> {
        self.objects().filter(|object| self.node(*object).kind == FileKind::Dir && self.node(*object).links > 0)
    }

    fn kind(&self, object: Object) -> FileKind {
        self.node(object).kind
    }

    fn text(&self, object: Object) -> Option<&std::ffi::OsStr> {
        Tree::text(self, object)
    }

    fn maker(&self, object: Object) -> Actor {
        actor(self.node(object).maker)
    }

    fn owner(&self, object: Object) -> u32 {
        self.node(object).uid
    }

    fn is_reachable(&self, object: Object) -> bool {
        self.node(object).links > 0
    }

    fn is_below(&self, dir: Object, above: Object) -> bool {
        Tree::is_below(self, dir, above)
    }

    fn has_sealed(&self) -> bool {
        self.objects().any(|dir| self.node(dir).mode == 0)
    }
}

fn actor(actor: memory::Actor) -> Actor {
    match actor {
        memory::Actor::Executor => Actor::Executor,
        memory::Actor::Other => Actor::Others,
    }
}

fn change(logged: &memory::Change) -> Change<Object> {
    let step = match logged.step {
        memory::Step::Make => Step::Make,
        memory::Step::Link => Step::Link,
        memory::Step::Unlink => Step::Unlink,
        memory::Step::RemoveDir => Step::RemoveDir,
        memory::Step::RenameNew => Step::RenameNew,
        memory::Step::RenameOver => Step::RenameOver,
        memory::Step::Exchange => Step::Exchange,
    };
    let changed = |slot: &memory::Slot| Changed {
        dir: slot.dir,
        name: Name::clone(&slot.name),
        before: slot.before,
        after: slot.after,
    };
    Change { actor: actor(logged.actor), step, names: logged.slots.iter().map(changed).collect() }
}

impl Judge {
    /// Begins with this tree, which may be another than the scene's first.
    pub(crate) fn of(scene: &Scene, tree: &Tree) -> Judge {
        let setting = Setting {
            verb: scene.scenario.verb,
            layout: scene.scenario.layout,
            places: scene.places,
            executor: scene.scenario.executor(),
            confined: scene.scenario.confined,
            calls_max: CALLS_MAX,
        };
        Ledger::new(setting, tree, scene.outside.clone())
    }

    /// Before a call: what others did.
    pub(crate) fn before(&mut self, tree: &Tree) {
        let from = self.log.len();
        self.before_call(tree, tree.log()[from..].iter().map(change));
    }

    /// After a call: what the executor did.
    pub(crate) fn after(&mut self, tree: &Tree, call: Call, failed: bool) {
        self.no_second_names |= failed && call == Call::HardLink;
        let from = self.log.len();
        self.after_call(tree, tree.log()[from..].iter().map(change));
    }

    /// Whether the answer is true, and everything is where it belongs.
    pub(crate) fn verdict(&mut self, tree: &Tree, answers: &Answers, fault: Option<Fault>) {
        if tree.descriptors() != 1 {
            self.violation("descriptors", format!("{} are open", tree.descriptors()));
        }
        // Where the kernel says what is not so, nothing true can be reported: what was done was judged already.
        if !fault.is_some_and(Fault::is_false) {
            self.judge(tree, &report(answers), fault.is_some());
        }
    }
}

/// The answers as the judge reads them.
fn report(answers: &Answers) -> Report {
    let names = answers.reported();
    let items = answers.outcomes.iter().map(|(index, outcome)| Item {
        index: *index,
        link: outcome.link.as_path().to_path_buf(),
        effect: outcome.effect,
        target: outcome.target.clone(),
        previous: outcome.previous.clone(),
        verified: outcome.verified,
        confined: outcome.confinement != Confinement::None,
    });
    Report {
        items: items.collect(),
        kinds: answers.errors.iter().map(caplink::Error::kind).collect(),
        left: names.left,
        preserved: names.preserved,
        made: names.made,
        backups: names.backups,
    }
}
