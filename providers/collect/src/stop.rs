//! The signal that ends a collection early: a person's, or the deadline's.

use std::time::Instant;

use tokio::sync::watch;

/// Why a collection ends early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// Somebody asked for it.
    Interrupted,
    /// The time that was given is over.
    Deadline,
}

impl Stopped {
    /// The word used in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::Deadline => "deadline",
        }
    }
}

/// Stops a collection from outside.
#[derive(Clone, Debug)]
pub struct Stopper(watch::Sender<bool>);

impl Default for Stopper {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stopper {
    /// Ends the collection as soon as it can, with everything that was read so far on disk.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// The side that is stopped: by [`Stopper::stop`], or at a moment.
    pub fn watch(&self, deadline: Option<Instant>) -> Stop {
        Stop { asked: self.0.subscribe(), deadline }
    }
}

/// The side that is stopped.
#[derive(Clone, Debug)]
pub struct Stop {
    asked: watch::Receiver<bool>,
    deadline: Option<Instant>,
}

impl Stop {
    /// Whether it is time to end.
    pub fn now(&self) -> Option<Stopped> {
        if *self.asked.borrow() {
            return Some(Stopped::Interrupted);
        }
        self.deadline.filter(|deadline| Instant::now() >= *deadline).map(|_| Stopped::Deadline)
    }

    /// Waits for that time.
    async fn wait(mut self) {
        let asked = async {
            // When the stopper is gone nobody will ask any more.
            if self.asked.wait_for(|asked| *asked).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        match self.deadline {
            Some(deadline) => drop(tokio::time::timeout_at(deadline.into(), asked).await),
            None => asked.await,
        }
    }

    /// Does some work unless it is stopped before; `None` when it was.
    pub async fn or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        if self.now().is_some() {
            return None;
        }
        let mut work = std::pin::pin!(work);
        let mut wait = std::pin::pin!(self.clone().wait());
        std::future::poll_fn(|context| {
            if let std::task::Poll::Ready(done) = work.as_mut().poll(context) {
                return std::task::Poll::Ready(Some(done));
            }
            wait.as_mut().poll(context).map(|()| None)
        })
        .await
    }
}
