//! What a schedule and the stacking of schedules must satisfy before they are published: nothing that two readers would compute
//! differently. That what they name exists is asked by `document::validate`.

use std::collections::BTreeSet;

use crate::document::Document;
use crate::document::rebate::{
    Band, BandScope, Bands, Basis, BelowMinimum, Cap, CapScope, Grain, Growth, GrowthMeasure, LumpSum, Method, PerPackage, RebateSchedule, StackingRule,
    TierAt, WhenExceeded,
};
use crate::document::scoped::Tiered;
use crate::exact::Exact;
use crate::fault::{Faults, join};
use crate::money::{Currency, Number};

use super::bands::pay;
use super::line::basis_of;
use super::tiered::edges_ask;

/// The tiers for which a schedule is judged: `None` stands for partners without a tier.
type TierKeys<'d> = Vec<Option<&'d str>>;

/// Everything that is ambiguous or broken in a schedule, with paths relative to it.
pub fn check(document: &Document, schedule: &RebateSchedule) -> Faults {
    let mut faults = Faults::new();
    let tiers = tiers_of(document, schedule);
    check_method(&schedule.method, schedule, &tiers, "method", &mut faults);
    if let Some(method) = schedule.accrual.as_ref().and_then(|accrual| accrual.method.as_deref()) {
        check_method(method, schedule, &tiers, "accrual.method", &mut faults);
    }
    check_options(schedule, &mut faults);
    check_budget(schedule, schedule.currency.unwrap_or(document.program.currency), &mut faults);
    check_bounds(schedule, &tiers, &mut faults);
    faults
}

fn tiers_of<'d>(document: &'d Document, schedule: &'d RebateSchedule) -> TierKeys<'d> {
    if !schedule.scope.tiers.is_empty() {
        return schedule.scope.tiers.iter().map(|tier| Some(tier.as_str())).collect();
    }
    let ladder = match &schedule.ladder {
        Some(key) => document.ladders.iter().find(|ladder| ladder.key == *key),
        None => document.ladders.iter().find(|ladder| ladder.main).or(document.ladders.first()),
    };
    let all = ladder.map_or(&[][..], |ladder| ladder.tiers.as_slice());
    std::iter::once(None).chain(all.iter().map(|tier| Some(tier.key.as_str()))).collect()
}

fn of_tier(tier: Option<&str>) -> String {
    tier.map_or_else(|| "a partner without a tier".to_owned(), |tier| format!("tier {tier}"))
}

fn check_method(method: &Method, schedule: &RebateSchedule, tiers: &TierKeys<'_>, path: &str, faults: &mut Faults) {
    let tiered = "edges that differ by tier need one tier for the period: write tierAt PERIOD_END or BEST_IN_PERIOD, or the same edges for all tiers";
    let by_line = schedule.tier_at == TierAt::TransactionDate;
    match method {
        Method::Bands(bands) => {
            let path = format!("{path}.bands");
            for (at, _) in bands.bands.iter().enumerate().filter(|(_, band)| by_line && edges_ask(band)) {
                faults.add("TIERED_EDGES", format!("{path}.bands[{at}]"), tiered);
            }
            check_bands(bands, tiers, &path, faults);
        }
        Method::LumpSum(lump) => {
            let path = format!("{path}.lumpSum");
            for (at, _) in lump.targets.iter().enumerate().filter(|(_, target)| by_line && !target.at.tiers.is_empty()) {
                faults.add("TIERED_EDGES", format!("{path}.targets[{at}].at"), tiered);
            }
            check_lump_sum(lump, tiers, &path, faults);
        }
        Method::Growth(growth) => check_growth(growth, &format!("{path}.growth"), faults),
        Method::Target(target) => {
            if let (Some(floor), Some(cap)) = (target.floor.clone(), target.cap.clone())
                && cap.value < floor.value
            {
                faults.add("CAP_BELOW_FLOOR", format!("{path}.target.cap"), "the cap of the target lies below its floor: raise it");
            }
        }
        Method::PerPackage(package) => check_package(package, &format!("{path}.perPackage"), faults),
        Method::Flat(_) | Method::PerUnit(_) | Method::Fixed(_) | Method::FreeGoods(_) => {}
    }
}

fn check_package(package: &PerPackage, path: &str, faults: &mut Faults) {
    if !package.size.0.is_positive() {
        faults.add("PACKAGE_SIZE", format!("{path}.size"), "a package holds more than nothing: write how many units it has");
    }
}

