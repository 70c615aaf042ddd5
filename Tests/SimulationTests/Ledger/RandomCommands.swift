import Domain
import Postgres

@testable import Ledger

/// Random transactions of the ledger's own statements, over so few nodes, leases and requests that
/// they meet all the time: in order, repeated, stale, fenced, of the wrong owner, beyond a lease.
struct RandomCommands {
    var random: SeededRandom
    private let shard: Int16
    private let origin: Timestamp
    /// Epochs that were ever in use, by node.
    private var epochs: [[UInt128]] = [[101], [201]]
    private var sequences: [Int64] = [0, 0]
    private var openings: [Opening] = []
    private var accounts: [AccountID]

    /// Requests that were swept, with one of their accounts.
    var swept: [(request: UInt128, day: Int32, account: Int64)] = []

    /// The leases' sizes.
    var sizes: [Int64: Int64] = [:]

    static let limits: [Int64] = [160, 120, 240]

    init(seed: UInt64, shard: Int16, origin: Timestamp) {
        random = SeededRandom(seed: seed)
        self.shard = shard
        self.origin = origin
        accounts = (1...3).map { AccountID(rawValue: Int64($0) * 1000) }
    }

    /// The quota behind an account's number.
    static func account(_ number: Int, at instant: Timestamp) -> AccountKey {
        AccountKey(
            subject: Subject(kind: Subject.Kind.allCases[number], id: Int64(number) + 7),
            resource: .tokens, period: .total, start: Period.total.start(at: instant))
    }

    static func key(_ number: Int, shard: Int16) -> KeyID {
        KeyID(shard: Shard(rawValue: shard), random: UInt64(number) + 11)
    }

    /// What makes lanes and accounts, so that there is something to disturb.
    func beginning() -> [PostgresCommand] {
        let lanes = (0..<2).map { node in
            LaneStatements.insert(
                LaneKey(shard: shard, node: Int64(node) + 1, epoch: epochs[node][0]), timeline: 1)
        }
        let accounts = (0..<3).map { number in
            GrowStatement.ensure(
                shard: shard, account: Self.account(number, at: origin),
                candidate: self.accounts[number].rawValue)
        }
        return lanes + accounts
    }

    /// The commands of the next transaction.
    mutating func next() -> [PostgresCommand] {
        let lane = lane()
        let (account, lease) = anAccount(of: lane)
        switch random.below(37) {
        case 0..<9: return batch(lane)
        case 9..<11, 26...29: return [grow(lane)]
        case 11: return [ensure()]
        case 12: return [ReturnStatement.fold(shard: shard, account: account, lease: lease)]
        case 13:
            let units = Int64(random.below(12))
            return [
                ReturnStatement.giveBack(
                    lane, account: account, lease: lease, units: units,
                    of: random.chance(1, of: 5) ? units : sizes[lease.rawValue] ?? 0)
            ]
        case 14: return [ReturnStatement.end(lane, account: account, lease: lease)]
        case 15: return [ReturnStatement.read(shard: shard, lease: lease)]
        case 16: return [GrowStatement.status(shard: shard, account: account)]
        case 17, 18: return [laneChange(lane)]
        case 19: return [SweepStatements.settle(lane)]
        case 20:
            return [
                random.chance(1, of: 2)
                    ? SweepStatements.leases(lane)
                    : SweepStatements.held(shard: shard, node: lane.node)
            ]
        case 21, 24, 25: return [correct()]
        case 22: return [laneQuestion(lane)]
        case 23:
            let ids = openings.suffix(6).map(\.requestID)
            let day = origin.day
            return [ResumeStatements.known(shard: shard, ids, from: day, to: day.next)]
        case 30, 31: return [late(lane)]
        case 34...36: return [laneComparison(lane)]
        case 32, 33:
            let number = random.below(3)
            return [
                RegrantStatement.command(
                    lane, account: accounts[number], lease: self.lease(number, of: lane),
                    need: Int64(random.below(20)))
            ]
        default:
            return [LaneStatements.recall(shard: shard, account: account.rawValue)]
        }
    }

