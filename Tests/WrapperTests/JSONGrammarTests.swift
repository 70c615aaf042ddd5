import Testing

@testable import JSON

/// What a text that is refused is refused for.
enum JSONRefusal: Sendable { case grammar, utf8, empty, range, duplicate }

@Suite struct JSONGrammar {
    @Test(arguments: JSONGrammarTables.accepted)
    func `valid text is accepted and written again in one form`(text: String, canonical: String)
        throws
    {
        let document = try JSONParser.roomy().parse(text)
        var writer = JSONWriter()
        writer.value(document.root)
        #expect(String(decoding: writer.finish(), as: UTF8.self) == canonical)
    }

    @Test(arguments: JSONGrammarTables.refused)
    func `text outside of the grammar is refused for the right reason`(
        bytes: [UInt8], reason: JSONRefusal,
    ) throws {
        let error = try #require(
            JSONParser.roomy().error(bytes), "accepted: \(String(decoding: bytes, as: UTF8.self))")
        switch (reason, error) {
        case (.grammar, .notJSON(let what, let offset)):
            #expect(!what.isEmpty)
            #expect(try (0...bytes.count).contains(#require(offset)))
        case (.utf8, .invalidUTF8), (.empty, .empty), (.range, .numberOutOfRange),
            (.duplicate, .duplicateKey):
            break
        default:
            Issue.record("refused with \(error), expected \(reason)")
        }
    }

    @Test(arguments: [
        (#"{"a":1,}"#, 7), (#"[1 2]"#, 3), (#"{"a" 1}"#, 5), (#"{"a":01}"#, 5), ("[1,\n  x]", 6),
        ("{}{}", 2),
        (#"["ab\q"]"#, 4), ("[\"a\u{1}\"]", 3), ("[\"a", 3), ("[", 1), (#"["\ud800"]"#, 2),
        ("[-]", 2),
        ("\u{FEFF}[1 2]", 6), (#"{"a":1]"#, 6), ("{1:2}", 1), ("nul", 0),
    ])
    func `the offset of a fault points at the byte that is wrong`(text: String, offset: Int) {
        guard case .notJSON(_, let found) = JSONParser.roomy().error(Array(text.utf8)) else {
            Issue.record("no fault in \(text)")
            return
        }
        #expect(found == offset)
    }

    @Test(
        arguments: [
            (#"{"a":1,"n":99999999999999999999}"#, "n", true, false),
            (#"{"n":-99999999999999999999}"#, "n", true, true),
            (#"{"n":1e999}"#, "n", false, false),
            (#"{"n" : -1e999 }"#, "n", false, true), ("1e999", nil, false, false),
            (#"{"n":[1e999]}"#, nil, false, false), (#"{"n":{"m":1e999}}"#, nil, false, false),
            (#"[{"n":1e999}]"#, nil, false, false),
            (#"{"n":{"m":1},"k":1e999}"#, "k", false, false),
        ] as [(String, String?, Bool, Bool)])
    func `a number that does not fit is told by the member that it is`(
        text: String, member: String?, isWhole: Bool, isNegative: Bool,
    ) {
        #expect(
            JSONParser.roomy().error(Array(text.utf8))
                == .numberOutOfRange(
                    JSONNumberFault(member: member, isWhole: isWhole, isNegative: isNegative)))
    }

    @Test func `the description of every error is one safe sentence`() {
        let errors: [JSONError] = [
            .notJSON("a colon is expected", offset: 3), .notJSON("x", offset: nil),
            .tooDeep(limit: 2),
            .tooLarge(limit: 3), .tooManyNodes(limit: 4), .invalidUTF8, .duplicateKey("a.b"),
            .empty,
            .numberOutOfRange(JSONNumberFault(member: nil, isWhole: true, isNegative: false)),
        ]
        #expect(Set(errors.map(\.description)).count == errors.count)
        #expect(errors[0].description == "not valid JSON: a colon is expected at byte 3")
    }
}
