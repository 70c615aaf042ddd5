import Testing

@testable import Gateway

@Suite struct EventStreams {
    private func events(_ pieces: [[UInt8]]) throws -> [String] {
        var parser = EventStreamParser()
        var events: [String] = []
        for piece in pieces {
            try parser.consume(piece) { data in
                events.append(String(decoding: data, as: UTF8.self))
            }
        }
        return events
    }

    private static let streams: [(String, [String])] = [
        ("data: one\n\ndata: two\n\n", ["one", "two"]),
        ("data:one\r\n\r\ndata:  two\r\rdata: three\n\r\n", ["one", " two", "three"]),
        ("\u{FEFF}data: marked\n\n", ["marked"]),
        (": comment\nevent: x\nid: 1\nretry: 5\ndata: a\ndata: b\ndata\n\n", ["a\nb\n"]),
        ("data\n\ndata:\n\n\n\n", ["", ""]),
        ("datax: no\n data: no\ndat: no\n\n", []),
        ("data: unfinished\n", []),
        ("data: {\"a\":\"ä€😀\"}\n\n: ping\n\ndata: [DONE]\n\n", ["{\"a\":\"ä€😀\"}", "[DONE]"]),
    ]

    @Test(arguments: streams)
    func `a stream gives the same events wherever its bytes are split`(
        text: String, expected: [String]
    ) throws {
        let bytes = Array(text.utf8)
        #expect(try events([bytes]) == expected)
        #expect(try events(bytes.map { [$0] }) == expected)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let pieces = [
                    Array(bytes[..<first]), Array(bytes[first..<second]), Array(bytes[second...]),
                ]
                #expect(try events(pieces) == expected, "split at \(first) and \(second)")
            }
        }
    }

    @Test func `an event of a whole mebibyte passes and one byte more is malformed`() throws {
        let most = EventStreamParser.maximumEventBytes
        let fitting = Array("data:".utf8) + Array(repeating: 120, count: most) + [10, 10]
        #expect(try events([fitting])[0].utf8.count == most)
        let larger = Array("data:".utf8) + Array(repeating: 120, count: most + 1) + [10, 10]
        #expect(throws: BackendFailure.self) { try events([larger]) }
    }

    @Test func `many small lines of one event cannot grow beyond the bound`() {
        let line = Array("data: 0123456789\n".utf8)
        #expect(throws: BackendFailure.self) {
            try events(Array(repeating: line, count: EventStreamParser.maximumEventBytes / 10))
        }
    }

    @Test func `a line that never ends is malformed once it is larger than an event may be`() {
        let piece = [UInt8](repeating: 58, count: 64 * 1024)
        #expect(throws: BackendFailure.self) { try events(Array(repeating: piece, count: 17)) }
    }
}
