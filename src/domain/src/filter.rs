//! Which facts count: a filter tree over the fields of a fact.
//!
//! One trait, [`Fields`], answers a field name for every kind of fact; [`FactView`] adds what depends on the partner and on
//! the date of the evaluation (region by default, `partner.type`, whether a deal is closed yet). Engines ask
//! [`FilterContext::matches`] and nothing else.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

mod carried;

use self::carried::text;
use crate::date::{Date, Span};
use crate::document::metric::{CalendarUnit, FieldTest, Filter, FirstFact, LastVersions, Source};
use crate::document::scoped::Scalar;
use crate::exact::Exact;
use crate::facts::{Activity, AttributeValue, Attributes, Deal, Holding, PartnerFacts, SalesSum, Transaction};
use crate::money::Currency;
use crate::period::FiscalYear;
use crate::program::Program;

/// The value of a field of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A number.
    Number(Exact),
    /// A date; it compares as its spelling `YYYY-MM-DD`.
    Date(Date),
    /// Yes or no.
    Boolean(bool),
}

impl<'a> FieldValue<'a> {
    const fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// As people and group keys spell it.
    pub fn spelling(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Date(date) => Cow::Owned(date.to_string()),
            Self::Boolean(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        }
    }

    /// As a number, if it is one or spells one.
    pub fn number(&self) -> Option<Exact> {
        match self {
            Self::Number(number) => Some(number.clone()),
            Self::Text(text) => Exact::parse(text, 15, 10).ok(),
            _ => None,
        }
    }
}

impl<'a> From<&'a AttributeValue> for FieldValue<'a> {
    fn from(value: &'a AttributeValue) -> Self {
        match value {
            AttributeValue::Text(text) => Self::text(text),
            AttributeValue::Number(number) => Self::Number(number.clone()),
            AttributeValue::Boolean(value) => Self::Boolean(*value),
        }
    }
}

/// A fact whose fields can be asked by name.
pub trait Fields {
    /// The value of a field that the fact carries itself; `None` when it is missing or unknown. Attributes are asked by
    /// [`Fields::attributes`].
    fn own_field(&self, name: &str) -> Option<FieldValue<'_>>;

    /// The free attributes.
    fn attributes(&self) -> Option<&Attributes>;

    /// The region that the fact itself names.
    fn own_region(&self) -> Option<&str>;

    /// The date by which it is first known to count: of a sale or activity its own, of a holding its first day, of a deal the
    /// day it was opened.
    fn date(&self) -> Date;
}

/// Any fact.
#[derive(Debug, Clone, Copy)]
pub enum Fact<'a> {
    /// A sale line.
    Transaction(&'a Transaction),
    /// Something held.
    Holding(&'a Holding),
    /// A dated measurement.
    Activity(&'a Activity),
    /// A registered opportunity.
    Deal(&'a Deal),
    /// The kept sums of a month's sale lines.
    Rollup(&'a SalesSum),
}

impl<'a> Fact<'a> {
    /// The fact, as something whose fields can be asked.
    pub fn fields(self) -> &'a dyn Fields {
        match self {
            Self::Transaction(fact) => fact,
            Self::Holding(fact) => fact,
            Self::Activity(fact) => fact,
            Self::Deal(fact) => fact,
            Self::Rollup(fact) => fact,
        }
    }

    /// Its id in its source; none of a roll-up.
    pub fn external_id(self) -> Option<&'a str> {
        match self {
            Self::Transaction(fact) => Some(&fact.id.external_id),
            Self::Holding(fact) => Some(&fact.id.external_id),
            Self::Activity(fact) => Some(&fact.id.external_id),
            Self::Deal(fact) => Some(&fact.id.external_id),
            Self::Rollup(_) => None,
        }
    }

    /// The source that a measure reads it from.
    pub const fn source(self) -> Source {
        match self {
            Self::Transaction(_) | Self::Rollup(_) => Source::Transactions,
            Self::Holding(_) => Source::Holdings,
            Self::Activity(_) => Source::Activities,
            Self::Deal(_) => Source::Deals,
        }
    }
}

/// A fact with the partner that it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct FactView<'a> {
    /// The fact.
    pub fact: Fact<'a>,
    /// Whose it is.
    pub owner: &'a PartnerFacts,
}

impl<'a> FactView<'a> {
    /// A sale line of a partner.
    pub const fn transaction(owner: &'a PartnerFacts, line: &'a Transaction) -> Self {
        Self { fact: Fact::Transaction(line), owner }
    }

    /// The region that counts: its own, else its partner's on its date (semantics 7). None of a roll-up, which spans regions.
    pub fn region(self) -> Option<&'a str> {
        match self.fact {
            Fact::Rollup(_) => None,
            fact => fact.fields().own_region().or_else(|| self.owner.region(fact.fields().date())),
        }
    }
}

