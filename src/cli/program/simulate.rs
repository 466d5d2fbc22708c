//! `guerdon program diff --simulate`: what publishing a document would do to whom, by a database or by a file of facts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use comfy_table::{CellAlignment, Table};
use guerdon_domain::date::Date;
use guerdon_domain::document::Document;
use guerdon_domain::document::read::{Format, read_value};
use guerdon_domain::document::shape::Shape;
use guerdon_domain::exact::Exact;
use guerdon_domain::facts::convert::{Vocabulary, convert};
use guerdon_domain::facts::input::FactsInput;
use guerdon_domain::fault::{Fault, Faults};
use guerdon_domain::program::Program;
use guerdon_domain::simulation::{
    Asked, BenefitChangeKind, Judging, RebatePeriod, RebateTiers, Report, RulesInForce, Side, Simulation, Tally, Terms, hypothetical,
};

use super::{read_text, write_text};
use crate::app::programs::ProgramKey;
use crate::app::simulation::{Simulate, SimulatedRules, Slice, simulate};
use crate::app::{App, Ctx};
use crate::error::AppError;

/// What is asked of a simulation.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Simulation")]
pub struct SimulateArgs {
    /// Show what publishing the document would do: who moves and why, who is near a threshold, benefits, rebates.
    #[arg(long)]
    pub simulate: bool,
    /// The facts of partners, as the cases of `evaluate` write them, in YAML or JSON; then FILE and OTHER are compared and no database is needed.
    #[arg(long, value_name = "FILE", requires = "simulate", requires = "other", requires = "as_of")]
    pub facts: Option<PathBuf>,
    /// The date. Default: today in the program's time zone.
    #[arg(long, value_name = "DATE", requires = "simulate")]
    as_of: Option<Date>,
    /// Compare the rebates of this period too, such as 2020-Q2; may be given several times.
    #[arg(long = "period", value_name = "PERIOD", requires = "simulate")]
    periods: Vec<String>,
    /// Only partners in this region or under it; may be given several times.
    #[arg(long = "region", value_name = "REGION", requires = "simulate")]
    regions: Vec<String>,
    /// Only partners of this type; may be given several times.
    #[arg(long = "type", value_name = "TYPE", requires = "simulate")]
    types: Vec<String>,
    /// Only partners that hold this tier of the main ladder; may be given several times.
    #[arg(long = "tier", value_name = "TIER", requires = "simulate")]
    tiers: Vec<String>,
    /// Only this partner; may be given several times.
    #[arg(long = "partner", value_name = "CODE", requires = "simulate")]
    partners: Vec<String>,
    /// How both worlds are judged.
    #[arg(long, value_enum, default_value = "review", requires = "simulate")]
    judging: JudgedBy,
    /// Which tiers count for rebates after the change.
    #[arg(long, value_enum, default_value = "as-moved", requires = "simulate")]
    rebate_tiers: TiersOfRebates,
    /// Partners are near a threshold whose gap or margin is at most this fraction of it.
    #[arg(long, value_name = "FRACTION", default_value = "0.1", requires = "simulate")]
    near: String,
    /// So many rows of each list.
    #[arg(long, value_name = "N", default_value_t = 20, requires = "simulate")]
    rows: usize,
}

/// How both worlds are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum JudgedBy {
    /// As a review on the date that is due.
    Review,
    /// As a review on the date, if the policy's calendar has one on it.
    Calendar,
    /// By the rules alone, without any policy of reviews.
    Rules,
}

/// Which tiers count for rebates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TiersOfRebates {
    /// Those on record; of partners that move, the new tier throughout the period.
    AsMoved,
    /// Those on record.
    OnRecord,
}

impl From<JudgedBy> for Judging {
    fn from(judged: JudgedBy) -> Self {
        match judged {
            JudgedBy::Review => Self::Review,
            JudgedBy::Calendar => Self::ReviewByCalendar,
            JudgedBy::Rules => Self::RulesAlone,
        }
    }
}

impl From<TiersOfRebates> for RebateTiers {
    fn from(tiers: TiersOfRebates) -> Self {
        match tiers {
            TiersOfRebates::AsMoved => Self::AsMoved,
            TiersOfRebates::OnRecord => Self::OnRecord,
        }
    }
}

impl SimulateArgs {
    fn near(&self) -> Result<Exact, AppError> {
        Exact::parse(&self.near, 1, 10).map_err(|fault| AppError::Invalid(fault.within("--near").into()))
    }

