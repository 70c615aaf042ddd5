import Domain
import Testing

@Suite struct KeySharesTests {
    private func demand(_ units: Int64, of limit: Int64 = 1000, _ kind: Subject.Kind = .team)
        -> LeaseBook.Demand
    {
        LeaseBook.Demand(
            account: AccountKey(
                subject: Subject(kind: kind, id: 7), resource: .tokens, period: .day,
                start: CalendarDay(rawValue: 1)),
            limit: limit, units: units)
    }

    private func reason(
        _ shares: KeyShares, _ demand: LeaseBook.Demand, by key: Int64 = 1, liveNodes: Int64 = 1
    ) -> Denial.Reason? {
        shares.refusal(of: [demand], by: key, liveNodes: liveNodes)?.reason
    }

    @Test("The running requests of one key hold no more than its share; other keys are served")
    func share() {
        var shares = KeyShares(percent: 50)
        shares.take([demand(300)], by: 1)
        #expect(reason(shares, demand(200)) == nil)
        #expect(reason(shares, demand(201)) == .keyShareReserved(most: 500))
        #expect(reason(shares, demand(500), by: 2) == nil)
        shares.giveBack([demand(300)], by: 1)
        #expect(reason(shares, demand(500)) == nil)
        #expect(shares.isEmpty)
    }

    @Test("A request that is larger than a share alone never passes, and is told so for good")
    func tooLarge() {
        let shares = KeyShares(percent: 50)
        let denial = shares.refusal(of: [demand(501)], by: 1, liveNodes: 1)
        #expect(denial?.reason == .exceedsKeyShare(most: 500) && denial?.retryAfter == nil)
        // What is larger than the limit itself is the quota's own to refuse.
        #expect(reason(shares, demand(1001)) == nil)
        #expect(reason(shares, demand(Int64.max / 2, of: .max)) == nil)
        #expect(reason(shares, demand(Int64.max / 2 + 2, of: .max)) != nil)
    }

    @Test("Nodes divide a share between them, and one request alone may still have it whole")
    func nodes() {
        var shares = KeyShares(percent: 50)
        #expect(reason(shares, demand(500), liveNodes: 4) == nil)
        shares.take([demand(100)], by: 1)
        #expect(reason(shares, demand(25), liveNodes: 4) == nil)
        #expect(reason(shares, demand(26), liveNodes: 4) == .keyShareReserved(most: 500))
    }

    @Test("A quota of requests is nobody's share: what is held of it will be spent")
    func requests() {
        var shares = KeyShares(percent: 50)
        let one = LeaseBook.Demand(
            account: AccountKey(
                subject: Subject(kind: .team, id: 7), resource: .requests, period: .day,
                start: CalendarDay(rawValue: 1)),
            limit: 1, units: 1)
        #expect(shares.refusal(of: [one], by: 1, liveNodes: 1) == nil)
        shares.take([one], by: 1)
        #expect(shares.isEmpty)
    }

    @Test("A key's own quota is the key's alone, and at 100 per cent a key may hold everything")
    func whole() {
        var shares = KeyShares(percent: 50)
        shares.take([demand(900, of: 1000, .key)], by: 1)
        #expect(shares.isEmpty)
        #expect(reason(shares, demand(900, of: 1000, .key)) == nil)
        var all = KeyShares(percent: 100)
        all.take([demand(900)], by: 1)
        #expect(all.isEmpty)
        #expect(reason(all, demand(1000)) == nil)
    }
}
