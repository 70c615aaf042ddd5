/// The rules between the parameters of a request. A test holds them against the reader.
///
/// Two are left to the reader, since JSON Schema cannot compare two values: `max_tokens` and
/// `max_completion_tokens` may both be given only if they are equal, and the function that
/// `tool_choice` names must be one of those given.
enum RequestRules {
    private typealias Main = RequestParameter.Main
    private typealias Tools = RequestParameter.Tools
    private typealias Sampling = RequestParameter.Sampling
    private typealias Reasoning = RequestParameter.Reasoning

    /// Of the request itself.
    static let request: [ReferenceRule] = streaming + functions + reasoning + speech

    private static let speech: [ReferenceRule] = {
        let (audio, modalities) = (
            RequestParameter.Additions.audio.rawValue,
            RequestParameter.Additions.modalities.rawValue
        )
        let text = RequestDraft.Modality.text.rawValue
        let checks = ["factuality", "toxicity"].map { check in
            ReferenceRule(
                words: "output.\(check) reads text only, so the answer is not spoken.",
                when: [
                    .within(RequestParameter.Safeguards.output.rawValue, .has(check, [true]))
                ],
                then: [.holdsOnly(modalities, text)])
        }
        return checks + [
            ReferenceRule(
                words: "A spoken answer has a voice and a format.",
                when: [.holdsMore(modalities, than: text)], then: [.given(audio)]),
            ReferenceRule(
                words: "audio is only allowed when modalities holds audio.",
                when: [.given(audio)], then: [.holdsMore(modalities, than: text)]),
            ReferenceRule(
                words: "A stream of sound has the one format that comes piece by piece.",
                when: [.given(audio), .has(Main.stream.rawValue, [true])],
                then: [
                    .within(
                        audio, .has("format", [.string(SpokenAnswer.streamed.rawValue)]))
                ]),
        ]
    }()

    private static let streaming: [ReferenceRule] =
        [
            ReferenceRule(
                words: "stream_options is only allowed when stream is true.",
                when: [.given(Main.streamOptions.rawValue)],
                then: [.has(Main.stream.rawValue, [true])]),
            ReferenceRule(
                words: "top_logprobs is only allowed when logprobs is true.",
                when: [.given(Sampling.topLogprobs.rawValue)],
                then: [.has(Sampling.logprobs.rawValue, [true])]),
        ]
        + ["factuality", "toxicity"].map { check in
            ReferenceRule(
                words: "output.\(check) looks at a whole answer, so stream must be false.",
                when: [
                    .within(
                        RequestParameter.Safeguards.output.rawValue, .has(check, [true]))
                ],
                then: [.hasNone(Main.stream.rawValue, [true])])
        }

    private static let functions: [ReferenceRule] =
        [
            ReferenceRule(
                words: "functions and tools are not given both.",
                when: [.filled(Tools.functions.rawValue)], then: [.empty(Tools.tools.rawValue)]),
            ReferenceRule(
                words: "function_call and tool_choice are not given both.",
                when: [.given(Tools.functionCall.rawValue)],
                then: [.absent(Tools.toolChoice.rawValue)]),
        ]
        + [Tools.toolChoice.rawValue, Tools.functionCall.rawValue].map { choice in
            ReferenceRule(
                words: "\(choice) is only allowed when functions are given.",
                oneOf: [
                    .hasOnly(choice, ["none"]), .filled(Tools.tools.rawValue),
                    .filled(Tools.functions.rawValue),
                ])
        }

