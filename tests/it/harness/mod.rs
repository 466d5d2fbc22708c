//! What tests stand on: a fresh migrated database for each, on SQLite or PostgreSQL, and builders that take only what a test is
//! about.
//!
//! SQLite unless told otherwise. `GUERDON_TEST_DATABASE=postgres` starts a throw-away cluster (its `initdb` is looked for on the
//! path and where Debian puts it) that ends with the tests; `GUERDON_TEST_DATABASE_URL` names a server to use instead. The suite
//! is the same.

pub mod build;
mod cluster;
mod database;

pub use database::{TestDatabase, empty, fresh, is_postgres};