fn check_bands(bands: &Bands, tiers: &TierKeys<'_>, path: &str, faults: &mut Faults) {
    if bands.bands.is_empty() {
        faults.add("EMPTY_LIST", format!("{path}.bands"), "bands without a band earn nothing: write at least one");
    }
    for (at, band) in bands.bands.iter().enumerate() {
        check_band(bands.scope, band, &format!("{path}.bands[{at}]"), faults);
    }
    if bands.scope == BandScope::Proportional && bands.bands.last().is_some_and(|band| band.to.is_none()) {
        let message = "a band without an end is never filled, and PROPORTIONAL pays by how far a band is filled: give the last band a `to`, the figure at which its whole rate is reached";
        faults.add("OPEN_BAND", format!("{path}.bands[{}].to", bands.bands.len() - 1), message);
    }
    if bands.scope == BandScope::Linear {
        check_linear(bands, path, faults);
    }
    // One fault for an edge, however many tiers have it.
    let mut seen = BTreeSet::new();
    for tier in tiers {
        check_edges(&bands.bands, *tier, path, faults, &mut seen);
    }
}

fn check_band(scope: BandScope, band: &Band, path: &str, faults: &mut Faults) {
    let given = [("rate", band.rate.is_some()), ("amountPerUnit", band.amount_per_unit.is_some()), ("perPackage", band.per_package.is_some())];
    let pays: Vec<&str> = given.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    if pays.len() > 1 {
        faults.add("CONFLICTING_MEMBERS", path, format!("a band pays in one way: keep one of {}", pays.join(", ")));
    }
    if pays.is_empty() && band.on_entry.is_none() {
        faults.add("MISSING_RATE", path, "the band pays nothing: write a rate, amountPerUnit, perPackage or onEntry (a rate of 0 where it is to pay nothing)");
    }
    if let Some(package) = &band.per_package {
        check_package(package, &format!("{path}.perPackage"), faults);
    }
    if band.back_to_first && scope != BandScope::Marginal {
        faults.add(
            "BACK_TO_FIRST",
            format!("{path}.backToFirst"),
            "only MARGINAL bands can be paid back to the first unit: the other scopes say how bands combine",
        );
    }
}

fn check_linear(bands: &Bands, path: &str, faults: &mut Faults) {
    let kind = |band: &Band| (band.rate.is_some(), band.amount_per_unit.is_some(), band.per_package.is_some());
    for (at, pair) in bands.bands.windows(2).enumerate() {
        if let [first, second] = pair
            && (kind(first) != kind(second) || pay(first).is_none())
        {
            faults.add(
                "MIXED_PAY",
                format!("{path}.bands[{}]", at + 1),
                "a rate moves in a straight line between two rates of one kind: write both as rate, or both as amountPerUnit",
            );
        }
        if let [Band { per_package: Some(_), .. }, _] = pair {
            faults.add("MIXED_PAY", format!("{path}.bands[{at}].perPackage"), "packages have no straight line between them: write amountPerUnit");
        }
    }
}

/// Contiguous, ascending, from zero or above, for one tier.
fn check_edges(bands: &[Band], tier: Option<&str>, path: &str, faults: &mut Faults, seen: &mut BTreeSet<(String, &'static str)>) {
    let from: Vec<Option<Exact>> = bands.iter().map(|band| band.from.get(tier).map(|from| from.value.clone())).collect();
    let mut add = |at: usize, member: &str, code: &'static str, message: String| {
        let path = format!("{path}.bands[{at}].{member}");
        if seen.insert((path.clone(), code)) {
            faults.add(code, path, message);
        }
    };
    let some = from.iter().any(Option::is_some);
    for (at, own) in from.iter().enumerate() {
        match own {
            None if some => {
                add(at, "from", "BAND_GAP", format!("{} has no lower bound here, but has one in other bands: write it for all or for none", of_tier(tier)))
            }
            Some(own) if own.is_negative() => add(at, "from", "NEGATIVE_BOUND", "a band starts at zero or above".to_owned()),
            _ => {}
        }
    }
    for (at, band) in bands.iter().enumerate() {
        let Some(own) = from.get(at).cloned().flatten() else { continue };
        let next = from.get(at + 1).cloned().flatten();
        let to = band.to.as_ref().and_then(|to| to.get(tier)).map(|to| to.value.clone());
        if let Some(next) = next.clone().filter(|next| *next <= own) {
            add(
                at + 1,
                "from",
                "BAND_OVERLAP",
                format!("for {} it starts at {next}, not above the band before it ({own}): list bands in ascending order", of_tier(tier)),
            );
        }
        match (to, next) {
            (Some(to), Some(next)) if to < next => {
                add(at, "to", "BAND_GAP", format!("for {} it ends at {to} and the next band starts at {next}: what lies between has no band", of_tier(tier)));
            }
            (Some(to), Some(next)) if to > next => {
                add(
                    at,
                    "to",
                    "BAND_OVERLAP",
                    format!("for {} it ends at {to} and the next band starts at {next}: what lies between has two bands", of_tier(tier)),
                );
            }
            (Some(to), None) if to <= own => add(at, "to", "BAND_OVERLAP", format!("for {} it ends at {to}, not above its start {own}", of_tier(tier))),
            _ => {}
        }
    }
}

