//! The steps of a plan as items: a list that a person can approve, grouped by directory, with what is unchanged counted.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use caplink::manage::{Action, Compared, EntryState, EntryStatus, ManifestStep, Manifests, Note};
use caplink::wire::Text;
use caplink::{Effect, Outcome, Result, printable};
use serde::Serialize;

use super::errors::hint;
use super::fold::{Fold, Line, below};
use crate::cli::context::Context;
use crate::cli::report::Report;
use crate::cli::text::{BAD, DIM, GOOD, NAME, Painted};

/// What is in the way of each entry beside its target, where more detail is asked for. To be asked before anything is done.
pub(crate) fn compare(manifests: &Manifests, steps: &[ManifestStep], context: &Context) -> Vec<Option<Compared>> {
    let detailed = context.global.verbose > 0;
    steps.iter().filter(|_| detailed).map(|step| manifests.compare(step)).collect()
}

/// Adds each step, with what became of it where that is known.
pub(crate) fn show(
    report: &mut Report,
    steps: &[ManifestStep],
    compared: &[Option<Compared>],
    results: Option<&[Result<Outcome>]>,
    context: &Context,
) {
    let detailed = context.global.verbose > 0;
    let listed: Vec<&ManifestStep> = steps.iter().filter(|step| detailed || step.action != Action::Keep).collect();
    let mut fold = Fold::of(&listed, detailed);
    let (mut last, mut counts) = (None, HashMap::new());
    for (number, step) in steps.iter().enumerate() {
        *counts.entry(step.action).or_insert(0_usize) += 1;
        let is_quiet = step.action == Action::Keep && !detailed;
        let line = if is_quiet { Line::Nothing } else { fold.line(step) };
        if line == Line::Nothing && !context.global.json {
            continue;
        }
        let heading = fold.heading(step);
        let is_new = last.replace(heading) != Some(heading);
        let outcome = results.and_then(|results| results[number].as_ref().ok());
        let is_tried = results.is_some();
        let dry = is_tried && context.global.dry_run;
        let compared = compared.get(number).and_then(Option::as_ref);
        let item = StepItem { step, compared, outcome, is_tried, dry, heading, is_new, line };
        report.step(&item, context.global.json);
    }
    let count = |actions: &[Action]| actions.iter().filter_map(|action| counts.get(action)).sum::<usize>();
    let kept = count(&[Action::Keep]);
    let changes = steps.len() - count(&[Action::Keep, Action::Skip, Action::Conflict]);
    let skipped = count(&[Action::Skip]);
    let conflicts = match count(&[Action::Conflict]) {
        0 => String::new(),
        conflicts => format!(", {conflicts} in conflict"),
    };
    report.note(0, format!("{changes} to change, {kept} unchanged, {skipped} left alone{conflicts}"));
}

/// A step as it stands in a document and as people see it.
struct StepItem<'a> {
    step: &'a ManifestStep,
    compared: Option<&'a Compared>,
    outcome: Option<&'a Outcome>,
    is_tried: bool,
    dry: bool,
    /// The directory under which it is listed, and whether that has to be named first.
    heading: &'a Path,
    is_new: bool,
    line: Line,
}

#[derive(Serialize)]
struct StepKeys<'a> {
    action: &'static str,
    link: Text,
    target: Option<Text>,
    previous: Option<Text>,
    name: Option<String>,
    comment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restore: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    equal: Option<Option<bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<Option<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_size: Option<Option<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guarantee: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    durability: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confinement: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<Text>,
}

impl Serialize for StepItem<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let step = self.step;
        let is_dir = matches!(step.action, Action::Mkdir | Action::Rmdir);
        let named = || step.link.to_string();
        let change = self.outcome.filter(|outcome| outcome.effect.is_change());
        let skipped = self.is_tried.then_some(Effect::Skipped.as_str());
        StepKeys {
            action: step.action.as_str(),
            link: Text::new(step.link.as_path()),
            target: step.target.as_ref().map(Text::new),
            previous: step.previous.as_ref().map(Text::new),
            name: step.label.name().map(str::to_owned).or_else(|| (!is_dir).then(named)),
            comment: step.label.comment(),
            note: (step.note != Note::Plain).then(|| step.note.as_str()),
            kind: step.conflict.as_ref().map(|conflict| conflict.kind.as_str()),
            restore: step.restore.as_ref().map(Text::new),
            equal: self.compared.map(|compared| compared.equal),
            size: self.compared.map(|compared| compared.size),
            target_size: self.compared.map(|compared| compared.target_size),
            outcome: self.outcome.map(|outcome| outcome.effect.as_str()).or(skipped),
            guarantee: change.map(|outcome| outcome.guarantee.as_str()),
            durability: change.map(|outcome| outcome.durability.as_str()),
            confinement: change.map(|outcome| outcome.confinement.to_string()),
            backup: change.and_then(|outcome| outcome.backup.as_ref()).map(Text::new),
        }
        .serialize(serializer)
    }
}

