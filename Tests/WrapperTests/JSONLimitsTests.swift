import JSON
import Testing

@Suite struct JSONParserLimits {
    private func nested(_ depth: Int, _ open: String, _ inside: String, _ close: String) -> [UInt8]
    {
        var text = ""
        for _ in 0..<depth { text += open }
        text += inside
        for _ in 0..<depth { text += close }
        return Array(text.utf8)
    }

    @Test(arguments: [
        ("[", "", "]"), ("[", "1", "]"), ("{\"a\":", "{}", "}"), ("{\"a\":", "1", "}"),
        ("[{\"a\":", "1", "}]"),
    ])
    func `depth is refused one level beyond the limit and no sooner`(
        open: String, inside: String, close: String,
    ) {
        let levels = open == "[{\"a\":" ? 2 : 1
        let extra = inside == "{}" ? 1 : 0
        for repeats in 1...12 {
            let depth = repeats * levels + extra
            let text = nested(repeats, open, inside, close)
            let exact = JSONParser(maximumBytes: 4096, maximumDepth: depth, maximumNodes: 4096)
            #expect(exact.error(text) == nil)
            let less = JSONParser(maximumBytes: 4096, maximumDepth: depth - 1, maximumNodes: 4096)
            #expect(less.error(text) == .tooDeep(limit: depth - 1))
        }
    }

