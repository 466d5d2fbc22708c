//! Partners in programs.

use std::collections::BTreeMap;

use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use sea_orm::Value;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bulk::{self, Column, Kind};
use crate::convert::{Row, region_key, region_of_key};
use crate::fault::StoreError;
use crate::scope::within;
use crate::sql::{Parameters, is_one_of_uuids, uuids};
use crate::state::as_of_record;
use crate::tx::{ReadTx, WriteTx};
use crate::{PartnerId, ProgramId};

/// An enrollment to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEnrollment {
    /// The partner.
    pub partner: PartnerId,
    /// Since when.
    pub since: Date,
    /// The track: a partner type of the program.
    pub track: Option<String>,
    /// The region, where a ladder's scope is the partner in a region.
    pub region: Option<String>,
}

/// An enrollment on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredEnrollment {
    /// Its id.
    pub id: Uuid,
    /// The program.
    pub program_id: ProgramId,
    /// The partner.
    pub partner_id: PartnerId,
    /// The region, where a ladder asks for one.
    pub region: Option<String>,
    /// The track.
    pub track: Option<String>,
    /// Since when.
    pub since: Date,
    /// Until when, exclusive.
    pub until: Option<Date>,
    /// Counts its changes.
    pub row_version: i64,
}

pub(crate) const COLUMNS: [Column; 9] = [
    ("id", Kind::Uuid),
    ("program_id", Kind::Uuid),
    ("partner_id", Kind::Uuid),
    ("region_key", Kind::Text),
    ("track", Kind::Text),
    ("since_on", Kind::Date),
    ("until_on", Kind::Date),
    ("created_at", Kind::Time),
    ("row_version", Kind::Int),
];

impl ReadTx {
    /// The enrollments of partners, in all programs or in one, in date order.
    pub async fn enrollments_many(
        &self,
        scope: &Scope,
        partners: &[PartnerId],
        program: Option<ProgramId>,
    ) -> Result<BTreeMap<PartnerId, Vec<StoredEnrollment>>, StoreError> {
        let mut parameters = Parameters::default();
        let number = parameters.number(uuids(self.backend(), partners));
        let mut conditions = vec![is_one_of_uuids(self.backend(), "p.id", number), within(self.backend(), "p", scope, &mut parameters)];
        if let Some(program) = program {
            conditions.push(format!("e.program_id = {}", parameters.add(program)));
        }
        let sql = format!(
            "SELECT e.id, e.program_id, e.partner_id, e.region_key, e.track, e.since_on, e.until_on, e.row_version \
             FROM enrollment e JOIN partner p ON p.id = e.partner_id WHERE {} ORDER BY e.partner_id, e.since_on, e.id",
            conditions.join(" AND ")
        );
        let mut enrollments: BTreeMap<PartnerId, Vec<StoredEnrollment>> = BTreeMap::new();
        for row in self.all(sql, parameters.0).await? {
            let row = Row::new(&row, "enrollment");
            let enrollment = StoredEnrollment {
                id: row.get(0)?,
                program_id: row.get(1)?,
                partner_id: row.get(2)?,
                region: region_of_key(row.get(3)?),
                track: row.get(4)?,
                since: row.date(5)?,
                until: row.maybe_date(6)?,
                row_version: row.get(7)?,
            };
            enrollments.entry(enrollment.partner_id).or_default().push(enrollment);
        }
        Ok(enrollments)
    }

    /// The partners in scope that are enrolled in `program` on `date`, in the order of their ids, after `after`; at most `limit`.
    /// Reviews walk through a program with it.
    pub async fn list_enrolled(
        &self,
        scope: &Scope,
        program: ProgramId,
        date: Date,
        after: Option<PartnerId>,
        limit: u32,
    ) -> Result<Vec<PartnerId>, StoreError> {
        let mut parameters = Parameters(vec![program.into(), date.naive().into()]);
        let mut conditions = vec![within(self.backend(), "p", scope, &mut parameters)];
        if let Some(after) = after {
            conditions.push(format!("p.id > {}", parameters.add(after)));
        }
        let sql = format!(
            "SELECT p.id FROM partner p WHERE {} AND EXISTS (SELECT 1 FROM enrollment e WHERE e.partner_id = p.id AND e.program_id = $1 \
             AND e.since_on <= $2 AND (e.until_on IS NULL OR e.until_on > $2)) ORDER BY p.id LIMIT {limit}",
            conditions.join(" AND ")
        );
        self.all(sql, parameters.0).await?.iter().map(|row| Row::new(row, "partner").get(0)).collect()
    }

    /// The same of all partners, as it was on record after change number `records`.
    pub async fn list_enrolled_by(&self, program: ProgramId, date: Date, records: i64, limit: u32) -> Result<Vec<PartnerId>, StoreError> {
        let of = |(table, known): (String, String)| {
            format!("SELECT s.partner_id FROM {table} s WHERE s.program_id = $1 AND s.since_on <= $2 AND (s.until_on IS NULL OR s.until_on > $2) AND {known}")
        };
        let sql = format!("{} ORDER BY partner_id LIMIT {limit}", as_of_record("enrollment", records).map(of).join(" UNION "));
        self.all(sql, vec![program.into(), date.naive().into()]).await?.iter().map(|row| Row::new(row, "enrollment").get(0)).collect()
    }
}

impl WriteTx {
    /// Enrolls partners. Who is enrolled already (in the region, where one is named) stays as he is; answers the enrollments that
    /// are new.
    pub async fn enroll_partners(&self, program: ProgramId, enrollments: &[NewEnrollment]) -> Result<Vec<Uuid>, StoreError> {
        let partners: Vec<PartnerId> = enrollments.iter().map(|enrollment| enrollment.partner).collect();
        let present = self.enrollments_many(&Scope::All, &partners, Some(program)).await?;
        let mut rows: BTreeMap<(PartnerId, String), (Uuid, Vec<Value>)> = BTreeMap::new();
        for new in enrollments {
            let open = present.get(&new.partner).is_some_and(|held| held.iter().any(|held| held.until.is_none() && held.region == new.region));
            let key = (new.partner, region_key(new.region.as_deref()));
            if open || rows.contains_key(&key) {
                continue;
            }
            let id = self.new_id();
            let cells = vec![
                id.into(),
                program.into(),
                new.partner.into(),
                key.1.clone().into(),
                new.track.clone().into(),
                new.since.naive().into(),
                Value::ChronoDate(None),
                self.now().into(),
                1_i64.into(),
            ];
            rows.insert(key, (id, cells));
        }
        let (ids, cells): (Vec<Uuid>, Vec<Vec<Value>>) = rows.into_values().unzip();
        let new = cells.len() as u64;
        if new > 0 && bulk::insert(self, "enrollment", &COLUMNS, cells, "ON CONFLICT DO NOTHING").await? < new {
            return Err(self.run_again());
        }
        Ok(ids)
    }

    /// Ends an enrollment; `until` is its first day without it.
    pub async fn end_enrollment(&self, id: Uuid, expected: i64, until: Date) -> Result<(), StoreError> {
        let sql = "UPDATE enrollment SET until_on = $1, row_version = row_version + 1 WHERE id = $2 AND row_version = $3";
        self.execute_one(sql, vec![until.naive().into(), id.into(), expected.into()]).await
    }
}