    /// By what the database holds.
    pub async fn by_database(&self, app: &App, ctx: &Ctx, document: &Document, text: String) -> Result<Report, AppError> {
        let slice = Slice { regions: self.regions.clone(), types: self.types.clone(), tiers: self.tiers.clone(), partners: self.partners.clone() };
        let order = Simulate {
            program: Some(ProgramKey::Code(document.program.code.clone())),
            as_of: self.as_of,
            slice,
            judging: self.judging.into(),
            near: Some(self.near()?),
            rebate_tiers: self.rebate_tiers.into(),
            periods: self.periods.clone(),
            bounded: false,
            ..Simulate::of(SimulatedRules::Document(text))
        };
        let unknown =
            || AppError::invalid("UNKNOWN_PROGRAM", "program.code", "the database has no published program of this code: there is nothing to compare with");
        simulate(app, ctx, &order).await.map(|simulated| simulated.report).map_err(|error| if error.code() == "NOT_FOUND" { unknown() } else { error })
    }

    /// By a file of facts. Partners without a tier on record are levelled by the rules of each world.
    pub fn by_file(&self, facts: &Path, before: &Document, after: &Document) -> Result<Report, AppError> {
        let as_of = self.as_of.ok_or_else(|| AppError::invalid("MISSING_DATE", "--as-of", "name the date of the simulation"))?;
        let before = Arc::new(Program::compile(before.clone())?);
        let hypothesis = hypothetical(&before, &RulesInForce::Document(Box::new(after.clone())), as_of)?;
        let text = read_text(facts)?;
        let value = read_value(&text, Format::of(&text)).map_err(|fault| AppError::Invalid(fault.into()))?;
        let input: FactsInput = Shape::of::<FactsInput>().read(value, "")?;
        let facts = convert(&input, Vocabulary::of(&before))?;
        let mut faults = Faults::new();
        let mut periods = Vec::new();
        for name in &self.periods {
            let unknown = || Fault::new("UNKNOWN_PERIOD", "--period", hypothesis.before.no_such_period(as_of));
            periods.extend(faults.keep("", RebatePeriod::named(name, &hypothesis.before, &hypothesis.after).ok_or_else(unknown)));
        }
        faults.or(())?;
        let terms =
            Terms { judging: self.judging.into(), near: self.near()?, rebate_tiers: self.rebate_tiers.into(), level_for_rebates: true, ..Terms::on(as_of) };
        let simulation = Simulation::new(terms, &hypothesis, periods);
        let asked: Vec<Asked<'_>> = facts.partners.keys().map(|code| Asked { code, told: self.tells(&before, &facts, code, as_of), sums: None }).collect();
        let mut tally = Tally::new(simulation.terms().listed);
        tally.merge(simulation.judge(&facts, None, &asked));
        Ok(simulation.report(tally))
    }

    /// Whether a partner of the file lies in the slice.
    fn tells(&self, program: &Program, facts: &guerdon_domain::facts::Facts, code: &str, as_of: Date) -> bool {
        let Some(own) = facts.partners.get(code) else { return false };
        let profile = own.profile(as_of);
        let region = profile.and_then(|profile| profile.region.as_deref());
        let in_region = || region.is_some_and(|own| self.regions.iter().any(|region| program.geography.regions.is_under(own, region)));
        let of_type = || profile.and_then(|profile| profile.partner_type.as_ref()).is_some_and(|key| self.types.contains(key));
        let main = program.ladder(None).map(|ladder| ladder.key.as_str()).unwrap_or_default();
        let holds = || own.tier_on(main, None, as_of).is_some_and(|tier| self.tiers.iter().any(|key| key == tier));
        (self.partners.is_empty() || self.partners.iter().any(|own| own == code))
            && (self.regions.is_empty() || in_region())
            && (self.types.is_empty() || of_type())
            && (self.tiers.is_empty() || holds())
    }

    /// Prints tables for people.
    pub fn print(&self, report: &Report) -> Result<(), AppError> {
        write_text(&text(report, self.rows), None)
    }
}

