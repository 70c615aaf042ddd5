public import Domain
public import Postgres

/// Tells the story of one request.
public struct ExplainStore {
    /// What is known of a request id.
    public enum Answer: Sendable, Hashable {
        /// The organization's request.
        case story(RequestStory)
        /// The organization has none of that id. Records from its time may have been dropped.
        case unknown(mayBeDropped: Bool)
    }

    private let connection: PostgresConnection

    /// Reads over `connection`, which belongs to the caller and its thread.
    public init(_ connection: PostgresConnection) { self.connection = connection }

    /// Looks for the request among the open ones and the records of its day, in one snapshot.
    /// Another organization's request is unknown.
    public func explain(
        _ id: RequestID, organization: OrganizationID
    ) throws(LedgerError) -> Answer {
        do throws(PostgresError) {
            return try connection.transaction(.readOnlySnapshot) {
                connection throws(PostgresError) in
                try Reader(id: id, organization: organization, connection: connection).answer()
            }
        } catch {
            throw LedgerError(error)
        }
    }

    private struct Reader {
        let id: RequestID
        let organization: OrganizationID
        let connection: PostgresConnection

        private var shard: PostgresValue { .int2(organization.shard.rawValue) }
        private var day: PostgresValue { .date(id.instant.day.rawValue) }
        private var request: [PostgresValue] {
            [shard, .uuid(id.rawValue), .int8(organization.rawValue)]
        }

        func answer() throws(PostgresError) -> Answer {
            if let row = try run(ExplainStatements.open, request).first {
                let bound = RequestStory.Bound(
                    prompt: try row.int8(11), completion: try row.int8(12),
                    cost: NanoUSD(rawValue: try row.int8(13)))
                return .story(try story(row, .open(bound, isFenced: try row.bool(14)), of: day))
            }
            for statement in [ExplainStatements.settled, ExplainStatements.settledAnyDay] {
                guard let row = try run(statement, request + [day]).first else { continue }
                let found = PostgresValue.date(try row.date(24))
                var story = try story(row, .settled(try Self.outcome(row)), of: found)
                story.attempts = try attempts(of: found)
                story.priceCorrections = try corrections(of: found)
                return .story(story)
            }
            let isDropped = try run(ExplainStatements.dropped, [shard, day]).first?.bool(0)
            return .unknown(mayBeDropped: isDropped ?? false)
        }

        private func run(
            _ statement: PostgresStatement, _ parameters: [PostgresValue]
        ) throws(PostgresError) -> [PostgresRow] {
            try connection.execute(PostgresCommand(statement, parameters)).rows
        }

        private static func outcome(
            _ row: PostgresRow
        ) throws(PostgresError) -> RequestStory.Outcome {
            guard let basis = UsageBasis(rawValue: try row.int2(19)),
                let endState = EndState(rawValue: try row.int2(20))
            else { throw PostgresError(kind: .decoding(reason: "a record has an unknown basis")) }
            return RequestStory.Outcome(
                usage: TokenUsage(
                    prompt: try row.int8(11), cached: try row.int8(12),
                    cacheWrite: try row.int8(13), completion: try row.int8(14),
                    reasoning: try row.int8(15)
                ).withAudio(
                    prompt: try row.optionalInt8(25) ?? 0,
                    completion: try row.optionalInt8(26) ?? 0),
                charged: try row.int8(16), overage: try row.int8(17),
                cost: NanoUSD(rawValue: try row.int8(18)), basis: basis, endState: endState,
                settledAt: Timestamp(microseconds: try row.timestamp(21)),
                timeToFirstToken: try row.optionalInt8(22).map { .microseconds($0) },
                duration: .microseconds(try row.int8(23)))
        }

        private func story(
            _ row: PostgresRow, _ state: RequestStory.State, of day: PostgresValue
        ) throws(PostgresError) -> RequestStory {
            var story = RequestStory(
                id: id, state: state,
                key: KeyID(rawValue: UInt64(bitPattern: try row.int8(0))),
                keyName: try row.text(1), team: try row.text(2), model: try row.text(3),
                backend: try row.text(4), prices: try prices(row), node: try row.int8(6),
                admittedAt: Timestamp(microseconds: try row.timestamp(7)),
                shares: try shares(
                    accounts: try row.int8s(8), amounts: try row.int8s(10), of: day))
            story.user = try row.optionalBytes(9).flatMap(UserHash.init(bytes:))
            return story
        }

        private func attempts(of day: PostgresValue) throws(PostgresError) -> [Attempt] {
            var attempts: [Attempt] = []
            for row in try run(ExplainStatements.attempts, [shard, .uuid(id.rawValue), day]) {
                guard let outcome = Attempt.Outcome(rawValue: try row.int2(1)) else {
                    throw PostgresError(kind: .decoding(reason: "an attempt has an unknown end"))
                }
                let (prompt, completion) = (try row.optionalInt8(5), try row.optionalInt8(6))
                attempts.append(
                    Attempt(
                        backend: try row.text(0), outcome: outcome,
                        status: try row.optionalInt2(2),
                        begunAfter: .microseconds(try row.int8(3)),
                        duration: .microseconds(try row.int8(4)),
                        usage: prompt.map { TokenUsage(prompt: $0, completion: completion ?? 0) }))
            }
            return attempts
        }

        private func prices(_ row: PostgresRow) throws(PostgresError) -> RequestStory.Prices? {
            guard let version = try row.optionalInt8(5) else { return nil }
            let found = try run(PriceStatements.version, [shard, .int8(version)]).first
            return RequestStory.Prices(
                version: version,
                price: try found.map { row throws(PostgresError) in
                    try PriceStatements.price(row, at: 1)
                } ?? nil)
        }

        private func corrections(
            of day: PostgresValue
        ) throws(PostgresError) -> [RequestStory.PriceCorrection] {
            try run(ExplainStatements.corrections, [shard, .uuid(id.rawValue), day]).map {
                row throws(PostgresError) in
                RequestStory.PriceCorrection(
                    at: Timestamp(microseconds: try row.timestamp(0)), version: try row.int8(1),
                    difference: NanoUSD(rawValue: try row.int8(2)))
            }
        }

        private func shares(
            accounts: [Int64], amounts: [Int64], of day: PostgresValue
        ) throws(PostgresError) -> [RequestStory.Share] {
            let rows = try run(ExplainStatements.accounts, request + [.int8s(accounts), day])
            var shares: [RequestStory.Share] = []
            for (row, amount) in zip(rows, amounts) {
                shares.append(
                    RequestStory.Share(
                        account: try row.int8(0), quota: try Self.quota(row),
                        subjectName: try row.optionalText(6), model: try row.optionalText(9),
                        amount: amount,
                        correction: try row.int8(7),
                        correctedAt: try row.optionalTimestamp(8).map(Timestamp.init(microseconds:))
                    ))
            }
            return shares
        }

        private static func quota(_ row: PostgresRow) throws(PostgresError) -> AccountKey? {
            guard let kind = try row.optionalInt2(1) else { return nil }
            guard let kind = Subject.Kind(rawValue: kind),
                let resource = Resource(rawValue: try row.int2(3)),
                let period = Period(rawValue: try row.int2(4))
            else { throw PostgresError(kind: .decoding(reason: "an account has an unknown kind")) }
            return AccountKey(
                subject: Subject(kind: kind, id: try row.int8(2)), resource: resource,
                period: period, start: CalendarDay(rawValue: try row.date(5)))
        }
    }
}

extension DirectoryStore {
    /// Stories of requests, over the same connection.
    public var stories: ExplainStore { ExplainStore(connection) }
}
