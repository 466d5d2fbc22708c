//! The questions of a case.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::MAX_ASKS;
use super::follows::follows;
use crate::date::Date;
use crate::document::shape::{Mended, Shape, nearest};
use crate::document::validate::instead_of;
use crate::facts::convert::{Vocabulary, convert_order};
use crate::facts::input::TransactionInput;
use crate::fault::{Fault, Faults};
use crate::period::Period;
use crate::program::Program;
use crate::rebate::RunAsked;

/// A question.
#[derive(Debug, Clone)]
pub enum Ask {
    /// Where the partner stands.
    Standing(StandingAsk),
    /// Values of metrics.
    Metrics(MetricsAsk),
    /// What the partner is entitled to.
    Entitlements(EntitlementsAsk),
    /// Rebates of periods.
    Rebates(RebatesAsk),
    /// Runs over facts as they were known.
    Runs(RunsAsk),
    /// An open period.
    Estimate(EstimateAsk),
    /// What is about to be lost.
    Risk(RiskAsk),
}

/// Where the partner stands, in every ladder or in some.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StandingAsk {
    /// Only these ladders; all when empty.
    #[serde(default)]
    pub ladders: Vec<String>,
    /// Whether the judged requirement of every tier comes along. Default true.
    pub explain: Option<bool>,
}

/// Values of metrics.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetricsAsk {
    /// Only these metrics; all when empty.
    #[serde(default)]
    pub metrics: Vec<String>,
}

/// Entitlements.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntitlementsAsk {
    /// Only these benefits; all when empty.
    #[serde(default)]
    pub benefits: Vec<String>,
    /// The region for which ladders of a partner in a region are read. Default: the partner's own.
    pub region: Option<String>,
}

/// Rebates.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RebatesAsk {
    /// The periods by name. Default: those that hold the date of the case.
    #[serde(default)]
    pub periods: Vec<String>,
    /// Only these schedules; all that have the period when empty.
    #[serde(default)]
    pub schedules: Vec<String>,
    /// Only what was recorded by this day is known. Default: everything.
    pub known_on: Option<Date>,
}

/// An open period, on the date of the case.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EstimateAsk {
    /// The periods by name. Default: those that hold the date of the case.
    #[serde(default)]
    pub periods: Vec<String>,
    /// Only these schedules; all that have the period when empty.
    #[serde(default)]
    pub schedules: Vec<String>,
    /// A hypothetical order: lines as in the facts. Only those dated in a period add to it.
    #[serde(default)]
    pub order: Vec<TransactionInput>,
}

/// What is about to be lost if nothing comes in.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RiskAsk {
    /// Until this day. Default: twelve months after the date of the case.
    pub until: Option<Date>,
}

/// Runs.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunsAsk {
    /// Where the runs are listed in the case.
    #[serde(skip)]
    pub(super) path: String,
    /// The runs, in any order.
    #[serde(default)]
    pub runs: Vec<RunAsked>,
}

const NAMES: [&str; 7] = ["standing", "metrics", "entitlements", "rebates", "runs", "estimate", "risk"];

/// Reads the questions: all faults at once, with paths from the case's root.
/// Orders are read by the names of `facts`; without a program names of questions are not judged.
pub(super) fn read(asks: &[Value], (facts, program): (&Program, Option<&Program>), as_of: Option<Date>) -> Result<Vec<Ask>, Faults> {
    let mut reader = Reader { facts, program, as_of, faults: Faults::new(), asks: Vec::new(), named: Vec::new() };
    if asks.is_empty() || asks.len() > MAX_ASKS {
        let code = if asks.is_empty() { "EMPTY_LIST" } else { "TOO_MANY" };
        return Err(Fault::new(code, "ask", format!("ask 1 to {MAX_ASKS} questions, such as \"standing\"")).into());
    }
    for (at, ask) in asks.iter().enumerate() {
        let path = format!("ask[{at}]");
        match ask {
            Value::String(name) => reader.one(name, &json!({}), &path, &path),
            Value::Object(object) => reader.object(object, &path),
            _ => reader.faults.add("WRONG_TYPE", path, "write the name of a question, or an object with the name and its options"),
        }
    }
    reader.faults.or(reader.asks)
}

struct Reader<'p> {
    facts: &'p Program,
    program: Option<&'p Program>,
    as_of: Option<Date>,
    faults: Faults,
    asks: Vec<Ask>,
    named: Vec<String>,
}

