//! The compliance report of a review, for one partner: every ladder, every tier, every condition as it was judged.

use guerdon_domain::access::{Action, Resource};
use guerdon_domain::date::Date;
use guerdon_domain::exact::{Exact, spell};
use guerdon_domain::rounding::RoundingMode;
use guerdon_store::{
    ListedStanding, PageRequest, StandingFilter, StandingOrder, StandingsOf, StoreError, StoredPartner, StoredProgram, StoredReview, VersionHead,
};
use maud::{Markup, html};
use serde_json::Value;

use super::html::{facts, page, percent, spoken, tier};
use super::standings::sentences;
use super::{Export, ExportKind, whole_standing};
use crate::app::programs::compiled_in;
use crate::app::reviews::{ReviewId, find_review, program_and_version};
use crate::app::{App, Ctx};
use crate::error::AppError;

/// Ladders, and regions of them, of one partner at most.
const LADDERS_MAX: u32 = 1_000;

struct Report {
    program: StoredProgram,
    version: VersionHead,
    review: StoredReview,
    partner: StoredPartner,
    standings: Vec<(ListedStanding, Value)>,
}

/// The report of a review on one partner.
///
/// # Errors
/// `Forbidden`; `NotFound` when there is no such review or partner, when the partner is not the caller's to see, and when the review did
/// not judge it.
pub async fn export_partner_report(app: &App, ctx: &Ctx, review: ReviewId, code: &str) -> Result<Export, AppError> {
    let scope = ctx.require((Action::Read, Resource::Review))?;
    let review = find_review(app, ctx, review).await?.ok_or(AppError::NotFound)?;
    let (program, version) = program_and_version(app, &review).await?;
    let of = StandingsOf::Review(review.standings_of());
    let read = app.store.read::<_, StoreError, _>(async |tx| {
        let codes = [code.to_owned()];
        let Some(partner) = tx.partners_by_code_many(&scope, &codes).await?.remove(code) else { return Ok(None) };
        let filter = StandingFilter { partner: Some(partner.id), ..StandingFilter::default() };
        let page = tx.list_standings(&scope, of, &filter, StandingOrder::Code, &PageRequest::first(LADDERS_MAX)).await?;
        Ok(Some((partner, page)))
    });
    let (partner, page_of) = read.await?.filter(|(_, page)| !page.rows.is_empty()).ok_or(AppError::NotFound)?;
    let compiled = app.store.read(async |tx| compiled_in(app, tx, &version).await).await?;
    let read = |row: ListedStanding| whole_standing(&compiled, &row).map(|standing| (row, standing));
    let standings = page_of.rows.into_iter().map(|(_, row)| read(row)).collect::<Result<Vec<_>, AppError>>()?;
    let report = Report { program, version, review, partner, standings };
    let title = format!("{}: compliance as of {}", report.partner.name, report.review.as_of);
    let name = format!("compliance-{}-{}-{}", report.program.code, report.partner.code, report.review.as_of);
    Ok(Export::whole(&name, ExportKind::Html, page(&title, &report.body())))
}

impl Report {
    fn body(&self) -> Markup {
        let label = self.version.label.as_deref().map(|label| format!(" ({label})")).unwrap_or_default();
        html! {
            header {
                h1 { (self.partner.name) }
                p.lead { "Compliance in " (self.program.name) ", as of the end of " (self.review.as_of) }
            }
            (facts([
                ("Partner", self.partner.code.clone()),
                ("Region", self.partner.region.clone().unwrap_or_else(|| "none".to_owned())),
                ("Type", self.partner.partner_type.clone().unwrap_or_else(|| "none".to_owned())),
                ("Program", self.program.code.clone()),
                ("Rules", format!("version {}{label}", self.version.number)),
                ("Cause", spoken(&self.review.cause)),
            ]))
            @for (row, standing) in &self.standings { (ladder(row, standing)) }
            footer {
                p { "Program version " (self.version.number) ", digest " (self.version.digest) ". Review " (self.review.id) ", decided on " (self.review.as_of) "." }
                p { "As it was judged: facts that came in later are not in it." }
            }
        }
    }
}

