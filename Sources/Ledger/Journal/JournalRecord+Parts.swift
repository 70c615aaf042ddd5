import Domain

/// The parts of records: an opening with its claims and price, and a settlement.
extension JournalRecord {
    static func write(_ opening: Opening, _ body: inout ByteEncoder) {
        body.write(opening.requestID.rawValue)
        body.write(opening.key.rawValue)
        body.write(opening.modelNumber)
        body.write(opening.backendNumber)
        body.write(opening.bound.prompt)
        body.write(opening.bound.completion)
        body.write(opening.admittedAt.microseconds)
        write(opening.price, &body)
        body.write(UInt16(opening.claims.count))
        for claim in opening.claims {
            body.write(claim.account.subject.kind.rawValue)
            body.write(claim.account.subject.id)
            body.write(claim.account.resource.rawValue)
            body.write(claim.account.period.rawValue)
            body.write(claim.account.start.rawValue)
            body.write(claim.accountID.rawValue)
            body.write(claim.lease.rawValue)
            body.write(claim.units)
        }
        // The end of the record; nothing where the client names no user.
        if let user = opening.user { body.write(user.rawValue) }
    }

    /// A byte that says what follows: 0 for no price, 1 for one, 2 for one with a fee, 3 for one
    /// with a fee, which may be nothing, and prices of sound, -1 where there is none.
    private static func write(_ price: Price?, _ body: inout ByteEncoder) {
        guard let price else { return body.write(0 as UInt8) }
        let hasAudio = price.audioPrompt != nil || price.audioCompletion != nil
        body.write(hasAudio ? 3 as UInt8 : price.fee > .zero ? 2 : 1)
        body.write(price.version)
        for amount in [price.prompt, price.cached, price.cacheWrite, price.completion] {
            body.write(amount.rawValue)
        }
        if hasAudio || price.fee > .zero { body.write(price.fee.rawValue) }
        guard hasAudio else { return }
        body.write(price.audioPrompt?.rawValue ?? -1)
        body.write(price.audioCompletion?.rawValue ?? -1)
    }

    static func readOpening(
        _ body: inout ByteDecoder
    ) throws(ByteDecoder.Malformed) -> Opening {
        let id = RequestID(rawValue: try body.read(UInt128.self))
        let key = KeyID(rawValue: try body.read(UInt64.self))
        let model = try body.read(Int32.self)
        let backend = try body.read(Int32.self)
        let prompt = try body.read(Int64.self)
        let completion = try body.read(Int64.self)
        guard prompt > 0, completion > 0, max(prompt, completion) <= 1 << 40 else {
            throw ByteDecoder.Malformed()
        }
        let admittedAt = Timestamp(microseconds: try body.read(Int64.self))
        let price = try readPrice(try body.read(UInt8.self), &body)
        var claims = Claims()
        for _ in 0..<(try body.read(UInt16.self)) { claims.append(try readClaim(&body)) }
        var opening = Opening(
            requestID: id, key: key, modelNumber: model, backendNumber: backend, price: price,
            bound: TokenBound(prompt: prompt, completion: completion), claims: claims,
            admittedAt: admittedAt)
        if !body.isAtEnd { opening.user = UserHash(rawValue: try body.read(UInt128.self)) }
        return opening
    }

    private static func readPrice(
        _ form: UInt8, _ body: inout ByteDecoder
    ) throws(ByteDecoder.Malformed) -> Price? {
        guard form <= 3 else { throw ByteDecoder.Malformed() }
        guard form > 0 else { return nil }
        let version = try body.read(Int64.self)
        let prompt = NanoUSD(rawValue: try body.read(Int64.self))
        let cached = NanoUSD(rawValue: try body.read(Int64.self))
        let cacheWrite = NanoUSD(rawValue: try body.read(Int64.self))
        let completion = NanoUSD(rawValue: try body.read(Int64.self))
        guard min(prompt, cached, cacheWrite, completion) >= .zero else {
            throw ByteDecoder.Malformed()
        }
        let price = Price(
            version: version, prompt: prompt, cached: cached, cacheWrite: cacheWrite,
            completion: completion)
        guard form >= 2 else { return price }
        let fee = NanoUSD(rawValue: try body.read(Int64.self))
        guard fee > .zero || form == 3 && fee == .zero else { throw ByteDecoder.Malformed() }
        guard form == 3 else { return .written(price, fee: fee) }
        let heard = try readOptionalAmount(&body)
        let spoken = try readOptionalAmount(&body)
        guard heard != nil || spoken != nil else { throw ByteDecoder.Malformed() }
        return .written(price, fee: fee, audioPrompt: heard, audioCompletion: spoken)
    }

