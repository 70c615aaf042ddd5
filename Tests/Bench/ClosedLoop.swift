import Domain
import Ledger
import Postgres
import Synchronization
import TestSupport

/// Clients that each send one request after the other: admitted, accepted, settled.
struct ClosedLoop {
    let books: BenchBooks
    let nodes: [BenchNode]
    /// Over all nodes.
    let clients: Int

    /// What a run came to.
    struct Outcome {
        var requests = 0
        var seconds = 0.0
        /// Microseconds until the decision.
        var admissions: [Double] = []
        /// Microseconds until the ledger accepted.
        var acceptances: [Double] = []

        var rate: Double { Double(requests) / seconds }
    }

    /// Runs for `seconds`, with principals chosen by `choose` from a running number.
    func run(
        seconds: Double, choose: @escaping @Sendable (Int) -> Principal
    ) async throws -> Outcome {
        let begun = ProcessorTime.nanoseconds
        let end = begun + Int64(seconds * 1e9)
        let numbers = Numbers()
        var outcome = try await withThrowingTaskGroup(of: Outcome.self) { group in
            for client in 0..<clients {
                let ledger = nodes[client % nodes.count].ledger
                group.addTask { [books] in
                    var mine = Outcome()
                    while ProcessorTime.nanoseconds < end {
                        let request = books.request(choose(numbers.next()))
                        try await Self.serve(request, ledger, &mine)
                    }
                    return mine
                }
            }
            var all = Outcome()
            for try await one in group {
                all.requests += one.requests
                all.admissions += one.admissions
                all.acceptances += one.acceptances
            }
            return all
        }
        outcome.seconds = Double(ProcessorTime.nanoseconds - begun) / 1e9
        return outcome
    }

    /// Opens `count` requests and leaves them open.
    func open(
        _ count: Int, choose: @escaping @Sendable (Int) -> Principal
    ) async throws -> [ReservationBox] {
        let ledger = nodes[0].ledger
        return try await withThrowingTaskGroup(of: ReservationBox.self) { group in
            for number in 0..<count {
                group.addTask { [books] in
                    switch try await ledger.admit(books.request(choose(number))) {
                    case .denied(let denial): throw BenchFailure("denied: \(denial)")
                    case .admitted(let reservation):
                        guard try await ledger.acceptance(of: reservation) == .accepted else {
                            throw BenchFailure("not accepted")
                        }
                        return ReservationBox(reservation)
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// Settles what ``open(_:choose:)`` left open.
    func close(_ boxes: [ReservationBox]) async throws {
        let ledger = nodes[0].ledger
        try await withThrowingTaskGroup(of: Void.self) { group in
            for box in boxes {
                group.addTask {
                    guard let reservation = box.take() else { return }
                    _ = try await ledger.settle(reservation, as: BenchBooks.settlement)
                }
            }
            try await group.waitForAll()
        }
    }

    private static func serve(
        _ request: AdmissionRequest, _ ledger: PostgresQuotaLedger, _ outcome: inout Outcome
    ) async throws {
        let begun = ProcessorTime.nanoseconds
        switch try await ledger.admit(request) {
        case .denied(let denial): throw BenchFailure("denied: \(denial)")
        case .admitted(let reservation):
            let admitted = ProcessorTime.nanoseconds
            guard try await ledger.acceptance(of: reservation) == .accepted else {
                throw BenchFailure("not accepted")
            }
            let accepted = ProcessorTime.nanoseconds
            let receipt = try await ledger.settle(reservation, as: BenchBooks.settlement)
            guard receipt.recorded else { throw BenchFailure("not recorded") }
            outcome.requests += 1
            outcome.admissions.append(Double(admitted - begun) / 1000)
            outcome.acceptances.append(Double(accepted - begun) / 1000)
        }
    }
}

/// A running number that all clients share.
private final class Numbers: Sendable {
    private let last = Atomic<Int>(0)
    func next() -> Int { last.add(1, ordering: .relaxed).newValue }
}

/// What the server has done so far.
struct ServerGauge {
    let processor: Double
    /// Bytes of write-ahead log.
    let log: Double
    /// Changes of account rows: grants and returns of leases.
    let accountChanges: Double
    let own: Double

    init(_ books: BenchBooks, postmaster: Int) throws {
        let connection = try books.database.connection()
        defer { connection.close() }
        let row = try connection.execute(
            PostgresCommand(
                PostgresStatement(
                    name: nil,
                    sql: """
                        SELECT (pg_current_wal_lsn() - '0/0')::int8,
                            (SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'account')
                        """), [])
        ).rows[0]
        log = Double(try row.int8(0))
        accountChanges = Double(try row.int8(1))
        processor = ProcessorTime.server(postmaster)
        own = ProcessorTime.own
    }
}
