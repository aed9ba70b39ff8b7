//! Which loop owns an execution.

use std::num::NonZeroUsize;

use tutti_ids::ExecutionId;

/// One of 256 parts of all executions; a loop owns whole partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition(u8);

impl Partition {
    /// The partition of an execution: the same on every machine, in every release.
    pub fn of(execution: ExecutionId) -> Self {
        // FNV-1a: the random half of an id is spread evenly already, but ids of children and of tests need not be.
        let bytes = execution.to_bits().to_be_bytes();
        let hash = bytes.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
        });
        let folded = hash.to_be_bytes().iter().fold(0, |folded, byte| folded ^ byte);
        Self(folded)
    }

    /// Its number, from 0 to 255.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The loop that owns it, of so many.
    pub fn owner(self, loops: NonZeroUsize) -> usize {
        usize::from(self.0) % loops
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_of_an_execution_never_changes() {
        for (created_at, chance, partition) in [
            (0, 0, 144),
            (0, 1, 64),
            (0, 255, 60),
            (1, 0, 223),
            (1_767_225_600_000, 0x0123_4567_89AB_CDEF, 32),
            ((1 << 48) - 1, (1 << 80) - 1, 34),
        ] {
            let execution = ExecutionId::new(created_at, chance);
            assert_eq!(Partition::of(execution).number(), partition, "{execution}");
        }
    }

    #[test]
    fn executions_are_spread_over_partitions_and_partitions_over_loops() {
        let mut members = [0_u32; 256];
        for chance in 0..25_600 {
            let partition = Partition::of(ExecutionId::new(1_767_225_600_000, chance));
            members[usize::from(partition.number())] += 1;
        }
        assert!(members.iter().all(|count| (50..200).contains(count)), "{members:?}");
        for loops in 1..=16 {
            let loops = NonZeroUsize::new(loops).unwrap_or(NonZeroUsize::MIN);
            let mut owned = vec![0; loops.get()];
            (0..=u8::MAX).for_each(|number| owned[Partition(number).owner(loops)] += 1);
            let fair = 256 / loops.get();
            assert!(owned.iter().all(|count| (fair..=fair + 1).contains(count)), "{owned:?}");
        }
    }
}
