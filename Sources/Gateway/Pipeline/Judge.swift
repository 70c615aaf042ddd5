import Domain

/// Asks a model about texts: a request of the operator's own through the same straight line, with its
/// own admission, meter and record.
struct Judge: Sendable {
    let configuration: JudgeConfiguration
    let keys: any KeyDirectory
    /// 64 random bits.
    let random: @Sendable () -> UInt64
}

extension CompletionPipeline {
    /// Why the request may not go to its backend, once it is admitted; nil when it may.
    ///
    /// Only then: a caller without a quota must not have texts judged at the operator's cost. What is
    /// judged is what the backend would see.
    func objection(to admitted: borrowing AdmittedRequest) async -> GatewayFailure? {
        let (request, exchange) = (admitted.resolved.request, admitted.resolved.exchange)
        guard request.blocksPromptInjection else { return nil }
        let text = request.foreignTexts.joined(separator: "\n\n")
        guard !text.isEmpty else { return nil }
        do {
            try await pass(.promptInjection, text, for: exchange)
            return nil
        } catch {
            return error
        }
    }

    /// The answer, if it passes every check that the request asks of it. It is settled by then: its
    /// tokens were used.
    func passing(
        _ response: consuming MeteredResponse, _ request: ChatCompletionRequest,
        in exchange: Exchange
    ) async throws(GatewayFailure) -> MeteredResponse {
        guard !request.outputChecks.isEmpty else { return response }
        switch consume response {
        case .whole(let answer):
            let said = answer.choices.flatMap { choice in
                [choice.content, choice.reasoning ?? ""] + choice.toolCalls.compactMap(\.arguments)
            }.filter { !$0.isEmpty }.joined(separator: "\n\n")
            guard !said.isEmpty else { return .whole(answer) }
            for check in request.outputChecks {
                let asked = request.promptTexts.joined(separator: "\n\n")
                let text = check == .factuality ? "\(asked)\nANSWER\n\(said)" : said
                try await pass(check, text, for: exchange)
            }
            return .whole(answer)
        case .stream(let stream): return .stream(stream)
        }
    }

    /// Returns when the text passes; throws the check's fault when it does not, and
    /// ``GatewayFailure/safeguardUnavailable`` when nobody can tell.
    private func pass(
        _ check: JudgedCheck, _ text: String, for exchange: Exchange
    ) async throws(GatewayFailure) {
        switch try await verdict(check, of: text, for: exchange) {
        case .passed: return
        case .failed: throw .invalidRequest(check.fault)
        case nil: throw .safeguardUnavailable
        }
    }

    private func verdict(
        _ check: JudgedCheck, of text: String, for exchange: Exchange
    ) async throws(GatewayFailure) -> JudgeVerdict? {
        guard let judge else { return nil }
        let mark = "-----" + String(judge.random(), radix: 16)
        var request = ChatCompletionRequest(
            model: judge.configuration.model, messages: check.messages(about: text, mark: mark))
        request.maximumCompletionTokens = judge.configuration.maximumCompletionTokens
        request.temperature = 0
        let answer: CompletedAnswer
        do {
            let operatorsOwn = Exchange(
                requestID: RequestID(at: time.wall, random: (judge.random(), judge.random())),
                receivedAt: time.uptime, receivedAtWall: time.wall, presence: exchange.presence,
                notes: RequestNotes(), executor: exchange.executor)
            let resolved = try resolve(
                request,
                for: try await principal(
                    holding: judge.configuration.key, in: judge.keys), in: operatorsOwn)
            let admitted = try await admit(try await measured(resolved))
            let forwarded = await forward(admitted)
            guard case .whole(let whole) = try await meter(forwarded, for: admitted) else {
                return nil
            }
            answer = whole
        } catch {
            switch error {
            case .clientGone, .draining: throw error
            // The caller's text, as the judge has to read it.
            case .backend(.contextExceeded):
                throw .invalidRequest(
                    RequestFault(
                        "The text is too long to be checked for '\(check.parameter)'.",
                        parameter: check.parameter, code: .invalidValue))
            default:
                exchange.notes.update { $0.failure = "the judge has no answer: \(error)" }
                return nil
            }
        }
        return answer.choices.first.flatMap { JudgedCheck.verdict($0.content) }
    }

    /// Whose account pays for requests of the operator's own.
    func principal(
        holding key: [UInt8], in keys: any KeyDirectory
    ) async throws(GatewayFailure) -> Principal {
        let secret = APIKeySecret(bytes: key)
        do {
            guard
                case .principal(let found) = try await keys.authenticate(secret, from: "operator")
            else { throw GatewayFailure.keyRefused }
            return found
        } catch {
            throw error as? GatewayFailure ?? .directoryUnavailable
        }
    }
}

extension ChatCompletionRequest {
    /// What did not come from whoever wrote the instructions: users' texts and tools' results.
    fileprivate var foreignTexts: [String] {
        messages.filter { [.user, .tool, .function].contains($0.role) }.flatMap(\.content.texts)
    }
}
