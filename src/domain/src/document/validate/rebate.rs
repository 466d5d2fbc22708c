//! Rebate schedules: what they name. What their bands and bounds must satisfy is asked by the rebate engine's own check.

use super::Check;
use super::measure::Bound;
use super::unit::Held;
use crate::date::Span;
use crate::document::metric::{Operand, Source, Unit};
use crate::document::rebate::{Baseline, Basis, Method, PeriodRule, RebateSchedule, ScheduleScope, StackingRule, TargetPay};
use crate::document::requirement::Threshold;
use crate::document::scoped::Tiered;
use crate::period::{FiscalYear, Periods};

const NO_NAMES: Bound<'static> = &[];

const fn of_basis(basis: &Basis) -> Option<&Operand> {
    if let Basis::Metric(operand) = basis { Some(operand) } else { None }
}

/// What a method is measured against, and where it stands.
fn of_method<'s>(method: &'s Method, path: &str) -> Option<(String, &'s Operand)> {
    let (baseline, place) = match method {
        Method::Growth(growth) => (&growth.baseline, "growth.baseline"),
        Method::Target(target) => (&target.history, "target.history"),
        _ => return None,
    };
    if let Baseline::Metric(operand) = baseline { Some((format!("{path}.{place}.metric"), operand)) } else { None }
}

/// The operands whose figures a schedule computes with, by where they stand. A condition compares its own, in the program's currency.
fn operands(schedule: &RebateSchedule) -> Vec<(String, &Operand)> {
    let accrual = schedule.accrual.as_ref().and_then(|accrual| accrual.method.as_deref());
    let all = [
        of_basis(&schedule.basis).map(|operand| ("basis.metric".to_owned(), operand)),
        schedule.qualifier.as_ref().and_then(of_basis).map(|operand| ("qualifier.metric".to_owned(), operand)),
        of_method(&schedule.method, "method"),
        accrual.and_then(|method| of_method(method, "accrual.method")),
        schedule.cap.as_ref().and_then(|cap| cap.of.as_ref()).map(|operand| ("cap.of".to_owned(), operand)),
    ];
    all.into_iter().flatten().collect()
}

