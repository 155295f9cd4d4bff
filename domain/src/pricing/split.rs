//! Splitting an amount into parts that add up to it.

/// Splits a total by weights, by largest remainder: the parts sum to it, and none exceeds its weight as long as the total
/// does not exceed the sum of the weights. Of equal remainders, the one with the smallest key is rounded up, so the order
/// of the weights changes nothing. The total and the weights are not negative.
pub fn split<K: Ord>(total: i64, weights: &[(K, i64)]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|(_, weight)| i128::from(*weight)).sum();
    if sum <= 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: i64| i128::from(total) * i128::from(weight);
    // A part is at most the total, which fits.
    let mut parts: Vec<i64> =
        weights.iter().map(|(_, weight)| i64::try_from(exact(*weight) / sum).unwrap_or(total)).collect();
    let missing = total - parts.iter().sum::<i64>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&one, &other| {
        let remainder = |index: usize| exact(weights[index].1) % sum;
        remainder(other).cmp(&remainder(one)).then_with(|| weights[one].0.cmp(&weights[other].0))
    });
    for index in order.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        parts[index] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_largest_remainder_is_rounded_up() {
        assert_eq!(split(100, &[(1, 1), (2, 1), (3, 1)]), [34, 33, 33]);
        assert_eq!(split(100, &[(3, 1), (2, 1), (1, 1)]), [33, 33, 34]);
        assert_eq!(split(5, &[(1, 1_000), (2, 1), (3, 2_000)]), [2, 0, 3]);
        assert_eq!(split(7, &[(1, 0), (2, 0)]), [0, 0]);
        assert_eq!(split(0, &[] as &[(u8, i64)]), [] as [i64; 0]);
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole_and_none_exceeds_its_weight(
            weights in vec(0i64..2_000_000, 1..20),
            part in 0i64..=1_000,
        ) {
            let keyed: Vec<_> = weights.iter().copied().enumerate().collect();
            let sum: i64 = weights.iter().sum();
            let total = sum / 1_000 * part;
            let parts = split(total, &keyed);
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(part <= weight && *part >= 0);
            }
        }
    }
}
