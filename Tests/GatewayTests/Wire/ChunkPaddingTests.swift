import Domain
import JSON
import NIOCore
import Testing

@testable import Gateway

@Suite struct ChunkPaddings {
    private func lengths(_ texts: [String], isPadded: Bool, showsUsage: Bool) -> [Int] {
        var style = AnswerStyle()
        style.hidesLengths = isPadded
        style.showsUsage = showsUsage
        let identity = CompletionIdentity(
            RequestID(rawValue: 1), createdAt: Timestamp(microseconds: 0), model: "m", backend: "b")
        var writer = ServerSentEventWriter(identity, in: style)
        writer.begin(choice: 0)
        _ = writer.take()
        return texts.map { text in
            writer.append(ChoiceDelta(index: 0, content: text))
            return writer.take().readableBytes
        }
    }

    private let texts = (0..<80).map { String(repeating: "x", count: $0) }

    @Test(arguments: [false, true])
    func `chunks that were asked to be padded come in steps of 32 bytes`(showsUsage: Bool) {
        let padded = lengths(texts, isPadded: true, showsUsage: showsUsage)
        let plain = lengths(texts, isPadded: false, showsUsage: showsUsage)
        #expect(Set(plain).count == 80)
        #expect(Set(padded).count <= 4)
        #expect(Set(padded.map { ($0 - padded[0]) % 32 }) == [0])
        // What is added is the member's name and at most a step.
        for (long, short) in zip(padded, plain) { #expect((18...49).contains(long - short)) }
    }

    @Test func `padding is a member of its chunk`() throws {
        var style = AnswerStyle()
        style.hidesLengths = true
        let identity = CompletionIdentity(
            RequestID(rawValue: 1), createdAt: Timestamp(microseconds: 0), model: "m", backend: "b")
        let parser = JSONParser(maximumBytes: 4096, maximumDepth: 8, maximumNodes: 99)
        for text in texts.prefix(40) {
            var writer = ServerSentEventWriter(identity, in: style)
            writer.append(ChoiceDelta(index: 0, content: text))
            let event = String(buffer: writer.take()).split(separator: "\n\n").last ?? ""
            let root = try parser.parse(String(event.dropFirst(6))).root
            let padding = try #require(root["obfuscation"]?.string)
            #expect((1...32).contains(padding.utf8.count))
        }
    }
}
