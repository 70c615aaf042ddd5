import Domain

/// Decides which of an upstream's credentials a call is made with. Pure: the caller supplies the
/// time.
///
/// A rate limit is one of a credential and a model, since that is how upstreams count; a credential
/// that is refused as such is set aside for every model. Neither is for ever: after a while a call
/// finds out anew.
struct CredentialRotation {
    /// What to do with a call.
    enum Choice: Equatable {
        /// Make it with the credential of this place.
        case use(Int)
        /// Do not make it: every credential rests, the first one for so much longer.
        case wait(Duration)
    }

    /// What an upstream said of a credential.
    enum Verdict: Equatable {
        /// It took the call.
        case accepted
        /// It has had too many calls, and says for how long that holds, if it does.
        case limited(Duration?)
        /// It is not known, or must not be used.
        case refused
        /// It must not be used for this model.
        case refusedForModel
    }

    /// How long one rests that was limited without a word about it.
    static let usualRest = Duration.seconds(1)
    /// The longest that one rests, whatever an upstream says: a wrong word costs no more than that.
    static let longestRest = Duration.seconds(900)
    /// How long one is set aside that was refused as such.
    static let timeAside = Duration.seconds(600)
    /// How long for a single model: less, since some upstreams say so, without a word about why, of
    /// a prompt that they do not like.
    static let timeAsideForModel = Duration.seconds(60)

    private struct State {
        /// By the upstream's name for a model; bounded by the models of the configuration.
        var limits: [String: Limit] = [:]
        var refusedUntil: Uptime?
    }

    private struct Limit {
        var restsUntil: Uptime
        /// When it was last limited, which is what the choice goes by.
        var since: Uptime
        var refusedUntil: Uptime?
    }

    private var states: [State]

    /// A rotation among `count` credentials, at least one.
    init(count: Int) {
        precondition(count > 0, "a rotation is among credentials")
        states = Array(repeating: State(), count: count)
    }

    /// The credential for a call: of those that neither rest nor are set aside the one whose last
    /// limit is longest ago, the first in order if there was none. `tried` are those that this call
    /// was made with already.
    ///
    /// When all that is left are refused ones, the one that was refused first is used again: there
    /// is nothing to lose, and a key that was mended is found out.
    func choose(for model: String, beside tried: Set<Int>, at now: Uptime) -> Choice? {
        let left = states.indices.filter { !tried.contains($0) }
        guard !left.isEmpty else { return nil }
        let accepted = left.filter { refusedUntil($0, model).map { $0 <= now } ?? true }
        let ready = accepted.filter { restsUntil($0, model).map { $0 <= now } ?? true }
        if let best = ready.min(by: { since($0, model) < since($1, model) }) { return .use(best) }
        if let first = accepted.compactMap({ restsUntil($0, model) }).min() {
            return .wait(first - now)
        }
        // Not for another try of the same call: what was refused just now would be once more.
        guard tried.isEmpty else { return nil }
        return left.min { refusedUntil($0, model) ?? now < refusedUntil($1, model) ?? now }
            .map(Choice.use)
    }

    /// Notes what came of a call with the credential of this place. Gives for how long it is set
    /// aside when it was not before, which somebody should hear of.
    mutating func note(
        _ verdict: Verdict, of place: Int, for model: String, at now: Uptime
    ) -> Duration? {
        switch verdict {
        case .accepted:
            // Its limit is remembered, for the choice; that it was refused is not true any more.
            states[place].refusedUntil = nil
            states[place].limits[model]?.refusedUntil = nil
            return nil
        case .limited(let told):
            let rest = min(max(told ?? Self.usualRest, .zero), Self.longestRest)
            states[place].limits[model] = Limit(
                restsUntil: now + rest, since: now,
                refusedUntil: states[place].limits[model]?.refusedUntil)
            return nil
        case .refused:
            let wasAside = states[place].refusedUntil.map { $0 > now } ?? false
            states[place].refusedUntil = now + Self.timeAside
            return wasAside ? nil : Self.timeAside
        case .refusedForModel:
            var limit = states[place].limits[model] ?? Limit(restsUntil: now, since: Self.never)
            let wasAside = limit.refusedUntil.map { $0 > now } ?? false
            limit.refusedUntil = now + Self.timeAsideForModel
            states[place].limits[model] = limit
            return wasAside ? nil : Self.timeAsideForModel
        }
    }

    private static let never = Uptime(microseconds: .min)

    private func since(_ place: Int, _ model: String) -> Uptime {
        states[place].limits[model]?.since ?? Self.never
    }

    private func restsUntil(_ place: Int, _ model: String) -> Uptime? {
        states[place].limits[model]?.restsUntil
    }

    private func refusedUntil(_ place: Int, _ model: String) -> Uptime? {
        let (whole, part) = (
            states[place].refusedUntil, states[place].limits[model]?.refusedUntil
        )
        guard let whole, let part else { return whole ?? part }
        return max(whole, part)
    }
}