/// The dates of the first facts of groups, found once per filter and partner.
#[derive(Debug, Default)]
pub struct FirstDates(RefCell<HashMap<FirstDatesKey, Rc<GroupDates>>>);

/// By rule, partner and source.
type FirstDatesKey = (usize, usize, Source);
/// By group key.
type GroupDates = HashMap<Vec<String>, Date>;

/// The names that an enclosing `forEach` binds, with the group that each stands for.
pub type Bindings = Vec<(String, String)>;

/// Everything besides the fact that a filter may ask.
#[derive(Debug, Clone, Copy)]
pub struct FilterContext<'a> {
    /// The rules.
    pub program: &'a Program,
    /// The date of the evaluation.
    pub as_of: Date,
    /// The days that are looked at, for `startedInWindow` and `endedInWindow`.
    pub window: Option<Span>,
    /// What happened after this day is not known yet: a deal closed later is still open.
    pub known_until: Date,
    /// Sale lines recorded after this day are not known: they are no first facts either. All are known, when empty.
    pub known_on: Option<Date>,
    /// `$name` of an enclosing `forEach`.
    pub bindings: &'a [(String, String)],
    /// Kept first dates.
    pub first_dates: &'a FirstDates,
}

impl<'a> FilterContext<'a> {
    /// A context without window and bindings.
    pub const fn new(program: &'a Program, as_of: Date, first_dates: &'a FirstDates) -> Self {
        Self { program, as_of, window: None, known_until: Date::MAX, known_on: None, bindings: &[], first_dates }
    }

