//! macOS and the BSDs.
