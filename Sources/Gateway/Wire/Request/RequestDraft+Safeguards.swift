import JSON

/// Checks of what goes in and what comes out (`input` and `output`).
extension RequestDraft {
    /// Takes what asks for a check.
    mutating func take(
        _ parameter: RequestParameter.Safeguards, _ value: JSONValue
    ) throws(RequestFault) {
        switch parameter {
        case .input: try takeInput(value)
        case .output: try takeOutput(value)
        }
    }

    private mutating func takeInput(_ value: JSONValue) throws(RequestFault) {
        guard value.kind == .object else { throw .type("input", expected: "an object") }
        var mode: PersonalDataMode?
        var method: ReplacementMethod?
        var ignored: Set<EntityType> = []
        for (position, member) in value.members.enumerated() where !member.value.isNull {
            let path = "input.\(member.key)"
            switch member.key {
            case "pii": mode = try ParameterReading.word(member.value, "input.pii")
            case "pii_replace_method":
                method = try ParameterReading.word(member.value, "input.pii_replace_method")
            case "entity_list": ignored = try entities(member.value, "input.entity_list")
            case "block_prompt_injection":
                request.blocksPromptInjection = try ParameterReading.bool(member.value, path)
            default: try assertOff(member, at: position, of: "input")
            }
        }
        if method != nil, mode != .replace {
            throw RequestFault(
                "'input.pii_replace_method' is only allowed when 'input.pii' is 'replace'.",
                parameter: "input.pii_replace_method", code: .invalidValue)
        }
        switch mode {
        case nil: return
        case .block: request.personalData = PersonalDataPolicy(mode: .block, ignored: ignored)
        case .replace:
            request.personalData = PersonalDataPolicy(
                mode: .replace(method ?? .random), ignored: ignored)
        }
    }

    private func entities(
        _ value: JSONValue, _ name: String
    ) throws(RequestFault) -> Set<EntityType> {
        guard value.kind == .array else { throw .type(name, expected: "an array of strings") }
        guard value.count <= ParameterLimits.mostEntities else {
            throw RequestFault(
                "Invalid '\(name)': expected at most \(ParameterLimits.mostEntities) elements.",
                parameter: name, code: .arrayAboveMaxLength)
        }
        var entities: Set<EntityType> = []
        for (position, element) in value.elements.enumerated() {
            let word = try ParameterReading.string(element, "\(name)[\(position)]")
            entities.insert(EntityType(word))
        }
        return entities
    }

    private mutating func takeOutput(_ value: JSONValue) throws(RequestFault) {
        guard value.kind == .object else { throw .type("output", expected: "an object") }
        let checks: [(String, JudgedCheck)] = [
            ("factuality", .factuality), ("toxicity", .toxicity),
        ]
        for (name, check) in checks {
            guard let asked = value[name], !asked.isNull else { continue }
            if try ParameterReading.bool(asked, check.parameter) {
                request.outputChecks.append(check)
            }
        }
        for (position, member) in value.members.enumerated()
        where !checks.contains(where: { $0.0 == member.key }) {
            try assertOff(member, at: position, of: "output")
        }
    }

    /// A check that nobody knows is not skipped: whoever asks for it would believe it made. One whose
    /// name is no plain one is told by its place.
    private func assertOff(
        _ member: (key: String, value: JSONValue), at position: Int, of parent: String
    ) throws(RequestFault) {
        guard !member.value.isNull, member.value.bool != false else { return }
        let isPlain = member.key.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
        }
        let isName = isPlain && ParameterLimits.nameLength.contains(member.key.utf8.count)
        throw .unsupported(isName ? "\(parent).\(member.key)" : "\(parent)[\(position)]")
    }

    /// What becomes of personal data.
    enum PersonalDataMode: String, CaseIterable { case block, replace }
}
