import ArgumentParser
import Domain
import Ledger

/// Names that only the ledger knows, for completions. A shell that completes must never show an
/// error: whatever goes wrong, there is nothing to offer.
enum LedgerCompletions {
    /// The names of organizations, for the ledger that the words so far name.
    static func organizations(_ words: [String]) -> [String] {
        names(words) { ledger in try ledger.organizations().map(\.name) }
    }

    /// The teams of the organization that the words so far name.
    static func teams(_ words: [String]) -> [String] {
        inOrganization(words) { ledger, owner in try ledger.teams(in: owner).map(\.name) }
    }

    /// The ids of that organization's keys that may still be used.
    static func keys(_ words: [String]) -> [String] {
        inOrganization(words) { ledger, owner in
            try ledger.keys(in: owner, of: nil).filter { $0.state == .active }
                .map(\.id.description)
        }
    }

    /// The models that gateways serve or have served.
    static func models(_ words: [String]) -> [String] { names(words) { try $0.models() } }

    private static func inOrganization(
        _ words: [String], _ body: (any AdminLedger, OrganizationEntry) throws -> [String]
    ) -> [String] {
        names(words) { ledger in
            let name = value(of: "--organization", in: words) ?? "default"
            return try ledger.findOrganization(name).map { try body(ledger, $0) } ?? []
        }
    }

    private static func names(
        _ words: [String], _ body: (any AdminLedger) throws -> [String]
    ) -> [String] {
        do {
            let file = value(of: "--config", in: words)
            // Names may hold anything but control characters; a shell splits at the others.
            return try body(AdminEnvironment.current.openLedger(file))
                .filter { name in
                    name.allSatisfy { $0.isLetter || $0.isNumber || "-_.".contains($0) }
                }
        } catch {
            // Nothing to offer: who asked sees the command's own error when it runs.
            return []
        }
    }

    /// The value of an option in the words typed so far, as `--name value` or `--name=value`.
    static func value(of option: String, in words: [String]) -> String? {
        for (index, word) in words.enumerated().reversed() {
            if word.hasPrefix(option + "=") { return String(word.dropFirst(option.count + 1)) }
            if word == option, index + 1 < words.count { return words[index + 1] }
        }
        return nil
    }
}

extension CompletionKind {
    /// The organizations of the ledger.
    static var organizations: CompletionKind {
        .custom { words, _, _ in LedgerCompletions.organizations(words) }
    }
    /// The teams of the organization.
    static var teams: CompletionKind {
        .custom { words, _, _ in LedgerCompletions.teams(words) }
    }
    /// The models of the ledger.
    static var models: CompletionKind {
        .custom { words, _, _ in LedgerCompletions.models(words) }
    }
    /// The keys of the organization.
    static var keys: CompletionKind {
        .custom { words, _, _ in LedgerCompletions.keys(words) }
    }
}
