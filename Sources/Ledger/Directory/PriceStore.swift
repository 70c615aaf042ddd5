public import Domain
public import Postgres

/// One entry of the register of prices: what came into force for a model's terms, when and by whom.
/// Never changed.
public struct PriceChange: Sendable, Hashable {
    /// By whose word.
    public enum Source: Int16, Sendable {
        /// The configuration file of a gateway.
        case file = 1
        /// An administrator's command.
        case command = 2

        /// The name in reports.
        public var name: String {
            switch self {
            case .file: "file"
            case .command: "command"
            }
        }
    }

    /// The model alias.
    public let model: String
    /// What the price is for.
    public let terms: PriceTerms
    /// Since when.
    public let at: Timestamp
    /// By whose word.
    public let source: Source
    /// Who set it: an account of the administrator's machine, or the gateway's.
    public let setBy: String
    /// The version; nil where there is no price any more.
    public let price: Price?

    /// Makes an entry.
    public init(
        model: String, terms: PriceTerms, at: Timestamp, source: Source, setBy: String,
        price: Price?
    ) {
        self.model = model
        self.terms = terms
        self.at = at
        self.source = source
        self.setBy = setBy
        self.price = price
    }
}

/// The register of prices.
///
/// The newest entry of a model and its terms is in force. A configuration file has its say when it
/// says something new: a gateway that starts or reloads enters what differs from what the last file
/// said, so that a price set by command stays until the command or the file changes it.
public struct PriceStore {
    private let connection: PostgresConnection
    private let recorder: ActionRecorder

    /// Works over `connection`, which belongs to the caller and its thread. What is changed is
    /// recorded to be of `author`; `random` gives the records' ids.
    public init(_ connection: PostgresConnection, random: LedgerRandom, author: ActionAuthor) {
        self.init(connection, ActionRecorder(author: author, random: random))
    }

    init(_ connection: PostgresConnection, _ recorder: ActionRecorder) {
        self.connection = connection
        self.recorder = recorder
    }

