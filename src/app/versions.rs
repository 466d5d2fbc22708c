//! What was made of an immutable program version, kept by its id for ever.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use uuid::Uuid;

/// One value per program version, or per version and what else it was made of. A published version never changes, so nothing here is
/// ever invalidated.
#[derive(Debug)]
pub struct VersionCache<T, K = Uuid>(RwLock<HashMap<K, Arc<T>>>);

impl<T, K> Default for VersionCache<T, K> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T, K: Eq + Hash> VersionCache<T, K> {
    /// What is kept for this version.
    pub fn find(&self, version: &K) -> Option<Arc<T>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(version).cloned()
    }

    /// Keeps it. Whoever comes second gets what the first one kept.
    pub fn keep(&self, version: K, value: impl Into<Arc<T>>) -> Arc<T> {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        kept.entry(version).or_insert_with(|| value.into()).clone()
    }
}
