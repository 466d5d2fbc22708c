//! Importing files of facts: judged whole first, then staged and sealed as one batch.
//!
//! A file is read twice, or three times if lines are bad: once to judge it, once to write it, once to copy its bad lines. Each
//! reading is in flat memory for facts; partners, products and exchange rates are written in one transaction and held in
//! memory, see [`MAX_HELD_LINES`].

mod facts;
mod held;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use guerdon_domain::access::{Action, Resource};
use guerdon_domain::fault::{Fault, Faults};
use guerdon_store::WriteContext;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{App, Ctx};
use crate::error::AppError;
use crate::import::kind::Kind;
use crate::import::mapping::Mapping;
use crate::import::rejects::RejectsWriter;
use crate::import::rows::{Line, Rows};

/// Lines of partners, products or exchange rates in one file.
pub const MAX_HELD_LINES: u64 = 500_000;
/// Faults that a report lists; the file of rejected lines has them all.
pub const MAX_LISTED_FAULTS: usize = 50;

/// A file that can be read more than once.
pub struct ImportFile {
    /// Its name, for people and for the batch.
    pub name: String,
    /// Its length, for progress.
    pub bytes: u64,
    /// Opens it at its start.
    pub open: Box<dyn Fn() -> std::io::Result<Box<dyn Read + Send>> + Send + Sync>,
}

impl ImportFile {
    /// A file of the disk.
    pub fn at(path: PathBuf) -> std::io::Result<Self> {
        let bytes = std::fs::metadata(&path)?.len();
        std::fs::File::open(&path)?;
        Ok(Self { name: path.display().to_string(), bytes, open: Box::new(move || Ok(Box::new(std::fs::File::open(&path)?))) })
    }

    /// A file that is in memory already.
    pub fn embedded(name: &str, content: &'static [u8]) -> Self {
        Self { name: name.to_owned(), bytes: content.len() as u64, open: Box::new(move || Ok(Box::new(content))) }
    }

    fn rows(&self, mapping: &Mapping, progress: Arc<AtomicU64>) -> Result<Rows, Faults> {
        let file = (self.open)().map_err(|error| Fault::new("UNREADABLE_FILE", "", format!("{} cannot be read: {error}", self.name)))?;
        Rows::open(mapping, file, progress)
    }
}

/// What to import, and how.
pub struct ImportRequest {
    /// The file.
    pub file: Arc<ImportFile>,
    /// How its lines become facts.
    pub mapping: Arc<Mapping>,
    /// Import the good lines although there are bad ones.
    pub skip_invalid: bool,
    /// Where bad lines are copied to, if there are any.
    pub rejects: Option<PathBuf>,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportStep {
    /// The file is judged: so much of it.
    Checking {
        /// Bytes read.
        bytes: u64,
        /// Lines read.
        lines: u64,
    },
    /// Lines are written: so many of them.
    Writing(u64),
    /// The batch is sealed.
    Sealing,
}

/// What became of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    /// The kind.
    pub kind: &'static str,
    /// The file.
    pub file: String,
    /// Whether nothing was imported because something was wrong.
    pub refused: bool,
    /// Lines in the file, without its header.
    pub lines: u64,
    /// Lines that were new, or changed a partner or product.
    pub new: u64,
    /// Lines that were known already, just so.
    pub unchanged: u64,
    /// Lines that were rejected.
    pub rejected: u64,
    /// The first faults, in the order of the lines.
    pub faults: Vec<Fault>,
    /// How many more faults there are.
    pub more_faults: u64,
    /// Where the rejected lines were copied to.
    pub rejects_file: Option<PathBuf>,
    /// The sealed batch; none where nothing was new.
    pub batch: Option<Uuid>,
}

/// What the first reading found.
#[derive(Debug, Default)]
struct Checked {
    lines: u64,
    bad: u64,
    faults: Vec<Fault>,
    fault_count: u64,
    digest: String,
}

impl Checked {
    fn add(&mut self, line: &Line) {
        self.lines += 1;
        if let Err(faults) = &line.row {
            self.bad += 1;
            self.fault_count += faults.len() as u64;
            self.faults.extend(faults.iter().take(MAX_LISTED_FAULTS.saturating_sub(self.faults.len())).cloned());
        }
    }
}

/// What the database said to the good lines.
#[derive(Debug, Default)]
struct Outcome {
    new: u64,
    unchanged: u64,
    batch: Option<Uuid>,
    /// Lines that it refused, and why.
    refused: BTreeMap<u64, Fault>,
    /// Lines that it refused and did not list.
    unlisted: u64,
}

/// What an import works with.
struct Work<'a> {
    app: &'a App,
    ctx: &'a Ctx,
    request: &'a ImportRequest,
    digest: &'a str,
    step: &'a (dyn Fn(ImportStep) + Send + Sync),
}

impl Work<'_> {
    /// The frame of a write that happens now: a lease has to move on while a long file is staged.
    fn context(&self) -> WriteContext {
        let roles = serde_json::to_value(&self.ctx.actor.roles).unwrap_or_default();
        WriteContext::new(self.ctx.actor.person.clone(), self.ctx.request_id.as_ref(), "import", self.app.clock.now()).with_roles(roles)
    }

    /// The good lines, in order.
    fn good_lines(&self) -> Result<impl Iterator<Item = Result<Line, AppError>> + use<>, AppError> {
        let rows = self.request.file.rows(&self.request.mapping, Arc::default())?;
        Ok(rows.map(|line| line.map_err(AppError::from)).filter(|line| line.as_ref().map_or(true, |line| line.row.is_ok())))
    }
}

