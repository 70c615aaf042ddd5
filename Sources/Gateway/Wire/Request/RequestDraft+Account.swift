import Domain
import JSON

/// What a client says about itself and its request.
extension RequestDraft {
    /// Takes what identifies the client's own user or request.
    mutating func take(
        _ parameter: RequestParameter.Account, _ value: JSONValue
    ) throws(RequestFault) {
        let name = parameter.rawValue
        switch parameter {
        case .user: request.user = try ParameterReading.string(value, name)
        case .safetyIdentifier:
            request.safetyIdentifier = try text(value, name, atMost: ParameterLimits.longestKey)
        case .promptCacheKey: request.promptCacheKey = try ParameterReading.string(value, name)
        case .promptCacheOptions: try takeCacheOptions(value, name)
        case .promptCacheRetention:
            request.caching.retention = try ParameterReading.word(value, name)
        case .serviceTier: request.serviceTier = try ParameterReading.word(value, name)
        case .store: request.isStored = try ParameterReading.bool(value, name)
        case .metadata: request.metadata = try metadata(value, name)
        }
    }

    private mutating func takeCacheOptions(
        _ value: JSONValue, _ name: String
    ) throws(RequestFault) {
        guard value.kind == .object else { throw .type(name, expected: "an object") }
        if let mode = value["mode"], !mode.isNull {
            request.caching.mode = try ParameterReading.word(mode, "\(name).mode")
        }
        if let lifetime = value["ttl"], !lifetime.isNull {
            request.caching.lifetime = try ParameterReading.word(lifetime, "\(name).ttl")
        }
    }

    private func metadata(
        _ value: JSONValue, _ name: String
    ) throws(RequestFault) -> [MetadataEntry] {
        guard value.kind == .object else { throw .type(name, expected: "an object") }
        guard value.count <= ParameterLimits.mostPairs else {
            throw RequestFault(
                "Invalid '\(name)': expected at most \(ParameterLimits.mostPairs) entries.",
                parameter: name,
                code: .objectAboveMaxLength)
        }
        var entries: [MetadataEntry] = []
        for (position, member) in value.members.enumerated() {
            guard member.key.unicodeScalars.count <= ParameterLimits.longestKey else {
                throw RequestFault(
                    "Invalid '\(name)': keys are at most \(ParameterLimits.longestKey) characters long.",
                    parameter: name, code: .stringAboveMaxLength)
            }
            // The key is the client's invention: it is told by its place.
            let text = try text(
                member.value, "\(name)[\(position)]", atMost: ParameterLimits.longestValue)
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