impl Reader<'_> {
    fn object(&mut self, object: &Map<String, Value>, path: &str) {
        if object.is_empty() {
            self.faults.add("EMPTY_LIST", path, format!("write a question: one of {}", NAMES.join(", ")));
        }
        for (name, options) in object {
            self.one(name, options, &format!("{path}.{name}"), path);
        }
    }

    fn one(&mut self, name: &str, options: &Value, path: &str, whole: &str) {
        if ["standing", "metrics", "entitlements", "risk"].contains(&name) && self.named.iter().any(|named| named == name) {
            self.faults.add("DUPLICATE", whole, format!("`{name}` is asked twice: put the options together"));
        }
        self.named.push(name.to_owned());
        let ask = match name {
            "standing" => self.options::<StandingAsk>(options, "ladders", path).map(Ask::Standing),
            "metrics" => self.options::<MetricsAsk>(options, "metrics", path).map(Ask::Metrics),
            "entitlements" => self.options::<EntitlementsAsk>(options, "benefits", path).map(Ask::Entitlements),
            "rebates" => self.options::<RebatesAsk>(options, "periods", path).map(Ask::Rebates),
            "runs" => self.runs(options, path).map(Ask::Runs),
            "estimate" => self.estimate(options, path).map(Ask::Estimate),
            "risk" => self.options::<RiskAsk>(options, "", path).map(Ask::Risk),
            _ => {
                let advice =
                    nearest(name, NAMES.into_iter()).map_or_else(|| format!("write one of {}", NAMES.join(", ")), |near| format!("did you mean `{near}`?"));
                self.faults.add("UNKNOWN_QUESTION", path, format!("there is no question `{name}`: {advice}"));
                None
            }
        };
        if let Some(ask) = ask {
            self.judge(&ask, path);
            self.asks.push(ask);
        }
    }

    /// Options as an object, or as the list that is their main member.
    fn options<T: DeserializeOwned + Asked>(&mut self, options: &Value, main: &str, path: &str) -> Option<T> {
        let options = match options {
            Value::Array(list) if !main.is_empty() => json!({ main: list }),
            Value::Bool(true) => json!({}),
            other => other.clone(),
        };
        T::shape().read(options, path).map_err(|found| self.faults.0.extend(found.0)).ok()
    }

    /// An estimate. Its order is made of facts: they are judged also where something else of the question, or of them, has not its shape.
    fn estimate(&mut self, options: &Value, path: &str) -> Option<EstimateAsk> {
        let ask = self.options::<EstimateAsk>(options, "periods", path);
        let (order, mended) = match &ask {
            Some(ask) => (ask.order.clone(), Mended::default()),
            None => mended_order(options),
        };
        if let Err(found) = convert_order(&order, &[], Vocabulary::of(self.facts)) {
            self.faults.0.extend(found.0.into_iter().filter(|fault| !follows(fault, &mended)).map(|fault| fault.within(path)));
        }
        ask
    }

    /// Runs, mostly as a plain list: then that is where they stand.
    fn runs(&mut self, options: &Value, path: &str) -> Option<RunsAsk> {
        let listed = format!("{path}.runs");
        if !options.is_array() {
            return self.options::<RunsAsk>(options, "runs", path).map(|ask| RunsAsk { path: listed, ..ask });
        }
        let before = self.faults.0.len();
        let ask = self.options::<RunsAsk>(options, "runs", path);
        for fault in self.faults.0.iter_mut().skip(before) {
            if let Some(rest) = fault.path.strip_prefix(&listed) {
                fault.path = format!("{path}{rest}");
            }
        }
        ask.map(|ask| RunsAsk { path: path.to_owned(), ..ask })
    }

    fn judge(&mut self, ask: &Ask, path: &str) {
        if let Some(program) = self.program {
            self.names(program, ask, path);
        }
        if let Ask::Runs(ask) = ask
            && ask.runs.is_empty()
        {
            self.faults.add("EMPTY_LIST", path, "list at least one run: {\"period\": \"2026-Q1\", \"runOn\": \"2026-04-15\"}");
        }
        let dated = match ask {
            Ask::Runs(_) => false,
            Ask::Rebates(ask) => ask.periods.is_empty(),
            _ => true,
        };
        if dated && self.as_of.is_none() && !self.faults.0.iter().any(|fault| fault.path == "asOf") {
            self.faults.add("MISSING_MEMBER", "asOf", "the questions need a date: add `asOf`");
        }
    }

    /// The names in a question.
    fn names(&mut self, program: &Program, ask: &Ask, path: &str) {
        let as_of = self.as_of;
        let schedules = || program.document.rebate_schedules.iter().map(|schedule| schedule.key.as_str());
        match ask {
            Ask::Standing(ask) => {
                self.all_known("ladder", &ask.ladders, &format!("{path}.ladders"), program.document.ladders.iter().map(|ladder| ladder.key.as_str()))
            }
            Ask::Metrics(ask) => {
                self.all_known("metric", &ask.metrics, &format!("{path}.metrics"), program.document.metrics.iter().map(|metric| metric.key.as_str()))
            }
            Ask::Entitlements(ask) => {
                self.all_known("benefit", &ask.benefits, &format!("{path}.benefits"), program.document.benefits.iter().map(|benefit| benefit.key.as_str()));
                let regions: Vec<String> = ask.region.iter().cloned().collect();
                self.all_known("region", &regions, &format!("{path}.region"), program.geography.regions.keys().iter().map(String::as_str));
            }
            Ask::Rebates(ask) => {
                self.all_known("rebate schedule", &ask.schedules, &format!("{path}.schedules"), schedules());
                self.periods(program, ask.periods.iter().map(|name| (name.as_str(), as_of)), &format!("{path}.periods"));
            }
            Ask::Runs(ask) => {
                self.periods(program, ask.runs.iter().map(|run| (run.period.as_str(), Some(run.run_on))), &ask.path);
            }
            Ask::Estimate(ask) => {
                self.all_known("rebate schedule", &ask.schedules, &format!("{path}.schedules"), schedules());
                self.periods(program, ask.periods.iter().map(|name| (name.as_str(), as_of)), &format!("{path}.periods"));
            }
            Ask::Risk(_) => {}
        }
    }

    fn all_known<'k>(&mut self, what: &str, keys: &[String], path: &str, known: impl Iterator<Item = &'k str> + Clone) {
        let unknown = keys.iter().enumerate().filter(|(_, key)| !known.clone().any(|known| known == key.as_str()));
        for (at, key) in unknown {
            let advice = instead_of(key, known.clone()).unwrap_or_else(|| format!("it has no {what} at all"));
            self.faults.add("UNKNOWN_KEY", format!("{path}[{at}]"), format!("the program has no {what} `{key}`: {advice}"));
        }
    }

    /// Periods by name; each with a day around which periods are told where there is none of that name.
    fn periods<'n>(&mut self, program: &Program, named: impl Iterator<Item = (&'n str, Option<Date>)>, path: &str) {
        for (at, (name, around)) in named.enumerate() {
            let path = format!("{path}[{at}]");
            match program.period_named(name) {
                Some(period) => self.faults.0.extend(ungoverned(program, &period).map(|fault| fault.within(&path))),
                None => self.faults.add("UNKNOWN_PERIOD", path, program.no_such_period(around.unwrap_or(Date::MIN).max(program.effective_on()))),
            }
        }
    }
}

