//! The socket: an accept loop with bounds on connections, headers and time, and a shutdown that lets open requests end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::config::HttpConfig;
use crate::error::AppError;

/// Time to wait when the system gives no connection, for instance because it is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Headers of one request at most.
const HEADERS_MAX: usize = 100;

/// Serves `router` on `listener` until `stop` is done, then lets open requests end.
pub async fn serve(listener: TcpListener, router: Router, config: &HttpConfig, stop: impl Future<Output = ()>) -> Result<(), AppError> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(config.header_timeout).max_header_size(config.header_bytes_max).max_headers(HEADERS_MAX);
    let open = Arc::new(Semaphore::new(config.connections_max));
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        // A permit first: connections beyond the bound wait in the system's queue, not in our memory.
        let permit = tokio::select! {
            () = &mut stop => break,
            permit = open.clone().acquire_owned() => permit.map_err(AppError::internal)?,
        };
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((socket, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let _ = socket.set_nodelay(true);
        let connection = http.serve_connection(TokioIo::new(socket), TowerToHyperService::new(router.clone()));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "connection ended");
            }
            drop(permit);
        });
    }
    drop(listener);
    tracing::info!(open = graceful.count(), "no further connections; open requests may end");
    if tokio::time::timeout(config.drain_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still open at the end of the time for them");
    }
    Ok(())
}

/// Done when the process is asked to stop: by SIGTERM, or by ctrl-c.
pub async fn stop_signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
