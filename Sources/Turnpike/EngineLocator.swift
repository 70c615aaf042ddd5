import Foundation

/// Finds what the local engine needs: llama-server and the demo model.
struct EngineLocator {
    let environment: [String: String]

    /// The path of llama-server: `$LLAMA_SERVER`, the PATH, or where `deploy/install-engine` puts
    /// it.
    func engine() throws(StartupFailure) -> String {
        if let named = environment["LLAMA_SERVER"], !named.isEmpty {
            guard FileManager.default.isExecutableFile(atPath: named) else {
                throw StartupFailure(
                    "LLAMA_SERVER is \(named), which is no program that can be run")
            }
            return named
        }
        let folders = ExecutableSearch.folders(ofPath: environment["PATH"]) + installed
        if let found = ExecutableSearch.first("llama-server", in: folders) { return found }
        throw StartupFailure(
            "llama-server was not found; run deploy/install-engine, put it on the PATH, "
                + "or set LLAMA_SERVER to its path")
    }

    /// The folders of the cache that hold an engine, built ones first.
    private var installed: [String] {
        guard let cache = cacheFolder else { return [] }
        // No cache, then nothing is installed in it.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: cache)) ?? []
        let engines = names.filter { $0.hasPrefix("source-") || $0.hasPrefix("wheel-") }
        return engines.sorted(by: <).map { "\(cache)/\($0)" }
    }

    private var cacheFolder: String? {
        if let named = environment["TURNPIKE_ENGINE_CACHE"], !named.isEmpty { return named }
        if let cache = environment["XDG_CACHE_HOME"], !cache.isEmpty {
            return "\(cache)/turnpike/engine"
        }
        return environment["HOME"].map { "\($0)/.cache/turnpike/engine" }
    }

    /// The path of the demo model: `$TURNPIKE_DEMO_MODEL`, beside an installed program, or in the
    /// repository that the program was built in.
    func demoModel(executable: String) throws(StartupFailure) -> String {
        var candidates = [environment["TURNPIKE_DEMO_MODEL"]].compactMap(\.self)
        let program = URL(filePath: executable).resolvingSymlinksInPath()
        candidates.append(
            program.deletingLastPathComponent().deletingLastPathComponent()
                .appending(path: "share/turnpike/demo.gguf").path)
        var folder = program.deletingLastPathComponent()
        for _ in 0..<6 where folder.path != "/" {
            candidates.append(folder.appending(path: "deploy/demo-model/demo.gguf").path)
            folder = folder.deletingLastPathComponent()
        }
        if let found = candidates.first(where: FileManager.default.isReadableFile(atPath:)) {
            return found
        }
        throw StartupFailure(
            "the demo model was not found; set TURNPIKE_DEMO_MODEL to deploy/demo-model/demo.gguf")
    }
}
