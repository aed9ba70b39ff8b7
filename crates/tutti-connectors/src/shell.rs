//! `run: shell`: one command, its whole tree under control, and a record that survives us.
