/// The configuration that `turnpike up` writes for itself, and how it knows its own hand again.
struct GeneratedConfiguration {
    var listen: String
    var adminListen: String
    var database: String
    var engineCommand: String
    var modelFile: String

    private static let start =
        "# Written by turnpike up, which writes it anew as long as nobody changes it: "

    /// The whole file.
    var text: String {
        let body = """
            # Change what you like: from then on turnpike up runs with it as it is.
            listen: \(quoted(listen))
            admin_listen: \(quoted(adminListen))
            database: \(quoted(database))
            data_dir: journal
            pepper_file: pepper

            backends:
              local:
                kind: local_engine
                command: \(quoted(engineCommand))
                model_file: \(quoted(modelFile))   # any GGUF file; without threads a large one uses every core
                slots: 4
                threads: 1

            models:
              demo:
                backends: [local]
                context_tokens: 1024
                max_completion_tokens: 512

            """
        return "\(Self.start)\(Self.checksum(body))\n\(body)"
    }

    /// Whether `text` is a file that we wrote and nobody has changed since.
    static func isUnchanged(_ text: String) -> Bool {
        guard text.hasPrefix(start), let end = text.firstIndex(of: "\n") else { return false }
        let stated = text[..<end].dropFirst(start.count)
        return stated == checksum(String(text[text.index(after: end)...]))
    }

    /// FNV-1a in base 36: against slips, not against malice.
    private static func checksum(_ body: String) -> String {
        let hash = body.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { hash, byte in
            (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
        return String(hash, radix: 36)
    }

    /// A YAML scalar in single quotes, with `${` kept from being read as a variable.
    private func quoted(_ text: String) -> String {
        "'\(text.replacing("'", with: "''").replacing("${", with: "$${"))'"
    }
}