    /// The ledger says what a lane's row is, so that sequences are right most of the time.
    mutating func learn(node: Int64, lastSequence: Int64, epoch: UInt128) {
        sequences[Int(node) - 1] = lastSequence
        if epochs[Int(node) - 1].last != epoch { epochs[Int(node) - 1].append(epoch) }
    }

    private mutating func lane() -> LaneKey {
        let node = random.below(2)
        let known = epochs[node]
        let epoch = random.chance(1, of: 6) ? random.pick(known) : known[known.count - 1]
        return LaneKey(shard: shard, node: Int64(node) + 1, epoch: epoch)
    }

    /// An account and the lane's lease of it; now and then the lease of another account, or an
    /// account that is not there.
    private mutating func anAccount(of lane: LaneKey) -> (AccountID, LeaseID) {
        let number = random.below(3)
        let lease = lease(random.chance(1, of: 10) ? random.below(3) : number, of: lane)
        return (random.chance(1, of: 20) ? AccountID(rawValue: 77) : accounts[number], lease)
    }

    private func lease(_ number: Int, of lane: LaneKey) -> LeaseID {
        LeaseID(rawValue: Int64(lane.epoch) * 10 + Int64(number))
    }

    private mutating func batch(_ lane: LaneKey) -> [PostgresCommand] {
        let last = sequences[Int(lane.node) - 1]
        let sequence = random.chance(1, of: 8) ? last + Int64(random.below(3)) : last + 1
        let fresh = (0..<random.below(4)).map { _ in opening(lane) }
        let closed = (0..<random.below(4)).compactMap { _ in closing() }
        let distinct = Dictionary(closed.map { ($0.requestID, $0) }) { first, _ in first }
        let sorted = distinct.values.sorted { $0.requestID.rawValue < $1.requestID.rawValue }
        var commands = [
            PostgresCommand(PostgresStatement(name: nil, sql: "BEGIN"), []),
            FenceStatement.command(
                lane, Batch(sequence: sequence, openings: fresh, closings: sorted)),
        ]
        if !fresh.isEmpty { commands.append(OpenStatement.command(lane, fresh)) }
        if !sorted.isEmpty {
            commands += CloseStatement.commands(
                lane, sorted, makesRollups: random.chance(2, of: 3))
        }
        commands.append(PostgresCommand(PostgresStatement(name: nil, sql: "COMMIT"), []))
        return commands
    }

    private mutating func opening(_ lane: LaneKey) -> Opening {
        if random.chance(1, of: 15), let again = openings.last { return again }
        let prompt = Int64(random.below(4)) + 1
        let completion = Int64(random.below(5)) + 1
        let claims = (0..<(1 + random.below(2))).map { _ in
            let number = random.below(3)
            return Claim(
                account: Self.account(number, at: origin), accountID: accounts[number],
                lease: lease(number, of: lane), units: prompt + completion)
        }
        let number = UInt128(openings.count) + 1
        var opening = Opening(
            requestID: RequestID(rawValue: number << 64 | UInt128(random.next())),
            key: Self.key(random.below(2), shard: shard), modelNumber: 3, backendNumber: 4,
            price: nil, bound: TokenBound(prompt: prompt, completion: completion),
            claims: Claims(Set(claims).sorted { $0.lease.rawValue < $1.lease.rawValue }),
            admittedAt: origin + .seconds(random.below(7200)))
        opening.rode = random.chance(1, of: 4)
        openings.append(opening)
        return opening
    }

    /// Requests after the fact, some of which the ledger knows.
    private mutating func late(_ lane: LaneKey) -> PostgresCommand {
        let records = (0..<(1 + random.below(2))).map { _ in
            let opening = opening(lane)
            if random.chance(1, of: 3) { return LateRecord(atBound: opening) }
            let usage = TokenUsage(
                prompt: opening.bound.prompt,
                completion: Int64(random.below(Int(opening.bound.completion))))
            return LateRecord(
                opening,
                settled: Settlement(
                    usage: usage, basis: .recovered, endState: .nodeLost, timeToFirstToken: nil,
                    duration: .zero))
        }
        let distinct = Dictionary(records.map { ($0.opening.requestID, $0) }) { first, _ in first }
        return LateStatement.command(
            shard: shard, node: lane.node,
            distinct.values.sorted {
                $0.opening.requestID.rawValue < $1.opening.requestID.rawValue
            }, needsLeases: random.chance(1, of: 3))
    }

