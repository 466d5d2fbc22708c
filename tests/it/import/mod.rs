//! Mapping documents and the reading of files.

mod command;
mod mapping;
mod reading;
mod storing;
