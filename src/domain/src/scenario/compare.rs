//! Expected and actual, side by side.

use std::collections::BTreeMap;

use super::{Failure, ScenarioResult, refused};
use crate::benefit::Entitlement;
use crate::date::Date;
use crate::document::benefit::BenefitValue;
use crate::document::scenario::{EntitlementExpectation, Expectation, FigureText, LadderExpectation, RebateExpectation, RunExpectation};
use crate::evaluate::Evaluation;
use crate::exact::Exact;
use crate::fault::Faults;
use crate::levelling::{LadderStanding, Standing};
use crate::money::{Currency, Money};
use crate::rebate::{PeriodResult, RunAsked, RunResult};
use crate::requirement::Gap;

/// A failure shows at most this many reasons.
const MAX_REASONS: usize = 12;

/// One partner of one scenario.
pub(super) struct Comparison<'c, 'a> {
    pub(super) evaluation: &'c Evaluation<'a>,
    pub(super) as_of: Date,
    pub(super) partner: &'c str,
    pub(super) result: &'c mut ScenarioResult,
}

impl Comparison<'_, '_> {
    /// Everything that is expected of the partner.
    pub(super) fn compare(&mut self, expectation: &Expectation) {
        if !expectation.ladders.is_empty() {
            match self.evaluation.judged(self.partner, self.as_of) {
                Ok(judged) => {
                    let told = self.evaluation.told(judged.clone());
                    expectation.ladders.iter().for_each(|ladder| self.ladder(ladder, &told, &judged));
                }
                Err(faults) => self.refused("ladders", &faults),
            }
        }
        for (key, expected) in &expectation.metrics {
            match self.evaluation.metric(key, self.partner, self.as_of) {
                Ok(value) => self.figure(&format!("metrics.{key}"), expected.as_ref(), value.value.clone()),
                Err(faults) => self.refused(&format!("metrics.{key}"), &faults),
            }
        }
        if !expectation.entitlements.is_empty() {
            match self.evaluation.entitlements(self.partner, self.as_of, None) {
                Ok(all) => expectation.entitlements.iter().for_each(|(key, expected)| self.entitlement(key, expected, &all)),
                Err(faults) => self.refused("entitlements", &faults),
            }
        }
        for rebate in &expectation.rebates {
            self.rebate(rebate);
        }
        self.runs(&expectation.runs);
    }

    fn refused(&mut self, at: &str, faults: &Faults) {
        self.result.checks += 1;
        self.result.failures.push(refused(self.partner, at, faults));
    }

    fn check(&mut self, at: &str, expected: &str, actual: &str, because: impl FnOnce() -> Vec<String>) {
        self.result.checks += 1;
        if expected != actual {
            let mut because = because();
            because.truncate(MAX_REASONS);
            let failure = Failure { partner: self.partner.to_owned(), at: at.to_owned(), expected: expected.to_owned(), actual: actual.to_owned(), because };
            self.result.failures.push(failure);
        }
    }

    /// `standing` tells what is missing by the days of the next reviews, `on_date` what is missing on the date itself.
    fn ladder(&mut self, expected: &LadderExpectation, standing: &Standing, on_date: &Standing) {
        let find = |standing: &'_ Standing| standing.ladder(expected.ladder.as_deref(), expected.region.as_deref()).cloned();
        let (Some(actual), Some(on_date)) = (find(standing), find(on_date)) else {
            let at = format!("ladders.{}", expected.ladder.as_deref().unwrap_or("main"));
            return self.check(&at, "a standing", "no such ladder or region", Vec::new);
        };
        let at = match &actual.region {
            Some(region) => format!("ladders.{}[{region}]", actual.ladder),
            None => format!("ladders.{}", actual.ladder),
        };
        let none = |tier: Option<&str>| tier.unwrap_or("NONE").to_owned();
        if let Some(tier) = &expected.tier {
            self.check(&format!("{at}.tier"), tier, &none(actual.tier.as_deref()), || why_this_tier(&actual));
        }
        if let Some(qualified) = &expected.qualified {
            self.check(&format!("{at}.qualified"), qualified, &none(actual.qualified.as_deref()), || why_this_tier(&actual));
        }
        if let Some(next) = &expected.next {
            self.check(&format!("{at}.next"), next, &none(actual.next.as_ref().map(|next| next.tier.as_str())), || why_this_tier(&actual));
        }
        let of_next = |ladder: &LadderStanding| ladder.next.as_ref().map_or_else(Gap::default, |next| next.gap.clone());
        if let Some(missing) = &expected.missing {
            self.gap(&format!("{at}.missing"), missing, [&of_next(&actual), &of_next(&on_date)]);
        }
        if let Some(missing) = &expected.missing_to_keep {
            self.gap(&format!("{at}.missingToKeep"), missing, [&actual.keep, &on_date.keep]);
        }
        if let Some(until) = expected.grace_until {
            let grace = actual.decision.grace.map_or_else(|| "no grace period".to_owned(), |grace| grace.until.to_string());
            self.check(&format!("{at}.graceUntil"), &until.to_string(), &grace, || why_this_tier(&actual));
        }
        for (tier, met) in &expected.met {
            let judged = actual.tiers.iter().find(|judged| judged.tier == *tier);
            let word = |met: bool| if met { "met" } else { "not met" };
            let because = || judged.and_then(|tier| tier.requirement.as_ref()).map_or_else(Vec::new, |judged| sentences(&Gap::of(judged, None)));
            self.check(&format!("{at}.met.{tier}"), word(*met), judged.map_or("no such tier", |judged| word(judged.met)), because);
        }
    }

