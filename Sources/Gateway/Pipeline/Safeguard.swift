import Domain

/// Looks at what a request says before anything else is decided about it.
struct Safeguard: Sendable {
    let personalData: PersonalDataCheck
    /// 64 random bits, for replacements that nobody can foresee.
    let random: @Sendable () -> UInt64

    /// Bounds what checks take of the machine.
    let room: CheckRoom

    /// The request as the backend may see it; the same unless it asks for a check.
    ///
    /// Throws when the check says that nobody may see it, or cannot tell, and when too many wait.
    func passing(
        _ request: ChatCompletionRequest, of key: KeyID, in exchange: Exchange
    ) async throws(GatewayFailure) -> ChatCompletionRequest {
        guard let policy = request.personalData else { return request }
        let decision: PersonalDataDecision
        do {
            decision = try await decide(request.checkedTexts, by: policy, of: key)
        } catch {
            if let departure = exchange.presence.departure {
                throw departure.failure
            }
            if case CheckRoom.Fault.full = error {
                exchange.notes.update { $0.failure = "too many texts wait to be checked" }
            }
            throw .safeguardUnavailable
        }
        switch decision {
        case .unchanged: return request
        case .blocked(let counts):
            throw .invalidRequest(
                RequestFault(
                    "The messages hold personal data: \(counts).", parameter: "messages",
                    code: .personalDataDetected))
        case .replaced(let texts, _):
            var replaced = request
            replaced.checkedTexts = texts
            return replaced
        }
    }

    /// Decides in this key's turns. A service elsewhere is waited for between them.
    private func decide(
        _ texts: [String], by policy: PersonalDataPolicy, of key: KeyID
    ) async throws -> PersonalDataDecision {
        let bytes = texts.reduce(0) { $0 + $1.utf8.count }
        guard personalData.asksOthers else {
            return try await room.run(of: key, bytes: bytes) { [personalData, random] in
                var bits = PassedBits(next64: random)
                return try await personalData.decide(texts, by: policy, using: &bits)
            }
        }
        let own = try await room.run(of: key, bytes: bytes) { [personalData] in
            try await personalData.findings(in: texts) { !$0.isRemote }
        }
        let others = try await personalData.findings(in: texts) { $0.isRemote }
        return try await room.run(of: key, bytes: bytes) { [random] in
            var bits = PassedBits(next64: random)
            return policy.decide(
                texts: texts, findings: zip(own, others).map { $0 + $1 }, using: &bits)
        }
    }

    /// Randomness that was passed in.
    private struct PassedBits: RandomNumberGenerator {
        let next64: @Sendable () -> UInt64
        func next() -> UInt64 { next64() }
    }
}
