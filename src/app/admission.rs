//! From an actor to the circumstances of his request.

use std::sync::Arc;

use guerdon_domain::access::{Actor, RoleScope};
use guerdon_domain::document::Document;
use guerdon_domain::region::Tree;
use guerdon_store::{StoreError, VersionId};

use super::{App, Ctx};
use crate::error::AppError;

impl App {
    /// The circumstances of a request by `actor`: the regions of his roles are widened to what lies below them, by the regions
    /// of the program versions in force.
    ///
    /// # Errors
    /// `Busy`, `Internal`.
    pub async fn admit(&self, actor: Actor, request_id: Arc<str>) -> Result<Ctx, AppError> {
        let ctx = Ctx::new(actor, request_id, self.clock.now());
        if !ctx.actor.roles.iter().any(|held| matches!(held.scope, RoleScope::Regions(_))) {
            return Ok(ctx);
        }
        let trees = self.region_trees(&ctx).await?;
        let widened = Actor::clone(&ctx.actor).expand_regions(|key| trees.iter().flat_map(|tree| tree.subtree(key)).collect());
        Ok(Ctx { actor: Arc::new(widened), ..ctx })
    }

    async fn region_trees(&self, ctx: &Ctx) -> Result<Vec<Arc<Tree>>, AppError> {
        let heads = self.store.read::<_, StoreError, _>(async |tx| tx.list_versions_in_force(ctx.today).await).await?;
        let mut trees = Vec::with_capacity(heads.len());
        for head in heads {
            trees.push(match self.regions.find(&head.id) {
                Some(tree) => tree,
                None => self.load_regions(head.id).await?,
            });
        }
        Ok(trees)
    }

    async fn load_regions(&self, version: VersionId) -> Result<Arc<Tree>, AppError> {
        let text = self.store.read::<_, StoreError, _>(async |tx| tx.find_document(version).await).await?.ok_or(AppError::NotFound)?;
        let document: Document = serde_json::from_str(&text).map_err(AppError::internal)?;
        Ok(self.regions.keep(version, Tree::of_regions(&document.regions)))
    }
}
