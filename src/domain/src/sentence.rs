//! Plain language for every leaf, with the pieces as data, so that other languages can be written from them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::date::Date;
use crate::document::metric::Unit;
use crate::exact::{Exact, spell};
use crate::money::Currency;
use crate::requirement::{Compares, Judged, Leaf, LeafKind, Node, PeriodJudged, RatioGap, Spread, Unmet};
use crate::rounding::RoundingMode;

/// A sentence and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sentence {
    /// The sentence, in English.
    pub text: String,
    /// Which sentence it is: a translation has one per form.
    pub form: &'static str,
    /// What was put in, by name.
    pub pieces: BTreeMap<&'static str, String>,
}

impl Sentence {
    fn new(form: &'static str, text: String) -> Self {
        Self { text, form, pieces: BTreeMap::new() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.pieces.insert(name, value.into());
        self
    }

    fn with_some(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The sentence of a node that is judged as a whole: a streak, a NOT, groups, a day in a window.
    pub fn of_node(judged: &Judged, by: Option<Date>) -> Self {
        let name = judged.label.clone();
        let called = name.as_deref().map_or(String::new(), |name| format!("{name}: "));
        // Where nobody named the node, the only condition in it does.
        let called_by = |of: &Judged| match of.leaves().as_slice() {
            [leaf] if name.is_none() && leaf.is_named() => format!("{}: ", leaf.title()),
            _ => called.clone(),
        };
        let sentence = match &judged.node {
            Node::Streak { required, actual, periods, of } => {
                let (called, unit) = (called_by(of), period_noun(periods));
                let many = plural(unit, Exact::from_int((*required).into()));
                let by = by.map_or(String::new(), |by| format!(" by {by}"));
                let text = match (judged.met, *required) {
                    (true, 1) => format!("{called}met in the last {unit}"),
                    (true, _) => format!("{called}met in each of the last {required} {many}"),
                    (false, 1) => format!("{called}not met in the last {unit}; needed{by}"),
                    (false, _) => format!("{called}met in {actual} of the last {required} {many}; all are needed{by}"),
                };
                Self::new("STREAK", text).with("required", required.to_string()).with("actual", actual.to_string()).with("unit", unit)
            }
            Node::Not { of } => {
                if let (Some(denied), None) = (of.denied(), &name) {
                    return Self::of_node(denied, by);
                }
                let what = what_must_not_hold(of, judged.met);
                let text = match (judged.met, &of.node) {
                    (true, _) => format!("{called}must not hold and does not: {what}"),
                    // Asked only of others, so that it holds of this one.
                    (false, Node::When { of: None, .. }) => format!("{called}must not hold but counts as held: {what}"),
                    (false, _) => format!("{called}must not hold but does: {what}"),
                };
                Self::new("NOT", text).with("what", what)
            }
            Node::ForEach { name, at_least_groups, groups } => {
                let met = groups.iter().filter(|group| group.requirement.met).count();
                let (found, least) = (groups.len(), *at_least_groups as usize);
                let asked = found.max(least);
                let named = |number: usize| plural(name, Exact::from_int(i64::try_from(number).unwrap_or(i64::MAX)));
                let called = groups.first().map_or_else(|| called.clone(), |group| called_by(&group.requirement));
                let further = least.saturating_sub(found);
                let by_day = by.map_or(String::new(), |by| format!(" by {by}"));
                let text = match (asked, found) {
                    (0, _) => format!("{called}there is no {name} that it is asked for"),
                    (_, 0) => format!("{called}there is no {name} yet; {least} needed{by_day}"),
                    _ if further > 0 => format!("{called}met for {met} of {found} {}; {further} more {} needed{by_day}", named(found), named(further)),
                    _ => format!("{called}met for {met} of {asked} {}", named(asked)),
                };
                Self::new("FOR_EACH", text).with("met", met.to_string()).with("asked", asked.to_string()).with("name", name.clone())
            }
            Node::AnyOf { of, cheapest } => {
                let path = cheapest.and_then(|at| of.get(at)).and_then(|path| path.label.clone());
                let text = match (judged.met, &path) {
                    (true, Some(path)) => format!("{called}met by {path}"),
                    (true, None) => format!("{called}met by one of {} ways", of.len()),
                    (false, Some(path)) => format!("{called}none of {} ways is met; the nearest is {path}", of.len()),
                    (false, None) => format!("{called}none of {} ways is met", of.len()),
                };
                Self::new("ANY_OF", text).with("ways", of.len().to_string()).with_some("path", path)
            }
            Node::AtLeast { n, met_count, of, including } => {
                let subset = including.as_ref().map(|subset| format!(", {} of {} named ones ({} met)", subset.m, subset.items.len(), subset.met_count));
                let text = format!("{called}{met_count} of {} met; {n} needed{}", of.len(), subset.unwrap_or_default());
                let subset = including.as_ref();
                Self::new("AT_LEAST_OF", text)
                    .with("required", n.to_string())
                    .with("actual", met_count.to_string())
                    .with("of", of.len().to_string())
                    .with_some("subsetRequired", subset.map(|subset| subset.m.to_string()))
                    .with_some("subsetActual", subset.map(|subset| subset.met_count.to_string()))
            }
            Node::OnAnyDay { window, day, over, of, .. } => {
                let called = called_by(of);
                let ended = if *over { "; these days are over" } else { "" };
                let text = match (day, window) {
                    (Some(day), _) => format!("{called}met on {day}"),
                    (None, Some(window)) => format!("{called}met on no day from {} to {}{ended}", window.from, window.last_day()),
                    (None, None) => format!("{called}there is no day to be met on"),
                };
                Self::new("ON_ANY_DAY", text).with_some("day", day.map(|day| day.to_string()))
            }
            Node::Leaf(leaf) => return leaf.sentence(by),
            Node::When { applies: false, .. } => Self::new("NOT_ASKED", format!("{called}not asked of this partner")),
            Node::When { of: Some(of), .. } | Node::Shared { of, .. } if name.is_none() => return Self::of_node(of, by),
            _ => {
                let (met, all) = (judged.leaves().iter().filter(|leaf| leaf.met()).count(), judged.leaves().len());
                Self::new("ALL_OF", format!("{called}{met} of {all} conditions are met")).with("met", met.to_string()).with("all", all.to_string())
            }
        };
        sentence.with_some("label", name).with_some("by", by.map(|by| by.to_string()))
    }
}

/// What a NOT is about: what holds where it fails, and what it is called where it does not hold.
fn what_must_not_hold(of: &Judged, kept: bool) -> String {
    let leaves = of.leaves();
    match (kept, leaves.first(), leaves.iter().find(|leaf| leaf.met())) {
        (true, Some(leaf), _) => leaf.title(),
        (false, _, Some(holds)) => holds.sentence(None).text,
        _ => Sentence::of_node(of, None).text,
    }
}

/// A figure with separators of thousands and at most `decimals` digits after the point.
fn grouped(value: &Exact, decimals: u32) -> String {
    rounded(value, decimals, RoundingMode::HalfUp)
}

/// The same, rounded in a way.
fn rounded(value: &Exact, decimals: u32, mode: RoundingMode) -> String {
    let Ok(scaled) = mode.round_scaled(value, decimals) else { return value.to_string() };
    let text = spell(scaled.into(), decimals, true);
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut spaced = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            spaced.push(',');
        }
        spaced.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{sign}{spaced}.{fraction}"),
        None => format!("{sign}{spaced}"),
    }
}

