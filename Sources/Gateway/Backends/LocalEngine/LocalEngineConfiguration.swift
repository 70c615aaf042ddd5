/// The local engine: which model it serves and how its process is run.
public struct LocalEngineConfiguration: Sendable {
    /// The backend's name.
    public var name: String
    /// What is run: a path, or a name to be found on the `PATH`. It takes llama-server's arguments.
    public var command: String
    /// The GGUF file.
    public var modelFile: String
    /// The name the engine gives its model; without one it would tell the file's path.
    public var alias: String
    /// How many calls run at once.
    public var slots: Int
    /// The context window of each slot, prompt and completion together.
    public var contextTokensPerSlot: Int
    /// How many threads generate; nil leaves it to the engine. One is best for a model of a few
    /// megabytes.
    public var threads: Int?
    /// Appended to the engine's arguments.
    public var extraArguments: [String] = []
    /// The process's environment, of which only what an engine needs is passed on.
    public var environment: [String: String]
    /// Where the engine's output goes; a second file with `.1` appended keeps what was before.
    public var logFile: String
    /// A folder of the gateway's own for the engine's socket, made with mode 0700 if it does not
    /// exist.
    public var socketDirectory: String
    /// From the start of the process until it has loaded its model.
    public var startTimeout = Duration.seconds(120)
    /// Whether it is always loaded.
    public var start = Start.always
    /// What it takes of the memory budget, in bytes; nil estimates it by the model's file.
    public var memory: Int64?
    /// How many calls wait when every slot is in use.
    public var queueLength = 256
    /// How long a call waits for a slot.
    public var queueTimeout = Duration.seconds(30)
    /// How teams share the slots.
    public var shares = EngineShares()
    /// Of each call. The first byte comes after the prompt was read, which takes long on a slow
    /// machine.
    public var limits = UpstreamLimits(firstByteTimeout: .seconds(300))

    /// When an engine is loaded.
    public enum Start: Sendable, Hashable {
        /// With the gateway, until it stops.
        case always
        /// When a call asks for it, until it had none for so long, or others need its memory.
        case onDemand(idleUnload: Duration)
    }

    /// Makes a configuration; what is not given has its default, and can be set.
    public init(
        name: String, command: String, modelFile: String, alias: String, slots: Int,
        contextTokensPerSlot: Int, threads: Int?, environment: [String: String], logFile: String,
        socketDirectory: String
    ) {
        self.name = name
        self.command = command
        self.modelFile = modelFile
        self.alias = alias
        self.slots = slots
        self.contextTokensPerSlot = contextTokensPerSlot
        self.threads = threads
        self.environment = environment
        self.logFile = logFile
        self.socketDirectory = socketDirectory
    }

    /// The arguments of a start.
    func arguments(socket: String, key: UpstreamCredential) -> [String] {
        var arguments = [
            command, "--model", modelFile, "--host", socket, "--alias", alias,
            "--ctx-size", String(slots * contextTokensPerSlot), "--parallel", String(slots),
            "--api-key", String(decoding: key.bytes, as: UTF8.self),
        ]
        if let threads { arguments += ["--threads", String(threads)] }
        return arguments + extraArguments
    }

    /// What an engine needs of the gateway's environment. The gateway's own secrets stay behind,
    /// and so do llama-server's `LLAMA_ARG_…`, which would change what the arguments say.
    var passedEnvironment: [String: String] {
        let names: Set = ["PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR", "XDG_CACHE_HOME"]
        let prefixes = ["LC_", "CUDA_", "GGML_", "HIP_", "ROCR_", "VK_", "OMP_"]
        return environment.filter { name, _ in
            names.contains(name) || prefixes.contains { name.hasPrefix($0) }
        }
    }
}
