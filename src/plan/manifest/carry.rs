//! A step as the edit that carries it out, and a conflict as the error that it is.

use super::step::{Action, Conflict, ManifestStep};
use crate::error::{Error, printable};
use crate::model::change::NewLink;
use crate::model::{Edit, Target};

impl ManifestStep {
    /// Returns the edit of the link: what is there has to be what the plan was made from, and where the text leads is judged
    /// again. None for a step that changes no link: `keep`, `skip`, `conflict`, `mkdir` and `rmdir`, and one that only gives a
    /// backup its name back.
    ///
    /// The directories of a new link are steps of their own, so the edit makes none.
    pub fn edit(&self) -> Option<Edit> {
        let path = self.link.clone();
        let link = || {
            let link = NewLink::new(Target::verbatim(self.target.as_ref()?));
            Some(link.allow_dangling(self.allow_dangling).allow_outside(self.allow_outside))
        };
        Some(match self.action {
            Action::Create => Edit::create(path, link()?).into(),
            Action::Replace => Edit::swap(path, link()?, self.previous.as_ref()?).into(),
            Action::Backup => Edit::ensure(path, link()?).replace(false).backup(true).into(),
            Action::Remove => Edit::remove(path).expect(self.previous.as_ref()?).into(),
            Action::Keep | Action::Skip | Action::Conflict | Action::Mkdir | Action::Rmdir => return None,
        })
    }

    /// Returns the error that a conflict is.
    pub fn error(&self) -> Option<Error> {
        let conflict = self.conflict.as_ref().filter(|_| self.action == Action::Conflict)?;
        let Conflict { kind, found, component, via, owner, alias, .. } = &**conflict;
        let mut error = Error::new(*kind).on("apply", &self.link);
        if let Some(owner) = owner {
            error = error.because(format!("the manifest `{}` has a link here", printable(owner)));
        }
        if let Some(alias) = alias {
            let reason = format!("this directory takes it for the same name as `{alias}`, which is declared as well");
            error = error.because(reason);
        }
        if let Some(found) = found {
            error = error.found_instead(found.clone());
        }
        if let Some(component) = component {
            error = error.at(&component.name, component.index);
        }
        Some(match via {
            Some(via) => error.via(via),
            None => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;
    use crate::error::{Found, Kind};
    use crate::model::{Change, LinkPath};

    fn step(action: Action) -> ManifestStep {
        let step = ManifestStep::new(action, LinkPath::new("d/l").unwrap(), None);
        let text = |text: &str| Some(OsStr::new(text).into());
        ManifestStep { target: text("new"), previous: text("old"), ..step }
    }

    #[test]
    fn a_step_is_an_edit_that_expects_what_was_planned() {
        let change = |action| step(action).edit().map(|edit| edit.change().clone());
        let Some(Change::Create(create)) = change(Action::Create) else { panic!("no create") };
        assert!(!create.parents && create.link.target == Target::verbatim("new"));
        let Some(Change::Swap(swap)) = change(Action::Replace) else { panic!("no swap") };
        assert_eq!((swap.expected.as_os_str(), swap.link.target), ("old".as_ref(), Target::verbatim("new")));
        let Some(Change::Ensure(ensure)) = change(Action::Backup) else { panic!("no ensure") };
        assert!(ensure.backup && !ensure.replace, "a link that came meanwhile is not replaced");
        let Some(Change::Remove(remove)) = change(Action::Remove) else { panic!("no remove") };
        assert_eq!((remove.expected.as_deref(), remove.missing_ok), (Some("old".as_ref()), false));
        for action in [Action::Keep, Action::Skip, Action::Conflict, Action::Mkdir, Action::Rmdir] {
            assert_eq!(change(action), None, "{action:?}");
        }
        let lenient = ManifestStep { allow_dangling: true, allow_outside: true, ..step(Action::Create) };
        let Some(Change::Create(create)) = lenient.edit().map(|edit| edit.change().clone()) else {
            panic!("no create")
        };
        assert!(create.link.allow_dangling && create.link.allow_outside);
    }

    #[test]
    fn a_conflict_is_an_error_of_its_kind_about_the_link() {
        let error = |conflict: Conflict| {
            let step = ManifestStep { conflict: Some(Box::new(conflict)), ..step(Action::Conflict) };
            step.error().unwrap()
        };
        let found = Conflict { found: Some(Found::Link("x".into())), ..Conflict::new(Kind::Mismatch, None) };
        let told = error(found);
        assert_eq!(
            (told.kind(), told.to_string().as_str()),
            (Kind::Mismatch, "cannot apply `d/l`: found a link to `x`")
        );
        let owned = Conflict { owner: Some("other".into()), ..Conflict::new(Kind::Exists, None) };
        assert_eq!(error(owned).to_string(), "cannot apply `d/l`: the manifest `other` has a link here");
        let alias = Conflict { alias: LinkPath::new("d/L").ok(), ..Conflict::new(Kind::Exists, None) };
        assert!(error(alias).to_string().contains("`d/L`"));
        assert!(step(Action::Skip).error().is_none());
    }
}
