import Domain
import Foundation
import Ledger
import TurnpikeConfiguration

/// Looks at everything that a gateway needs, one thing after the other: a fault of one keeps none
/// of the others from being looked at.
struct Doctor: Sendable {
    /// A variable of the environment.
    let environment: @Sendable (String) -> String?
    /// What this machine says of itself.
    let machine: @Sendable () -> MachineFacts
    /// What the disk of a folder says: free bytes, and how long it takes to sync; nil for what it
    /// does not say.
    let disk: @Sendable (_ folder: String) -> (freeBytes: Int64?, syncTime: Duration?)
    /// What the database says of itself.
    let database: @Sendable (_ url: String) throws(LedgerError) -> DatabaseFacts
    /// This machine's clock.
    let time: @Sendable () -> Timestamp
    /// What only the whole program can look at.
    let parts: @Sendable () -> DoctorParts

    /// Every check of the configuration that an option named; upstreams are only called where
    /// `callsUpstreams` says so.
    func checks(_ option: String?, callsUpstreams: Bool) async -> [DoctorCheck] {
        let name = "configuration"
        let configuration: Configuration
        do {
            let file = try ConfigurationSearch.file(
                option: option, environment: environment,
                exists: { FileManager.default.fileExists(atPath: $0) })
            configuration = try Configuration.load(path: file, environment: environment)
        } catch let failure as ConfigurationFailure {
            return failure.problems.map {
                .fault(name, $0.description, "Correct the file; every other check needs it.")
            }
        } catch let failure as AdminFailure {
            return [.fault(name, failure.message, failure.advice ?? "")]
        } catch {
            return [.fault(name, "the file cannot be read", "May this user read it?")]
        }
        let machine = machine()
        var checks: [DoctorCheck] = [.ok(name, "\(configuration.file) is right in itself")]
        checks += databaseChecks(configuration)
        checks.append(pepper(configuration))
        checks += journal(configuration, machine)
        let problems = configuration.problemsForServing(environment: environment)
        for backend in configuration.backends {
            let own = problems.filter { $0.key?.hasPrefix("backends.\(backend.name).") == true }
            checks +=
                own.isEmpty
                ? await self.backend(backend, configuration, machine, callsUpstreams)
                : own.map { problem in
                    .fault(
                        "backend \(backend.name)", problem.message,
                        "See line \(problem.line ?? backend.line) of \(problem.file).")
                }
        }
        for (key, address) in [
            ("listen", configuration.listen), ("admin_listen", configuration.adminListen),
        ] {
            checks.append(
                MachineChecks.listener(
                    key, address, listening: machine.listening, user: machine.user))
        }
        checks.append(MachineChecks.descriptors(machine.descriptors))
        return checks
    }

    private func databaseChecks(_ configuration: Configuration) -> [DoctorCheck] {
        let earliest = time()
        do throws(LedgerError) {
            let facts = try database(configuration.database.connectionString)
            return DatabaseChecks.all(facts, earliest: earliest, latest: time())
        } catch {
            let failure = AdminFailure(error, configuration: configuration.file)
            return [.fault("database", failure.message, failure.advice ?? "")]
        }
    }

    private func pepper(_ configuration: Configuration) -> DoctorCheck {
        do throws(ConfigurationFailure) {
            let pepper = try TurnpikeConfiguration.Pepper(for: configuration)
            let count = pepper.withBytes { bytes in bytes.count }
            return .ok("pepper", "\(count) bytes that others may not read")
        } catch {
            let words = error.problems.map(\.message).joined(separator: "; ")
            return .fault(
                "pepper", words,
                "Restore the pepper that the keys were made under; a new one ends them all.")
        }
    }

    private func journal(
        _ configuration: Configuration, _ machine: MachineFacts
    ) -> [DoctorCheck] {
        let folder = configuration.dataDirectory
        guard let place = MachineFacts.place(folder) else {
            return MachineChecks.journal(
                folder, place: nil, user: machine.user, freeBytes: nil, syncTime: nil)
        }
        let disk = disk(folder)
        return MachineChecks.journal(
            folder, place: place, user: machine.user, freeBytes: disk.freeBytes,
            syncTime: disk.syncTime)
    }

    private func backend(
        _ backend: BackendDescription, _ configuration: Configuration, _ machine: MachineFacts,
        _ callsUpstreams: Bool
    ) async -> [DoctorCheck] {
        let url: String
        let variables: [String]
        switch backend.kind {
        case .localEngine(let engine):
            let bytes = MachineFacts.place(engine.modelFile)?.size ?? 0
            return [
                program(engine, "backend \(backend.name)"),
                MachineChecks.memory(backend.name, modelBytes: bytes, available: machine.memory),
            ]
        case .openAI(let upstream): (url, variables) = (upstream.baseURL, upstream.apiKeyVariables)
        case .anthropic(let upstream):
            (url, variables) = (upstream.baseURL, upstream.apiKeyVariables)
        }
        var answers: [DoctorParts.UpstreamAnswer]?
        if callsUpstreams {
            answers = await parts().askUpstream(configuration, backend.name, environment)
        }
        return UpstreamChecks(backend: backend.name, url: url, variables: variables)
            .all(answers, now: time())
    }

    private func program(_ engine: EngineDescription, _ name: String) -> DoctorCheck {
        if let command = engine.command { return .ok(name, "\(command) can be run") }
        switch parts().findEngine(environment) {
        case .found(let path): return .ok(name, "\(path) can be run")
        case .missing(let reason):
            return .fault(
                name, reason, "Run deploy/install-engine, or name the program with `command`.")
        }
    }
}

extension Doctor {
    /// Looks at the world as it is.
    static func program(time: @escaping @Sendable () -> Timestamp) -> Doctor {
        Doctor(
            environment: { ProcessInfo.processInfo.environment[$0] },
            machine: { MachineFacts.read() },
            disk: { (MachineFacts.freeBytes($0), MachineFacts.syncTime($0)) },
            database: { url throws(LedgerError) in try DatabaseFacts.read(url: url) }, time: time,
            parts: { DoctorParts.current })
    }
}
