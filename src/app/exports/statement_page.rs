//! A statement as a page for the partner's accountant: what was sold, by which rules, every step, every rounding, and how to check it.

use guerdon_domain::document::rebate::{Method, RebateSchedule, TargetPay};
use guerdon_domain::exact::Exact;
use guerdon_domain::money::Money;
use guerdon_domain::program::Program;
use guerdon_domain::rebate::{LineKind, StatedLine, StatementLine, Step};
use guerdon_domain::rounding::RoundingMode;
use guerdon_store::{PageRequest, StatementFilter, StoredPartner, StoredProgram, StoredRun, StoredStatement, VersionHead};
use maud::{Markup, html};

use super::html::{facts, page, spoken};
use super::runs::word;
use super::{Export, ExportKind};
use crate::app::disputes::{self, DisputeFilter, StoredDispute};
use crate::app::programs::get_compiled;
use crate::app::rebates::statements::{StatementId, sale_lines, statements_many};
use crate::app::{App, Ctx};
use crate::error::AppError;

/// Sale lines that are printed at most; the derivation has all of them.
const SALES_MAX: usize = 2_000;
/// Other statements and disputes that are listed at most.
const LISTED_MAX: u32 = 100;

struct Statement {
    program: StoredProgram,
    version: VersionHead,
    rules: std::sync::Arc<Program>,
    run: StoredRun,
    partner: StoredPartner,
    statement: StoredStatement,
    sales: Vec<StatementLine>,
    others: Vec<StoredStatement>,
    disputes: Vec<StoredDispute>,
}

/// A statement as a page that prints well.
///
/// # Errors
/// `Forbidden`; `NotFound` for a statement that is not there, or not the caller's to see; those of computing its sale lines.
pub async fn export_statement(app: &App, ctx: &Ctx, id: StatementId) -> Result<Export, AppError> {
    let statement = statements_many(app, ctx, &[id]).await?.remove(&id).ok_or(AppError::NotFound)?;
    let sales = sale_lines(app, ctx, id).await?;
    let all = guerdon_domain::access::Scope::All;
    let (program, version, run, partner, others) = app
        .store
        .read(async |tx| {
            let program = tx.find_program_by_id(statement.program_id).await?.ok_or(AppError::NotFound)?;
            let version = tx.versions_many(&[statement.version_id]).await?.remove(&statement.version_id).ok_or(AppError::NotFound)?;
            let run = tx.find_run(statement.run_id).await?.ok_or(AppError::NotFound)?;
            let partner = tx.partners_many(&all, &[statement.partner_id]).await?.remove(&statement.partner_id).ok_or(AppError::NotFound)?;
            let filter = StatementFilter { run: Some(run.id), partner: Some(partner.id), ..StatementFilter::default() };
            let others = tx.list_statements(&all, &filter, &PageRequest::first(LISTED_MAX)).await?;
            Ok::<_, AppError>((program, version, run, partner, others.rows.into_iter().map(|(_, one)| one).filter(|one| one.id != id).collect()))
        })
        .await?;
    let rules = get_compiled(app, ctx, statement.version_id).await?;
    let filter = DisputeFilter { statement: Some(id), ..DisputeFilter::default() };
    let request = guerdon_domain::page::PageRequest { limit: LISTED_MAX, after: None, backward: false };
    let disputes = match disputes::list_disputes(app, ctx, &filter, &request).await {
        Ok(page) => page.rows.into_iter().map(|(_, dispute)| dispute).collect(),
        Err(AppError::Forbidden) => Vec::new(),
        Err(error) => return Err(error),
    };
    let printed = Statement { program, version, rules, run, partner, statement, sales, others, disputes };
    let title = format!("Rebate statement {} {} {}", printed.partner.code, printed.statement.schedule, printed.statement.period);
    let name = format!("statement-{}-{}-{}-{}", printed.program.code, printed.partner.code, printed.statement.schedule, printed.statement.period);
    Ok(Export::whole(&name, ExportKind::Html, page(&title, &printed.body())))
}