fn check_lump_sum(lump: &LumpSum, tiers: &TierKeys<'_>, path: &str, faults: &mut Faults) {
    if lump.targets.is_empty() {
        faults.add("EMPTY_LIST", format!("{path}.targets"), "lump sums without a target are never paid: write at least one");
    }
    for (at, pair) in lump.targets.windows(2).enumerate() {
        let [first, second] = pair else { continue };
        let falls = |tier: &Option<&str>| matches!((first.at.get(*tier), second.at.get(*tier)), (Some(first), Some(second)) if second.value <= first.value);
        if let Some(tier) = tiers.iter().find(|tier| falls(tier)) {
            faults.add(
                "BAND_OVERLAP",
                format!("{path}.targets[{}].at", at + 1),
                format!("for {} it is not above the target before it: list targets in ascending order", of_tier(*tier)),
            );
        }
    }
}

fn check_growth(growth: &Growth, path: &str, faults: &mut Faults) {
    if growth.bands.is_empty() {
        faults.add("EMPTY_LIST", format!("{path}.bands"), "growth without a band earns nothing: write at least one");
    }
    for (at, band) in growth.bands.iter().enumerate() {
        let ways = [band.rate.is_some(), band.amount_per_unit.is_some(), band.lump_sum.is_some()];
        if ways.iter().filter(|given| **given).count() != 1 {
            faults.add("CONFLICTING_MEMBERS", format!("{path}.bands[{at}]"), "write exactly one of rate, amountPerUnit and lumpSum");
        }
        if band.from.value.is_negative() {
            faults.add("NEGATIVE_BOUND", format!("{path}.bands[{at}].from"), "a band of growth starts at zero or above");
        }
        if band.from.percent && growth.measured == GrowthMeasure::Absolute {
            faults.add("UNIT_MISMATCH", format!("{path}.bands[{at}].from"), "growth is measured in units of the basis here: write a plain number");
        }
    }
    for (at, pair) in growth.bands.windows(2).enumerate() {
        if let [first, second] = pair
            && second.from.value <= first.from.value
        {
            faults.add("BAND_OVERLAP", format!("{path}.bands[{}].from", at + 1), "it does not start above the band before it: list bands in ascending order");
        }
    }
}

/// Options that exclude each other.
fn check_options(schedule: &RebateSchedule, faults: &mut Faults) {
    let metric = |basis: &Basis| matches!(basis, Basis::Metric(_));
    let whole = match &schedule.method {
        Method::Growth(_) => Some("growth"),
        Method::Target(_) => Some("a target"),
        Method::Fixed(_) => Some("a fixed sum"),
        _ => None,
    };
    let on_metric = metric(&schedule.basis) || schedule.qualifier.as_ref().is_some_and(metric);
    if schedule.grain == Grain::Line && (whole.is_some() || on_metric) {
        let what = whole.unwrap_or("a metric");
        faults.add("GRAIN_LINE", "grain", format!("{what} belongs to the period, not to a line: write grain PERIOD"));
    }
    if schedule.cumulative && (whole.is_some() || on_metric) {
        faults.add("CUMULATIVE", "cumulative", format!("{} does not run on over the fiscal year: leave cumulative out", whole.unwrap_or("a metric")));
    }
    if schedule.cumulative && schedule.carry_negative {
        faults.add("CUMULATIVE", "carryNegative", "bands that run on over the year count what is negative anyway: leave one of the two out");
    }
    if schedule.cumulative && schedule.condition.is_some() {
        let of_year = "is on the sum to date in the year, while the condition holds for each period by itself: leave it, the condition or cumulative out";
        if schedule.floor.as_ref().is_some_and(|floor| floor.unconditional) {
            faults.add("CUMULATIVE", "floor.unconditional", format!("an unconditional floor {of_year}"));
        }
        if schedule.guarantee.as_ref().is_some_and(|guarantee| guarantee.cumulative) {
            faults.add("CUMULATIVE", "guarantee.cumulative", format!("a guarantee that is cumulative {of_year}"));
        }
    }
    if schedule.cumulative && schedule.budget.as_ref().is_some_and(|budget| budget.when_exceeded != WhenExceeded::Refuse) {
        let message = "what a period of the year takes off would hang on the shares that all partners got before: write whenExceeded REFUSE, a cap, or leave cumulative out";
        faults.add("CUMULATIVE", "budget", message);
    }
    if let Some(minimum) = schedule.minimum_payout.as_ref().filter(|minimum| minimum.amount.0.is_negative()) {
        faults.add("NEGATIVE_BOUND", "minimumPayout.amount", format!("{} is below zero: write zero or more", minimum.amount));
    }
}

