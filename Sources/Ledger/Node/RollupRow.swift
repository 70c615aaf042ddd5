import Domain

/// Names a row of the rollup by hour, among those of one node and shard.
struct RollupRow: Hashable, Sendable {
    /// Whole hours since 1970 UTC.
    let hour: Int64
    let key: KeyID
    let modelNumber: Int32

    /// The row that a request is counted in: that of the hour of its admission.
    init(_ opening: Opening) {
        hour = opening.admittedAt.microseconds / 3_600_000_000
        key = opening.key
        modelNumber = opening.modelNumber
    }
}

/// The rows of the rollup that a lane has written to, so that its batches need not make them again.
///
/// What is not known here is made before it is written to, at no harm if it is there. Something
/// known that is not there fails the batch, which then is sent again in parts, with nothing known.
struct RollupRows {
    /// So many are known at most: 3 MB. An hour's rows are not written to in the next.
    private static let limit = 65_536

    private var known: Set<RollupRow> = []

    /// Whether the rows of all these closings are there.
    func hold(_ closings: [Closing]) -> Bool {
        closings.allSatisfy { closing in
            closing.rollup.map { known.contains($0) } ?? false
        }
    }

    /// The ledger has counted these.
    mutating func learn(_ closings: some Sequence<Closing>) {
        if known.count >= Self.limit { known.removeAll(keepingCapacity: true) }
        for case let row? in closings.lazy.map(\.rollup) { known.insert(row) }
    }

    /// The ledger may be another one, or not be as it was believed to be.
    mutating func forget() { known.removeAll(keepingCapacity: true) }
}
