import Domain

/// Judges what an upstream answered. Pure.
struct UpstreamChecks {
    /// The backend's name.
    let backend: String
    let url: String
    /// The names of the variables that hold its keys.
    let variables: [String]

    /// Most certificates are renewed a month before they end; one that is not by now was forgotten.
    static let shortNotice = Duration.seconds(14 * 86_400)

    private var name: String { "backend \(backend)" }

    /// A check for each key and one for the certificate; nil answers are an upstream that was not
    /// called.
    func all(_ answers: [DoctorParts.UpstreamAnswer]?, now: Timestamp) -> [DoctorCheck] {
        guard let answers else {
            let keys = variables.isEmpty ? "no key" : variables.joined(separator: ", ")
            return plain + (plain.isEmpty ? [.ok(name, "\(url) with \(keys); not called")] : [])
        }
        let keys = variables.isEmpty ? [nil] : variables.map(Optional.some)
        var expiries: [Timestamp] = []
        for case .answered(_, let expires?) in answers { expiries.append(expires) }
        return plain + zip(keys, answers).map(check)
            + (expiries.min().map { [certificate($0, now: now)] } ?? [])
    }

    /// Keys that everybody can read on their way.
    private var plain: [DoctorCheck] {
        let isLocal = ["http://127.", "http://localhost", "http://[::1]"].contains(
            where: url.hasPrefix)
        guard url.hasPrefix("http://"), !isLocal, !variables.isEmpty else { return [] }
        let keys = variables.joined(separator: ", ")
        return [
            .warning(
                name, "\(keys) is sent to \(url) where everybody can read it",
                "Use https:// for it.")
        ]
    }

    private func check(_ variable: String?, _ answer: DoctorParts.UpstreamAnswer) -> DoctorCheck {
        let key = variable.map { "the key in \($0)" } ?? "a call without a key"
        switch answer {
        case .failed(let reason):
            return .fault(
                name, "\(url) did not answer. \(reason)",
                "Can this machine reach it? Try: curl -v \(url)/models")
        case .answered(let status, _):
            switch status {
            case 200..<300: return .ok(name, "\(url) answers and takes \(key)")
            case 401, 403:
                return .fault(
                    name, "\(url) refuses \(key) with status \(status)",
                    variable.map { "Put a key that is in force into \($0), and restart." }
                        ?? "Name the variable that holds its key with `api_key_env`.")
            case 404, 405:
                return .ok(name, "\(url) answers; it lists no models, so \(key) was not tried")
            case 429:
                return .warning(
                    name, "\(url) limits \(key) with status 429",
                    "Its allowance may be used up: see the provider's console.")
            default:
                return .warning(
                    name, "\(url) answers \(key) with status \(status)",
                    "See the provider's status page, and whether `base_url` is right.")
            }
        }
    }

    private func certificate(_ expires: Timestamp, now: Timestamp) -> DoctorCheck {
        let name = "certificate \(backend)"
        let days = (expires - now).components.seconds / 86_400
        let finding = "it ends on \(expires.day), in \(days) day\(days == 1 ? "" : "s")"
        return expires - now < Self.shortNotice
            ? .warning(name, finding, "Whoever runs the upstream should renew it now.")
            : .ok(name, finding)
    }
}
