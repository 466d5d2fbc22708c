//! Rebate schedules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::{Exchange, Filter, Operand};
use super::requirement::{Requirement, Threshold};
use super::scoped::Tiered;
use crate::date::{Date, Span};
use crate::money::{Currency, Number, Rate};
use crate::rounding::RoundingMode;

/// A promise to pay for sales: what counts, how it is measured, what it earns, and how the figure is bounded and rounded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RebateSchedule {
    /// Its key, unique among the schedules.
    pub key: String,
    /// Its name, for people.
    pub name: Option<String>,
    /// Which sales and partners. Everything when empty.
    #[serde(default)]
    pub scope: ScheduleScope,
    /// The currency it computes in. Default: the program's.
    pub currency: Option<Currency>,
    /// What it is paid for.
    pub period: PeriodRule,
    /// What the rate is paid on. Default: the amount.
    #[serde(default)]
    pub basis: Basis,
    /// What picks the band. Default: the basis (semantics 10).
    pub qualifier: Option<Basis>,
    /// The period's total, or each line on its own (semantics 11).
    #[serde(default)]
    pub grain: Grain,
    /// How it earns.
    pub method: Method,
    /// Which tier counts, for scopes and rates by tier.
    #[serde(default)]
    pub tier_at: TierAt,
    /// The ladder of the tiers. Default: the main ladder.
    pub ladder: Option<String>,
    /// On which date returns count.
    #[serde(default)]
    pub returns: ReturnDate,
    /// A negative basis is carried into the next period instead of being forgotten.
    #[serde(default)]
    pub carry_negative: bool,
    /// What must be met in the period for anything to be earned: a pass rate is an AT_LEAST n OF.
    pub condition: Option<Requirement>,
    /// At most so much basis earns.
    pub base_cap: Option<Tiered<Number>>,
    /// A positive earning is topped up to this.
    pub floor: Option<Floor>,
    /// At most so much is earned.
    pub cap: Option<Cap>,
    /// Less than this is not paid.
    pub minimum_payout: Option<MinimumPayout>,
    /// At least so much is paid, whatever was earned.
    pub guarantee: Option<Guarantee>,
    /// All partners together get at most this.
    pub budget: Option<BudgetCap>,
    /// How the figure becomes minor units.
    #[serde(default)]
    pub rounding: Rounding,
    /// How amounts in other currencies become the schedule's. Default: SPOT on the transaction's date.
    pub exchange: Option<Exchange>,
    /// Bands fill over the whole fiscal year while each period is paid: worth to date minus what earlier periods were worth. Periods in
    /// which the partner takes no part, or that began before the schedule was there, count for nothing.
    #[serde(default)]
    pub cumulative: bool,
    /// How it is accrued while the period is open. Default: by its own method on what has been sold.
    pub accrual: Option<Accrual>,
    /// What happens to lines that come after the run.
    #[serde(default)]
    pub true_up: TrueUp,
    /// From this day on.
    pub from: Option<Date>,
    /// Until this day, exclusive.
    pub until: Option<Date>,
}

impl RebateSchedule {
    /// The days on which it is in force, by its `from` and `until`.
    pub fn in_force(&self) -> Span {
        Span::new(self.from.unwrap_or(Date::MIN), self.until.unwrap_or(Date::MAX))
    }
}

/// Which sales and partners a schedule is for. All that are given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduleScope {
    /// Lines of these categories and what lies under them.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Lines of these products.
    #[serde(default)]
    pub products: Vec<String>,
    /// Lines of these regions and what lies under them.
    #[serde(default)]
    pub regions: Vec<String>,
    /// Lines of a region of these groups.
    #[serde(default)]
    pub region_groups: Vec<String>,
    /// Partners of these types.
    #[serde(default)]
    pub partner_types: Vec<String>,
    /// Partners in these tiers, as `tierAt` says.
    #[serde(default)]
    pub tiers: Vec<String>,
    /// Lines with a deal of these kinds.
    #[serde(default)]
    pub deal_kinds: Vec<String>,
    /// Lines that pass this filter.
    pub filter: Option<Filter>,
}

/// The period of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PeriodRule {
    /// A calendar month.
    Month {},
    /// A quarter of the program's fiscal year.
    Quarter {},
    /// A half of the program's fiscal year.
    Half {},
    /// The program's fiscal year.
    Year {},
    /// Named periods.
    Custom(Vec<CustomPeriod>),
}

