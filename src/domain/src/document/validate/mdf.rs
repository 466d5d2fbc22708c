//! MDF rules, contract templates and automations.

use super::Check;
use crate::document::automation::AutomationAction;
use crate::document::mdf::{Allocation, MdfRule};
use crate::document::metric::Operand;
use crate::document::scoped::Tiered;
use crate::facts::ContractTerms;
use crate::money::{Number, Rate};

impl Check<'_> {
    /// All MDF rules.
    pub(super) fn mdf_rules(&mut self) {
        let document = self.document;
        for (at, rule) in document.mdf_rules.iter().enumerate() {
            let path = format!("mdfRules[{at}]");
            self.text(rule.name.as_deref(), format!("{path}.name"));
            self.requirement_if(rule.eligible.as_ref(), &format!("{path}.eligible"));
            for (index, region) in rule.regions.iter().enumerate() {
                self.region(region, format!("{path}.regions[{index}]"));
            }
            self.period(&rule.period, &format!("{path}.period"));
            self.allocation(rule, &format!("{path}.allocation"));
            if let Some(rates) = &rule.claims.match_rate {
                self.tiered_rates(rates, None, &format!("{path}.claims.matchRate"));
            }
            self.not_both(&format!("{path}.carryOver"), ("all", rule.carry_over.all), ("maximum", rule.carry_over.maximum.is_some()));
        }
    }

    fn allocation(&mut self, rule: &MdfRule, path: &str) {
        match &rule.allocation {
            Allocation::FixedByTier(fixed) => self.tiered_numbers(&fixed.amount, None, &format!("{path}.fixedByTier.amount")),
            Allocation::PercentOfSales(percent) => {
                let path = format!("{path}.percentOfSales");
                self.operand(&percent.sales, &[], &format!("{path}.sales"), 0);
                if let Operand::Metric(key) = &percent.sales
                    && self.names.unit(key).is_some_and(|unit| unit != crate::document::metric::Unit::Money)
                {
                    self.fault("UNIT_MISMATCH", format!("{path}.sales.metric"), "sales are a metric of unit MONEY");
                }
                self.tiered_rates(&percent.rate, None, &format!("{path}.rate"));
                if let Some(cap) = &percent.cap {
                    self.tiered_numbers(cap, None, &format!("{path}.cap"));
                }
            }
            Allocation::WeightedPool(pool) => {
                let path = format!("{path}.weightedPool");
                self.text(Some(&pool.budget), format!("{path}.budget"));
                self.tiered_numbers(&pool.weight, None, &format!("{path}.weight"));
                if let Some(metric) = &pool.metric {
                    self.operand(metric, &[], &format!("{path}.metric"), 0);
                }
                if let (Some(floor), Some(cap)) = (pool.floor.clone(), pool.cap.clone())
                    && cap < floor
                {
                    self.fault("OUT_OF_RANGE", format!("{path}.cap"), format!("the cap lies below the floor of {floor}: correct one of them"));
                }
            }
            Allocation::ShareOfRebate(share) => {
                let path = format!("{path}.shareOfRebate");
                for (index, schedule) in share.schedules.iter().enumerate() {
                    self.schedule(schedule, format!("{path}.schedules[{index}]"));
                }
                self.fraction(share.share.clone(), &format!("{path}.share"));
            }
            Allocation::Proposal(proposal) => self.text(Some(&proposal.budget), format!("{path}.proposal.budget")),
        }
    }

    fn fraction(&mut self, rate: Rate, path: &str) {
        if rate.0.is_negative() || rate.0 > crate::exact::Exact::ONE {
            self.fault("OUT_OF_RANGE", path, "a part lies between 0 % and 100 %");
        }
    }

    /// Amounts by tier.
    pub(super) fn tiered_numbers(&mut self, tiered: &Tiered<Number>, ladder: Option<&str>, path: &str) {
        self.tier_keys(tiered, ladder, path);
        for number in tiered.tiers.values().chain(&tiered.default) {
            self.not_negative(number.clone(), path);
        }
    }

    /// Rates by tier.
    pub(super) fn tiered_rates(&mut self, tiered: &Tiered<Rate>, ladder: Option<&str>, path: &str) {
        self.tier_keys(tiered, ladder, path);
        for rate in tiered.tiers.values().chain(&tiered.default) {
            if rate.0.is_negative() {
                self.fault("OUT_OF_RANGE", path, "write zero or more");
            }
        }
    }

    /// Tiers that a value by tier names.
    pub(super) fn tier_keys<T>(&mut self, tiered: &Tiered<T>, ladder: Option<&str>, path: &str) {
        if tiered.default.is_none() && tiered.tiers.is_empty() {
            self.fault("EMPTY_LIST", path, "write `default`, or at least one tier");
        }
        self.tiers_known(tiered.tiers.keys().map(String::as_str), ladder, &format!("{path}.tiers"), true);
    }

    /// Tiers of a ladder. `keyed`: the path goes on with the tier itself.
    pub(super) fn tiers_known<'k>(&mut self, tiers: impl Iterator<Item = &'k str>, ladder: Option<&str>, path: &str, keyed: bool) {
        for (index, tier) in tiers.enumerate() {
            let path = if keyed { format!("{path}.{tier}") } else { format!("{path}[{index}]") };
            match self.names.ladder(ladder) {
                Some(found) => self.tier_reference(found, tier, path),
                None if ladder.is_none() => self.fault("UNKNOWN_KEY", path, format!("there is no tier `{tier}`: the document has no main ladder")),
                None => {}
            }
        }
    }

    /// All contract templates.
    pub(super) fn contract_templates(&mut self) {
        let document = self.document;
        for (at, template) in document.contract_templates.iter().enumerate() {
            let path = format!("contractTemplates[{at}]");
            self.text(template.name.as_deref(), format!("{path}.name"));
            self.ladder_key(template.ladder.as_deref(), &path);
            self.tiers_known(template.tiers.iter().map(String::as_str), template.ladder.as_deref(), &format!("{path}.tiers"), false);
            for (index, region) in template.regions.iter().enumerate() {
                self.region(region, format!("{path}.regions[{index}]"));
            }
            self.partner_types(&template.partner_types, &format!("{path}.partnerTypes"));
            self.at_least_one(template.term_months.unwrap_or(1), format!("{path}.termMonths"));
            self.contract_terms(&template.terms, &format!("{path}.terms"));
        }
    }

    /// A ladder that may be named.
    pub(super) fn ladder_key(&mut self, ladder: Option<&str>, path: &str) {
        if let Some(ladder) = ladder {
            let document = self.document;
            self.reference("ladder", ladder, format!("{path}.ladder"), document.ladders.iter().map(|known| known.key.as_str()));
        }
    }

    /// The terms of a contract.
    pub(super) fn contract_terms(&mut self, terms: &ContractTerms, path: &str) {
        let document = self.document;
        for (index, term) in terms.grants.iter().enumerate() {
            self.term_grant(term, &format!("{path}.grants[{index}]"));
        }
        for (index, term) in terms.rebate_rates.iter().enumerate() {
            let path = format!("{path}.rebateRates[{index}]");
            self.schedule(&term.schedule, format!("{path}.schedule"));
            let ladder = document.rebate_schedules.iter().find(|schedule| schedule.key == term.schedule).and_then(|schedule| schedule.ladder.as_deref());
            self.tiered_rates(&term.rate, ladder, &format!("{path}.rate"));
        }
        for (index, term) in terms.thresholds.iter().enumerate() {
            let path = format!("{path}.thresholds[{index}]");
            self.tier_of(Some(&term.ladder), Some(&term.tier), &path);
            self.metric_key(&term.metric, format!("{path}.metric"));
        }
        for (index, term) in terms.mdf_rates.iter().enumerate() {
            let path = format!("{path}.mdfRates[{index}].rule");
            self.reference("MDF rule", &term.rule, path, document.mdf_rules.iter().map(|rule| rule.key.as_str()));
        }
    }

    /// All automations.
    pub(super) fn automations(&mut self) {
        let document = self.document;
        for (at, automation) in document.automations.iter().enumerate() {
            let path = format!("automations[{at}]");
            self.text(Some(&automation.on), format!("{path}.on"));
            self.requirement_if(automation.condition.as_ref(), &format!("{path}.condition"));
            self.not_empty(&automation.actions, format!("{path}.actions"), "action");
            for (index, action) in automation.actions.iter().enumerate() {
                let path = format!("{path}.actions[{index}]");
                match action {
                    AutomationAction::IssueContract(template) => self.template(template, format!("{path}.issueContract")),
                    AutomationAction::Notify(notification) => self.not_empty(&notification.to, format!("{path}.notify.to"), "recipient"),
                    AutomationAction::AllocateMdf(rule) => {
                        self.reference("MDF rule", rule, format!("{path}.allocateMdf"), document.mdf_rules.iter().map(|rule| rule.key.as_str()));
                    }
                    AutomationAction::AddException(exception) => self.term_grant(&exception.grant, &format!("{path}.addException.grant")),
                }
            }
        }
    }
}