/// A figure with separators of thousands, for people.
fn grouped(figure: &str) -> String {
    let (sign, digits) = figure.strip_prefix('-').map_or(("", figure), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return figure.to_owned();
    }
    let mut text = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// An exact figure with at most six decimals, marked where it goes on.
fn short(exact: &Exact) -> String {
    if let Some(decimal) = exact.to_decimal(6) {
        return grouped(&decimal);
    }
    let rounded = RoundingMode::HalfUp.round_scaled(exact, 6).map(|scaled| guerdon_domain::exact::spell(scaled.into(), 6, true));
    rounded.map_or_else(|_| exact.to_string(), |rounded| format!("{}…", grouped(&rounded)))
}

fn money(amount: Money) -> String {
    format!("{} {}", grouped(&amount.amount()), amount.currency)
}

/// Whether a band is paid as a fraction of the basis, so that its rate reads as a percentage.
fn is_fraction(schedule: &RebateSchedule, band: Option<i64>) -> bool {
    let at = band.and_then(|band| usize::try_from(band).ok()).unwrap_or(0);
    match &schedule.method {
        Method::Flat(_) => true,
        Method::Bands(bands) => bands.bands.get(at).is_some_and(|band| band.rate.is_some()),
        Method::Growth(growth) => growth.bands.get(at).is_some_and(|band| band.rate.is_some()),
        Method::Target(target) => !matches!(target.pays, TargetPay::LumpSum(_)),
        Method::PerUnit(_) | Method::PerPackage(_) | Method::LumpSum(_) | Method::Fixed(_) | Method::FreeGoods(_) => false,
    }
}

impl Statement {
    fn schedule(&self) -> Option<&RebateSchedule> {
        self.rules.schedule(&self.statement.schedule)
    }

    fn rate(&self, line: &StatedLine) -> String {
        let Some(rate) = &line.rate else { return String::new() };
        let fraction = self.schedule().is_some_and(|schedule| is_fraction(schedule, line.band));
        if fraction { rate.mul(&Exact::from_int(100)).map_or_else(|_| short(rate), |percent| format!("{} %", short(&percent))) } else { short(rate) }
    }

    fn body(&self) -> Markup {
        let statement = &self.statement;
        let label = self.version.label.as_deref().map(|label| format!(" ({label})")).unwrap_or_default();
        let posted = self.run.posted.as_ref().map_or_else(|| "not posted yet".to_owned(), |deed| deed.at.format("%Y-%m-%d").to_string());
        html! {
            header {
                h1 { "Rebate statement" }
                p.lead { (self.partner.name) ", " (self.program.name) ", " (statement.period) }
            }
            div.standing { p { "Amount for " (statement.period) ": " span.tier { (money(statement.amount)) } } (self.summary()) }
            (facts([
                ("Partner", self.partner.code.clone()),
                ("Schedule", self.schedule().and_then(|schedule| schedule.name.clone()).unwrap_or_else(|| statement.schedule.clone())),
                ("Period", format!("{} to {}", statement.span.from, statement.span.last_day())),
                ("Tier", statement.tier.clone().unwrap_or_else(|| "none".to_owned())),
                ("Sales that count", short(&statement.basis)),
                ("Measured for the bands", short(&statement.qualifier)),
                ("Rules", format!("{} version {}{label}", self.program.code, self.version.number)),
                ("Run", format!("{} run of {}, {}", spoken(&word(&self.run.kind)), self.run.period, spoken(&word(&self.run.state)))),
                ("Posted", posted),
            ]))
            (self.line_table())
            (self.step_table())
            (self.sale_table())
            (self.other_table())
            (self.dispute_table())
            (self.proof())
        }
    }

    fn summary(&self) -> Markup {
        let one = &self.statement;
        html! {
            @if one.before.minor != 0 || one.carried.minor != 0 {
                p {
                    "The period is worth " (money(one.entitled)) ". " (money(one.before)) " of it was stated before; the difference is " (money(one.difference)) "."
                    @if one.carried.minor < 0 { " " (money(Money::new(one.carried.minor.saturating_neg(), one.carried.currency))) " is set off against it." }
                    @if one.carried.minor > 0 { " " (money(one.carried)) " is held back and set off against later statements." }
                }
            }
        }
    }

    fn line_table(&self) -> Markup {
        let currency = self.statement.amount.currency;
        html! {
            h2 { "How the amount is made up" }
            table {
                thead { tr { th { "Line" } th { "Band" } th { "Tier" } th.number { "Paid on" } th.number { "Rate" } th.number { "Exactly" } th.number { "Amount, " (currency) } } }
                tbody {
                    @for line in &self.statement.lines {
                        tr {
                            td.long { (line_word(line.kind)) @if let Some(category) = &line.category { " (" (category) ")" } }
                            td.code { (band(line)) }
                            td { (line.tier.as_deref().unwrap_or("")) }
                            td.number { @if !line.base.is_zero() { (short(&line.base)) } }
                            td.number { (self.rate(line)) }
                            td.number { (short(&line.exact)) }
                            td.number { (grouped(&Money::new(line.amount, currency).amount())) }
                        }
                    }
                }
                tfoot { tr { th colspan="6" { "Amount of this statement" } th.number { (grouped(&self.statement.amount.amount())) } } }
            }
        }
    }

    fn step_table(&self) -> Markup {
        let bounds = |step: &Step| step.bound.as_ref().map(short).unwrap_or_default();
        html! {
            @if !self.statement.steps.is_empty() {
                h2 { "Step by step" }
                p.note { "Every figure is exact until the one rounding." }
                table {
                    thead { tr { th { "Step" } th.number { "Before" } th.number { "Bound" } th.number { "After" } th { "Note" } } }
                    tbody {
                        @for step in &self.statement.steps {
                            tr {
                                td { (spoken(&word(&step.step))) }
                                td.number { (short(&step.before)) }
                                td.number { (bounds(step)) }
                                td.number { (short(&step.after)) }
                                td { (step.note.as_deref().unwrap_or("")) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn sale_table(&self) -> Markup {
        let currency = self.statement.amount.currency;
        html! {
            h2 { "The sales behind it" }
            @if self.sales.is_empty() { p.none { "No sale line counts for this period." } }
            @else {
                table {
                    caption { "Each sale line with its part of what the period is worth, before budgets and corrections. The parts sum to that figure." }
                    thead { tr { th { "Date" } th { "Sale line" } th { "Category" } th { "Tier" } th.number { "Counts" } th.number { "Exactly" } th.number { "Part, " (currency) } } }
                    tbody {
                        @for sale in self.sales.iter().take(SALES_MAX) {
                            tr {
                                td.date { @if let Some(date) = sale.date { (date) } }
                                td.long { @match (&sale.source, &sale.id) { (Some(source), Some(id)) => { (source) " " (id) }, _ => { "belongs to no sale" } } }
                                td.long { (sale.category.as_deref().unwrap_or("")) }
                                td { (sale.tier.as_deref().unwrap_or("")) }
                                td.number { (short(&sale.basis)) @if let Some(rate) = &sale.exchange_rate { " at " (short(rate)) } }
                                td.number { (short(&sale.exact)) }
                                td.number { (grouped(&sale.amount.amount())) }
                            }
                        }
                    }
                }
                @if self.sales.len() > SALES_MAX { p.note { "And " (self.sales.len() - SALES_MAX) " more: the derivation has all of them." } }
            }
        }
    }

    fn other_table(&self) -> Markup {
        html! {
            @if !self.others.is_empty() {
                h2 { "Other statements of the same run" }
                table {
                    thead { tr { th { "Schedule" } th { "Period" } th.number { "Worth" } th.number { "Stated before" } th.number { "Amount" } } }
                    tbody {
                        @for one in &self.others {
                            tr {
                                td { (one.schedule) } td.code { (one.period) }
                                td.number { (money(one.entitled)) } td.number { (money(one.before)) } td.number { (money(one.amount)) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn dispute_table(&self) -> Markup {
        let figure = |dispute: &StoredDispute, minor: i64| dispute.money(minor).map(money).unwrap_or_default();
        html! {
            @if !self.disputes.is_empty() {
                h2 { "Disputes" }
                table {
                    thead { tr { th { "Opened" } th { "State" } th.number { "Claimed" } th { "Reason" } th { "Answer" } th.number { "Adjustment" } } }
                    tbody {
                        @for dispute in &self.disputes {
                            tr {
                                td.date { (dispute.opened_at.format("%Y-%m-%d")) }
                                td { (spoken(dispute.state.name())) }
                                td.number { (figure(dispute, dispute.claimed)) }
                                td { (dispute.reason) }
                                td { (dispute.answer.as_deref().unwrap_or("")) }
                                td.number { @if let Some(adjusted) = dispute.adjusted { (figure(dispute, adjusted)) " with the next run" } }
                            }
                        }
                    }
                }
            }
        }
    }

    fn proof(&self) -> Markup {
        html! {
            footer {
                p { strong { "Check it yourself. " } "The derivation of this statement holds the rules, every input and every step. " code { "guerdon verify statement FILE" } " recomputes it without a connection; it must name this content hash:" }
                p.code { (self.statement.content_hash) }
                p { "Rules: version " (self.version.number) ", digest " (self.version.digest) ". Statement " (self.statement.id) ", run " (self.run.id) "." }
            }
        }
    }
}

fn band(line: &StatedLine) -> String {
    match (line.from.clone(), line.to.clone()) {
        (Some(from), Some(to)) => format!("{} to {}", short(&from), short(&to)),
        (Some(from), None) => format!("from {}", short(&from)),
        _ => String::new(),
    }
}

const fn line_word(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Earned => "Earned",
        LineKind::Condition => "Condition not met",
        LineKind::Floor => "Topped up to the floor",
        LineKind::Cap => "Cut at the cap",
        LineKind::Cumulative => "Earlier periods of the year",
        LineKind::Guarantee => "Topped up to the guarantee",
        LineKind::CarriedPayout => "Small payout of earlier periods",
        LineKind::MinimumPayout => "Below the minimum payout",
        LineKind::BestOf => "Another schedule is better",
        LineKind::Budget => "Share of the budget",
        LineKind::Adjustment => "Agreed adjustment",
        LineKind::SetOff => "Set off",
        LineKind::CarriedForward => "Carried forward",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_and_never_silently_cut() {
        for (figure, shown) in [("0", "0"), ("999", "999"), ("1000", "1,000"), ("-1234567.50", "-1,234,567.50"), ("1/3", "1/3")] {
            assert_eq!(grouped(figure), shown);
        }
        assert_eq!(short(&Exact::ratio(1, 3).unwrap()), "0.333333…");
        assert_eq!(short(&Exact::ratio(12_345, 10).unwrap()), "1,234.5");
    }
}
