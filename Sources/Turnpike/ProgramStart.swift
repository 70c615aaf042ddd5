import Foundation
import Logging
import TurnpikeConfiguration

/// What every command that serves does first: settle what the process may leave behind, read the
/// configuration, and open the log.
struct ProgramStart: Sendable {
    let configuration: Configuration
    let environment: [String: String]
    let time: SystemTime

    /// Reads a configuration file and checks it for serving.
    init(configurationFile: String) throws {
        try self.init(
            configuration: Configuration.load(
                path: configurationFile, environment: { ProcessEnvironment.current[$0] }))
    }

    /// Takes a configuration that was read already.
    init(configuration: Configuration) throws {
        Self.prepareProcess()
        self.configuration = configuration
        environment = ProcessEnvironment.current
        #if DEBUG
            try FailpointArming.arm(from: environment)
        #endif
        time = SystemTime()
        let problems = configuration.problemsForServing { [environment] in environment[$0] }
        guard problems.isEmpty else { throw ConfigurationFailure(problems: problems) }
    }

    /// Neither core dumps nor files that others may read.
    static func prepareProcess() {
        SystemCalls.disableCoreDumps()
        _ = umask(0o077)
    }

    /// The rooms, put together. Reads the pepper; opens nothing else yet.
    func node(acceptsOlderLedger: Bool) throws -> Wiring {
        try Wiring(
            configuration: configuration, environment: environment,
            acceptsOlderLedger: acceptsOlderLedger, time: time, logger: logger())
    }

    private func logger() -> Logger {
        let form: StandardErrorLog.Form = configuration.logFormat == .json ? .json : .text
        let level = Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info
        return Logger(label: "turnpike") { [time] label in
            StandardErrorLog(label: label, form: form, level: level, time: time)
        }
    }
}

/// The environment the process was started with.
enum ProcessEnvironment {
    /// Every variable.
    static var current: [String: String] { ProcessInfo.processInfo.environment }
}
