import Domain
import Foundation
import Logging
import TestSupport
import Testing

@testable import Gateway

/// Real engines that are loaded when calls ask for them.
@Suite(.serialized, .timeLimit(.minutes(1))) struct EnginesOnDemand {
    /// Two engines, `a` and `b`, that run until `body` is done.
    private func withEngines(
        in folder: TemporaryFolder, budget: Int64 = 1500, idle: Duration = .seconds(600),
        change: (inout LocalEngineConfiguration) throws -> Void = { _ in },
        _ body: (LocalEngine, LocalEngine) async throws -> Void
    ) async throws {
        let configurations = try ["a", "b"].map { name in
            var configuration = try TestEngine.configuration(in: folder, slots: 1)
            configuration.name = name
            configuration.logFile = "\(folder.path)/\(name).log"
            configuration.start = .onDemand(idleUnload: idle)
            // Far more than they take, so that only one fits however it is measured.
            configuration.memory = 1000 << 20
            try change(&configuration)
            return configuration
        }
        let residency = try #require(
            try EngineResidency.make(
                for: configurations, budget: budget << 20, time: SystemTime(), logger: .quiet))
        let engines = configurations.map {
            LocalEngine(
                $0, residency: residency, logger: .quiet, time: SystemTime(),
                random: { UInt64.random(in: .min ... .max) })
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await residency.run() }
            for engine in engines { group.addTask { try await engine.run() } }
            defer { group.cancelAll() }
            try await body(engines[0], engines[1])
        }
    }

    private func sockets(_ folder: TemporaryFolder) -> Int {
        // Until the first start there is no folder.
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/run"))?.count ?? 0
    }

    private let question = BackendCall.ask("What is the capital of Japan?")

    @Test func `one is loaded by the call that asks for it, and goes for the other`() async throws {
        let folder = try TemporaryFolder()
        try await withEngines(in: folder) { a, b in
            #expect(a.unavailability == nil && b.unavailability == nil)
            // A count before admission loads nothing.
            #expect(try await a.promptTokens(of: question) == nil)
            #expect(sockets(folder) == 0)
            for _ in 0..<2 {
                for engine in [a, b] {
                    let answer = try await engine.forward(question)
                    #expect(answer.queueTime > .milliseconds(10), "it waited for the model")
                    #expect(try await WholeAnswer(answer).text.contains("Tokyo"))
                    #expect(sockets(folder) == 1, "one at a time fits")
                    #expect(try await engine.promptTokens(of: question) != nil)
                }
            }
        }
        #expect(sockets(folder) == 0)
    }

    @Test func `one in use stays, and who waits for its room in vain is told so`() async throws {
        let folder = try TemporaryFolder()
        try await withEngines(in: folder, change: { $0.queueTimeout = .seconds(2) }) { a, b in
            let held = try await a.forward(.ask("Tell me a story.", bound: 900))
            let refused = await failure { _ = try await b.forward(question) }
            #expect(refused?.kind == .notReady(retryAfter: .seconds(1)))
            #expect(refused?.detail.contains("in time") == true)
            // It is the same process that goes on.
            #expect(try await held.next() != nil)
            held.cancel()
            #expect(try await WholeAnswer(b.forward(question)).text.contains("Tokyo"))
        }
    }

    @Test func `one that is idle for its time goes, and comes again`() async throws {
        let folder = try TemporaryFolder()
        try await withEngines(in: folder, idle: .seconds(1)) { a, _ in
            _ = try await WholeAnswer(a.forward(question))
            #expect(sockets(folder) == 1)
            while sockets(folder) > 0 { await Task.yield() }
            _ = try await WholeAnswer(a.forward(question))
        }
    }

    @Test func `one that dies is started again for the next call, which waits for it`()
        async throws
    {
        let folder = try TemporaryFolder()
        let marker = folder.path + "/pid"
        try await withEngines(
            in: folder,
            change: { configuration in
                let script = folder.path + "/engine"
                try "#!/bin/sh\necho $$ > \(marker)\nexec \(configuration.command) \"$@\""
                    .write(toFile: script, atomically: true, encoding: .utf8)
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o755], ofItemAtPath: script)
                configuration.command = script
            }
        ) { a, _ in
            let answer = try await a.forward(.ask("Tell me a story.", bound: 900))
            let text = try String(contentsOfFile: marker, encoding: .utf8)
            kill(
                try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))), SIGKILL)
            // It may have arrived whole before.
            _ = await failure { while try await answer.next() != nil {} }
            // Whoever comes before its end was seen meets it; whoever comes then waits for the next.
            while true {
                var text = ""
                let ending = await failure {
                    text = try await WholeAnswer(a.forward(question)).text
                }
                guard let ending else {
                    #expect(text.contains("Tokyo"))
                    return
                }
                let isBefore = [.unreachable, .notReady(retryAfter: .seconds(1))]
                    .contains(ending.kind)
                try #require(isBefore, "\(ending)")
            }
        }
    }

    @Test func `one that does not start is told after a few tries, and then at once`()
        async throws
    {
        let folder = try TemporaryFolder()
        try await withEngines(
            in: folder, change: { $0.modelFile = folder.path + "/absent.gguf" }
        ) { a, _ in
            let refused = await failure { _ = try await a.forward(question) }
            #expect(refused?.kind == .notReady(retryAfter: .seconds(30)))
            let begin = ContinuousClock.now
            let again = await failure { _ = try await a.forward(question) }
            guard case .notReady(let wait)? = again?.kind else {
                Issue.record("ended with \(String(describing: again))")
                return
            }
            #expect(wait > .seconds(20) && ContinuousClock.now - begin < .seconds(1))
            #expect(a.unavailability != nil)
        }
    }

    @Test func `a budget without room for what it must hold is refused at the start`() throws {
        func fault(_ budget: Int64?, _ engines: [(LocalEngineConfiguration.Start, Int64)])
            -> String?
        {
            let configurations = engines.enumerated().map { number, engine in
                var configuration = LocalEngineConfiguration(
                    name: "e\(number)", command: "", modelFile: "", alias: "", slots: 1,
                    contextTokensPerSlot: 1, threads: nil, environment: [:], logFile: "",
                    socketDirectory: "")
                (configuration.start, configuration.memory) = engine
                return configuration
            }
            do {
                let made = try EngineResidency.make(
                    for: configurations, budget: budget, time: SystemTime(), logger: .quiet)
                return made == nil ? "nothing to look after" : nil
            } catch {
                return error.description
            }
        }
        let later = LocalEngineConfiguration.Start.onDemand(idleUnload: .seconds(1))
        #expect(fault(nil, [(.always, 9)]) == "nothing to look after")
        #expect(fault(10_000_000, [(.always, 5_000_000), (later, 5_000_000)]) == nil)
        let tight = fault(9_000_000, [(.always, 5_000_000), (later, 5_000_000)])
        #expect(tight?.contains("needs about 5 MB, and beside") == true, "\(tight ?? "")")
        #expect(fault(9_000_000, [(.always, 5_000_000), (.always, 5_000_000)]) != nil)
    }
}
