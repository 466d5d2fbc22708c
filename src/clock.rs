//! The clock port. The only file that asks the system for the time.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use guerdon_domain::date::Date;

/// Where the present moment comes from.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> DateTime<Utc>;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock that stands still until it is moved: for the demonstration and for tests.
#[derive(Debug, Clone)]
pub struct StandingClock(Arc<Mutex<DateTime<Utc>>>);

impl StandingClock {
    /// Stands at `moment`.
    pub fn at(moment: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(moment)))
    }

    /// Stands at noon (UTC) of `date`, so that it is the same date in nearly every time zone.
    pub fn on(date: Date) -> Self {
        Self::at(date.naive().and_hms_opt(12, 0, 0).unwrap_or_default().and_utc())
    }

    /// Moves it forward.
    pub fn advance(&self, by: TimeDelta) {
        let mut moment = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *moment += by;
    }

    /// Sets it.
    pub fn set(&self, to: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}

impl Clock for StandingClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The civil date of `moment` in `zone`.
pub fn civil_date(moment: DateTime<Utc>, zone: Tz) -> Date {
    Date::from_naive(moment.with_timezone(&zone).date_naive())
}
