/// The tokens of one request by class. None is negative; `cached`, `cacheWrite` and `audioPrompt` are
/// part of `prompt`, `reasoning` and `audioCompletion` are part of `completion`.
public struct TokenUsage: Sendable, Hashable {
    /// All tokens of the prompt, from a cache or not.
    public var prompt: Int64
    /// Prompt tokens read from a cache.
    public var cached: Int64
    /// Prompt tokens written to a cache.
    public var cacheWrite: Int64
    /// All tokens generated, visible or not.
    public var completion: Int64
    /// Completion tokens spent on reasoning.
    public var reasoning: Int64
    /// Prompt tokens of audio.
    public private(set) var audioPrompt: Int64 = 0
    /// Completion tokens of sound.
    public private(set) var audioCompletion: Int64 = 0

    /// Makes a count by class. Parts larger than their whole are cut to it and negative numbers to
    /// zero: counts come from upstreams, and an upstream may lie.
    public init(
        prompt: Int64, cached: Int64 = 0, cacheWrite: Int64 = 0, completion: Int64,
        reasoning: Int64 = 0
    ) {
        self.prompt = Self.clamped(prompt, to: Self.most)
        self.cached = Self.clamped(cached, to: self.prompt)
        self.cacheWrite = Self.clamped(cacheWrite, to: self.prompt - self.cached)
        self.completion = Self.clamped(completion, to: Self.most)
        self.reasoning = Self.clamped(reasoning, to: self.completion)
    }

    /// The same with so many tokens of sound; parts larger than their whole are cut to it.
    public func withAudio(prompt heard: Int64, completion spoken: Int64) -> TokenUsage {
        var usage = self
        usage.audioPrompt = Self.clamped(heard, to: prompt)
        usage.audioCompletion = Self.clamped(spoken, to: completion)
        return usage
    }

    /// No token at all.
    public static let none = TokenUsage(prompt: 0, completion: 0)

    /// Whether any of it was sound.
    public var hasAudio: Bool { audioPrompt > 0 || audioCompletion > 0 }

    /// Prompt and completion together.
    public var total: Int64 { prompt + completion }

    /// Far above any real count and far below where sums overflow.
    private static let most: Int64 = 1 << 48

    private static func clamped(_ count: Int64, to most: Int64) -> Int64 {
        min(max(0, count), most)
    }
}
