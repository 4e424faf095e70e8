//! A root as everything that is made from it shares it, until it is closed.

use std::sync::{Arc, Mutex, PoisonError};

use caplink::ObjectId;
use pyo3::prelude::*;

use crate::changing::Holder;
use crate::failure;
use crate::text::Text;

/// What a `Root` and its paths, records, releases and manifests have in common.
pub(crate) struct Shared {
    /// `None` once it is closed. Locked for an instant, and only by a thread that has the interpreter: no other one is in
    /// it while a process forks.
    holder: Mutex<Option<Arc<Holder>>>,
    pub(crate) id: ObjectId,
    path: Py<PyAny>,
}

impl Shared {
    pub(crate) fn new(py: Python<'_>, holder: Holder) -> PyResult<Arc<Shared>> {
        let root = holder.root();
        let path = root.physical_path().map(Text::from).into_pyobject(py)?.unbind();
        Ok(Arc::new(Shared { id: root.id(), path, holder: Mutex::new(Some(Arc::new(holder))) }))
    }

    /// The root, unless it is closed.
    pub(crate) fn opened(&self, py: Python<'_>) -> PyResult<Arc<Holder>> {
        let holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner).clone();
        holder.ok_or_else(|| failure::usage(py, "the root is closed"))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Closes it. What is under way on other threads is finished.
    pub(crate) fn close(&self, py: Python<'_>) {
        let holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(holder));
    }

    /// The path at which it was opened, as audit hooks are shown it; None where it was opened by descriptor.
    pub(crate) fn path<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.path.bind(py)
    }
}
