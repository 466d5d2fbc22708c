//! `guerdon import`: files of facts, by a mapping.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::app::imports::{ImportFile, ImportReport, ImportStep};
use crate::error::AppError;
use crate::import::kind::Kind;
use crate::import::mapping::{Mapping, read_mapping};

/// What is imported, as the command line writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindArgument {
    /// Partners.
    Partners,
    /// Products.
    Products,
    /// Sale lines.
    Transactions,
    /// Certifications, subscriptions, attestations, memberships.
    Holdings,
    /// Dated measurements.
    Activities,
    /// Registered opportunities.
    Deals,
    /// Exchange rates.
    ExchangeRates,
}

impl From<KindArgument> for Kind {
    fn from(kind: KindArgument) -> Self {
        match kind {
            KindArgument::Partners => Self::Partners,
            KindArgument::Products => Self::Products,
            KindArgument::Transactions => Self::Transactions,
            KindArgument::Holdings => Self::Holdings,
            KindArgument::Activities => Self::Activities,
            KindArgument::Deals => Self::Deals,
            KindArgument::ExchangeRates => Self::ExchangeRates,
        }
    }
}

/// Imports a file of facts by a mapping document.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ImportArguments {
    /// Prints the JSON Schema of mapping documents instead.
    #[command(subcommand)]
    pub command: Option<ImportCommand>,
    /// What the lines of the file are.
    #[arg(required = true)]
    pub kind: Option<KindArgument>,
    /// The file: CSV or JSON Lines in UTF-8.
    #[arg(required = true)]
    pub file: Option<PathBuf>,
    /// The mapping document, YAML or JSON.
    #[arg(long, required = true)]
    pub mapping: Option<PathBuf>,
    /// The database: sqlite://FILE or postgres://...
    #[arg(long, env = "GUERDON_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Import the good lines although there are bad ones.
    #[arg(long)]
    pub skip_invalid: bool,
    /// Where bad lines are copied to, with their reasons. Default: FILE.rejected.csv
    #[arg(long)]
    pub rejects: Option<PathBuf>,
    /// Print the report as one line of JSON.
    #[arg(long)]
    pub json: bool,
}

/// Beside importing.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Prints the JSON Schema of mapping documents.
    Schema,
}

/// Reads a mapping document and holds it against the kind that was asked for.
pub fn load_mapping(path: &Path, kind: Kind) -> Result<Mapping, AppError> {
    let unreadable = |error: std::io::Error| AppError::invalid("UNREADABLE_FILE", "", format!("{} cannot be read: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let mapping = read_mapping(&text).map_err(AppError::Invalid)?;
    if mapping.kind == kind {
        return Ok(mapping);
    }
    Err(AppError::invalid("OTHER_KIND", "kind", format!("the mapping is for {}, and {kind} were asked for", mapping.kind)))
}

/// The file, if it can be read at all.
pub fn open_file(path: &Path) -> Result<ImportFile, AppError> {
    ImportFile::at(path.to_owned()).map_err(|error| AppError::invalid("UNREADABLE_FILE", "", format!("{} cannot be read: {error}", path.display())))
}

/// Where bad lines go when nobody says.
pub fn default_rejects(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".rejected.csv");
    PathBuf::from(name)
}

/// A bar on standard error that follows an import; nothing is drawn where that is no terminal.
#[derive(Clone)]
pub struct ImportBar {
    bar: ProgressBar,
    bytes: u64,
    lines: Arc<std::sync::atomic::AtomicU64>,
}

impl ImportBar {
    /// A bar for a file of so many bytes.
    pub fn new(name: &str, bytes: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{prefix:28} {bar:30} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, bytes, lines: Arc::default() }
    }

    /// The import is so far.
    pub fn show(&self, step: ImportStep) {
        use std::sync::atomic::Ordering;
        match step {
            ImportStep::Checking { bytes, lines } => {
                self.lines.store(lines, Ordering::Relaxed);
                self.bar.set_length(self.bytes.max(1));
                self.bar.set_position(bytes);
                self.bar.set_message(format!("checking {} of {}", HumanBytes(bytes), HumanBytes(self.bytes)));
            }
            ImportStep::Writing(lines) => {
                let all = self.lines.load(Ordering::Relaxed).max(lines);
                self.bar.set_length(all.max(1));
                self.bar.set_position(lines);
                self.bar.set_message(format!("writing line {} of {}", HumanCount(lines), HumanCount(all)));
            }
            ImportStep::Sealing => self.bar.set_message("sealing"),
        }
    }

    /// The import is over.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// What standard error says about the faults, a line each, and how many are not listed.
pub fn faults_text(report: &ImportReport) -> String {
    let mut text: String = report.faults.iter().map(|fault| format!("{fault}\n")).collect();
    if report.more_faults > 0 {
        text.push_str(&format!("... and {} more\n", report.more_faults));
    }
    if let (true, Some(path)) = (report.rejected > 0, &report.rejects_file) {
        text.push_str(&format!("All {} rejected lines are in {}, each with its reasons.\n", report.rejected, path.display()));
    }
    text
}

/// The one line of counts at the end.
pub fn counts_text(report: &ImportReport) -> String {
    let ImportReport { kind, lines, new, unchanged, rejected, .. } = report;
    let said = if report.refused {
        "; nothing was imported"
    } else if *new == 0 {
        "; nothing changed"
    } else {
        ""
    };
    format!("{kind}: {lines} lines, {new} new, {unchanged} unchanged, {rejected} rejected{said}")
}