    /// The value of any field of a fact, as documents name them; see [`field_names`].
    pub fn field<'f>(&self, view: FactView<'f>, name: &str) -> Option<FieldValue<'f>> {
        if let Some(attribute) = name.strip_prefix("attribute.") {
            return view.fact.fields().attributes()?.get(attribute).map(FieldValue::from);
        }
        if let Some(of_partner) = name.strip_prefix("partner.") {
            return partner_field(view.owner, self.as_of, of_partner);
        }
        match (name, view.fact) {
            ("region", _) => view.region().map(FieldValue::text),
            ("month" | "quarter" | "year" | "fiscalQuarter" | "fiscalYear", fact) => {
                let (year, unit) = period_field(name, self.program.fiscal_year)?;
                Some(FieldValue::Text(Cow::Owned(year.name(unit, year.start_of(unit, fact.fields().date())))))
            }
            ("deal.kind", Fact::Transaction(line)) => {
                let deal = line.deal.as_deref()?;
                view.owner.deals.iter().find(|known| known.id.external_id == deal).and_then(|known| text(known.kind.as_ref()))
            }
            ("active", Fact::Holding(holding)) => Some(FieldValue::Boolean(holds_on(holding, self.as_of, self.known_until))),
            ("startedInWindow", Fact::Holding(holding)) => self.window.map(|window| FieldValue::Boolean(window.contains(holding.since))),
            ("endedInWindow", Fact::Holding(holding)) => {
                self.window.map(|window| FieldValue::Boolean(window.contains(known_span(holding, self.known_until).until)))
            }
            ("outcome", Fact::Deal(deal)) if deal.closed_on.is_some_and(|closed| closed > self.as_of.min(self.known_until)) => Some(FieldValue::text("OPEN")),
            ("closedOn" | "cycleDays", Fact::Deal(deal)) if deal.closed_on.is_some_and(|closed| closed > self.as_of.min(self.known_until)) => None,
            (_, fact) => fact.fields().own_field(name),
        }
    }

    /// Whether the fact passes the filter.
    pub fn matches(&self, filter: &Filter, view: FactView<'_>) -> bool {
        match filter {
            Filter::AllOf(filters) => filters.iter().all(|filter| self.matches(filter, view)),
            Filter::AnyOf(filters) => filters.iter().any(|filter| self.matches(filter, view)),
            Filter::Not(filter) => !self.matches(filter, view),
            Filter::Test(test) => self.passes(test, view),
            Filter::LastVersions(rule) => self.names_last_version(rule, view),
            Filter::FirstFact(rule) => self.first_fact_on_side(rule, view),
        }
    }

    /// Whether the fact passes the filter, if there is one.
    pub fn matches_optional(&self, filter: Option<&Filter>, view: FactView<'_>) -> bool {
        filter.is_none_or(|filter| self.matches(filter, view))
    }

    fn passes(&self, test: &FieldTest, view: FactView<'_>) -> bool {
        let value = self.field(view, &test.field);
        if test.exists.is_some_and(|exists| exists != value.is_some()) {
            return false;
        }
        let Some(value) = value else {
            // A missing field passes `exists: false` and `notIn` and nothing else.
            let asks_more = test.equals.is_some() || test.r#in.is_some() || test.under.is_some() || test.in_group.is_some();
            let asks_order = test.at_least.is_some() || test.above.is_some() || test.at_most.is_some() || test.below.is_some();
            return !asks_more && !asks_order && (test.exists == Some(false) || test.not_in.is_some());
        };
        self.is_named(test, &value) && self.is_ordered(test, &value)
    }

    fn is_named(&self, test: &FieldTest, value: &FieldValue<'_>) -> bool {
        let one_of = |scalars: &[Scalar]| scalars.iter().any(|scalar| self.equal(value, scalar));
        test.equals.as_ref().is_none_or(|scalar| self.equal(value, scalar))
            && test.r#in.as_deref().is_none_or(one_of)
            && !test.not_in.as_deref().is_some_and(one_of)
            && test.under.as_deref().is_none_or(|ancestor| self.lies_under(&test.field, value, ancestor))
            && test.in_group.as_deref().is_none_or(|group| self.program.geography.in_group(&value.spelling(), group))
    }

    fn is_ordered(&self, test: &FieldTest, value: &FieldValue<'_>) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let holds = |bound: &Option<Scalar>, wanted: &[std::cmp::Ordering]| {
            bound.as_ref().is_none_or(|scalar| self.order(value, scalar).is_some_and(|order| wanted.contains(&order)))
        };
        holds(&test.at_least, &[Greater, Equal]) && holds(&test.above, &[Greater]) && holds(&test.at_most, &[Less, Equal]) && holds(&test.below, &[Less])
    }

    /// What `$name` stands for; other text stands for itself. An unbound name stands for nothing.
    pub fn resolve_name<'t>(&self, text: &'t str) -> Option<&'t str>
    where
        'a: 't,
    {
        match text.strip_prefix('$') {
            Some(name) => self.bindings.iter().rfind(|(bound, _)| bound == name).map(|(_, group)| group.as_str()),
            None => Some(text),
        }
    }

    fn equal(&self, value: &FieldValue<'_>, scalar: &Scalar) -> bool {
        match (value, scalar) {
            (FieldValue::Number(number), Scalar::Number(wanted)) => *number == wanted.0,
            (FieldValue::Boolean(is), Scalar::Boolean(wanted)) => is == wanted,
            (FieldValue::Text(text), Scalar::Text(wanted)) => self.resolve_name(wanted).is_some_and(|wanted| text == wanted),
            // "1.50" and 1.5 are one number.
            (FieldValue::Number(number), Scalar::Text(wanted)) => {
                self.resolve_name(wanted).and_then(|wanted| Exact::parse(wanted, 15, 10).ok()).is_some_and(|wanted| *number == wanted)
            }
            (value, Scalar::Text(wanted)) => self.resolve_name(wanted).is_some_and(|wanted| value.spelling() == wanted),
            (value, Scalar::Number(wanted)) => value.number() == Some(wanted.0.clone()),
            (value, Scalar::Boolean(wanted)) => value.spelling() == if *wanted { "true" } else { "false" },
        }
    }

    fn order(&self, value: &FieldValue<'_>, scalar: &Scalar) -> Option<std::cmp::Ordering> {
        match (value, scalar) {
            (FieldValue::Boolean(_), _) | (_, Scalar::Boolean(_)) => None,
            (value, Scalar::Number(bound)) => value.number().map(|number| number.cmp(&bound.0)),
            (FieldValue::Number(number), Scalar::Text(bound)) => Exact::parse(self.resolve_name(bound)?, 15, 10).ok().map(|bound| number.cmp(&bound)),
            (FieldValue::Date(date), Scalar::Text(bound)) => self.resolve_name(bound)?.parse::<Date>().ok().map(|bound| date.cmp(&bound)),
            (FieldValue::Text(text), Scalar::Text(bound)) => Some(text.as_ref().cmp(self.resolve_name(bound)?)),
        }
    }

    /// Categories and regions are trees; which of the two a field holds follows from its name, an attribute may hold either.
    fn lies_under(&self, field: &str, value: &FieldValue<'_>, ancestor: &str) -> bool {
        let Some(ancestor) = self.resolve_name(ancestor) else { return false };
        let key = value.spelling();
        match field {
            "category" => self.program.categories.is_under(&key, ancestor),
            "region" | "partner.region" => self.program.geography.regions.is_under(&key, ancestor),
            _ => self.program.categories.is_under(&key, ancestor) || self.program.geography.regions.is_under(&key, ancestor),
        }
    }

    fn names_last_version(&self, rule: &LastVersions, view: FactView<'_>) -> bool {
        let name = match view.fact.fields().attributes().and_then(|attributes| attributes.get(&rule.attribute)) {
            Some(value) => FieldValue::from(value),
            None => return false,
        };
        let Some(list) = self.program.document.version_lists.iter().find(|list| list.key == rule.list) else { return false };
        let mut released: Vec<_> = list.versions.iter().filter(|version| version.released_on <= self.as_of).collect();
        released.sort_by_key(|version| version.released_on);
        released.iter().rev().take(rule.n as usize).any(|version| version.name == name.spelling())
    }

    fn first_fact_on_side(&self, rule: &FirstFact, view: FactView<'_>) -> bool {
        let Some(group) = self.group_key(&rule.per, view) else { return false };
        let dates = self.first_dates_of(rule, view);
        let Some(first) = dates.get(&group) else { return false };
        let date = view.fact.fields().date();
        let since = |months: u32| first.plus_months(i32::try_from(months).unwrap_or(i32::MAX));
        rule.on_or_after.is_none_or(|from| *first >= from)
            && rule.before.is_none_or(|before| *first < before)
            && rule.within_months.is_none_or(|months| date < since(months))
            && rule.after_months.is_none_or(|months| date >= since(months))
    }

    fn first_dates_of(&self, rule: &FirstFact, view: FactView<'_>) -> Rc<GroupDates> {
        let key = (std::ptr::from_ref(rule).addr(), std::ptr::from_ref(view.owner).addr(), view.fact.source());
        if let Some(dates) = self.first_dates.0.borrow().get(&key) {
            return Rc::clone(dates);
        }
        let mut dates = GroupDates::new();
        let known = |fact: &Fact<'_>| match fact {
            Fact::Transaction(line) => self.known_on.is_none_or(|known_on| line.recorded_on <= known_on),
            _ => true,
        };
        for fact in facts_of(view.owner, view.fact.source()).filter(known) {
            if let Some(group) = self.group_key(&rule.per, FactView { fact, owner: view.owner }) {
                let date = fact.fields().date();
                dates.entry(group).and_modify(|first| *first = date.min(*first)).or_insert(date);
            }
        }
        let dates = Rc::new(dates);
        self.first_dates.0.borrow_mut().insert(key, Rc::clone(&dates));
        dates
    }

    /// The values of several fields as a group key; `None` when the fact lacks one of them, so that it is in no group.
    pub fn group_key(&self, fields: &[String], view: FactView<'_>) -> Option<Vec<String>> {
        fields.iter().map(|name| self.field(view, name).map(|value| value.spelling().into_owned())).collect()
    }
}

