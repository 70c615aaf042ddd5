import Domain

/// Reads the section `models`.
struct ModelsReader {
    let root: Section
    private let section: Section?

    init(root: Section) {
        self.root = root
        section =
            root.has("models", words: "at least one model alias")
            ? root.section("models", accepted: nil) : nil
    }

    /// For each backend the largest context that a model on it promises, as far as it can be read
    /// yet. Looked at before the backends, so what is wrong here is noted later and once.
    var largestContexts: [String: Int64] {
        var contexts: [String: Int64] = [:]
        let silent = ProblemList(file: root.list.file, environment: root.list.environment)
        for name in section?.names ?? [] {
            guard let model = section?.section(name, accepted: nil, notingIn: silent),
                let tokens = model.optional("context_tokens", Self.tokens)
            else { continue }
            let shadow = model.section("shadow", accepted: nil, notingIn: silent)?
                .optional("backend", TargetsReader.name)
            let targets = TargetsReader(section: model).read().map(\.target.backend)
            for name in targets + [shadow].compactMap(\.self) {
                contexts[name] = max(contexts[name] ?? 0, tokens)
            }
        }
        return contexts
    }

    /// Reads every alias.
    func read(backends: BackendsFound) -> [ModelRoute] {
        guard let section else { return [] }
        if section.names.isEmpty {
            root.list.add(line: section.line, key: "models", "is empty; give at least one model")
        }
        return section.names.compactMap { alias in
            checkAlias(alias, in: section)
            return section.section(alias, accepted: ConfigurationKeys.model)
                .flatMap { route(alias, $0, backends) }
        }
    }