/// A named period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomPeriod {
    /// Its name, by which it is asked for.
    pub name: String,
    /// First day.
    pub from: Date,
    /// First day after it.
    pub until: Date,
}

/// What is measured on a line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Basis {
    /// The amount, in the schedule's currency.
    #[default]
    Amount,
    /// The quantity.
    Quantity,
    /// A numeric attribute of the line.
    Attribute(String),
    /// A value of the partner as of the period's last day. It belongs to no line.
    Metric(Operand),
}

/// What a method is applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Grain {
    /// The period's total.
    #[default]
    Period,
    /// Each line on its own.
    Line,
}

/// How a schedule earns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Method {
    /// Rate x basis.
    Flat(Flat),
    /// Amount x basis (a quantity).
    PerUnit(PerUnit),
    /// Amount x packages.
    PerPackage(PerPackage),
    /// A sum when a target is reached.
    LumpSum(LumpSum),
    /// Bands.
    Bands(Bands),
    /// Growth over a baseline.
    Growth(Growth),
    /// A target computed from the partner's own history.
    Target(Target),
    /// A fixed sum of the period, sales or not; a negative period earns nothing.
    Fixed(Fixed),
    /// Free goods are not part of this service: a document that asks for them is refused with a clear fault.
    FreeGoods(serde_json::Value),
}

/// Rate x basis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Flat {
    /// The rate, by tier.
    pub rate: Tiered<Rate>,
}

/// Amount x basis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PerUnit {
    /// The amount of one unit, by tier.
    pub amount: Tiered<Number>,
}

/// Amount x packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PerPackage {
    /// Units in a package.
    pub size: Number,
    /// The amount of one package, by tier.
    pub amount: Tiered<Number>,
    /// What a part package earns.
    #[serde(default)]
    pub packages: PackageRounding,
}

/// What a part package earns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PackageRounding {
    /// Nothing.
    #[default]
    Floor,
    /// As a whole one.
    Ceil,
    /// Its part.
    Prorate,
}

/// Sums at targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LumpSum {
    /// The targets, ascending.
    pub targets: Vec<LumpTarget>,
    /// The highest reached pays, or each.
    #[serde(default)]
    pub pay: LumpPay,
}

/// A sum at a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LumpTarget {
    /// When the qualifier reaches this, by tier; of one in PERCENT `80 %` or 0.8.
    pub at: Tiered<Threshold>,
    /// This is paid, by tier.
    pub amount: Tiered<Number>,
}

/// Which targets pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LumpPay {
    /// The highest reached.
    #[default]
    Highest,
    /// Each reached.
    Each,
}

/// Bands of the qualifier. Contiguous; `[from, next)` unless turned (semantics 12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bands {
    /// How the bands that are reached combine.
    pub scope: BandScope,
    /// A bound belongs to the band below it: `(from, next]`.
    #[serde(default)]
    pub upper_inclusive: bool,
    /// The bands, ascending.
    pub bands: Vec<Band>,
}

/// How bands that are reached combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BandScope {
    /// Each slice earns its own band's rate.
    Marginal,
    /// The reached band's rate on everything.
    Retroactive,
    /// Lower bands on their own slice, the reached band on the full amount.
    Rolling,
    /// Every reached band on the full amount.
    Total,
    /// The rate moves in a straight line from a band's to the next one's, and is paid on everything.
    Linear,
    /// Rates of full bands add up, the open band's in proportion to how far it is filled; paid on everything.
    Proportional,
}

/// A band. At most one of `rate`, `amountPerUnit` and `perPackage`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Band {
    /// Its lower bound, by tier; of a qualifier in PERCENT `80 %` or 0.8. The first may lie above zero: below it nothing is earned.
    pub from: Tiered<Threshold>,
    /// Its upper bound. Only for the last band, to close it, and to be checked against the next one's `from`.
    pub to: Option<Tiered<Threshold>>,
    /// Rate x basis, by tier.
    pub rate: Option<Tiered<Rate>>,
    /// Amount x quantity, by tier.
    pub amount_per_unit: Option<Tiered<Number>>,
    /// Amount x packages.
    pub per_package: Option<PerPackage>,
    /// A sum on entering the band, by tier. It is due at zero when the band starts at zero.
    pub on_entry: Option<Tiered<Number>>,
    /// Once reached, its rate is paid on everything from the first unit on (MARGINAL).
    #[serde(default)]
    pub back_to_first: bool,
}

