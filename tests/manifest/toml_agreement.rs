//! What is TOML and what is not is what another reader says, too. Only the parts of dates are not looked at: a manifest has
//! none.

use caplink::manage::{Facts, Manifest};
use proptest::prelude::*;

/// Whether the text is TOML: a manifest of version 0 is told for that alone, where nothing is wrong with it as TOML.
fn is_toml(text: &str) -> Result<(), String> {
    let problems = Manifest::parse(text.as_bytes(), &Facts::default()).unwrap_err();
    let others: Vec<String> =
        problems.iter().map(ToString::to_string).filter(|told| !told.contains("version is not known")).collect();
    if others.is_empty() { Ok(()) } else { Err(others.join("\n")) }
}

fn agrees(body: &str) -> Result<(), String> {
    let text = format!("version = 0\n{body}");
    let (ours, theirs) = (is_toml(&text), text.parse::<toml::Table>());
    match (&ours, &theirs) {
        (Ok(()), Ok(_)) | (Err(_), Err(_)) => Ok(()),
        // TOML forbids it, and the other reader lets it pass where the key has more parts.
        (Err(told), Ok(_)) if body.contains("[[") && told.contains("that a key with dots can add to") => Ok(()),
        _ => {
            Err(format!("{text}\nours: {ours:?}\ntheirs: {:?}", theirs.map(|_| ()).map_err(|error| error.to_string())))
        }
    }
}

/// Tables, dots and inline tables, each in the ways that are allowed and those that are not.
#[test]
fn who_may_add_to_a_table_is_as_toml_has_it() {
    for body in [
        "[a]\n[a.b]\n",
        "[a.b]\n[a]\n",
        "[a]\n[a]\n",
        "[a.b.c]\nz=9\n[a]\nb.c.t=1\n",
        "[a.b.c]\nz=9\n[a]\nb.c=1\n",
        "[a]\nb.c=1\nb.d=2\n",
        "[a]\nb.c=1\n[a.b]\n",
        "[a]\nb.c=1\n[a.b.d]\n",
        "[a]\nb.c.d=1\n[a.b.e]\nx=1\n",
        "a={b=1}\n[a.c]\n",
        "a={b=1}\na.c=2\n",
        "a={b.c=1,b.d=2}\n",
        "a={b={c=1},b.d=2}\n",
        "a={b.c=1}\n[a.b]\n",
        "[[a]]\n[[a]]\n",
        "[[a]]\n[a]\n",
        "[a]\n[[a]]\n",
        "[[a.b]]\n[a]\nx=1\n",
        "[[a.b]]\n[a.b.c]\n[[a.b]]\n[a.b.c]\n",
        "[[a]]\nb.c=1\n[a.b]\n",
        "[[a]]\n[a.b]\n[[a.b]]\n",
        "[[a]]\n[[a.b]]\n[a.b.c]\n",
        "a=[]\n[[a]]\n",
        "a=[{}]\n[[a]]\n",
        "a=[{b=1}]\n[a.c]\n",
        "a.b=1\na.c=2\n[a.d]\n",
        "a.b=1\n[a]\n",
        "a=1\na.b=2\n",
        "a.b=1\na=2\n",
        "a=1\n'a'=2\n",
        "a=1\n\"\\u0061\"=2\n",
        "a=1 b=2\n",
        "a=\n",
        "=1\n",
        "a==1\n",
        "[]\n",
        "[a\n",
        "[[a]\n",
        "[a]]\n",
        "[ a . b ]\n",
        "[a] x\n",
        "a=[1,2,]\n",
        "a=[1,,2]\n",
        "a=[,]\n",
        "a={b=1,}\n",
        "a={\nb=1\n}\n",
        "a={,}\n",
        "a=1.0\na2=1.\n",
        "a=0x_1\n",
        "a=01\n",
        "a=+inf\nb=-nan\n",
        "a=1979-05-27T07:32:00Z\nb=07:32\n",
        "a=\"\\x41\"\n",
        "a=\"\\e\"\n",
        "a=\"\\z\"\n",
        "a=\"\"\"\nx\\\n  y\"\"\"\n",
        "a='''x\n'''\n",
        "'''a'''=1\n",
        "a=\"x\ny\"\n",
        "a=true\nb=True\n",
        "a=tru\n",
        "# \t comment\n",
        "# \u{1}\n",
        "a\u{e4}=1\n",
        "1=1\n-=2\n_=3\n",
        "1.2=3\n",
        "a.'b.c'.\"d\"=1\n",
        "a.=1\n",
        ".a=1\n",
        "[b.b.a]\n[b]\nb.b=0\n",
        "[b.b.a]\n[b]\nb.b=0\n[b.b]\n",
        "[b.b.a]\n[b]\nb.b=0\n[b.b.c]\n",
    ] {
        if let Err(differs) = agrees(body) {
            panic!("{differs}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn texts_of_tables_and_keys_are_read_as_another_reader_does(
        lines in prop::collection::vec(
            prop_oneof![
                "\\[[abc](\\.[abc]){0,2}\\]",
                "\\[\\[[abc](\\.[abc]){0,2}\\]\\]",
                "[abc](\\.[abc]){0,2} ?= ?[0-9]",
                "[abc] = \\{ ?([abc](\\.[abc])? = 1(, [abc] = \\{\\})?)? ?\\}",
                "[abc] = \\[(1|\\{[abc]=1\\})?,?( 2)?\\]",
                "[abc.=\\[\\]{}\"' 1#]{0,6}",
            ],
            0..7,
        )
    ) {
        prop_assert_eq!(agrees(&(lines.join("\n") + "\n")), Ok(()));
    }
}
