import Curl
import JSON

/// Makes a request and the model's context fit each other, where they do not, as the client asked.
extension BackendCall {
    /// The same call with a completion that fits, after a backend refused this one for its length:
    /// the prompt fits and only the bound is too much for the rest. Nil where the client wants to
    /// be told, where the backend did not say how long the prompt is, or where nothing fits.
    func shortened(after failure: BackendFailure) -> BackendCall? {
        guard case .contextExceeded(let prompt?, let context?) = failure.kind else { return nil }
        // A client that names no bound did not ask for the one we set.
        guard request.overflow == .truncate || request.maximumCompletionTokens == nil else {
            return nil
        }
        let room = context - prompt
        guard (1..<completionBound).contains(room) else { return nil }
        var shorter = self
        shorter.completionBound = room
        return shorter
    }

    /// What a client that wants to be told is told, given the exact length of its prompt.
    func overflow(promptTokens: Int64, contextTokens: Int64) -> BackendFailure? {
        let wanted = request.maximumCompletionTokens ?? 1
        guard promptTokens + wanted > contextTokens else { return nil }
        return BackendFailure(
            kind: .contextExceeded(promptTokens: promptTokens, contextTokens: contextTokens),
            detail: "the prompt and the completion that is asked for exceed the context")
    }
}

extension ChatExchange {
    /// The exact length of a call's prompt, by llama-server's own count.
    func promptTokens(
        of call: BackendCall, over client: CurlClient, within timeout: Duration
    ) async throws(BackendFailure) -> Int64 {
        var counting = self
        counting.url += "/input_tokens"
        counting.limits.firstByteTimeout = timeout
        counting.limits.totalTimeout = timeout
        let bytes = try await counting.fetch(call, over: client)
        let parser = JSONParser(
            maximumBytes: 4096, maximumDepth: 8, maximumNodes: 64, checkDuplicateKeys: false)
        // A count that cannot be read is told below, whatever was wrong with it.
        guard let count = (try? parser.parse(bytes))?["input_tokens"]?.exactInteger, count >= 0
        else { throw BackendFailure(kind: .malformed, detail: "no count of the prompt's tokens") }
        return count
    }
}
