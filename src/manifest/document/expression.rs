//! The text as expressions: a header or a pair of key and value, each with the line breaks in it.

use toml_parser::Source;
use toml_parser::lexer::{Lexer, Token, TokenKind};

use super::value::Spot;

/// How deep arrays and inline tables may be nested. A manifest needs five.
pub(super) const DEPTH_MAX: usize = 16;

/// How many tokens a single value may have: an inline table of more than 300,000 pairs. They are held at once, 24 bytes each.
const TOKENS_MAX: usize = 2_000_000;

/// Hands out one expression after the other.
pub(super) struct Expressions<'a> {
    lexer: Lexer<'a>,
    tokens: Vec<Token>,
}

/// Why the rest of the text is not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TooMuch {
    Nested(Spot),
    Long(Spot),
}

impl<'a> Expressions<'a> {
    pub(super) fn new(text: &'a str) -> Expressions<'a> {
        Expressions { lexer: Source::new(text).lex(), tokens: Vec::new() }
    }

    /// The tokens of the next expression with its line break, or none at the end.
    pub(super) fn next(&mut self) -> Result<Option<&[Token]>, TooMuch> {
        self.tokens.clear();
        let mut depth = 0_usize;
        let mut opening = None;
        for token in self.lexer.by_ref() {
            self.tokens.push(token);
            if token.kind() != TokenKind::Whitespace {
                opening.get_or_insert(token.kind());
            }
            match token.kind() {
                // A header ends with its line, whatever it lacks.
                TokenKind::Newline if opening == Some(TokenKind::LeftSquareBracket) => return Ok(Some(&self.tokens)),
                TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => depth += 1,
                TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => depth = depth.saturating_sub(1),
                TokenKind::Newline if depth == 0 => return Ok(Some(&self.tokens)),
                _ => {}
            }
            let at = Spot::from(token.span());
            if depth > DEPTH_MAX {
                return Err(TooMuch::Nested(at));
            }
            if self.tokens.len() > TOKENS_MAX {
                return Err(TooMuch::Long(at));
            }
        }
        Ok((!self.tokens.is_empty()).then_some(&self.tokens))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        let mut expressions = Expressions::new(text);
        let mut texts = Vec::new();
        while let Some(tokens) = expressions.next().unwrap() {
            let (first, last) = (tokens[0].span().start(), tokens[tokens.len() - 1].span().end());
            texts.push(&text[first..last]);
        }
        // The end of the text is a token of its own.
        texts.retain(|text| !text.is_empty());
        texts
    }

    #[test]
    fn an_expression_ends_with_its_line_unless_brackets_are_open() {
        assert_eq!(
            texts("a = 1\n[b]\n\nc = [\n1,\n]\nd = '''\n'''"),
            ["a = 1\n", "[b]\n", "\n", "c = [\n1,\n]\n", "d = '''\n'''"]
        );
        assert_eq!(texts("a = ]\nb = {\n"), ["a = ]\n", "b = {\n"]);
        assert_eq!(texts(" [[a]\nb = 1\n"), [" [[a]\n", "b = 1\n"]);
        assert_eq!(texts("").concat(), "");
    }

    #[test]
    fn deep_nesting_ends_the_reading_where_it_is_too_deep() {
        let text = format!("a = {}", "[".repeat(1_000_000));
        assert_eq!(Expressions::new(&text).next(), Err(TooMuch::Nested(Spot::new(4 + DEPTH_MAX, 5 + DEPTH_MAX))));
    }
}
