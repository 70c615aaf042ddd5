import Domain

extension ExplainView {
    /// A count with its thousands apart.
    static func count(_ number: Int64) -> String { NumberText.grouped(Int128(number)) }

    /// Milliseconds to the microsecond.
    static func milliseconds(_ duration: Duration) -> String {
        let microseconds = duration.microseconds
        let fraction = String(microseconds % 1000)
        return count(microseconds / 1000) + "."
            + String(repeating: "0", count: max(0, 3 - fraction.utf8.count)) + fraction + " ms"
    }

    /// One call that was made for a request: who, what came of it, when, and what it is known to
    /// have used.
    static func words(_ attempt: Attempt) -> String {
        let status = attempt.status.map { " (status \($0))" } ?? ""
        let tokens =
            if attempt.outcome == .answered || attempt.outcome == .brokeOff {
                "its tokens are the request's"
            } else if let usage = attempt.usage {
                "used prompt \(count(usage.prompt)), completion \(count(usage.completion))"
            } else {
                "nothing is known of its tokens"
            }
        return "\(attempt.backend): \(attempt.outcome.name)\(status) after"
            + " \(milliseconds(attempt.begunAfter)), took \(milliseconds(attempt.duration)),"
            + " \(tokens)"
    }

    /// A basis for programs.
    static func name(_ basis: UsageBasis) -> String {
        switch basis {
        case .reported: "reported"
        case .counted: "counted"
        case .recovered: "recovered"
        case .swept: "swept"
        case .void: "void"
        case .late: "late"
        }
    }

    /// A basis in a sentence.
    static func words(_ basis: UsageBasis) -> String {
        switch basis {
        case .reported: "reported: the backend said how many tokens it used"
        case .counted: "counted: the gateway counted the stream, the backend's report never came"
        case .recovered: "recovered: the node was restarted and settled it from its journal"
        case .swept: "swept: the node died, and the bound was charged"
        case .void: "void: it failed before the client got a byte"
        case .late: "late: it was booked after an outage of the ledger"
        }
    }

    /// An end state in a sentence.
    static func words(_ state: EndState) -> String {
        switch state {
        case .finished: "finished: the answer is complete"
        case .cutAtBound: "cut: the gateway ended the stream at the bound"
        case .clientGone: "cut: the client left"
        case .backendFailed: "cut: the backend failed after the client had bytes"
        case .failedBeforeFirstByte: "failed: the client got no byte"
        case .revoked: "cut: the key was revoked"
        case .drained: "cut: the gateway was stopped"
        case .nodeLost: "unknown: the node died"
        }
    }
}