    /// What is missing by the next review, or on the date itself: either is what a test may mean.
    fn gap(&mut self, at: &str, expected: &BTreeMap<String, FigureText>, [actual, on_date]: [&Gap; 2]) {
        let figures: BTreeMap<String, Exact> = expected.iter().filter_map(|(key, text)| Some((key.clone(), text.figure()?))).collect();
        let spelled = |leaves: BTreeMap<String, Option<Exact>>| {
            let parts: Vec<String> = leaves.into_iter().map(|(key, missing)| format!("{key}: {}", spell(missing))).collect();
            if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
        };
        let wanted = spelled(figures.iter().map(|(key, missing)| (key.clone(), Some(missing.clone()))).collect());
        // A gap may have several ways, and leaves may be called by label: where it is as expected, both sides read alike.
        let found = if actual.is(&figures) || on_date.is(&figures) { wanted.clone() } else { spelled(actual.by_key()) };
        self.check(at, &wanted, &found, || sentences(actual));
    }

    fn figure(&mut self, at: &str, expected: Option<&FigureText>, actual: Option<Exact>) {
        let expected = spell(expected.and_then(FigureText::figure));
        self.check(at, &expected, &spell(actual), Vec::new);
    }

    fn entitlement(&mut self, key: &str, expected: &EntitlementExpectation, all: &[Entitlement]) {
        let at = format!("entitlements.{key}");
        let Some(actual) = all.iter().find(|entitlement| entitlement.benefit == key) else {
            return self.check(&at, "a benefit of the program", "none", Vec::new);
        };
        let because = || {
            let mut reasons: Vec<String> = actual.sources.iter().map(|source| serde_json::to_string(source).unwrap_or_default()).collect();
            reasons.extend(Some(actual.unlock_text()).filter(|text| !text.is_empty()).map(|text| format!("unlocked by {text}")));
            reasons
        };
        if let Some(status) = expected.status {
            self.check(&format!("{at}.status"), &json(&status), &json(&actual.status), because);
        }
        if let Some(value) = &expected.value {
            self.check(&format!("{at}.value"), &json(value), &actual.value.as_ref().map_or_else(|| "none".to_owned(), json::<BenefitValue>), because);
        }
        if let Some(text) = &expected.unlock {
            let unlock = actual.unlock_text();
            let found = if unlock.contains(text.as_str()) { text.clone() } else { unlock };
            self.check(&format!("{at}.unlock"), text, &found, Vec::new);
        }
    }

    fn rebate(&mut self, expected: &RebateExpectation) {
        let at = format!("rebates.{}.{}", expected.schedule.as_deref().unwrap_or("all"), expected.period);
        let program = self.evaluation.program();
        let schedule = expected.schedule.as_deref().and_then(|key| program.schedule(key));
        let period = match schedule {
            Some(schedule) => program.periods(&schedule.period).named(&expected.period),
            None => program.period_named(&expected.period),
        };
        let Some(period) = period else { return self.check(&at, "a period of the schedule", "none", Vec::new) };
        match self.evaluation.rebates(self.partner, &period, None) {
            Ok(result) => self.rebate_figures(expected, &result, &at),
            Err(faults) => self.refused(&at, &faults),
        }
    }

