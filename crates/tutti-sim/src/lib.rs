//! The deterministic world: a virtual clock, scripted calls, failing stores and seeded chance around the real loop.
//!
//! [`World`] drives the very [`tutti_runtime::Loop`] that the product runs, on one thread. [`Scenario`] files say what a
//! workflow must do, row by row of the language; [`simulate`] draws workflows, outside facts, failures and crashes from a
//! seed and checks the invariants of the guarantees after every turn.
//!
//! The invariants, and where each is checked:
//!
//! | | | |
//! |---|---|---|
//! | I1 | every acknowledged start exists | `World::on_reply`; at a seed's end in `Simulation::bring_to_an_end` |
//! | I2 | no execution is lost or stuck | `World::check_standstill`, `Shadows::{slept_through, compare_open}`; what was gone back to starts again: `invariants/returns.rs`; without failures every seed's executions end |
//! | I3 | one commit for each task execution | `Shadow::on_turn` |
//! | I4 | a `once` call takes effect once unless its unknown outcome is on record; it leaves after its turn is stored; the key of a call that ended well is not used again | `effects.rs`, `Shadows::on_call_made` |
//! | I5 | the fold of what is stored is what is in memory, and the same decisions come of it | `Shadows::compare` after every step; `redecide.rs` at the end |
//! | I6 | sequences have no gaps, the chain of digests holds | `Shadows::on_written`, `Shadows::on_published` |
//! | I7 | timers fire once, not early, and the loop wakes for them: for those the fold holds, and those the journal alone tells of | `invariants/timers.rs`, `Shadows::slept_through` |
//! | I8 | no secret in any output | the seed's own canary: in rows and blobs `Shadows::on_written`; in what is published, told and logged `Shadows::check_shown` |
//! | I9 | what completed is undone once, newest first, where an error leaves its `try` or the execution ends badly, and never else | `invariants/undos.rs` |
//! | I10 | a listener hears every event that matches, in order, once on its line of flow, none from before the execution; none waits for an event that is in the log | `invariants/listeners.rs`, `World::check_standstill` |
//! | I11 | what extensions put around a task runs, in retries too | `invariants/extensions.rs` |
//! | I12 | executions tell each other only what is stored | `invariants/messages.rs` |
//! | I13 | what only waits is in memory no further than the bound | `World::check_standstill` |
//!
//! For tests only: nothing here is part of the product. Start reading at [`World`], then `scenario.rs`.

mod chance;
mod effects;
mod generate;
mod gherkin;
mod invariants;
mod language;
mod outside;
mod recorder;
mod redecide;
mod reopening;
mod rows;
mod run;
mod scenario;
mod setting;
mod simulate;
mod trace;
mod waiting;
mod world;

pub use chance::Chance;
pub use gherkin::{Feature, FeatureScenario};
pub use language::language_reference;
pub use outside::{Outside, Reply};
pub use recorder::Recorder;
pub use redecide::redecide;
pub use reopening::ReopeningStore;
pub use rows::{ROWS, Row, RowState};
pub use run::{Mode, check_scenario, differs};
pub use scenario::{Scenario, load_scenarios};
pub use setting::{FixedSecrets, PlainSealer, Setting};
pub use simulate::{SeedReport, simulate};
pub use trace::Trace;
pub use waiting::block_on;
pub use world::{Progress, World};
