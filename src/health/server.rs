//! The HTTP server: three pages, bounded connections.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
    serve::Listener,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep},
};

use super::{Liveness, Readiness};
use crate::metrics::{CONTENT_TYPE, Metrics};

/// Most connections at a time: many times what a kubelet and a pair of Prometheus servers need,
/// and too few to use up the file descriptors of the process. Further ones wait.
pub const CONNECTIONS_MAX: usize = 64;

/// How long a connection may last: longer than any request takes, short enough that clients which
/// say nothing cannot keep others out for good. Prometheus connects again by itself.
pub const CONNECTION_LIFE: Duration = Duration::from_secs(30);

/// How long requests under way may take after the shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// Why the pages cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address} for health checks and metrics")]
    Bind {
        /// As given.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The server ended by itself.
    #[error("cannot serve health checks and metrics")]
    Serve(#[source] io::Error),
}

/// A server that listens, and answers once [`HealthServer::serve`] runs.
#[derive(Debug)]
pub struct HealthServer {
    listener: TcpListener,
    address: SocketAddr,
}

impl HealthServer {
    /// Listens on `address`; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// [`HealthError::Bind`] when the address is taken or not ours.
    pub async fn bind(address: SocketAddr) -> Result<Self, HealthError> {
        let failed = |source| HealthError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers with `router` until `shutdown` completes, and a second more for requests under way.
    ///
    /// # Errors
    ///
    /// [`HealthError::Serve`] when the server ends before.
    pub async fn serve(
        self,
        router: Router,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), HealthError> {
        let listener = Bounded::new(self.listener);
        let (tell, told) = tokio::sync::oneshot::channel::<()>();
        let shutdown = async move {
            shutdown.await;
            let _ = tell.send(()); // Nobody listens when the server has ended already.
        };
        let served = axum::serve(listener, router).with_graceful_shutdown(shutdown);
        let mut served = pin!(served.into_future());
        let outlasted = async {
            if told.await.is_err() {
                std::future::pending::<()>().await;
            }
            sleep(SHUTDOWN_GRACE).await;
        };
        tokio::select! {
            result = &mut served => result.map_err(HealthError::Serve),
            () = outlasted => Ok(()),
        }
    }
}

/// The pages: `/livez`, `/readyz` and `/metrics`.
pub fn router(liveness: Liveness, readiness: Readiness, metrics: Metrics) -> Router {
    let livez =
        move || std::future::ready(verdict(&liveness.stuck(), StatusCode::INTERNAL_SERVER_ERROR));
    let readyz =
        move || std::future::ready(verdict(&readiness.missing(), StatusCode::SERVICE_UNAVAILABLE));
    let scrape =
        move || std::future::ready(([(header::CONTENT_TYPE, CONTENT_TYPE)], metrics.render()));
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(scrape))
}

/// "ok", or the problems with the status that tells of them.
fn verdict(problems: &[String], status: StatusCode) -> impl IntoResponse + use<> {
    if problems.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (status, problems.join("\n") + "\n")
    }
}

/// Accepts at most [`CONNECTIONS_MAX`] connections at a time.
pub(super) struct Bounded {
    listener: TcpListener,
    permits: Arc<Semaphore>,
}

impl Bounded {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self { listener, permits: Arc::new(Semaphore::new(CONNECTIONS_MAX)) }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // The semaphore is never closed; without a permit the connection would only be unbounded.
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        // This is axum's own accept for TCP, which waits and goes on after an error.
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        (Connection { stream, life: Box::pin(sleep(CONNECTION_LIFE)), _permit: permit }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends after [`CONNECTION_LIFE`].
pub(super) struct Connection {
    stream: TcpStream,
    life: Pin<Box<Sleep>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// The stream while the connection lives. Registers to be woken when its life ends.
    fn living(&mut self, context: &mut Context<'_>) -> io::Result<Pin<&mut TcpStream>> {
        if self.life.as_mut().poll(context).is_ready() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(Pin::new(&mut self.stream))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.living(context)?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.living(context)?.poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.living(context)?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
