//! What a caller can mend: a code that programs can match on, the path of the offending part, and what to do.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that is wrong with an input, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Stable, in capitals: `UNKNOWN_KEY`, `BAND_GAP`, ...
    pub code: String,
    /// Where: `metrics[2].measure.window`, or `line 17, column amount`. Empty for the input as a whole.
    pub path: String,
    /// What is wrong and what to do, in one or two sentences.
    pub message: String,
}

impl Fault {
    /// A fault at `path`.
    pub fn new(code: impl Into<String>, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), path: path.into(), message: message.into() }
    }

    /// The same fault, seen from the part that holds the input at `prefix`.
    #[must_use]
    pub fn within(mut self, prefix: &str) -> Self {
        self.path = join(prefix, &self.path);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { write!(f, "{} ({})", self.message, self.code) } else { write!(f, "{}: {} ({})", self.path, self.message, self.code) }
    }
}

impl std::error::Error for Fault {}

/// Joins two path parts: `tiers[0]` and `key` to `tiers[0].key`; an index needs no dot.
pub fn join(prefix: &str, path: &str) -> String {
    match (prefix.is_empty(), path.is_empty()) {
        (true, _) => path.to_owned(),
        (_, true) => prefix.to_owned(),
        _ if path.starts_with('[') => format!("{prefix}{path}"),
        _ => format!("{prefix}.{path}"),
    }
}

/// Several faults, in the order in which they were found. Inputs are judged whole: every fault is reported at once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// No fault yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fault.
    pub fn add(&mut self, code: &str, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Fault::new(code, path, message));
    }

    /// Keeps the value, or keeps the fault.
    pub fn keep<T>(&mut self, path: &str, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.0.push(fault.within(path))).ok()
    }

    /// Keeps the value, or keeps the faults.
    pub fn collect<T>(&mut self, path: &str, result: Result<T, Self>) -> Option<T> {
        result.map_err(|found| self.0.extend(found.0.into_iter().map(|fault| fault.within(path)))).ok()
    }

    /// Adds the faults of another look that are not known yet.
    pub fn add_new(&mut self, more: Self) {
        for fault in more.0 {
            if !self.0.contains(&fault) {
                self.0.push(fault);
            }
        }
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `value` if nothing was found.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
