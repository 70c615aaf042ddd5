import Domain

/// Shows a key that was just made, this once: on the terminal, or in a new file.
struct SecretHandover {
    private let file: SecretFile?

    /// Reserves the file, if there is to be one, before anything is made.
    init(file path: String?) throws(AdminFailure) {
        file = try path.map { path throws(AdminFailure) in try SecretFile.reserve(path) }
    }

    /// Nothing was made.
    func discard() { file?.discard() }

    /// Hands the secret over; `more` are lines for people behind it.
    func show(
        _ minted: borrowing MintedKeyEntry, _ desk: AdminDesk, _ organization: OrganizationEntry,
        more: [String]
    ) throws {
        let secret = minted.secret.withBytes { String(decoding: $0, as: UTF8.self) }
        let key = minted.key
        do {
            try file?.fill(secret)
            var record = KeyView.record(key, organization)
            record.fields.insert(
                file == nil ? ("key", .text(secret)) : ("secret_file", .text(file?.path ?? "")),
                at: 1)
            try desk.answer(record) { block(key, secret, desk) + more }
        } catch {
            throw AdminFailure.refused(
                "Key \(key.id) was made, but its secret could not be handed over and is lost.",
                advice: "Revoke it: turnpike admin key revoke \(key.id)\(desk.flag(organization))")
        }
    }

    private func block(_ key: KeyEntry, _ secret: String, _ desk: AdminDesk) -> [String] {
        let details = DetailFormatter(width: desk.output.width, style: desk.output.style).lines([
            (name: "Key id", value: key.id.description),
            (name: "Name", value: key.name),
            (name: "Team", value: key.team),
            (name: "Models", value: key.models?.joined(separator: ", ") ?? "all"),
            (name: "Expires", value: key.expiresAt.map { TimeText.short($0) + " UTC" } ?? "never"),
        ])
        // Alone on its line, so that a double click and a pipe take the whole of it.
        let shown = file.map { "The key is in \(DisplayWidth.printable($0.path))" } ?? secret
        return [desk.output.style.bold(shown), ""] + details + [
            "", "Shown once: only a digest is stored. Lost means revoked and made anew.",
        ]
    }
}
