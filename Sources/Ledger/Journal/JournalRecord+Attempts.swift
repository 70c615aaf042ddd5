import Domain

/// The attempts of a settled request, where there is more to say than that the first one answered.
extension JournalRecord {
    static func write(_ attempts: [Attempt], _ body: inout ByteEncoder) {
        body.write(UInt8(clamping: attempts.count))
        for attempt in attempts.prefix(Int(UInt8.max)) {
            let name = attempt.backend.utf8.prefix(Int(UInt8.max))
            body.write(UInt8(name.count))
            for byte in name { body.write(byte) }
            body.write(attempt.outcome.rawValue)
            body.write(attempt.status ?? -1)
            body.write(attempt.begunAfter.microseconds)
            body.write(attempt.duration.microseconds)
            body.write(attempt.usage == nil ? 0 as UInt8 : 1)
            guard let usage = attempt.usage else { continue }
            for count in [
                usage.prompt, usage.cached, usage.cacheWrite, usage.completion, usage.reasoning,
            ] { body.write(count) }
        }
    }

    static func readAttempts(_ body: inout ByteDecoder) throws(ByteDecoder.Malformed) -> [Attempt] {
        var attempts: [Attempt] = []
        for _ in 0..<(try body.read(UInt8.self)) { attempts.append(try readAttempt(&body)) }
        return attempts
    }

    private static func readAttempt(
        _ body: inout ByteDecoder
    ) throws(ByteDecoder.Malformed) -> Attempt {
        var name: [UInt8] = []
        for _ in 0..<(try body.read(UInt8.self)) { name.append(try body.read(UInt8.self)) }
        guard let backend = String(validating: name, as: UTF8.self),
            let outcome = Attempt.Outcome(rawValue: try body.read(Int16.self))
        else { throw ByteDecoder.Malformed() }
        let status = try body.read(Int16.self)
        let begunAfter = Duration.microseconds(try body.read(Int64.self))
        let duration = Duration.microseconds(try body.read(Int64.self))
        let isKnown = try body.read(UInt8.self) != 0
        return Attempt(
            backend: backend, outcome: outcome, status: status < 0 ? nil : status,
            begunAfter: begunAfter, duration: duration,
            usage: isKnown ? try readUsage(&body) : nil)
    }

    private static func readUsage(
        _ body: inout ByteDecoder
    ) throws(ByteDecoder.Malformed) -> TokenUsage {
        let prompt = try body.read(Int64.self)
        let cached = try body.read(Int64.self)
        let cacheWrite = try body.read(Int64.self)
        let completion = try body.read(Int64.self)
        return TokenUsage(
            prompt: prompt, cached: cached, cacheWrite: cacheWrite, completion: completion,
            reasoning: try body.read(Int64.self))
    }
}
