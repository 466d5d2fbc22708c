//! What every bench needs: a database opened for long statements, memory, and how figures are printed.

use std::time::Duration;

use comfy_table::{Attribute, Cell, CellAlignment, Table};
use serde::Serialize;

use crate::app::App;
use crate::app::jobs::{Progress, claim_next, work_on};
use crate::cli::common::open_with;
use crate::config::Config;
use crate::error::AppError;

/// How long a statement of a bench may take.
const LONG: Duration = Duration::from_hours(2);

/// Opens the database with patience: one statement may read everything.
pub async fn open(config: &Config) -> Result<App, AppError> {
    let app = open_with(config, |options| guerdon_store::StoreOptions { statement_timeout: LONG, slow_statement: LONG, ..options }).await?;
    app.ready().await?;
    Ok(app)
}

/// A line of `/proc/PROCESS/status` in KiB; 0 where there is none.
fn status_kib(process: &str, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.trim_start_matches(':').split_whitespace().next()?.parse().ok()).unwrap_or(0.0)
}

/// The most memory that this process ever had, in MiB.
pub fn peak_memory_mib() -> f64 {
    (status_kib("self", "VmHWM") / 102.4).round() / 10.0
}

/// The most memory that a process had, in MiB.
pub fn peak_memory_mib_of(pid: u32) -> f64 {
    (status_kib(&pid.to_string(), "VmHWM") / 102.4).round() / 10.0
}

/// Lets the peak of a process begin anew, where the system can.
pub fn begin_peak_of(pid: u32) {
    let _ = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

/// Prints one line of JSON.
pub fn print_json(report: &impl Serialize) -> Result<(), AppError> {
    println!("{}", serde_json::to_string(report).map_err(AppError::internal)?);
    Ok(())
}

/// A table with figures to the right.
pub fn table<const N: usize>(headers: [&str; N]) -> Table {
    let mut table = Table::new();
    table.set_header(headers.map(|header| Cell::new(header).add_attribute(Attribute::Bold)));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A count with separators.
pub fn count(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}

/// The median of some figures.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

/// The CPU seconds of this process so far, of all its threads; 0 where nobody counts them.
pub fn own_cpu_seconds() -> f64 {
    cpu_seconds("self", "").unwrap_or_default()
}

/// The CPU seconds of a process of this machine so far; none where nobody counts them, or where it has another name.
pub fn cpu_seconds_of(pid: u32, name: &str) -> Option<f64> {
    cpu_seconds(&pid.to_string(), name)
}

fn cpu_seconds(process: &str, name: &str) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (before, after) = stat.rsplit_once(')')?;
    if !before.contains(name) {
        return None;
    }
    // After the name in parentheses: state is the first field, user and system time are the 12th and 13th.
    let ticks: f64 = after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    // Linux counts in hundredths of a second.
    Some(ticks / 100.0)
}

/// Does the jobs that wait, step by step as the service does them. What the calendar would begin is not begun: it is not measured.
pub async fn work_off(app: &App) -> Result<(), AppError> {
    while let Some(mut job) = claim_next(app).await? {
        loop {
            match work_on(app, &job).await? {
                Progress::Done(_) => break,
                more => job = job.after(&more),
            }
        }
    }
    Ok(())
}
