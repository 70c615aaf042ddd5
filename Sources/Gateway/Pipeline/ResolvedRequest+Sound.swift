import Domain

extension ResolvedRequest {
    /// The usage with its tokens of sound, which have a price of their own.
    ///
    /// They are the backend's figures where it tells them. Where it does not, the prompt's are the
    /// most that its audio can be; and an answer of which sound came is sound, but for a count of
    /// our own, which knows its parts.
    func withSound(
        _ usage: TokenUsage, _ basis: UsageBasis, _ count: CompletionCount
    ) -> TokenUsage {
        guard basis != .void else { return usage }
        var heard: Int64 = 0
        if request.mayHaveSound {
            heard = count.parts.promptAudio > 0 ? count.parts.promptAudio : mostAudio
        }
        var spoken: Int64 = 0
        if request.speech != nil {
            if count.parts.completionAudio > 0 {
                spoken = count.parts.completionAudio
            } else if count.soundBytes > 0 {
                spoken = basis == .counted ? count.soundTokens : usage.completion
            }
        }
        return heard > 0 || spoken > 0
            ? usage.withAudio(prompt: heard, completion: spoken) : usage
    }

    /// The most tokens that the audio in the prompt can be.
    private var mostAudio: Int64 {
        var most: Int64 = 0
        for message in request.messages {
            if message.spokenID != nil { most += route.speech?.historyTokens ?? 0 }
            for case .audio(let audio) in message.content.parts {
                most += route.media.audio(mostMilliseconds: audio.mostMilliseconds) ?? 0
            }
        }
        return most
    }
}
