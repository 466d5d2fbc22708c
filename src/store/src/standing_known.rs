//! What reviews of a date found already: asked before standings are put on record, so that the same again changes nothing.

use std::collections::BTreeSet;

use guerdon_domain::date::Date;

use crate::convert::{Row, region_of_key};
use crate::fault::StoreError;
use crate::sql::{is_one_of_uuids, uuids};
use crate::tx::ReadTx;
use crate::{PartnerId, ProgramId, VersionId};

/// A partner's tiers in a ladder, as a review found them: partner, ladder, region, tier, qualified tier.
pub type KnownStanding = (PartnerId, String, Option<String>, Option<String>, Option<String>);

impl ReadTx {
    /// What reviews of the date by the version found for the partners. It reads no other date, however many there are.
    pub async fn standings_known_many(
        &self,
        program: ProgramId,
        version: VersionId,
        as_of: Date,
        partners: &[PartnerId],
    ) -> Result<BTreeSet<KnownStanding>, StoreError> {
        let sql = format!(
            "SELECT s.partner_id, s.ladder, s.region_key, s.tier, s.qualified_tier FROM review r JOIN review_standing s ON s.review_id = r.id \
             WHERE {} AND r.program_id = $2 AND r.version_id = $3 AND r.as_of = $4",
            is_one_of_uuids(self.backend(), "s.partner_id", 1)
        );
        let rows = self.all(sql, vec![uuids(self.backend(), partners), program.into(), version.into(), as_of.naive().into()]).await?;
        rows.iter()
            .map(|row| Row::new(row, "review_standing"))
            .map(|row| Ok((row.get(0)?, row.get(1)?, region_of_key(row.get(2)?), row.get(3)?, row.get(4)?)))
            .collect()
    }
}
