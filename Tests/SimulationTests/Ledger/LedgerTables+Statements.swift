import Postgres

/// Which statement does what.
extension LedgerTables {
    /// Runs one command. A statement that is not known here traps: the fake must not guess.
    mutating func run(
        _ command: PostgresCommand
    ) throws(StatementFault) -> [[AnswerValue]] {
        let given = StatementParameters(command)
        switch command.statement.name {
        case "s1_fence": try fenceBatch(given); return [[.int8(1)]]
        case "s2_open": return try open(given)
        case "s3_hours": makeHours(given); return []
        case "s3_close": return try close(given)
        case "a_ensure_account": return try ensureAccount(given)
        case "g_grow": return try grow(given)
        // One transaction at a time: nothing to lock.
        case "g_lock": return [[.int8(0)]]
        case "g_regrant": return try regrant(given)
        case "g_status": return status(given)
        case "f_fold": return try fold(given)
        case "r_return": return try giveBack(given)
        case "r_end_lease": return try endLease(given)
        case "r_read": return readLease(given)
        // The lanes' counts are for audits; the simulation has its own.
        case "lane_count": return []
        case "lane_recall": recall(given); return []
        case "lane_recalls": return recalls(given)
        case "lane_read": return readLane(given)
        case "lane_insert": return insertLane(given)
        case "lane_renew": return renewLane(given)
        case "lane_fence": return fenceLane(given)
        case "lane_beat": return beat(given)
        case "lane_abandoned": return abandoned(given)
        case "lane_shards": return [[.int2(shard)]]
        case "t_read": return [[.int8(timeline)]]
        case "t_standing": return standing(given)
        case "t_require": return try requireConfirmed(given)
        case "t_confirm": return confirmLane(given)
        case "t_release": return releaseLane(given)
        case "t_present": return presentLane(given)
        case "t_leases": return laneLeases(given)
        case "w2_sweep": return try sweep(given)
        case "w3_leases": return deadLeases(given)
        case "w3_held": return heldLeases(given)
        case "d_late": return try recordLate(given)
        case "a_correct": return try correct(given)
        default: return unnamed(command, given)
        }
    }

    private func unnamed(
        _ command: PostgresCommand, _ given: StatementParameters
    ) -> [[AnswerValue]] {
        let sql = command.statement.sql
        if sql.hasPrefix("SELECT r.request_id, false") { return known(given) }
        // The days' partitions: a dictionary needs none.
        if sql.hasPrefix("SELECT keep_usage_partitions") { return [] }
        preconditionFailure("the ledger in memory does not know the statement \(sql)")
    }

    /// Runs commands as one transaction: all of them, or the fault of one and its place.
    mutating func transact(
        _ commands: [PostgresCommand]
    ) -> Result<[[[AnswerValue]]], FailedCommand> {
        var draft = self
        var answers: [[[AnswerValue]]] = []
        for (index, command) in commands.enumerated() {
            let sql = command.statement.sql
            if sql.hasPrefix("BEGIN") || sql.hasPrefix("SET LOCAL") || sql == "COMMIT" {
                answers.append([])
                continue
            }
            do throws(StatementFault) {
                answers.append(try draft.run(command))
            } catch {
                return .failure(FailedCommand(fault: error, index: index))
            }
        }
        self = draft
        return .success(answers)
    }

    /// A command that the ledger refused, and its place in its transaction.
    struct FailedCommand: Error {
        let fault: StatementFault
        let index: Int
    }
}
