//! `guerdon import`: files of facts, by a mapping.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Common, Outcome, open};
use crate::app::imports::{ImportFile, ImportReport, ImportRequest, ImportStep, import_file};
use crate::error::AppError;
use crate::import::kind::Kind;
use crate::import::mapping::{Mapping, read_mapping};
use crate::import::schema::mapping_schema;

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
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
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
    /// Where settings and data are.
    #[command(flatten)]
    pub common: Common,
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

/// Runs the command. Refusals are told on standard error; the last line of standard output is the counts.
pub async fn run(args: Args) -> Outcome {
    if let Some(ImportCommand::Schema) = args.command {
        let text = serde_json::to_string_pretty(&mapping_schema()).map_err(AppError::internal)?;
        println!("{text}");
        return Ok(ExitCode::SUCCESS);
    }
    let (Some(kind), Some(path), Some(mapping)) = (args.kind, args.file, args.mapping) else {
        return Err(AppError::invalid("MISSING_ARGUMENT", "", "name what is imported, the file and its mapping: guerdon import KIND FILE --mapping M"));
    };
    let mapping = Arc::new(load_mapping(&mapping, kind.into())?);
    let file = Arc::new(open_file(&path)?);
    let rejects = Some(args.rejects.unwrap_or_else(|| default_rejects(&path)));
    let app = open(&args.common.load(Vec::new())?).await?;
    app.ready().await?;
    let bar = ImportBar::new(&file.name, file.bytes);
    let request = ImportRequest { file, mapping, skip_invalid: args.skip_invalid, rejects };
    let shown = bar.clone();
    let result = import_file(&app, &app.system("import"), &request, &move |step| shown.show(step)).await;
    bar.end();
    app.store.close().await;
    print(&result?, args.json)
}

fn print(report: &ImportReport, json: bool) -> Outcome {
    eprint!("{}", faults_text(report));
    if json {
        println!("{}", serde_json::to_string(report).map_err(AppError::internal)?);
    } else {
        println!("{}", counts_text(report));
    }
    Ok(if report.refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
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
