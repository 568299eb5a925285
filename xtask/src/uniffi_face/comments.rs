//! The comments in the sources that UniFFI writes, in the words of their language.

use anyhow::{Result, ensure};

use crate::{facade::Facade, speech::Speech};

/// The source with each `/** … */` in the language's words. Fails when the comments are no longer where UniFFI put them.
pub(super) fn spoken(source: &str, facade: &Facade, speech: &Speech<'_>) -> Result<String> {
    let mut out = String::with_capacity(source.len());
    // The comment that is being read, and how deep it stands.
    let mut comment: Option<(&str, String)> = None;
    let mut sections = 0;
    for line in source.lines() {
        let code = line.trim_start();
        let indent = &line[..line.len() - code.len()];
        match &mut comment {
            None => {
                out += line;
                out.push('\n');
                comment = (code == "/**").then(|| (indent, String::new()));
            }
            Some((indent, doc)) if code.contains("*/") => {
                sections += doc.matches("# Errors").count();
                for said in speech.text(doc).trim_end().lines() {
                    out += format!("{indent} * {said}").trim_end();
                    out.push('\n');
                }
                out += line;
                out.push('\n');
                comment = None;
            }
            Some((_, doc)) => {
                let text = code.strip_prefix('*').unwrap_or(code);
                doc.push_str(text.strip_prefix(' ').unwrap_or(text));
                doc.push('\n');
            }
        }
    }
    let wanted = sections_of(facade);
    ensure!(comment.is_none(), "a comment of UniFFI's has no end");
    ensure!(
        sections == wanted && !out.contains("# Errors"),
        "{sections} sections `# Errors` of {wanted} were found: UniFFI's template for comments has changed"
    );
    Ok(out)
}

/// A method has its comment twice, in the interface or protocol and in the class; a constructor once.
fn sections_of(facade: &Facade) -> usize {
    let methods = facade.methods.iter();
    methods
        .filter(|method| method.doc.contains("# Errors"))
        .map(|method| if method.is_constructor { 1 } else { 2 })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        facade::{Enum, Method, Variant},
        speech::Language,
    };

    fn facade() -> Facade {
        let method = Method {
            name: "sign_up".to_owned(),
            noun: String::new(),
            inputs: Vec::new(),
            output: None,
            doc: "Signs up.\n\n# Errors\n`Busy`.".to_owned(),
            is_constructor: false,
        };
        let busy = Variant {
            name: "Busy".to_owned(),
            number: 0,
            fields: Vec::new(),
            doc: String::new(),
        };
        Facade {
            methods: vec![method],
            error: Enum {
                variants: vec![busy],
                ..Enum::default()
            },
            ..Facade::default()
        }
    }

    const METHOD: &str = "    /**\n     * See `sign_up`.\n     *\n     * # Errors\n     * `Busy`\n     * now.\n     */\n    fun `sign_up`()\n";

    #[test]
    fn comments_are_rewritten_and_code_is_not() {
        let facade = facade();
        let speech = Speech::new(&facade, Language::Kotlin);
        let said = spoken(&METHOD.repeat(2), &facade, &speech).unwrap();
        let expected = "    /**\n     * See `signUp`.\n     *\n     * @throws KeyplateException.Busy now\n     */\n    fun `sign_up`()\n";
        assert_eq!(said, expected.repeat(2));
    }

    #[test]
    fn a_comment_may_end_in_other_ways() {
        let facade = Facade::default();
        let speech = Speech::new(&facade, Language::Kotlin);
        let source = "/**\n * For `x`.\n * */\nfun x()\n/**\n * One.\n */override fun y()\n";
        assert_eq!(spoken(source, &facade, &speech).unwrap(), source);
        assert!(spoken("/**\n * For ever.\n", &facade, &speech).is_err());
    }

    #[test]
    fn a_changed_template_is_noticed() {
        let facade = facade();
        let speech = Speech::new(&facade, Language::Kotlin);
        assert!(spoken(METHOD, &facade, &speech).is_err());
        let other = METHOD.replace("/**", "/*!").repeat(2);
        assert!(spoken(&other, &facade, &speech).is_err());
    }
}