    private mutating func closing() -> Closing? {
        guard !openings.isEmpty else { return nil }
        let opening = openings[max(0, openings.count - 1 - random.below(6))]
        let isVoid = random.chance(1, of: 6)
        let completion = Int64(random.below(Int(opening.bound.completion) + 2))
        let settlement = Settlement(
            usage: isVoid
                ? .none : TokenUsage(prompt: opening.bound.prompt, completion: completion),
            basis: isVoid ? .void : .reported, endState: .finished,
            timeToFirstToken: random.chance(1, of: 2) ? nil : .microseconds(5),
            duration: .microseconds(9))
        return Closing(
            requestID: opening.requestID, claims: opening.claims,
            charge: Charge(settlement, bound: opening.bound, price: nil), settlement: settlement,
            admittedAt: opening.admittedAt)
    }

    private mutating func grow(_ lane: LaneKey) -> PostgresCommand {
        let number = random.below(3)
        return GrowStatement.grow(
            lane, account: accounts[number], lease: lease(number, of: lane),
            want: Int64(random.below(25)) + 1,
            least: Int64(random.below(3)) + 1, rides: random.chance(1, of: 2))
    }

    private mutating func ensure() -> PostgresCommand {
        let number = random.below(3)
        return GrowStatement.ensure(
            shard: shard, account: Self.account(number, at: origin),
            candidate: accounts[number].rawValue)
    }

    private mutating func laneChange(_ lane: LaneKey) -> PostgresCommand {
        switch random.below(5) {
        case 0: return LaneStatements.insert(lane, timeline: aTimeline())
        case 1, 2, 3:
            let next = epochs[Int(lane.node) - 1].count + Int(lane.node) * 100 + 1
            return LaneStatements.renew(lane, epoch: UInt128(next), timeline: aTimeline())
        default:
            return LaneStatements.fence(
                lane, silentFor: random.chance(1, of: 3) ? .zero : .seconds(3600))
        }
    }

    /// The server's own, or that of one before.
    private mutating func aTimeline() -> Int64 { random.chance(1, of: 4) ? 0 : 1 }

    private mutating func laneComparison(_ lane: LaneKey) -> PostgresCommand {
        switch random.below(8) {
        case 0: return TimelineStatements.timeline
        case 1: return TimelineStatements.standing(lane)
        case 2: return TimelineStatements.confirm(lane, timeline: aTimeline())
        case 3: return TimelineStatements.release(lane)
        case 4: return TimelineStatements.present(lane)
        case 5: return TimelineStatements.leases(lane)
        default:
            return TimelineStatements.require(
                shard: shard, exempt: random.chance(1, of: 2) ? lane.node : nil,
                silentFor: random.chance(1, of: 4) ? .zero : .seconds(3600))
        }
    }

    private mutating func laneQuestion(_ lane: LaneKey) -> PostgresCommand {
        switch random.below(4) {
        case 0: return LaneStatements.read(shard: shard, node: lane.node)
        case 1: return LaneStatements.beat(lane)
        case 2: return LaneStatements.recalls(lane)
        default:
            return LaneStatements.abandoned(
                shard: shard, silentFor: random.chance(1, of: 2) ? .zero : .seconds(3600))
        }
    }

    private mutating func correct() -> PostgresCommand {
        let amount = Int64(random.below(6))
        if !swept.isEmpty, random.chance(3, of: 4) {
            let (request, day, account) = random.pick(swept)
            return CorrectStatement.command(
                shard: shard, request: RequestID(rawValue: request),
                day: CalendarDay(rawValue: day), account: AccountID(rawValue: account),
                amount: amount)
        }
        let opening = openings.last
        return CorrectStatement.command(
            shard: shard, request: opening?.requestID ?? RequestID(rawValue: 1),
            day: opening?.admittedAt.day ?? origin.day, account: accounts[0], amount: amount)
    }
}
