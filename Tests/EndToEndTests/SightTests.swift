import TestSupport
import Testing

extension EndToEnd {
    /// The real engine with the demo model and an eye: what it sees means nothing to it, but every
    /// step is the real one, from the client's data URI to the tokens that are charged.
    @Suite(.servedWithEngine) struct `Images and the local engine` {
        /// Pictures of one colour, in PNG.
        private static let pictures = [
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==",
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAD0lEQVR4nGNgYPgPRmAKABf2A/1+6zfzAAAAAElFTkSuQmCC",
        ]

        private static func body(_ pictures: [String], streams: Bool) -> String {
            let shown = pictures.map {
                #",{"type":"image_url","image_url":{"url":"data:image/png;base64,\#($0)"}}"#
            }
            return #"{"model":"demo-sees","messages":[{"role":"user","content":[{"type":"text","#
                + #""text":"What is the capital of France?"}\#(shown.joined())]}],"temperature":0,"#
                + #""max_tokens":16,"logprobs":true"#
                + (streams ? #","stream":true,"stream_options":{"include_usage":true}"# : "") + "}"
        }

        private func usage(
            _ gateway: ServedGateway, _ key: ServedGateway.IssuedKey, _ pictures: [String],
            streams: Bool
        ) throws -> (prompt: Int, text: String, chance: Double) {
            let reply = try gateway.post(key, Self.body(pictures, streams: streams))
            #expect(reply.status == 200, "\(reply.text)")
            let answer = try ConformanceAnswer(reply, streams: streams).whole
            let prompt = try #require(answer["usage.prompt_tokens"]?.number)
            let chance = try #require(answer["choices[0].logprobs.content[0].logprob"]?.number)
            return (Int(prompt), answer["choices[0].message.content"]?.text ?? "", chance)
        }

        @Test(.timeLimit(.minutes(1)), arguments: [false, true])
        func `each image is the tokens that the engine makes of it, reserved before and charged`(
            streams: Bool
        ) async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let others = try gateway.makeKey()
                let blind = try usage(gateway, others, [], streams: streams)
                #expect(blind.text.contains("Paris"), "\(blind.text)")
                let one = try usage(gateway, others, [Self.pictures[0]], streams: streams)
                let other = try usage(gateway, others, [Self.pictures[1]], streams: streams)
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                let two = try usage(gateway, key, Self.pictures, streams: streams)
                #expect(one.prompt - blind.prompt == ProjectorFile.imageTokens)
                #expect(two.prompt - blind.prompt == 2 * ProjectorFile.imageTokens)
                // They are looked at: with another colour each token has another chance.
                #expect(one.chance != other.chance)
                let settled = try gateway.settled(key)
                #expect(settled["basis"] == "1" && settled["prompt_tokens"] == "\(two.prompt)")
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `what is no image is refused by the engine, and costs nothing`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                let reply = try gateway.post(key, Self.body(["AAAA"], streams: false))
                #expect(reply.status == 400 && reply.isEnvelope, "\(reply.text)")
                let account = try AccountSampler.account(gateway, key)
                #expect(account.used == 0 && account.reserved == 0)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a model without an eye is asked nothing about images`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey()
                let body = Self.body(Self.pictures, streams: false)
                let reply = try gateway.post(key, body.replacing("demo-sees", with: "demo"))
                #expect(reply.status == 400, "\(reply.text)")
                #expect(reply.error["param"] as? String == "messages[0].content[1].type")
            }
        }
    }
}