/// A table with a title; nothing where there is no row. `numbers` are the columns of figures.
fn table(title: &str, header: &[&str], rows: Vec<Vec<String>>, numbers: &[usize], of: u64) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let shown = rows.len() as u64;
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN).set_header(header.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    for column in numbers {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let more = if of > shown { format!(" (the first {shown} of {of})") } else { String::new() };
    format!("\n{title}{more}\n\n{table}\n")
}

fn named(tier: Option<&String>) -> String {
    tier.cloned().unwrap_or_else(|| "none".to_owned())
}

fn text(report: &Report, most: usize) -> String {
    let mut text = format!(
        "\n{} partners judged as of {}: {} tiers go up, {} go down{}\n",
        report.partners,
        report.as_of,
        report.up,
        report.down,
        if report.aside > 0 { format!(", {} are others", report.aside) } else { String::new() }
    );
    text += &matrices(report);
    let moves = report.moves.iter().take(most).map(|moved| {
        let ladder = moved.region.as_ref().map_or_else(|| moved.ladder.clone(), |region| format!("{} {region}", moved.ladder));
        vec![moved.partner.clone(), ladder, named(moved.from.as_ref()), named(moved.to.as_ref()), moved.text.clone()]
    });
    text += &table("Moves", &["partner", "ladder", "from", "to", "why"], moves.collect(), &[], report.moved());
    let near = report.near.iter().take(most).map(|near| {
        let side = if near.side == Side::Below { "misses" } else { "just holds" };
        let distance = near.distance.mul(&Exact::from_int(100)).map(rounded).unwrap_or_default();
        vec![near.partner.clone(), near.ladder.clone(), side.to_owned(), near.tier.clone(), format!("{distance} %"), near.missing.join("; ")]
    });
    text += &table("Near a threshold", &["partner", "ladder", "", "tier", "by", "missing"], near.collect(), &[4], report.near_count);
    let benefits = report.benefit_counts.iter().map(|count| {
        let word = match count.kind {
            BenefitChangeKind::Gained => "gained",
            BenefitChangeKind::Lost => "lost",
            BenefitChangeKind::Changed => "another value",
        };
        vec![count.benefit.clone(), named(count.tier.as_ref()), word.to_owned(), count.partners.to_string()]
    });
    text += &table("Benefits", &["benefit", "tier after", "", "partners"], benefits.collect(), &[3], 0);
    let rebates = report.rebates.iter().map(|sum| {
        let figures = [sum.before.amount(), sum.after.amount(), sum.difference.amount()];
        [sum.period.clone(), sum.schedule.clone(), sum.currency.code().to_owned()].into_iter().chain(figures).chain([sum.changed.to_string()]).collect()
    });
    text += &table("Rebates", &["period", "schedule", "currency", "before", "after", "difference", "partners"], rebates.collect(), &[3, 4, 5, 6], 0);
    let largest = report
        .rebate_moves
        .iter()
        .take(most)
        .map(|moved| vec![moved.partner.clone(), moved.period.clone(), moved.schedule.clone(), moved.before.to_string(), moved.after.to_string()]);
    text += &table("Largest changes of rebates", &["partner", "period", "schedule", "before", "after"], largest.collect(), &[3, 4], report.rebate_count);
    for failed in report.failed.iter().take(most) {
        text += &format!("\npartner {} could not be judged: {}\n", failed.partner, failed.faults);
    }
    for warning in report.warnings.iter().take(most) {
        text += &format!("\n{warning}\n");
    }
    text
}

/// To one place, for people.
fn rounded(percent: Exact) -> String {
    guerdon_domain::rounding::RoundingMode::HalfUp
        .round_scaled(&percent, 1)
        .map(|scaled| guerdon_domain::exact::spell(scaled.into(), 1, false))
        .unwrap_or_default()
}

/// One matrix for each ladder: tiers before in rows, tiers after in columns; tiers that nobody holds in either world are left out.
fn matrices(report: &Report) -> String {
    let mut text = String::new();
    for ladder in &report.ladders {
        let cells: Vec<_> = report.matrix.iter().filter(|cell| cell.ladder == ladder.ladder).collect();
        let held = |tier: &Option<&String>| cells.iter().any(|cell| cell.from.as_ref() == *tier || cell.to.as_ref() == *tier);
        let tiers: Vec<Option<&String>> = std::iter::once(None).chain(ladder.tiers.iter().map(Some)).filter(held).collect();
        let header: Vec<String> = std::iter::once("before \\ after".to_owned()).chain(tiers.iter().map(|tier| named(*tier))).collect();
        let rows = tiers.iter().map(|from| {
            let count = |to: &Option<&String>| cells.iter().find(|cell| cell.from.as_ref() == *from && cell.to.as_ref() == *to).map_or(0, |cell| cell.partners);
            std::iter::once(named(*from)).chain(tiers.iter().map(|to| count(to).to_string())).collect()
        });
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let numbers: Vec<usize> = (1..=tiers.len()).collect();
        text += &table(&format!("Ladder {}", ladder.ladder), &header, rows.collect(), &numbers, 0);
    }
    text
}
