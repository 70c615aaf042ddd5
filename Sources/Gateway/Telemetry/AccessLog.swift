import Domain
import Logging

/// One line for every request: who, what, how it ended and what it used. Never a prompt, an answer
/// or a key.
struct AccessLog: Sendable {
    let logger: Logger

    /// The longest path that is written, in characters.
    private static let longestPath = 128

    /// Writes a request's line.
    func write(
        requestID: String, method: String?, path: String?, status: Int, duration: Duration,
        notes: RequestNotes.Content
    ) {
        let level: Logger.Level = status >= 500 ? .error : .info
        guard logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = [
            "request_id": .string(requestID), "status": .stringConvertible(status),
            "duration_ms": .string(Self.milliseconds(duration)),
        ]
        if let method { metadata["method"] = .string(Self.escaped(method)) }
        if let path {
            // The query is left out: somebody may have put a key there.
            metadata["path"] = .string(Self.escaped(Routes.path(of: path).prefix(Self.longestPath)))
        }
        if let principal = notes.principal {
            metadata["key_id"] = .string(principal.key.description)
            metadata["team"] = .stringConvertible(principal.team.rawValue)
            metadata["organization"] = .stringConvertible(principal.organization.rawValue)
        }
        if let model = notes.model { metadata["model"] = .string(Self.escaped(model)) }
        if let backend = notes.backend { metadata["backend"] = .string(Self.escaped(backend)) }
        addAttempts(of: notes, to: &metadata)
        if let settlement = notes.settlement {
            metadata["prompt_tokens"] = .stringConvertible(settlement.usage.prompt)
            metadata["completion_tokens"] = .stringConvertible(settlement.usage.completion)
            metadata["basis"] = .string("\(settlement.basis)")
            metadata["end_state"] = .string(settlement.endState.name)
        }
        if let failure = notes.failure { metadata["failure"] = .string(Self.escaped(failure)) }
        logger.log(level: level, "request", metadata: metadata)
    }

    /// How many calls were made for a request that was admitted, and which of them failed.
    private func addAttempts(of notes: RequestNotes.Content, to metadata: inout Logger.Metadata) {
        guard notes.backend != nil else { return }
        let failed = notes.attempts
        metadata["attempts"] = .stringConvertible(notes.attemptCount)
        if let shadow = notes.shadow { metadata["shadow_request_id"] = "req_\(shadow)" }
        guard !failed.isEmpty else { return }
        let words = failed.map { attempt in
            let status = attempt.status.map { "(\($0))" } ?? ""
            return "\(attempt.backend):\(attempt.outcome.name)\(status)"
        }
        metadata["failed_attempts"] = .string(Self.escaped(words.joined(separator: ",")))
    }

    /// The text with its control characters and line separators escaped, so that nothing a client
    /// or a backend says can look like a line of ours.
    static func escaped(_ text: some StringProtocol) -> String {
        let isPlain = text.unicodeScalars.allSatisfy { !isControl($0) }
        if isPlain { return String(text) }
        return text.unicodeScalars.reduce(into: "") { result, scalar in
            if isControl(scalar) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028
            || scalar.value == 0x2029
    }

    private static func milliseconds(_ duration: Duration) -> String {
        let tenths = duration.microseconds / 100
        return "\(tenths / 10).\(tenths % 10)"
    }
}
