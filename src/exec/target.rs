//! The text that a link will store, and whether it leads where it may.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{Component, Path};

use crate::error::{Error, FileKind, Kind, Result};
use crate::model::change::NewLink;
use crate::model::{self, Edit, ObjectId, TargetPath, relative_text};
use crate::resolve::{
    End, Judged, Near, Overlay, Planned, Stop, Targets, WalkOptions, judge as judge_text, judge_near, walk,
};
use crate::root::Root;

/// `PATH_MAX` of Linux with the final NUL: no file system there stores more. What stores less says so by its error.
const TEXT_LIMIT: usize = 4096;

/// A target that was judged.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) directory: bool,
}

/// The text to store in a link of the physical directory `from`.
pub(super) fn text<'a>(root: &Root, link: &'a NewLink, from: &Path) -> Result<Cow<'a, OsStr>> {
    let text: Cow<'a, OsStr> = match link.target.spell(root.text_root())? {
        TargetPath::Verbatim(text) => text.into(),
        TargetPath::Relative(path) => relative_text(from, &path).into(),
        TargetPath::Absolute(path) => match root.text_root() {
            // Joined with nothing it would end in a slash.
            Some(root) if path.as_os_str().is_empty() => root.as_os_str().to_os_string().into(),
            Some(root) => root.join(path).into_os_string().into(),
            None => {
                let reason = "the root was not opened by path, so its absolute path is not known";
                return Err(Error::new(Kind::Unsupported).because(reason));
            }
        },
    };
    if text.len() >= TEXT_LIMIT {
        let reason = format!("the text has {} bytes, no link stores more than {}", text.len(), TEXT_LIMIT - 1);
        return Err(Error::new(Kind::TooLong).because(reason));
    }
    Ok(text)
}

/// What is known before a text is judged, in a preview.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// What the edits leave that are planned to come before.
    pub(super) planned: Option<&'a Planned>,
    /// The directory that texts lead into.
    pub(super) targets: Option<&'a Targets>,
}

/// Judges the text as it would lead from the link at `link`, in the physical directory `from`, after the edits that are
/// planned to come before.
pub(super) fn judge(
    root: &Root,
    edit: &Edit,
    (from, link): (&Path, &Path),
    text: &OsStr,
    Known { planned, targets }: Known<'_>,
) -> Result<Target> {
    let new = edit.change.link().expect("BUG: a text is judged for a link that is to be made");
    let target = &new.target;
    let policy = root.policy();
    if new.unjudged && policy.dangling && policy.outside {
        return Ok(Target { directory: target.directory_hint().unwrap_or(false) });
    }
    let links = [(link, text)];
    let overlay = Overlay::new(&links).after(planned);
    let rules =
        Rules { dangling: new.allow_dangling, outside: new.allow_outside, directory: target.asks_for_directory() };
    let in_target = |error| in_the_target(root, error, target, text);
    let near = targets.map_or(Near::Nothing, Near::Targets);
    let reached = leads_near(root, (from, near), text, overlay, rules).map_err(in_target)?;
    if rules.directory && reached.as_ref().is_some_and(|reached| !reached.directory) {
        return Err(Error::new(Kind::InvalidTarget).because("the target ends in `/`, and it is no directory"));
    }
    if let Some(id) = reached.as_ref().and_then(|reached| reached.id)
        && let TargetPath::Relative(path) | TargetPath::Absolute(path) = target.spell(root.text_root())?
    {
        is_the_same(root, &path, id, overlay)?;
    }
    if let Some(present) = edit.change.keeps_object_of() {
        keeps_object(root, from, present, text, Overlay::default().after(planned))?;
    }
    let seen = reached.is_some_and(|reached| reached.directory);
    Ok(Target { directory: target.directory_hint().unwrap_or(seen) })
}

