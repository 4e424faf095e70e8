//! The operations on one link, each as one edit.

use caplink::Edit;
use pyo3::intern;
use pyo3::prelude::*;

use super::{Root, checked, target};
use crate::arguments;
use crate::changing::Call;
use crate::given::Given;
use crate::outcome::Outcome;
use crate::text::Text;

#[pymethods]
impl Root {
    /// Makes a link where nothing is.
    ///
    /// `style` says how `to` is read: `relative` and `absolute` are paths below the root, `verbatim` is stored byte for byte.
    /// The target has to exist, unless `allow_dangling`, and the text to stay inside, unless `allow_outside`.
    #[pyo3(signature = (link, *, to, style=None, allow_dangling=false, allow_outside=false, parents=false, target_is_directory=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn create<'py>(
        &self,
        py: Python<'py>,
        link: Given<'py>,
        to: Given<'py>,
        style: Option<&str>,
        allow_dangling: bool,
        allow_outside: bool,
        parents: bool,
        target_is_directory: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Outcome> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        let target = target(arguments::style(py, style)?, &to.text, target_is_directory);
        let holder = self.to_change(py, &call, intern!(py, "caplink.create"), &link, Some(&to))?;
        let edit = || {
            let edit = Edit::create(checked("create", &link.text)?, target).parents(parents);
            Ok(edit.allow_dangling(allow_dangling).allow_outside(allow_outside).into())
        };
        holder.edit(py, &call, edit).map(Outcome)
    }

    /// Makes the name a link to the target, whether nothing or any link was there.
    ///
    /// While a link is replaced the name is never absent. A link that has the text already is left alone. `no_replace` refuses
    /// another link; `backup` renames a file or directory in the way, and keeps it.
    #[pyo3(signature = (link, *, to, style=None, allow_dangling=false, allow_outside=false, parents=false, no_replace=false, backup=false, target_is_directory=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn ensure<'py>(
        &self,
        py: Python<'py>,
        link: Given<'py>,
        to: Given<'py>,
        style: Option<&str>,
        allow_dangling: bool,
        allow_outside: bool,
        parents: bool,
        no_replace: bool,
        backup: bool,
        target_is_directory: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Outcome> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        let target = target(arguments::style(py, style)?, &to.text, target_is_directory);
        let holder = self.to_change(py, &call, intern!(py, "caplink.ensure"), &link, Some(&to))?;
        let edit = || {
            let edit = Edit::ensure(checked("ensure", &link.text)?, target).parents(parents);
            let edit = edit.replace(!no_replace).backup(backup);
            Ok(edit.allow_dangling(allow_dangling).allow_outside(allow_outside).into())
        };
        holder.edit(py, &call, edit).map(Outcome)
    }

    /// Replaces the link if its text is exactly `expect`: compare-and-swap.
    ///
    /// Of several that swap the same link from the same text, one succeeds; the others get a :class:`caplink.MismatchError` with
    /// what was ``found``.
    #[pyo3(signature = (link, *, to, expect, style=None, allow_dangling=false, allow_outside=false, target_is_directory=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn swap<'py>(
        &self,
        py: Python<'py>,
        link: Given<'py>,
        to: Given<'py>,
        expect: Text,
        style: Option<&str>,
        allow_dangling: bool,
        allow_outside: bool,
        target_is_directory: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Outcome> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        let target = target(arguments::style(py, style)?, &to.text, target_is_directory);
        let holder = self.to_change(py, &call, intern!(py, "caplink.swap"), &link, Some(&to))?;
        let edit = || {
            let edit = Edit::swap(checked("swap", &link.text)?, target, expect.0);
            Ok(edit.allow_dangling(allow_dangling).allow_outside(allow_outside).into())
        };
        holder.edit(py, &call, edit).map(Outcome)
    }

    /// Exchanges two links in one step. The outcome is that of `a`, with the one of `b` as its `counterpart`.
    #[pyo3(signature = (a, b, *, allow_dangling=false, allow_outside=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn exchange<'py>(
        &self,
        py: Python<'py>,
        a: Given<'py>,
        b: Given<'py>,
        allow_dangling: bool,
        allow_outside: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Outcome> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        let holder = self.to_change(py, &call, intern!(py, "caplink.exchange"), &a, Some(&b))?;
        let edit = || {
            let edit = Edit::exchange(checked("exchange", &a.text)?, checked("exchange", &b.text)?);
            Ok(edit.allow_dangling(allow_dangling).allow_outside(allow_outside).into())
        };
        holder.edit(py, &call, edit).map(Outcome)
    }

    /// Removes a link, and only a link; if its text is exactly `expect`, where that is given.
    #[pyo3(signature = (link, *, expect=None, missing_ok=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn remove<'py>(
        &self,
        py: Python<'py>,
        link: Given<'py>,
        expect: Option<Text>,
        missing_ok: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Outcome> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        let holder = self.to_change(py, &call, intern!(py, "caplink.remove"), &link, None)?;
        let edit = || {
            let edit = Edit::remove(checked("remove", &link.text)?).missing_ok(missing_ok);
            Ok(match expect {
                Some(text) => edit.expect(text.0).into(),
                None => edit.into(),
            })
        };
        holder.edit(py, &call, edit).map(Outcome)
    }
}
