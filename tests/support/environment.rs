//! What a run is asked for by environment variables. A value that no test knows is refused, not ignored.

/// The value of a variable if it is one of these words; `None` if it is not set.
///
/// # Panics
///
/// On any other value.
pub(crate) fn word(name: &str, words: &[&'static str]) -> Option<&'static str> {
    let value = value(name)?;
    let known = words.iter().find(|word| **word == value).copied();
    Some(known.unwrap_or_else(|| panic!("{name}={value}: expected {}", words.join(" or "))))
}

/// The value of a variable; `None` if it is not set.
pub(crate) fn value(name: &str) -> Option<String> {
    match std::env::var(name) {
        Ok(value) => Some(value),
        Err(std::env::VarError::NotPresent) => None,
        Err(error) => panic!("{name}: {error}"),
    }
}
