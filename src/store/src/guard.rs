//! SQLite's triggers that refuse rows whose keys are taken. They run before ON CONFLICT is looked at, and look into indexes: whoever
//! moves rows in bulk sets them aside, in the one transaction that writes.

use sea_orm::DbBackend;

use crate::convert::Row;
use crate::fault::StoreError;
use crate::tx::WriteTx;

/// A trigger that was set aside; it has to be put back before the commit.
#[must_use]
pub(crate) struct SetAside(Option<String>);

/// The name of the trigger of a table.
pub(crate) fn guard_of(table: &str) -> String {
    format!("{table}_no_replace_insert")
}

impl WriteTx {
    /// Takes the trigger of a table away. There is none on PostgreSQL.
    pub(crate) async fn set_guard_aside(&self, table: &str) -> Result<SetAside, StoreError> {
        if self.backend() == DbBackend::Postgres {
            return Ok(SetAside(None));
        }
        let guard = guard_of(table);
        let row = self.one("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = $1", vec![guard.clone().into()]).await?;
        let Some(row) = row else { return Ok(SetAside(None)) };
        let definition: String = Row::new(&row, "sqlite_master").get(0)?;
        self.execute(format!("DROP TRIGGER {guard}"), Vec::new()).await?;
        Ok(SetAside(Some(definition)))
    }

    /// Puts it back.
    pub(crate) async fn put_guard_back(&self, aside: SetAside) -> Result<(), StoreError> {
        match aside.0 {
            Some(definition) => self.execute(definition, Vec::new()).await.map(drop),
            None => Ok(()),
        }
    }
}
