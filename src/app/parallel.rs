//! Work on many partners at once, on every processor.

use std::thread::{ScopedJoinHandle, available_parallelism, scope};

use tokio::task::JoinHandle;

use crate::error::AppError;

/// Works on parts of a list at once, one for each processor, and answers in the order of the list.
///
/// # Errors
/// `Internal` when the work panics.
pub(super) fn in_parallel<T: Send, U: Send>(mut list: Vec<T>, work: impl Fn(Vec<T>) -> Vec<U> + Sync) -> Result<Vec<U>, AppError> {
    let size = list.len().div_ceil(available_parallelism().map_or(1, usize::from)).max(1);
    let mut parts = Vec::new();
    while list.len() > size {
        let rest = list.split_off(size);
        parts.push(std::mem::replace(&mut list, rest));
    }
    parts.push(list);
    let work = &work;
    let done: Result<Vec<Vec<U>>, _> = scope(|scope| {
        let running: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || work(part))).collect();
        running.into_iter().map(ScopedJoinHandle::join).collect()
    });
    Ok(done.map_err(|_| AppError::internal("the work on a partner failed"))?.into_iter().flatten().collect())
}

/// Work that goes on beside other work. Whoever lets go of it ends it.
pub(super) struct Working<T>(JoinHandle<Result<T, AppError>>);

impl<T: Send + 'static> Working<T> {
    /// Begins.
    pub(super) fn begin(work: impl Future<Output = Result<T, AppError>> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    /// Waits for what comes of it.
    ///
    /// # Errors
    /// Those of the work; `Internal` when it panics.
    pub(super) async fn done(mut self) -> Result<T, AppError> {
        (&mut self.0).await.map_err(AppError::internal)?
    }
}

impl<T> Drop for Working<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
