import Domain

/// Counts an answer as it passes, and says when it goes beyond its bound. Pure.
struct CompletionCount: Sendable, Equatable {
    /// What the backend may generate at most, in tokens.
    let bound: Int64
    /// Events that carried text or a piece of a call. A token may be spread over no more than one event, so this is a
    /// lower bound of tokens.
    private(set) var chunks: Int64 = 0
    /// Bytes of text, visible or not, and of tool calls.
    private(set) var bytes: Int64 = 0
    /// Tokens of reasoning: those of events that carried nothing else, as near as can be told.
    private(set) var reasoning: Int64 = 0
    /// The backend's own count so far, where it tells.
    private(set) var reportedSoFar: Int64?
    /// The backend's count of the whole answer, once it tells.
    private(set) var usage: TokenUsage?
    /// The backend's count of the prompt alone, where it tells that early.
    private(set) var promptUsage: TokenUsage?

    /// How soon the backend served the request, once it tells.
    private(set) var serviceTier: ServiceTier?
    /// Bytes of sound, in base64.
    private(set) var soundBytes: Int64 = 0

    /// What that count tells of its parts.
    private(set) var parts = UsageParts.none

    /// Starts at nothing.
    init(bound: Int64) { self.bound = bound }

    /// No real token is longer than this on average over an answer; more bytes than this times the
    /// bound, and a constant for short bounds, are an upstream that ignores the bound.
    static let bytesPerToken: Int64 = 64
    static let freeBytes: Int64 = 4096
    /// A token of sound is 50 ms (OpenAI's guide of prices), which are 1,200 samples of 16 bits in a
    /// stream of `pcm16`, in base64. Other formats are no larger, and four times of that is an
    /// upstream that ignores the bound.
    static let bytesPerSoundToken: Int64 = 3200
    static let freeSoundBytes: Int64 = 1 << 20

    /// Counts one event. False when the answer is now beyond its bound: the event must not reach
    /// the client.
    mutating func take(_ event: BackendEvent) -> Bool {
        if let usage = event.usage { self.usage = usage }
        if let prompt = event.promptUsage { promptUsage = prompt }
        if let parts = event.usageParts { self.parts = parts }
        serviceTier = serviceTier ?? event.serviceTier
        let before = reportedSoFar ?? 0
        if let soFar = event.completionTokensSoFar { reportedSoFar = max(before, soFar) }
        if event.isReasoning {
            reasoning += event.completionTokensSoFar == nil ? 1 : (reportedSoFar ?? 0) - before
        }
        for delta in event.deltas {
            let size = delta.generatedBytes
            if size > 0 {
                chunks += 1
                bytes += Int64(size)
            }
            soundBytes += Int64(delta.sound?.data?.utf8.count ?? 0)
        }
        return !isBeyondBound
    }

    /// Whether anything was generated.
    var hasText: Bool { chunks > 0 || soundBytes > 0 || (reportedSoFar ?? 0) > 0 }

    /// The best count of tokens so far without the backend's report: its running count, or else the
    /// larger of the chunks and a quarter of the bytes, and what its sound comes to; never above the
    /// bound.
    var tokens: Int64 {
        min(bound, reportedSoFar ?? max(chunks, (bytes + 3) / 4) + soundTokens)
    }

    /// What its sound comes to.
    var soundTokens: Int64 {
        (soundBytes + Self.bytesPerSoundToken - 1) / Self.bytesPerSoundToken
    }

    /// The least that was generated for certain.
    var leastTokens: Int64 { min(bound, reportedSoFar ?? chunks) }

    /// Whether there is far more text than the bound can mean: the backend ignores it.
    var isFlood: Bool {
        let (most, overflow) = bound.multipliedReportingOverflow(by: Self.bytesPerToken)
        guard !overflow else { return false }
        let (sound, isEndless) = bound.multipliedReportingOverflow(by: 4 * Self.bytesPerSoundToken)
        return bytes > most + Self.freeBytes
            || (!isEndless && soundBytes > sound + Self.freeSoundBytes)
    }

    private var isBeyondBound: Bool { isFlood || (reportedSoFar ?? chunks) > bound }
}
