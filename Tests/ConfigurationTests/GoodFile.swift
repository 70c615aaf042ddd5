import TurnpikeConfiguration

/// A small file without a mistake, to make one in.
enum GoodFile {
    static let text = """
        listen: 127.0.0.1:8080
        database: postgres:///turnpike
        data_dir: /var/lib/turnpike
        pepper_file: pepper
        key_prefix: sk-acme
        backends:
          local: { kind: local_engine,
            model_file: demo.gguf,
            slots: 2 }
          openai: { kind: openai, base_url: https://api.example.com/v1 }
        models:
          demo:
            { backends: [local], context_tokens: 1024, max_completion_tokens: 512 }
        """

    struct NotThere: Error { let text: String }

    /// The file with one piece replaced; throws when the piece is not there.
    static func text(replacing piece: String, with other: String) throws -> String {
        guard text.contains(piece) else { throw NotThere(text: piece) }
        return text.replacing(piece, with: other)
    }

    static func read(
        _ text: String, environment: [String: String] = [:]
    ) throws(ConfigurationFailure) -> Configuration {
        try Configuration.parse(text, file: "good.yaml") { environment[$0] }
    }

    /// The kind of a backend that is described by `members`.
    static func anthropic(_ members: String) throws -> BackendDescription.Kind {
        let file = try text(
            replacing: "kind: openai, base_url: https://api.example.com/v1", with: members)
        return try read(file).backends[1].kind
    }

    /// What is said of a file; empty when it is accepted.
    static func problems(of text: String, environment: [String: String] = [:]) -> [String] {
        do {
            _ = try read(text, environment: environment)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }
}
