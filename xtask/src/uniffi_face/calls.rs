//! How the Kotlin source calls Rust. UniFFI passes structures of JNA's, each of which costs more than the rest of the call.
//! Here each call goes through UniFFI's other functions, which take two pointers, by `bindings/kotlin/…/Calls.kt` (ADR 23).

use std::fmt::Write;

use anyhow::{Context, Result, bail, ensure};

/// Elements of eight bytes that `Calls.kt` has for the arguments of one call.
const MOST_ELEMENTS: usize = 32;

/// What is put in the place of something else, and how often it must be there.
const REPLACED: &[(usize, &str, &str)] = &[
    (
        1,
        "rbuf.writeField(\"len\", bbuf.position().toLong())",
        "rbuf.len = bbuf.position().toLong()",
    ),
    (
        1,
        "        // when the rust code sees a panic, it tries to construct a rustbuffer
        // with the message.  but if that code panics, then it just sends back
        // an empty buffer.
        if (status.error_buf.len > 0) {
            throw InternalException(FfiConverterString.lift(status.error_buf))
        } else {
            throw InternalException(\"Rust panic\")
        }
",
        "        throw uniffiPanic(status.error_buf)\n",
    ),
];

/// What `Calls.kt` has instead, by its first and its next line.
const CUT: &[(&str, &str)] = &[
    (
        "// This is a helper for safely working with byte buffers",
        "/**\n * The FfiConverter interface handles",
    ),
    (
        "@Structure.FieldOrder(\"code\", \"error_buf\")",
        "class InternalException(",
    ),
];

/// The source with calls through memory that each thread keeps.
pub(super) fn through_memory(source: &str) -> Result<String> {
    let mut out = source.to_owned();
    for (from, to) in CUT {
        let start = found(&out, from)?;
        let end = start + found(&out[start..], to)?;
        out.replace_range(start..end, "");
    }
    for (times, old, new) in REPLACED {
        ensure!(
            out.matches(old).count() == *times,
            "UniFFI's templates for Kotlin have changed: look for `{old}` in the generated source"
        );
        out = out.replace(old, new);
    }
    let mut text = String::with_capacity(out.len());
    let mut functions = 0;
    for block in blocks(&out) {
        if ["UniffiForeignFuture", "UniffiRustFuture"]
            .iter()
            .any(|gone| block.contains(gone) && !block.contains("object UniffiLib"))
        {
            continue; // Nothing here is asynchronous.
        }
        if block.contains("internal object UniffiLib {") {
            text += &library(block, &mut functions)?;
        } else if block.contains("internal interface UniffiCallbackInterface")
            || block.contains("internal object uniffiCallbackInterface")
        {
            text += &callback(block);
        } else if block.contains("fun<T> uniffiTraitInterfaceCall(")
            || block.contains("uniffiTraitInterfaceCallWithError(")
        {
            text += &answered(block);
        } else {
            text += block;
        }
    }
    ensure!(
        functions > 0,
        "no function of UniFFI's was found in the generated Kotlin source"
    );
    Ok(text.replace("RustBuffer.ByValue", "RustBuffer"))
}

fn found(source: &str, text: &str) -> Result<usize> {
    source.find(text).with_context(|| {
        format!(
            "UniFFI's templates for Kotlin have changed: `{text}` is not in the generated source"
        )
    })
}

/// The source in pieces, each of which ends after a declaration of the highest level.
fn blocks(source: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = source;
    while let Some(end) = rest.find("\n}\n") {
        let (piece, more) = rest.split_at(end + 3);
        pieces.push(piece);
        rest = more;
    }
    pieces.push(rest);
    pieces
}

/// Called by Rust, with structures.
fn callback(block: &str) -> String {
    let mut out = block
        .replace(
            "`uniffiOutReturn`: RustBuffer,",
            "`uniffiOutReturn`: UniffiBufferStructure,",
        )
        .replace(
            "uniffiCallStatus: UniffiRustCallStatus",
            "uniffiCallStatus: UniffiStatusStructure",
        );
    // An argument is a structure there, and the converters take what `Calls.kt` has.
    let mut names = Vec::new();
    for part in out.split('`').collect::<Vec<_>>().windows(2) {
        if part[1].starts_with(": RustBuffer.ByValue") {
            names.push(part[0].to_owned());
        }
    }
    out = out.replace("RustBuffer.ByValue", "UniffiBufferStructure.ByValue");
    for name in names {
        out = out.replace(
            &format!(".lift(`{name}`)"),
            &format!(".lift(`{name}`.plain())"),
        );
    }
    out
}

/// What the host throws, errors of the machine too, goes back to Rust as the status.
fn answered(block: &str) -> String {
    let mut out = String::with_capacity(block.len());
    for line in block.lines() {
        let line = line
            .replace(
                "callStatus: UniffiRustCallStatus",
                "callStatus: UniffiStatusStructure",
            )
            .replace("catch(e: kotlin.Exception)", "catch(e: Throwable)");
        match line.split_once("callStatus.error_buf = ") {
            Some((indent, value)) => {
                out += &format!("{indent}callStatus.error_buf.setValue({value})\n");
            }
            None => {
                out += &line;
                out.push('\n');
            }
        }
    }
    out
}

/// The functions of the library, as Kotlin calls them and as JNA finds them.
fn library(block: &str, functions: &mut usize) -> Result<String> {
    let mut out = String::with_capacity(block.len());
    let mut lines = block.lines();
    while let Some(line) = lines.next() {
        let Some(function) = line.trim_start().strip_prefix("external fun ") else {
            out += line;
            out.push('\n');
            continue;
        };
        let (name, parameters) = function
            .split_once('(')
            .with_context(|| format!("`{function}` has no parameters"))?;
        let returned = lines
            .next()
            .and_then(|line| line.trim().strip_prefix("): "))
            .with_context(|| format!("`{name}` returns nothing"))?;
        let parameters: Vec<(&str, &str)> = parameters
            .split(',')
            .filter_map(|parameter| parameter.trim().split_once(": "))
            .collect();
        out += &written(name, &parameters, returned)?;
        *functions += 1;
    }
    Ok(out)
}

fn written(name: &str, parameters: &[(&str, &str)], returned: &str) -> Result<String> {
    let given = parameters
        .iter()
        .filter(|(_, ty)| *ty != "UniffiRustCallStatus");
    let declared: String = given
        .clone()
        .map(|(name, ty)| format!("{name}: {ty}, "))
        .collect();
    let kind = |what: &str| name.contains(what);
    let mut out = String::new();
    if name == "ffi_keyplate_rustbuffer_alloc" {
        out += "    external fun ffi_keyplate_rustbuffer_alloc(size: Long, status: Pointer): UniffiBufferStructure.ByValue\n";
    } else if name == "ffi_keyplate_rustbuffer_free" {
        out += "    external fun ffi_keyplate_rustbuffer_free(buffer: UniffiBufferStructure.ByValue, status: Pointer)\n";
    } else if name.starts_with("ffi_") {
        // The other functions for buffers, and those for futures.
    } else if kind("_fn_init_callback_vtable_") {
        writeln!(
            out,
            "    external fun {name}({}): {returned}",
            declared.trim_end_matches(", ")
        )?;
    } else if kind("_fn_clone_") || kind("_fn_free_") {
        let (result, end) = if returned == "Long" {
            ("val result = ", "        return result\n")
        } else {
            ("", "")
        };
        write!(
            out,
            "    private external fun {name}(handle: Long, status: Pointer): {returned}
    @Suppress(\"UNUSED_PARAMETER\")
    fun {name}(handle: Long, status: UniffiRustCallStatus): {returned} {{
        val frame = UniffiFrame.current()
        {result}{name}(handle, frame.status())
        frame.check()
{end}    }}
"
        )?;
    } else if kind("_fn_method_") || kind("_fn_constructor_") {
        let mut elements = 0;
        let mut puts = String::new();
        for (parameter, ty) in given {
            elements += match *ty {
                "Long" | "Byte" => 1,
                "RustBuffer.ByValue" => 3,
                other => bail!("`{name}` takes a {other}, which no call of Kotlin's can carry yet"),
            };
            write!(puts, ".put({parameter})")?;
        }
        ensure!(
            elements <= MOST_ELEMENTS,
            "`{name}` has {elements} elements of arguments"
        );
        let read = match returned {
            "Unit" => "nothing",
            "Long" => "long",
            "Byte" => "byte",
            "RustBuffer.ByValue" => "buffer",
            other => bail!("`{name}` returns a {other}, which no call of Kotlin's can carry yet"),
        };
        let symbol = name.replacen("uniffi_", "uniffi_ffibuffer_", 1);
        write!(
            out,
            "    private external fun {symbol}(arguments: Pointer, results: Pointer)
    fun {name}({declared}status: UniffiRustCallStatus): {returned} {{
        val frame = UniffiFrame.current().begin(){puts}
        {symbol}(frame.arguments, frame.results)
        return frame.{read}(status)
    }}
"
        )?;
    } else {
        bail!("`{name}` is a kind of function that no call of Kotlin's knows yet");
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_goes_through_memory() {
        let parameters = [
            ("`ptr`", "Long"),
            ("`name`", "RustBuffer.ByValue"),
            ("uniffi_out_err", "UniffiRustCallStatus"),
        ];
        let text = written(
            "uniffi_keyplate_fn_method_keyplate_find",
            &parameters,
            "RustBuffer.ByValue",
        )
        .unwrap();
        for line in [
            "private external fun uniffi_ffibuffer_keyplate_fn_method_keyplate_find(arguments: Pointer, results: Pointer)",
            "val frame = UniffiFrame.current().begin().put(`ptr`).put(`name`)",
            "return frame.buffer(status)",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }

    #[test]
    fn what_no_call_can_carry_is_refused() {
        let double = [("`x`", "Double")];
        assert!(written("uniffi_keyplate_fn_method_keyplate_x", &double, "Unit").is_err());
        assert!(written("uniffi_keyplate_fn_method_keyplate_x", &[], "Double").is_err());
        assert!(written("uniffi_keyplate_fn_other_x", &[], "Unit").is_err());
        let many = [("`x`", "RustBuffer.ByValue"); 11];
        assert!(written("uniffi_keyplate_fn_method_keyplate_x", &many, "Unit").is_err());
    }

    #[test]
    fn a_callback_keeps_its_structures() {
        let block = "internal object uniffiCallbackInterfaceSink {\n    fun callback(`event`: RustBuffer.ByValue,uniffiCallStatus: UniffiRustCallStatus,) {\n        Sink.lift(`event`)\n    }\n}\n";
        let text = callback(block);
        assert!(text.contains(
            "`event`: UniffiBufferStructure.ByValue,uniffiCallStatus: UniffiStatusStructure"
        ));
        assert!(text.contains("Sink.lift(`event`.plain())"));
    }

    #[test]
    fn a_changed_template_is_noticed() {
        assert!(through_memory("internal object UniffiLib {\n}\n").is_err());
    }
}
