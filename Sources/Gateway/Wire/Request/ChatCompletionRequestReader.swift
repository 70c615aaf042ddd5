import JSON

/// Turns a parsed body into a ``ChatCompletionRequest``, or says what is wrong with it and where.
///
/// The range sheet of the contract is enforced here in full: backends clamp silently or do not
/// check at all. Null is the same as absent; a name that the contract does not know is ignored.
enum ChatCompletionRequestReader {
    /// The longest model name that is looked up, in bytes.
    static let longestModelName = 256

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
            if try draft.takeMain(member.key, member.value) { continue }
            if try draft.takeSampling(member.key, member.value) { continue }
            if try draft.takeTools(member.key, member.value) { continue }
            if try draft.takeFormat(member.key, member.value) { continue }
            if try draft.takeReasoning(member.key, member.value) { continue }
            if try draft.takeSafeguards(member.key, member.value) { continue }
            if try draft.takeAccount(member.key, member.value) { continue }
            if let offence = NeutralParameters.offence(of: member.key, member.value) {
                throw .unsupported(offence)
            }
        }
        return try draft.finish()
    }
}
