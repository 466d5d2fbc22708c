//! The compliance report of a review, for a program: summary, moves, risks, exceptions.

use guerdon_domain::access::{Action, Resource, Scope};
use guerdon_store::{ListedStanding, PageRequest, StandingFilter, StandingOrder, StandingsOf, StoreError, StoredProgram, StoredReview, VersionHead};
use maud::{Markup, html};

use super::html::{facts, page, percent, spoken, tier};
use super::{Export, ExportKind};
use crate::app::reviews::{Moves, ReviewId, find_review, list_failures, moves_many, program_and_version, sees_everybody};
use crate::app::{App, Ctx};
use crate::error::AppError;

/// Rows of one section at most: what is longer is read in the CSV export.
const ROWS_MAX: u32 = 500;

/// Rows of a section, and how many there are in all.
struct Section {
    rows: Vec<ListedStanding>,
    total: i64,
}

struct Report {
    program: StoredProgram,
    version: VersionHead,
    review: StoredReview,
    whole: bool,
    moves: Moves,
    moved: Section,
    at_risk: Section,
    in_grace: Section,
    overridden: Section,
    awaiting: Section,
    failures: Vec<(String, String)>,
}

/// The report of a review on the partners that the caller may see.
///
/// # Errors
/// `Forbidden`; `NotFound` when there is no such review.
pub async fn export_program_report(app: &App, ctx: &Ctx, review: ReviewId) -> Result<Export, AppError> {
    let scope = ctx.require((Action::Read, Resource::Review))?;
    let review = find_review(app, ctx, review).await?.ok_or(AppError::NotFound)?;
    let (program, version) = program_and_version(app, &review).await?;
    let of = review.standings_of();
    let section = async |filter: StandingFilter, order: StandingOrder| read(app, &scope, of, filter, order).await;
    let asked = StandingFilter::default;
    let failures = list_failures(app, ctx, &review).await?;
    let report = Report {
        moves: moves_many(app, ctx, &[of]).await?.remove(&of).unwrap_or_default(),
        moved: section(StandingFilter { moved: Some(true), ..asked() }, StandingOrder::Code).await?,
        at_risk: section(StandingFilter { at_risk: Some(true), ..asked() }, StandingOrder::AtRisk).await?,
        in_grace: section(StandingFilter { in_grace: Some(true), ..asked() }, StandingOrder::Code).await?,
        overridden: section(StandingFilter { overridden: Some(true), ..asked() }, StandingOrder::Code).await?,
        awaiting: section(StandingFilter { awaiting: Some(true), ..asked() }, StandingOrder::Code).await?,
        failures: failures
            .into_iter()
            .map(|(_, code, faults)| (code, faults.0.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; ")))
            .collect(),
        whole: sees_everybody(ctx),
        program,
        version,
        review,
    };
    let title = format!("Compliance review of {} as of {}", report.program.name, report.review.as_of);
    let name = format!("compliance-{}-{}", report.program.code, report.review.as_of);
    Ok(Export::whole(&name, ExportKind::Html, page(&title, &report.body())))
}

async fn read(app: &App, scope: &Scope, review: ReviewId, filter: StandingFilter, order: StandingOrder) -> Result<Section, AppError> {
    let of = StandingsOf::Review(review);
    let read = app.store.read(async |tx| {
        let page = tx.list_standings(scope, of, &filter, order, &PageRequest::first(ROWS_MAX)).await?;
        let total = tx.count_standings(scope, of, &filter).await?;
        Ok::<_, StoreError>(Section { rows: page.rows.into_iter().map(|(_, row)| row).collect(), total })
    });
    Ok(read.await?)
}

impl Report {
    fn body(&self) -> Markup {
        html! {
            (self.head())
            (self.summary())
            (self.moved())
            (self.at_risk())
            (self.exceptions())
            footer {
                p { "Program version " (self.version.number) ", digest " (self.version.digest) ". Review " (self.review.id) "." }
                p { "Every standing behind this report is kept as it was judged; the CSV export of the review lists all of them." }
            }
        }
    }

    fn head(&self) -> Markup {
        let review = &self.review;
        let label = self.version.label.as_deref().map(|label| format!(" ({label})")).unwrap_or_default();
        let finished = review.finished_at.map_or_else(|| "not yet".to_owned(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string());
        let count = |number: i64| if self.whole { number.to_string() } else { "not shown".to_owned() };
        html! {
            header {
                h1 { "Compliance review" }
                p.lead { (self.program.name) ", as of the end of " (review.as_of) }
            }
            (facts([
                ("Program", self.program.code.clone()),
                ("Rules", format!("version {}{label}", self.version.number)),
                ("Cause", spoken(&review.cause)),
                ("Asked for by", review.created_by.clone()),
                ("Finished", finished),
                ("Partners judged", count(review.judged)),
                ("Tiers changed on record", count(review.changed)),
                ("Could not be judged", count(review.failed)),
            ]))
            @if !self.whole { p.note { "This report shows the partners that you may see." } }
        }
    }

    fn summary(&self) -> Markup {
        html! {
            h2 { "Summary" }
            table {
                thead { tr { th { "Ladder" } th { "Tier before" } th { "Tier after" } th.number { "Partners" } } }
                tbody {
                    @for (ladder, from, to, count) in &self.moves {
                        tr { td { (ladder) } td { (tier(from.as_deref())) } td { (tier(to.as_deref())) } td.number { (count) } }
                    }
                }
            }
            @if self.moves.is_empty() { p.note { "Nobody was judged." } }
        }
    }

    fn moved(&self) -> Markup {
        section("Moves", "No tier changed.", &self.moved, &["Partner", "Ladder", "From", "To", "Why"], |row| {
            html! {
                td.code { (row.code) }
                td { (ladder_of(row)) }
                td { (tier(row.from_tier.as_deref())) }
                td { (tier(row.tier.as_deref())) }
                td { (spoken(row.change.as_deref().unwrap_or_default())) }
            }
        })
    }

    fn at_risk(&self) -> Markup {
        section("At risk", "No tier is at risk before the next review.", &self.at_risk, &["Partner", "Ladder", "Tier", "Fails on", "What fails"], |row| {
            let risks: Vec<String> = row.risk.as_deref().and_then(|risk| serde_json::from_str(risk).ok()).unwrap_or_default();
            html! {
                td.code { (row.code) }
                td { (ladder_of(row)) }
                td { (tier(row.tier.as_deref())) }
                td.date { @if let Some(day) = row.at_risk_on { (day) } }
                td { @for risk in &risks { div { (risk) } } }
            }
        })
    }

    fn exceptions(&self) -> Markup {
        let dated = |what: &'static str, of: fn(&ListedStanding) -> Option<guerdon_domain::date::Date>| {
            move |row: &ListedStanding| {
                html! {
                    td.code { (row.code) }
                    td { (ladder_of(row)) }
                    td { (tier(row.tier.as_deref())) }
                    td.date { @if let Some(day) = of(row) { (what) " " (day) } }
                }
            }
        };
        html! {
            h2 { "Exceptions" }
            (part("In grace", &self.in_grace, &["Partner", "Ladder", "Tier", "Ends"], dated("lost on", |row| row.grace_until)))
            (part("Held by an override", &self.overridden, &["Partner", "Ladder", "Tier", "Ends"], dated("ends on", |row| row.overridden_until)))
            (part("Qualified, and not admitted", &self.awaiting, &["Partner", "Ladder", "Tier", "Qualified for", "Of the next tier"], |row| html! {
                td.code { (row.code) }
                td { (ladder_of(row)) }
                td { (tier(row.tier.as_deref())) }
                td { (tier(row.qualified_tier.as_deref())) }
                td { @if let Some(share) = row.next_share { (percent(share)) } }
            }))
            @if !self.failures.is_empty() {
                h3 { "Could not be judged" }
                table {
                    thead { tr { th { "Partner" } th { "Why" } } }
                    tbody { @for (code, why) in &self.failures { tr { td.code { (code) } td { (why) } } } }
                }
            }
            @if [&self.in_grace, &self.overridden, &self.awaiting].iter().all(|section| section.total == 0) && self.failures.is_empty() {
                p.note { "None." }
            }
        }
    }
}

fn ladder_of(row: &ListedStanding) -> String {
    row.region.as_deref().map_or_else(|| row.ladder.clone(), |region| format!("{} in {region}", row.ladder))
}

fn section(title: &str, none: &str, section: &Section, columns: &[&str], row: impl Fn(&ListedStanding) -> Markup) -> Markup {
    html! {
        h2 { (title) }
        @if section.total == 0 { p.note { (none) } } @else { (table(section, columns, row)) }
    }
}

fn part(title: &str, section: &Section, columns: &[&str], row: impl Fn(&ListedStanding) -> Markup) -> Markup {
    html! { @if section.total > 0 { h3 { (title) } (table(section, columns, row)) } }
}

fn table(section: &Section, columns: &[&str], row: impl Fn(&ListedStanding) -> Markup) -> Markup {
    let more = section.total - i64::try_from(section.rows.len()).unwrap_or(0);
    html! {
        table {
            thead { tr { @for column in columns { th { (column) } } } }
            tbody { @for listed in &section.rows { tr { (row(listed)) } } }
        }
        @if more > 0 { p.note { "And " (more) " more: the CSV export of the review lists all of them." } }
    }
}