    /// The switches of reasoning stand outside or in the template's variables, and do not contradict
    /// each other.
    private static let reasoning: [ReferenceRule] = {
        let (thinking, effort) = (
            Reasoning.enableThinking.rawValue, Reasoning.reasoningEffort.rawValue
        )
        let inside = Reasoning.chatTemplateKwargs.rawValue
        func rule(
            _ when: ReferenceRule.Condition, _ then: ReferenceRule.Condition...
        ) -> ReferenceRule {
            ReferenceRule(
                words: "The switches of reasoning do not contradict each other.", when: [when],
                then: then)
        }
        let offs = [ReferenceValue.string(ReasoningOptions.Effort.none.rawValue)]
        return [true, false].map { isOn in
            rule(
                .has(thinking, [.bool(isOn)]),
                .within(inside, .hasNone(thinking, [.bool(!isOn)])))
        }
            + ReasoningOptions.Effort.allCases.map { level in
                rule(
                    .has(effort, [.string(level.rawValue)]),
                    .within(inside, .hasOnly(effort, [.string(level.rawValue)])))
            }
            + [.has(effort, offs), .within(inside, .has(effort, offs))].flatMap { off in
                [
                    rule(off, .hasNone(thinking, [true])),
                    rule(off, .within(inside, .hasNone(thinking, [true]))),
                ]
            }
    }()

    /// Of a message.
    static let message: [ReferenceRule] = {
        func others(than role: ChatMessage.Role) -> ReferenceRule.Condition {
            .hasNone("role", [.string(role.rawValue)])
        }
        func only(_ role: ChatMessage.Role) -> ReferenceRule.Condition {
            .has("role", [.string(role.rawValue)])
        }
        return [
            ReferenceRule(
                words: "A tool message says which call it answers.", when: [only(.tool)],
                then: [.filled("tool_call_id")]),
            ReferenceRule(
                words: "Only a tool message answers a call.", when: [others(than: .tool)],
                then: [.empty("tool_call_id")]),
            ReferenceRule(
                words: "A function message names its function.", when: [only(.function)],
                then: [.given("name")]),
            ReferenceRule(
                words: "Only an assistant calls functions, reasons and refuses.",
                when: [others(than: .assistant)],
                then: [
                    .empty("tool_calls"), .absent("function_call"), .empty("audio"),
                    .empty("reasoning_content"),
                    .empty("reasoning"), .absent("channel"),
                    .hasNoPart("content", types: ["refusal"]),
                ]),
            ReferenceRule(
                words: "Only a user shows images, recordings, videos and files.",
                when: [others(than: .user)],
                then: [
                    .hasNoPart(
                        "content",
                        types: ["image_url", "input_audio", "audio_content", "video_url", "file"])
                ]),
            ReferenceRule(
                words: "tool_calls and function_call are not given both.",
                when: [.given("function_call")], then: [.empty("tool_calls")]),
            ReferenceRule(
                words: "A message without content has calls, a refusal or sound.",
                oneOf: [
                    .given("content"), .filled("audio"), .filled("tool_calls"),
                    .given("function_call"),
                    .filled("refusal"),
                ]),
        ]
    }()

    /// Of a file in a message.
    static let file: [ReferenceRule] = [
        ReferenceRule(
            words: "A file is here or at the upstream.",
            oneOf: [.given("file_data"), .given("file_id")]),
        ReferenceRule(
            words: "file_id and file_data are not given both.", when: [.given("file_id")],
            then: [.absent("file_data")]),
    ]

    /// Of the checks of what goes in.
    static let input: [ReferenceRule] = [
        ReferenceRule(
            words: "pii_replace_method is only allowed when pii is replace.",
            when: [.given("pii_replace_method")],
            then: [
                .has(
                    "pii", [.string(RequestDraft.PersonalDataMode.replace.rawValue)])
            ])
    ]

    /// The pattern of the decimal numbers from 0 to `most`, without zeros before them.
    static func digits(upTo most: Int64) -> String {
        let digits = String(most)
        var forms = ["0", "[1-9][0-9]{0,\(digits.count - 2)}"]
        var before = ""
        for (place, digit) in digits.enumerated() {
            let rest = digits.count - place - 1
            let least = place == 0 ? 1 : 0
            if let value = digit.wholeNumberValue, value > least {
                forms.append("\(before)[\(least)-\(value - 1)][0-9]{\(rest)}")
            }
            before.append(digit)
        }
        return "^(\((forms + [digits]).joined(separator: "|")))$"
    }
}
