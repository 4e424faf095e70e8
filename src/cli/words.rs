//! What the words of an answer mean, for help and manual.

use caplink::{Status, Trait};

/// What a status says of a link.
pub(crate) fn status(status: Status) -> &'static str {
    match status {
        Status::Ok => "leads to something below the root",
        Status::Dangling => "a component below the root is missing",
        Status::Loop => "leads in a circle, or over more than 40 links",
        Status::Escape => "leads outside the root, whether or not something is there",
        Status::Denied => "cannot be known with the caller's permissions",
        Status::Corrupt => "has an empty text",
    }
}

/// What a trait says of a link.
pub(crate) fn of_trait(of: Trait) -> &'static str {
    match of {
        Trait::Absolute => "the text begins with `/`",
        Trait::Messy => "the text has `//`, `/./`, a trailing `/` or `x/..`",
        Trait::Lengthy => "the text has more `..` than it needs",
        Trait::Chain => "leads over more than one link",
        Trait::OtherFs => "leads to another file system",
        Trait::OutsideMissing => "an `escape` to nothing",
        _ => "",
    }
}

/// Every status, then every trait, each with what it says.
pub(crate) fn explained() -> String {
    let line = |word: &str, what: &str| format!("  {word:16}{what}\n");
    let statuses: String = Status::ALL.iter().map(|word| line(word.as_str(), status(*word))).collect();
    let traits: String = Trait::ALL.iter().map(|word| line(word.as_str(), of_trait(*word))).collect();
    format!("Status, exactly one:\n{statuses}\nTraits, any number:\n{traits}\n")
}
