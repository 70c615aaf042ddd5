import Domain
import Logging
import Synchronization

/// The credentials of one upstream, of which each call is made with one.
final class UpstreamCredentials: Sendable {
    private let credentials: [UpstreamCredential]
    private let rotation: Mutex<CredentialRotation>
    private let upstream: String
    private let time: any TimeSource
    private let logger: Logger

    /// Credentials in order of preference; none for an upstream that wants none, whose limits are
    /// then nobody's and put nothing to rest. `upstream` is the backend's name, for the log.
    init(
        _ credentials: [UpstreamCredential], upstream: String, time: any TimeSource, logger: Logger
    ) {
        self.credentials = credentials
        rotation = Mutex(CredentialRotation(count: max(1, credentials.count)))
        self.upstream = upstream
        self.time = time
        self.logger = logger
    }

    /// What must not stand in a log even if the upstream repeats it.
    var secrets: [[UInt8]] { credentials.map(\.bytes) }

    /// Makes a call with one credential, and with one after the other while the upstream refuses
    /// them for their rate limit, or as such; each at most once. `begin` returns once an answer has
    /// begun, so nothing of one is ever lost.
    ///
    /// Throws `rateLimited` without any call while every credential rests.
    func begin<Answer>(
        _ call: BackendCall,
        by begin: (UpstreamCredential?) async throws(UpstreamRefusal) -> Answer
    ) async throws(BackendFailure) -> Answer {
        guard !credentials.isEmpty else {
            do throws(UpstreamRefusal) {
                return try await begin(nil)
            } catch {
                throw error.failure
            }
        }
        var tried: Set<Int> = []
        var last: BackendFailure?
        while true {
            let place = try choose(for: call, beside: tried, after: last)
            do throws(UpstreamRefusal) {
                let answer = try await begin(credentials[place])
                note(.accepted, of: place, call)
                return answer
            } catch {
                guard let verdict = error.verdict else { throw error.failure }
                note(verdict, of: place, call)
                tried.insert(place)
                last = error.failure
                last?.isOfCredential = true
            }
        }
    }

    private func choose(
        for call: BackendCall, beside tried: Set<Int>, after last: BackendFailure?
    ) throws(BackendFailure) -> Int {
        let now = time.uptime
        let (choice, soonest) = rotation.withLock { rotation in
            (
                rotation.choose(for: call.upstreamModel, beside: tried, at: now),
                rotation.choose(for: call.upstreamModel, beside: [], at: now)
            )
        }
        if case .use(let place)? = choice { return place }
        if let last, credentials.count == 1 { throw last }
        // What the last one said is of that one only; another may be ready sooner.
        if case .wait(let rest)? = soonest {
            throw BackendFailure(
                kind: .rateLimited(retryAfter: rest),
                detail: last?.detail ?? "every credential of the upstream rests",
                isOfCredential: true)
        }
        throw last
            ?? BackendFailure(
                kind: .unreachable, detail: "no credential of the upstream is left",
                isOfCredential: true)
    }

    private func note(_ verdict: CredentialRotation.Verdict, of place: Int, _ call: BackendCall) {
        let now = time.uptime
        let aside = rotation.withLock {
            $0.note(verdict, of: place, for: call.upstreamModel, at: now)
        }
        guard let aside else { return }
        let scope = verdict == .refusedForModel ? " for \(call.upstreamModel)" : ""
        logger.error(
            """
            Upstream \(upstream) refuses credential \(place + 1) of \(credentials.count)\(scope): \
            set aside for \(aside.components.seconds) s
            """)
    }
}
