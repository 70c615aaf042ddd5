import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite struct `The register of prices` {
    private static func price(_ amount: Int64) -> Price {
        Price(
            alias: "tiny", prompt: NanoUSD(rawValue: amount), cached: NanoUSD(rawValue: amount),
            cacheWrite: NanoUSD(rawValue: amount), completion: NanoUSD(rawValue: amount))
    }

    private func inForce(_ store: PriceStore) throws -> Int64? {
        try store.current().prices["tiny"]?[.usual]?.prompt.rawValue
    }

    @Test func `a command wins until the file says something new, which wins then`() throws {
        let fixture = try DirectoryFixture()
        defer { withExtendedLifetime(fixture) {} }
        let store = fixture.store.acting(as: ActionAuthor(way: .gateway, name: "gw")).prices
        let ann = fixture.store.acting(as: ActionAuthor(way: .command, name: "ann")).prices
        func file(_ amount: Int64) throws {
            _ = try store.register(file: ["tiny": [.usual: Self.price(amount)]])
        }
        try file(1)
        #expect(try inForce(store) == 1)
        let revision = try store.revision()
        try file(1)
        #expect(try store.revision() == revision)
        try ann.set([.usual: Self.price(2)], of: "tiny")
        #expect(try inForce(store) == 2 && store.revision() > revision)
        // A gateway that starts anew with the same file changes nothing.
        try file(1)
        #expect(try inForce(store) == 2)
        try file(3)
        #expect(try inForce(store) == 3)
        try ann.set([.usual: Price?.none], of: "tiny")
        #expect(try inForce(store) == nil)
        let history = try store.history(of: "tiny")
        #expect(history.map { $0.price?.prompt.rawValue } == [nil, 3, 2, 1])
        #expect(history.map(\.setBy) == ["ann", "gw", "ann", "gw"])
        #expect(history.map(\.at) == history.map(\.at).sorted(by: >))
    }

    @Test func `a file that takes a price away takes it away, and only from models it names`()
        throws
    {
        let fixture = try DirectoryFixture()
        defer { withExtendedLifetime(fixture) {} }
        let store = fixture.store.prices
        let flex = Self.price(4)
        _ = try store.register(
            file: ["tiny": [.usual: Self.price(1), .tier(.flex): flex], "big": [:]])
        _ = try store.register(file: ["big": [:]])
        #expect(try store.current().prices["tiny"]?.count == 2)
        let (_, prices) = try store.register(file: ["tiny": [.usual: Self.price(1)]])
        #expect(prices["tiny"] == [.usual: Self.price(1)])
        #expect(try store.models() == ["big", "tiny"])
        #expect(throws: LedgerError.self) {
            try store.set([.usual: flex], of: "unheard")
        }
    }

    @Test func `prices of sound and the fee of a search come back as they were set`() throws {
        let fixture = try DirectoryFixture()
        defer { withExtendedLifetime(fixture) {} }
        let store = fixture.store.prices
        let sound = Self.price(5).adding(
            audioPrompt: NanoUSD(rawValue: 50), audioCompletion: nil)
        let fee = Price.searchFee(NanoUSD(rawValue: 77), alias: "tiny")
        let (_, prices) = try store.register(
            file: ["tiny": [.usual: sound, .search: fee]])
        #expect(prices["tiny"] == [.usual: sound, .search: fee])
    }
}
