import Domain
import Postgres

/// Prices records anew, by rows beside them: a record is never changed.
///
/// Each batch is one statement, so that a kill at any moment leaves whole batches, and running the
/// same order again goes on where it stopped: what is charged by the wanted version already is left
/// alone.
public struct RepriceStore {
    private let connection: PostgresConnection
    private let recorder: ActionRecorder
    /// Records that one batch looks at.
    private let batch: Int64
    /// Called before each statement that changes something: for tests that kill there.
    private let beforeStep: () throws(LedgerError) -> Void

    /// Works over `connection`, which belongs to the caller and its thread.
    init(_ connection: PostgresConnection, _ recorder: ActionRecorder) {
        self.init(connection, recorder, batch: 5000, beforeStep: {})
    }

    init(
        _ connection: PostgresConnection, _ recorder: ActionRecorder, batch: Int64,
        beforeStep: @escaping () throws(LedgerError) -> Void
    ) {
        self.connection = connection
        self.recorder = recorder
        self.batch = batch
        self.beforeStep = beforeStep
    }

    /// What an order would change. Changes nothing.
    public func preview(_ order: RepriceOrder) throws(LedgerError) -> RepriceReport {
        let plan = try plan(order)
        var report = RepriceReport()
        for shard in try shards() {
            do throws(PostgresError) {
                try connection.transaction(.readOnlySnapshot) {
                    connection throws(PostgresError) in
                    _ = try connection.execute(PostgresCommand(AuditSealStatements.unhurried, []))
                    try read(order, plan, shard, &report)
                }
            } catch {
                throw LedgerError(error)
            }
        }
        return report
    }

    /// Carries an order out. It is recorded before the first step and after the last: a beginning
    /// without an end was stopped half-way.
    public func apply(_ order: RepriceOrder) throws(LedgerError) -> RepriceOutcome {
        let plan = try plan(order)
        var outcome = RepriceOutcome()
        try record(order, before: nil, after: order.actionState(nil))
        for shard in try shards() {
            let steps = try steps(order, plan, shard)
            if !steps.isEmpty { try correct(order, steps, shard, &outcome) }
            try settleAccounts(shard, &outcome)
        }
        try record(order, before: order.actionState(nil), after: order.actionState(outcome))
        return outcome
    }

