//! The process comes back after a crash.

use super::{World, outputs::Pending, owners, requests::Request};
use crate::waiting::block_on;

impl World {
    /// The process comes back on the same store; whoever was not answered asks again.
    pub(super) fn restart(&mut self) {
        self.take_written();
        self.is_down = false;
        self.restarts += 1;
        self.say("restart");
        if let Some(Err(error)) = self.setting.file.as_ref().map(|file| file.reopen()) {
            self.problems.push(format!("the store does not open again: {error}"));
        }
        if let Some(faulty) = &self.setting.faulty {
            faulty.restart();
        }
        // Who publishes lives elsewhere.
        self.pending.retain(|pending| matches!(pending, Pending::Receive(_)));
        self.owners = owners(&self.setting, self.restarts);
        if !self.tell_beginning() {
            return;
        }
        let mut requests = std::mem::take(&mut self.requests);
        requests.retain(|_, request| !matches!(request, Request::Adopt(_)));
        requests.retain(|_, request| match request {
            Request::Start { execution, .. } => self.shadows.get(*execution).is_none(),
            _ => true,
        });
        let open = match block_on(self.setting.store.open_executions(None, usize::MAX)) {
            Ok(open) => open,
            Err(error) => {
                self.say(&format!("halt: {error}"));
                self.requests = requests;
                return self.is_down = true;
            }
        };
        self.problems.extend(self.shadows.compare_open(&open));
        let (starts, others): (Vec<_>, Vec<_>) =
            requests.into_iter().partition(|(_, request)| matches!(request, Request::Start { .. }));
        for (_, start) in starts {
            self.request(start);
        }
        for execution in open {
            self.request(Request::Adopt(execution.execution));
        }
        for (_, request) in others {
            self.request(request);
        }
        self.watch_what_listens();
        self.take_written();
    }
}
