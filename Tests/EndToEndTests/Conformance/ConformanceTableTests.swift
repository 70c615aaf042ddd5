import Foundation
import Testing

@Suite struct `The README's table of conformance` {
    private let path = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../README.md").standardizedFileURL

    @Test func `is what the conformance tests run`() throws {
        let readme = try String(contentsOf: path, encoding: .utf8)
        let table = ConformanceTable.render(ConformanceSystem.all)
        let right = try #require(ConformanceTable.replaced(in: readme, by: table))
        if ProcessInfo.processInfo.environment["TURNPIKE_WRITE_TABLE"] == "yes" {
            try Data(right.utf8).write(to: path)
        } else {
            #expect(readme == right, "run deploy/test with TURNPIKE_WRITE_TABLE=yes")
        }
    }

    @Test func `lists every system once`() {
        let table = ConformanceTable.render(ConformanceSystem.all)
        for system in ConformanceSystem.all {
            #expect(table.ranges(of: "| \(system.name) |").count == 1)
        }
        #expect(ConformanceSystem.all.count == 6)
        #expect(Set(ConformanceSystem.all.map { $0.word }).count == 6)
    }
}