/// An error with the component's place in the target as it was given, of which the text has the end.
fn in_the_target(root: &Root, error: Error, target: &model::Target, text: &OsStr) -> Error {
    let (Ok(TargetPath::Relative(_) | TargetPath::Absolute(_)), Some(component)) =
        (target.spell(root.text_root()), error.component())
    else {
        return error;
    };
    let count = |path| Path::new(path).components().filter(|part| *part != Component::CurDir).count();
    let behind = count(text).saturating_sub(component.index);
    match count(target.as_os_str()).checked_sub(behind) {
        Some(index) => {
            let name = component.name.clone();
            error.at(name, index)
        }
        None => error,
    }
}

/// What an edit lets a text do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) dangling: bool,
    pub(super) outside: bool,
    /// Whether it is told of what the text leads to that it is a directory; else that may be left open.
    pub(super) directory: bool,
}

/// The object that a text leads to.
#[derive(Debug)]
pub(super) struct Leads {
    /// None where the text leads there without a link: then the path itself is the proof.
    id: Option<ObjectId>,
    directory: bool,
}

/// The object a text leads to; none where it may be missing or outside.
pub(super) fn leads_where_it_may(
    root: &Root,
    from: &Path,
    text: &OsStr,
    overlay: Overlay<'_>,
    rules: Rules,
) -> Result<Option<Leads>> {
    leads_near(root, (from, Near::Nothing), text, overlay, rules)
}

/// The same, by what is open already.
fn leads_near(
    root: &Root,
    (from, near): (&Path, Near<'_>),
    text: &OsStr,
    overlay: Overlay<'_>,
    rules: Rules,
) -> Result<Option<Leads>> {
    let policy = root.policy();
    let cross = policy.cross_mounts;
    let stop = match judge_near(root, from, text, cross, overlay, near) {
        Judged::Direct { object, .. } => {
            let is_looked_at = rules.directory || cfg!(windows);
            let directory = is_looked_at && object.stat(root.calls()).is_ok_and(|stat| stat.kind == FileKind::Dir);
            return Ok(Some(Leads { id: None, directory }));
        }
        Judged::Through { reached, .. } => {
            let directory = reached.stat.kind == FileKind::Dir;
            return Ok(Some(Leads { id: Some(reached.stat.id), directory }));
        }
        Judged::Missing if rules.dangling && policy.dangling => return Ok(None),
        Judged::Missing => {
            match walk(root, from, text, WalkOptions { cross, links: 1, overlay, remember: false }).end {
                End::Stopped(stop) => stop,
                End::Reached(_) => {
                    return Err(Error::new(Kind::Contended).because("the target came and went meanwhile"));
                }
            }
        }
        Judged::Stopped { stop, .. } => stop,
    };
    let allowed = |stop: &Stop| match stop.kind {
        Kind::NotFound => rules.dangling && policy.dangling,
        Kind::Escape => rules.outside && policy.outside,
        _ => false,
    };
    if allowed(&stop) {
        return Ok(None);
    }
    // Where it leads comes before the mount that it is on.
    let beyond = beyond_mounts(root, from, text, &stop, overlay);
    Err(refused(beyond.filter(|beyond| !allowed(beyond)).unwrap_or(stop)))
}

/// Where a walk that stopped at a mount point would lead nowhere.
fn beyond_mounts(root: &Root, from: &Path, text: &OsStr, stop: &Stop, overlay: Overlay<'_>) -> Option<Stop> {
    if stop.kind != Kind::CrossMount {
        return None;
    }
    match walk(root, from, text, WalkOptions { cross: true, links: 1, overlay, remember: false }).end {
        End::Stopped(beyond) if matches!(beyond.kind, Kind::NotFound | Kind::Escape | Kind::Loop) => Some(beyond),
        _ => None,
    }
}

fn refused(stop: Stop) -> Error {
    let (kind, reason) = match stop.kind {
        Kind::NotFound => (Kind::Dangling, "the target does not exist"),
        Kind::Escape => (Kind::Escape, "the target leads out of the root"),
        Kind::Loop => (Kind::Loop, "the target leads back to the link, or over more than 40 hops"),
        Kind::CrossMount => (Kind::CrossMount, "the target is on another mount"),
        Kind::Permission => (Kind::Permission, "permission denied on the way to the target"),
        _ => return stop.into_error(),
    };
    stop.into_error().with_kind(kind).because(reason)
}

/// The text must lead to the very object that the path below the root names.
fn is_the_same(root: &Root, path: &Path, id: ObjectId, overlay: Overlay<'_>) -> Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let named = match judge_text(root, Path::new(""), path.as_os_str(), root.policy().cross_mounts, overlay) {
        Judged::Direct { object, .. } => object.stat(root.calls()).map_err(Error::from_io)?.id,
        Judged::Through { reached, .. } => reached.stat.id,
        Judged::Missing => return Err(Error::new(Kind::Contended).because("the target was changed meanwhile")),
        Judged::Stopped { stop, .. } => return Err(refused(stop)),
    };
    if named == id { Ok(()) } else { Err(Error::new(Kind::Contended).because("the target was changed meanwhile")) }
}