/// The days on which a holding counts, as far as was known on `known_until`: a later revocation is not foreseen.
pub fn known_span(holding: &Holding, known_until: Date) -> Span {
    let until = holding.until.unwrap_or(Date::MAX);
    let revoked = holding.revoked_on.filter(|revoked| *revoked <= known_until);
    Span::new(holding.since, revoked.map_or(until, |revoked| revoked.min(until)))
}

fn holds_on(holding: &Holding, date: Date, known_until: Date) -> bool {
    known_span(holding, known_until).contains(date)
}

/// All facts of a partner from one source.
pub fn facts_of(owner: &PartnerFacts, source: Source) -> Box<dyn Iterator<Item = Fact<'_>> + '_> {
    match source {
        Source::Transactions => Box::new(owner.transactions.iter().map(Fact::Transaction)),
        Source::Holdings => Box::new(owner.holdings.iter().map(Fact::Holding)),
        Source::Activities => Box::new(owner.activities.iter().map(Fact::Activity)),
        Source::Deals => Box::new(owner.deals.iter().map(Fact::Deal)),
    }
}

/// A field of the partner as of the date of the evaluation (semantics 4): `type`, `region`, `code`, `currency`, or `attribute.NAME`.
fn partner_field<'f>(owner: &'f PartnerFacts, as_of: Date, name: &str) -> Option<FieldValue<'f>> {
    let profile = || owner.profile(as_of);
    match name {
        "code" => Some(FieldValue::text(&owner.code)),
        "type" => text(profile()?.partner_type.as_ref()),
        "region" => text(profile()?.region.as_ref()),
        "parent" => text(profile()?.parent.as_ref()),
        "currency" => profile()?.currency.map(|currency: Currency| FieldValue::text(currency.code())),
        _ => profile()?.attributes.get(name.strip_prefix("attribute.")?).map(FieldValue::from),
    }
}

