//! Windows.

use super::Check;
use crate::document::metric::{Alignment, CalendarWindow, Exchange, RollingWindow, SinceEnrollmentWindow, Which, Window};

/// A window reaches back at most this far.
pub(super) const MAX_DAYS: u32 = 36_600;
const MAX_MONTHS: u32 = 1_200;

impl Check<'_> {
    /// A window of a measure or a requirement.
    pub(super) fn window(&mut self, window: &Window, path: &str) {
        match window {
            Window::Rolling(rolling) => self.rolling(rolling, &format!("{path}.rolling")),
            Window::Calendar(calendar) => self.calendar(calendar, &format!("{path}.calendar")),
            Window::Fiscal(fiscal) => self.calendar(fiscal, &format!("{path}.fiscal")),
            Window::CustomYear(custom) => {
                let document = self.document;
                let known = document.custom_years.iter().map(|list| list.key.as_str());
                self.reference("list of custom years", &custom.calendar, format!("{path}.customYear.calendar"), known);
                self.bounded(custom.back, 100, &format!("{path}.customYear.back"));
            }
            Window::SinceEnrollment(since) => self.since_enrollment(since, &format!("{path}.sinceEnrollment")),
            Window::PartnershipYear(_) | Window::Lifetime {} | Window::OnDay {} => {}
        }
    }

    fn since_enrollment(&mut self, window: &SinceEnrollmentWindow, path: &str) {
        let lengths = [("days", window.days, MAX_DAYS), ("months", window.months, MAX_MONTHS)];
        self.exactly_one(path, &lengths.map(|(name, length, _)| (name, length.is_some())));
        for (name, length, most) in lengths {
            if let Some(length) = length {
                self.at_least_one(length, format!("{path}.{name}"));
                self.bounded(length, most, &format!("{path}.{name}"));
            }
        }
    }

    pub(super) fn bounded(&mut self, value: u32, most: u32, path: &str) {
        if value > most {
            self.fault("OUT_OF_RANGE", path, format!("write {most} or less"));
        }
    }

    fn rolling(&mut self, rolling: &RollingWindow, path: &str) {
        let lengths = [
            ("days", rolling.days, MAX_DAYS),
            ("months", rolling.months, MAX_MONTHS),
            ("quarters", rolling.quarters, MAX_MONTHS / 3),
            ("years", rolling.years, MAX_MONTHS / 12),
        ];
        self.exactly_one(path, &lengths.map(|(name, length, _)| (name, length.is_some())));
        for (name, length, most) in lengths {
            if let Some(length) = length {
                self.at_least_one(length, format!("{path}.{name}"));
                self.bounded(length, most, &format!("{path}.{name}"));
                self.bounded(rolling.offset, most, &format!("{path}.offset"));
            }
        }
        let aligned = rolling.alignment == Alignment::Aligned;
        if aligned && rolling.days.is_some() {
            self.fault("WINDOW_MISFIT", format!("{path}.alignment"), "days have no whole calendar unit: write months, quarters or years, or SLIDING");
        }
        self.out_of_place(
            rolling.include_current && !aligned,
            format!("{path}.includeCurrent"),
            "a SLIDING window always ends with the day; this is for ALIGNED ones",
        );
    }

    fn calendar(&mut self, window: &CalendarWindow, path: &str) {
        self.at_least_one(window.count, format!("{path}.count"));
        self.bounded(window.count, MAX_MONTHS, &format!("{path}.count"));
        self.bounded(window.back, MAX_MONTHS, &format!("{path}.back"));
        self.out_of_place(
            window.count > 1 && window.which == Which::ToDate,
            format!("{path}.count"),
            "TO_DATE is the current one only; `count` is for PREVIOUS",
        );
    }

    /// How amounts are converted.
    pub(super) fn exchange(&mut self, exchange: Option<&Exchange>, path: &str) {
        if exchange.is_some_and(|exchange| exchange.rate_type.is_empty() || exchange.rate_type.len() > 64) {
            self.fault("INVALID_KEY", format!("{path}.rateType"), "write the type of rate, such as SPOT");
        }
    }
}
