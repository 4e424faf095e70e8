//! The manifests of `examples/manifests` are read, and expanded on trees that they are made for.
