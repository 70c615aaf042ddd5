public import Domain
import Postgres

extension KeyStore {
    /// What a key may do.
    public struct Terms: Sendable, Hashable {
        /// From when on it may not be used; nil for never.
        public var expires: Timestamp?
        /// The model aliases it may use; nil for all.
        public var models: [String]?
        /// The bound on completion tokens where the client names none; nil for the gateway's.
        public var defaultCompletionTokens: Int64?
        /// Whether streams always end with usage.
        public var alwaysUsage: Bool
        /// Whether answers tell reasoning as `reasoning` beside `reasoning_content`.
        public var mirrorsReasoning = false
        /// What it may call; nil for everything.
        public var endpoints: [String]?
        /// Its tags, each `name=value`, every name once.
        public var tags: [String] = []
        /// Whether a bound on completion tokens that does not fit is made smaller instead of
        /// refused.
        public var clamps = false

        /// Makes terms.
        public init(
            expires: Timestamp?, models: [String]?, defaultCompletionTokens: Int64?,
            alwaysUsage: Bool
        ) {
            self.expires = expires
            self.models = models
            self.defaultCompletionTokens = defaultCompletionTokens
            self.alwaysUsage = alwaysUsage
        }

        /// The terms of a key as they are.
        public init(_ record: KeyRecord) {
            self.init(
                expires: record.notAfter, models: record.models,
                defaultCompletionTokens: record.defaultCompletionTokens,
                alwaysUsage: record.alwaysUsage)
            mirrorsReasoning = record.mirrorsReasoning
            endpoints = record.endpoints
            tags = record.tags
            clamps = record.clamps
        }

        /// The most tags of a key.
        public static let mostTags = 16

        /// Throws `invalid` for terms that break a rule.
        func check() throws(LedgerError) {
            if let bound = defaultCompletionTokens, bound < 1 {
                throw .invalid("a key's default of completion tokens is at least 1")
            }
            if let models {
                guard !models.isEmpty, models.count <= 1000, models.allSatisfy({ !$0.isEmpty })
                else { throw .invalid("a key names 1 to 1000 models, or none for all") }
            }
            if let endpoints {
                let known = Set(KeyScope.allCases.map(\.rawValue))
                guard !endpoints.isEmpty, known.isSuperset(of: endpoints) else {
                    throw .invalid(
                        "a key may call \(known.sorted().joined(separator: ", ")); name some, or "
                            + "none for all")
                }
            }
            let names = tags.map { $0.prefix { $0 != "=" } }
            guard tags.count <= Self.mostTags, Set(names).count == names.count,
                tags.allSatisfy({ $0.utf8.count <= 128 && $0.contains("=") && !$0.hasPrefix("=") })
            else {
                throw .invalid(
                    "a key has at most \(Self.mostTags) tags of different names, each name=value of "
                        + "at most 128 bytes")
            }
        }

        /// Models, default of completion tokens, always usage, expiry, mirrored reasoning,
        /// endpoints, tags, clamping.
        var parameters: [PostgresValue] {
            [
                models.map(PostgresValue.texts) ?? .null,
                defaultCompletionTokens.map(PostgresValue.int8) ?? .null, .bool(alwaysUsage),
                expires.map { .timestamp($0.microseconds) } ?? .null, .bool(mirrorsReasoning),
                endpoints.map(PostgresValue.texts) ?? .null, .texts(tags), .bool(clamps),
            ]
        }
    }
}
