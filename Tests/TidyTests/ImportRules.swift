/// Which room may know which (architecture: arrows only point down).
enum ImportRules {
    /// Modules of the system, good everywhere but in `Domain`.
    static let system: Set<String> = [
        "Foundation", "FoundationEssentials", "Glibc", "Musl", "Darwin", "Dispatch",
        "Synchronization", "Swift",
    ]

    private static let wrappers: [String: Set<String>] = [
        "Curl": ["CCurl", "Logging"], "OpenSSL": ["COpenSSL", "Logging"],
        "Postgres": ["CPostgres", "Logging"], "JSON": ["CSimdJSON"],
    ]

    private static let rooms: [String: Set<String>] = [
        "TurnpikeConfiguration": ["Domain", "Yams"],
        "Ledger": ["Domain", "Postgres", "OpenSSL", "Logging", "Metrics", "ServiceLifecycle"],
        // OpenSSL for the checksums of safeguards and documents, the digests of requests and the
        // signatures of webhooks only; what has to do with keys is the ledger's.
        "Gateway": [
            "Domain", "Curl", "JSON", "OpenSSL", "Logging", "Metrics", "ServiceLifecycle",
            "Tracing", "Hummingbird", "HummingbirdCore", "NIOCore", "NIOPosix", "NIOHTTP1",
            "NIOHTTPTypes",
            "HTTPTypes",
        ],
        // OpenSSL for random ids only; what has to do with keys is the ledger's. JSON for the bodies
        // of the admin HTTP API, which come from strangers and need its limits.
        "Admin": [
            "Domain", "Ledger", "TurnpikeConfiguration", "Logging", "ArgumentParser", "OpenSSL",
            "JSON",
        ],
        "Turnpike": [
            "Domain", "Ledger", "Gateway", "Admin", "TurnpikeConfiguration", "Postgres", "OpenSSL",
            "Curl", "Logging", "Metrics", "ServiceLifecycle", "ArgumentParser",
        ],
    ]

    /// The modules a target may import; nil for a target that is not known.
    static func allowed(_ target: String) -> Set<String>? {
        if target == "Domain" { return ["Synchronization"] }
        return (wrappers[target] ?? rooms[target])?.union(system)
    }

    /// Every import of a file: the line, from 1, and the module.
    static func imports(_ file: TidyFile) -> [(line: Int, module: String)] {
        let pattern =
            #/^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/#
        return file.swift.code.enumerated().compactMap { index, line in
            guard line.contains("import") else { return nil }
            return line.firstMatch(of: pattern).map { (index + 1, String($0.1)) }
        }
    }

    private static func lines(
        _ file: TidyFile, of modules: Set<String>, outside places: [String]
    ) -> [Int] {
        guard file.isSource, !file.isIn(places) else { return [] }
        return imports(file).filter { modules.contains($0.module) }.map(\.line)
    }

    static let table = TidyRule(
        name: "a target imports only what stands below it",
        reason: "a wrong arrow makes two rooms one; see ImportRules",
        check: { file in
            guard file.isSource else { return [] }
            guard let allowed = allowed(file.target) else { return [1] }
            return imports(file).filter { !allowed.contains($0.module) }.map(\.line)
        },
        bad: [
            TidyRule.sample("Sources/Gateway/HTTP/A.swift", "import Ledger\n"),
            TidyRule.sample("Sources/Domain/A.swift", "import Foundation\n"),
            TidyRule.sample("Sources/Ledger/A.swift", "@preconcurrency public import Curl\n"),
            TidyRule.sample("Sources/Admin/A.swift", "internal import struct Hummingbird.Router\n"),
            TidyRule.sample("Sources/Unknown/A.swift", "let a = 1\n"),
        ],
        good: [
            TidyRule.sample("Sources/Gateway/HTTP/A.swift", "import Domain\nimport Foundation\n"),
            TidyRule.sample(
                "Sources/Domain/A.swift", "// import Foundation\nimport Synchronization\n"),
        ])

    static let shims = TidyRule(
        name: "C is imported only by its wrapper",
        reason: "raw pointers are handled in one place for each library",
        check: { file in
            // The simulated ledger makes the results that libpq would have made.
            guard file.path != "Tests/SimulationTests/Ledger/StatementAnswer.swift" else {
                return []
            }
            return imports(file).filter { found in
                ["Curl", "OpenSSL", "Postgres"].contains {
                    found.module == "C\($0)" && !file.path.hasPrefix("Sources/\($0)/")
                } || found.module == "CSimdJSON" && !file.path.hasPrefix("Sources/JSON/")
            }.map(\.line)
        },
        bad: [
            TidyRule.sample("Sources/Turnpike/A.swift", "import CPostgres\n"),
            TidyRule.sample("Sources/Curl/A.swift", "import COpenSSL\n"),
            TidyRule.sample("Sources/Gateway/A.swift", "import CSimdJSON\n"),
        ],
        good: [TidyRule.sample("Sources/Curl/A.swift", "import CCurl\n")])

    static let server = TidyRule(
        name: "the HTTP server is imported only in Gateway/HTTP",
        reason: "it is the one folder to change when the benchmark asks for another server",
        check: {
            lines(
                $0,
                of: [
                    "Hummingbird", "HummingbirdCore", "NIOCore", "NIOPosix", "NIOHTTP1",
                    "NIOHTTPTypes", "HTTPTypes",
                ], outside: ["Sources/Gateway/HTTP/", "Sources/Gateway/Services/Gateway.swift"])
        },
        bad: [
            TidyRule.sample("Sources/Gateway/Pipeline/A.swift", "import Hummingbird\n"),
            TidyRule.sample("Sources/Gateway/Wire/A.swift", "import NIOCore\n"),
        ],
        good: [TidyRule.sample("Sources/Gateway/HTTP/A.swift", "import Hummingbird\n")])

    static let curl = TidyRule(
        name: "Curl is imported only in Gateway/Backends",
        reason: "nothing else calls out",
        check: { lines($0, of: ["Curl"], outside: ["Sources/Gateway/Backends/"]) },
        bad: [TidyRule.sample("Sources/Gateway/Pipeline/A.swift", "import Curl\n")],
        good: [TidyRule.sample("Sources/Gateway/Backends/A.swift", "import Curl\n")])

    static let all = [table, shims, server, curl]
}
