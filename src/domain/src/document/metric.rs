//! Metrics as a document writes them: measures over facts, and formulas of metrics.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scoped::Scalar;
use crate::date::Date;
use crate::money::{Number, Rate};

/// The unit of a metric. A metric is compared only with thresholds of its own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Unit {
    /// An amount in the program's currency, in major units.
    Money,
    /// A number of things.
    Count,
    /// A fraction, shown as percent: a threshold is written `15 %` or 0.15.
    Percent,
    /// A score.
    Score,
    /// Points.
    Points,
    /// Hours, or what the vendor measures durations in: the `noun` says it. `cycleDays` of deals are days.
    Duration,
}

/// A named measurement of a partner on a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metric {
    /// Its key, unique among the metrics.
    pub key: String,
    /// Its name, for people.
    pub name: Option<String>,
    /// What it is counted in.
    pub unit: Unit,
    /// How it is measured from facts. Exactly one of `measure` and `formula`.
    pub measure: Option<Measure>,
    /// How it follows from other metrics.
    pub formula: Option<Formula>,
    /// The noun of one unit, for sentences: "certified engineer".
    pub noun: Option<String>,
}

/// Where a measure reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Source {
    /// Sale lines.
    Transactions,
    /// Certifications, subscriptions, attestations, memberships, offerings.
    Holdings,
    /// Dated measurements.
    Activities,
    /// Registered opportunities.
    Deals,
}

/// How facts, or groups of them, become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Aggregate {
    /// The signed sum of `of`. Nothing counted is zero.
    Sum,
    /// The number of facts, or of groups with `groupBy`.
    Count,
    /// The number of different values of `of` (customer, product, category, holder, subject, ...).
    Distinct,
    /// The mean of `of`. Nothing counted is no data.
    Average,
    /// The median of `of`: the mean of the middle two when their number is even. Nothing counted is no data.
    Median,
    /// The least `of`. Nothing counted is no data.
    Minimum,
    /// The largest `of`. Nothing counted is no data.
    Maximum,
    /// The value of the latest fact; of several on its date, the one with the largest external id. Nothing counted is no data, and
    /// so is a latest fact that lacks the field.
    Latest,
    /// The part that the facts of `share` have in the whole: of the sum of `of`; without `of`, of the amount of sale lines and of the
    /// number of other facts or of groups. A whole of zero is no data.
    Share,
    /// Customers (or what `groupBy` names) that became live minus those that were lost, see `hysteresis`.
    NetAdditions,
}

/// Whose facts count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MeasureScope {
    /// The partner's own. Where the ladder's scope is the partner in a region: all its facts, whatever their region.
    #[default]
    OwnFacts,
    /// The partner's and those of every partner below it in the tree of that date.
    Subtree,
    /// The partner's, of the region for which the ladder is evaluated (and what lies under it).
    Region,
}

/// A value measured from facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Measure {
    /// Which facts.
    pub source: Source,
    /// Only these. Everything when empty.
    pub filter: Option<Filter>,
    /// When. Transactions and activities count by their date, deals by `dateField`, holdings when they hold on a day of the window.
    pub window: Window,
    /// Only so many of them, the latest by the date on which they count (of holdings the one on which they began; of several on one date those
    /// with the largest external ids); with `groupBy` so many of each group. Where there are fewer, those that there are.
    pub latest: Option<u32>,
    /// How.
    pub aggregate: Aggregate,
    /// The field that is summed, averaged, counted distinctly, ...: `amount`, `quantity`, `value`, `customer`, `holder`,
    /// `attribute.seats`, ... Default: `amount` of transactions, `value` of the others.
    pub of: Option<String>,
    /// Facts are first gathered in groups by these fields; the aggregate then works on the groups.
    #[serde(default)]
    pub group_by: Vec<String>,
    /// Only groups that meet all of these: "two certificates each", "spend of at least 500".
    #[serde(default)]
    pub having: Vec<GroupTest>,
    /// The value of a group, for sum, average, median, minimum and maximum over groups. Default: the sum of `of`.
    pub group_value: Option<GroupValue>,
    /// The part of a SHARE.
    pub share: Option<Box<Filter>>,
    /// For NET_ADDITIONS.
    pub hysteresis: Option<Hysteresis>,
    /// Whose facts.
    #[serde(default)]
    pub scope: MeasureScope,
    /// Amounts are divided by the unit of their own currency in this table of the program (100 USD = 75 EUR by decree) instead of
    /// being converted by exchange rates.
    pub unit_table: Option<String>,
    /// How amounts in other currencies become the program's. Default: SPOT on the fact's date.
    pub exchange: Option<Exchange>,
    /// Deals only: the date that places a deal in the window. Default: OPENED.
    pub date_field: Option<DealDate>,
    /// When categories are grouped or counted: at this depth of the tree (1 = top). Default: as they stand.
    pub category_depth: Option<u32>,
}

