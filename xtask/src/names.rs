//! Names and comments as each language writes them.

/// `ApiKey` → `api_key`.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// `WithToken` → `WITH_TOKEN`.
pub(crate) fn screaming(name: &str) -> String {
    snake(name).to_uppercase()
}

/// `InvalidInput` → `invalidInput`.
pub(crate) fn lower_camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// `create_user` → `createUser`.
pub(crate) fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        out.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        out += letters.as_str();
    }
    out
}

/// The text as Rust documentation, one comment a line.
pub(crate) fn rust_doc(text: &str) -> String {
    text.lines().map(|line| format!("/// {line}\n")).collect()
}

/// The text as a Python docstring at this depth.
pub(crate) fn docstring(text: &str, indent: &str) -> String {
    let text = text.trim().replace('\\', "\\\\");
    let mut lines = text.lines();
    let first = lines.next().unwrap_or("Undocumented.");
    let mut out = format!("{indent}\"\"\"{first}");
    let mut more = false;
    for line in lines {
        more = true;
        out += "\n";
        if !line.trim().is_empty() {
            out += &format!("{indent}{line}");
        }
    }
    if more {
        out += &format!("\n{indent}");
    }
    out + "\"\"\"\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_their_case() {
        assert_eq!(snake("ApiKeyId"), "api_key_id");
        assert_eq!(screaming("WithToken"), "WITH_TOKEN");
        assert_eq!(camel("create_api_key"), "createApiKey");
        assert_eq!(lower_camel("InvalidInput"), "invalidInput");
        assert_eq!(camel("describe"), "describe");
    }

    #[test]
    fn a_docstring_of_several_lines_ends_on_its_own() {
        assert_eq!(docstring("One.", "    "), "    \"\"\"One.\"\"\"\n");
        assert_eq!(
            docstring("One.\n\nTwo.", "  "),
            "  \"\"\"One.\n\n  Two.\n  \"\"\"\n"
        );
    }
}
