//! Counters under one label with few values.

use super::{catalog::Metric, figure::Counter, page::Page};

/// A counter for each of some words.
#[derive(Debug)]
pub(crate) struct Tally<const N: usize> {
    words: [&'static str; N],
    counts: [Counter; N],
}

impl<const N: usize> Tally<N> {
    pub(crate) fn new(words: [&'static str; N]) -> Self {
        Self { words, counts: std::array::from_fn(|_| Counter::default()) }
    }

    /// Adds to the counter of a word; one that is unknown counts nowhere.
    pub(crate) fn add(&self, word: &str, more: u64) {
        if let Some(at) = self.words.iter().position(|known| *known == word) {
            self.counts[at].add(more);
        }
    }

    pub(crate) fn expose(&self, metric: &Metric, page: &mut Page) {
        page.head(metric);
        for (word, count) in self.words.iter().zip(&self.counts) {
            page.sample(metric, &[word], count.get());
        }
    }
}
