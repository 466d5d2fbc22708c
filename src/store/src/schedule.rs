//! Until when the reviews of a program are planned, and the dates of partners from which days of their own follow.

use std::collections::BTreeMap;

use guerdon_domain::date::{Date, Span};
use guerdon_domain::levelling::OwnDates;

use crate::convert::Row;
use crate::fault::StoreError;
use crate::tx::{ReadTx, WriteTx};
use crate::{PartnerId, ProgramId};

impl ReadTx {
    /// The last day for which the reviews of a program are planned; none before the first.
    pub async fn find_planned_until(&self, program: ProgramId) -> Result<Option<Date>, StoreError> {
        let row = self.one("SELECT planned_until FROM review_schedule WHERE program_id = $1", vec![program.into()]).await?;
        row.map(|row| Row::new(&row, "review_schedule").date(0)).transpose()
    }

    /// Whether a scheduled review of a program is under way.
    pub async fn has_scheduled_review(&self, program: ProgramId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM review WHERE program_id = $1 AND state = 'RUNNING' AND cause = 'SCHEDULED' LIMIT 1";
        Ok(self.one(sql, vec![program.into()]).await?.is_some())
    }

    /// Dates of partners, with their codes, from which review days in `span` may follow; of enrollments only when asked for.
    /// Admissions end by themselves after at most so many months.
    pub async fn own_dates_many(
        &self,
        program: ProgramId,
        span: Span,
        enrollments: bool,
        months: u32,
    ) -> Result<BTreeMap<PartnerId, (String, OwnDates)>, StoreError> {
        let mut found: BTreeMap<PartnerId, (String, OwnDates)> = BTreeMap::new();
        let between = || vec![program.into(), span.from.naive().into(), span.until.naive().into()];
        let overrides = "SELECT o.partner_id, p.code, o.from_on, o.until_on FROM tier_override o JOIN partner p ON p.id = o.partner_id \
                         WHERE o.program_id = $1 AND o.state = 'APPROVED' AND o.until_on >= $2 AND o.from_on < $3";
        for row in self.all(overrides, between()).await? {
            let row = Row::new(&row, "tier_override");
            let dates = &mut found.entry(row.get(0)?).or_insert((row.text(1)?, OwnDates::default())).1.overrides;
            dates.extend([row.date(2)?, row.date(3)?]);
        }
        let admissions = "SELECT a.partner_id, p.code, a.ladder, a.tier, a.from_on, a.until_on FROM tier_admission a JOIN partner p ON p.id = a.partner_id \
                          WHERE a.program_id = $1 AND ((a.until_on >= $2 AND a.until_on < $3) OR (a.from_on >= $4 AND a.from_on < $5))";
        let back = |day: Date| day.plus_months(-i32::try_from(months).unwrap_or(i32::MAX));
        let given = if months == 0 { Span::new(span.from, span.from) } else { Span::new(back(span.from), span.until) };
        let parameters = between().into_iter().chain([given.from.naive().into(), given.until.naive().into()]).collect();
        for row in self.all(admissions, parameters).await? {
            let row = Row::new(&row, "tier_admission");
            let held = (row.text(2)?, row.text(3)?, Span::new(row.date(4)?, row.date(5)?));
            found.entry(row.get(0)?).or_insert((row.text(1)?, OwnDates::default())).1.admissions.push(held);
        }
        let grace = "SELECT n.partner_id, p.code, n.grace_warn_from, n.grace_until FROM standing_now n JOIN partner p ON p.id = n.partner_id \
                     WHERE n.program_id = $1 AND n.grace_until >= $2 AND n.grace_warn_from < $3";
        for row in self.all(grace, between()).await? {
            let row = Row::new(&row, "standing_now");
            let dates = &mut found.entry(row.get(0)?).or_insert((row.text(1)?, OwnDates::default())).1.grace;
            dates.extend([row.maybe_date(2)?, row.maybe_date(3)?].into_iter().flatten());
        }
        if enrollments {
            let sql = "SELECT e.partner_id, p.code, e.since_on FROM enrollment e JOIN partner p ON p.id = e.partner_id \
                       WHERE e.program_id = $1 AND (e.until_on IS NULL OR e.until_on > $2)";
            for row in self.all(sql, vec![program.into(), span.from.naive().into()]).await? {
                let row = Row::new(&row, "enrollment");
                found.entry(row.get(0)?).or_insert((row.text(1)?, OwnDates::default())).1.enrolled.push(row.date(2)?);
            }
        }
        Ok(found)
    }
}

impl WriteTx {
    /// Moves the plan of a program on, if nobody else has since it was read: true for the one who did.
    pub async fn move_plan(&self, program: ProgramId, from: Option<Date>, to: Date) -> Result<bool, StoreError> {
        let moved = match from {
            Some(from) => {
                let sql = "UPDATE review_schedule SET planned_until = $1 WHERE program_id = $2 AND planned_until = $3";
                self.execute(sql, vec![to.naive().into(), program.into(), from.naive().into()]).await?
            }
            None => {
                let sql = "INSERT INTO review_schedule (program_id, planned_until) VALUES ($1, $2) ON CONFLICT (program_id) DO NOTHING";
                self.execute(sql, vec![program.into(), to.naive().into()]).await?
            }
        };
        Ok(moved.rows_affected() == 1)
    }
}
