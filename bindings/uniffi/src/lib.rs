//! The library that Keyplate's Kotlin and Swift faces load: all of it is made by core's UniFFI derives.

keyplate::uniffi_reexport_scaffolding!();
