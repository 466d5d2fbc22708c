//! Program tests: that they can be run, and that they expect what the program can give.

use super::Check;
use crate::document::scenario::{Expectation, FigureText, LadderExpectation, Scenario};
use crate::facts::convert::{Vocabulary, convert};
use crate::money::DecimalText;
use crate::period::{FiscalYear, Periods, no_such_period, periods_holding};

impl Check<'_> {
    /// All scenarios.
    pub(super) fn scenarios(&mut self) {
        let document = self.document;
        let names: Vec<String> = document.scenarios.iter().map(|scenario| scenario.name.clone()).collect();
        for (at, name) in names.iter().enumerate() {
            if names.iter().take(at).any(|earlier| earlier == name) {
                self.fault("DUPLICATE_KEY", format!("scenarios[{at}].name"), format!("two scenarios are called {name:?}: rename one"));
            }
        }
        for (at, scenario) in document.scenarios.iter().enumerate() {
            self.scenario(scenario, &format!("scenarios[{at}]"));
        }
    }

    fn scenario(&mut self, scenario: &Scenario, path: &str) {
        self.text(Some(&scenario.name), format!("{path}.name"));
        let vocabulary = Vocabulary {
            document: self.document,
            regions: &self.names.regions,
            categories: &self.names.categories,
            main_ladder: self.names.main_ladder.map(|ladder| ladder.key.as_str()),
        };
        if let Err(faults) = convert(&scenario.facts, vocabulary) {
            self.faults.0.extend(faults.0.into_iter().map(|fault| fault.within(&format!("{path}.facts"))));
        }
        let begins = self.document.version.effective_on;
        if scenario.as_of < begins {
            self.fault("OUT_OF_RANGE", format!("{path}.asOf"), format!("the rules hold from {begins} on (version.effectiveOn): write that day or a later one"));
        }
        self.not_empty(&scenario.expect, format!("{path}.expect"), "expectation");
        let partners: Vec<&str> = scenario.facts.partners.iter().map(|partner| partner.code.as_str()).collect();
        for (at, expectation) in scenario.expect.iter().enumerate() {
            let path = format!("{path}.expect[{at}]");
            match &expectation.partner {
                Some(code) => self.reference_in("partner", "the facts", code, format!("{path}.partner"), partners.iter().copied()),
                None if partners.len() != 1 => {
                    self.fault("MISSING_MEMBER", format!("{path}.partner"), "the facts have several partners: say which one is meant")
                }
                None => {}
            }
            self.expectation(expectation, &path);
        }
    }

    fn expectation(&mut self, expectation: &Expectation, path: &str) {
        let given = [
            expectation.ladders.is_empty(),
            expectation.metrics.is_empty(),
            expectation.entitlements.is_empty(),
            expectation.rebates.is_empty(),
            expectation.runs.is_empty(),
        ];
        if given.iter().all(|is_empty| *is_empty) {
            self.fault(
                "EMPTY",
                path,
                "it expects nothing, so it cannot fail: write what the program gives (`ladders`, `metrics`, `entitlements`, `rebates`, `runs`)",
            );
        }
        for (at, ladder) in expectation.ladders.iter().enumerate() {
            self.ladder_expectation(ladder, &format!("{path}.ladders[{at}]"));
        }
        for (key, value) in &expectation.metrics {
            self.metric_key(key, format!("{path}.metrics.{key}"));
            self.figure(value.as_ref(), format!("{path}.metrics.{key}"));
        }
        for (key, entitlement) in &expectation.entitlements {
            let path = format!("{path}.entitlements.{key}");
            self.benefit_key(key, &path);
            if let Some(value) = &entitlement.value {
                self.benefit_value_of(key, value, &format!("{path}.value"));
            }
        }
        for (at, rebate) in expectation.rebates.iter().enumerate() {
            let path = format!("{path}.rebates[{at}]");
            self.period_of(rebate.schedule.as_deref(), &rebate.period, &path);
            self.decimal(Some(&rebate.amount), format!("{path}.amount"));
            if rebate.exact.as_ref().is_some_and(|exact| FigureText(exact.clone()).figure().is_none()) {
                self.fault("INVALID_DECIMAL", format!("{path}.exact"), "write a decimal such as \"1.25\" or a fraction such as \"1/3\"");
            }
        }
        for (at, run) in expectation.runs.iter().enumerate() {
            let path = format!("{path}.runs[{at}]");
            self.period_of(run.schedule.as_deref(), &run.period, &path);
            for (name, value) in [("entitled", &run.entitled), ("postedNow", &run.posted_now), ("postedTotal", &run.posted_total)] {
                self.decimal(value.as_ref(), format!("{path}.{name}"));
            }
        }
    }

    fn ladder_expectation(&mut self, expectation: &LadderExpectation, path: &str) {
        let ladder = expectation.ladder.as_deref();
        for (name, tier) in [("tier", &expectation.tier), ("qualified", &expectation.qualified), ("next", &expectation.next)] {
            if let Some(tier) = tier.as_deref().filter(|tier| *tier != "NONE") {
                self.expected_tier(ladder, tier, path, name);
            }
        }
        for tier in expectation.met.keys() {
            self.expected_tier(ladder, tier, path, &format!("met.{tier}"));
        }
        self.ladder_key(ladder, path);
        if let Some(region) = &expectation.region {
            self.region(region, format!("{path}.region"));
        }
        for (name, missing) in [("missing", &expectation.missing), ("missingToKeep", &expectation.missing_to_keep)] {
            for (key, value) in missing.iter().flatten() {
                self.figure(Some(value), format!("{path}.{name}.{key}"));
            }
        }
    }

    fn expected_tier(&mut self, ladder: Option<&str>, tier: &str, path: &str, name: &str) {
        match self.names.ladder(ladder) {
            Some(found) => self.tier_reference(found, tier, format!("{path}.{name}")),
            None if ladder.is_none() => self.fault_once("MISSING_MEMBER", format!("{path}.ladder"), "the document has no main ladder: name the ladder"),
            None => {}
        }
    }

    fn decimal(&mut self, value: Option<&DecimalText>, path: String) {
        if let Some(Err(fault)) = value.map(|value| crate::exact::Exact::parse(&value.0, 15, 10)) {
            self.fault(&fault.code, path, fault.message);
        }
    }

    fn figure(&mut self, value: Option<&FigureText>, path: String) {
        if value.is_some_and(|value| value.figure().is_none()) {
            self.fault("INVALID_DECIMAL", path, "write a decimal such as \"1.25\" or a fraction such as \"1/3\"");
        }
    }

    fn period_of(&mut self, schedule: Option<&str>, period: &str, path: &str) {
        let document = self.document;
        if let Some(key) = schedule {
            self.schedule(key, format!("{path}.schedule"));
        }
        let Ok(fiscal_year) = document.program.fiscal_year_start.parse::<FiscalYear>() else { return };
        let named = document.rebate_schedules.iter().filter(|known| schedule.is_none_or(|key| known.key == key));
        let rules = named.map(|schedule| &schedule.period);
        if rules.clone().next().is_some() && !rules.clone().any(|rule| Periods { rule, fiscal_year }.named(period).is_some()) {
            let nobody_has = schedule.map_or_else(|| "no rebate schedule has".to_owned(), |key| format!("the schedule `{key}` does not have"));
            let instead = periods_holding(rules.clone(), fiscal_year, document.version.effective_on);
            let message = no_such_period(&nobody_has, rules, instead);
            self.fault("UNKNOWN_PERIOD", format!("{path}.period"), message);
        }
    }
}
