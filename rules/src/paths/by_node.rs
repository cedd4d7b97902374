//! Steps by the node that they begin or end at, as numbers one behind the other: whoever follows the steps of a node reads
//! one stretch of memory.

/// For each node the numbers of some steps, ascending.
#[derive(Debug)]
pub(crate) struct ByNode {
    /// For each node where its numbers begin, and behind the last one where they end.
    firsts: Vec<u32>,
    numbers: Vec<u32>,
}

impl ByNode {
    /// The steps by their nodes: `nodes` of them, which `at` tells of each step in order.
    pub(crate) fn new(nodes: usize, at: impl Iterator<Item = u32> + Clone) -> Self {
        let mut firsts = vec![0_u32; nodes + 1];
        for node in at.clone() {
            if let Some(count) = firsts.get_mut(node as usize + 1) {
                *count += 1;
            }
        }
        let mut before = 0;
        for count in &mut firsts {
            before += *count;
            *count = before;
        }
        let mut free = firsts.clone();
        let mut numbers = vec![0_u32; before as usize];
        for (number, node) in (0_u32..).zip(at) {
            let Some(free) = free.get_mut(node as usize) else { continue };
            if let Some(place) = numbers.get_mut(*free as usize) {
                *place = number;
            }
            *free += 1;
        }
        Self { firsts, numbers }
    }

    /// The numbers of one node.
    pub(crate) fn of(&self, node: usize) -> &[u32] {
        let (Some(first), Some(end)) = (self.firsts.get(node), self.firsts.get(node + 1)) else { return &[] };
        self.numbers.get(*first as usize..*end as usize).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_node_has_its_steps_in_their_order() {
        let held = ByNode::new(4, [2_u32, 0, 2, 3, 0, 2].into_iter());
        let all: Vec<Vec<u32>> = (0..5).map(|node| held.of(node).to_vec()).collect();
        assert_eq!(all, [vec![1, 4], vec![], vec![0, 2, 5], vec![3], vec![]]);
        assert!(ByNode::new(0, std::iter::empty()).of(0).is_empty());
    }
}
