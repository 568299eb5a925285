//! Plans, which say what a server is to have: their files, and what is printed of them.

pub(crate) mod apply;
mod file;
mod secrets;
mod text;
