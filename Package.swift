// swift-tools-version: 6.2
import PackageDescription

// Written once, given to every target of ours: an `any` is spelt out, an import is visible only where
// it stands, a raw pointer is marked `unsafe`, and a warning does not build.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

// Tests import what they use and may name raw pointers without ceremony.
let testSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let hummingbird: [Target.Dependency] = [
    .product(name: "Hummingbird", package: "hummingbird"),
    .product(name: "HummingbirdCore", package: "hummingbird"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
    .product(name: "HTTPTypes", package: "swift-http-types"),
]

let package = Package(
    name: "turnpike",
    products: [.executable(name: "turnpike", targets: ["Turnpike"])],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C libraries of the system.
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(
            name: "CSimdJSON",
            linkerSettings: [.linkedLibrary("simdjson"), .linkedLibrary("stdc++")]),

        // Wrappers: the only places that see C.
        .target(name: "Curl", dependencies: ["CCurl", log], swiftSettings: settings),
        .target(name: "OpenSSL", dependencies: ["COpenSSL"], swiftSettings: settings),
        .target(name: "Postgres", dependencies: ["CPostgres", log], swiftSettings: settings),
        .target(name: "JSON", dependencies: ["CSimdJSON"], swiftSettings: settings),

        // The rooms.
        .target(name: "Domain", swiftSettings: settings),
        .target(
            name: "TurnpikeConfiguration", dependencies: ["Domain", yams], swiftSettings: settings),
        .target(
            name: "Ledger",
            dependencies: ["Domain", "Postgres", "OpenSSL", log, metrics, lifecycle],
            // A link to db/migrations: the program carries its schema.
            resources: [.embedInCode("Migrator/Migrations")], swiftSettings: settings),
        .target(
            name: "Gateway",
            dependencies: ["Domain", "Curl", "JSON", "OpenSSL", log, metrics, lifecycle]
                + hummingbird,
            swiftSettings: settings),
        .target(
            name: "Admin",
            dependencies: ["Domain", "Ledger", "TurnpikeConfiguration", "JSON", log, arguments],
            swiftSettings: settings),
        .executableTarget(
            name: "Turnpike",
            dependencies: [
                "Domain", "Ledger", "Gateway", "Admin", "TurnpikeConfiguration", "Postgres",
                "OpenSSL",
                "Curl", log, lifecycle, arguments,
            ],
            swiftSettings: settings),

        // Tests: one target per room.
        .target(
            name: "TestSupport", dependencies: ["Domain", "Ledger", "Postgres", "OpenSSL", log],
            path: "Tests/TestSupport", swiftSettings: testSettings),
        // Not a test: what `deploy/bench ledger` runs.
        .executableTarget(
            name: "LedgerBench",
            dependencies: ["Ledger", "Domain", "Postgres", "TestSupport", log, lifecycle],
            path: "Tests/Bench", swiftSettings: testSettings),
        .testTarget(
            name: "DomainTests", dependencies: ["Domain", "TestSupport"],
            swiftSettings: testSettings),
        .testTarget(
            name: "WrapperTests",
            dependencies: ["Curl", "OpenSSL", "Postgres", "JSON", "TestSupport", log],
            swiftSettings: testSettings),
        .testTarget(
            name: "ConfigurationTests", dependencies: ["TurnpikeConfiguration", "Domain"],
            swiftSettings: testSettings),
        .testTarget(
            name: "LedgerTests",
            dependencies: ["Ledger", "Domain", "Postgres", "OpenSSL", "TestSupport"],
            swiftSettings: testSettings),
        .testTarget(
            name: "GatewayTests",
            dependencies: ["Gateway", "Domain", "JSON", "Curl", "TestSupport"] + hummingbird,
            swiftSettings: testSettings),
        .testTarget(
            name: "AdminTests",
            dependencies: [
                "Admin", "Ledger", "Domain", "JSON", "Postgres", "TestSupport",
                "TurnpikeConfiguration", log,
            ],
            // Texts that the tests compare with.
            exclude: ["Golden"],
            swiftSettings: testSettings),
        .testTarget(
            name: "EndToEndTests", dependencies: ["Turnpike", "Postgres", "TestSupport"],
            exclude: ["Python"],
            swiftSettings: testSettings),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["Ledger", "Domain", "Postgres", "CPostgres", "TestSupport", log],
            swiftSettings: testSettings),
        .testTarget(name: "TidyTests", swiftSettings: testSettings),
    ],
    cxxLanguageStandard: .cxx17
)
