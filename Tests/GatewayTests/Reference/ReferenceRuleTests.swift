import JSON
import TestSupport
import Testing

@testable import Gateway

/// The rules between members that the reference tells, and those that the reader keeps.
@Suite struct ReferenceRules {
    private let parser = JSONParser(
        maximumBytes: 1 << 20, maximumDepth: 64, maximumNodes: 100_000)

    /// What a member may be: each by itself is as its schema says. The first is none.
    private typealias Pool = [(name: String, values: [String])]

    private static let request: Pool = [
        ("stream", ["false", "true", "null"]),
        ("stream_options", ["null", "{}", #"{"include_usage":true}"#]),
        ("logprobs", ["true", "false", "null"]), ("top_logprobs", ["0", "null", "3"]),
        ("output", ["null", "{}", #"{"factuality":true}"#, #"{"toxicity":true}"#]),
        (
            "tools",
            [
                "null", "[]", #"[{"type":"function","function":{"name":"f"}}]"#,
                #"[{"type":"custom","custom":{"name":"g"}},{"type":"function","function":{"name":"f"}}]"#,
            ]
        ),
        ("functions", ["null", "[]", #"[{"name":"f"}]"#]),
        (
            "tool_choice",
            [
                "null", #""none""#, #""auto""#, #""required""#,
                #"{"type":"function","function":{"name":"f"}}"#,
                #"{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}}"#,
            ]
        ),
        ("function_call", ["null", #""none""#, #""auto""#, #"{"name":"f"}"#]),
        (
            "modalities",
            ["null", #"["text"]"#, #"["audio"]"#, #"["text","audio"]"#, #"["text","text"]"#]
        ),
        (
            "audio",
            [
                "null", #"{"voice":"alloy","format":"wav"}"#,
                #"{"voice":{"id":"v"},"format":"pcm16"}"#,
            ]
        ),
        ("enable_thinking", ["null", "true", "false"]),
        (
            "reasoning_effort",
            ["null"] + ReasoningOptions.Effort.allCases.map { "\"\($0.rawValue)\"" }
        ),
        (
            "chat_template_kwargs",
            [
                "null", "{}", #"{"enable_thinking":true}"#, #"{"enable_thinking":false}"#,
                #"{"reasoning_effort":"none"}"#, #"{"reasoning_effort":"low"}"#,
                #"{"reasoning_effort":"none","enable_thinking":true}"#,
                #"{"enable_thinking":null,"reasoning_effort":null,"other":1}"#,
            ]
        ),
    ]

    private static let recording = Recordings.base64(Recordings.wav())

    private static let message: Pool = [
        (
            "role",
            ["system", "developer", "user", "assistant", "tool", "function"].map { "\"\($0)\"" }
        ),
        (
            "content",
            [
                "null", #""""#, #""text""#, #"[{"type":"text","text":""}]"#,
                #"[{"type":"refusal","refusal":"no"}]"#,
                #"[{"type":"text","text":"see"},{"type":"image_url","image_url":"data:image/png;base64,AA=="}]"#,
                #"[{"type":"input_audio","input_audio":{"data":"\#(recording)","format":"wav"}}]"#,
                #"[{"type":"audio_content","audio_content":{"content":"\#(recording)"}}]"#,
                #"[{"type":"video_url","video_url":"data:video/mp4;base64,AA=="}]"#,
                #"[{"type":"file","file":{"file_id":"f"}}]"#,
            ]
        ),
        ("name", ["null", #""""#, #""f""#]), ("tool_call_id", ["null", #""""#, #""call""#]),
        (
            "tool_calls",
            [
                "null", "[]",
                #"[{"id":"call","type":"function","function":{"name":"f","arguments":"{}"}}]"#,
            ]
        ),
        ("function_call", ["null", #"{"name":"f","arguments":"{}"}"#]),
        ("reasoning_content", ["null", #""""#, #""so""#]),
        ("reasoning", ["null", #""""#, #""so""#]),
        ("refusal", ["null", #""""#, #""no""#]), ("channel", ["null", #""final""#]),
        ("audio", ["null", "{}", #"{"id":"a"}"#]),
    ]

    private static let input: Pool = [
        ("pii", ["null", #""block""#, #""replace""#]),
        ("pii_replace_method", ["null", #""mask""#]), ("entity_list", ["null", "[]"]),
        ("block_prompt_injection", ["null", "false"]),
    ]

    private static let file: Pool = [
        ("filename", ["null", #""a""#]), ("file_data", ["null", #""AAAA""#]),
        ("file_id", ["null", #""f""#]),
    ]

    /// An object of some members of a pool; those that are needed are there.
    private func object(
        _ pool: Pool, needing needed: [String], _ random: inout SplitMix
    ) -> String {
        var members: [String] = []
        // Of many members nearly every object breaks a rule, so most have a few.
        let chance = 1 + random.below(UInt64(pool.count))
        for (name, values) in pool
        where needed.contains(name) || random.below(UInt64(pool.count)) < chance {
            members.append("\"\(name)\":\(values[Int(random.below(UInt64(values.count)))])")
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    private func parse(_ text: String) throws -> JSONValue {
        try JSONParser(maximumBytes: 1 << 20, maximumDepth: 64, maximumNodes: 100_000)
            .parse(text).root
    }

    private func rules(_ rules: [ReferenceRule]) throws -> JSONValue {
        var writer = JSONWriter(capacity: 1 << 14)
        ReferenceValue.array(rules.map(\.json)).write(to: &writer)
        return try parse(String(decoding: writer.finish(), as: UTF8.self))
    }

    /// Compares what the rules say of objects with what the reader says of bodies around them.
    private func compare(
        _ pool: Pool, needing needed: [String] = [], _ told: [ReferenceRule], seed: UInt64,
        body: (String) -> String
    ) throws {
        var random = SplitMix(seed: seed)
        let rules = try rules(told)
        var counts = [true: 0, false: 0]
        var broken: Set<Int> = []
        for _ in 0..<4000 {
            let object = object(pool, needing: needed, &random)
            let value = try parse(object)
            let kept = rules.elements.map { RuleEvaluation.holds(value, $0) }
            for (index, isKept) in kept.enumerated() where !isKept { broken.insert(index) }
            let isTold = kept.allSatisfy(\.self)
            var fault: RequestFault?
            do {
                _ = try readRequest(body: body(object))
            } catch let thrown as RequestFault {
                fault = thrown
            }
            counts[fault == nil, default: 0] += 1
            guard (fault == nil) != isTold else { continue }
            Issue.record("\(object): \(fault?.message ?? "taken"), told otherwise")
            return
        }
        #expect(counts.values.allSatisfy { $0 > 150 }, "\(counts)")
        #expect(broken == Set(told.indices), "rules that nothing broke")
    }

    @Test func `a request follows the rules exactly when the reader takes it`() throws {
        try compare(Self.request, RequestRules.request, seed: 1) { object in
            #"{"model":"m","messages":"hi""# + (object == "{}" ? "" : ",") + object.dropFirst()
        }
    }

    @Test func `a message follows the rules exactly when the reader takes it`() throws {
        try compare(Self.message, needing: ["role"], RequestRules.message, seed: 2) { object in
            #"{"model":"m","messages":[\#(object)]}"#
        }
    }

    @Test func `a file follows its rules exactly when the reader takes it`() throws {
        try compare(Self.file, RequestRules.file, seed: 4) { file in
            #"{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":\#(file)}]}]}"#
        }
    }

    @Test func `the checks of what goes in follow theirs`() throws {
        try compare(Self.input, RequestRules.input, seed: 3) { object in
            #"{"model":"m","messages":"hi","input":\#(object)}"#
        }
    }

    @Test(arguments: [9, 10, 99, 2_147_483_647, 1_000_000])
    func `a pattern of numbers takes those up to its end, and no other text`(most: Int64) throws {
        let pattern = try Regex(RequestRules.digits(upTo: most))
        for number in [0, 1, most / 2, most - 1, most] {
            #expect(String(number).wholeMatch(of: pattern) != nil, "\(number)")
        }
        for text in ["", "-1", "00", "01", "1a", "\(most + 1)", "\(most)0", "\(most * 2)"] {
            #expect(text.wholeMatch(of: pattern) == nil, "\(text)")
        }
    }
}