/// A budget is shared in minor units, so it has none but whole ones.
fn check_budget(schedule: &RebateSchedule, currency: Currency, faults: &mut Faults) {
    let Some(budget) = &schedule.budget else { return };
    if budget.amount.0.is_negative() {
        faults.add("NEGATIVE_BOUND", "budget.amount", format!("{} is below zero: write zero or more", budget.amount));
    } else if budget.amount.0.to_scaled(currency.decimals()).is_none() {
        let message = format!("an amount in {currency} has at most {} decimals: {} cannot be shared to the last part", currency.decimals(), budget.amount);
        faults.add("TOO_MANY_DECIMALS", "budget.amount", message);
    }
}

/// A cap below the floor or the guarantee is refused, tier by tier.
fn check_bounds(schedule: &RebateSchedule, tiers: &TierKeys<'_>, faults: &mut Faults) {
    let bounds: [(&str, Option<&Tiered<Number>>); 4] = [
        ("baseCap", schedule.base_cap.as_ref()),
        ("floor.amount", schedule.floor.as_ref().map(|floor| &floor.amount)),
        ("cap.amount", schedule.cap.as_ref().and_then(|cap| cap.amount.as_ref())),
        ("guarantee.amount", schedule.guarantee.as_ref().map(|guarantee| &guarantee.amount)),
    ];
    for (path, bound) in bounds {
        if bound.is_some_and(|bound| bound.default.iter().chain(bound.tiers.values()).any(|amount| amount.0.is_negative())) {
            faults.add("NEGATIVE_BOUND", path, "a bound is zero or more");
        }
    }
    if let Some(cap) = &schedule.cap {
        check_cap(cap, matches!(basis_of(schedule), Basis::Metric(_)), faults);
    }
    let Some(amount) = schedule.cap.as_ref().filter(|cap| cap.per == CapScope::Partner).and_then(|cap| cap.amount.as_ref()) else { return };
    let others = [
        ("CAP_BELOW_FLOOR", "floor", schedule.floor.as_ref().map(|floor| &floor.amount)),
        ("CAP_BELOW_GUARANTEE", "guarantee", schedule.guarantee.as_ref().map(|guarantee| &guarantee.amount)),
    ];
    for (code, name, other) in others {
        let below = |tier: &Option<&str>| matches!((amount.get(*tier), other.and_then(|other| other.get(*tier))), (Some(cap), Some(other)) if cap < other);
        if let Some(tier) = tiers.iter().find(|tier| below(tier)) {
            faults.add(code, "cap.amount", format!("for {} the cap lies below the {name}: raise the cap or lower the {name}", of_tier(*tier)));
        }
    }
    let forfeits = schedule.minimum_payout.as_ref().filter(|minimum| minimum.below == BelowMinimum::Forfeit);
    let is_below = |minimum: &Number| tiers.iter().all(|tier| amount.get(*tier).is_some_and(|cap| cap < minimum));
    if forfeits.is_some_and(|minimum| is_below(&minimum.amount)) {
        let message = "for every tier the cap lies below the minimum payout, so that whatever is earned is forfeited: raise the cap, lower the minimum, or write below CARRY";
        faults.add("CAP_BELOW_MINIMUM", "cap.amount", message);
    }
}

