//! Mapping documents and the reading of files.

mod mapping;
mod reading;
mod storing;
