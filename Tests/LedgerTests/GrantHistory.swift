/// What several clients saw of one account and their leases, and whether it can be explained by one
/// order of its transitions (linearizability, after Wing and Gong; remembered states after Lowe).
struct GrantHistory: Sendable, CustomStringConvertible {
    /// What a client asks of the account. Client numbers name leases too: each has its own.
    enum Operation: Sendable, Hashable {
        case ensure
        case grow(want: Int64, least: Int64)
        case settle(Int64)
        case fold
        case giveBack(Int64, of: Int64)
        case end
        case look
        /// An administrator's two steps: the quota's row, then the account.
        case setQuota(Int64)
        case tellAccount
        /// Everything about the account itself.
        case read
    }

    /// What it was told: the numbers of the row that came back; nothing when no row did.
    enum Answer: Sendable, Hashable {
        case row([Int64])
        case none
        /// The connection was lost: carried out at any time since, or never.
        case lost
    }

    /// One call, with its place among the beginnings and ends of all calls.
    struct Call: Sendable {
        let client: Int
        let operation: Operation
        let begin: Int
        var end = Int.max
        var answer = Answer.lost
    }

    /// The account, its quota and its leases, as they should behave.
    struct Books: Hashable {
        struct Lease: Hashable {
            var granted: Int64 = 0
            var settled: Int64 = 0
        }

        var quota: Int64
        var exists = false
        var limit: Int64 = 0
        var cap: Int64 = 0
        var granted: Int64 = 0
        var used: Int64 = 0
        var leases: [Lease?]

        init(quota: Int64, clients: Int) {
            self.quota = quota
            leases = Array(repeating: nil, count: clients)
        }
    }

    /// A line per call, for whoever has to explain a history.
    var description: String {
        calls.map { call in
            let end = call.end == .max ? "" : String(call.end)
            return "\(call.begin)-\(end) client \(call.client): \(call.operation) \(call.answer)"
        }.joined(separator: "\n")
    }

    var calls: [Call] = []
    private var moments = 0

    /// Notes that a call begins; returns its number.
    mutating func begin(_ operation: Operation, by client: Int) -> Int {
        moments += 1
        calls.append(Call(client: client, operation: operation, begin: moments))
        return calls.count - 1
    }

    /// Notes how a call ended.
    mutating func end(_ call: Int, _ answer: Answer) {
        moments += 1
        calls[call].answer = answer
        if answer != .lost { calls[call].end = moments }
    }

    /// Whether some order of the calls, in which none comes before one that had ended when it
    /// began, gives every answer that was given. At most 64 calls.
    func isExplained(from books: Books) -> Bool {
        precondition(calls.count <= 64, "the set of placed calls is one word")
        var search = Search(calls: calls)
        return search.explain(books, placed: 0)
    }

    private struct Search {
        private struct Point: Hashable {
            let placed: UInt64
            let books: Books
        }

        let calls: [Call]
        private let answered: UInt64
        private var known: Set<Point> = []

        init(calls: [Call]) {
            self.calls = calls
            var answered: UInt64 = 0
            for (number, call) in calls.enumerated() where call.answer != .lost {
                answered |= 1 << UInt64(number)
            }
            self.answered = answered
        }

        mutating func explain(_ books: Books, placed: UInt64) -> Bool {
            if placed & answered == answered { return true }
            guard known.insert(Point(placed: placed, books: books)).inserted else { return false }
            var firstEnd = Int.max
            for (number, call) in calls.enumerated() where placed & (1 << UInt64(number)) == 0 {
                firstEnd = min(firstEnd, call.end)
            }
            for (number, call) in calls.enumerated()
            where placed & (1 << UInt64(number)) == 0 && call.begin < firstEnd {
                var next = books
                let answer = next.apply(call.operation, of: call.client)
                guard call.answer == .lost || call.answer == answer else { continue }
                // A lost call that changes nothing need not be placed.
                if call.answer == .lost, next == books { continue }
                if explain(next, placed: placed | 1 << UInt64(number)) { return true }
            }
            return false
        }
    }
}

extension GrantHistory.Books {
    /// Carries out an operation, and says what a client is told.
    mutating func apply(
        _ operation: GrantHistory.Operation, of client: Int
    ) -> GrantHistory.Answer {
        switch operation {
        case .setQuota(let limit):
            quota = limit
            return .row([])
        case .ensure:
            exists = true
            limit = quota
            cap = max(quota, granted)
            return .row([])
        case .tellAccount:
            guard exists else { return .none }
            limit = quota
            cap = max(quota, granted)
            return .row([])
        case .read:
            return exists ? .row([limit, cap, granted, used]) : .none
        case .grow(let want, let least):
            guard exists, cap - granted >= least else { return .none }
            let units = min(want, cap - granted)
            granted += units
            leases[client, default: Lease()].granted += units
            return .row([leases[client]?.granted ?? 0, cap - granted])
        case .settle, .fold, .giveBack, .end, .look:
            return applyToLease(operation, of: client)
        }
    }

    private mutating func applyToLease(
        _ operation: GrantHistory.Operation, of client: Int
    ) -> GrantHistory.Answer {
        guard var lease = leases[client] else { return .none }
        defer { if operation != .end { leases[client] = lease } }
        switch operation {
        case .settle(let units):
            guard lease.granted - lease.settled >= units else { return .none }
            lease.settled += units
            return .row([])
        case .fold:
            used += lease.settled
            lease.granted -= lease.settled
            lease.settled = 0
            return .row([lease.granted, cap - granted])
        case .giveBack(let units, let size):
            guard lease.granted == size, lease.granted - lease.settled >= units else {
                return .none
            }
            lease.granted -= units
            granted -= units
            cap = max(limit, granted)
            return .row([lease.granted, cap - granted])
        case .end:
            used += lease.settled
            granted -= lease.granted - lease.settled
            cap = max(limit, granted)
            leases[client] = nil
            return .row([cap - granted])
        case .look: return .row([lease.granted, cap - granted])
        case .ensure, .grow, .setQuota, .tellAccount, .read: return .none
        }
    }
}

extension Array {
    fileprivate subscript<Wrapped>(index: Int, default value: Wrapped) -> Wrapped
    where Element == Wrapped? {
        get { self[index] ?? value }
        set { self[index] = newValue }
    }
}