/// A cap says how much, and what a share is taken of is known for what the cap is for.
fn check_cap(cap: &Cap, on_metric: bool, faults: &mut Faults) {
    if cap.amount.is_none() && cap.share.is_none() {
        faults.add("MISSING_MEMBER", "cap", "the cap has no bound: write `amount`, `share`, or both");
    }
    if cap.of.is_some() && cap.share.is_none() {
        faults.add("MISSING_MEMBER", "cap.share", "`of` says what a share is taken of: write the `share` as well");
    }
    if cap.share.is_some() && cap.per != CapScope::Partner && (cap.of.is_some() || on_metric) {
        let message = "a metric is one figure for the partner and cannot be told apart by customer, subscription or line: leave out `per`";
        faults.add("OUT_OF_PLACE", "cap.per", message);
    }
}

/// Everything that is ambiguous or broken in how schedules compose, with paths from the document.
pub fn check_stacking(document: &Document) -> Faults {
    let mut faults = Faults::new();
    for (at, rule) in document.stacking.iter().enumerate() {
        let path = format!("stacking[{at}]");
        check_group(document, rule, &path, &mut faults);
        check_to_date(document, at, &path, &mut faults);
        for (schedule, place) in reduced(rule) {
            let Some(schedule) = find(document, schedule) else { continue };
            let place = join(&path, &place);
            if *basis_of(schedule) != Basis::Amount {
                faults.add("STACKING_BASIS", place.as_str(), "what others earned is taken off an amount: only a schedule with basis amount can be reduced");
            }
            if schedule.cumulative {
                faults.add(
                    "STACKING_CUMULATIVE",
                    place.as_str(),
                    "bands that run on over the fiscal year cannot be reduced: leave cumulative out, or do not reduce it",
                );
            }
        }
    }
    if let Some(key) = cycle(document) {
        faults.add(
            "STACKING_CYCLE",
            "stacking",
            format!("{key} reduces itself by way of others: a schedule can only be reduced by those that do not depend on it"),
        );
    }
    faults
}

fn find<'d>(document: &'d Document, key: &str) -> Option<&'d RebateSchedule> {
    document.rebate_schedules.iter().find(|schedule| schedule.key == key)
}

fn members(rule: &StackingRule) -> Vec<&str> {
    match rule {
        StackingRule::BestOf(rule) => rule.schedules.iter().map(String::as_str).collect(),
        StackingRule::Sequential(rule) => rule.steps.iter().map(|step| step.schedule.as_str()).collect(),
        StackingRule::NetOf(rule) => std::iter::once(&rule.schedule).chain(&rule.of).map(String::as_str).collect(),
    }
}

/// The schedules that a rule reduces, and where it says so.
fn reduced(rule: &StackingRule) -> Vec<(&str, String)> {
    match rule {
        StackingRule::BestOf(_) => Vec::new(),
        StackingRule::Sequential(rule) => {
            let reduces = |at: usize| rule.steps.iter().take(at).any(|step| step.reduces_others);
            let steps = rule.steps.iter().enumerate().filter(|(at, step)| step.is_reduced && reduces(*at));
            steps.map(|(at, step)| (step.schedule.as_str(), format!("sequential.steps[{at}].schedule"))).collect()
        }
        StackingRule::NetOf(rule) => vec![(rule.schedule.as_str(), "netOf.schedule".to_owned())],
    }
}

/// Whether what other schedules earn is taken off a schedule's basis.
pub(super) fn is_reduced(document: &Document, key: &str) -> bool {
    document.stacking.iter().flat_map(reduced).any(|(own, _)| own == key)
}

/// One currency and one calendar within a rule.
fn check_group(document: &Document, rule: &StackingRule, path: &str, faults: &mut Faults) {
    let schedules: Vec<&RebateSchedule> = members(rule).into_iter().filter_map(|key| find(document, key)).collect();
    let Some(first) = schedules.first() else { return };
    let currency = |schedule: &RebateSchedule| schedule.currency.unwrap_or(document.program.currency);
    if let Some(other) = schedules.iter().find(|schedule| currency(schedule) != currency(first)) {
        faults.add(
            "STACKING_CURRENCIES",
            path,
            format!("{} and {} compute in different currencies: schedules of one rule share a currency", first.key, other.key),
        );
    }
    if let Some(other) = schedules.iter().find(|schedule| schedule.period != first.period) {
        faults.add(
            "STACKING_PERIODS",
            path,
            format!("{} and {} are paid for different periods: schedules of one rule share their periods", first.key, other.key),
        );
    }
}