/// The date of a deal that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DealDate {
    /// When it was registered.
    Opened,
    /// When it was closed; open deals do not count.
    Closed,
}

/// A test that a group of facts must pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupTest {
    /// Only these facts of the group are looked at.
    pub filter: Option<Filter>,
    /// How they become a value.
    pub aggregate: Aggregate,
    /// The field; default as in a measure.
    pub of: Option<String>,
    /// The value must be this or more.
    pub at_least: Option<Number>,
    /// The value must be more than this.
    pub above: Option<Number>,
    /// The value must be this or less.
    pub at_most: Option<Number>,
    /// The value must be less than this.
    pub below: Option<Number>,
}

/// The value of a group of facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupValue {
    /// How the group's facts become a value.
    pub aggregate: Aggregate,
    /// The field; default as in a measure.
    pub of: Option<String>,
}

/// A customer is new from one level on and lost only below another, judged month by month (semantics 26).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hysteresis {
    /// A group not live becomes live in the first month in which its value is this or more.
    pub enter_at: Number,
    /// A live group is lost in the first month in which its value is below this.
    pub leave_below: Number,
    /// A group becomes live only from below this level the month before. Default: from any level below `enterAt`.
    pub enter_from_below: Option<Number>,
}

/// How amounts become another currency (semantics 19).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exchange {
    /// The type of rate. Default SPOT.
    #[serde(default = "spot")]
    pub rate_type: String,
    /// The rate of which date.
    #[serde(default)]
    pub date: ExchangeDate,
    /// The oldest rate that may be used, in days before that date. Default 7.
    #[serde(default = "seven")]
    pub max_age_days: u32,
}

fn spot() -> String {
    "SPOT".to_owned()
}

const fn seven() -> u32 {
    7
}

impl Default for Exchange {
    fn default() -> Self {
        Self { rate_type: spot(), date: ExchangeDate::default(), max_age_days: seven() }
    }
}

/// The date whose exchange rate is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExchangeDate {
    /// The fact's own (for a return that counts on the sale's date: the sale's).
    #[default]
    TransactionDate,
    /// The last day of the period or window.
    PeriodEnd,
}

/// Which facts: a tree of tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Filter {
    /// All of them hold.
    AllOf(Vec<Filter>),
    /// At least one of them holds.
    AnyOf(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// A field passes a test.
    Test(FieldTest),
    /// The fact's attribute names one of the last `n` versions of a list of the program, as of the evaluation's date.
    LastVersions(LastVersions),
    /// The earliest fact of the same group (same source and filterless) lies on one side of a date: rates fixed at the first sale.
    FirstFact(FirstFact),
}

/// A test of one field. All conditions that are given must hold. A missing field passes none of them but `exists: false` and
/// `notIn`. Amounts are compared as they stand, in the fact's own currency; returns have negative ones.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FieldTest {
    /// The field: `kind`, `type`, `level`, `product`, `category`, `customer`, `deal`, `holder`, `holderKind`, `subject`, `stage`,
    /// `outcome`, `currency`, `amount`, `quantity`, `value`, `region`, `date`, `partner.type`, `partner.region`, or `attribute.NAME`.
    pub field: String,
    /// It equals this. `$name` is the group of the enclosing `forEach`.
    pub equals: Option<Scalar>,
    /// It is one of these.
    pub r#in: Option<Vec<Scalar>>,
    /// It is none of these.
    pub not_in: Option<Vec<Scalar>>,
    /// A category or region: this one or one under it.
    pub under: Option<String>,
    /// A region: one of this region group, or under one.
    pub in_group: Option<String>,
    /// This or more.
    pub at_least: Option<Scalar>,
    /// More than this.
    pub above: Option<Scalar>,
    /// This or less.
    pub at_most: Option<Scalar>,
    /// Less than this.
    pub below: Option<Scalar>,
    /// Whether it is given at all.
    pub exists: Option<bool>,
}

/// "Valid for the last three product versions".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LastVersions {
    /// The attribute of the fact that names the version.
    pub attribute: String,
    /// The version list of the program.
    pub list: String,
    /// How many of the latest.
    pub n: u32,
}

/// Facts by the date of the first fact of their group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FirstFact {
    /// The fields that make a group: `[customer, attribute.productLine]`.
    pub per: Vec<String>,
    /// The group's first fact is dated on or after this.
    pub on_or_after: Option<Date>,
    /// The group's first fact is dated before this.
    pub before: Option<Date>,
    /// The fact itself is dated within so many months from the group's first one: the first year of a customer is 12.
    pub within_months: Option<u32>,
    /// The fact itself is dated so many months after the group's first one, or later.
    pub after_months: Option<u32>,
}