/// Growth over a baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Growth {
    /// What is grown from.
    pub baseline: Baseline,
    /// What is paid on.
    pub pay_on: GrowthBase,
    /// Growth as a fraction of the baseline (bands at 1.1 = 110 %), or in units of the basis above it.
    #[serde(default)]
    pub measured: GrowthMeasure,
    /// The bands: `from` is the target, as a percentage of the baseline (`110 %` is 1.1) or the increment.
    pub bands: Vec<GrowthBand>,
    /// A bound belongs to the band below it.
    #[serde(default)]
    pub upper_inclusive: bool,
    /// A missing or zero baseline earns nothing, or everything is growth at the highest band's rate.
    #[serde(default)]
    pub zero_baseline: ZeroBaseline,
}

/// What is grown from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Baseline {
    /// The same period a year earlier, times a factor if given.
    SamePeriodLastYear(HistoryBaseline),
    /// The period before, times a factor if given.
    PreviousPeriod(HistoryBaseline),
    /// A figure for all.
    Given(Number),
    /// A metric of the partner as of the period's first day.
    Metric(Operand),
}

/// A baseline from history.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HistoryBaseline {
    /// Times this. Default 1.
    pub factor: Option<Number>,
}

/// What growth is paid on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GrowthBase {
    /// The increment, all of it at the reached band's rate.
    Increment,
    /// Each slice of the increment at its own band's rate. Growth below the first band earns nothing.
    IncrementByBand,
    /// The whole basis at the reached band's rate.
    Everything,
}

/// How growth is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GrowthMeasure {
    /// Basis / baseline: 1.1 is ten percent of growth.
    #[default]
    Ratio,
    /// Basis minus baseline.
    Absolute,
}

/// A band of growth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrowthBand {
    /// Its lower bound: `110 %` or 1.1 of the baseline, or the increment.
    pub from: Threshold,
    /// The rate, by tier. Exactly one of `rate`, `amountPerUnit` and `lumpSum`.
    pub rate: Option<Tiered<Rate>>,
    /// An amount per unit, by tier.
    pub amount_per_unit: Option<Tiered<Number>>,
    /// A sum, by tier.
    pub lump_sum: Option<Tiered<Number>>,
}

/// Without a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ZeroBaseline {
    /// Nothing is earned.
    #[default]
    None,
    /// Everything is growth, in the highest band.
    Full,
}

/// A target from the partner's own history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// What it is computed from.
    pub history: Baseline,
    /// At least this.
    pub floor: Option<Threshold>,
    /// At most this.
    pub cap: Option<Threshold>,
    /// The partner must have accepted it by this many days after the period's first day: a holding of kind TARGET_ACCEPTANCE
    /// whose type is the schedule's key, dated by then.
    pub accept_within_days: Option<u32>,
    /// What reaching it pays.
    pub pays: TargetPay,
}

/// What reaching a target pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TargetPay {
    /// A sum, by tier.
    LumpSum(Tiered<Number>),
    /// A rate on everything, by tier.
    RateOnEverything(Tiered<Rate>),
    /// A rate on what lies above the target, by tier.
    RateAboveTarget(Tiered<Rate>),
}

/// A fixed sum of the period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fixed {
    /// The sum, by tier.
    pub amount: Tiered<Number>,
}

/// Which tier counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TierAt {
    /// The tier at each transaction's date.
    TransactionDate,
    /// The tier at the end of the period's last day.
    #[default]
    PeriodEnd,
    /// The highest tier of the period.
    BestInPeriod,
}

/// On which date returns count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReturnDate {
    /// Their own.
    #[default]
    OwnDate,
    /// The sale's, if the return names it, with its tier, category and exchange rate.
    SaleDate,
}

/// A lower bound of an earning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Floor {
    /// The bound, by tier.
    pub amount: Tiered<Number>,
    /// Also tops up an earning of zero.
    #[serde(default)]
    pub unconditional: bool,
}

/// An upper bound of an earning: a figure, a share of what was sold, or whichever of the two is lower.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cap {
    /// The bound, by tier.
    pub amount: Option<Tiered<Number>>,
    /// The bound as a fraction of `of`, by tier.
    pub share: Option<Tiered<Rate>>,
    /// What the share is taken of, measured on the period's last day; without data it is nothing. Default: the amount of the lines in
    /// the schedule's scope.
    pub of: Option<Operand>,
    /// Per what. Default: per partner and period.
    #[serde(default)]
    pub per: CapScope,
}

