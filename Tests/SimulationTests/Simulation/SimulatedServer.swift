import Domain
import Postgres

/// The ledger's server: runs transactions one after the other, dies, comes back, and fails over to a
/// standby that may lack what was not acknowledged yet.
// Unchecked: a simulation runs on one thread from its first job to its last.
final class SimulatedServer: @unchecked Sendable {
    private let kernel: SimulationKernel
    private(set) var tables: LedgerTables
    private(set) var isUp = true
    /// Counts crashes: an answer of an earlier life never arrives.
    private(set) var life = 0
    /// States after the transactions since the last acknowledged one, oldest first.
    private var unconfirmed: [(number: Int, tables: LedgerTables)] = []
    private var confirmed: LedgerTables
    private var count = 0
    /// Called after every transaction with the tables.
    var inspect: (LedgerTables) -> Void = { _ in }
    /// Whether the standby may lack even what was acknowledged; a broken installation.
    var losesAcknowledged = false
    /// The same for batches that only settle.
    var losesSettlements = false

    init(_ kernel: SimulationKernel, _ tables: LedgerTables) {
        self.kernel = kernel
        self.tables = tables
        confirmed = tables
    }

    /// Runs commands as one transaction. Also gives its number, to be acknowledged.
    func run(
        _ commands: [PostgresCommand]
    ) -> (answer: Result<[PostgresResult], PostgresError>, number: Int) {
        count += 1
        guard isUp else {
            return (.failure(PostgresError(kind: .connection(reason: "down", fault: nil))), count)
        }
        tables.now = SimulatedProcess.origin.microseconds + kernel.now
        switch tables.transact(commands) {
        case .success(let answers):
            if commands.contains(where: { !$0.statement.isReadOnly }) {
                unconfirmed.append((count, tables))
                inspect(tables)
            }
            return (
                .success(
                    answers.map { rows in
                        rows.isEmpty ? StatementAnswer.none : StatementAnswer.result(of: rows)
                    }), count
            )
        case .failure(let failed):
            let fault = PostgresServerFault(
                sqlState: failed.fault.sqlState, message: "", constraint: failed.fault.constraint)
            return (
                .failure(PostgresError(kind: .server(fault), commandIndex: failed.index)), count
            )
        }
    }

    /// The client of a transaction is about to hear of it: it and all before it are on the standby.
    func acknowledged(_ number: Int, _ commands: [PostgresCommand]) {
        let names = commands.compactMap(\.statement.name)
        if losesSettlements, names.contains("s3_close"), !names.contains("s2_open") { return }
        guard let last = unconfirmed.lastIndex(where: { $0.number <= number }) else { return }
        if losesAcknowledged, last < 8 { return }
        confirmed = unconfirmed[last].tables
        unconfirmed.removeFirst(last + 1)
    }

    /// An administrator's change, at once.
    func change(_ body: (inout LedgerTables) -> Void) {
        body(&tables)
        confirmed = tables
        unconfirmed = []
    }

    /// Killed: what was committed stays.
    func crash() {
        isUp = false
        life += 1
    }

    func start() { isUp = true }

    /// The standby takes over, with any of the states that nobody was told of.
    func failOver() {
        life += 1
        let index = kernel.random.below(unconfirmed.count + 1)
        let timeline = tables.timeline + 1
        tables = index == 0 ? confirmed : unconfirmed[index - 1].tables
        tables.timeline = timeline
        confirmed = tables
        unconfirmed = []
        inspect(tables)
    }
}
