pub(crate) mod encryption_key;
pub(crate) mod secret_file;