impl fmt::Display for StepItem<'_> {
    /// `  + vimrc -> ../vim/vimrc`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = self.step;
        if self.is_new {
            let dir = self.heading;
            let shown = if dir.as_os_str().is_empty() { ".".to_owned() } else { printable(dir).to_string() };
            writeln!(f, "{}", Painted(DIM, format_args!("{shown}/")))?;
        }
        let (sign, colour) = match step.action {
            Action::Create | Action::Mkdir => ('+', GOOD),
            Action::Replace | Action::Backup => ('~', NAME),
            Action::Remove | Action::Rmdir => ('-', BAD),
            Action::Conflict => ('!', BAD),
            Action::Keep | Action::Skip => ('=', DIM),
        };
        if let Line::More(more) = self.line {
            let told = format_args!("and {more} more; `-v` lists them");
            return writeln!(f, "  {} {}", Painted(colour, sign), Painted(DIM, told));
        }
        let name = printable(&below(step, self.heading)).to_string();
        let slash = if matches!(step.action, Action::Mkdir | Action::Rmdir) { "/" } else { "" };
        write!(f, "  {} {}", Painted(colour, sign), Painted(colour, format_args!("{name}{slash}")))?;
        if let Some(target) = &step.target {
            write!(f, " -> {}", printable(target))?;
        }
        let before = step.previous.as_ref().map(|text| printable(text).to_string());
        match (step.action, &before) {
            (Action::Replace | Action::Skip, Some(before)) => write!(f, " (was {before})")?,
            (Action::Remove, Some(before)) => write!(f, " (to {before})")?,
            (Action::Backup, _) => write!(f, " (what is there is renamed beside)")?,
            _ => {}
        }
        if let Some(from) = &step.restore {
            write!(f, " (gets `{}` back)", printable(from))?;
        }
        if let Some(conflict) = step.conflict.as_ref().filter(|_| step.action == Action::Conflict) {
            let found = conflict.found.as_ref().map(|found| format!(": {found}")).unwrap_or_default();
            write!(f, " ({}{found})", conflict.kind)?;
            if let Some(remedy) = conflict.remedy {
                write!(f, "; {}", hint(remedy))?;
            }
        }
        if let Some(Compared { equal, size, target_size, .. }) = self.compared {
            let bytes = |size: &Option<u64>| size.map_or_else(|| "unknown".to_owned(), |size| format!("{size} bytes"));
            let words = match equal {
                Some(true) => "equal to the target",
                Some(false) => "differs from the target",
                None => "not compared with the target",
            };
            let both = (size.is_some() || target_size.is_some()) && size != target_size;
            let sizes = if both { format!(": {}, {}", bytes(size), bytes(target_size)) } else { String::new() };
            write!(f, " {}", Painted(DIM, format_args!("({words}{sizes})")))?;
        }
        match self.outcome {
            Some(outcome) if outcome.effect.is_change() => {
                let would = if self.dry { "would be " } else { "" };
                write!(f, " {}", Painted(DIM, format_args!("({would}{}, {})", outcome.effect, outcome.guarantee)))?;
            }
            Some(outcome) => write!(f, " {}", Painted(DIM, format_args!("({})", outcome.effect)))?,
            None => {}
        }
        if let Some(comment) = step.label.comment().filter(|_| step.action.is_change()) {
            write!(f, "  {}", Painted(DIM, format_args!("# {}", printable(comment))))?;
        }
        writeln!(f)
    }
}

/// The state of an entry.
#[derive(Serialize)]
pub(crate) struct StateItem {
    link: Text,
    status: &'static str,
    target: Option<Text>,
    found: Option<Text>,
    name: String,
    comment: Option<String>,
    #[serde(skip)]
    is_fine: bool,
}

impl StateItem {
    pub(crate) fn of(state: &EntryState) -> StateItem {
        let link = Text::new(state.link.as_path());
        StateItem {
            status: state.status.as_str(),
            target: state.target.as_ref().map(Text::new),
            found: state.found.as_ref().map(Text::new),
            name: state.label.name().map_or_else(|| link.to_string(), str::to_owned),
            comment: state.label.comment().map(str::to_owned),
            is_fine: is_fine(state.status),
            link,
        }
    }
}

/// Whether there is nothing to do about it.
pub(crate) fn is_fine(status: EntryStatus) -> bool {
    matches!(status, EntryStatus::Ok | EntryStatus::Skipped)
}

impl fmt::Display for StateItem {
    /// `missing: .vimrc -> vim/vimrc`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colour = if self.is_fine { DIM } else { BAD };
        write!(f, "{}: {}", Painted(colour, self.status), Painted(NAME, &self.link))?;
        if let Some(target) = &self.target {
            write!(f, " -> {target}")?;
        }
        if let Some(found) = self.found.as_ref().filter(|found| Some(*found) != self.target.as_ref()) {
            write!(f, " (now {found})")?;
        }
        writeln!(f)
    }
}
