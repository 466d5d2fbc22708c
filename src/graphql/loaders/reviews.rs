//! Reviews.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;

use super::{MovesKey, Reader, ReviewNode};
use crate::app::reviews::{self, Moves, StoredReview};
use crate::graphql::error::GqlFault;

impl Loader<ReviewNode> for Reader {
    type Value = StoredReview;
    type Error = GqlFault;

    async fn load(&self, keys: &[ReviewNode]) -> Result<HashMap<ReviewNode, StoredReview>, GqlFault> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = reviews::reviews_many(&self.app, &self.ctx, &ids).await?;
        Ok(found.into_iter().map(|(id, review)| (ReviewNode(id), review)).collect())
    }
}

impl Loader<MovesKey> for Reader {
    type Value = Arc<Moves>;
    type Error = GqlFault;

    async fn load(&self, keys: &[MovesKey]) -> Result<HashMap<MovesKey, Arc<Moves>>, GqlFault> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = reviews::moves_many(&self.app, &self.ctx, &ids).await?;
        Ok(found.into_iter().map(|(id, moves)| (MovesKey(id), Arc::new(moves))).collect())
    }
}