/// Imports a file. One bad line imports nothing, unless the request says to skip such; the same file again changes nothing.
/// What is wrong with lines stands in the report; what is wrong with the file as a whole is the error.
///
/// # Errors
/// `Forbidden`; `Invalid` when the file cannot be read, or its columns are not the mapping's; `Limit` when it has more lines than
/// can be held; `Busy` or `IdempotencyInProgress` when another process imports it.
pub async fn import_file(app: &App, ctx: &Ctx, request: &ImportRequest, step: &(dyn Fn(ImportStep) + Send + Sync)) -> Result<ImportReport, AppError> {
    ctx.require((Action::Write, Resource::ImportBatch))?;
    let checked = check(request, step)?;
    let stays_out = checked.bad > 0 && !request.skip_invalid;
    let work = Work { app, ctx, request, digest: &checked.digest, step };
    let outcome = if stays_out { Outcome::default() } else { work.write(checked.lines).await? };
    let refused = stays_out || (!request.skip_invalid && !outcome.refused.is_empty());
    report(request, &checked, outcome, refused)
}

impl Work<'_> {
    async fn write(&self, lines: u64) -> Result<Outcome, AppError> {
        if !self.request.mapping.kind.has_source() && lines > MAX_HELD_LINES {
            let message = format!("the file has {lines} lines; at most {MAX_HELD_LINES} of this kind can be imported at once: split it");
            return Err(AppError::limit("TOO_MANY_LINES", "", message));
        }
        match self.request.mapping.kind {
            Kind::Partners => self.partners().await,
            Kind::Products => self.products().await,
            Kind::ExchangeRates => self.exchange_rates().await,
            Kind::Transactions => self.facts::<guerdon_domain::facts::Transaction>().await,
            Kind::Holdings => self.facts::<guerdon_domain::facts::Holding>().await,
            Kind::Activities => self.facts::<guerdon_domain::facts::Activity>().await,
            Kind::Deals => self.facts::<guerdon_domain::facts::Deal>().await,
        }
    }
}

fn report(request: &ImportRequest, checked: &Checked, outcome: Outcome, refused: bool) -> Result<ImportReport, AppError> {
    let rejected = checked.bad + outcome.refused.len() as u64 + outcome.unlisted;
    let mut faults = checked.faults.clone();
    let listed: Vec<Fault> = outcome.refused.values().take(MAX_LISTED_FAULTS.saturating_sub(faults.len())).cloned().collect();
    faults.extend(listed);
    let all_faults = checked.fault_count + outcome.refused.len() as u64 + outcome.unlisted;
    if rejected > 0 {
        copy_rejects(request, &outcome.refused)?;
    }
    Ok(ImportReport {
        kind: request.mapping.kind.name(),
        file: request.file.name.clone(),
        refused,
        lines: checked.lines,
        new: if refused { 0 } else { outcome.new },
        unchanged: if refused { 0 } else { outcome.unchanged },
        rejected,
        more_faults: all_faults - faults.len() as u64,
        faults,
        rejects_file: request.rejects.clone().filter(|_| rejected > 0),
        batch: outcome.batch,
    })
}

/// Reads the whole file and judges every line. A file that cannot be read to its end is refused whatever is asked.
fn check(request: &ImportRequest, step: &dyn Fn(ImportStep)) -> Result<Checked, AppError> {
    let read = Arc::new(AtomicU64::new(0));
    let mut checked = Checked { digest: digest(request)?, ..Checked::default() };
    let rows = request.file.rows(&request.mapping, Arc::clone(&read))?;
    for line in rows {
        checked.add(&line.map_err(AppError::from)?);
        if checked.lines.is_multiple_of(1024) {
            step(ImportStep::Checking { bytes: read.load(Ordering::Relaxed), lines: checked.lines });
        }
    }
    step(ImportStep::Checking { bytes: request.file.bytes, lines: checked.lines });
    Ok(checked)
}

/// The digest of the file and its mapping: an import that was cut off is resumed by it.
fn digest(request: &ImportRequest) -> Result<String, AppError> {
    let unreadable = |error: std::io::Error| AppError::invalid("UNREADABLE_FILE", "", format!("{} cannot be read: {error}", request.file.name));
    let mut hasher = Sha256::new();
    hasher.update(format!("{:?}", request.mapping));
    let mut file = (request.file.open)().map_err(unreadable)?;
    let mut buffer = vec![0_u8; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(unreadable)? {
            0 => return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            read => hasher.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}

/// Copies every bad line, with its reasons: those that cannot be read, and those that the database refused.
fn copy_rejects(request: &ImportRequest, refused: &BTreeMap<u64, Fault>) -> Result<u64, AppError> {
    let Some(path) = &request.rejects else { return Ok(0) };
    let rows = request.file.rows(&request.mapping, Arc::default())?;
    let sink = std::fs::File::create(path)
        .map_err(|error| AppError::invalid("UNWRITABLE_REJECTS", "rejects", format!("{} cannot be written: {error}", path.display())))?;
    let mut writer = RejectsWriter::new(std::io::BufWriter::new(sink), &rows.columns()).map_err(AppError::from)?;
    for line in rows {
        let line = line.map_err(AppError::from)?;
        let written = match (&line.row, refused.get(&line.record.line)) {
            (Err(faults), _) => writer.write(&line.record, faults),
            (Ok(_), Some(fault)) => writer.write(&line.record, std::slice::from_ref(fault)),
            (Ok(_), None) => Ok(()),
        };
        written.map_err(AppError::from)?;
    }
    writer.finish().map_err(AppError::from)
}
