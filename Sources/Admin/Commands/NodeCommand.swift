import ArgumentParser
import Domain
import Ledger

/// `admin node`.
struct NodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "The gateways that use this ledger.",
        subcommands: [List.self, WriteOffCommand.self])

    /// `admin node list`.
    struct List: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "List the nodes that are at work, or for which something is held.",
            discussion: """
                A node is live, silent (no beat for 15 seconds) or fenced: it stopped, or another node found it dead. \
                Open are its requests that are not settled; leased is what it holds of quotas and no request has claimed. \
                What a fenced node holds is kept for the journal on its disk, until it returns or is written off.

                Example:
                  turnpike admin node list
                """)

        @Flag(help: "Nodes that are gone and left nothing, too.")
        var all = false
        @OptionGroup var options: AdminOptions

        func execute(_ desk: AdminDesk) throws {
            let nodes = try desk.ledger.nodes().filter { all || $0.isOfInterest }
            try desk.answer(nodes.map(NodeView.record), names: NodeView.names) {
                nodes.isEmpty
                    ? ["No nodes\(all ? "" : " at work; --all shows those that are gone")."]
                    : NodeView.table(nodes, desk)
            }
        }
    }

    /// `admin node write-off NODE`.
    struct WriteOffCommand: AdminSubcommand {
        static let configuration = CommandConfiguration(
            commandName: "write-off",
            abstract: "Give back what is kept for a node that will never return.",
            discussion: """
                A node may serve requests while the ledger is away; until it is back they are in the journal on the \
                node's disk alone. When such a node dies, what was free of its leases is kept for that journal. Starting \
                the node again on its disk settles everything exactly, and is what you want whenever the disk is there.

                Writing the node off says that the disk is lost. Its units go back to their accounts, for other nodes to \
                use, and requests that are still open are charged at their bounds. If its journal ever returns, requests \
                that the ledger has not seen are recorded without a charge. This cannot be undone; repeating it changes \
                nothing. A live node is refused, and so is one that beat in the last 90 seconds.

                Example:
                  turnpike admin node write-off 5577006791947779410 --yes
                """)

        @Argument(
            help: "The node's number, as `node list` shows it.",
            transform: { try NodeText.parse($0) })
        var node: Int64
        @Flag(help: "Do not ask.")
        var yes = false
        @OptionGroup var options: AdminOptions

        func execute(_ desk: AdminDesk) throws {
            guard let status = try desk.ledger.nodes().first(where: { $0.node == node }) else {
                throw AdminFailure.notFound(
                    "node", String(node),
                    advice: "See `turnpike admin node list --all` for those there are.")
            }
            if status.state == .live { throw refusal(status.silence) }
            var returned = WriteOff.Returned()
            if status.leases > 0 || status.openRequests > 0 {
                guard status.silence >= NodeStore.leastSilence else {
                    throw refusal(status.silence)
                }
                try desk.confirm(question(status), isConfirmed: yes)
                switch try desk.ledger.writeOffNode(node) {
                case .done(let done): returned = done
                case .mayBeAlive(let silence): throw refusal(silence)
                }
            }
            try desk.answer(NodeView.record(node, returned)) {
                TextWrap.lines(answer(returned), width: desk.output.width)
            }
        }

        private func question(_ status: NodeStatus) -> String {
            let open =
                status.openRequests == 0
                ? ""
                : " \(NodeView.requests(status.openRequests)) will be charged at the bound."
            return "Write off node \(node)? "
                + "\(NodeView.leases(status.leases, status.leased)) will go back to the accounts.\(open) "
                + "Requests that only its journal knows will never be charged."
        }

        private func answer(_ returned: WriteOff.Returned) -> String {
            guard returned.leases > 0 || returned.sweptRequests > 0 else {
                return "Nothing is held for node \(node)."
            }
            let swept =
                returned.sweptRequests == 0
                ? "" : " \(NodeView.requests(returned.sweptRequests)) charged at the bound."
            return "Node \(node) is written off. Given back: "
                + "\(NodeView.leases(returned.leases, returned.units)).\(swept)"
        }

        private func refusal(_ silence: Duration) -> AdminFailure {
            let seconds = silence.components.seconds
            return .refused(
                "Node \(node) beat \(seconds) \(seconds == 1 ? "second" : "seconds") ago: it may be"
                    + " at work.",
                advice: "Nothing was changed. A node can be written off once it has been silent for"
                    + " \(NodeStore.leastSilence.components.seconds) seconds.")
        }
    }
}

extension NodeStatus {
    /// Whether it is at work, or something is held for it.
    fileprivate var isOfInterest: Bool { state != .fenced || leases > 0 || openRequests > 0 }
}

/// Reads a node's number.
enum NodeText {
    /// What is wrong with the number.
    struct Fault: Error, CustomStringConvertible {
        let description = "give a node's number, as `turnpike admin node list` shows it"
    }

    /// A node's number: 63 bits, never zero.
    static func parse(_ text: String) throws(Fault) -> Int64 {
        guard let node = Int64(text), node > 0 else { throw Fault() }
        return node
    }
}