    private static func readOptionalAmount(
        _ body: inout ByteDecoder
    ) throws(ByteDecoder.Malformed) -> NanoUSD? {
        let amount = try body.read(Int64.self)
        guard amount >= -1 else { throw ByteDecoder.Malformed() }
        return amount < 0 ? nil : NanoUSD(rawValue: amount)
    }

    private static func readClaim(
        _ body: inout ByteDecoder
    ) throws(ByteDecoder.Malformed) -> Claim {
        guard let kind = Subject.Kind(rawValue: try body.read(Int16.self)) else {
            throw ByteDecoder.Malformed()
        }
        let subject = Subject(kind: kind, id: try body.read(Int64.self))
        guard let resource = Resource(rawValue: try body.read(Int16.self)),
            let period = Period(rawValue: try body.read(Int16.self))
        else { throw ByteDecoder.Malformed() }
        let start = CalendarDay(rawValue: try body.read(Int32.self))
        return Claim(
            account: AccountKey(
                subject: subject, resource: resource, period: period, start: start),
            accountID: AccountID(rawValue: try body.read(Int64.self)),
            lease: LeaseID(rawValue: try body.read(Int64.self)),
            units: try body.read(Int64.self))
    }

    static func write(_ settlement: Settlement, _ body: inout ByteEncoder) {
        for count in [
            settlement.usage.prompt, settlement.usage.cached, settlement.usage.cacheWrite,
            settlement.usage.completion, settlement.usage.reasoning,
        ] { body.write(count) }
        body.write(settlement.basis.rawValue)
        body.write(settlement.endState.rawValue)
        body.write(settlement.timeToFirstToken?.microseconds ?? -1)
        body.write(settlement.duration.microseconds)
        // Nothing where there was no sound, and it was served as it was priced: nearly always.
        if settlement.usage.hasAudio {
            body.write(audioMark)
            body.write(settlement.usage.audioPrompt)
            body.write(settlement.usage.audioCompletion)
        }
        if let served = settlement.served { write(served, &body) }
    }

    static func readSettlement(
        _ body: inout ByteDecoder
    ) throws(ByteDecoder.Malformed) -> Settlement {
        let prompt = try body.read(Int64.self)
        let cached = try body.read(Int64.self)
        let cacheWrite = try body.read(Int64.self)
        let completion = try body.read(Int64.self)
        let reasoning = try body.read(Int64.self)
        guard let basis = UsageBasis(rawValue: try body.read(Int16.self)),
            let endState = EndState(rawValue: try body.read(Int16.self))
        else { throw ByteDecoder.Malformed() }
        let firstToken = try body.read(Int64.self)
        var settlement = Settlement(
            usage: TokenUsage(
                prompt: prompt, cached: cached, cacheWrite: cacheWrite, completion: completion,
                reasoning: reasoning),
            basis: basis, endState: endState,
            timeToFirstToken: firstToken < 0 ? nil : .microseconds(firstToken),
            duration: .microseconds(try body.read(Int64.self)))
        guard !body.isAtEnd else { return settlement }
        var form = try body.read(UInt8.self)
        if form == audioMark {
            settlement.usage = settlement.usage.withAudio(
                prompt: try body.read(Int64.self), completion: try body.read(Int64.self))
            // What is written is some.
            guard settlement.usage.hasAudio else { throw ByteDecoder.Malformed() }
            if body.isAtEnd { return settlement }
            form = try body.read(UInt8.self)
        }
        settlement.served = try readPrice(form, &body)
        // What is written is a price.
        guard settlement.served != nil else { throw ByteDecoder.Malformed() }
        return settlement
    }

    /// In front of a settlement's tokens of sound; no form of a price.
    private static let audioMark: UInt8 = 16
}
