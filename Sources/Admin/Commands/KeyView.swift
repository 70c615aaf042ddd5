import Domain
import Ledger

/// A key as people and programs see it.
enum KeyView {
    /// The fields of a key for programs.
    static let names = [
        "key_id", "name", "team", "organization", "state", "last4", "models", "stream_usage",
        "mirror_reasoning", "created_at", "expires_at", "revoked_at", "revoke_reason",
        "suspended", "suspend_reason", "replaced_by", "endpoints", "tags",
        "max_completion_tokens", "clamp", "pepper_id", "last_used_at",
    ]

    /// A key for programs.
    static func record(_ key: KeyEntry, _ organization: OrganizationEntry) -> Record {
        let values: [Record.Value] = [
            .text(key.id.description), .text(key.name), .text(key.team), .text(organization.name),
            .text(key.state.rawValue), .text(key.last4),
            key.models.map(Record.Value.names) ?? .missing,
            .flag(key.streamsUsage), .flag(key.mirrorsReasoning),
            .text(TimeText.iso(key.createdAt)),
            .optional(key.expiresAt.map(TimeText.iso)), .optional(key.revokedAt.map(TimeText.iso)),
            .optional(key.revokeReason), .optional(key.suspended?.name),
            .optional(key.suspendReason), .optional(key.replacedBy?.description),
            key.endpoints.map(Record.Value.names) ?? .missing, .names(key.tags),
            .optional(key.defaultCompletionTokens), .flag(key.clamps),
            .integer(Int64(key.pepper)),
            .optional(key.lastUsedAt.map(TimeText.iso)),
        ]
        return Record(names, values)
    }

    /// A key for people.
    static func details(
        _ key: KeyEntry, _ organization: OrganizationEntry
    ) -> [(name: String, value: String)] {
        var pairs = [
            ("Key", key.id.description), ("Name", key.name), ("Team", key.team),
            ("Organization", organization.name), ("State", key.state.rawValue),
            ("Ends in", key.last4), ("Models", key.models?.joined(separator: ", ") ?? "all"),
            ("Created", TimeText.short(key.createdAt)),
            ("Expires", key.expiresAt.map { TimeText.short($0) } ?? "never"),
        ]
        if key.streamsUsage { pairs.append(("Stream usage", "always")) }
        if key.mirrorsReasoning { pairs.append(("Reasoning", "under both names")) }
        pairs += scope(key) + end(key)
        pairs.append(("Last used", key.lastUsedAt.map { TimeText.short($0) } ?? "never"))
        pairs.append(("Pepper", String(key.pepper)))
        return pairs.map { (name: $0.0, value: $0.1) }
    }

    private static func scope(_ key: KeyEntry) -> [(String, String)] {
        var pairs: [(String, String)] = []
        if let endpoints = key.endpoints {
            pairs.append(("Endpoints", endpoints.joined(separator: ", ")))
        }
        if !key.tags.isEmpty { pairs.append(("Tags", key.tags.joined(separator: ", "))) }
        if let bound = key.defaultCompletionTokens {
            pairs.append(("Usual bound", NumberText.grouped(Int128(bound)) + " completion tokens"))
        }
        if key.clamps { pairs.append(("Too large", "made smaller, not refused")) }
        return pairs
    }

    private static func end(_ key: KeyEntry) -> [(String, String)] {
        var pairs: [(String, String)] = []
        if let successor = key.replacedBy { pairs.append(("Replaced by", successor.description)) }
        if let level = key.suspended {
            pairs.append(("Suspended", level == .key ? "itself" : "its \(level.name)"))
        }
        if let reason = key.suspendReason { pairs.append(("Reason", reason)) }
        if let revokedAt = key.revokedAt { pairs.append(("Revoked", TimeText.short(revokedAt))) }
        if let reason = key.revokeReason { pairs.append(("Reason", reason)) }
        return pairs
    }
}
