//! The deterministic world: a virtual clock, scripted calls, failing stores and seeded chance around the real loop.
//!
//! [`World`] drives the very [`tutti_runtime::Loop`] that the product runs, on one thread. [`Scenario`] files say what a
//! workflow must do, row by row of the language; [`simulate`] draws workflows, outside facts, failures and crashes from a
//! seed and checks the invariants of the guarantees after every turn.
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
pub use simulate::{SeedReport, simulate, simulate_going_back};
pub use trace::Trace;
pub use waiting::block_on;
pub use world::{Progress, World};