    @Test(arguments: [10_000, 1_000_000])
    func `deep nesting is refused, and where allowed parsed and written, without recursion`(
        depth: Int,
    ) throws {
        let text = nested(depth, "[", "", "]")
        let unclosed = nested(depth, "[", "", "")
        #expect(JSONParser.roomy().error(text) == .tooDeep(limit: 1024))
        #expect(JSONParser.roomy().error(unclosed) == .tooDeep(limit: 1024))
        #expect(
            JSONParser.roomy().error(nested(depth, "{\"a\":", "1", "}")) == .tooDeep(limit: 1024))
        let deep = JSONParser(maximumBytes: 1 << 24, maximumDepth: depth, maximumNodes: depth)
        let document = try deep.parse(text)
        var writer = JSONWriter()
        writer.value(document.root)
        let isSame = writer.bytes == text
        #expect(isSame)
        guard case .notJSON(_, let offset) = deep.error(unclosed) else {
            Issue.record("an unclosed text was not refused for its grammar")
            return
        }
        #expect(offset == depth)
    }

    @Test func `size is refused one byte beyond the limit and no sooner`() {
        let parser = JSONParser(maximumBytes: 10, maximumDepth: 4, maximumNodes: 10)
        #expect(parser.error(Array("[12345678]".utf8)) == nil)
        #expect(parser.error(Array("[123456789]".utf8)) == .tooLarge(limit: 10))
        #expect(parser.error(Array("           ".utf8)) == .tooLarge(limit: 10))
    }

    @Test(arguments: [
        ("1", 1), ("[]", 1), ("[1,2,3]", 4), (#"{"a":1}"#, 3), (#"{"a":[{}]}"#, 4),
        ("[[],[],[[]]]", 5),
        (#"{"a":"b","c":{"d":null}}"#, 7), ("[1.5,-2,true,18446744073709551615]", 5),
    ])
    func `nodes are refused one beyond the limit and no sooner`(text: String, nodes: Int) {
        let exact = JSONParser(maximumBytes: 4096, maximumDepth: 64, maximumNodes: nodes)
        #expect(exact.error(Array(text.utf8)) == nil)
        guard nodes > 1 else { return }
        let less = JSONParser(maximumBytes: 4096, maximumDepth: 64, maximumNodes: nodes - 1)
        #expect(less.error(Array(text.utf8)) == .tooManyNodes(limit: nodes - 1))
    }

    @Test func `a text of far too many nodes is refused before its tape is built`() {
        let parser = JSONParser(maximumBytes: 1 << 22, maximumDepth: 64, maximumNodes: 1000)
        let text = Array(("[" + String(repeating: "1,", count: 1 << 20) + "1]").utf8)
        #expect(parser.error(text) == .tooManyNodes(limit: 1000))
    }

    @Test func `a body of four mebibytes is parsed, and its memory is near its size`() throws {
        let content = String(
            repeating: "The quick brown fox says \\\"naïve\\\".\\n", count: 110_000)
        let text = #"{"model":"m","messages":[{"role":"user","content":"\#(content)"}]}"#
        let parser = JSONParser(maximumBytes: 4_300_000, maximumDepth: 32, maximumNodes: 10_000)
        let document = try parser.parse(text)
        let value = try #require(document["messages"]?[0]?["content"])
        #expect(value.utf8Count == 110_000 * "The quick brown fox says \"naïve\".\n".utf8.count)
        #expect(document.footprint < text.utf8.count + 100_000)
        #expect(try parser.parse("[1]").root[0]?.integer == 1)
        #expect(document["model"]?.string == "m")
    }

    @Test(arguments: [2, 3, 15, 16, 17, 18, 33, 1000])
    func `a name twice is found wherever the two stand`(members: Int) {
        let names = (0..<members).map { "\"key\($0)\":\($0)" }
        #expect(JSONParser.roomy().error(Array("{\(names.joined(separator: ","))}".utf8)) == nil)
        for first in Set([0, members / 2, members - 2]) {
            for second in Set([first + 1, members - 1]) where second > first && second < members {
                var twice = names
                twice[second] = "\"k\\u0065y\(first)\":null"
                let error = JSONParser.roomy().error(
                    Array("{\(twice.joined(separator: ","))}".utf8))
                #expect(error == .duplicateKey("key\(first)"))
            }
        }
    }

    @Test func `names that begin alike or are empty are told apart`() {
        let names = [
            "", "a", "ab", "abc", "abcd", "abcde", "abcdf", "abcd\\u0000", "\\u0000", "a\\u0000",
            "abcdefgh", "abcdefgi",
        ]
        let text = "{" + names.map { "\"\($0)\":1" }.joined(separator: ",") + "}"
        #expect(JSONParser.roomy().error(Array(text.utf8)) == nil)
        for name in names {
            #expect(
                JSONParser.roomy().error(Array((text.dropLast() + ",\"\(name)\":2}").utf8)) != nil)
        }
    }

    // A check of all pairs would take minutes; a pass takes a fraction of a second even
    // unoptimized.
    @Test(.timeLimit(.minutes(1)))
    func `a hundred thousand distinct names are checked in the time of one pass`() throws {
        let names = (0..<100_000).map { "\"k\($0)\":0" }
        let text = Array("{\(names.joined(separator: ","))}".utf8)
        #expect(JSONParser.roomy().error(text) == nil)
        let twice = Array("{\(names.joined(separator: ",")),\"k5\":1}".utf8)
        #expect(JSONParser.roomy().error(twice) == .duplicateKey("k5"))
    }

    @Test func `the path of a repeated name leads to it`() {
        let text = #"{"messages":[{"role":"a"},{"role":"b","content":[{"type":1,"type":2}]}]}"#
        #expect(
            JSONParser.roomy().error(Array(text.utf8))
                == .duplicateKey("messages[1].content[0].type"))
        let wild = #"{"a\nb":{"x":1,"x":2}}"#
        #expect(JSONParser.roomy().error(Array(wild.utf8)) == .duplicateKey("a?b.x"))
        let long = String(repeating: "n", count: 100_000)
        guard
            case .duplicateKey(let path) = JSONParser.roomy().error(
                Array("{\"\(long)\":1,\"\(long)\":2}".utf8))
        else {
            Issue.record("a repeated long name was accepted")
            return
        }
        #expect(path.count == 64)
        var deep = "{\"x\":1,\"x\":2}"
        for _ in 0..<1000 { deep = "{\"level\":\(deep)}" }
        guard case .duplicateKey(let path) = JSONParser.roomy().error(Array(deep.utf8)) else {
            Issue.record("a deep repeated name was accepted")
            return
        }
        #expect(path.utf8.count < 300 && path.hasSuffix("…x"))
    }

    @Test func `the check of names can be turned off, and then the first counts`() throws {
        let parser = JSONParser(
            maximumBytes: 100, maximumDepth: 4, maximumNodes: 100, checkDuplicateKeys: false)
        #expect(try parser.parse(#"{"a":1,"a":2}"#)["a"]?.integer == 1)
    }
}