/// An amount of money: whole, or with all decimals of its currency; with more where `places` asks for them.
fn money(value: &Exact, decimals: u32, places: u32) -> String {
    let text = grouped(value, places.max(decimals));
    let missing = text.split_once('.').map_or(0, |(_, fraction)| (decimals as usize).saturating_sub(fraction.len()));
    text + &"0".repeat(missing)
}

/// Figures are told with this many digits after the point, ...
const PLACES: u32 = 2;
/// ... and with as many more, up to these, as it takes to tell them apart.
const MOST_PLACES: u32 = 10;

/// How many digits after the point tell `actual` from `required` as they are: 79.996 is not told as 80 where 80 is asked.
fn places_between(actual: &Exact, required: &Exact, least: u32) -> u32 {
    let as_told = |places: u32| RoundingMode::HalfUp.round_scaled(actual, places).map(|scaled| Exact::scaled(scaled.into(), places));
    let told_apart = |places: &u32| as_told(*places).is_ok_and(|told| told.cmp(required) == actual.cmp(required));
    (least..=MOST_PLACES).find(told_apart).unwrap_or(MOST_PLACES)
}

/// What a streak counts, by the length of its whole periods.
fn period_noun(periods: &[PeriodJudged]) -> &'static str {
    let days = periods.iter().map(|judged| judged.period.days()).max().unwrap_or(0);
    match days {
        28..=31 => "month",
        89..=92 => "quarter",
        181..=184 => "half year",
        365..=366 => "year",
        _ => "period",
    }
}

