import Testing

/// One gateway for all tests of a suite: started before the first, stopped after the last, and
/// expected to end well.
struct Served: SuiteTrait, TestScoping {
    /// Whether the real engine runs behind it.
    let withEngine: Bool
    /// What its configuration says beside the usual.
    var settings = ""
    /// Whether the scripted upstream also speaks Anthropic's format.
    var speaksMessages = false

    func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let served = self
        let gateway = try await onOwnThread {
            try ServedGateway.start(
                withEngine: served.withEngine, settings: served.settings,
                speaksMessages: served.speaksMessages)
        }
        do {
            try await ServedGateway.$shared.withValue(gateway) { try await function() }
        } catch {
            try await onOwnThread { try gateway.stop() }
            throw error
        }
        try await onOwnThread { try gateway.stop() }
    }
}

extension Trait where Self == Served {
    /// A gateway in front of a scripted upstream.
    static var served: Served { Served(withEngine: false) }
    /// A gateway in front of a scripted upstream and the real engine.
    static var servedWithEngine: Served { Served(withEngine: true) }
    /// A gateway in front of a scripted upstream that speaks Anthropic's format too.
    static var servedWithMessages: Served { Served(withEngine: false, speaksMessages: true) }
    /// The same as with the engine, where the scripted upstream is also the judge of texts.
    static var servedWithJudge: Served { Served(withEngine: true, settings: ServedGateway.judge) }
}

/// Everything that starts the built program. One suite after the other: each has timings to keep,
/// and processes that need the machine's cores.
@Suite(.serialized) enum EndToEnd {}