    /// A number that every change raises: gateways ask for it, and for the rest when it differs.
    public func revision() throws(LedgerError) -> Int64 {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try connection.execute(PostgresCommand(PriceStatements.revision, Self.shard)).rows
                .first?.int8(0) ?? 0
        }
    }

    /// The models that gateways serve or have served, by name.
    public func models() throws(LedgerError) -> [String] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try connection.execute(PostgresCommand(PriceStatements.models, Self.shard)).rows.map {
                row throws(PostgresError) in try row.text(0)
            }
        }
    }

    /// What is in force, by model and terms; terms whose price was taken away are among them.
    public func inForce() throws(LedgerError) -> [PriceChange] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try Self.read(PriceStatements.inForce, Self.shard, connection)
        }
    }

    /// Everything that was ever in force for a model, the newest first.
    public func history(of model: String) throws(LedgerError) -> [PriceChange] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try Self.read(
                PriceStatements.history, Self.shard + [.int4(NameNumber.of(model))], connection)
        }
    }

    /// Puts versions of a model's prices in force, or nil for none; all of them, or none of them.
    /// A model that no gateway has served is `missing`.
    public func set(_ prices: [PriceTerms: Price?], of model: String) throws(LedgerError) {
        guard try models().contains(model) else { throw .missing(what: "model", name: model) }
        try DirectoryTransaction.change(PriceStatements.shard, on: connection, by: recorder) {
            connection, log throws(PostgresError) in
            for (terms, price) in prices.sorted(by: { $0.key.name < $1.key.name }) {
                try append(terms, price, of: model, source: .command, connection, &log)
            }
        }
    }

    /// Enters what a configuration file says anew of the models that it names, and gives what is in
    /// force then, by model. Gateways of one file enter it once, however many start together.
    public func register(
        file prices: [String: [PriceTerms: Price]]
    ) throws(LedgerError) -> (revision: Int64, prices: [String: [PriceTerms: Price]]) {
        for model in prices.keys.sorted() {
            try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
                _ = try connection.execute(
                    NameStatements.model(PriceStatements.shard.rawValue, model))
            }
        }
        let known = try DirectoryTransaction.run(on: connection) {
            connection throws(PostgresError) in try Self.said(connection)
        }
        // Nearly every start finds what it would say: nobody needs to hear of that.
        if !Self.news(prices, known).isEmpty {
            try DirectoryTransaction.change(PriceStatements.shard, on: connection, by: recorder) {
                connection, log throws(PostgresError) in
                for change in Self.news(prices, try Self.said(connection)) {
                    try append(
                        change.terms, change.price, of: change.model, source: .file, connection,
                        &log)
                }
            }
        }
        return try current()
    }

    /// The revision, and what is in force then at the latest, by model.
    public func current() throws(LedgerError) -> (
        revision: Int64, prices: [String: [PriceTerms: Price]]
    ) {
        // The revision first: what comes between the two is read again.
        let revision = try revision()
        var prices: [String: [PriceTerms: Price]] = [:]
        for change in try inForce() {
            prices[change.model, default: [:]][change.terms] = change.price
        }
        return (revision, prices)
    }

    private typealias Said = [String: [PriceTerms: Price?]]

    private struct News {
        let model: String
        let terms: PriceTerms
        let price: Price?
    }

    private static var shard: [PostgresValue] { [.int2(PriceStatements.shard.rawValue)] }

    /// What files have said last.
    private static func said(_ connection: PostgresConnection) throws(PostgresError) -> Said {
        var said: Said = [:]
        for change in try read(PriceStatements.ofFiles, shard, connection) {
            said[change.model, default: [:]][change.terms] = .some(change.price)
        }
        return said
    }

    /// What `prices` say beyond `known`, in the order of models and terms.
    private static func news(
        _ prices: [String: [PriceTerms: Price]], _ known: Said
    ) -> [News] {
        prices.keys.sorted().flatMap { model in
            PriceTerms.all.compactMap { terms in
                let price = prices[model]?[terms]
                let before = known[model]?[terms] ?? nil
                return price?.version == before?.version
                    ? nil : News(model: model, terms: terms, price: price)
            }
        }
    }

    private func append(
        _ terms: PriceTerms, _ price: Price?, of model: String, source: PriceChange.Source,
        _ connection: PostgresConnection, _ log: inout ActionLog
    ) throws(PostgresError) {
        let before = try Self.read(PriceStatements.inForce, Self.shard, connection)
            .first { $0.model == model && $0.terms == terms }
        if let price {
            _ = try connection.execute(
                NameStatements.price(PriceStatements.shard.rawValue, model, price))
        }
        _ = try connection.execute(
            PostgresCommand(
                PriceStatements.append,
                Self.shard + [
                    .int4(NameNumber.of(model)), .text(terms.name),
                    price.map { .int8($0.version) } ?? .null, .int2(source.rawValue),
                    .text(recorder.author.name),
                ]))
        log.note(price, after: before?.price, of: model, terms)
    }

    private static func read(
        _ statement: PostgresStatement, _ parameters: [PostgresValue],
        _ connection: PostgresConnection
    ) throws(PostgresError) -> [PriceChange] {
        var changes: [PriceChange] = []
        for row in try connection.execute(PostgresCommand(statement, parameters)).rows {
            guard let terms = PriceTerms(name: try row.text(1)),
                let source = PriceChange.Source(rawValue: try row.int2(3))
            else { throw PostgresError(kind: .decoding(reason: "a price is for unknown terms")) }
            changes.append(
                PriceChange(
                    model: try row.text(0), terms: terms,
                    at: Timestamp(microseconds: try row.timestamp(2)), source: source,
                    setBy: try row.text(4), price: try PriceStatements.price(row, at: 5)))
        }
        return changes
    }
}

extension DirectoryStore {
    /// The register of prices, over the same connection.
    public var prices: PriceStore { PriceStore(connection, recorder) }
}