/// The unit that a field of a fact's date names, and the year that it is part of.
pub(crate) fn period_field(name: &str, fiscal_year: FiscalYear) -> Option<(FiscalYear, CalendarUnit)> {
    match name {
        "month" => Some((FiscalYear::CALENDAR, CalendarUnit::Month)),
        "quarter" => Some((FiscalYear::CALENDAR, CalendarUnit::Quarter)),
        "year" => Some((FiscalYear::CALENDAR, CalendarUnit::Year)),
        "fiscalQuarter" => Some((fiscal_year, CalendarUnit::Quarter)),
        "fiscalYear" => Some((fiscal_year, CalendarUnit::Year)),
        _ => None,
    }
}

/// The field names that a source offers, besides `attribute.NAME` and `partner.attribute.NAME`.
pub const fn field_names(source: Source) -> &'static [&'static str] {
    match source {
        Source::Transactions => &[
            "kind",
            "product",
            "category",
            "customer",
            "deal",
            "deal.kind",
            "currency",
            "amount",
            "quantity",
            "region",
            "date",
            "corrects",
            "month",
            "quarter",
            "year",
            "fiscalQuarter",
            "fiscalYear",
            "partner.code",
            "partner.type",
            "partner.region",
            "partner.parent",
            "partner.currency",
        ],
        Source::Holdings => &[
            "kind",
            "type",
            "level",
            "holder",
            "holderKind",
            "person",
            "customer",
            "offering",
            "product",
            "category",
            "value",
            "currency",
            "region",
            "date",
            "since",
            "until",
            "active",
            "startedInWindow",
            "endedInWindow",
            "month",
            "quarter",
            "year",
            "fiscalQuarter",
            "fiscalYear",
            "partner.code",
            "partner.type",
            "partner.region",
            "partner.parent",
            "partner.currency",
        ],
        Source::Activities => &[
            "kind",
            "subject",
            "value",
            "currency",
            "region",
            "date",
            "expiresOn",
            "month",
            "quarter",
            "year",
            "fiscalQuarter",
            "fiscalYear",
            "partner.code",
            "partner.type",
            "partner.region",
            "partner.parent",
            "partner.currency",
        ],
        Source::Deals => &[
            "kind",
            "deal",
            "stage",
            "outcome",
            "customer",
            "value",
            "amount",
            "currency",
            "region",
            "date",
            "openedOn",
            "closedOn",
            "cycleDays",
            "month",
            "quarter",
            "year",
            "fiscalQuarter",
            "fiscalYear",
            "partner.code",
            "partner.type",
            "partner.region",
            "partner.parent",
            "partner.currency",
        ],
    }
}

/// Whether a source offers a field of that name.
pub fn is_field(source: Source, name: &str) -> bool {
    let attribute = name.strip_prefix("partner.").unwrap_or(name).strip_prefix("attribute.");
    attribute.is_some_and(|attribute| !attribute.is_empty()) || field_names(source).contains(&name)
}

/// Whether a field of a source is a number that can be summed, averaged or compared in size. Attributes may be.
pub fn is_numeric_field(source: Source, name: &str) -> bool {
    match source {
        Source::Transactions => matches!(name, "amount" | "quantity") || name.starts_with("attribute."),
        Source::Holdings | Source::Activities => name == "value" || name.starts_with("attribute."),
        Source::Deals => matches!(name, "value" | "amount" | "cycleDays") || name.starts_with("attribute."),
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
