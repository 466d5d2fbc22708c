//! Plain language for every leaf, with the pieces as data, so that other languages can be written from them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::date::Date;
use crate::document::metric::Unit;
use crate::exact::{Exact, spell};
use crate::requirement::{Compares, Judged, Leaf, LeafKind, Node, Unmet};
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
        let sentence = match &judged.node {
            Node::Streak { required, actual, .. } => {
                let text = if judged.met {
                    format!("{called}met in each of the last {required} periods")
                } else {
                    format!("{called}met in {actual} of the last {required} periods; all are needed")
                };
                Self::new("STREAK", text).with("required", required.to_string()).with("actual", actual.to_string())
            }
            Node::Not { of } => {
                let what = match of.leaves().first() {
                    Some(leaf) if judged.met => leaf.name(),
                    Some(leaf) => leaf.sentence(None).text,
                    None => String::new(),
                };
                let text = if judged.met { format!("{called}must not hold and does not: {what}") } else { format!("{called}must not hold but does: {what}") };
                Self::new("NOT", text).with("what", what)
            }
            Node::ForEach { name, at_least_groups, groups } => {
                let met = groups.iter().filter(|group| group.requirement.met).count();
                let asked = groups.len().max(*at_least_groups as usize);
                let number = Exact::from_int(i64::try_from(asked).unwrap_or(i64::MAX));
                let text = format!("{called}met for {met} of {asked} {}", plural(name, number));
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
            Node::OnAnyDay { window, day, .. } => {
                let text = match (day, window) {
                    (Some(day), _) => format!("{called}met on {day}"),
                    (None, Some(window)) => format!("{called}met on no day from {} to {}", window.from, window.last_day()),
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

/// A figure with separators of thousands and at most `decimals` digits after the point.
fn grouped(value: Exact, decimals: u32) -> String {
    let Ok(scaled) = RoundingMode::HalfUp.round_scaled(value, decimals) else { return value.to_string() };
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

/// An amount of money: whole, or with all decimals of its currency.
fn money(value: Exact, decimals: u32) -> String {
    let text = grouped(value, decimals);
    let missing = text.split_once('.').map_or(0, |(_, fraction)| (decimals as usize).saturating_sub(fraction.len()));
    text + &"0".repeat(missing)
}

/// `engineer` for one, `engineers` for others.
fn plural(noun: &str, value: Exact) -> String {
    if value == Exact::ONE {
        return noun.to_owned();
    }
    let consonant_y = noun.ends_with('y') && !["ay", "ey", "oy", "uy"].iter().any(|end| noun.ends_with(end));
    match noun {
        _ if consonant_y => format!("{}ies", noun.strip_suffix('y').unwrap_or(noun)),
        _ if noun.ends_with('s') || noun.ends_with('x') || noun.ends_with("ch") || noun.ends_with("sh") => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

impl Leaf {
    /// A figure as people write it in the leaf's unit.
    fn figure(&self, value: Exact) -> String {
        match (self.unit, self.currency) {
            (Unit::Money, Some(currency)) => format!("{currency} {}", money(value, currency.decimals())),
            (Unit::Percent, _) => format!("{} %", grouped(value.mul(Exact::from_int(100)).unwrap_or(value), 2)),
            _ => grouped(value, 2),
        }
    }

    /// The same with the noun of the unit.
    fn amount(&self, value: Exact) -> String {
        match (self.unit, self.noun.as_deref()) {
            (Unit::Money | Unit::Percent, _) => self.figure(value),
            (_, Some(noun)) => format!("{} {}", self.figure(value), plural(noun, value)),
            (Unit::Points, None) => format!("{} {}", self.figure(value), plural("point", value)),
            (Unit::Duration, None) => format!("{} h", self.figure(value)),
            _ => self.figure(value),
        }
    }

    /// What is missing, in words: percent in points.
    fn missing_words(&self, missing: Exact) -> String {
        match self.unit {
            Unit::Percent => {
                let points = missing.mul(Exact::from_int(100)).unwrap_or(missing);
                format!("{} percentage {}", grouped(points, 2), plural("point", points))
            }
            _ => self.figure(missing),
        }
    }

    pub(crate) fn name(&self) -> String {
        self.label.clone().or_else(|| self.subject.clone()).unwrap_or_else(|| self.key.clone())
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
            .with_some("required", figure(self.required))
            .with_some("actual", figure(self.actual))
            .with_some("missing", figure(self.missing))
            .with_some("group", self.group.clone())
            .with_some("noun", self.noun.clone())
            .with_some("by", by.map(|by| by.to_string()))
            .with_some("from", self.window.map(|window| window.from.to_string()))
            .with_some("to", self.window.map(|window| window.last_day().to_string()))
    }

    fn metric_sentence(&self, by: Option<Date>) -> Sentence {
        let counted = self.noun.is_some() && self.compares == Compares::AtLeast && !matches!(self.unit, Unit::Money | Unit::Percent);
        let group = self.group.as_deref().map_or(String::new(), |group| format!(" ({group})"));
        let named = if counted { String::new() } else { format!("{}{group}: ", self.name()) };
        let tail_group = if counted { group } else { String::new() };
        match (self.required, self.actual) {
            (None, _) => Sentence::new(
                "NO_THRESHOLD",
                format!("{}{}: no threshold is set for this partner", self.name(), self.group.as_deref().map_or(String::new(), |group| format!(" ({group})"))),
            ),
            (Some(required), None) => {
                let by = by.map_or(String::new(), |by| format!(" by {by}"));
                Sentence::new("NO_DATA", format!("{}: no data yet; {} {} is needed{by}", self.name(), self.words(), self.amount(required)))
            }
            (Some(required), Some(actual)) if self.met() => {
                Sentence::new("MET", format!("{named}{}{tail_group}; {} {} is met", self.amount(actual), self.words(), self.figure(required)))
            }
            (Some(required), Some(actual)) => self.unmet_sentence(&named, &tail_group, required, actual, by),
        }
    }

    fn unmet_sentence(&self, named: &str, tail: &str, required: Exact, actual: Exact, by: Option<Date>) -> Sentence {
        let by = by.map_or(String::new(), |by| format!(" by {by}"));
        let missing = self.missing.unwrap_or(Exact::ZERO);
        match self.compares {
            Compares::AtLeast => {
                let of = format!("{named}{} of {}{tail}", self.figure(actual), self.amount(required));
                let ratio = self.ratio.map_or(String::new(), |gap| {
                    format!(" ({} more on {} of {})", grouped(gap.missing_numerator, 2), grouped(gap.numerator, 2), grouped(gap.denominator, 2))
                });
                Sentence::new("AT_LEAST", format!("{of}; {} more needed{by}{ratio}", self.missing_words(missing)))
                    .with_some("missingNumerator", self.ratio.map(|gap| gap.missing_numerator.to_string()))
            }
            Compares::Above => Sentence::new("ABOVE", format!("{named}{}{tail}; more than {} is needed{by}", self.amount(actual), self.figure(required))),
            Compares::AtMost => Sentence::new("AT_MOST", format!("{named}{}{tail}; at most {} is allowed{by}", self.amount(actual), self.figure(required))),
            Compares::Below => Sentence::new("BELOW", format!("{named}{}{tail}; it must be under {}{by}", self.amount(actual), self.figure(required))),
            Compares::Equals => Sentence::new("EQUALS", format!("{named}{}{tail}; it must be exactly {}{by}", self.amount(actual), self.figure(required))),
        }
    }

    const fn words(&self) -> &'static str {
        match self.compares {
            Compares::AtLeast => "at least",
            Compares::Above => "more than",
            Compares::AtMost => "at most",
            Compares::Below => "under",
            Compares::Equals => "exactly",
        }
    }

    fn ladders_sentence(&self, by: Option<Date>) -> Sentence {
        let level = self.subject.as_deref().map_or(String::new(), |level| format!(" at {level} or above"));
        let (actual, required) = (self.actual.unwrap_or(Exact::ZERO), self.required.unwrap_or(Exact::ZERO));
        if self.met() {
            let held = format!("{} {}{level}", grouped(actual, 0), plural("qualification", actual));
            return Sentence::new("LADDERS", format!("{held}; at least {} is met", grouped(required, 0)));
        }
        let by = by.map_or(String::new(), |by| format!(" by {by}"));
        let more = self.missing.map_or(String::new(), |missing| format!("; {} more needed{by}", grouped(missing, 0)));
        Sentence::new("LADDERS", format!("{} of {} {}{level}{more}", grouped(actual, 0), grouped(required, 0), plural("qualification", required)))
    }

    fn tenure_sentence(&self) -> Sentence {
        let place = self.subject.as_deref().map_or_else(|| "in the program".to_owned(), |tier| format!("in {tier}"));
        let (actual, required) = (self.actual.unwrap_or(Exact::ZERO), self.required.unwrap_or(Exact::ZERO));
        let text = match (self.met_on, self.reason) {
            (_, Some(Unmet::NotEnrolled)) => format!("0 of {} {place}; it has not begun", self.amount(required)),
            (Some(day), _) => format!("{} of {} {place}; complete on {day}", grouped(actual, 0), self.amount(required)),
            (None, _) => format!("{} {place}; {} needed", self.amount(actual), grouped(required, 0)),
        };
        Sentence::new("TENURE", text).with_some("metOn", self.met_on.map(|day| day.to_string()))
    }

    fn plain_sentence(&self, by: Option<Date>) -> Sentence {
        let by = by.map_or(String::new(), |by| format!(" by {by}"));
        let subject = self.subject.clone().unwrap_or_default();
        let met = self.met();
        let group = self.group.as_deref().map_or(String::new(), |group| format!(" ({group})"));
        match self.kind {
            LeafKind::Tier => {
                let name = self.noun.clone().unwrap_or(subject);
                let text = if met { format!("{name} in {} is held", self.key) } else { format!("{name} in {} is needed{by}", self.key) };
                Sentence::new("TIER", text).with("tier", name)
            }
            LeafKind::Contract => {
                let what = if subject.is_empty() { "a contract".to_owned() } else { format!("contract {subject}") };
                Sentence::new("CONTRACT", if met { format!("{what} is in force") } else { format!("{what} must be signed and in force{by}") })
            }
            LeafKind::Partner => {
                Sentence::new("PARTNER", if met { format!("the partner is {subject}") } else { format!("only for partners that are {subject}") })
            }
            LeafKind::Admission => {
                let what = match self.key.as_str() {
                    "INVITATION" => "an invitation to",
                    "APPLICATION" => "an accepted application for",
                    _ => "an approval of",
                };
                Sentence::new("ADMISSION", format!("{what} {subject} is needed")).with("tier", subject)
            }
            _ => Sentence::new(
                "HOLDING",
                if met { format!("{}{group} is on file", self.name()) } else { format!("{}{group} is missing; it is needed{by}", self.name()) },
            ),
        }
    }
}