/// What a cap is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CapScope {
    /// Each partner and period.
    #[default]
    Partner,
    /// Each customer and month.
    CustomerMonth,
    /// Each subscription (the line's `attribute.subscription`) and month.
    SubscriptionMonth,
    /// Each line.
    Line,
}

/// Less than this is not paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MinimumPayout {
    /// Exactly this is paid.
    pub amount: Number,
    /// What happens to less.
    #[serde(default)]
    pub below: BelowMinimum,
}

/// What happens to a small payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BelowMinimum {
    /// It is forfeited. A cumulative schedule charges back nothing that it forfeited earlier in the fiscal year.
    #[default]
    Forfeit,
    /// It is carried into the next period.
    Carry,
}

/// A guaranteed minimum: a top-up of what was earned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Guarantee {
    /// The guaranteed amount a period, by tier.
    pub amount: Tiered<Number>,
    /// What earlier periods of the fiscal year earned above it counts towards it; of a cumulative schedule the sum to date is guaranteed.
    #[serde(default)]
    pub cumulative: bool,
}

/// What all partners together get at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BudgetCap {
    /// The budget of one period.
    pub amount: Number,
    /// What happens when more was earned.
    #[serde(default)]
    pub when_exceeded: WhenExceeded,
}

/// When a budget does not suffice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WhenExceeded {
    /// It is shared in proportion, by largest remainder.
    #[default]
    ProRata,
    /// The run is refused.
    Refuse,
}

/// How a figure becomes minor units (semantics 15).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rounding {
    /// The mode.
    #[serde(default)]
    pub mode: RoundingMode,
    /// Where.
    #[serde(default)]
    pub at: RoundAt,
}

/// Where rounding happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RoundAt {
    /// Once per entitlement; lines share the rounded total by largest remainder.
    #[default]
    Entitlement,
    /// Each band's slice.
    Band,
    /// Each line.
    Line,
}

/// How a schedule is accrued while its period is open. At most one of `rate` and `method`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Accrual {
    /// An expected rate.
    pub rate: Option<Tiered<Rate>>,
    /// Another method.
    pub method: Option<Box<Method>>,
}

/// What happens to lines that come after the run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrueUp {
    /// Days after the period's end before which it may not be calculated.
    #[serde(default)]
    pub grace_days: u32,
    /// A difference to the partner's disadvantage.
    #[serde(default)]
    pub negative: NegativeDifference,
    /// Whether a corrected exchange rate leads to a difference. Default: posted lines keep theirs.
    #[serde(default)]
    pub exchange_corrections: bool,
    /// Lines recorded later than this many days after the period's end no longer count for it. Default: always.
    pub until_days: Option<u32>,
}

/// A difference to the partner's disadvantage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NegativeDifference {
    /// Is posted as a negative line.
    #[default]
    ClawBack,
    /// Is set off against later postings; nothing negative is posted.
    CarryForward,
}

/// How schedules of a program compose (semantics 18). Schedules that no rule names simply add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StackingRule {
    /// The best schedule of a group counts, per partner and period; ties go to the smaller key.
    BestOf(BestOf),
    /// Schedules in this order: each one's basis is reduced, line by line, by what the earlier ones earned.
    Sequential(Sequential),
    /// One schedule's basis is reduced by what others earned.
    NetOf(NetOf),
}

impl StackingRule {
    /// The schedules that it puts together.
    pub fn schedules(&self) -> Vec<&str> {
        match self {
            Self::BestOf(rule) => rule.schedules.iter().map(String::as_str).collect(),
            Self::Sequential(rule) => rule.steps.iter().map(|step| step.schedule.as_str()).collect(),
            Self::NetOf(rule) => std::iter::once(&rule.schedule).chain(&rule.of).map(String::as_str).collect(),
        }
    }
}

/// The best of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BestOf {
    /// The schedules: all of them cumulative, then compared by their worth to date, or none.
    pub schedules: Vec<String>,
}

/// One after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sequential {
    /// The schedules, in processing order.
    pub steps: Vec<SequentialStep>,
}

/// A step of a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SequentialStep {
    /// The schedule.
    pub schedule: String,
    /// Whether its earnings reduce the basis of later ones. Default true.
    #[serde(default = "yes")]
    pub reduces_others: bool,
    /// Whether its own basis is reduced by earlier ones. Default true.
    #[serde(default = "yes")]
    pub is_reduced: bool,
}

const fn yes() -> bool {
    true
}

/// Net of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetOf {
    /// The schedule.
    pub schedule: String,
    /// Its basis is reduced, line by line, by what these earned.
    pub of: Vec<String>,
}
