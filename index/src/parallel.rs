//! Independent pieces of work on several threads.
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::Result;

pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// What `work` answers for each number below `count`, in that order. Up to `threads` threads, this one
/// among them, take the next number as soon as they are done with one.
///
/// # Errors
/// One of those that `work` answers; what had not begun by then may be left undone.
pub(crate) fn each<T: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let share = || -> Result<Vec<(usize, T)>> {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(done);
            }
            done.push((number, work(number)?));
        }
    };
    let shares: Vec<_> = thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads.min(count)).map(|_| scope.spawn(share)).collect();
        let mut shares = vec![share()];
        shares.extend(helpers.into_iter().map(|helper| match helper.join() {
            Ok(share) => share,
            Err(panic) => std::panic::resume_unwind(panic),
        }));
        shares
    });
    let mut all = Vec::with_capacity(count);
    for share in shares {
        all.extend(share?);
    }
    all.sort_unstable_by_key(|(number, _)| *number);
    Ok(all.into_iter().map(|(_, value)| value).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn answers_stand_in_order_and_an_error_ends_it() {
        for threads in [0, 1, 2, 5] {
            let squares: Vec<usize> = each(100, threads, |n| Ok(n * n)).unwrap();
            assert_eq!(squares, (0..100).map(|n| n * n).collect::<Vec<_>>());
            assert!(each(0, threads, Ok).unwrap().is_empty());
            let fails = |n| if n == 7 { Err(Error::Busy("here".into())) } else { Ok(n) };
            assert!(matches!(each(100, threads, fails), Err(Error::Busy(_))));
        }
    }
}
