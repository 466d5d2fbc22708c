//! Whose rows a statement reads: those of partners in a list, or of a stretch of ids that holds hardly anybody else.
//!
//! Work on everybody goes in parts of a thousand partners. Their ids were given in the order in which they came, and so were most codes:
//! then a part is a stretch of every index that begins with the partner, which is read from its first row to its last instead of being
//! looked up a thousand times.

use sea_orm::DbBackend;

use crate::PartnerId;
use crate::convert::Row;
use crate::fault::StoreError;
use crate::sql::{Parameters, is_one_of_uuids, uuids};
use crate::tx::ReadTx;

/// Fewer partners are looked up one by one.
pub(crate) const MANY: usize = 200;

/// The partners of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose<'i> {
    /// These.
    Listed(&'i [PartnerId]),
    /// All from the first to the last. Rows of the few others are not used.
    Between(PartnerId, PartnerId),
}

impl Whose<'_> {
    /// The condition on the column that names the partner.
    pub(crate) fn condition(self, backend: DbBackend, column: &str, parameters: &mut Parameters) -> String {
        match self {
            Self::Listed(ids) => {
                let number = parameters.number(uuids(backend, ids));
                is_one_of_uuids(backend, column, number)
            }
            Self::Between(first, last) => format!("{column} >= {} AND {column} <= {}", parameters.add(first), parameters.add(last)),
        }
    }
}

impl ReadTx {
    /// A stretch where at least four of five partners in it are meant; the list otherwise.
    pub(crate) async fn whose<'i>(&self, ids: &'i [PartnerId]) -> Result<Whose<'i>, StoreError> {
        let ends = ids.iter().min().zip(ids.iter().max()).filter(|_| ids.len() >= MANY);
        let Some((first, last)) = ends else { return Ok(Whose::Listed(ids)) };
        let most = i64::try_from(ids.len() + ids.len() / 4).unwrap_or(i64::MAX);
        let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM partner WHERE id >= $1 AND id <= $2 LIMIT $3) AS near";
        let row = self.one(sql, vec![(*first).into(), (*last).into(), most.saturating_add(1).into()]).await?;
        let near: i64 = row.map_or(Ok(i64::MAX), |row| Row::new(&row, "partner").get(0))?;
        Ok(if near <= most { Whose::Between(*first, *last) } else { Whose::Listed(ids) })
    }
}
