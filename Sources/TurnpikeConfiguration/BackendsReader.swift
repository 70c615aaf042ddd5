/// What came of the section `backends`.
struct BackendsFound {
    /// The ones that could be read whole, in the file's order.
    var known: [BackendDescription] = []
    /// Every name that stands there, so that a model is not blamed for a backend's own mistakes.
    var names: Set<String> = []
}

/// Reads the section `backends`.
struct BackendsReader {
    let root: Section
    let folder: String

    /// Reads every backend. `contexts` has the largest context that the models on a backend
    /// promise, the usual size of an engine's slot.
    func read(contexts: [String: Int64]) -> BackendsFound {
        var found = BackendsFound()
        guard root.has("backends", words: "at least one backend"),
            let section = root.section("backends", accepted: nil)
        else { return found }
        if section.names.isEmpty {
            root.list.add(
                line: section.line, key: "backends", "is empty; give at least one backend")
        }
        for name in section.names {
            found.names.insert(name)
            checkName(name, in: section)
            if let kind = kind(of: name, in: section, contextTokens: contexts[name]) {
                found.known.append(
                    BackendDescription(name: name, line: section.line(of: name), kind: kind))
            }
        }
        return found
    }

    /// Whether a text can be the name of a backend or a webhook.
    static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
    }

    private func checkName(_ name: String, in section: Section) {
        guard !Self.isName(name) else { return }
        root.list.add(
            line: section.line(of: name), key: section.full(name),
            "is not accepted as a name; give 1 to 64 letters, digits, \"-\" and \"_\"")
    }

    private func kind(
        of name: String, in section: Section, contextTokens: Int64?
    ) -> BackendDescription.Kind? {
        // Which keys are accepted depends on the kind, so that one is looked at first, without
        // noting anything.
        let silent = ProblemList(file: root.list.file, environment: root.list.environment)
        let open = section.section(name, accepted: nil, notingIn: silent)
        guard let open, let word = open.optional("kind", Self.kindWord) else {
            let keys =
                ConfigurationKeys.localEngine + ConfigurationKeys.openAI
                + ConfigurationKeys.anthropic
            _ = section.section(name, accepted: Array(Set(keys)).sorted())?
                .required("kind", Self.kindWord)
            return nil
        }
        switch word {
        case .localEngine:
            return section.section(name, accepted: ConfigurationKeys.localEngine)
                .flatMap { localEngine($0, contextTokens: contextTokens) }
                .map { .localEngine($0) }
        case .openAI:
            return section.section(name, accepted: ConfigurationKeys.openAI)
                .flatMap(upstream).map { .openAI($0) }
        case .anthropic:
            return section.section(name, accepted: ConfigurationKeys.anthropic)
                .flatMap(anthropic).map { .anthropic($0) }
        }
    }

    private static let kindWord = Accepted<BackendDescription.KindName>.word

    private func localEngine(
        _ section: Section, contextTokens: Int64?
    ) -> EngineDescription? {
        let path = Accepted<String>.path(from: folder)
        let modelFile = section.required("model_file", path)
        let engine = EngineDescription(
            modelFile: modelFile ?? "",
            slots: section.value("slots", .whole(1...256), usual: 4),
            contextTokens: section.value(
                "context_tokens", .whole(64...16_777_216), usual: contextTokens ?? 4096),
            threads: section.optional("threads", .whole(1...1024)),
            command: section.optional("command", path),
            extraArguments: section.values("extra_arguments", .text("an argument"))?
                .map(\.value) ?? [],
            start: section.value("start", .word, usual: .always),
            idleUnload: section.value(
                "idle_unload", .duration(.seconds(1) ... .seconds(86_400)), usual: .seconds(600)),
            memoryMegabytes: section.optional("memory_megabytes", .whole(1...16_777_216)),
            queueLength: section.value("queue_length", .whole(0...65_536), usual: 256),
            queueTimeout: section.value(
                "queue_timeout", .duration(.milliseconds(10) ... .seconds(3600)),
                usual: .seconds(30)))
        return modelFile == nil ? nil : engine
    }

    private func upstream(_ section: Section) -> UpstreamDescription? {
        let url = section.required("base_url", Self.baseURL)
        let upstream = UpstreamDescription(
            baseURL: url ?? "",
            apiKeyVariables: section.oneOrMore("api_key_env", .environmentName),
            server: section.value("server", .word, usual: .openAI),
            maximumTokensField: section.optional("max_tokens_field", .word),
            severalChoices: section.optional("several_choices", .yesOrNo),
            extraParameters: section.values("extra_parameters", .word)?.map(\.value),
            connection: UpstreamConnectionReader(section: section, folder: folder).read(
                baseURL: url))
        if upstream.server == .llamaServer { checkLlamaServer(section) }
        return url == nil ? nil : upstream
    }

    /// It has its own names for everything, so that these keys would say nothing.
    private func checkLlamaServer(_ section: Section) {
        for key in ["max_tokens_field", "several_choices", "extra_parameters"]
        where section.names.contains(key) {
            section.list.add(
                line: section.line(of: key), key: section.full(key),
                "is decided by server: llama_server; leave it out")
        }
    }

    private func anthropic(_ section: Section) -> AnthropicDescription? {
        let url = section.value(
            "base_url", Self.baseURL, usual: "https://api.anthropic.com")
        return AnthropicDescription(
            baseURL: url, apiKeyVariables: section.oneOrMore("api_key_env", .environmentName),
            version: section.value("anthropic_version", Self.version, usual: "2023-06-01"),
            thinking: section.value("thinking", .word, usual: .adaptive),
            budgets: budgets(section),
            takesSampling: section.value("sampling_parameters", .yesOrNo, usual: true),
            connection: UpstreamConnectionReader(section: section, folder: folder).read(
                baseURL: url))
    }

    private static let version = Accepted<String>(words: "a version of the API, such as 2023-06-01")
    { text in
        let isVersion =
            text.utf8.count == 10
            && text.utf8.allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: "-") }
        return isVersion ? text : nil
    }

    private func budgets(_ section: Section) -> AnthropicDescription.Budgets {
        let budgets = section.section(
            "thinking_budgets", accepted: ConfigurationKeys.thinkingBudgets)
        func value(_ key: String, usual: Int64) -> Int64 {
            budgets?.value(key, .whole(1024...1_048_576), usual: usual) ?? usual
        }
        var told = AnthropicDescription.Budgets()
        told.minimal = value("minimal", usual: told.minimal)
        told.low = value("low", usual: told.low)
        told.medium = value("medium", usual: told.medium)
        told.high = value("high", usual: told.high)
        told.xhigh = value("xhigh", usual: told.xhigh)
        told.max = value("max", usual: told.max)
        return told
    }

    /// `http` or `https`, a host, perhaps a port and a path; no user, no query, no fragment, since
    /// a secret in a URL ends up in logs.
    static let baseURL = Accepted<String>(
        words: "an http or https URL without user, query or fragment, "
            + "such as https://api.openai.com/v1"
    ) { text in
        guard let scheme = ["https://", "http://"].first(where: text.lowercased().hasPrefix) else {
            return nil
        }
        let rest = text.dropFirst(scheme.utf8.count)
        let host = rest.prefix { $0 != "/" }
        let isPlain = text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard isPlain, text.utf8.count <= 2048, !host.isEmpty, !host.hasPrefix(":"),
            !rest.contains(where: { "@?#\\\"<>".contains($0) }),
            ListenAddress(String(host)) != nil || ListenAddress("\(host):0") != nil
        else { return nil }
        let trimmed = text.reversed().drop { $0 == "/" }.reversed()
        return String(trimmed)
    }
}