/// Schedules that run on over the fiscal year are compared by what they are worth to date: with their like, in one group, and by
/// nothing but what they earn.
fn check_to_date(document: &Document, at: usize, path: &str, faults: &mut Faults) {
    let Some(StackingRule::BestOf(rule)) = document.stacking.get(at) else { return };
    let group: Vec<(usize, &RebateSchedule)> = rule.schedules.iter().enumerate().filter_map(|(place, key)| Some((place, find(document, key)?))).collect();
    let Some((_, first)) = group.iter().find(|(_, schedule)| schedule.cumulative) else { return };
    let earlier = document.stacking.iter().take(at).filter(|rule| matches!(rule, StackingRule::BestOf(_)));
    let grouped: BTreeSet<&str> = earlier.flat_map(members).collect();
    for (place, schedule) in &group {
        let bound =
            [("minimumPayout", schedule.minimum_payout.is_some()), ("guarantee", schedule.guarantee.is_some()), ("condition", schedule.condition.is_some())];
        let bound = bound.iter().find(|(_, given)| *given).map(|(name, _)| *name);
        let message = if !schedule.cumulative {
            format!("{} runs on over the fiscal year and {} does not: a group has only schedules that are cumulative, or none", first.key, schedule.key)
        } else if let Some(bound) = bound {
            format!("the best of a group to date has no place for the {bound} of {}, which is each period's own: leave it or cumulative out", schedule.key)
        } else if grouped.contains(schedule.key.as_str()) {
            format!("{} is in another bestOf rule as well: a cumulative schedule belongs to one group", schedule.key)
        } else {
            continue;
        };
        faults.add("STACKING_CUMULATIVE", format!("{path}.bestOf.schedules[{place}]"), message);
    }
}

/// Who reduces whom.
fn reductions(document: &Document) -> Vec<(&str, &str)> {
    let mut pairs = Vec::new();
    for rule in &document.stacking {
        match rule {
            StackingRule::BestOf(_) => {}
            StackingRule::Sequential(rule) => {
                for (at, step) in rule.steps.iter().enumerate().filter(|(_, step)| step.is_reduced) {
                    pairs.extend(
                        rule.steps.iter().take(at).filter(|earlier| earlier.reduces_others).map(|earlier| (earlier.schedule.as_str(), step.schedule.as_str())),
                    );
                }
            }
            StackingRule::NetOf(rule) => pairs.extend(rule.of.iter().map(|of| (of.as_str(), rule.schedule.as_str()))),
        }
    }
    pairs
}

/// A schedule that reduces itself, directly or by way of others.
fn cycle(document: &Document) -> Option<&str> {
    let pairs = reductions(document);
    let mut reach: BTreeSet<(&str, &str)> = pairs.iter().copied().collect();
    loop {
        let further: Vec<(&str, &str)> = reach.iter().flat_map(|(a, b)| pairs.iter().filter(move |(c, _)| b == c).map(move |(_, d)| (*a, *d))).collect();
        let before = reach.len();
        reach.extend(further);
        if reach.len() == before {
            return reach.into_iter().find(|(a, b)| a == b).map(|(key, _)| key);
        }
    }
}

/// Where the result of stacking depends on the order that the document declares, in words, by path: reported on publishing.
pub fn order_dependence(document: &Document) -> Vec<(String, String)> {
    let mut notes = Vec::new();
    for (at, rule) in document.stacking.iter().enumerate() {
        if matches!(rule, StackingRule::Sequential(_)) && !reduced(rule).is_empty() {
            notes.push((format!("stacking[{at}].sequential.steps"), "another order of the steps gives other amounts".to_owned()));
        }
        let own: BTreeSet<&str> = members(rule).into_iter().collect();
        for (before, earlier) in document.stacking.iter().enumerate().take(at) {
            let shared: Vec<&str> = members(earlier).into_iter().filter(|key| own.contains(key)).collect();
            let only_best = matches!((rule, earlier), (StackingRule::NetOf(_), StackingRule::NetOf(_))) && !feeds(rule, earlier);
            if !shared.is_empty() && !only_best {
                notes.push((
                    format!("stacking[{at}]"),
                    format!("it shares {} with stacking[{before}]: the other order can give other amounts", shared.join(", ")),
                ));
            }
        }
    }
    notes
}

/// Whether what one NET_OF computes is what the other takes off.
fn feeds(rule: &StackingRule, other: &StackingRule) -> bool {
    let (StackingRule::NetOf(a), StackingRule::NetOf(b)) = (rule, other) else { return true };
    a.of.contains(&b.schedule) || b.of.contains(&a.schedule)
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
