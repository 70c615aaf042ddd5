import Domain

extension ExplainView {
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