fn ladder(row: &ListedStanding, standing: &Value) -> Markup {
    let title = row.region.as_deref().map_or_else(|| row.ladder.clone(), |region| format!("{} in {region}", row.ladder));
    let reasons: Vec<String> = list(standing.pointer("/decision/reasons")).filter_map(Value::as_str).map(spoken).collect();
    html! {
        section.ladder {
            h2 { (title) }
            div.standing {
                p { "Tier: " (tier(row.tier.as_deref())) " " span.note { (decision(row)) } }
                @if !reasons.is_empty() { p { "Why: " (reasons.join(", ")) "." } }
                @if row.qualified_tier != row.tier { p { "Its requirements are met up to: " (tier(row.qualified_tier.as_deref())) } }
                (warnings(row, standing))
                (next(row, standing))
            }
            @if standing.get("appliesTo").is_some() {
                h3 { "Who is judged in this ladder" }
                ul.tree { (node(standing.get("appliesTo").unwrap_or(&Value::Null))) }
            }
            @for judged in list(standing.get("tiers")).rev() { (tier_block(judged)) }
        }
    }
}

fn decision(row: &ListedStanding) -> String {
    let before = row.from_tier.as_deref().unwrap_or("none");
    match row.change.as_deref() {
        Some("KEPT") => "(kept)".to_owned(),
        Some("ENTERED") => "(the first decision on record)".to_owned(),
        Some("PROMOTED") => format!("(promoted from {before})"),
        Some("DEMOTED") => format!("(demoted from {before})"),
        Some("RELEASED") => "(an override ended; the rules hold it now)".to_owned(),
        Some("OVERRIDDEN") => "(an override holds it; the review found another one)".to_owned(),
        _ => String::new(),
    }
}

fn warnings(row: &ListedStanding, standing: &Value) -> Markup {
    let risks: Vec<String> = row.risk.as_deref().and_then(|risk| serde_json::from_str(risk).ok()).unwrap_or_default();
    html! {
        @if let Some(day) = row.at_risk_on {
            p { span.warn { "At risk: " } "its requirement is not met on " (day) " if nothing more comes in." @if !risks.is_empty() { " " (risks.join("; ")) "." } }
        }
        @if let Some(day) = row.grace_until { p { span.warn { "Grace period: " } "the tier is lost on " (day) " unless its requirement is met by then." } }
        @if let Some(day) = row.overridden_until {
            p { span.warn { "Held by an override " } "until " (day) @if let Some(reason) = standing.pointer("/decision/overridden/reason").and_then(Value::as_str) { ": " (reason) } "." }
        }
        @if row.awaiting { p { span.warn { "Awaits admission: " } "a higher tier is met, and nobody has invited, accepted or approved the partner." } }
    }
}

fn next(row: &ListedStanding, standing: &Value) -> Markup {
    let missing = sentences(standing.pointer("/next/gap/missing"));
    html! {
        @if let Some(next) = &row.next_tier {
            p {
                "Next tier: " (tier(Some(next))) @if let Some(share) = row.next_share { ", " (percent(share)) " met" } "."
                @if !missing.is_empty() { " Missing: " (missing) "." }
            }
        }
    }
}

fn tier_block(judged: &Value) -> Markup {
    let met = judged.get("met").and_then(Value::as_bool).unwrap_or_default();
    html! {
        section.tier-block {
            h3 { (text(judged, "tier")) " " (mark(met)) }
            @match judged.get("requirement") {
                Some(requirement) => ul.tree { (node(requirement)) },
                None => p.note { "Asks for nothing: whoever is enrolled has it." },
            }
        }
    }
}

fn mark(met: bool) -> Markup {
    if met {
        html! { span.met { "✓ met" } }
    } else {
        html! { span.unmet { "✗ not met" } }
    }
}

/// A node of a requirement with what is below it.
fn node(judged: &Value) -> Markup {
    let met = judged.get("met").and_then(Value::as_bool).unwrap_or_default();
    let kind = text(judged, "type");
    if kind == "LEAF" {
        return leaf(judged, met);
    }
    html! {
        li {
            (mark(met)) " " @if let Some(label) = judged.get("label").and_then(Value::as_str) { strong { (label) } " " }
            span.kind { (kind_of(kind, judged)) }
            ul { @for child in children(judged) { (node(child)) } }
        }
    }
}

