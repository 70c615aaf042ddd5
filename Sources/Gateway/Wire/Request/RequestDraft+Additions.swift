import JSON

/// What an upstream does beside writing text: it speaks, searches the web and moderates.
extension RequestDraft {
    /// Takes what asks for one of them.
    mutating func take(
        _ parameter: RequestParameter.Additions, _ value: JSONValue
    ) throws(RequestFault) {
        let name = parameter.rawValue
        switch parameter {
        case .modalities: modalities = try modalities(value, name)
        case .audio: request.speech = try speech(value, name)
        case .webSearchOptions: request.webSearch = try webSearch(value, name)
        case .moderation: request.moderation = try moderation(value, name)
        }
    }

    /// Checks what holds between the parameters about speech, and others.
    mutating func finishAdditions() throws(RequestFault) {
        guard modalities.contains(.audio) else {
            guard request.speech == nil else {
                throw RequestFault(
                    "'audio' is only allowed when 'modalities' holds 'audio'.",
                    parameter: "audio", code: .invalidValue)
            }
            return
        }
        guard let speech = request.speech else { throw .missing("audio") }
        request.speech?.saysText = modalities.contains(.text)
        if request.streams, speech.format != SpokenAnswer.streamed {
            let only = SpokenAnswer.streamed.rawValue
            throw .value("audio.format", expected: "'\(only)' when 'stream' is true")
        }
        if let check = request.outputChecks.first {
            throw RequestFault(
                "'\(check.parameter)' reads text only, and the answer is to be spoken.",
                parameter: "output", code: .invalidValue)
        }
    }

    /// What an answer may be made of.
    enum Modality: String, CaseIterable { case text, audio }

    private func modalities(
        _ value: JSONValue, _ name: String
    ) throws(RequestFault) -> Set<Modality> {
        guard value.kind == .array else { throw .type(name, expected: "an array of strings") }
        guard value.count > 0 else {
            throw RequestFault(
                "Invalid '\(name)': expected at least one item.", parameter: name,
                code: .emptyArray)
        }
        guard value.count <= Modality.allCases.count else {
            throw RequestFault(
                "Invalid '\(name)': expected at most \(Modality.allCases.count) items.",
                parameter: name, code: .arrayAboveMaxLength)
        }
        var modalities: Set<Modality> = []
        for (position, element) in value.elements.enumerated() {
            modalities.insert(try ParameterReading.word(element, "\(name)[\(position)]"))
        }
        return modalities
    }

    private func speech(_ value: JSONValue, _ name: String) throws(RequestFault) -> SpokenAnswer {
        guard value.kind == .object else { throw .type(name, expected: "an object") }
        guard let format = value["format"], !format.isNull else { throw .missing("\(name).format") }
        guard let voice = value["voice"], !voice.isNull else { throw .missing("\(name).voice") }
        return SpokenAnswer(
            format: try ParameterReading.word(format, "\(name).format"),
            voice: try self.voice(voice, "\(name).voice"), saysText: true)
    }

    private func voice(
        _ value: JSONValue, _ path: String
    ) throws(RequestFault) -> SpokenAnswer.Voice {
        guard value.kind == .object else {
            guard value.kind == .string else {
                throw .type(path, expected: "a string or an object")
            }
            return .named(try short(value, path))
        }
        guard let id = value["id"], !id.isNull else { throw .missing("\(path).id") }
        return .made(id: try short(id, "\(path).id"))
    }

    // MARK: Searching

    private func webSearch(_ value: JSONValue, _ name: String) throws(RequestFault) -> WebSearch {
        guard value.kind == .object else { throw .type(name, expected: "an object") }
        var search = WebSearch()
        if let size = value["search_context_size"], !size.isNull {
            search.contextSize = try ParameterReading.word(size, "\(name).search_context_size")
        }
        if let location = value["user_location"], !location.isNull {
            search.place = try place(location, "\(name).user_location")
        }
        return search
    }

    private func place(
        _ value: JSONValue, _ path: String
    ) throws(RequestFault) -> WebSearch.Place {
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        guard let type = value["type"], !type.isNull else { throw .missing("\(path).type") }
        guard try ParameterReading.string(type, "\(path).type") == "approximate" else {
            throw .value("\(path).type", expected: "'approximate'")
        }
        let inner = "\(path).approximate"
        guard let told = value["approximate"], !told.isNull else { throw .missing(inner) }
        guard told.kind == .object else { throw .type(inner, expected: "an object") }
        var place = WebSearch.Place()
        place.city = try optional(told, "city", inner)
        place.country = try optional(told, "country", inner)
        place.region = try optional(told, "region", inner)
        place.timezone = try optional(told, "timezone", inner)
        if let country = place.country {
            let isCode =
                country.utf8.count == 2
                && country.utf8.allSatisfy { (65...90).contains($0) || (97...122).contains($0) }
            guard isCode else {
                throw .value("\(inner).country", expected: "a country's code of two letters")
            }
        }
        return place
    }

    private func optional(
        _ value: JSONValue, _ name: String, _ path: String
    ) throws(RequestFault) -> String? {
        guard let member = value[name], !member.isNull else { return nil }
        return try short(member, "\(path).\(name)")
    }

    // MARK: Moderation

    private func moderation(
        _ value: JSONValue, _ name: String
    ) throws(RequestFault) -> ModerationRequest {
        guard value.kind == .object else { throw .type(name, expected: "an object") }
        guard let model = value["model"], !model.isNull else { throw .missing("\(name).model") }
        var moderation = ModerationRequest(model: try short(model, "\(name).model"))
        guard let policy = value["policy"], !policy.isNull else { return moderation }
        guard policy.kind == .object else { throw .type("\(name).policy", expected: "an object") }
        moderation.input = try mode(policy["input"], "\(name).policy.input")
        moderation.output = try mode(policy["output"], "\(name).policy.output")
        return moderation
    }

    private func mode(
        _ value: JSONValue?, _ path: String
    ) throws(RequestFault) -> ModerationRequest.Mode? {
        guard let value, !value.isNull else { return nil }
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        guard let mode = value["mode"], !mode.isNull else { throw .missing("\(path).mode") }
        return try ParameterReading.word(mode, "\(path).mode")
    }

    /// A name, a place or an id: not empty, and no longer than any real one.
    private func short(_ value: JSONValue, _ path: String) throws(RequestFault) -> String {
        let text = try ParameterReading.string(value, path)
        guard !text.isEmpty else {
            throw .value(path, expected: "a string that is not empty")
        }
        guard text.unicodeScalars.count <= ParameterLimits.longestName else {
            throw RequestFault(
                "Invalid '\(path)': must be at most \(ParameterLimits.longestName) characters "
                    + "long.", parameter: path, code: .stringAboveMaxLength)
        }
        return text
    }
}
