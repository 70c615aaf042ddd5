import TestSupport
import Testing

extension EndToEnd {
    /// What is promised of all six systems, each told by the file that has its name.
    @Suite(.servedWithJudge) struct Conformance {
        @Test(.timeLimit(.minutes(1)), arguments: ConformanceSystem.all, [false, true])
        func
            `every parameter of a page reaches the backend, and every field comes back`(
                system: ConformanceSystem, streams: Bool
            ) async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(more: system.keyOptions)
                let exchange = try system.ask(gateway, key, streams: streams)
                for parameter in system.parameters {
                    expect(parameter, in: exchange, streams: streams)
                }
                expect(system.fields, in: exchange.answer, ofEngine: false)
                for path in system.leftOut {
                    #expect(exchange.answer.whole[path] == nil, "\(path) is there")
                    #expect(exchange.answer.chunks.allSatisfy { $0[path] == nil }, "\(path)")
                }
                #expect(exchange.answer.whole["model"]?.text == system.model.rawValue)
            }
        }

        @Test(.timeLimit(.minutes(1)), arguments: ConformanceSystem.all)
        func `what would hide another parameter takes effect in a request of its own`(
            system: ConformanceSystem
        ) async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey()
                for parameter in system.parameters {
                    guard case .probed(let members, let path, let value) = parameter.verdict else {
                        continue
                    }
                    let reply = try system.post(gateway, key, system.body(with: members))
                    #expect(reply.status == 200, "\(parameter.name): \(reply.text)")
                    let told = try JSONNode(gateway.upstream.requests.last?.text ?? "")
                    #expect(told[path] == (try JSONNode(value)), "\(parameter.name): \(told.json)")
                }
            }
        }

        @Test(.timeLimit(.minutes(1)), arguments: ConformanceSystem.all)
        func
            `what cannot be honoured is refused by name before anything is spent`(
                system: ConformanceSystem
            ) async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey()
                let before = gateway.upstream.requests.count
                for parameter in system.parameters
                where parameter.isRefused || parameter.isNeutral {
                    try expectRefusal(of: parameter, by: gateway, system, key)
                }
                #expect(gateway.upstream.requests.count == before)
                #expect(try AccountSampler.account(gateway, key).used == 0)
            }
        }

        @Test(.timeLimit(.minutes(1)), arguments: ConformanceSystem.all)
        func `what a parameter is there to refuse is refused`(
            system: ConformanceSystem
        ) async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey()
                ConformanceSystem.writeOverflow(to: gateway.scripts)
                ConformanceSystem.writeJudge(to: gateway.scripts)
                for parameter in system.parameters
                where !parameter.isRefused && !parameter.isNeutral {
                    try expectRefusal(of: parameter, by: gateway, system, key)
                }
            }
        }

        @Test(.timeLimit(.minutes(1)), arguments: ConformanceSystem.all, [false, true])
        func `the local engine honours what it can of each request, with the same fields`(
            system: ConformanceSystem, streams: Bool
        ) async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(more: system.keyOptions)
                let answer = try system.askEngine(gateway, key, streams: streams)
                expect(system.fields.filter(\.isOfEngine), in: answer, ofEngine: true)
            }
        }

        @Test(arguments: ConformanceSystem.all)
        func `the lists speak of all that the requests hold, and of nothing else`(
            system: ConformanceSystem
        ) throws {
            let body = try JSONNode(system.body(streams: true))
            for parameter in system.parameters {
                guard let place = parameter.place else { continue }
                #expect(body[place] != nil, "\(parameter.name) is not in the request")
            }
            let spoken = Set(
                system.parameters.map { $0.name.prefix { !"[. ".contains($0) } }.map(String.init))
            // Not every page has them; they are how a stream's usage is asked for.
            let asked = Set(body.members.keys).subtracting(["stream_options"])
            #expect(asked.subtracting(spoken) == [])
            for names in [system.parameters.map(\.name), system.fields.map(\.name)] {
                #expect(Set(names).count == names.count, "a name is there twice")
            }
        }

        private func expect(
            _ parameter: PageParameter, in exchange: ConformanceSystem.Exchange, streams: Bool
        ) {
            let (asked, told) = (exchange.asked, exchange.told)
            switch parameter.verdict {
            case .effective(let place, let path, let value):
                let wanted = value.map { try? JSONNode($0) } ?? asked[place]
                #expect(told[path] == wanted, "\(parameter.name): \(told.json)")
            case .answered:
                guard !streams else { return }
                let answered = exchange.answer.whole[parameter.name]
                #expect(answered == asked[parameter.name], "\(parameter.name)")
            case .streamed:
                #expect(!streams || told[parameter.name] == asked[parameter.name])
            case .neutral: #expect(told[parameter.name] == nil, "\(parameter.name)")
            case .own, .probed, .judged, .refused: return
            }
        }

        private func expectRefusal(
            of parameter: PageParameter, by gateway: ServedGateway, _ system: ConformanceSystem,
            _ key: ServedGateway.IssuedKey
        ) throws {
            guard let refusal = parameter.refusal else { return }
            let name = parameter.name
            let reply = try system.post(gateway, key, system.body(with: refusal.members))
            #expect(reply.status == 400 && reply.isEnvelope, "\(name): \(reply.text)")
            #expect(reply.error["type"] as? String == "invalid_request_error", "\(name)")
            #expect(reply.code == refusal.code, "\(name): \(reply.text)")
            #expect(reply.error["param"] as? String == refusal.parameter, "\(name)")
        }

        private func expect(
            _ fields: [PageField], in answer: ConformanceAnswer, ofEngine: Bool
        ) {
            let other: PageField.Place = answer.chunks.isEmpty ? .stream : .plain
            for field in fields where field.place != other {
                let isRight = field.holds(in: answer, ofEngine: ofEngine)
                #expect(
                    isRight,
                    "\(field.name): \(answer.whole[field.path].map(\.json) ?? "missing")")
            }
        }
    }
}