/// Which dates count, seen from the date of the evaluation (semantics 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Window {
    /// The last n days, months, quarters or years.
    Rolling(RollingWindow),
    /// A month, quarter, half or year of the calendar.
    Calendar(CalendarWindow),
    /// A quarter, half or year of the program's fiscal year.
    Fiscal(CalendarWindow),
    /// A year that the program names, see `customYears`.
    CustomYear(CustomYearWindow),
    /// The year since the anniversary of the enrollment.
    PartnershipYear(PartnershipYearWindow),
    /// The first days or months since the enrollment, up to the date. Once they are over nothing more counts.
    SinceEnrollment(SinceEnrollmentWindow),
    /// Everything up to the date.
    Lifetime {},
    /// The state on the day. For holdings: those that hold on it. For facts with a date: those of that day.
    OnDay {},
}

/// A rolling window. Exactly one of `days`, `months`, `quarters`, `years`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RollingWindow {
    /// Days.
    pub days: Option<u32>,
    /// Months.
    pub months: Option<u32>,
    /// Quarters.
    pub quarters: Option<u32>,
    /// Years.
    pub years: Option<u32>,
    /// Ends this many of the same units earlier.
    #[serde(default)]
    pub offset: u32,
    /// Whole calendar months, quarters or years (ALIGNED), or up to the day (SLIDING).
    #[serde(default)]
    pub alignment: Alignment,
    /// ALIGNED only: whether the current one counts, to date, as one of the n. Default: false.
    #[serde(default)]
    pub include_current: bool,
}

/// SLIDING or ALIGNED.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Alignment {
    /// `[D+1 minus n months, D+1)`.
    #[default]
    Sliding,
    /// Whole calendar units.
    Aligned,
}

/// A unit of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CalendarUnit {
    /// A month.
    Month,
    /// Three months.
    Quarter,
    /// Six months.
    Half,
    /// Twelve months.
    Year,
}

/// A calendar or fiscal window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CalendarWindow {
    /// Month, quarter, half or year.
    pub unit: CalendarUnit,
    /// The current one to date, or whole earlier ones.
    #[serde(default)]
    pub which: Which,
    /// PREVIOUS only: how many whole ones, ending with the last. Default 1.
    #[serde(default = "one")]
    pub count: u32,
    /// This many units further back; to date, as many units earlier on the same day.
    #[serde(default)]
    pub back: u32,
}

const fn one() -> u32 {
    1
}

/// The current one, or earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Which {
    /// The current one, up to and with the date.
    #[default]
    ToDate,
    /// Whole ones before the current.
    Previous,
}

/// A year that the program names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomYearWindow {
    /// The list of custom years of the program.
    pub calendar: String,
    /// The current one to date, or the one before.
    #[serde(default)]
    pub which: Which,
    /// This many years further back.
    #[serde(default)]
    pub back: u32,
}

/// A partnership year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartnershipYearWindow {
    /// The current one to date, or the one before. A partner in its first year has no earlier one: nothing counts.
    #[serde(default)]
    pub which: Which,
}

/// The first days or months of an enrollment, with the day of enrollment. Exactly one of `days`, `months`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SinceEnrollmentWindow {
    /// Days.
    pub days: Option<u32>,
    /// Months.
    pub months: Option<u32>,
}

/// A value inside a rule: a named metric, or one written in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Operand {
    /// A metric of the program by its key.
    Metric(String),
    /// A measure, in place.
    Measure(Box<Measure>),
    /// A formula, in place.
    Formula(Box<Formula>),
    /// A number.
    Constant(Number),
}

/// A value that follows from other values. Where one of them is no data, so is the result, unless stated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Formula {
    /// A scorecard or points ledger: terms with points per unit, multipliers, caps, floors and gates.
    Sum(SumFormula),
    /// Numerator over denominator; an empty denominator is no data.
    Ratio(RatioFormula),
    /// The first minus the second.
    Difference(DifferenceFormula),
    /// The least of several; those without data are passed over.
    Minimum(Vec<Operand>),
    /// The largest of several, such as the best of two tracks; those without data are passed over.
    Maximum(Vec<Operand>),
    /// The mean of several.
    Average(Vec<Operand>),
    /// A value against the same value earlier.
    Growth(GrowthFormula),
    /// The partner's rank in its cohort, as a fraction: rank / n, ties share the best rank (semantics 23). The best is smallest.
    PercentileRank(CohortFormula),
    /// The partner's rank in its cohort: 1 is the best, ties share the best rank.
    Rank(CohortFormula),
    /// The mean of its cohort, the partner included, over those that have a value.
    CohortMean(CohortFormula),
    /// One value if a requirement is met, another if not: a track that facts decide.
    Choice(ChoiceFormula),
}