/// The order of a question that has not its shape, mended.
fn mended_order(options: &Value) -> (Vec<TransactionInput>, Mended) {
    let mut options = options.clone();
    let mended = EstimateAsk::shape().mend(&mut options);
    let order = Shape::build::<EstimateAsk>(options, "").map(|ask| ask.order).unwrap_or_default();
    (order, mended)
}

/// Why a program has no rules for a period: its version takes effect later than on the first day (semantics 5).
pub(super) fn ungoverned(program: &Program, period: &Period) -> Option<Fault> {
    let (first, effective) = (period.span.from, program.effective_on());
    let message = || format!("{} begins on {first} and the version takes effect on {effective}: ask for a period that begins then or later", period.name);
    (first < effective).then(|| Fault::new("NO_VERSION_IN_FORCE", "", message()))
}

/// Options with a shape.
trait Asked {
    fn shape() -> &'static Shape;
}

macro_rules! asked {
    ($($options:ty),+) => {
        $(impl Asked for $options {
            fn shape() -> &'static Shape {
                static SHAPE: LazyLock<Shape> = LazyLock::new(Shape::of::<$options>);
                &SHAPE
            }
        })+
    };
}

asked!(StandingAsk, MetricsAsk, EntitlementsAsk, RebatesAsk, RunsAsk, EstimateAsk, RiskAsk);
