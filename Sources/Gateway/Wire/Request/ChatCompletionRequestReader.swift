import JSON

/// Turns a parsed body into a ``ChatCompletionRequest``, or says what is wrong with it and where.
///
/// The range sheet of the contract is enforced here in full: backends clamp silently or do not
/// check at all. Null is the same as absent; a name that the contract does not know is ignored.
enum ChatCompletionRequestReader {
    /// Reads a request of the members of `body`.
    ///
    /// - Parameters:
    ///   - mostStops: the most stop sequences a request may name.
    ///   - mostChoices: the most choices it may ask for.
    static func read(
        _ body: JSONValue, mostStops: Int, mostChoices: Int
    ) throws(RequestFault) -> ChatCompletionRequest {
        guard body.kind == .object else {
            throw RequestFault(
                "The body must be a JSON object.", parameter: nil, code: .invalidType)
        }
        var draft = RequestDraft(mostStops: mostStops, mostChoices: mostChoices)
        for member in body.members where !member.value.isNull {
            if try take(member.key, member.value, into: &draft) { continue }
            if let offence = NeutralParameters.offence(of: member.key, member.value) {
                throw .unsupported(offence)
            }
        }
        return try draft.finish()
    }

    /// Hands a member to its group; false for a name that no group has.
    private static func take(
        _ name: String, _ value: JSONValue, into draft: inout RequestDraft
    ) throws(RequestFault) -> Bool {
        if let main = RequestParameter.Main(rawValue: name) {
            try draft.take(main, value)
        } else if let sampling = RequestParameter.Sampling(rawValue: name) {
            try draft.take(sampling, value)
        } else if let tools = RequestParameter.Tools(rawValue: name) {
            try draft.take(tools, value)
        } else if let format = RequestParameter.Format(rawValue: name) {
            try draft.take(format, value)
        } else if let reasoning = RequestParameter.Reasoning(rawValue: name) {
            try draft.take(reasoning, value)
        } else if let safeguards = RequestParameter.Safeguards(rawValue: name) {
            try draft.take(safeguards, value)
        } else if let account = RequestParameter.Account(rawValue: name) {
            try draft.take(account, value)
        } else if let additions = RequestParameter.Additions(rawValue: name) {
            try draft.take(additions, value)
        } else {
            return false
        }
        return true
    }
}
