import Domain
import Testing

@Suite struct ClaimsTests {
    private func claim(_ number: Int) -> Claim {
        Claim(
            account: AccountKey(
                subject: Subject(kind: .key, id: Int64(number)), resource: .tokens, period: .day,
                start: CalendarDay(rawValue: 1)),
            accountID: AccountID(rawValue: 1), lease: LeaseID(rawValue: 2), units: Int64(number))
    }

    @Test("A list of claims is the array of them, at every size in place and beyond")
    func array() {
        for size in 0...(2 * Claims.capacityInPlace + 1) {
            let array = (0..<size).map(claim)
            let claims = Claims(array)
            #expect(claims.count == size)
            #expect(Array(claims) == array)
            #expect(Array(claims.reversed()) == array.reversed())
            #expect(claims.map(\.units) == array.map(\.units))
        }
    }

    @Test(
        "Lists are equal when they hold the same claims in the same order, however they came to be")
    func equality() {
        for size in 1...(Claims.capacityInPlace + 2) {
            let array = (0..<size).map(claim)
            var grown = Claims()
            for claim in array { grown.append(claim) }
            #expect(grown == Claims(array))
            #expect(grown.hashValue == Claims(array).hashValue)
            #expect(grown != Claims(array.dropLast()))
            var other = array
            other[size - 1] = claim(99)
            #expect(grown != Claims(other))
        }
        #expect(Claims([claim(1), claim(2)]) != Claims([claim(2), claim(1)]))
    }
}