/// `engineer` for one, `engineers` for others.
fn plural(noun: &str, value: Exact) -> String {
    if value == Exact::ONE {
        return noun.to_owned();
    }
    // Of a "line of business" the lines are several.
    let ends_at = [" of ", " in ", " for ", " with "].iter().filter_map(|word| noun.find(word)).min();
    if let Some((head, rest)) = ends_at.map(|at| noun.split_at(at)) {
        return format!("{}{rest}", plural(head, value));
    }
    if let Some(before) = noun.strip_suffix("person") {
        return format!("{before}people");
    }
    let consonant_y = noun.ends_with('y') && !["ay", "ey", "oy", "uy"].iter().any(|end| noun.ends_with(end));
    match noun {
        _ if consonant_y => format!("{}ies", noun.strip_suffix('y').unwrap_or(noun)),
        _ if noun.ends_with('s') || noun.ends_with('x') || noun.ends_with("ch") || noun.ends_with("sh") => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// What a ratio lacks, seen from its upper figure: of a part of a whole "2 more on 2 of 5, or 4 more on top of both", of others "10 over
/// 4; 2 more on the upper figure". What is missing is rounded up: a little less would not do.
fn ratio_words(gap: &RatioGap, is_share: bool, [upper_of, lower_of]: [Option<Currency>; 2]) -> String {
    let figure = |value: &Exact, currency| amount(value, currency, RoundingMode::HalfUp);
    let missing = |value: &Exact| amount(value, upper_of, RoundingMode::Up);
    let (more, upper, lower) = (missing(&gap.missing_numerator), figure(&gap.numerator, upper_of), figure(&gap.denominator, lower_of));
    if !is_share {
        return format!("{upper} over {lower}; {more} more on the upper figure");
    }
    let on = format!("{more} more on {upper} of {lower}");
    match &gap.missing_if_added {
        Some(added) if *added != gap.missing_numerator => format!("{on}, or {} more on top of both", missing(added)),
        _ => on,
    }
}

/// A figure of a ratio, in its currency where it is an amount.
fn amount(value: &Exact, currency: Option<Currency>, mode: RoundingMode) -> String {
    let least = currency.map_or(PLACES, Currency::decimals);
    // An amount of less than the smallest unit is one of it; what is no amount is told with as many digits as it takes.
    let places = if currency.is_some() { least } else { places_between(value, &Exact::ZERO, least) };
    let rounded = mode.round_scaled(value, places).map_or_else(|_| value.clone(), |scaled| Exact::scaled(scaled.into(), places));
    match currency {
        Some(currency) => format!("{currency} {}", money(&rounded, places, places)),
        None => grouped(&rounded, places),
    }
}

impl Leaf {
    /// How many digits after the point tell the leaf's figures apart.
    fn places(&self) -> u32 {
        let (Some(actual), Some(required)) = (self.actual.clone(), self.required.clone()) else { return PLACES };
        let hundred = Exact::from_int(100);
        match (self.unit, self.currency) {
            (Unit::Money, Some(currency)) => places_between(&actual, &required, currency.decimals()),
            (Unit::Percent, _) => places_between(&actual.mul(&hundred).unwrap_or(actual), &required.mul(&hundred).unwrap_or(required), PLACES),
            _ => places_between(&actual, &required, PLACES),
        }
    }

    /// A figure as people write it in the leaf's unit.
    fn figure(&self, value: Exact, places: u32) -> String {
        match (self.unit, self.currency) {
            (Unit::Money, Some(currency)) => format!("{currency} {}", money(&value, currency.decimals(), places)),
            (Unit::Percent, _) => format!("{} %", grouped(&value.mul(&Exact::from_int(100)).unwrap_or(value), places)),
            _ => grouped(&value, places),
        }
    }

    /// What there is, told from what is required.
    fn is(&self, actual: Exact) -> String {
        self.figure(actual, self.places())
    }

    /// Whether its noun says what is counted: it has no label, and no name but the noun.
    fn is_called_by_noun(&self) -> bool {
        let is_name = |noun: &str| self.subject.as_ref().is_some_and(|name| [noun.to_owned(), plural(noun, Exact::ZERO)].contains(&name.to_lowercase()));
        self.label.is_none() && self.unit == Unit::Count && (self.named_by_noun || self.noun.as_deref().is_some_and(|noun| is_name(&noun.to_lowercase())))
    }

    /// What is required; a rule is told as it is written.
    fn asked(&self, required: Exact) -> String {
        match self.unit {
            Unit::Duration if self.noun.is_none() => format!("{} h", self.figure(required, MOST_PLACES)),
            _ => self.figure(required, MOST_PLACES),
        }
    }

    /// With the noun of the unit.
    fn counted(&self, figure: String, value: Exact) -> String {
        match (self.unit, self.noun.as_deref()) {
            (Unit::Money | Unit::Percent, _) => figure,
            (_, Some(noun)) => format!("{figure} {}", plural(noun, value)),
            (Unit::Points, None) => format!("{figure} {}", plural("point", value)),
            (Unit::Duration, None) => format!("{figure} h"),
            _ => figure,
        }
    }

    /// What is missing, in words: percent in points. It is rounded up, since a little less would not do.
    fn missing_words(&self, missing: &Exact) -> String {
        let up = |value: &Exact| {
            let places = places_between(value, &Exact::ZERO, self.places());
            let scaled = RoundingMode::Up.round_scaled(value, places).map(|scaled| Exact::scaled(scaled.into(), places));
            (scaled.unwrap_or_else(|_| value.clone()), places)
        };
        match self.unit {
            Unit::Percent => {
                let (points, places) = up(&missing.mul(&Exact::from_int(100)).unwrap_or_else(|_| missing.clone()));
                format!("{} percentage {}", grouped(&points, places), plural("point", points))
            }
            _ => {
                let (missing, places) = up(missing);
                self.figure(missing, places)
            }
        }
    }

    /// Of which figures it is missing, where it is not the value itself.
    fn spread_words(&self) -> String {
        match self.reached.as_ref().map(|reached| &reached.spread) {
            // A value that is written in place has no name that people know.
            Some(Spread::AnyOf(names)) if !names.is_empty() && !names.iter().any(|name| crate::metric::is_operand_name(name)) => {
                format!(" ({})", names.join(" or "))
            }
            Some(Spread::Each(each)) if !each.is_empty() => {
                let each: Vec<String> = each.iter().map(|(name, missing)| format!("{name}: {}", self.missing_words(missing))).collect();
                format!(" ({})", each.join(", "))
            }
            _ => String::new(),
        }
    }

    /// Why nothing meets it any more.
    fn closed_words(&self) -> String {
        let settled = self.reached.as_ref().is_some_and(|reached| reached.settled);
        match self.window.filter(|_| settled) {
            Some(window) => format!("its days ended on {}, nothing more counts", window.last_day()),
            None => "nothing that still counts reaches it".to_owned(),
        }
    }

    /// Whether people, or the program, have a name for it: a value that is written in place has none.
    fn is_named(&self) -> bool {
        self.label.is_some() || self.subject.is_some() || self.kind != LeafKind::Metric || !crate::metric::is_operand_name(&self.key)
    }

    /// The group, as people call it.
    fn called_group(&self) -> Option<&str> {
        self.group_name.as_deref().or(self.group.as_deref())
    }

    pub(crate) fn name(&self) -> String {
        self.label.clone().or_else(|| self.subject.clone()).unwrap_or_else(|| self.key.clone())
    }

    /// The name as the subject of a sentence about it: of a contract, a tier or time served in words, not by their keys.
    fn title(&self) -> String {
        let subject = || self.subject.clone().unwrap_or_default();
        match self.kind {
            _ if self.label.is_some() => self.name(),
            LeafKind::Contract => match self.noun.clone().or_else(|| self.subject.clone()) {
                Some(name) => format!("contract {name} in force"),
                None => "a contract in force".to_owned(),
            },
            LeafKind::Tier => format!("{} in {}", self.noun.clone().unwrap_or_else(subject), self.ladder.clone().unwrap_or_else(|| self.key.clone())),
            LeafKind::Ladders => format!("{}s{}", self.counted_in_ladders(), self.level()),
            LeafKind::Tenure => format!("{} {}", self.months(self.required.clone().unwrap_or(Exact::ZERO)), self.served_in()),
            LeafKind::Partner => format!("a partner {}", subject()),
            LeafKind::Metric | LeafKind::Holding | LeafKind::Admission => self.name(),
        }
    }

    /// The leaf in plain language; `by` is the day until which what is missing is asked for.
    pub fn sentence(&self, by: Option<Date>) -> Sentence {
        let sentence = match self.kind {
            LeafKind::Metric => self.metric_sentence(by),
            LeafKind::Ladders => self.ladders_sentence(by),
            LeafKind::Tenure => self.tenure_sentence(),
            _ => self.plain_sentence(by),
        };
        let figure = |value: Option<Exact>| value.map(|value| value.to_string());
        sentence
            .with("name", self.name())
            .with("key", self.key.clone())
            .with_some("required", figure(self.required.clone()))
            .with_some("actual", figure(self.actual.clone()))
            .with_some("missing", figure(self.missing.clone()))
            .with_some("group", self.group.clone())
            .with_some("groupName", self.group_name.clone())
            .with_some("noun", self.noun.clone())
            .with_some("by", by.map(|by| by.to_string()))
            .with_some("from", self.window.map(|window| window.from.to_string()))
            .with_some("to", self.window.map(|window| window.last_day().to_string()))
    }

    fn metric_sentence(&self, by: Option<Date>) -> Sentence {
        // "3 of 5 certified engineers" says what it counts where it is called so; any other name is told, and so is what limits are about.
        let group = self.called_group().map_or(String::new(), |group| format!(" ({group})"));
        let says_all = self.compares == Compares::AtLeast || self.subject.is_none();
        let counted = says_all && self.is_called_by_noun();
        let named = if counted { String::new() } else { format!("{}{group}: ", self.name()) };
        let tail_group = if counted { group.clone() } else { String::new() };
        match (self.required.clone(), self.actual.clone()) {
            (None, _) => Sentence::new("NO_THRESHOLD", format!("{}{group}: no threshold is set for this partner", self.name())),
            (Some(required), None) => {
                let by = by.map_or(String::new(), |by| format!(" by {by}"));
                let asked = self.counted(self.figure(required.clone(), MOST_PLACES), required);
                let closed = if self.reason == Some(Unmet::Closed) { format!("; {}", self.closed_words()) } else { by };
                Sentence::new("NO_DATA", format!("{}{group}: no data yet; it must be {} {asked}{closed}", self.name(), self.comparison_words()))
            }
            (Some(required), Some(actual)) if self.met() => {
                let is = self.counted(self.is(actual.clone()), actual);
                Sentence::new("MET", format!("{named}{is}{tail_group}; {} {} is met", self.comparison_words(), self.asked(required)))
            }
            (Some(required), Some(actual)) => self.unmet_sentence(&named, &tail_group, required, actual, by),
        }
    }

    fn unmet_sentence(&self, named: &str, tail: &str, required: Exact, actual: Exact, by: Option<Date>) -> Sentence {
        let by = by.map_or(String::new(), |by| format!(" by {by}"));
        let (is, asked) = (self.counted(self.is(actual.clone()), actual.clone()), self.asked(required.clone()));
        match self.compares {
            Compares::AtLeast => {
                let of = self.counted(self.figure(required.clone(), MOST_PLACES), required.clone());
                let more = match &self.missing {
                    _ if self.reason == Some(Unmet::Closed) => self.closed_words(),
                    Some(missing) => format!("{} more needed{by}{}", self.missing_words(missing), self.spread_words()),
                    None => format!("more is needed{by}{}", self.spread_words()),
                };
                let is_share = |gap: &RatioGap| self.unit == Unit::Percent && required <= Exact::ONE && gap.numerator <= gap.denominator;
                let ratio = self.ratio.as_deref().filter(|_| self.reason != Some(Unmet::Closed));
                let ratio = ratio.map_or(String::new(), |gap| format!(" ({})", ratio_words(gap, is_share(gap), self.ratio_of)));
                Sentence::new("AT_LEAST", format!("{named}{} of {of}{tail}; {more}{ratio}", self.is(actual)))
                    .with_some("missingNumerator", self.ratio.as_deref().map(|gap| gap.missing_numerator.to_string()))
                    .with_some("missingIfAdded", self.ratio.as_deref().and_then(|gap| gap.missing_if_added.clone()).map(|missing| missing.to_string()))
            }
            compares => {
                let (form, must) = match compares {
                    Compares::Above => ("ABOVE", format!("more than {asked} is needed")),
                    Compares::AtMost => ("AT_MOST", format!("at most {asked} is allowed")),
                    Compares::Below => ("BELOW", format!("it must be under {asked}")),
                    _ => ("EQUALS", format!("it must be exactly {asked}")),
                };
                let closed = if self.reason == Some(Unmet::Closed) { format!("; {}", self.closed_words()) } else { by + &self.spread_words() };
                Sentence::new(form, format!("{named}{is}{tail}; {must}{closed}"))
            }
        }
    }

    fn comparison_words(&self) -> &'static str {
        match self.compares {
            Compares::AtLeast => "at least",
            Compares::Above => "more than",
            Compares::AtMost => "at most",
            Compares::Below => "under",
            Compares::Equals => "exactly",
        }
    }

    fn ladders_sentence(&self, by: Option<Date>) -> Sentence {
        let level = self.level();
        let (actual, required) = (self.actual.clone().unwrap_or(Exact::ZERO), self.required.clone().unwrap_or(Exact::ZERO));
        if self.met() {
            let held = format!("{} {}{level}", grouped(&actual, 0), plural(self.counted_in_ladders(), actual));
            return Sentence::new("LADDERS", format!("{held}; at least {} is met", grouped(&required, 0)));
        }
        let by = by.map_or(String::new(), |by| format!(" by {by}"));
        let more = self.missing.clone().map_or(String::new(), |missing| format!("; {} more needed{by}", grouped(&missing, 0)));
        Sentence::new("LADDERS", format!("{} of {} {}{level}{more}", grouped(&actual, 0), grouped(&required, 0), plural(self.counted_in_ladders(), required)))
    }

    /// What is counted where ladders are: qualifications, or regions.
    fn counted_in_ladders(&self) -> &str {
        self.noun.as_deref().unwrap_or("qualification")
    }

    /// The level that ladders are asked for.
    fn level(&self) -> String {
        self.subject.as_deref().map_or(String::new(), |level| format!(" at {level} or above"))
    }

    /// Where time is served.
    fn served_in(&self) -> String {
        self.subject.as_deref().map_or_else(|| "in the program".to_owned(), |tier| format!("in {tier}"))
    }

    fn months(&self, value: Exact) -> String {
        self.counted(grouped(&value, 0), value)
    }

    fn tenure_sentence(&self) -> Sentence {
        let place = self.served_in();
        let (actual, required) = (self.actual.clone().unwrap_or(Exact::ZERO), self.required.clone().unwrap_or(Exact::ZERO));
        let text = match (self.met_on, self.reason) {
            (_, Some(Unmet::NotEnrolled)) => format!("0 of {} {place}; it has not begun", self.months(required)),
            (Some(day), _) => format!("{} of {} {place}; complete on {day}", grouped(&actual, 0), self.months(required)),
            (None, _) => format!("{} {place}; at least {} is met", self.months(actual), grouped(&required, 0)),
        };
        Sentence::new("TENURE", text).with_some("metOn", self.met_on.map(|day| day.to_string()))
    }

    fn plain_sentence(&self, by: Option<Date>) -> Sentence {
        let by = by.map_or(String::new(), |by| format!(" by {by}"));
        let subject = self.subject.clone().unwrap_or_default();
        let met = self.met();
        let group = self.called_group().map_or(String::new(), |group| format!(" ({group})"));
        match self.kind {
            LeafKind::Tier => {
                let (name, ladder) = (self.noun.clone().unwrap_or(subject), self.ladder.clone().unwrap_or_else(|| self.key.clone()));
                let text = match (met, self.reason) {
                    (true, _) => format!("{name} in {ladder} is held"),
                    (false, Some(Unmet::Closed)) => format!("only for those who hold {name} in {ladder} already"),
                    (false, _) => format!("{name} in {ladder} is needed{by}"),
                };
                Sentence::new("TIER", text).with("tier", name).with("ladder", ladder)
            }
            LeafKind::Contract => {
                let name = self.noun.clone().unwrap_or(subject);
                let what = if name.is_empty() { "a contract".to_owned() } else { format!("contract {name}") };
                Sentence::new("CONTRACT", if met { format!("{what} is in force") } else { format!("{what} must be signed and in force{by}") })
            }
            LeafKind::Partner => Sentence::new("PARTNER", if met { format!("this is a partner {subject}") } else { format!("only for partners {subject}") }),
            LeafKind::Admission => {
                let what = match self.key.as_str() {
                    "INVITATION" => "an invitation to",
                    "APPLICATION" => "an accepted application for",
                    _ => "an approval of",
                };
                let tier = self.noun.clone().unwrap_or(subject);
                Sentence::new("ADMISSION", format!("{what} {tier} is needed")).with("tier", tier)
            }
            _ => {
                Sentence::new("HOLDING", if met { format!("{}{group}: on file", self.name()) } else { format!("{}{group}: missing; needed{by}", self.name()) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What is told compares with what is asked as the figures do: nobody reads "70 % of 70 %; 0 more needed".
        #[test]
        fn figures_are_told_apart(numerator in -20_000_i128..20_000, denominator in 1_i128..300, asked in -200_i64..200) {
            let (actual, asked) = (Exact::ratio(numerator, denominator).unwrap(), Exact::from_int(asked));
            for least in [0, 2, 3] {
                let told = grouped(&actual, places_between(&actual, &asked, least)).replace(',', "");
                prop_assert_eq!(Exact::parse(&told, 15, 10).unwrap().cmp(&asked), actual.cmp(&asked), "{}", told);
            }
        }
    }

    #[test]
    fn nouns_have_their_plural() {
        let plural = |noun| plural(noun, Exact::from_int(2));
        assert_eq!(
            ["engineer", "company", "day", "fax", "branch", "certified person", "person", "new line of business", "person in sales"].map(plural),
            ["engineers", "companies", "days", "faxes", "branches", "certified people", "people", "new lines of business", "people in sales"]
        );
    }
}
