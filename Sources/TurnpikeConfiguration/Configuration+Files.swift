import Domain
import Foundation

extension Configuration {
    /// Reads and checks the configuration file at `path`. Files it names are not looked at here,
    /// since an admin command needs fewer of them than a gateway; see
    /// ``problemsForServing(environment:)``.
    public static func load(
        path: String, environment: @escaping (String) -> String?
    ) throws(ConfigurationFailure) -> Configuration {
        func failure(_ message: String) -> ConfigurationFailure {
            ConfigurationFailure(problems: [
                ConfigurationProblem(file: path, line: nil, key: nil, message: message)
            ])
        }
        guard FileManager.default.fileExists(atPath: path) else {
            throw failure("there is no such file; give the path of a configuration file")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw failure("cannot be read; give a file that this user may read")
        }
        guard data.count <= 1_048_576 else { throw failure("is larger than 1 MiB") }
        guard let text = String(bytes: data, encoding: .utf8) else {
            throw failure("is not UTF-8 text")
        }
        return try parse(text, file: path, environment: environment)
    }

    /// What would keep a gateway from serving although the file is right in itself: a model file
    /// that is not there, an upstream's key that the environment does not have. Empty when nothing
    /// would.
    public func problemsForServing(
        environment: (String) -> String?
    ) -> [ConfigurationProblem] {
        backends.compactMap { backend in
            switch backend.kind {
            case .localEngine(let engine):
                engineProblem(engine, backend)
            case .openAI(let upstream):
                keyProblem(upstream.apiKeyVariables, backend, environment)
                    ?? authorityProblem(upstream.connection, backend)
            case .anthropic(let upstream):
                keyProblem(upstream.apiKeyVariables, backend, environment)
                    ?? authorityProblem(upstream.connection, backend)
            }
        }
    }

    private func engineProblem(
        _ engine: EngineDescription, _ backend: BackendDescription
    ) -> ConfigurationProblem? {
        let files = FileManager.default
        if !files.isReadableFile(atPath: engine.modelFile) {
            return problem(
                backend, "model_file",
                "\"\(engine.modelFile)\" cannot be read; give a GGUF file that this user may read")
        }
        if let command = engine.command, !files.isExecutableFile(atPath: command) {
            return problem(
                backend, "command", "\"\(command)\" cannot be run; give the path of llama-server")
        }
        return nil
    }

    private func authorityProblem(
        _ connection: UpstreamConnection, _ backend: BackendDescription
    ) -> ConfigurationProblem? {
        guard let file = connection.certificateAuthorityFile,
            !FileManager.default.isReadableFile(atPath: file)
        else { return nil }
        return problem(
            backend, "ca_file",
            "\"\(file)\" cannot be read; give a PEM file that this user may read")
    }

    private func keyProblem(
        _ variables: [String], _ backend: BackendDescription, _ environment: (String) -> String?
    ) -> ConfigurationProblem? {
        func isUnfit(_ variable: String) -> Bool {
            let value = environment(variable) ?? ""
            return value.isEmpty || value.utf8.contains { $0 < 0x21 || $0 > 0x7E }
        }
        guard let variable = variables.first(where: isUnfit) else { return nil }
        let value = environment(variable) ?? ""
        return problem(
            backend, "api_key_env",
            value.isEmpty
                ? "the environment variable \(variable) is not set; it holds the upstream's key"
                : "the environment variable \(variable) holds spaces or control characters")
    }

    private func problem(
        _ backend: BackendDescription, _ key: String, _ message: String
    ) -> ConfigurationProblem {
        ConfigurationProblem(
            file: file, line: backend.line, key: "backends.\(backend.name).\(key)",
            message: message)
    }
}
