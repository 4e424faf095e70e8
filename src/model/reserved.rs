//! Names that Windows does not take for entries: devices, streams of a file, other spellings of a name.

use std::ffi::OsStr;

/// The device names, without the digit that some of them end in (Microsoft: "Naming Files, Paths, and Namespaces").
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
const NUMBERED_DEVICES: [&str; 2] = ["COM", "LPT"];

/// Whether Windows would take the name for a device, a stream or a wildcard, or drop a part of it.
pub(super) fn means_something_else(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    let stripped = matches!(bytes.last(), Some(b'.' | b' '));
    let special = bytes.iter().any(|byte| *byte < 0x20 || b"<>:\"|?*".contains(byte));
    stripped || special || is_device(&name.to_string_lossy())
}

/// A device keeps its meaning before an extension and trailing blanks.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let numbered = || {
        let digit = NUMBERED_DEVICES.iter().find_map(|device| stem.strip_prefix(device));
        digit.is_some_and(|digit| matches!(digit, "¹" | "²" | "³") || matches!(digit.as_bytes(), [b'0'..=b'9']))
    };
    DEVICES.contains(&stem.as_str()) || numbered()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_streams_and_dropped_characters_are_told_from_names() {
        for name in ["NUL", "con", "com1.txt", "LPT¹", "aux .x", "a:b", "a ", "a.", "a*", "\"", "a\tb"] {
            assert!(means_something_else(OsStr::new(name)), "{name:?}");
        }
        for name in ["console", "com", "com10", "nul-1", "a.b", ".hidden", " a", "größe", "lpt"] {
            assert!(!means_something_else(OsStr::new(name)), "{name:?}");
        }
    }
}
