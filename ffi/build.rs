//! Gives the shared library the name that programs remember it by.
//!
//! Until version 1 a minor version may change the interface, so the name carries it: `libkeyplate.so.0.1`.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let part = |name: &str| env::var(name).unwrap_or_default();
    let major = part("CARGO_PKG_VERSION_MAJOR");
    let version = match major.as_str() {
        "0" => format!("0.{}", part("CARGO_PKG_VERSION_MINOR")),
        _ => major,
    };
    match part("CARGO_CFG_TARGET_OS").as_str() {
        "macos" | "ios" => println!(
            "cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libkeyplate.{version}.dylib"
        ),
        "windows" => {}
        _ => println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libkeyplate.so.{version}"),
    }
}
