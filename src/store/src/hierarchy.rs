//! The tree of partners, as it is on each date. A partner may never be above itself, on any date.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::date::Date;

use crate::PartnerId;
use crate::convert::Row;
use crate::fault::StoreError;
use crate::sql::{is_one_of_uuids, uuids};
use crate::tx::ReadTx;

/// Parents from a date on, in date order, by partner.
type Parents = BTreeMap<PartnerId, Vec<(Date, Option<PartnerId>)>>;

impl ReadTx {
    /// Those of `changed` that are above themselves on some date.
    pub(crate) async fn partners_in_cycles(&self, changed: &[PartnerId]) -> Result<BTreeSet<PartnerId>, StoreError> {
        if changed.is_empty() {
            return Ok(BTreeSet::new());
        }
        let parents = self.parents_upwards(changed).await?;
        let dates: BTreeSet<Date> = parents.values().flatten().map(|(from, _)| *from).collect();
        Ok(changed.iter().filter(|partner| dates.iter().any(|date| is_above_itself(&parents, **partner, *date))).copied().collect())
    }

    /// The parents of `partners`, of those parents, and so on, whenever they were so.
    async fn parents_upwards(&self, partners: &[PartnerId]) -> Result<Parents, StoreError> {
        let sql = format!(
            "WITH RECURSIVE up (id) AS (SELECT id FROM partner WHERE {} UNION \
             SELECT f.parent_id FROM partner_profile f JOIN up ON f.partner_id = up.id WHERE f.parent_id IS NOT NULL) \
             SELECT f.partner_id, f.from_on, f.parent_id FROM partner_profile f JOIN up ON up.id = f.partner_id ORDER BY f.partner_id, f.from_on",
            is_one_of_uuids(self.backend(), "id", 1)
        );
        let mut parents = Parents::new();
        for row in self.all(sql, vec![uuids(self.backend(), partners)]).await? {
            let row = Row::new(&row, "partner_profile");
            parents.entry(row.get(0)?).or_default().push((row.date(1)?, row.get(2)?));
        }
        Ok(parents)
    }
}

/// The parent on `date`; the first profile also holds before its own date.
fn parent_on(parents: &Parents, partner: PartnerId, date: Date) -> Option<PartnerId> {
    let history = parents.get(&partner)?;
    let after = history.partition_point(|(from, _)| *from <= date);
    history.get(after.saturating_sub(1)).and_then(|(_, parent)| *parent)
}

fn is_above_itself(parents: &Parents, partner: PartnerId, date: Date) -> bool {
    let mut above = parent_on(parents, partner, date);
    let mut seen = BTreeSet::new();
    while let Some(id) = above {
        if id == partner {
            return true;
        }
        // A cycle further up, which does not hold this partner.
        if !seen.insert(id) {
            return false;
        }
        above = parent_on(parents, id, date);
    }
    false
}
