/// Names a lane: this node's ordered stream of batches into one shard, under one epoch.
struct LaneKey: Sendable, Hashable {
    let shard: Int16
    let node: Int64
    /// A random number of the lane's incarnation; a fenced epoch never lives again.
    let epoch: UInt128
}
