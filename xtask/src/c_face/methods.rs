//! Methods: one function each.

use anyhow::{Result, bail};

use super::{Writer, c_name, crossing::inward};
use crate::facade::{Method, Ty};

impl Writer<'_> {
    pub(super) fn method(&mut self, method: &Method) -> Result<()> {
        let (mut parameters, mut arguments) = (Vec::new(), Vec::new());
        if !method.is_constructor {
            parameters.push(("kp".to_owned(), "*const keyplate".to_owned()));
        }
        for input in &method.inputs {
            let inward = inward(input)?;
            parameters.extend(inward.parameters);
            arguments.push(inward.expression);
        }
        let receiver = if method.is_constructor {
            "::keyplate::Keyplate::"
        } else {
            "borrow(kp, \"kp\")?."
        };
        let call = format!("{receiver}{}({})?", method.name, arguments.join(", "));
        let watch = if method.is_constructor {
            "fork::watch();"
        } else {
            ""
        };
        let (doc, body) = match &method.output {
            None => (method.doc.clone(), format!("{{ {watch} {call}; Ok(()) }}")),
            Some(ty) => {
                let (c_type, ownership) = result(ty, &method.name)?;
                parameters.push(("out".to_owned(), format!("*mut {c_type}")));
                let doc = format!("{}\n\n{ownership}", method.doc)
                    .trim_end()
                    .to_owned();
                (doc, format!("{{ {watch} put(out, || Ok({call})) }}"))
            }
        };
        self.fallible(
            &format!("keyplate_{}", method.name),
            &doc,
            &parameters,
            &body,
        )
    }
}

/// The C type of a result, and what its caller must know.
fn result(ty: &Ty, method: &str) -> Result<(String, String)> {
    let owned = |c: &str, none: &str| {
        (
            format!("*mut {c}"),
            format!("`out` is the caller's: free it with `{c}_free`.{none}"),
        )
    };
    Ok(match ty {
        Ty::Bool => ("bool".to_owned(), String::new()),
        Ty::Int(name) => ((*name).to_owned(), String::new()),
        Ty::Record(name) | Ty::Union(name) | Ty::Object(name) => owned(&c_name(name), ""),
        Ty::Option(inner) => match &**inner {
            Ty::Record(name) | Ty::Union(name) | Ty::Object(name) => {
                owned(&c_name(name), " NULL when there is none.")
            }
            _ => bail!("{method}: C cannot give {}", ty.rust()),
        },
        Ty::List(inner) => match &**inner {
            Ty::Text => owned("keyplate_str_list", ""),
            Ty::Record(name) => owned(&format!("{}_list", c_name(name)), ""),
            _ => bail!("{method}: C cannot give {}", ty.rust()),
        },
        _ => bail!("{method}: C cannot give {}", ty.rust()),
    })
}
