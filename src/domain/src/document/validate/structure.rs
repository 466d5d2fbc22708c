//! The program's header and the lists that rules lean on.

use super::{Check, MAX_TREE_DEPTH};
use crate::date::Date;
use crate::document::rebate::CustomPeriod;
use crate::document::{Category, Region};
use crate::period::FiscalYear;
use crate::program::time_zone;

impl Check<'_> {
    /// Format, program and version.
    pub(super) fn header(&mut self) {
        let document = self.document;
        if document.guerdon != 1 {
            self.fault("UNSUPPORTED_FORMAT", "guerdon", "this service reads document format 1: write `guerdon: 1`");
        }
        self.key(&document.program.code, "program.code");
        self.text(Some(&document.program.name), "program.name");
        if let Err(fault) = document.program.fiscal_year_start.parse::<FiscalYear>() {
            self.fault("INVALID_FISCAL_YEAR", "program.fiscalYearStart", fault.message);
        }
        if let Err(fault) = time_zone(&document.program.time_zone) {
            self.fault(&fault.code, "program.timeZone", fault.message);
        }
        self.text(document.version.label.as_deref(), "version.label");
        if document.version.enforced_on.is_some_and(|enforced| enforced < document.version.effective_on) {
            self.fault("EMPTY_SPAN", "version.enforcedOn", "rules cannot bind before they hold: write the effective date or a later one");
        }
    }

    /// Trees, groups, version lists, unit tables, custom years.
    pub(super) fn structure(&mut self) {
        let document = self.document;
        if region_depth(&document.regions) > MAX_TREE_DEPTH {
            self.fault("TOO_DEEP", "regions", format!("regions are nested at most {MAX_TREE_DEPTH} deep"));
        }
        if category_depth(&document.categories) > MAX_TREE_DEPTH {
            self.fault("TOO_DEEP", "categories", format!("categories are nested at most {MAX_TREE_DEPTH} deep"));
        }
        for (at, group) in document.region_groups.iter().enumerate() {
            self.not_empty(&group.regions, format!("regionGroups[{at}].regions"), "region");
            for (index, region) in group.regions.iter().enumerate() {
                self.region(region, format!("regionGroups[{at}].regions[{index}]"));
            }
            self.no_repetition(&group.regions, &format!("regionGroups[{at}].regions"));
        }
        self.version_lists();
        self.unit_tables();
        for (at, list) in document.custom_years.iter().enumerate() {
            let path = format!("customYears[{at}].years");
            self.custom_periods(&list.years, &path);
            self.contiguous(&list.years, &path);
        }
    }

    fn version_lists(&mut self) {
        let document = self.document;
        for (at, list) in document.version_lists.iter().enumerate() {
            let path = format!("versionLists[{at}].versions");
            self.not_empty(&list.versions, &path, "version");
            let names: Vec<String> = list.versions.iter().map(|version| version.name.clone()).collect();
            self.no_repetition(&names, &path);
            let dates: Vec<Date> = list.versions.iter().map(|version| version.released_on).collect();
            for index in out_of_order(&dates) {
                self.fault("OUT_OF_ORDER", format!("{path}[{index}].releasedOn"), "list versions by release date, earliest first, one a day");
            }
        }
    }

    fn unit_tables(&mut self) {
        let document = self.document;
        for (at, table) in document.unit_tables.iter().enumerate() {
            let path = format!("unitTables[{at}].rows");
            self.not_empty(&table.rows, &path, "row");
            let mut earlier: Option<Date> = None;
            for (index, row) in table.rows.iter().enumerate() {
                let path = format!("{path}[{index}]");
                match (row.from, earlier) {
                    (None, _) if index > 0 => self.fault("MISSING_MEMBER", format!("{path}.from"), "only the first row holds from the beginning: add `from`"),
                    (Some(from), Some(earlier)) if from <= earlier => {
                        self.fault("OUT_OF_ORDER", format!("{path}.from"), format!("list rows by date; the one before begins on {earlier}"));
                    }
                    _ => {}
                }
                earlier = row.from.or(earlier);
                if row.units.is_empty() {
                    self.fault("EMPTY_LIST", format!("{path}.units"), "list at least one currency");
                }
                for (currency, units) in &row.units {
                    if !units.0.is_positive() {
                        self.fault("OUT_OF_RANGE", format!("{path}.units.{currency}"), "a unit is worth more than nothing: write a number above zero");
                    }
                }
            }
        }
    }

    /// Named periods: well named, each with a day, in order, not overlapping.
    pub(super) fn custom_periods(&mut self, periods: &[CustomPeriod], path: &str) {
        self.not_empty(periods, path, "period");
        let names: Vec<String> = periods.iter().map(|period| period.name.clone()).collect();
        self.no_repetition(&names, path);
        for (index, period) in periods.iter().enumerate() {
            self.text(Some(&period.name), format!("{path}[{index}].name"));
            self.span(Some(period.from), Some(period.until), &format!("{path}[{index}]"));
        }
        for (index, pair) in periods.windows(2).enumerate() {
            if let [first, second] = pair
                && second.from < first.until
            {
                let message = format!("it begins before the period before it ends ({}): list periods in order, without overlap", first.until);
                self.fault("OVERLAP", format!("{path}[{}].from", index + 1), message);
            }
        }
    }

    fn contiguous(&mut self, periods: &[CustomPeriod], path: &str) {
        for (index, pair) in periods.windows(2).enumerate() {
            if let [first, second] = pair
                && second.from > first.until
            {
                self.fault("GAP", format!("{path}[{}].from", index + 1), format!("years follow each other without a gap: write {}", first.until));
            }
        }
    }
}

fn out_of_order(dates: &[Date]) -> Vec<usize> {
    dates.windows(2).enumerate().filter(|(_, pair)| matches!(pair, [first, second] if second <= first)).map(|(at, _)| at + 1).collect()
}

fn region_depth(regions: &[Region]) -> usize {
    regions.iter().map(|region| 1 + region_depth(&region.regions)).max().unwrap_or(0)
}

fn category_depth(categories: &[Category]) -> usize {
    categories.iter().map(|category| 1 + category_depth(&category.categories)).max().unwrap_or(0)
}
