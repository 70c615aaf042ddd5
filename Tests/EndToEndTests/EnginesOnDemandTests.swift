import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Two engines of which the memory budget has room for one.
    @Suite struct `Engines that are loaded on demand` {
        private static func backends(idle: String) throws -> String {
            try ["one", "two"].map { name in
                """
                  \(name):
                    kind: local_engine
                    command: \(try Installation.engine())
                    model_file: \(try Installation.model())
                    slots: 2
                    context_tokens: 1024
                    threads: 1
                    start: on_demand
                    idle_unload: \(idle)
                    memory_megabytes: 1000

                """
            }.joined()
        }

        private static let models = """
              first: { backends: [one], context_tokens: 1024, max_completion_tokens: 512 }
              second: { backends: [two], context_tokens: 1024, max_completion_tokens: 512 }
            engines: { memory_budget_megabytes: 1500 }
            """

        private static func start(idle: String) throws -> ServedGateway {
            try ServedGateway.start(
                withEngine: false, settings: models, backends: backends(idle: idle))
        }

        private static func engines(of gateway: ServedGateway) -> Set<Int32> {
            Set(
                MachineProcesses.family(of: gateway.program.id)
                    .filter { $0.name == "llama-server" }.map(\.id))
        }

        private static func ask(
            _ gateway: ServedGateway, _ key: ServedGateway.IssuedKey, _ model: String
        ) throws -> HTTPReply {
            try gateway.post(
                key,
                ServedGateway.prompt(
                    "What is the capital of Japan?", model: model, more: #","temperature":0"#))
        }

        @Test(.timeLimit(.minutes(1)))
        func `come when a request asks, make room for one another, and go when they are idle`()
            async throws
        {
            try await onOwnThread {
                let gateway = try Self.start(idle: "1s")
                defer { gateway.discard() }
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                // Nothing is loaded, and nothing is missing.
                let probe = try gateway.get(nil, "/readyz", port: gateway.adminPort)
                #expect(probe.status == 200 && Self.engines(of: gateway).isEmpty)
                var seen: [Int32] = []
                for model in ["first", "second", "first"] {
                    let reply = try Self.ask(gateway, key, model)
                    #expect(reply.status == 200 && reply.text.contains("Tokyo"), "\(reply.text)")
                    let running = Self.engines(of: gateway)
                    #expect(running.count == 1 && seen.allSatisfy { !running.contains($0) })
                    seen += running
                }
                _ = try eventually("the last one is unloaded") {
                    Self.engines(of: gateway).isEmpty ? true : nil
                }
                #expect(try Self.ask(gateway, key, "second").text.contains("Tokyo"))
                let account = try AccountSampler.account(gateway, key)
                let charged = try gateway.count("SELECT sum(charged)::int8 FROM usage")
                #expect(account.used == charged && account.reserved == 0)
                gateway.program.signal(SIGTERM)
                #expect(try gateway.program.end().status == 0)
                #expect(Self.engines(of: gateway).isEmpty)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `answer everybody who asks for both at the same time, one engine after the other`()
            async throws
        {
            try await onOwnThread {
                let gateway = try Self.start(idle: "10m")
                defer { gateway.discard() }
                let key = try gateway.makeKey()
                let replies = try onThreads(6) { client in
                    try (0..<2).map { turn in
                        try Self.ask(
                            gateway, key, (client + turn).isMultiple(of: 2) ? "first" : "second")
                    }
                }.flatMap(\.self)
                #expect(
                    replies.allSatisfy { $0.status == 200 && $0.text.contains("Tokyo") },
                    "\(replies.map(\.status))")
                #expect(Self.engines(of: gateway).count == 1)
                #expect(try gateway.count("SELECT count(*) FROM usage WHERE basis = 1") == 12)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `are as many as the budget in the file now holds`() async throws {
            try await onOwnThread {
                let gateway = try Self.start(idle: "10m")
                defer { gateway.discard() }
                let key = try gateway.makeKey()
                let file = try String(contentsOfFile: gateway.configuration, encoding: .utf8)
                func setBudget(_ megabytes: Int) throws {
                    let text = file.replacing(
                        "memory_budget_megabytes: 1500",
                        with: "memory_budget_megabytes: \(megabytes)")
                    try Data(text.utf8).write(to: URL(filePath: gateway.configuration))
                }
                func load() throws {
                    for model in ["first", "second"] {
                        #expect(try Self.ask(gateway, key, model).status == 200)
                    }
                }
                try setBudget(2500)
                _ = try gateway.program.line(containing: "was reloaded")
                try load()
                #expect(Self.engines(of: gateway).count == 2)
                // Less than one of them needs is no budget.
                try setBudget(500)
                _ = try gateway.program.line(containing: "MB that engines may take")
                #expect(Self.engines(of: gateway).count == 2)
                try setBudget(1500)
                _ = try eventually("one of them goes") {
                    Self.engines(of: gateway).count == 1 ? true : nil
                }
                try load()
                #expect(Self.engines(of: gateway).count == 1)
                #expect(!gateway.program.written().complaint.contains("wait for a restart"))
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `of which one is killed are loaded again for the next request`() async throws {
            try await onOwnThread {
                let gateway = try Self.start(idle: "10m")
                defer { gateway.discard() }
                let key = try gateway.makeKey()
                #expect(try Self.ask(gateway, key, "first").status == 200)
                let killed = Self.engines(of: gateway)
                for id in killed { kill(id, SIGKILL) }
                // Who comes before its end was seen may meet it.
                let reply = try eventually("it is loaded again", within: .seconds(20)) {
                    let reply = try Self.ask(gateway, key, "first")
                    return reply.status == 200 ? reply : nil
                }
                #expect(reply.text.contains("Tokyo"))
                #expect(Self.engines(of: gateway).isDisjoint(with: killed))
                // Refused while it was away or not, nothing was charged but answers.
                #expect(
                    try gateway.count("SELECT count(*) FROM usage WHERE charged > 0") == 2)
            }
        }
    }
}
