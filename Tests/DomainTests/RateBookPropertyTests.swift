import Domain
import Testing

/// Several nodes, one ledger, answers that take their time: what all of them pass together.
@Suite struct RateBookPropertyTests {
    /// Cells that passed, or that the ledger credited, at a true time in microseconds.
    struct Flow {
        let time: Int64
        let cells: Int64
    }

    /// A world of nodes around one bucket. Nodes have clocks of their own that start anywhere.
    struct World {
        struct Node {
            var book: RateBook
            let origin: Int64
            var open: [(end: Int64, ticket: RateBook.Ticket, tokens: Int64)] = []
            /// The list of orders on its way there, when it arrives, and when its answer does.
            var inFlight: [RateOrder] = []
            var arrival = Int64.max
            var answer = Int64.max
            var asked: Int64 = 0
            var replies: [(RateOrder, RateReply)] = []

            func local(_ time: Int64) -> Uptime { Uptime(microseconds: time + origin) }
        }

        var nodes: [Node]
        var model = RateModel()
        var random: RateRandom
        let limit: RateLimit
        let longestTrip: Int64
        var flows: [Flow] = []
        var credits: [Flow] = []
        var denied = 0
        var orders = 0
        var waiting: [RequestID: Int64] = [:]
        private var count: UInt64 = 0

        init(seed: UInt64, nodes count: Int, limit: RateLimit, longestTrip: Int64) {
            random = RateRandom(state: seed)
            self.limit = limit
            self.longestTrip = longestTrip
            model.limits[RateBucket(subject: limit.subject, dimension: limit.dimension)] =
                limit.limit
            nodes = []
            for _ in 0..<count {
                var book = RateBook(patience: .seconds(3600))
                book.liveNodes = Int64(count)
                let origin = Int64.random(in: 0...1 << 40, using: &random)
                nodes.append(Node(book: book, origin: origin))
            }
        }

        /// A request of `tokens` at node `index`, which will use `used` of them by `end`.
        mutating func request(
            _ index: Int, tokens: Int64, used: Int64, end: Int64, at time: Int64
        ) {
            count += 1
            let id = RequestID(at: Timestamp(microseconds: 0), random: (count, 0))
            var effects = RateBook.Effects()
            let decision = nodes[index].book.admit(
                id, [limit], tokens: tokens, at: nodes[index].local(time), &effects)
            switch decision {
            case .passed(let ticket): passed(index, ticket, tokens, used, end, at: time)
            case .denied: denied += 1
            case .waiting: uses[id] = (tokens, used, end)
            case .overloaded: Issue.record("the line is full")
            }
            send(index, effects, at: time)
        }

        private var uses: [RequestID: (Int64, Int64, Int64)] = [:]

        private mutating func passed(
            _ index: Int, _ ticket: RateBook.Ticket, _ tokens: Int64, _ used: Int64, _ end: Int64,
            at time: Int64
        ) {
            flows.append(
                Flow(time: time, cells: limit.dimension == .tokensPerMinute ? tokens : 1))
            nodes[index].open.append((max(end, time), ticket, used))
        }

        private mutating func send(_ index: Int, _ effects: RateBook.Effects, at time: Int64) {
            for (id, ticket) in effects.passed {
                guard let (tokens, used, end) = uses.removeValue(forKey: id) else { continue }
                passed(index, ticket, tokens, used, end, at: time)
            }
            for id in effects.denied.keys {
                uses[id] = nil
                denied += 1
            }
            guard !effects.orders.isEmpty else { return }
            orders += 1
            let trip = Int64.random(in: 200...longestTrip, using: &random)
            nodes[index].inFlight = effects.orders
            nodes[index].asked = time
            nodes[index].arrival = time + Int64.random(in: 100...trip, using: &random)
            nodes[index].answer = time + trip
        }

        /// Everything that happens by itself at `time`.
        mutating func step(to time: Int64) {
            for index in nodes.indices {
                if nodes[index].arrival <= time {
                    let asked = nodes[index].local(nodes[index].asked)
                    credits += nodes[index].inFlight.filter { $0.credit > 0 }.map {
                        Flow(time: time, cells: $0.credit)
                    }
                    nodes[index].replies = nodes[index].inFlight.map {
                        ($0, model.carryOut($0, at: time + 7_000_000_000, asked: asked))
                    }
                    nodes[index].arrival = .max
                }
                var effects = RateBook.Effects()
                let now = nodes[index].local(time)
                if nodes[index].answer <= time, nodes[index].arrival == .max {
                    nodes[index].answer = .max
                    nodes[index].book.replied(nodes[index].replies, at: now, &effects)
                }
                send(index, effects, at: time)
                effects = RateBook.Effects()
                for request in nodes[index].open where request.end <= time {
                    nodes[index].book.finish(request.ticket, used: request.tokens, at: now)
                }
                nodes[index].open.removeAll { $0.end <= time }
                nodes[index].book.tick(at: now, &effects)
                send(index, effects, at: time)
            }
        }

