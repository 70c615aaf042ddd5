// swift-tools-version: 6.2
import PackageDescription

// What `deploy/fuzz` builds: a fuzzer of the parsers that read what strangers send, made of the very
// sources of the program, and of no more of them than it needs. Nothing is fetched.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
    // The targets see what is internal, in an optimised build too.
    .unsafeFlags(["-enable-testing"]),
]

let package = Package(
    name: "turnpike-fuzz",
    targets: [
        .systemLibrary(name: "COpenSSL", path: "Rooms/COpenSSL", pkgConfig: "libcrypto"),
        .target(
            name: "CSimdJSON", path: "Rooms/CSimdJSON",
            linkerSettings: [.linkedLibrary("simdjson"), .linkedLibrary("stdc++")]),
        .target(
            name: "JSON", dependencies: ["CSimdJSON"], path: "Rooms/JSON",
            swiftSettings: settings + [.strictMemorySafety()]),
        .target(
            name: "OpenSSL", dependencies: ["COpenSSL"], path: "Rooms/OpenSSL",
            swiftSettings: settings + [.strictMemorySafety()]),
        .target(name: "Domain", path: "Rooms/Domain", swiftSettings: settings),
        // The gateway without its network: no server, no client, no pipeline.
        .target(
            name: "Gateway", dependencies: ["Domain", "JSON", "OpenSSL"], path: "Rooms/Gateway",
            sources: [
                "Wire/Request", "Safeguards", "Backends/Backend.swift",
                "Backends/StreamAnnouncement.swift",
                "Backends/ChoiceDelta.swift", "Backends/Annotation.swift",
                "Backends/UsageParts.swift", "Backends/SoundPiece.swift",
                "Backends/ModerationReport.swift",
            ]
                + [
                    "AnnotationReader", "AnswerDecoder", "ChatChunkDecoder", "ContextSentence",
                    "Dialect",
                    "EventStreamParser", "JSONParser+Answer", "LogExcerpt", "LogprobReader",
                    "ModerationReader", "OpenAIUpstreamConfiguration", "SoundReader",
                    "ToolCallReader",
                    "UpstreamCredential", "UpstreamErrorBody", "UpstreamLimits",
                    "UpstreamServer", "UpstreamTransport",
                ].map { "Backends/Upstream/\($0).swift" }
                + ["MessagesDecoder", "MessagesUsage"].map { "Backends/Anthropic/\($0).swift" }
                + ["Backends/Upstream/Forwarded"],
            swiftSettings: settings + [.strictMemorySafety()]),
        // The ledger's journal as it is read, without files and without a database.
        .target(
            name: "Ledger", dependencies: ["Domain"], path: "Rooms/Ledger",
            sources: [
                "BootID", "ByteCoding", "CRC32C", "Closing", "JournalRecord",
                "JournalRecord+Attempts", "JournalRecord+Parts", "JournalReplay", "LaneKey",
                "LedgerLoss", "Opening",
            ].map { "Journal/\($0).swift" } + ["Node/RollupRow.swift"],
            swiftSettings: settings + [.strictMemorySafety()]),
        // The values of the configuration, without the file around them, which a library reads.
        .target(
            name: "TurnpikeConfiguration", dependencies: ["Domain"],
            path: "Rooms/TurnpikeConfiguration",
            sources: [
                "Accepted", "EditDistance", "EnvironmentText", "ListenAddress", "NamedAddress",
            ]
            .map { "\($0).swift" },
            swiftSettings: settings + [.strictMemorySafety()]),
        // Counts what an input has allocated.
        .target(name: "Allocations", path: "Allocations"),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "Allocations", "Domain", "Gateway", "JSON", "Ledger", "TurnpikeConfiguration",
            ],
            path: "Targets",
            // The fuzzer brings its own main.
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]),
    ],
    cxxLanguageStandard: .cxx17
)
