//! Benefits and grants.

use std::collections::{BTreeMap, BTreeSet};

use super::Check;
use super::specificity::equally_specific;
use crate::date::{Date, Span};
use crate::document::benefit::{Benefit, BenefitKind, BenefitValue, Grant, MergeRule, RateValue, TermEffect, TermGrant};
use crate::money::Money;
use crate::region::RuleScope;

impl Check<'_> {
    /// All benefits.
    pub(super) fn benefits(&mut self) {
        let document = self.document;
        for (at, benefit) in document.benefits.iter().enumerate() {
            let path = format!("benefits[{at}]");
            self.text(benefit.name.as_deref(), format!("{path}.name"));
            self.text(benefit.description.as_deref(), format!("{path}.description"));
            let allowance = benefit.kind == BenefitKind::Allowance;
            self.out_of_place(!allowance && benefit.period.is_some(), format!("{path}.period"), "only an ALLOWANCE has a period");
            self.out_of_place(!allowance && benefit.prorated, format!("{path}.prorated"), "only an ALLOWANCE is prorated");
            self.out_of_place(!allowance && benefit.overage_price.is_some(), format!("{path}.overagePrice"), "only an ALLOWANCE has an overage price");
            if benefit.kind == BenefitKind::Level {
                self.not_empty(&benefit.levels, format!("{path}.levels"), "level, lowest first");
                self.no_repetition(&benefit.levels, &format!("{path}.levels"));
                if benefit.merge == MergeRule::Sum {
                    self.fault("OUT_OF_PLACE", format!("{path}.merge"), "levels do not add up: write MOST_GENEROUS or STRICT");
                }
            } else {
                self.out_of_place(!benefit.levels.is_empty(), format!("{path}.levels"), "only a LEVEL has levels");
            }
        }
    }

    /// All grants.
    pub(super) fn grants(&mut self) {
        let document = self.document;
        for (at, grant) in document.grants.iter().enumerate() {
            let path = format!("grants[{at}]");
            self.benefit_key(&grant.benefit, format!("{path}.benefit"));
            if grant.tier.is_some() || grant.ladder.is_some() {
                self.tier_of(grant.ladder.as_deref(), grant.tier.as_deref(), &path);
            }
            self.rule_scope(grant_scope(grant), &path);
            self.span(grant.from, grant.until, &path);
            self.benefit_value_of(&grant.benefit, &grant.value, &format!("{path}.value"));
            if let Some(condition) = &grant.condition {
                let path = format!("{path}.condition");
                self.requirement_if(condition.requirement.as_ref(), &format!("{path}.requirement"));
                if let Some(benefit) = &condition.benefit {
                    self.benefit_key(benefit, format!("{path}.benefit"));
                }
                if let Some(template) = condition.contract.as_ref().and_then(|contract| contract.template.as_ref()) {
                    self.template(template, format!("{path}.contract.template"));
                }
            }
        }
        self.ambiguous_grants();
        self.benefit_cycles();
    }

    /// Two grants of one benefit and tier that somebody finds equally specific on some day.
    fn ambiguous_grants(&mut self) {
        let document = self.document;
        let mut groups: BTreeMap<Place<'_>, Vec<usize>> = BTreeMap::new();
        for (at, grant) in document.grants.iter().enumerate() {
            let ladder = self.names.ladder(grant.ladder.as_deref()).map(|ladder| ladder.key.as_str());
            groups.entry((&grant.benefit, ladder, grant.tier.as_deref())).or_default().push(at);
        }
        for members in groups.into_values() {
            for (index, at) in members.iter().enumerate() {
                let Some(grant) = document.grants.get(*at) else { continue };
                let clash = members.iter().take(index).find(|earlier| {
                    let earlier = document.grants.get(**earlier);
                    earlier.is_some_and(|earlier| overlap(earlier, grant) && equally_specific(&self.names.geography, grant_scope(earlier), grant_scope(grant)))
                });
                if let Some(earlier) = clash {
                    let message =
                        format!("some partners would find this grant and grants[{earlier}] equally specific: take one away, or make one more specific");
                    self.fault("EQUALLY_SPECIFIC", format!("grants[{at}]"), message);
                }
            }
        }
    }

    /// Benefits whose grants wait for each other.
    fn benefit_cycles(&mut self) {
        let document = self.document;
        let mut waits: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for grant in &document.grants {
            if let Some(needed) = grant.condition.as_ref().and_then(|condition| condition.benefit.as_deref()) {
                waits.entry(&grant.benefit).or_default().insert(needed);
            }
        }
        let nodes: Vec<String> = waits.keys().map(|key| (*key).to_owned()).collect();
        let edges = |node: &str| waits.get(node).into_iter().flatten().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        for cycle in super::cycle::cycles(&nodes, edges) {
            let first = cycle.first().cloned().unwrap_or_default();
            let at = document
                .grants
                .iter()
                .position(|grant| grant.benefit == first && grant.condition.as_ref().is_some_and(|condition| condition.benefit.is_some()));
            let path = format!("grants[{}].condition.benefit", at.unwrap_or_default());
            self.fault("CYCLE", path, format!("these benefits wait for each other: {}", cycle.join(" -> ")));
        }
    }

    /// What a contract or an exception does to a benefit.
    pub(super) fn term_grant(&mut self, term: &TermGrant, path: &str) {
        self.benefit_key(&term.benefit, format!("{path}.benefit"));
        match (&term.value, term.effect) {
            (Some(_), TermEffect::Remove) => self.out_of_place(true, format!("{path}.value"), "a removal gives nothing"),
            (None, TermEffect::Add | TermEffect::Replace) => {
                self.fault("MISSING_MEMBER", format!("{path}.value"), "say what is given, or write `effect: REMOVE`")
            }
            (Some(value), _) => self.benefit_value_of(&term.benefit, value, &format!("{path}.value")),
            (None, TermEffect::Remove) => {}
        }
    }

    /// A value of the benefit of that key.
    pub(super) fn benefit_value_of(&mut self, benefit: &str, value: &BenefitValue, path: &str) {
        let document = self.document;
        if let Some(benefit) = document.benefits.iter().find(|known| known.key == benefit) {
            self.benefit_value(benefit, value, path);
        }
    }

    fn benefit_value(&mut self, benefit: &Benefit, value: &BenefitValue, path: &str) {
        let fits = matches!(
            (benefit.kind, value),
            (BenefitKind::Access, BenefitValue::Access(_))
                | (BenefitKind::Allowance, BenefitValue::Allowance(_) | BenefitValue::Unlimited {})
                | (BenefitKind::Rate, BenefitValue::Rate(_) | BenefitValue::Unlimited {})
                | (BenefitKind::Level, BenefitValue::Level(_))
                | (BenefitKind::Money, BenefitValue::Money(_) | BenefitValue::Unlimited {})
        );
        if !fits {
            let (kind, example) = kind_example(benefit.kind);
            return self.fault("WRONG_KIND", path, format!("the benefit `{}` is of kind {kind}: write `{{{example}}}`", benefit.key));
        }
        match value {
            BenefitValue::Level(level) => {
                self.reference(&format!("level of `{}`", benefit.key), level, format!("{path}.level"), benefit.levels.iter().map(String::as_str));
            }
            BenefitValue::Rate(rate) => self.rate_value(rate, &format!("{path}.rate")),
            BenefitValue::Allowance(number) => self.not_negative(number.clone(), format!("{path}.allowance")),
            BenefitValue::Money(number) => {
                self.not_negative(number.clone(), format!("{path}.money"));
                let currency = benefit.currency.unwrap_or(self.document.program.currency);
                if Money::parse(&number.to_string(), currency).is_err() {
                    self.fault("TOO_MANY_DECIMALS", format!("{path}.money"), format!("an amount in {currency} has at most {} decimals", currency.decimals()));
                }
            }
            BenefitValue::Access(_) | BenefitValue::Unlimited {} => {}
        }
    }

    /// A number of a rule that is zero or more.
    pub(super) fn not_negative(&mut self, number: crate::money::Number, path: impl Into<String>) {
        if number.0.is_negative() {
            self.fault("OUT_OF_RANGE", path, "write zero or more");
        }
    }

    fn rate_value(&mut self, value: &RateValue, path: &str) {
        if value.rate.is_none() && value.rows.is_empty() {
            self.fault("EMPTY_LIST", path, "write `rate`, or at least one row");
        }
        self.out_of_place(value.cap_per.is_some() && value.cap.is_none(), format!("{path}.capPer"), "there is no `cap`");
        for (index, row) in value.rows.iter().enumerate() {
            let path = format!("{path}.rows[{index}]");
            if row.product.is_none() && row.category.is_none() && row.deal_type.is_none() {
                self.fault("NO_SCOPE", &path, "a row is for a product, a category or a deal type: name one, or write `rate` beside the rows");
            }
            if let Some(category) = &row.category {
                self.category(category, format!("{path}.category"));
            }
            self.out_of_place(row.cap_per.is_some() && row.cap.is_none(), format!("{path}.capPer"), "there is no `cap`");
            let same = |other: &&crate::document::benefit::RateRow| {
                (&other.product, &other.category, &other.deal_type) == (&row.product, &row.category, &row.deal_type)
            };
            if value.rows.iter().take(index).any(|other| same(&other)) {
                self.fault("EQUALLY_SPECIFIC", &path, "another row is for the same: take one away");
            }
        }
    }
}

/// What a grant gives to whom: benefit, ladder, tier.
type Place<'d> = (&'d str, Option<&'d str>, Option<&'d str>);

fn grant_scope(grant: &Grant) -> RuleScope<'_> {
    RuleScope { region: grant.region.as_deref(), region_group: grant.region_group.as_deref(), partner_types: &grant.partner_types, tracks: &[] }
}

fn overlap(first: &Grant, second: &Grant) -> bool {
    let span = |grant: &Grant| Span::new(grant.from.unwrap_or(Date::MIN), grant.until.unwrap_or(Date::MAX));
    !span(first).intersect(span(second)).is_empty()
}

const fn kind_example(kind: BenefitKind) -> (&'static str, &'static str) {
    match kind {
        BenefitKind::Access => ("ACCESS", "access: true"),
        BenefitKind::Allowance => ("ALLOWANCE", "allowance: 10"),
        BenefitKind::Rate => ("RATE", "rate: {rate: 5 %}"),
        BenefitKind::Level => ("LEVEL", "level: NAME"),
        BenefitKind::Money => ("MONEY", "money: 1000"),
    }
}
