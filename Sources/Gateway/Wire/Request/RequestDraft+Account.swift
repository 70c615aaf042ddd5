import JSON

/// What a client says about itself and its request.
extension RequestDraft {
    /// Of `metadata`, in pairs and in characters.
    private static let mostPairs = 16
    private static let longestKey = 64
    private static let longestValue = 512

    /// Takes what identifies the client's own user or request; false for another name.
    mutating func takeAccount(_ name: String, _ value: JSONValue) throws(RequestFault) -> Bool {
        switch name {
        case "user": request.user = try ParameterReading.string(value, name)
        case "safety_identifier":
            request.safetyIdentifier = try text(value, name, atMost: Self.longestKey)
        case "prompt_cache_key": request.promptCacheKey = try ParameterReading.string(value, name)
        case "metadata": request.metadata = try metadata(value, name)
        default: return false
        }
        return true
    }

    private func metadata(
        _ value: JSONValue, _ name: String
    ) throws(RequestFault) -> [MetadataEntry] {
        guard value.kind == .object else { throw .type(name, expected: "an object") }
        guard value.count <= Self.mostPairs else {
            throw RequestFault(
                "Invalid '\(name)': expected at most \(Self.mostPairs) entries.", parameter: name,
                code: .objectAboveMaxLength)
        }
        var entries: [MetadataEntry] = []
        for (position, member) in value.members.enumerated() {
            guard member.key.unicodeScalars.count <= Self.longestKey else {
                throw RequestFault(
                    "Invalid '\(name)': keys are at most \(Self.longestKey) characters long.",
                    parameter: name, code: .stringAboveMaxLength)
            }
            // The key is the client's invention: it is told by its place.
            let text = try text(member.value, "\(name)[\(position)]", atMost: Self.longestValue)
            entries.append(MetadataEntry(key: member.key, value: text))
        }
        return entries
    }

    private func text(
        _ value: JSONValue, _ name: String, atMost most: Int
    ) throws(RequestFault) -> String {
        let text = try ParameterReading.string(value, name)
        guard text.unicodeScalars.count <= most else {
            throw RequestFault(
                "Invalid '\(name)': must be at most \(most) characters long.", parameter: name,
                code: .stringAboveMaxLength)
        }
        return text
    }
}
