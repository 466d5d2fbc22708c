//! Programs of cases, compiled once: inline ones by their text, files by path, size and time of change.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use guerdon_domain::document::read::{Format, MAX_DOCUMENT_BYTES, read_document, read_value};
use guerdon_domain::evaluate::CaseProgram;
use guerdon_domain::fault::{Fault, Faults};

/// More programs than these are not kept; a stream that uses more compiles some of them again.
const MAX_KEPT: usize = 512;

type Compiled = Result<Arc<CaseProgram>, Faults>;
/// What tells one state of a file from another.
type FileState = (u64, Option<SystemTime>);

/// Programs that were compiled, also those that were refused.
#[derive(Default)]
pub struct Programs {
    inline: Mutex<HashMap<Box<str>, Compiled>>,
    files: Mutex<HashMap<String, (FileState, Compiled)>>,
}

impl Programs {
    /// The program of an inline document.
    pub fn inline(&self, text: &str) -> Compiled {
        if let Some(known) = lock(&self.inline).get(text) {
            return known.clone();
        }
        let compiled = compile(text, Format::Json);
        let mut kept = lock(&self.inline);
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(text.into(), compiled.clone());
        compiled
    }

    /// The program of a file, relative to the working directory.
    pub fn file(&self, path: &str) -> Compiled {
        let cannot = |error: std::io::Error| Faults::from(Fault::new("CANNOT_READ", "", format!("`{path}` cannot be read: {error}")));
        let mut file = File::open(path).map_err(cannot)?;
        let state = state_of(&file.metadata().map_err(cannot)?);
        if let Some((known, compiled)) = lock(&self.files).get(path)
            && *known == state
        {
            return compiled.clone();
        }
        let mut text = String::new();
        Read::take(&mut file, MAX_DOCUMENT_BYTES as u64 + 1).read_to_string(&mut text).map_err(cannot)?;
        let format = if path.ends_with(".json") { Format::Json } else { Format::of(&text) };
        let compiled = compile(&text, format);
        let mut kept = lock(&self.files);
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(path.to_owned(), (state, compiled.clone()));
        compiled
    }
}

fn state_of(metadata: &Metadata) -> FileState {
    (metadata.len(), metadata.modified().ok())
}

fn compile(text: &str, format: Format) -> Compiled {
    let document = read_document(read_value(text, format)?)?;
    CaseProgram::compile(document).map(Arc::new)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
