//! Measures and the filters over facts.

use super::never::is_empty;
use super::{Check, MAX_TREE_DEPTH};
use crate::date::Date;
use crate::document::metric::{Aggregate, CalendarUnit, FieldTest, Filter, Measure, Source, Window};
use crate::document::scoped::Scalar;
use crate::document::shape::nearest;
use crate::exact::Exact;
use crate::filter::{field_names, is_field, is_numeric_field, period_field};
use crate::period::FiscalYear;

/// Names that enclosing `forEach` groups bind.
pub(super) type Bound<'a> = &'a [String];

/// Months from a first fact are counted at most this far.
const MAX_MONTHS: u32 = 1_200;

impl Check<'_> {
    /// A measure.
    pub(super) fn measure(&mut self, measure: &Measure, bound: Bound<'_>, path: &str) {
        let source = measure.source;
        self.window(&measure.window, &format!("{path}.window"));
        self.filter(measure.filter.as_ref(), source, bound, &format!("{path}.filter"));
        self.aggregate(measure.aggregate, measure.of.as_deref(), source, !measure.group_by.is_empty(), path);
        self.grouping(measure, bound, path);
        self.parts(measure, bound, path);
        if let Some(table) = &measure.unit_table {
            let document = self.document;
            self.reference("unit table", table, format!("{path}.unitTable"), document.unit_tables.iter().map(|table| table.key.as_str()));
        }
        self.not_both(path, ("unitTable", measure.unit_table.is_some()), ("exchange", measure.exchange.is_some()));
        self.exchange(measure.exchange.as_ref(), &format!("{path}.exchange"));
        self.out_of_place(measure.date_field.is_some() && source != Source::Deals, format!("{path}.dateField"), "only deals have several dates");
        let alone = matches!(measure.aggregate, Aggregate::Latest | Aggregate::NetAdditions);
        self.out_of_place(alone && measure.latest.is_some(), format!("{path}.latest"), "LATEST is the latest one alone, and NET_ADDITIONS needs all of them");
        if measure.latest == Some(0) {
            self.fault("OUT_OF_RANGE", format!("{path}.latest"), "nothing would count: write 1 or more");
        }
        if measure.category_depth == Some(0) {
            self.fault("OUT_OF_RANGE", format!("{path}.categoryDepth"), "1 is the top of the tree: write 1 or more");
        }
    }

    fn grouping(&mut self, measure: &Measure, bound: Bound<'_>, path: &str) {
        let grouped = !measure.group_by.is_empty();
        for (index, field) in measure.group_by.iter().enumerate() {
            self.field(field, measure.source, &format!("{path}.groupBy[{index}]"));
        }
        self.no_repetition(&measure.group_by, &format!("{path}.groupBy"));
        self.out_of_place(!grouped && !measure.having.is_empty(), format!("{path}.having"), "it tests groups, and there is no `groupBy`");
        self.out_of_place(!grouped && measure.group_value.is_some(), format!("{path}.groupValue"), "it is the value of a group, and there is no `groupBy`");
        for (index, test) in measure.having.iter().enumerate() {
            let path = format!("{path}.having[{index}]");
            self.filter(test.filter.as_ref(), measure.source, bound, &format!("{path}.filter"));
            self.group_aggregate(test.aggregate, test.of.as_deref(), measure.source, &path);
            if [test.at_least.clone(), test.above.clone(), test.at_most.clone(), test.below.clone()].iter().all(Option::is_none) {
                self.fault("NOT_EXACTLY_ONE", &path, "write at least one of `atLeast`, `above`, `atMost`, `below`");
            }
        }
        if let Some(value) = &measure.group_value {
            self.group_aggregate(value.aggregate, value.of.as_deref(), measure.source, &format!("{path}.groupValue"));
        }
    }

    fn group_aggregate(&mut self, aggregate: Aggregate, of: Option<&str>, source: Source, path: &str) {
        if matches!(aggregate, Aggregate::Share | Aggregate::NetAdditions) {
            self.fault("OUT_OF_PLACE", format!("{path}.aggregate"), "a group of facts has no share and no additions: write another aggregate");
        } else {
            self.aggregate(aggregate, of, source, false, path);
        }
    }

    fn parts(&mut self, measure: &Measure, bound: Bound<'_>, path: &str) {
        let share = measure.aggregate == Aggregate::Share;
        if share && measure.share.is_none() {
            self.fault("MISSING_MEMBER", format!("{path}.share"), "a SHARE needs `share`: the filter of the part");
        }
        self.out_of_place(!share && measure.share.is_some(), format!("{path}.share"), "it is the part of a SHARE, and the aggregate is another");
        self.filter(measure.share.as_deref(), measure.source, bound, &format!("{path}.share"));
        let net = measure.aggregate == Aggregate::NetAdditions;
        if net {
            if measure.hysteresis.is_none() {
                self.fault("MISSING_MEMBER", format!("{path}.hysteresis"), "NET_ADDITIONS needs `hysteresis`: when a group becomes live, and when it is lost");
            }
            self.not_empty(&measure.group_by, format!("{path}.groupBy"), "field: NET_ADDITIONS counts groups, such as customers");
            if matches!(measure.window, Window::OnDay {}) {
                self.fault("WINDOW_MISFIT", format!("{path}.window"), "NET_ADDITIONS is judged month by month: write a window of months, not of a day");
            }
        }
        self.out_of_place(!net && measure.hysteresis.is_some(), format!("{path}.hysteresis"), "it is for NET_ADDITIONS, and the aggregate is another");
        if let Some(hysteresis) = &measure.hysteresis
            && hysteresis.leave_below > hysteresis.enter_at
        {
            self.fault(
                "OUT_OF_RANGE",
                format!("{path}.hysteresis.leaveBelow"),
                "a group would be lost in the month in which it becomes live: write `enterAt` or less",
            );
        }
    }

    fn aggregate(&mut self, aggregate: Aggregate, of: Option<&str>, source: Source, grouped: bool, path: &str) {
        if let Some(of) = of {
            self.field(of, source, &format!("{path}.of"));
        }
        match aggregate {
            Aggregate::Distinct if of.is_none() && !grouped => {
                self.fault("MISSING_MEMBER", format!("{path}.of"), "DISTINCT needs `of`: the field whose values are counted, such as `customer`");
            }
            Aggregate::Sum | Aggregate::Average | Aggregate::Median | Aggregate::Minimum | Aggregate::Maximum | Aggregate::Latest => {
                if let Some(of) = of.filter(|of| is_field(source, of) && !is_numeric_field(source, of)) {
                    let message = format!("`{of}` is not a number; write a field that is, or the aggregate COUNT or DISTINCT");
                    self.fault("NOT_A_NUMBER", format!("{path}.of"), message);
                }
            }
            _ => {}
        }
    }

    /// A field of a source.
    pub(super) fn field(&mut self, field: &str, source: Source, path: &str) {
        if is_field(source, field) {
            return;
        }
        let known = field_names(source);
        let advice = nearest(field, known.iter().copied())
            .map_or_else(|| format!("write one of {}, or attribute.NAME", super::few(known.iter().copied())), |near| format!("did you mean `{near}`?"));
        self.fault("UNKNOWN_FIELD", path, format!("{source:?} have no field `{field}`: {advice}"));
    }

    /// A filter.
    pub(super) fn filter(&mut self, filter: Option<&Filter>, source: Source, bound: Bound<'_>, path: &str) {
        if let Some(filter) = filter {
            self.filter_tree(filter, source, bound, path, 0);
        }
    }

    fn filter_tree(&mut self, filter: &Filter, source: Source, bound: Bound<'_>, path: &str, depth: usize) {
        if depth > MAX_TREE_DEPTH {
            return self.fault("TOO_DEEP", path, format!("filters are nested at most {MAX_TREE_DEPTH} deep"));
        }
        match filter {
            Filter::AllOf(list) | Filter::AnyOf(list) => {
                let name = if matches!(filter, Filter::AllOf(_)) { "allOf" } else { "anyOf" };
                self.not_empty(list, format!("{path}.{name}"), "test");
                for (index, inner) in list.iter().enumerate() {
                    self.filter_tree(inner, source, bound, &format!("{path}.{name}[{index}]"), depth + 1);
                }
            }
            Filter::Not(inner) => self.filter_tree(inner, source, bound, &format!("{path}.not"), depth + 1),
            Filter::Test(test) => self.field_test(test, source, bound, &format!("{path}.test")),
            Filter::LastVersions(rule) => {
                let path = format!("{path}.lastVersions");
                let document = self.document;
                self.reference("version list", &rule.list, format!("{path}.list"), document.version_lists.iter().map(|list| list.key.as_str()));
                self.at_least_one(rule.n, format!("{path}.n"));
            }
            Filter::FirstFact(rule) => {
                let path = format!("{path}.firstFact");
                self.not_empty(&rule.per, format!("{path}.per"), "field");
                for (index, field) in rule.per.iter().enumerate() {
                    self.field(field, source, &format!("{path}.per[{index}]"));
                }
                if rule.on_or_after.is_none() && rule.before.is_none() && rule.within_months.is_none() && rule.after_months.is_none() {
                    self.fault("NOT_EXACTLY_ONE", &path, "write `onOrAfter`, `before`, `withinMonths`, `afterMonths`, or several of them");
                }
                self.span(rule.on_or_after, rule.before, &path);
                for (name, months) in [("withinMonths", rule.within_months), ("afterMonths", rule.after_months)] {
                    if months.is_some_and(|months| months == 0 || months > MAX_MONTHS) {
                        self.fault("OUT_OF_RANGE", format!("{path}.{name}"), format!("write 1 to {MAX_MONTHS}"));
                    }
                }
                if let (Some(after), Some(within)) = (rule.after_months, rule.within_months)
                    && within <= after
                {
                    self.fault("EMPTY_SPAN", format!("{path}.withinMonths"), format!("no fact lies {after} months after the first one and within {within}"));
                }
            }
        }
    }

    fn field_test(&mut self, test: &FieldTest, source: Source, bound: Bound<'_>, path: &str) {
        self.field(&test.field, source, &format!("{path}.field"));
        let single = [("equals", &test.equals), ("atLeast", &test.at_least), ("above", &test.above), ("atMost", &test.at_most), ("below", &test.below)];
        let many = [("in", &test.r#in), ("notIn", &test.not_in)];
        let given = single.iter().any(|(_, value)| value.is_some()) || many.iter().any(|(_, values)| values.is_some());
        if !given && test.under.is_none() && test.in_group.is_none() && test.exists.is_none() {
            self.fault("NOT_EXACTLY_ONE", path, "write what the field must be: `equals`, `in`, `atLeast`, `under`, `exists`, ...");
        }
        for (name, value) in single {
            if let Some(value) = value {
                self.scalar(value, test, source, bound, &format!("{path}.{name}"), name == "equals");
            }
        }
        for (name, values) in many {
            if let Some(values) = values {
                self.not_empty(values, format!("{path}.{name}"), "value");
                for (index, value) in values.iter().enumerate() {
                    self.scalar(value, test, source, bound, &format!("{path}.{name}[{index}]"), true);
                }
            }
        }
        self.under(test, bound, path);
        self.passable(test, path);
    }

    /// A test of a number that none passes.
    fn passable(&mut self, test: &FieldTest, path: &str) {
        let figures = |one: &Option<Scalar>, is_within: bool| one.as_ref().and_then(number_of).map(|figure| (figure, is_within));
        let lows = [figures(&test.at_least, true), figures(&test.above, false)];
        let highs = [("atMost", figures(&test.at_most, true)), ("below", figures(&test.below, false))];
        for (member, high) in highs {
            let Some((high, is_within)) = high else { continue };
            if lows.iter().flatten().any(|(low, low_within)| is_empty((low, *low_within), (&high, is_within))) {
                self.fault("NEVER_MET", format!("{path}.{member}"), "no number lies between the bounds of this test: correct one of them");
            }
        }
    }

    fn under(&mut self, test: &FieldTest, bound: Bound<'_>, path: &str) {
        if let Some(under) = &test.under {
            let path = format!("{path}.under");
            if under.starts_with('$') {
                self.bound_name(under, bound, &path);
            } else {
                match test.field.as_str() {
                    "category" => self.category(under, path),
                    "region" | "partner.region" => self.region(under, path),
                    _ if self.names.categories.contains(under) || self.names.regions.contains(under) => {}
                    _ => self.fault("UNKNOWN_KEY", path, format!("there is no category and no region `{under}`")),
                }
            }
        }
        if let Some(group) = &test.in_group {
            self.region_group(group, format!("{path}.inGroup"));
        }
    }

    fn bound_name(&mut self, text: &str, bound: Bound<'_>, path: &str) {
        let name = text.trim_start_matches('$');
        if !bound.iter().any(|known| known == name) {
            self.fault("UNBOUND_NAME", path, format!("no enclosing `forEach` is called `{name}`: text that begins with `$` names the group of one"));
        }
    }

    fn scalar(&mut self, value: &Scalar, test: &FieldTest, source: Source, bound: Bound<'_>, path: &str, equality: bool) {
        if let Scalar::Text(text) = value
            && text.starts_with('$')
        {
            return self.bound_name(text, bound, path);
        }
        self.dated(value, &test.field, path, equality);
        self.countable(value, &test.field, source, path, equality);
        let Scalar::Text(text) = value else { return };
        if !equality {
            return;
        }
        match (test.field.as_str(), source) {
            ("category", _) if !self.document.categories.is_empty() => self.category(text, path),
            ("region" | "partner.region", _) if !self.document.regions.is_empty() => self.region(text, path),
            ("partner.type", _) if !self.document.partner_types.is_empty() => self.partner_type(text, path),
            ("kind", Source::Transactions) => self.reference("kind of transaction", text, path, ["SALE", "RETURN", "ADJUSTMENT"].into_iter()),
            ("outcome", Source::Deals) => self.reference("outcome of a deal", text, path, ["OPEN", "WON", "LOST"].into_iter()),
            ("holderKind", _) => self.reference("kind of holder", text, path, ["PARTNER", "PERSON", "CUSTOMER", "OFFERING"].into_iter()),
            ("currency" | "partner.currency", _) if text.parse::<crate::money::Currency>().is_err() => {
                self.fault("UNKNOWN_CURRENCY", path, "not a currency of ISO 4217: write three capital letters such as \"USD\"");
            }
            _ => {}
        }
    }

    /// What a field that is a number, or yes or no, is compared with: what is neither could never match. Attributes may be anything.
    fn countable(&mut self, value: &Scalar, field: &str, source: Source, path: &str, equality: bool) {
        let numeric = is_numeric_field(source, field) && !field.starts_with("attribute.");
        if numeric && !is_number(value) {
            self.fault("WRONG_KIND", path, format!("`{field}` is a number: write it as 1500 or \"1500.50\""));
        }
        if !is_yes_or_no(source, field) {
            return;
        }
        if !equality {
            self.fault("WRONG_KIND", path, format!("`{field}` is yes or no, which has no order: write `equals: true` or `equals: false`"));
        } else if !matches!(value, Scalar::Boolean(_)) && !matches!(value, Scalar::Text(text) if text == "true" || text == "false") {
            self.fault("WRONG_KIND", path, format!("`{field}` is yes or no: write true or false"));
        }
    }

    /// What a field of a date, or of the period that holds it, is compared with: what is spelled otherwise could never match.
    fn dated(&mut self, value: &Scalar, field: &str, path: &str, equality: bool) {
        let written = match value {
            Scalar::Text(text) => text.clone(),
            Scalar::Number(number) => number.0.to_string(),
            Scalar::Boolean(value) => value.to_string(),
        };
        if matches!(field, "date" | "since" | "until" | "expiresOn" | "openedOn" | "closedOn") {
            if written.parse::<Date>().is_err() {
                self.fault("WRONG_KIND", path, format!("`{field}` is a date: write it as 2025-06-30"));
            }
            return;
        }
        let fiscal_year = self.document.program.fiscal_year_start.parse().unwrap_or(FiscalYear::CALENDAR);
        let Some((year, unit)) = period_field(field, fiscal_year) else { return };
        // Parts of years are in order with years too.
        let fits = is_period(&written, year, unit) || (!equality && is_period(&written, year, CalendarUnit::Year));
        if !fits {
            let example = Date::of(2025, 6, 10).map_or_else(String::new, |day| year.name(unit, year.start_of(unit, day)));
            self.fault("WRONG_KIND", path, format!("`{field}` would never be `{written}`: 10 June 2025 lies in `{example}`, write it so"));
        }
    }
}

/// Whether a value is a number, however it is written.
fn is_number(value: &Scalar) -> bool {
    number_of(value).is_some()
}

fn number_of(value: &Scalar) -> Option<Exact> {
    match value {
        Scalar::Number(number) => Some(number.0.clone()),
        Scalar::Text(text) => Exact::parse(text, 15, 10).ok(),
        Scalar::Boolean(_) => None,
    }
}

/// Whether a field of a source is yes or no.
fn is_yes_or_no(source: Source, field: &str) -> bool {
    source == Source::Holdings && matches!(field, "active" | "startedInWindow" | "endedInWindow")
}

/// Whether a text is the name of a period.
fn is_period(text: &str, year: FiscalYear, unit: CalendarUnit) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unprefixed = if year == FiscalYear::CALENDAR { Some(text) } else { text.strip_prefix("FY") };
    let Some((called, part)) = unprefixed.and_then(|text| text.split_at_checked(4)).filter(|(called, _)| digits(called)) else { return false };
    let number = |prefix: &str| part.strip_prefix(prefix).filter(|number| digits(number)).and_then(|number| number.parse::<u8>().ok());
    match unit {
        CalendarUnit::Month => part.len() == 3 && number("-").is_some_and(|month| (1..=12).contains(&month)),
        CalendarUnit::Quarter => part.len() == 3 && number("-Q").is_some_and(|quarter| (1..=4).contains(&quarter)),
        CalendarUnit::Half => part.len() == 3 && number("-H").is_some_and(|half| (1..=2).contains(&half)),
        CalendarUnit::Year => called != "0000" && part.is_empty(),
    }
}