fn leaf(judged: &Value, met: bool) -> Markup {
    let sentence = judged.pointer("/sentence/text").and_then(Value::as_str).unwrap_or_default();
    let label = judged.get("label").or_else(|| judged.get("subject")).and_then(Value::as_str).filter(|label| !sentence.starts_with(label));
    let figure = |name: &str| judged.get(name).and_then(Value::as_str).map(|value| with_unit(value, judged));
    let window = judged.get("window").filter(|window| window.is_object());
    html! {
        li {
            (mark(met)) " " @if let Some(label) = label { strong { (label) } ": " }
            (sentence)
            div.figures {
                @if let Some(required) = figure("required") { "required " (required) }
                @match figure("actual") { Some(actual) => { ", actual " (actual) }, None => ", no data" }
                @if let Some(missing) = figure("missing").filter(|_| !met) { ", missing " (missing) }
                @if let Some(window) = window { "; from " (text(window, "from")) " up to " (last_day(text(window, "until"))) }
                @if let Some(count) = judged.get("facts").and_then(Value::as_u64) { "; " (count) " facts" }
            }
        }
    }
}

/// A figure with its unit, rounded half up to two decimals: a percentage is kept as a fraction.
fn with_unit(value: &str, judged: &Value) -> String {
    let is_percent = text(judged, "unit") == "PERCENT";
    let figure = exact(value).and_then(|figure| if is_percent { figure.mul(&Exact::from_int(100)).ok() } else { Some(figure) });
    let shown =
        figure.and_then(|figure| RoundingMode::HalfUp.round_scaled(&figure, 2).ok()).map_or_else(|| value.to_owned(), |scaled| spell(scaled.into(), 2, true));
    match judged.get("currency").and_then(Value::as_str) {
        Some(currency) if text(judged, "unit") == "MONEY" => format!("{currency} {shown}"),
        _ if is_percent => format!("{shown} %"),
        _ => shown,
    }
}

/// A number as it was kept: a decimal, or a fraction where it does not end.
fn exact(text: &str) -> Option<Exact> {
    match text.split_once('/') {
        Some((numerator, denominator)) => Exact::ratio(numerator.parse().ok()?, denominator.parse().ok()?),
        None => Exact::parse(text, 28, 10).ok(),
    }
}

/// The last day of a window whose end does not belong to it.
fn last_day(until: &str) -> String {
    until.parse::<Date>().map_or_else(|_| until.to_owned(), |until| until.plus_days(-1).to_string())
}

fn kind_of(kind: &str, judged: &Value) -> String {
    let number = |name: &str| judged.get(name).and_then(Value::as_u64).unwrap_or_default();
    match kind {
        "ALL_OF" => "all of:".to_owned(),
        "ANY_OF" => "any of:".to_owned(),
        "AT_LEAST" => format!("at least {} of these, {} are met:", number("n"), number("metCount")),
        "NOT" => "not:".to_owned(),
        "SHARED" => format!("{}:", text(judged, "key")),
        "WHEN" => "asked of some partners only:".to_owned(),
        "FOR_EACH" => format!("for each {}:", text(judged, "name")),
        "STREAK" => format!("in each of the last {} periods, met in {}:", number("required"), number("actual")),
        "ON_ANY_DAY" => "on any day of a window:".to_owned(),
        other => spoken(other),
    }
}

/// What stands below a node, in the order of the document.
fn children(judged: &Value) -> Vec<&Value> {
    let mut found: Vec<&Value> = judged.get("condition").into_iter().collect();
    match judged.get("of") {
        Some(Value::Array(nodes)) => found.extend(nodes),
        Some(one @ Value::Object(_)) => found.push(one),
        _ => {}
    }
    found.extend(list(judged.get("groups")).filter_map(|group| group.get("requirement")));
    found
}

fn list(value: Option<&Value>) -> std::slice::Iter<'_, Value> {
    value.and_then(Value::as_array).map_or_else(|| [].iter(), |list| list.iter())
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
