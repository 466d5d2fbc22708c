//! Rebate runs, statements and their lines.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;

use super::keys::{RunNode, StatementNode, StatementsKey};
use super::partners::{Each, answer, each, ids_of};
use super::{Reader, StatementPage, by_question};
use crate::app::rebates::runs::{self, StoredRun};
use crate::app::rebates::statements::{self, StoredStatement};
use crate::graphql::error::GqlFault;

impl Loader<RunNode> for Reader {
    type Value = StoredRun;
    type Error = GqlFault;

    async fn load(&self, keys: &[RunNode]) -> Result<HashMap<RunNode, StoredRun>, GqlFault> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = runs::runs_many(&self.app, &self.ctx, &ids).await?;
        Ok(found.into_iter().map(|run| (RunNode(run.id), run)).collect())
    }
}

impl Loader<StatementNode> for Reader {
    type Value = StoredStatement;
    type Error = GqlFault;

    async fn load(&self, keys: &[StatementNode]) -> Result<HashMap<StatementNode, StoredStatement>, GqlFault> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = statements::statements_many(&self.app, &self.ctx, &ids).await?;
        Ok(found.into_iter().map(|(id, statement)| (StatementNode(id), statement)).collect())
    }
}

impl Loader<StatementsKey> for Reader {
    type Value = Each<StatementPage>;
    type Error = GqlFault;

    async fn load(&self, keys: &[StatementsKey]) -> Result<HashMap<StatementsKey, Each<StatementPage>>, GqlFault> {
        let mut found = HashMap::new();
        for ((asked, limit, after, backward), keys) in by_question(keys, |key| (key.asked.clone(), key.page.limit, key.page.after.clone(), key.page.backward)) {
            let page = guerdon_domain::page::PageRequest { limit, after, backward };
            let ids = ids_of(&keys, |key| key.partner);
            let pages = statements::statements_of_many(&self.app, &self.ctx, &ids, &asked, &page).await;
            answer(&mut found, keys, |key| key.partner, each(pages));
        }
        Ok(found)
    }
}
