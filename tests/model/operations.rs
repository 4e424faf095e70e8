//! Operations, what may be said of them, and how they are drawn.

use super::dice::Dice;
use super::world::{Node, World, names, text, written};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Relative,
    Absolute,
    Verbatim,
}

/// What a host can do and a policy lets a holder do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder {
    pub(crate) confined_open: bool,
    pub(crate) exchange: bool,
    pub(crate) no_replace: bool,
    pub(crate) follow: bool,
    pub(crate) create: bool,
    pub(crate) replace: bool,
    pub(crate) remove: bool,
    pub(crate) dangling: bool,
    pub(crate) outside: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct To {
    pub(crate) style: Style,
    pub(crate) text: String,
    pub(crate) dangling: bool,
    pub(crate) outside: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Create { path: String, to: To, parents: bool },
    Ensure { path: String, to: To, parents: bool, backup: bool },
    Swap { path: String, to: To, old: String, parents: bool },
    Remove { path: String, expect: Option<String>, missing_ok: bool },
    Exchange { a: String, b: String, dangling: bool, outside: bool },
    Inspect { path: String },
    Resolve { path: String },
}

/// What became of one link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) change: &'static str,
    pub(crate) target: Option<String>,
    pub(crate) previous: Option<String>,
    pub(crate) backup: Option<String>,
    pub(crate) made: Vec<String>,
    pub(crate) atomic: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Done(Vec<Done>),
    /// Kind, and for a path the index of the component.
    Failed(&'static str, Option<usize>),
    /// Kind, status and where it leads.
    Seen(Option<&'static str>, Option<&'static str>, Option<String>),
    Resolved(String),
}

impl Op {
    pub(crate) fn drawn(dice: &mut Dice<'_>, world: &World) -> Op {
        let root = std::path::Path::new(&world.root);
        let path = written(dice, world);
        let to = |dice: &mut Dice<'_>| {
            let style = dice.pick(&[Style::Relative, Style::Relative, Style::Absolute, Style::Verbatim]);
            let text = if style == Style::Verbatim { text(dice, root) } else { written(dice, world) };
            let text = if dice.one_in(40) { dice.pick(&["", ".", "a\0b"]).to_owned() } else { text };
            To { style, text, dangling: dice.one_in(2), outside: dice.one_in(3) }
        };
        // Half of the time the text that is there.
        let old = |dice: &mut Dice<'_>| match world.get(&names(&path)) {
            Some(Node::Link(text)) if dice.one_in(2) => text.clone(),
            _ => text(dice, root),
        };
        match dice.roll(11) {
            0 | 1 => Op::Create { to: to(dice), parents: dice.one_in(3), path },
            2 | 3 => Op::Ensure { to: to(dice), parents: dice.one_in(3), backup: dice.one_in(3), path },
            4 => Op::Swap { to: to(dice), old: old(dice), parents: dice.one_in(4), path },
            5 => Op::Remove { expect: dice.one_in(2).then(|| old(dice)), missing_ok: dice.one_in(3), path },
            6 | 9 | 10 => {
                Op::Exchange { b: written(dice, world), dangling: !dice.one_in(4), outside: !dice.one_in(4), a: path }
            }
            7 => Op::Inspect { path },
            _ => Op::Resolve { path },
        }
    }
}
