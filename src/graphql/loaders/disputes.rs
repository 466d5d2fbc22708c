//! Disputes.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;

use super::{DisputeNode, Reader};
use crate::app::disputes::{self, StoredDispute};
use crate::graphql::error::GqlFault;

impl Loader<DisputeNode> for Reader {
    type Value = StoredDispute;
    type Error = GqlFault;

    async fn load(&self, keys: &[DisputeNode]) -> Result<HashMap<DisputeNode, StoredDispute>, GqlFault> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = disputes::disputes_many(&self.app, &self.ctx, &ids).await?;
        Ok(found.into_iter().map(|(id, dispute)| (DisputeNode(id), dispute)).collect())
    }
}