    fn rebate_figures(&mut self, expected: &RebateExpectation, result: &PeriodResult, at: &str) {
        let entitlement = expected.schedule.as_deref().and_then(|schedule| result.of(schedule));
        let currency = entitlement.map_or(self.evaluation.program().currency(), |entitlement| entitlement.currency);
        let minor = entitlement.map_or_else(|| result.total(currency), |entitlement| entitlement.amount.minor);
        let because = || {
            let shown = result.entitlements.iter().filter(|shown| expected.schedule.as_ref().is_none_or(|schedule| shown.schedule == *schedule));
            shown
                .flat_map(|entitlement| {
                    let figures = format!(
                        "{}: basis {}, exactly {}, tier {}",
                        entitlement.schedule,
                        entitlement.basis,
                        entitlement.exact,
                        entitlement.tier.as_deref().unwrap_or("none")
                    );
                    std::iter::once(figures).chain(entitlement.bands.iter().map(json)).chain(entitlement.steps.iter().map(json))
                })
                .collect()
        };
        self.check(&format!("{at}.amount"), &money(&expected.amount.0, currency), &Money::new(minor, currency).to_string(), because);
        if let Some(exact) = &expected.exact {
            let actual = match (&expected.schedule, entitlement) {
                (Some(_), Some(entitlement)) => Some(entitlement.exact.clone()),
                (Some(_), None) => None,
                (None, _) => Exact::sum(result.entitlements.iter().map(|entitlement| &entitlement.exact)).ok(),
            };
            self.check(&format!("{at}.exact"), &spell(FigureText(exact.clone()).figure()), &spell(actual), because);
        }
    }

    fn runs(&mut self, expected: &[RunExpectation]) {
        if expected.is_empty() {
            return;
        }
        // Several expectations may look at one run.
        let mut asked: Vec<RunAsked> = Vec::new();
        for run in expected {
            let run = RunAsked { period: run.period.clone(), run_on: run.run_on };
            if !asked.contains(&run) {
                asked.push(run);
            }
        }
        match self.evaluation.runs(self.partner, &asked) {
            Ok(results) => expected.iter().for_each(|run| self.run(run, &asked, &results)),
            Err(faults) => self.refused("runs", &faults),
        }
    }

    fn run(&mut self, expected: &RunExpectation, asked: &[RunAsked], results: &[RunResult]) {
        let schedule = expected.schedule.as_deref();
        let at = format!("runs.{}.{} on {}", schedule.unwrap_or("all"), expected.period, expected.run_on);
        let place = asked.iter().position(|run| run.period == expected.period && run.run_on == expected.run_on);
        let Some(run) = place.and_then(|place| results.get(place)) else { return self.check(&at, "a run", "none", Vec::new) };
        let program = self.evaluation.program();
        let currency = schedule.and_then(|key| program.schedule(key)).and_then(|schedule| schedule.currency).unwrap_or(program.currency());
        let because = || run.schedules.iter().map(json).chain(run.postings.iter().map(json)).collect();
        let figures = [
            ("entitled", &expected.entitled, run.entitled(schedule)),
            ("postedNow", &expected.posted_now, run.posted_now(schedule)),
            ("postedTotal", &expected.posted_total, run.posted_total(schedule)),
        ];
        for (name, expected, actual) in figures {
            if let Some(expected) = expected {
                self.check(&format!("{at}.{name}"), &money(&expected.0, currency), &Money::new(actual, currency).to_string(), because);
            }
        }
    }
}

/// An expected amount as amounts are written, so that 5 and 5.00 are the same.
fn money(text: &str, currency: Currency) -> String {
    Money::parse(text, currency).map_or_else(|_| format!("{text} {currency}"), |money| money.to_string())
}

fn spell(figure: Option<Exact>) -> String {
    figure.map_or_else(|| "no data".to_owned(), |figure| figure.to_string())
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn sentences(gap: &Gap) -> Vec<String> {
    gap.missing.iter().map(|leaf| leaf.sentence().text).collect()
}

fn why_this_tier(ladder: &LadderStanding) -> Vec<String> {
    let mut reasons = Vec::new();
    if !ladder.decision.reasons.is_empty() {
        reasons.push(format!("decided by {}", json(&ladder.decision.reasons)));
    }
    for tier in &ladder.tiers {
        let word = if tier.met { "met" } else { "not met" };
        reasons.push(format!("{} is {word}", tier.tier));
        if let Some(judged) = tier.requirement.as_ref().filter(|_| !tier.met) {
            reasons.extend(sentences(&Gap::of(judged, None)).into_iter().map(|sentence| format!("  {sentence}")));
        }
    }
    reasons
}
