//! The end of a command that runs until it is asked to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signal to stop: Ctrl-C or SIGTERM. It is listened for from the creation of this value on.
pub(super) struct End {
    interrupt: Signal,
    terminate: Signal,
}

impl End {
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    pub(super) async fn asked_for(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