/// Whether a text leads to nothing below the root, as the tree is after what is planned. It may cross mount points, as
/// in a scan. What cannot be looked at is an error of its own kind.
pub(super) fn dangles(root: &Root, from: &Path, text: &OsStr, planned: Option<&Planned>) -> Result<bool> {
    let overlay = Overlay::default().after(planned);
    match judge_text(root, from, text, root.policy().cross_mounts, overlay) {
        Judged::Missing => Ok(true),
        Judged::Stopped { stop, .. } => {
            let end = beyond_mounts(root, from, text, &stop, overlay).unwrap_or(stop);
            match end.kind {
                Kind::NotFound => Ok(true),
                Kind::CrossMount => Ok(false),
                _ if leads_nowhere(&end) => Ok(false),
                _ => Err(refused(end)),
            }
        }
        Judged::Direct { .. } | Judged::Through { .. } => Ok(false),
    }
}

/// The new text must lead to the object that the present one leads to, or to none as that does.
fn keeps_object(root: &Root, from: &Path, present: &OsStr, new: &OsStr, overlay: Overlay<'_>) -> Result<()> {
    if object(root, from, present, overlay)? == object(root, from, new, overlay)? {
        return Ok(());
    }
    Err(Error::new(Kind::Mismatch).because("the new text would lead to something else"))
}

/// Whether two texts of a link in the physical directory `from` lead to one object, as the tree is after what is planned.
pub(crate) fn leads_alike(root: &Root, from: &Path, a: &OsStr, b: &OsStr, planned: Option<&Planned>) -> bool {
    let overlay = Overlay::default().after(planned);
    let object = |text| object(root, from, text, overlay).ok().flatten();
    object(a).is_some_and(|a| object(b) == Some(a))
}

/// The object that a text leads to, if there is one below the root. What cannot be looked at is an error of its own kind.
fn object(root: &Root, from: &Path, text: &OsStr, overlay: Overlay<'_>) -> Result<Option<ObjectId>> {
    match judge_text(root, from, text, root.policy().cross_mounts, overlay) {
        Judged::Direct { object, .. } => Ok(Some(object.stat(root.calls()).map_err(Error::from_io)?.id)),
        Judged::Through { reached, .. } => Ok(Some(reached.stat.id)),
        Judged::Missing => Ok(None),
        Judged::Stopped { stop, .. } if leads_nowhere(&stop) => Ok(None),
        Judged::Stopped { stop, .. } => Err(refused(stop)),
    }
}

/// Whether a walk stopped because there is nothing below the root to be reached.
fn leads_nowhere(stop: &Stop) -> bool {
    matches!(stop.kind, Kind::NotFound | Kind::Escape | Kind::Loop | Kind::MagicLink)
}