    private func checkAlias(_ alias: String, in section: Section) {
        let isGood =
            (1...128).contains(alias.utf8.count)
            && alias.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || "-_.:/@".utf8.contains(byte)
            }
        guard !isGood else { return }
        root.list.add(
            line: section.line(of: alias), key: section.full(alias),
            "is not accepted as a name; give 1 to 128 letters, digits and -_.:/@")
    }

    private func route(
        _ alias: String, _ section: Section, _ backends: BackendsFound
    ) -> ModelRoute? {
        let targets = targets(section, backends)
        let names = targets.map(\.backend)
        let upstreamModel = section.value(
            "upstream_model", .text("the name the backend knows the model by"), usual: alias)
        let context = section.required("context_tokens", Self.tokens)
        let completion = section.required("max_completion_tokens", Self.tokens)
        let price = section.section("price", accepted: ConfigurationKeys.price)
            .flatMap { readPrice($0, alias: alias) }
        guard let context, let completion, !names.isEmpty else { return nil }
        if completion > context {
            root.list.add(
                line: section.line(of: "max_completion_tokens"),
                key: section.full("max_completion_tokens"),
                "\"\(completion)\" is more than context_tokens; give at most \(context)")
        }
        let shadow = shadow(section, backends)
        checkSlots(
            names + [shadow?.target.backend].compactMap(\.self), context: context, section,
            backends)
        var route = ModelRoute(
            alias: alias, backends: names, upstreamModel: upstreamModel, contextTokens: context,
            maximumCompletionTokens: completion,
            imageTokens: section.optional("image_tokens", .whole(1...1_048_576)), price: price)
        route.targets = targets
        route.shadow = shadow
        route.media = media(section)
        route.tiers = tiers(section, alias: alias)
        route.overhead = overhead(section)
        route.isRetired = section.value("retired", .yesOrNo, usual: false)
        route.maximumTemperatureThousandths = maximumTemperature(section, of: names, backends)
        route.speech = speech(section, alias: alias, price)
        route.search = search(section, isPriced: price != nil)
        return route
    }

    private func targets(_ section: Section, _ backends: BackendsFound) -> [RouteTarget] {
        guard section.has("backends", words: "a list of names from the section backends") else {
            return []
        }
        let before = root.list.problems.count
        let found = TargetsReader(section: section).read()
        if found.isEmpty, root.list.problems.count == before {
            root.list.add(
                line: section.line(of: "backends"), key: section.full("backends"),
                "is empty; give at least one name from the section backends")
        }
        var seen: Set<String> = []
        for (index, entry) in found.enumerated() {
            let (name, line) = (entry.target.backend, entry.line)
            let key = "\(section.full("backends"))[\(index)]"
            if !check(name, backends, line: line, key: key) {
                continue
            } else if !seen.insert(name).inserted {
                root.list.add(line: line, key: key, "\"\(name)\" appears twice; give it once")
            }
        }
        return found.map(\.target)
    }

    /// Notes a name that is no backend's; false for one.
    private func check(_ name: String, _ backends: BackendsFound, line: Int, key: String) -> Bool {
        if backends.names.contains(name) { return true }
        let known = backends.names.sorted()
        let guess = EditDistance.nearest(to: name, in: known)
        root.list.add(
            line: line, key: key,
            "\"\(name)\" is no backend; "
                + (guess.map { "did you mean \"\($0)\"? " } ?? "")
                + "there are: \(known.joined(separator: ", "))")
        return false
    }

    /// Who gets copies of the model's requests.
    private func shadow(_ model: Section, _ backends: BackendsFound) -> RouteShadow? {
        guard let section = model.section("shadow", accepted: ConfigurationKeys.shadow),
            let name = section.required("backend", TargetsReader.name),
            let percent = section.required("percent", .whole(0...100)),
            check(
                name, backends, line: section.line(of: "backend"), key: section.full("backend"))
        else { return nil }
        return RouteShadow(
            target: RouteTarget(
                backend: name, weight: nil,
                upstreamModel: section.optional(
                    "upstream_model", .text("the name this backend knows the model by"))),
            percent: percent)
    }

    /// A prompt that the alias allows must fit the engine's slot.
    private func checkSlots(
        _ names: [String], context: Int64, _ section: Section, _ backends: BackendsFound
    ) {
        for backend in backends.known where names.contains(backend.name) {
            guard case .localEngine(let engine) = backend.kind, engine.contextTokens < context
            else {
                continue
            }
            root.list.add(
                line: section.line(of: "context_tokens"), key: section.full("context_tokens"),
                "\"\(context)\" is more than a slot of \(backend.name) has; give at most "
                    + "\(engine.contextTokens), or raise backends.\(backend.name).context_tokens")
        }
    }

    /// The highest temperature that the model takes, in thousandths. Anthropic's API knows none above
    /// 1: unless the file says more, a model that it may answer takes no more, so that what is
    /// accepted does not change when another backend is away.
    private func maximumTemperature(
        _ section: Section, of names: [String], _ backends: BackendsFound
    ) -> Int64 {
        let kinds = backends.known.filter { names.contains($0.name) }.map(\.kind)
        let areAnthropic = kinds.map { if case .anthropic = $0 { true } else { false } }
        let usual =
            areAnthropic.contains(true)
            ? Self.anthropicTemperature : ModelRoute.usualMaximumTemperature
        let most = section.value("max_temperature", .temperature, usual: usual)
        if most > Self.anthropicTemperature, areAnthropic.allSatisfy(\.self), !kinds.isEmpty,
            kinds.count == names.count
        {
            root.list.add(
                line: section.line(of: "max_temperature"), key: section.full("max_temperature"),
                "is more than any of the model's backends takes; give at most 1")
        }
        return most
    }

    private static let anthropicTemperature: Int64 = 1_000

    /// What the model takes beside text and images.
    private func media(_ section: Section) -> MediaTokens {
        var media = MediaTokens()
        media.audioPerSecond = section.optional("audio_tokens_per_second", .whole(1...10_000))
        media.video = section.optional("video_tokens", Self.tokens)
        media.file = section.optional("file_tokens", Self.tokens)
        media.takesFileIDs = section.value("file_ids", .yesOrNo, usual: false)
        if media.takesFileIDs, media.file == nil {
            root.list.add(
                line: section.line(of: "file_ids"), key: section.full("file_ids"),
                "needs file_tokens, the most tokens that one file can be")
        }
        return media
    }

    /// How the model speaks; nil where it does not. Sound costs more than text, so a model with a
    /// price needs one of it: in that price, or beside it.
    private func speech(_ model: Section, alias: String, _ price: Price?) -> SpeechTerms? {
        guard
            let section = model.section("audio_output", accepted: ConfigurationKeys.audioOutput)
        else { return nil }
        var terms = SpeechTerms()
        terms.historyTokens = section.optional("history_tokens", Self.tokens)
        terms.price = section.section("price", accepted: ConfigurationKeys.price)
            .flatMap { readPrice($0, alias: alias) }
        if let price, price.audioCompletion == nil, terms.price == nil {
            root.list.add(
                line: model.line(of: "audio_output"), key: section.full("price"),
                "is needed, since the model has a price; give that of spoken answers, or"
                    + " audio_completion_usd_per_mtok in the model's own")
        }
        return terms
    }

    /// How the model searches the web; nil where it does not. A model with a price needs a fee.
    private func search(_ model: Section, isPriced: Bool) -> SearchTerms? {
        guard let section = model.section("web_search", accepted: ConfigurationKeys.webSearch)
        else { return nil }
        let fee = section.optional("usd_per_request", .dollars)
        if isPriced, fee == nil {
            root.list.add(
                line: model.line(of: "web_search"), key: section.full("usd_per_request"),
                "is needed, since the model has a price; give the fee of a search, or 0")
        }
        return SearchTerms(
            promptTokens: section.value("prompt_tokens", .whole(0...16_777_216), usual: 0),
            fee: fee)
    }

    /// What the model's backends add to a prompt.
    private func overhead(_ model: Section) -> PromptOverhead {
        var overhead = PromptOverhead.usual
        guard
            let section = model.section("prompt_overhead", accepted: ConfigurationKeys.overhead)
        else { return overhead }
        func set(_ key: String, _ path: WritableKeyPath<PromptOverhead, Int64>) {
            overhead[keyPath: path] = section.value(
                key, .whole(0...65_536), usual: overhead[keyPath: path])
        }
        set("request", \.request)
        set("message", \.message)
        set("tools", \.tools)
        set("tool", \.tool)
        set("format", \.format)
        return overhead
    }

    /// The service tiers by their words, each with its price.
    private func tiers(_ model: Section, alias: String) -> [ServiceTier: Price] {
        var tiers: [ServiceTier: Price] = [:]
        guard let section = model.section("service_tiers", accepted: Self.tierWords) else {
            return tiers
        }
        for name in section.names {
            guard let tier = ServiceTier(rawValue: name),
                let price = section.section(name, accepted: ConfigurationKeys.price)
            else { continue }
            tiers[tier] = readPrice(price, alias: alias)
        }
        return tiers
    }

    private static let tierWords = ServiceTier.allCases.map(\.rawValue)

    private func readPrice(_ section: Section, alias: String) -> Price? {
        let prompt = section.required("prompt_usd_per_mtok", .dollars)
        let completion = section.required("completion_usd_per_mtok", .dollars)
        let cached = section.optional("cached_usd_per_mtok", .dollars)
        let cacheWrite = section.optional("cache_write_usd_per_mtok", .dollars)
        let audioPrompt = section.optional("audio_prompt_usd_per_mtok", .dollars)
        let audioCompletion = section.optional("audio_completion_usd_per_mtok", .dollars)
        guard let prompt, let completion else { return nil }
        return Price(
            alias: alias, prompt: prompt, cached: cached ?? prompt,
            cacheWrite: cacheWrite ?? prompt, completion: completion
        ).adding(audioPrompt: audioPrompt, audioCompletion: audioCompletion)
    }

    private static let tokens = Accepted<Int64>.whole(1...16_777_216)
}