impl Check<'_> {
    /// All schedules, and how they stack.
    pub(super) fn rebates(&mut self) {
        let document = self.document;
        for (at, schedule) in document.rebate_schedules.iter().enumerate() {
            let path = format!("rebateSchedules[{at}]");
            self.schedule_rule(schedule, &path);
            self.faults.0.extend(crate::rebate::check(document, schedule).0.into_iter().map(|fault| fault.within(&path)));
        }
        for (at, rule) in document.stacking.iter().enumerate() {
            self.stacking(rule, &format!("stacking[{at}]"));
        }
        self.faults.0.extend(crate::rebate::check_stacking(document).0);
        self.period_names();
    }

    /// A run settles one period by its name: two schedules mean the same days by one name.
    fn period_names(&mut self) {
        let schedules = &self.document.rebate_schedules;
        let Ok(fiscal_year) = self.document.program.fiscal_year_start.parse::<FiscalYear>() else { return };
        for (at, schedule) in schedules.iter().enumerate() {
            let PeriodRule::Custom(own) = &schedule.period else { continue };
            for (index, period) in own.iter().enumerate() {
                let span = Span::new(period.from, period.until);
                let others = schedules.iter().enumerate().filter(|(other, with)| *other < at || !matches!(with.period, PeriodRule::Custom(_)));
                let mut named = others.filter_map(|(_, other)| Some((&other.key, Periods { rule: &other.period, fiscal_year }.named(&period.name)?.span)));
                if let Some((other, other_span)) = named.find(|(_, named)| *named != span) {
                    let message = format!(
                        "`{}` is also a period of `{other}`, from {} to {}, and a run settles one period by its name: give this one another name",
                        period.name,
                        other_span.from,
                        other_span.last_day()
                    );
                    self.fault("DUPLICATE", format!("rebateSchedules[{at}].period.custom[{index}].name"), message);
                }
            }
        }
    }

    fn schedule_rule(&mut self, schedule: &RebateSchedule, path: &str) {
        self.text(schedule.name.as_deref(), format!("{path}.name"));
        self.ladder_key(schedule.ladder.as_deref(), path);
        self.schedule_scope(&schedule.scope, schedule.ladder.as_deref(), &format!("{path}.scope"));
        self.period(&schedule.period, &format!("{path}.period"));
        self.basis(&schedule.basis, &format!("{path}.basis"));
        if let Some(qualifier) = &schedule.qualifier {
            self.basis(qualifier, &format!("{path}.qualifier"));
        }
        let held = self.held_basis(schedule.qualifier.as_ref().unwrap_or_else(|| crate::rebate::basis_of(schedule)));
        self.method(&schedule.method, schedule.ladder.as_deref(), &held, &format!("{path}.method"));
        self.metric_currencies(schedule, path);
        self.requirement_if(schedule.condition.as_ref(), &format!("{path}.condition"));
        self.exchange(schedule.exchange.as_ref(), &format!("{path}.exchange"));
        self.span(schedule.from, schedule.until, path);
        let ladder = schedule.ladder.as_deref();
        let bounds = [
            ("baseCap", schedule.base_cap.as_ref()),
            ("floor.amount", schedule.floor.as_ref().map(|floor| &floor.amount)),
            ("cap.amount", schedule.cap.as_ref().and_then(|cap| cap.amount.as_ref())),
            ("guarantee.amount", schedule.guarantee.as_ref().map(|guarantee| &guarantee.amount)),
        ];
        for (name, amounts) in bounds {
            if let Some(amounts) = amounts {
                self.tiered_numbers(amounts, ladder, &format!("{path}.{name}"));
            }
        }
        if let Some(share) = schedule.cap.as_ref().and_then(|cap| cap.share.as_ref()) {
            self.tiered_rates(share, ladder, &format!("{path}.cap.share"));
        }
        if let Some(operand) = schedule.cap.as_ref().and_then(|cap| cap.of.as_ref()) {
            self.operand(operand, NO_NAMES, &format!("{path}.cap.of"), 0);
        }
        if let Some(accrual) = &schedule.accrual {
            self.not_both(&format!("{path}.accrual"), ("rate", accrual.rate.is_some()), ("method", accrual.method.is_some()));
            if let Some(rate) = &accrual.rate {
                self.tiered_rates(rate, ladder, &format!("{path}.accrual.rate"));
            }
            if let Some(method) = &accrual.method {
                self.method(method, ladder, &held, &format!("{path}.accrual.method"));
            }
        }
    }

    /// An amount that a metric measures is in the program's currency, and nothing converts it: a schedule in another one cannot use it.
    fn metric_currencies(&mut self, schedule: &RebateSchedule, path: &str) {
        let own = self.document.program.currency;
        let Some(currency) = schedule.currency.filter(|currency| *currency != own) else { return };
        for (place, operand) in operands(schedule) {
            if self.unit_of(operand) == Some(Unit::Money) {
                let message = format!(
                    "it measures an amount in {own}, the program's currency, and the schedule computes in {currency}: write what is read of the sale lines themselves, which are converted (basis amount, samePeriodLastYear, a share without `of`), or let the schedule compute in {own}"
                );
                self.fault("CURRENCY_MISMATCH", format!("{path}.{place}"), message);
            }
        }
    }

    fn schedule_scope(&mut self, scope: &ScheduleScope, ladder: Option<&str>, path: &str) {
        for (index, category) in scope.categories.iter().enumerate() {
            self.category(category, format!("{path}.categories[{index}]"));
        }
        for (index, region) in scope.regions.iter().enumerate() {
            self.region(region, format!("{path}.regions[{index}]"));
        }
        for (index, group) in scope.region_groups.iter().enumerate() {
            self.region_group(group, format!("{path}.regionGroups[{index}]"));
        }
        self.partner_types(&scope.partner_types, &format!("{path}.partnerTypes"));
        self.tiers_known(scope.tiers.iter().map(String::as_str), ladder, &format!("{path}.tiers"), false);
        self.filter(scope.filter.as_ref(), Source::Transactions, NO_NAMES, &format!("{path}.filter"));
    }

    /// The period of a schedule or an MDF rule.
    pub(super) fn period(&mut self, period: &PeriodRule, path: &str) {
        if let PeriodRule::Custom(periods) = period {
            self.custom_periods(periods, &format!("{path}.custom"));
        }
    }

    fn basis(&mut self, basis: &Basis, path: &str) {
        match basis {
            Basis::Metric(operand) => self.operand(operand, NO_NAMES, &format!("{path}.metric"), 0),
            Basis::Attribute(name) => self.text(Some(name), format!("{path}.attribute")),
            Basis::Amount | Basis::Quantity => {}
        }
    }

    /// What is known of what picks the band.
    fn held_basis(&self, basis: &Basis) -> Held {
        match basis {
            Basis::Amount => Held::of(Unit::Money),
            Basis::Quantity => Held::of(Unit::Count),
            Basis::Attribute(_) => Held::default(),
            Basis::Metric(operand) => self.held(operand),
        }
    }

    /// Edges by tier, which the qualifier is held against.
    fn edges(&mut self, edges: &Tiered<Threshold>, ladder: Option<&str>, held: &Held, path: &str) {
        self.tier_keys(edges, ladder, path);
        for (tier, edge) in edges.tiers.iter() {
            self.figure_of("the qualifier", edge, held, &format!("{path}.tiers.{tier}"));
        }
        if let Some(edge) = &edges.default {
            let path = if edges.tiers.is_empty() { path.to_owned() } else { format!("{path}.default") };
            self.figure_of("the qualifier", edge, held, &path);
        }
    }

    fn method(&mut self, method: &Method, ladder: Option<&str>, held: &Held, path: &str) {
        match method {
            Method::Flat(flat) => self.tiered_rates(&flat.rate, ladder, &format!("{path}.flat.rate")),
            Method::PerUnit(unit) => self.tiered_numbers(&unit.amount, ladder, &format!("{path}.perUnit.amount")),
            Method::PerPackage(package) => self.tiered_numbers(&package.amount, ladder, &format!("{path}.perPackage.amount")),
            Method::LumpSum(lump) => {
                for (index, target) in lump.targets.iter().enumerate() {
                    let path = format!("{path}.lumpSum.targets[{index}]");
                    self.edges(&target.at, ladder, held, &format!("{path}.at"));
                    self.tiered_numbers(&target.amount, ladder, &format!("{path}.amount"));
                }
            }
            Method::Bands(bands) => {
                for (index, band) in bands.bands.iter().enumerate() {
                    let path = format!("{path}.bands.bands[{index}]");
                    self.edges(&band.from, ladder, held, &format!("{path}.from"));
                    if let Some(to) = &band.to {
                        self.edges(to, ladder, held, &format!("{path}.to"));
                    }
                    let numbers = [("amountPerUnit", &band.amount_per_unit), ("onEntry", &band.on_entry)];
                    for (name, numbers) in numbers {
                        if let Some(numbers) = numbers {
                            self.tier_keys(numbers, ladder, &format!("{path}.{name}"));
                        }
                    }
                    if let Some(rate) = &band.rate {
                        self.tier_keys(rate, ladder, &format!("{path}.rate"));
                    }
                    if let Some(package) = &band.per_package {
                        self.tier_keys(&package.amount, ladder, &format!("{path}.perPackage.amount"));
                    }
                }
            }
            Method::Growth(growth) => {
                self.baseline(&growth.baseline, &format!("{path}.growth.baseline"));
                for (index, band) in growth.bands.iter().enumerate() {
                    let path = format!("{path}.growth.bands[{index}]");
                    if let Some(rate) = &band.rate {
                        self.tiered_rates(rate, ladder, &format!("{path}.rate"));
                    }
                    for (name, numbers) in [("amountPerUnit", &band.amount_per_unit), ("lumpSum", &band.lump_sum)] {
                        if let Some(numbers) = numbers {
                            self.tiered_numbers(numbers, ladder, &format!("{path}.{name}"));
                        }
                    }
                }
            }
            Method::Target(target) => {
                self.baseline(&target.history, &format!("{path}.target.history"));
                for (name, bound) in [("floor", &target.floor), ("cap", &target.cap)] {
                    if let Some(bound) = bound {
                        self.figure_of("the qualifier", bound, held, &format!("{path}.target.{name}"));
                    }
                }
                let path = format!("{path}.target.pays");
                match &target.pays {
                    TargetPay::LumpSum(amount) => self.tiered_numbers(amount, ladder, &format!("{path}.lumpSum")),
                    TargetPay::RateOnEverything(rate) => self.tiered_rates(rate, ladder, &format!("{path}.rateOnEverything")),
                    TargetPay::RateAboveTarget(rate) => self.tiered_rates(rate, ladder, &format!("{path}.rateAboveTarget")),
                }
            }
            Method::Fixed(fixed) => self.tiered_numbers(&fixed.amount, ladder, &format!("{path}.fixed.amount")),
            Method::FreeGoods(_) => {
                let message = "free goods are not part of this service: settle them as an amount, with one of the other methods";
                self.fault("FREE_GOODS", format!("{path}.freeGoods"), message);
            }
        }
    }

    fn baseline(&mut self, baseline: &Baseline, path: &str) {
        if let Baseline::Metric(operand) = baseline {
            self.operand(operand, NO_NAMES, &format!("{path}.metric"), 0);
        }
    }

    fn stacking(&mut self, rule: &StackingRule, path: &str) {
        match rule {
            StackingRule::BestOf(best) => {
                let path = format!("{path}.bestOf.schedules");
                for (index, key) in best.schedules.iter().enumerate() {
                    self.schedule(key, format!("{path}[{index}]"));
                }
                self.no_repetition(&best.schedules, &path);
            }
            StackingRule::Sequential(sequence) => {
                let path = format!("{path}.sequential.steps");
                for (index, step) in sequence.steps.iter().enumerate() {
                    self.schedule(&step.schedule, format!("{path}[{index}].schedule"));
                }
                self.no_repetition(&sequence.steps.iter().map(|step| step.schedule.clone()).collect::<Vec<_>>(), &path);
            }
            StackingRule::NetOf(net) => {
                let path = format!("{path}.netOf");
                self.schedule(&net.schedule, format!("{path}.schedule"));
                for (index, key) in net.of.iter().enumerate() {
                    self.schedule(key, format!("{path}.of[{index}]"));
                }
                self.no_repetition(&net.of, &format!("{path}.of"));
            }
        }
    }
}