    private func record(
        _ order: RepriceOrder, before: ActionState?, after: ActionState
    ) throws(LedgerError) {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try recorder.write(
                .priceReprice, .model(order.model), before: before, after: after, connection)
        }
    }

    // MARK: What becomes of which version

    private func plan(_ order: RepriceOrder) throws(LedgerError) -> RepricePlan {
        let history = try PriceStore(connection, recorder).history(of: order.model)
        guard let plan = RepricePlan(order, history) else {
            throw .missing(what: "price version of \(order.model)", name: "\(order.version)")
        }
        guard plan.isOfTokens else {
            throw .invalid("the fee of a search alone cannot be priced anew")
        }
        return plan
    }

    private func shards() throws(LedgerError) -> [Shard] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try connection.execute(
                PostgresCommand(AuditSealStatements.shards, []), within: AuditStore.patience
            ).rows.map { row throws(PostgresError) in Shard(rawValue: try row.int2(0)) }
        }
    }

    private static func scope(_ order: RepriceOrder, _ shard: Shard) -> [PostgresValue] {
        [
            .int2(shard.rawValue), .int4(NameNumber.of(order.model)),
            .timestamp(order.since.microseconds), .timestamp(order.until.microseconds),
        ]
    }

    private static func span(_ order: RepriceOrder, _ shard: Shard) -> [PostgresValue] {
        [
            .int2(shard.rawValue), .timestamp(order.since.microseconds),
            .timestamp(order.until.microseconds),
        ]
    }

    /// The records by version, what becomes of them, and what they cost now.
    private func lines(
        _ order: RepriceOrder, _ plan: RepricePlan, _ shard: Shard
    ) throws(PostgresError) -> [(line: RepriceReport.Line, step: RepriceStep?)] {
        let command = PostgresCommand(RepriceStatements.versions, Self.scope(order, shard))
        return try connection.execute(command, within: AuditStore.patience).rows.map {
            row throws(PostgresError) in
            let version = try row.optionalInt8(0)
            var fate = RepriceReport.Fate.swept
            var step: RepriceStep?
            if try !row.bool(1) {
                let known = try version.map { version throws(PostgresError) in
                    try price(version, shard)
                }
                (fate, step) = plan.fate(of: version, known ?? nil)
            }
            let cost = try UsageReportStatement.number(row, 3)
            return (
                RepriceReport.Line(
                    was: version, becomes: step?.becomes.version, fate: fate,
                    records: try row.int8(2), before: cost, after: cost), step
            )
        }
    }

    private func price(_ version: Int64, _ shard: Shard) throws(PostgresError) -> Price? {
        let command = PostgresCommand(
            PriceStatements.version, [.int2(shard.rawValue), .int8(version)])
        guard let row = try connection.execute(command).rows.first else { return nil }
        return try PriceStatements.price(row, at: 1)
    }

    private func steps(
        _ order: RepriceOrder, _ plan: RepricePlan, _ shard: Shard
    ) throws(LedgerError) -> [RepriceStep] {
        do throws(PostgresError) {
            return try connection.transaction(.readOnlySnapshot) {
                connection throws(PostgresError) in
                _ = try connection.execute(PostgresCommand(AuditSealStatements.unhurried, []))
                return try lines(order, plan, shard).compactMap(\.step)
            }
        } catch {
            throw LedgerError(error)
        }
    }

    private func read(
        _ order: RepriceOrder, _ plan: RepricePlan, _ shard: Shard, _ report: inout RepriceReport
    ) throws(PostgresError) {
        let dropped = PostgresCommand(RepriceStatements.dropped, Self.span(order, shard))
        report.droppedDays += try connection.execute(dropped).rows.first?.int8(0) ?? 0
        let found = try lines(order, plan, shard)
        let steps = found.compactMap(\.step)
        var after: [Int64: Int128] = [:]
        if !steps.isEmpty {
            let command = PostgresCommand(
                RepriceStatements.preview,
                Self.scope(order, shard) + RepriceStatements.lists(steps))
            for row in try connection.execute(command, within: AuditStore.patience).rows {
                after[try row.int8(0)] = try UsageReportStatement.number(row, 1)
            }
        }
        for (line, step) in found {
            var line = line
            if step != nil { line.after = after[line.was ?? -1] ?? line.before }
            report.add(line)
        }
    }

    // MARK: Corrections

    private func correct(
        _ order: RepriceOrder, _ steps: [RepriceStep], _ shard: Shard,
        _ outcome: inout RepriceOutcome
    ) throws(LedgerError) {
        try beforeStep()
        let days = try DirectoryTransaction.run(on: connection) {
            connection throws(PostgresError) in
            // Whoever explains or audits the corrections finds the versions that they name.
            for price in Set(steps.map(\.becomes)) {
                _ = try connection.execute(
                    NameStatements.price(shard.rawValue, order.model, price))
            }
            return try connection.execute(
                PostgresCommand(RepriceStatements.days, Self.span(order, shard))
            ).rows.map { row throws(PostgresError) in try row.date(0) }
        }
        for day in days {
            var after: UInt128? = 0
            while let last = after {
                try beforeStep()
                let parameters =
                    Self.scope(order, shard)
                    + [.date(day), .uuid(last), .int8(batch)] + RepriceStatements.lists(steps)
                after = try DirectoryTransaction.run(on: connection) {
                    connection throws(PostgresError) in
                    let result = try connection.execute(
                        PostgresCommand(RepriceStatements.batch, parameters),
                        within: .seconds(60))
                    guard let row = result.rows.first else { return nil }
                    outcome.records += try row.int8(2)
                    outcome.difference += try UsageReportStatement.number(row, 3)
                    // Fewer than asked for: the day's end.
                    return try row.int8(0) < batch ? nil : try row.optionalUUID(1)
                }
            }
        }
    }

    /// Each account by itself, as every statement that touches an account's row.
    private func settleAccounts(
        _ shard: Shard, _ outcome: inout RepriceOutcome
    ) throws(LedgerError) {
        let parameter = PostgresValue.int2(shard.rawValue)
        let accounts = try DirectoryTransaction.run(on: connection) {
            connection throws(PostgresError) in
            try connection.execute(PostgresCommand(RepriceStatements.owed, [parameter])).rows.map {
                row throws(PostgresError) in try row.int8(0)
            }
        }
        for account in accounts {
            try beforeStep()
            let applied = try DirectoryTransaction.run(on: connection) {
                connection throws(PostgresError) in
                try connection.execute(
                    PostgresCommand(RepriceStatements.apply, [parameter, .int8(account)])
                ).rows.first?.int8(0)
            }
            outcome.applied += Int128(applied ?? 0)
        }
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            let rows = try connection.execute(
                PostgresCommand(RepriceStatements.waiting, [parameter])
            ).rows
            guard let row = rows.first else { return }
            outcome.waitingAccounts += try row.int8(0)
            outcome.waiting += try UsageReportStatement.number(row, 1)
        }
    }
}

/// Which versions an order replaces. Pure.
struct RepricePlan {
    private let target: Price
    private let terms: Set<PriceTerms>
    private let replaced: Set<Int64>
    /// Versions that were in force for the same terms: those that a fee may have been added to.
    private let plain: [Price]

    /// Whether the wanted version prices tokens.
    var isOfTokens: Bool { !terms.isSubset(of: [.search]) }

    /// Makes a plan; nil where the model never had the wanted version.
    init?(_ order: RepriceOrder, _ history: [PriceChange]) {
        let named = history.filter { $0.price?.version == order.version }
        guard let target = named.first?.price else { return nil }
        let terms = Set(named.map(\.terms))
        self.target = target
        self.terms = terms
        plain = history.filter { terms.contains($0.terms) }.compactMap(\.price)
        replaced = Set(plain.map(\.version) + order.replacing)
    }

    /// What becomes of the records of a version, whose amounts are `price` where they are known. A
    /// search's fee stays what it was.
    func fate(
        of version: Int64?, _ price: Price?
    ) -> (fate: RepriceReport.Fate, step: RepriceStep?) {
        guard let version else { return (.repriced, RepriceStep(was: nil, becomes: target)) }
        if version == target.version { return (.already, nil) }
        let fee = price?.fee ?? .zero
        let becomes = target.adding(fee: fee)
        if version == becomes.version { return (.already, nil) }
        guard
            replaced.contains(version)
                || fee > .zero && plain.contains(where: { $0.adding(fee: fee).version == version })
        else { return (.otherTerms, nil) }
        return (.repriced, RepriceStep(was: version, becomes: becomes))
    }
}

extension RepriceReport {
    /// Adds what another shard has of the same version.
    mutating func add(_ line: Line) {
        let place = lines.firstIndex { $0.was == line.was && $0.fate == line.fate }
        guard let place else { return lines.append(line) }
        lines[place].records += line.records
        lines[place].before += line.before
        lines[place].after += line.after
    }
}

extension DirectoryStore {
    /// Repricing, over the same connection.
    public var repricing: RepriceStore { RepriceStore(connection, recorder) }
}
