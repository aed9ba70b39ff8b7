//! What a person sees of an execution while it goes on.
//!
//! [`fold`] folds journal entries into the tree of [`model`]; [`tree`] draws it as lines, [`notice`] tells one happening
//! as a line. All of that is pure; this file has the rest: when to draw, and where.

mod awaited;
mod fold;
mod model;
mod notice;
#[cfg(test)]
mod tests;
mod tree;
mod words;

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tutti_connectors::LogLine;
use tutti_dsl::Workflow;
use tutti_ids::ExecutionId;
use tutti_journal::{Sealer, Turn};
use tutti_runtime::{Clock as _, Library, Observer, SystemClock};
use tutti_store::Store;

pub(crate) use self::words::{plain, told_value};
use self::{model::Model, notice::Notice};
use crate::{
    command_line::Logs,
    console::{Console, Style, terminal_size},
    exit::Failure,
};

/// How long a drawing stands at least.
const BETWEEN_DRAWINGS: Duration = Duration::from_millis(100);

/// Observes an execution and shows how it goes.
#[derive(Debug)]
pub(crate) struct Progress {
    mode: Mode,
    logs: Logs,
    console: Console,
    sealer: Mutex<Option<Arc<dyn Sealer>>>,
    shown: Mutex<Shown>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nothing is shown.
    Quiet,
    /// One line for what happens to a task.
    Lines,
    /// A tree that is drawn again and again.
    Tree,
}

#[derive(Debug, Default)]
struct Shown {
    model: Model,
    /// Whether what is on the screen is out of date.
    stale: bool,
    /// How many lines the drawing on the screen has.
    drawn: usize,
    drawings: usize,
}

impl Progress {
    /// Shows as much as standard error can take.
    pub(crate) fn new(quiet: bool, logs: Logs, console: &Console) -> Self {
        let mode = match (quiet, console.is_terminal) {
            (true, _) => Mode::Quiet,
            (false, true) => Mode::Tree,
            (false, false) => Mode::Lines,
        };
        Self {
            mode,
            logs,
            console: console.clone(),
            sealer: Mutex::default(),
            shown: Mutex::default(),
        }
    }

    /// The journal that is restored from is sealed so.
    pub(crate) fn restore_with(&self, sealer: Arc<dyn Sealer>) {
        *self.sealer.lock().unwrap_or_else(PoisonError::into_inner) = Some(sealer);
    }

    /// This is the execution whose tree is shown.
    pub(crate) fn watch(&self, execution: ExecutionId) {
        self.shown().model.watch(execution);
    }

    /// Says what may be wrong with what is watched.
    pub(crate) fn warn(&self, message: &str, hint: &str) {
        self.console.warning(message, Some(hint));
    }

    /// Takes in what the journal of an execution says already, without telling it.
    pub(crate) async fn restore(
        &self,
        store: &dyn Store,
        library: &Library,
        execution: ExecutionId,
    ) -> Result<(), Failure> {
        if self.mode == Mode::Quiet {
            return Ok(());
        }
        let mut left = vec![execution];
        while let Some(execution) = left.pop() {
            let history = store.load(execution).await;
            let history = history.map_err(|error| Failure::unread(&error))?;
            let Some(history) = history else { continue };
            let text = store.definition(history.projection.digest).await;
            let text = text.map_err(|error| Failure::unread(&error))?;
            let Some(workflow) = text.and_then(|text| library.adopt(&text).ok()) else { continue };
            let sealer = self.sealer.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let Some(sealer) = sealer else { continue };
            let mut shown = self.shown();
            for row in &history.rows {
                let Ok(turn) = row.decode(&*sealer, &|digest| history.blobs.get(digest).cloned())
                else {
                    break;
                };
                shown.model.fold(&turn, &workflow, &mut |_told_before| {});
                left.extend(fold::children_of(&turn));
            }
            shown.stale = true;
        }
        Ok(())
    }

    /// Draws what has changed, some times a second. Never ends.
    ///
    /// # Cancel safety
    /// Safe: every drawing is whole.
    pub(crate) async fn draw_repeatedly(self: Arc<Self>) {
        if self.mode != Mode::Tree {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(BETWEEN_DRAWINGS).await;
            self.draw(false);
        }
    }

    /// Draws the tree a last time, as it stays.
    pub(crate) fn finish(&self) {
        if self.mode == Mode::Tree {
            self.draw(true);
        }
    }

    fn draw(&self, last: bool) {
        let mut shown = self.shown();
        if !last && !shown.stale && !shown.model.is_going_on() {
            return;
        }
        let (width, height) = terminal_size();
        let view = tree::View {
            width,
            // The cursor stands in the line below; what is drawn last may be longer than the screen.
            height: if last { usize::MAX } else { height.saturating_sub(1) },
            now: SystemClock.now(),
            frame: shown.drawings,
            paint: self.console.paint,
            last,
        };
        let lines = tree::draw(&shown.model, view);
        self.console.say(&over(&lines, shown.drawn));
        shown.drawn = lines.len();
        shown.drawings += 1;
        shown.stale = false;
    }

    fn tell(&self, notice: &Notice<'_>, out: &mut String) {
        let paint = self.console.paint;
        let word = paint.paint(style_of(notice.word), notice.word);
        writeln!(out, "{word} {}", notice.text()).ok();
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the word that begins a line is shown.
pub(crate) fn style_of(word: &str) -> Style {
    match word {
        "faulted" | "incident" | "timed out" => Style::Bad,
        "retrying" | "caught" | "warning" | "reversing" | "undoing" | "undone" => Style::Doubtful,
        "log" => Style::Dim,
        _ => Style::Good,
    }
}

impl Observer for Progress {
    fn on_turn(&self, turn: &Turn, workflow: &Arc<Workflow>) {
        if self.mode == Mode::Quiet {
            return;
        }
        let mut told = String::new();
        let mut shown = self.shown();
        shown.stale = true;
        if self.mode == Mode::Tree {
            return shown.model.fold(turn, workflow, &mut |_shown_by_the_tree| {});
        }
        shown.model.fold(turn, workflow, &mut |notice| self.tell(&notice, &mut told));
        drop(shown);
        if !told.is_empty() {
            self.console.say(&told);
        }
    }

    fn on_log(&self, line: &LogLine) {
        if self.mode == Mode::Quiet || self.logs == Logs::None {
            return;
        }
        let mut shown = self.shown();
        shown.stale = true;
        let notice = shown.model.log(line, self.logs);
        let mut told = String::new();
        if let (Mode::Lines, Some(notice)) = (self.mode, notice) {
            self.tell(&notice, &mut told);
            drop(shown);
            self.console.say(&told);
        }
    }

    /// The end says so too, of what was waited for.
    fn on_unreadable(&self, execution: ExecutionId, reason: &str) {
        if self.mode == Mode::Lines {
            self.console.say(&format!("{execution} cannot be read: {reason}\n"));
        }
    }
}

/// What makes a terminal show `lines` in the place of the last `before` lines, in one go.
fn over(lines: &[String], before: usize) -> String {
    let mut text = String::from("\x1b[?2026h\r");
    if before > 0 {
        write!(text, "\x1b[{before}A").ok();
    }
    for line in lines {
        writeln!(text, "{line}\x1b[K").ok();
    }
    text.push_str("\x1b[J\x1b[?2026l");
    text
}
