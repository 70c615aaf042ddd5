import JSON
import Testing

@Suite struct JSONValueReading {
    @Test func `a stream chunk is read by name and position`() throws {
        let document = try JSONParser.roomy().parse(
            #"{"id":"c1","choices":[{"delta":{"content":"Hi \u00e9\n"},"finish_reason":null}]}"#
        )
        let choice = try #require(document["choices"]?[0])
        #expect(choice["delta"]?["content"]?.string == "Hi é\n")
        #expect(choice["finish_reason"]?.isNull == true)
        #expect(choice["missing"] == nil)
        #expect(document["choices"]?[1] == nil)
        #expect(document["choices"]?[-1] == nil)
        #expect(document["id"]?["x"] == nil)
        #expect(document["id"]?[0] == nil)
        #expect(document["id"]?.isString("c1") == true)
        #expect(document["id"]?.isString("c12") == false)
        #expect(document.root.isString("c1") == false)
    }

    @Test func `each kind answers only for itself`() throws {
        let root = try JSONParser.roomy().parse(
            #"[{"a":1},[1,2],"s",7,18446744073709551615,1.5,true,false,null]"#
        ).root
        let kinds: [JSONValue.Kind] = [
            .object, .array, .string, .integer, .unsigned, .double, .bool, .bool, .null,
        ]
        #expect(root.elements.map(\.kind) == kinds)
        #expect(root.elements.map(\.count) == [1, 2, 0, 0, 0, 0, 0, 0, 0])
        #expect(root.elements.map(\.string) == [nil, nil, "s", nil, nil, nil, nil, nil, nil])
        #expect(root.elements.map(\.integer) == [nil, nil, nil, 7, nil, nil, nil, nil, nil])
        #expect(root.elements.map(\.unsigned) == [nil, nil, nil, 7, .max, nil, nil, nil, nil])
        #expect(root.elements.map(\.bool) == [nil, nil, nil, nil, nil, nil, true, false, nil])
        #expect(root.elements.map(\.isNull) == kinds.map { $0 == .null })
        #expect(root.elements.map(\.double) == [nil, nil, nil, 7, 0x1p64, 1.5, nil, nil, nil])
        #expect(root.elements.map { Array($0.elements).count } == [0, 2, 0, 0, 0, 0, 0, 0, 0])
        #expect(root.elements.map { Array($0.members).count } == [1, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(
            root.elements.map { $0.withUTF8 { $0.count } } == [
                nil, nil, 1, nil, nil, nil, nil, nil, nil,
            ])
    }

    @Test(
        arguments: [
            ("3", Int64(3), Int64(3)), ("3.0", nil, 3), ("3.5", nil, nil), ("1e3", nil, 1000),
            ("-0.0", nil, 0),
            ("9007199254740992.0", nil, 9_007_199_254_740_992), ("9007199254740994.0", nil, nil),
            ("-9007199254740992.0", nil, -9_007_199_254_740_992), ("1e308", nil, nil),
            ("5e-324", nil, nil),
            ("9223372036854775807", .max, .max), ("-9223372036854775808", .min, .min),
            ("18446744073709551615", nil, nil), ("\"3\"", nil, nil), ("true", nil, nil),
            ("[]", nil, nil),
        ] as [(String, Int64?, Int64?)])
    func `an integer is a token, an exact integer is a number`(
        text: String, integer: Int64?, exact: Int64?,
    ) throws {
        let root = try JSONParser.roomy().parse(text).root
        #expect(root.integer == integer)
        #expect(root.exactInteger == exact)
    }

    @Test func `members come in the order of the text with unescaped names`() throws {
        let root = try JSONParser.roomy().parse(
            #"{"z":1,"\u0061":[{}],"":"x","a long name of more than 15 bytes":2}"#
        ).root
        #expect(root.members.map(\.key) == ["z", "a", "", "a long name of more than 15 bytes"])
        #expect(root.members.map(\.value.kind) == [.integer, .array, .string, .integer])
        #expect(root.count == 4)
        #expect(root["a"]?.kind == .array)
        #expect(root[""]?.string == "x")
        #expect(root["a long name of more than 15 bytes"]?.integer == 2)
    }

    @Test func `bytes of a string are lent without a copy`() throws {
        let root = try JSONParser.roomy().parse(#"["h\u00e9\ud83d\ude00"]"#).root
        let value = try #require(root[0])
        let bytes = value.withUTF8 { span in (0..<span.count).map { span[$0] } }
        #expect(bytes == Array("hé😀".utf8))
        var appended = Array("> ".utf8)
        value.appendUTF8(to: &appended)
        root.appendUTF8(to: &appended)
        #expect(appended == Array("> hé😀".utf8))
    }

    @Test func `a document outlives the next parse and its parser`() throws {
        var parser: JSONParser? = JSONParser.roomy()
        let first = try #require(try parser?.parse(#"{"a":"first"}"#))
        let value = try #require(first["a"])
        for round in 0..<100 {
            let other = try #require(try parser?.parse(#"{"a":"round \#(round)"}"#))
            #expect(other["a"]?.string == "round \(round)")
        }
        parser = nil
        #expect(value.string == "first")
        #expect(first["a"]?.string == "first")
    }

    @Test func `a value alone keeps its document whole`() throws {
        let parser = JSONParser.roomy()
        let values = try (0..<50).map {
            try #require(try parser.parse("[\"value \($0)\"]").root[0])
        }
        #expect(values.map(\.string) == (0..<50).map { "value \($0)" })
    }

    @Test func `a failed parse leaves the parser and earlier documents usable`() throws {
        let parser = JSONParser.roomy()
        let kept = try parser.parse("[1]")
        for bad in ["[", "", "[1e309]", #"{"a":1,"a":1}"#, "[\"\\ud800\"]"] {
            #expect(throws: JSONError.self) { try parser.parse(bad) }
        }
        #expect(try parser.parse("[2]").root[0]?.integer == 2)
        #expect(kept.root[0]?.integer == 1)
    }

    @Test func `a document crosses tasks`() async throws {
        let document = try JSONParser.roomy().parse(#"{"a":[1,2,3]}"#)
        let sums = await withTaskGroup(of: Int64.self) { group in
            for _ in 0..<8 {
                group.addTask { document["a"]?.elements.reduce(0) { $0 + ($1.integer ?? 0) } ?? 0 }
            }
            return await group.reduce(0, +)
        }
        #expect(sums == 48)
    }

    @Test func `documents read elsewhere while the parser goes on keep their own text`()
        async throws
    {
        let parser = JSONParser.roomy()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for round in 0..<2_000 {
                let document = try parser.parse(#"{"round":\#(round),"text":"text \#(round)"}"#)
                group.addTask {
                    document["round"]?.integer == Int64(round)
                        && document["text"]?.string == "text \(round)"
                }
                if round % 4 == 3 {
                    for _ in 0..<3 { #expect(try await group.next() == true) }
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }

    @Test func `a slice and a range are parsed as if they stood alone`() throws {
        let parser = JSONParser.roomy()
        let line = Array("data: {\"a\":1}\n\n".utf8)
        #expect(try parser.parse(line[6..<13])["a"]?.integer == 1)
        #expect(try parser.parse(line, in: 6..<13)["a"]?.integer == 1)
        #expect(try parser.parse(line.span.extracting(6..<13))["a"]?.integer == 1)
        #expect(parser.error(Array(line[6..<12])) != nil)
        #expect(throws: JSONError.empty) { try parser.parse(line[6..<6]) }
        let bare = try line.withUnsafeBytes {
            try parser.parse(UnsafeRawBufferPointer(rebasing: $0[6..<13]))
        }
        #expect(bare["a"]?.integer == 1)
        #expect(throws: JSONError.empty) {
            try parser.parse(UnsafeRawBufferPointer(start: nil, count: 0))
        }
    }

    @Test func `a digit after the end of a slice does not lengthen its number`() throws {
        let parser = JSONParser.roomy()
        let digits = Array("1234567890".utf8)
        for length in 1...10 {
            #expect(
                try parser.parse(digits[..<length]).root.integer
                    == Int64("1234567890".prefix(length)))
        }
    }
}