        /// The most cells that passed in any window `w`, less those that were credited in it or in
        /// the second before, beyond `limit × (1 + (w + 1 s) / minute)`.
        var worstExcess: Double {
            let rate = Double(limit.limit) / 60_000_000
            var (lowest, worst) = (Double.infinity, -Double.infinity)
            var (passed, early, late) = (0.0, 0.0, 0.0)
            var (nextEarly, nextLate) = (0, 0)
            for flow in flows {
                while nextEarly < credits.count, credits[nextEarly].time < flow.time - 1_000_000 {
                    early += Double(credits[nextEarly].cells)
                    nextEarly += 1
                }
                while nextLate < credits.count, credits[nextLate].time <= flow.time {
                    late += Double(credits[nextLate].cells)
                    nextLate += 1
                }
                // Windows that begin with this flow, before it is counted.
                lowest = min(lowest, passed - early - rate * Double(flow.time))
                passed += Double(flow.cells)
                worst = max(worst, passed - late - rate * Double(flow.time) - lowest)
            }
            return worst - Double(limit.limit) - rate * 1_000_000
        }
    }

    static let key = Subject(kind: .key, id: 1)

    /// Runs requests at random, some of them in bursts, with 20 quiet seconds after one request in
    /// `quiet`.
    static func run(
        seed: UInt64, nodes: Int, limit: RateLimit, longestTrip: Int64, seconds: Int64,
        perSecond: Int, credits: Bool, quiet: UInt64
    ) -> World {
        var world = World(seed: seed, nodes: nodes, limit: limit, longestTrip: longestTrip)
        var time: Int64 = 0
        let largest = limit.dimension == .tokensPerMinute ? max(1, limit.limit / 50) : 1
        while time < seconds * 1_000_000 {
            let isBurst = world.random.next() % 200 == 0
            for _ in 0..<(isBurst ? 40 : 1) {
                let tokens = Int64.random(in: 1...largest, using: &world.random)
                let used = credits ? Int64.random(in: 0...tokens, using: &world.random) : tokens
                let end = time + Int64.random(in: 0...3_000_000, using: &world.random)
                let index = Int(world.random.next() % UInt64(nodes))
                world.request(index, tokens: tokens, used: used, end: end, at: time)
            }
            let gap = Int64.random(in: 0...Int64(2_000_000 / perSecond), using: &world.random)
            let next = time + (world.random.next() % quiet == 0 ? 20_000_000 : gap)
            while time < next {
                time = min(next, time + 10_000)
                world.step(to: time)
            }
        }
        return world
    }

    @Test(arguments: 0..<24 as Range<UInt64>)
    func `all nodes together pass at most a burst and the rate for the window and a second`(
        seed: UInt64
    ) {
        let limits: [(RateLimit.Dimension, Int64)] = [
            (.requestsPerMinute, 7), (.requestsPerMinute, 120), (.requestsPerMinute, 3000),
            (.tokensPerMinute, 20_001),
        ]
        let (dimension, limit) = limits[Int(seed % 4)]
        let world = Self.run(
            seed: seed, nodes: 1 + Int(seed / 4) % 5,
            limit: RateLimit(subject: Self.key, dimension: dimension, limit: limit),
            longestTrip: [3_000, 400_000, 1_500_000][Int(seed % 3)], seconds: 80,
            perSecond: dimension == .requestsPerMinute && limit < 200 ? 20 : 250, credits: false,
            quiet: 20_000)
        #expect(world.worstExcess <= 1, "seed \(seed)")
        #expect(world.denied > 0, "seed \(seed): the limit was never reached")
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `what is credited passes again, and no more than that`(seed: UInt64) {
        let world = Self.run(
            seed: seed, nodes: 3,
            limit: RateLimit(subject: Self.key, dimension: .tokensPerMinute, limit: 30_000),
            longestTrip: 20_000, seconds: 80, perSecond: 60, credits: true, quiet: 20_000)
        #expect(world.worstExcess <= 1, "seed \(seed)")
        let passed = world.flows.map(\.cells).reduce(0, +)
        #expect(passed > 30_000 * 80 / 60, "seed \(seed): \(passed)")
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `a limit in demand is used to at least nine tenths, by any number of nodes`(
        seed: UInt64
    ) {
        let nodes = 1 + Int(seed % 4)
        let world = Self.run(
            seed: seed, nodes: nodes,
            limit: RateLimit(subject: Self.key, dimension: .requestsPerMinute, limit: 1200),
            longestTrip: 5_000, seconds: 120, perSecond: 100, credits: false,
            quiet: .max)
        let passed = world.flows.map(\.cells).reduce(0, +)
        let allowed = 1200 + 1200 * 2
        #expect(passed >= Int64(allowed * 9 / 10), "seed \(seed): \(passed) of \(allowed)")
    }
}