impl Formula {
    /// The values that it is made of, one level down: also those of gates, and both of a choice, whose requirement is none.
    pub(crate) fn operands(&self) -> Vec<&Operand> {
        match self {
            Self::Sum(sum) => sum.terms.iter().flat_map(|term| std::iter::once(&term.value).chain(term.gates.iter().map(|gate| &gate.value))).collect(),
            Self::Ratio(of) => vec![&of.numerator, &of.denominator],
            Self::Difference(of) => vec![&of.from, &of.subtract],
            Self::Minimum(of) | Self::Maximum(of) | Self::Average(of) => of.iter().collect(),
            Self::Growth(growth) => vec![&growth.of],
            Self::PercentileRank(rank) | Self::Rank(rank) | Self::CohortMean(rank) => vec![&rank.of],
            Self::Choice(choice) => vec![&choice.then, &choice.otherwise],
        }
    }
}

/// A sum of terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SumFormula {
    /// The terms, in order.
    pub terms: Vec<Term>,
    /// At most this in all.
    pub cap: Option<Number>,
    /// At least this in all.
    pub floor: Option<Number>,
}

/// One term of a scorecard: value / per x points, times the multipliers, capped, floored, and nothing while a gate is shut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Term {
    /// Its name, for people and for gates.
    pub label: Option<String>,
    /// What is counted.
    pub value: Operand,
    /// Points for each `per`. Default 1. Negative takes away.
    pub points: Option<Number>,
    /// Points are for each so many units of the value; of one in PERCENT `1 %` or 0.01. Default 1.
    pub per: Option<super::requirement::Threshold>,
    /// Part units earn nothing: value / per is rounded down. Default: part units count in part.
    #[serde(default)]
    pub whole_units: bool,
    /// Factors for partners of a kind; all that match multiply.
    #[serde(default)]
    pub multipliers: Vec<Multiplier>,
    /// At most this many points.
    pub cap: Option<Number>,
    /// At least this many points.
    pub floor: Option<Number>,
    /// The term earns nothing until all of these are met.
    #[serde(default)]
    pub gates: Vec<Gate>,
    /// Treat no data as zero. Default true: a scorecard adds what there is.
    #[serde(default = "yes")]
    pub no_data_is_zero: bool,
}

const fn yes() -> bool {
    true
}

/// A factor for partners of a kind. All conditions that are given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Multiplier {
    /// Partners in this region or under it.
    pub region: Option<String>,
    /// Partners in a region of this group.
    pub region_group: Option<String>,
    /// Partners of these types.
    #[serde(default)]
    pub partner_types: Vec<String>,
    /// Partners with this attribute ...
    pub attribute: Option<String>,
    /// ... of this value.
    pub equals: Option<Scalar>,
    /// The factor.
    pub factor: Number,
}

/// A condition before a term counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gate {
    /// What is looked at.
    pub value: Operand,
    /// It must be this or more; of a value in PERCENT `80 %` or 0.8.
    pub at_least: super::requirement::Threshold,
}

/// A ratio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RatioFormula {
    /// What part.
    pub numerator: Operand,
    /// Of what.
    pub denominator: Operand,
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DifferenceFormula {
    /// From this ...
    pub from: Operand,
    /// ... this is taken.
    pub subtract: Operand,
}

/// Growth against an earlier window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrowthFormula {
    /// What grows.
    pub of: Operand,
    /// As of how many months earlier the same value is taken.
    pub months_earlier: u32,
    /// The difference, or the difference as a fraction of the earlier value.
    pub mode: GrowthMode,
    /// What a missing or zero earlier value (in percent also a negative one) means. Must be stated.
    pub without_history: WithoutHistory,
}

/// Absolute or relative growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GrowthMode {
    /// Now minus then.
    Absolute,
    /// (Now minus then) / then.
    Percent,
}

/// What growth is without an earlier value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WithoutHistory {
    /// No data: meets no threshold.
    NoData,
    /// Zero.
    Zero,
    /// All of the present value is growth; in percent it is one (100 %), or zero when there is nothing now.
    Full,
}

/// A value of a partner among those of its cohort.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CohortFormula {
    /// What is compared; more is better.
    pub of: Operand,
    /// The cohort: enrolled ACTIVE partners that share all of these on that date: `region`, `type`, `attribute.NAME`. Empty: all.
    #[serde(default)]
    pub cohort: Vec<String>,
}

/// A value that a requirement decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChoiceFormula {
    /// The requirement.
    pub when: super::requirement::Requirement,
    /// If it is met.
    pub then: Operand,
    /// If not.
    pub otherwise: Operand,
}

/// A rate that a document writes; re-exported for the modules that use metrics and rates together.
pub type Fraction = Rate;
