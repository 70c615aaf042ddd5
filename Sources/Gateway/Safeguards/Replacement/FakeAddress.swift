/// Invented addresses, under the names and in the networks that are set aside for examples (RFC
/// 2606, RFC 5737, RFC 3849), and invented people and places.
enum FakeAddress {
    private static let firstNames = [
        "Alex", "Billie", "Casey", "Dana", "Eden", "Frankie", "Gray", "Harper", "Indigo", "Jules",
        "Kai", "Lane", "Morgan", "Noel", "Oakley", "Perry", "Quinn", "Riley", "Sasha", "Toby",
    ]
    private static let lastNames = [
        "Ashdown", "Birchall", "Cresswell", "Dunmore", "Elmhurst", "Fairfax", "Garland", "Hollis",
        "Ingleby", "Jardine", "Kestrel", "Larkin", "Marlowe", "Norwood", "Oakes", "Prescott",
        "Quill", "Redfern", "Selwyn", "Thorne",
    ]
    /// Places that are on no map.
    static let places = [
        "Ashford Vale", "Brindlemere", "Cold Harrow", "Dunmarrow", "Eastering", "Fennick",
        "Greyhaven", "Hollowbrook", "Ivyford", "Junipers End",
    ]
    private static let domains = ["example.com", "example.org", "example.net"]

    static func person(using random: inout some RandomNumberGenerator) -> [UInt8] {
        Array("\(random.pick(firstNames)) \(random.pick(lastNames))".utf8)
    }

    static func email(using random: inout some RandomNumberGenerator) -> [UInt8] {
        let first = random.pick(firstNames).lowercased()
        let last = random.pick(lastNames).lowercased()
        return Array("\(first).\(last)\(random.number(in: 10...99))@\(random.pick(domains))".utf8)
    }

    /// An address with the scheme of `value`, if it has one, or its `www.`.
    static func url(
        like value: [UInt8], using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        var start: [UInt8] = []
        if let colon = value.firstIndex(of: 0x3A), value[colon...].starts(with: "://".utf8) {
            start = Array(value[..<(colon + 3)])
        } else if value.map(ASCII.lower).starts(with: "www.".utf8) {
            start = Array("www.".utf8)
        }
        let path = (0..<8).map { _ in random.character(like: 0x61) }
        return start + Array(random.pick(domains).utf8) + [0x2F] + path
    }

    static func ip(
        like value: [UInt8], using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        if value.contains(0x3A) {
            let groups = (0..<4).map { _ in String(random.number(in: 1...0xFFFF), radix: 16) }
            return Array("2001:db8::\(groups.joined(separator: ":"))".utf8)
        }
        let network = random.pick(["192.0.2", "198.51.100", "203.0.113"])
        return Array("\(network).\(random.number(in: 1...254))".utf8)
    }
}
