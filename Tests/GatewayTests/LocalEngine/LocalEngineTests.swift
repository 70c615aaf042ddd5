import Domain
import Foundation
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(1)), .serialized) struct LocalEngines {
    private func folder() throws -> TemporaryFolder { try TemporaryFolder() }

    /// A configuration whose engine is a shell script, for what the real one does not do on demand.
    private func scripted(_ script: String, in folder: TemporaryFolder) throws
        -> LocalEngineConfiguration
    {
        let path = folder.path + "/engine"
        try ("#!/bin/sh\n" + script).write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return LocalEngineConfiguration(
            name: "local", command: path, modelFile: "none.gguf", alias: "demo", slots: 1,
            contextTokensPerSlot: 64, threads: 1,
            environment: ["PATH": "/usr/bin:/bin", "OPENAI_API_KEY": "sk-canary"],
            logFile: folder.path + "/engine.log", socketDirectory: folder.path + "/run")
    }

    /// The process id of an engine that prints it first.
    private func pid(in folder: TemporaryFolder) -> pid_t? {
        // Until the engine has printed something there is no log.
        let log = try? String(contentsOfFile: folder.path + "/engine.log", encoding: .utf8)
        return log?.split(separator: "\n").last.flatMap { pid_t($0) }
    }

    @Test func `the engine counts its tokens with each chunk`() async throws {
        let folder = try folder()
        try await TestEngine.run(TestEngine.configuration(in: folder)) { engine in
            try await engine.waitUntilHealthy(timeout: .seconds(30))
            let answer = try await WholeAnswer(engine.forward(.ask("List 3 fruits.", bound: 10)))
            let counts = answer.events.compactMap(\.completionTokensSoFar)
            #expect(counts == counts.sorted())
            #expect(counts.first == 1)
            #expect(counts.last == answer.usage?.completion)
            // Every event with text comes with its count, so that a cut answer is counted exactly.
            for event in answer.events where event.deltas.contains(where: { $0.content != nil }) {
                #expect(event.completionTokensSoFar != nil)
            }
        }
    }

    @Test func `a seed gives the same text again`() async throws {
        let folder = try folder()
        try await TestEngine.run(TestEngine.configuration(in: folder)) { engine in
            try await engine.waitUntilHealthy(timeout: .seconds(30))
            func text(_ seed: Int64) async throws -> String {
                let call = BackendCall.ask("Tell me a story.", bound: 40) {
                    $0.temperature = 1.5
                    $0.seed = seed
                }
                return try await WholeAnswer(engine.forward(call)).text
            }
            let first = try await text(-1)
            #expect(try await text(-1) == first)
            #expect(try await text(7) != first)
        }
    }

    @Test func `more calls than slots wait and are all served`() async throws {
        let folder = try folder()
        try await TestEngine.run(TestEngine.configuration(in: folder, slots: 2)) { engine in
            try await engine.waitUntilHealthy(timeout: .seconds(30))
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        try await WholeAnswer(
                            engine.forward(.ask("What is the capital of Japan?"))
                        ).text
                    }
                }
                for try await text in group { #expect(text.contains("Tokyo")) }
            }
        }
    }

    @Test func `a call beyond the queue is turned away and one that waits too long too`()
        async throws
    {
        let folder = try folder()
        var configuration = try TestEngine.configuration(in: folder, slots: 1)
        configuration.queueLength = 1
        configuration.queueTimeout = .milliseconds(100)
        try await TestEngine.run(configuration) { engine in
            try await engine.waitUntilHealthy(timeout: .seconds(30))
            // An answer that is not read holds its slot.
            let held = try await engine.forward(.ask("Tell me a story.", bound: 900))
            let waited = await failure { _ = try await engine.forward(.ask("q")) }
            #expect(waited?.kind == .busy(retryAfter: .seconds(1)))
            #expect(waited?.detail.contains("in time") == true)
            held.cancel()
            _ = try await WholeAnswer(engine.forward(.ask("q")))
        }
    }

    @Test func `a waiting call whose client leaves is cancelled and takes no slot`() async throws {
        let time = TestTime()
        let slots = EngineSlots(
            slots: 1, maximumWaiting: 5, shares: EngineShares(), time: time)
        func acquire() async throws(BackendFailure) -> EngineSlotLease {
            try await slots.acquire(
                for: .nobody, since: time.uptime, until: time.uptime + .seconds(30))
        }
        let lease = try await acquire()
        await withTaskGroup(of: BackendFailure?.self) { group in
            group.addTask { await failure { _ = try await acquire() } }
            group.cancelAll()
            #expect(await group.next()??.kind == .cancelled)
        }
        #expect(slots.waitingCount == 0)
        lease.release()
        lease.release()
        #expect(slots.slotsInUse == 0)
        _ = try await acquire()
        #expect(slots.slotsInUse == 0, "a dropped lease gives its slot back")
    }

    @Test func `an engine that is killed is started again and serves`() async throws {
        let folder = try folder()
        let marker = folder.path + "/pid"
        let real = try TestEngine.configuration(in: folder)
        var configuration = try scripted(
            "echo $$ > \(marker)\nexec \(real.command) \"$@\"", in: folder)
        configuration.modelFile = real.modelFile
        configuration.contextTokensPerSlot = 1024
        configuration.environment = real.environment
        try await TestEngine.run(configuration) { engine in
            try await engine.waitUntilHealthy(timeout: .seconds(30))
            let answer = try await engine.forward(.ask("Tell me a story.", bound: 900))
            let text = try String(contentsOfFile: marker, encoding: .utf8)
            let pid = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
            kill(pid, SIGKILL)
            // The answer may have arrived whole before; if not, it ends as the engine did.
            if let ending = await failure({ while try await answer.next() != nil {} }) {
                #expect(
                    [.unreachable, .notReady(retryAfter: .seconds(1))].contains(ending.kind))
            }
            // Not healthy from the moment its end was seen until the next one is.
            while engine.unavailability == nil { await Task.yield() }
            let refused = await failure { _ = try await engine.forward(.ask("q")) }
            guard case .notReady? = refused?.kind else {
                Issue.record("ended with \(String(describing: refused))")
                return
            }
            try await engine.waitUntilHealthy(timeout: .seconds(30))
            _ = try await WholeAnswer(engine.forward(.ask("q")))
        }
    }

    @Test func `an engine without its model says why it does not start`() async throws {
        let folder = try folder()
        var configuration = try TestEngine.configuration(in: folder)
        configuration.modelFile = folder.path + "/absent.gguf"
        try await TestEngine.run(configuration) { engine in
            let refusal = await failure { _ = try await engine.forward(.ask("q")) }
            guard case .notReady? = refusal?.kind else {
                Issue.record("ended with \(String(describing: refusal))")
                return
            }
            do {
                try await engine.waitUntilHealthy(timeout: .seconds(30))
                Issue.record("there is no model to be healthy with")
            } catch {
                #expect("\(error)".contains("does not start: exit status"))
            }
        }
        let log = try String(contentsOfFile: configuration.logFile, encoding: .utf8)
        #expect(log.contains("absent.gguf"))
    }

    @Test func `an engine that is not ready in time is told as such`() async throws {
        let folder = try folder()
        try await TestEngine.run(scripted("exec sleep 1000", in: folder)) { engine in
            do {
                try await engine.waitUntilHealthy(timeout: .milliseconds(200))
                Issue.record("a sleeping engine is not healthy")
            } catch {
                #expect("\(error)".contains("was not ready in time"))
            }
        }
    }

    @Test func `an engine sees neither the gateway's secrets nor its ignored signals`()
        async throws
    {
        let folder = try folder()
        let ignored = signal(SIGTERM, SIG_IGN)
        defer { signal(SIGTERM, ignored) }
        let configuration = try scripted("env\ngrep SigIgn /proc/self/status\nexit 3", in: folder)
        try await TestEngine.run(configuration) { engine in
            do { try await engine.waitUntilHealthy(timeout: .seconds(30)) } catch {
                #expect("\(error)".contains("exit status 3"))
            }
        }
        let log = try String(contentsOfFile: configuration.logFile, encoding: .utf8)
        #expect(log.contains("PATH="))
        #expect(!log.contains("canary"))
        // The C library keeps two real-time signals of its own above the 31 that have names.
        let mask = log.split(separator: "SigIgn:\t").last?.prefix(16) ?? ""
        #expect(UInt64(mask, radix: 16).map { $0 & 0x7FFF_FFFF } == 0)
    }

    @Test func `a graceful stop with an open stream is quick and leaves nothing`() async throws {
        let folder = try folder()
        let engine = LocalEngine(
            try TestEngine.configuration(in: folder), residency: nil, logger: .quiet,
            time: SystemTime(),
            random: { UInt64.random(in: .min ... .max) })
        let group = ServiceGroup(services: [engine], logger: .quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await engine.waitUntilHealthy(timeout: .seconds(30))
            let answer = try await engine.forward(.ask("Tell me a story.", bound: 900))
            _ = try await answer.next()
            let start = ContinuousClock.now
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            #expect(ContinuousClock.now - start < .seconds(5))
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/run")
        #expect(left == [])
        #expect(engine.unavailability != nil)
    }

    @Test func `an engine that ignores the request to end is killed`() async throws {
        let folder = try folder()
        let configuration = try scripted(
            "trap '' TERM\necho $$\nwhile :; do sleep 1; done", in: folder)
        let engine = LocalEngine(
            configuration, residency: nil, logger: .quiet, time: SystemTime(), random: { 1 })
        let group = ServiceGroup(services: [engine], logger: .quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            while pid(in: folder) == nil { await Task.yield() }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        let left = kill(try #require(pid(in: folder)), 0)
        #expect(left == -1)
    }

    // MARK: The guard

    /// Runs a guarded process below a shell, kills the shell with SIGKILL and waits for the
    /// process's end, which is the end of its output.
    private func killParent(of guardian: EngineGuard, in folder: TemporaryFolder) throws {
        let command = guardian.command(
            running: ["/bin/sh", "-c", "echo up; exec sleep 1000"], gateway: 0)
        let quoted = command.map { word in
            word == "0" ? #""$$""# : "'" + word.replacing("'", with: #"'\''"#) + "'"
        }.joined(separator: " ")
        let pipe = Pipe()
        let fifo = folder.path + "/fifo"
        try #require(mkfifo(fifo, 0o600) == 0)
        // The shell alone holds the writing side of the guard's input.
        let script = "exec 9<>\(fifo)\n\(quoted) <\(fifo) 9>&- &\nexec >/dev/null\nwait"
        let parent = try ChildProcess.spawn(
            ["/bin/sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"], input: nil,
            output: pipe.fileHandleForWriting.fileDescriptor)
        try pipe.fileHandleForWriting.close()
        var output: [UInt8] = []
        ChildProcess.read(pipe.fileHandleForReading.fileDescriptor) { bytes in
            output += bytes
            if output.starts(with: "up\n".utf8) { kill(parent, SIGKILL) }
        }
        #expect(String(decoding: output, as: UTF8.self) == "up\n")
        ChildProcess.waitForEnd(of: parent)
        #expect(ChildProcess.reap(parent) == "ended by signal 9")
    }

    @Test func `the engine ends when its gateway is killed`() throws {
        try killParent(of: EngineGuard.choose(), in: folder())
    }

    @Test func `the engine ends with its gateway also where the kernel does not help`() throws {
        try killParent(of: .standardInput, in: folder())
    }

    @Test func `a guarded process that was started by somebody else than it was told ends`() throws
    {
        guard case .parentDeathSignal = EngineGuard.choose() else { return }
        let pipe = Pipe()
        let pid = try ChildProcess.spawn(
            EngineGuard.choose().command(running: ["/bin/echo", "up"], gateway: 1),
            environment: [:], input: nil, output: pipe.fileHandleForWriting.fileDescriptor)
        ChildProcess.waitForEnd(of: pid)
        #expect(ChildProcess.reap(pid) == "exit status 125")
    }

    @Test func `both guards pass on how the engine ended`() async throws {
        let guards = [EngineGuard.choose(), .standardInput]
        for guardian in guards {
            let folder = try folder()
            let log = EngineLog(path: folder.path + "/log", maximumBytes: 1000)
            let (endings, sink) = AsyncStream<String>.makeStream()
            let process = try await EngineProcess.start(
                ["/bin/sh", "-c", "echo first; echo 'bad model' >&2; exit 7"],
                environment: ["PATH": "/usr/bin:/bin"], guardian: guardian, log: log,
                onExit: { sink.yield($0) })
            var iterator = endings.makeAsyncIterator()
            let ending = await iterator.next()
            #expect(ending == "exit status 7; its last words: bad model")
            await process.waitForExit()
        }
    }

    // MARK: The log and the socket

    @Test func `the log keeps one predecessor and never grows beyond its size`() throws {
        let folder = try folder()
        let path = folder.path + "/log"
        let log = EngineLog(path: path, maximumBytes: 1000)
        for round in 0..<100 { log.append(Array("line \(round) of the engine\n".utf8)) }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(files == ["log", "log.1"])
        for file in files {
            let text = try String(contentsOfFile: folder.path + "/" + file, encoding: .utf8)
            #expect(text.utf8.count <= 1000)
            #expect(text.utf8.count > 900 || file == "log")
        }
        #expect(log.lastLine == "line 99 of the engine")
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        #expect(mode as? Int == 0o600)
        // A second gateway start goes on where the first one ended.
        let before = try String(contentsOfFile: path, encoding: .utf8)
        EngineLog(path: path, maximumBytes: 1000).append(Array("more\n".utf8))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == before + "more\n")
    }

    @Test func `a log that cannot be written costs the engine nothing`() {
        let log = EngineLog(path: "/proc/nowhere/log", maximumBytes: 1000)
        log.append(Array("lost\nkept\u{1B}[0m".utf8))
        #expect(log.lastLine == #"kept\u{1B}[0m"#)
    }

    @Test func `the socket is in a private folder and what an earlier engine left is removed`()
        throws
    {
        let folder = try folder()
        let path = try EngineSocket.prepare(in: folder.path + "/run", backend: "a/b")
        #expect(path.hasPrefix(folder.path + "/run/engine-"))
        let mode = try FileManager.default.attributesOfItem(atPath: folder.path + "/run")
        #expect(mode[.posixPermissions] as? Int == 0o700)
        #expect(try EngineSocket.prepare(in: folder.path + "/run", backend: "other") != path)
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        #expect(throws: EngineFault.self) {
            try EngineSocket.prepare(in: folder.path + "/run", backend: "a/b")
        }
    }

    @Test func `a folder too deep for a socket is replaced by a private one that is not`() throws {
        let folder = try folder()
        let deep = folder.path + "/" + String(repeating: "deep/", count: 20)
        let path = try EngineSocket.prepare(in: deep, backend: "local")
        #expect(path.utf8.count <= EngineSocket.longestPath)
        let parent = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        let mode = try FileManager.default.attributesOfItem(atPath: parent)[.posixPermissions]
        #expect(mode as? Int == 0o700)
        try FileManager.default.removeItem(atPath: parent)
    }
}
