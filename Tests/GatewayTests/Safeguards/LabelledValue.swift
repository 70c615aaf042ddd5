@testable import Gateway

/// A value of a kind as a person may write it, and the words that may stand before it.
struct LabelledValue {
    let entity: EntityType
    let text: String
    /// Whether a word must name the value; a number as good as any is nobody's data by itself.
    var words: [String] = []

    /// Every kind that the set has values of.
    static let entities: [EntityType] = [
        .emailAddress, .phoneNumber, .creditCard, .ibanCode, .ipAddress, .url, .dateTime, .crypto,
        .usSSN, .usPassport, .ukNHS, .ukNINO, .deTaxID, .esNIF, .esNIE, .frNIR, .itFiscalCode,
        .plPESEL, .fiIdentityCode, .sePersonnummer, .sgNRIC, .inAadhaar, .usITIN, .ukPassport,
        .dePassport, .itPassport,
    ]

    static func make(_ entity: EntityType, _ random: inout SafeguardRandom) -> LabelledValue {
        typealias Numbers = LabelledNumbers
        let text: String
        var words: [String] = []
        switch entity {
        case .emailAddress: text = email(&random)
        case .phoneNumber: (text, words) = phone(&random)
        case .creditCard: text = card(&random)
        case .ibanCode:
            let iban = Numbers.iban(&random)
            let fours = Array(repeating: 4, count: 9)
            text = random.chance(50) ? iban : Numbers.grouped(iban, fours, by: " ")
        case .ipAddress: text = ip(&random)
        case .url: text = url(&random)
        case .dateTime: text = date(&random)
        case .crypto: text = crypto(&random)
        case .usSSN:
            let number = Numbers.socialSecurity(&random)
            let isPlain = random.chance(30)
            text = isPlain ? number : Numbers.grouped(number, [3, 2, 4], by: "-")
            // One in seven of the plain ones has no word near it.
            if isPlain, random.chance(85) { words = ["SSN", "social security number"] }
        case .usITIN:
            text = "9\(random.text(2))-\(random.within(50...88))-\(random.padded(1...9999, 4))"
        case .usPassport, .ukPassport, .dePassport, .itPassport:
            (text, words) = passport(of: entity, &random)
        case .ukNHS:
            let number = Numbers.health(&random)
            let isPlain = random.chance(50)
            text = isPlain ? number : Numbers.grouped(number, [3, 3, 4], by: " ")
            if isPlain { words = random.chance(85) ? ["NHS number", "NHS no."] : ["patient"] }
        case .ukNINO:
            let number = Numbers.insurance(&random)
            let spaced = Numbers.grouped(number, [2, 2, 2, 2], by: " ")
            text = random.chance(5) ? number.lowercased() : random.chance(50) ? number : spaced
        case .deTaxID:
            let number = Numbers.taxID(&random)
            text = random.chance(50) ? number : Numbers.grouped(number, [2, 3, 3], by: " ")
        case .esNIF:
            let number = Numbers.spanish(&random, foreign: false)
            text = random.chance(5) ? number.lowercased() : number
        case .esNIE: text = Numbers.spanish(&random, foreign: true)
        case .frNIR:
            let number = Numbers.french(&random)
            let groups = random.one(of: [[15], [13], [1, 2, 2, 2, 3, 3]])
            text = Numbers.grouped(number, groups, by: " ")
        case .itFiscalCode: text = Numbers.italian(&random)
        case .plPESEL: text = Numbers.pesel(&random)
        case .fiIdentityCode: text = Numbers.finnish(&random)
        case .sePersonnummer: text = Numbers.swedish(&random)
        case .sgNRIC: text = Numbers.singaporean(&random)
        default: text = Numbers.grouped(Numbers.aadhaar(&random), [4, 4], by: " ")
        }
        return LabelledValue(entity: entity, text: text, words: words)
    }

    /// One in ten or so is called something that the recogniser does not know.
    private static func passport(
        of entity: EntityType, _ random: inout SafeguardRandom
    ) -> (String, [String]) {
        switch entity {
        case .usPassport:
            let words = random.chance(85) ? ["passport", "passport no."] : ["travel document"]
            return (random.text(9), words)
        case .ukPassport:
            let words =
                random.chance(90) ? ["UK passport", "British passport no."] : ["HMPO document"]
            return (random.text(9), words)
        case .dePassport:
            let words = random.chance(90) ? ["Reisepass", "German passport"] : ["Reisedokument"]
            return ("C" + random.letters(8, of: "0123456789CFGHJKLMNPRTVWXYZ"), words)
        default:
            let words = random.chance(90) ? ["passaporto", "Italian passport"] : ["documento"]
            return (random.letters(2, of: "ABCEFGHKLMNPRSTXYZ") + random.text(7), words)
        }
    }

    private static func email(_ random: inout SafeguardRandom) -> String {
        let name = random.letters(random.within(2...9))
        let host = "\(random.letters(6)).\(random.one(of: ["com", "co.uk", "de", "museum", "io"]))"
        switch random.upTo(20) {
        // Written so that no machine finds it.
        case 0: return "\(name) at \(host.split(separator: ".").joined(separator: " dot "))"
        case 1: return "\"\(name) \(name)\"@\(host)"
        case 2...5: return "\(name).\(random.letters(4))+\(random.letters(3))@mail.\(host)"
        case 6: return "jürgen.\(name)@\(host)"
        default: return "\(name)\(random.text(2))@\(host)"
        }
    }

    private static func phone(_ random: inout SafeguardRandom) -> (String, [String]) {
        let area = random.padded(201...989, 3).replacing("11", with: "12")
        let rest = "\(random.within(212...989))-\(random.text(4))".replacing("11-", with: "12-")
        switch random.upTo(12) {
        case 0, 1: return ("(\(area)) \(rest)", [])
        case 2: return ("\(area)-\(rest)", [])
        case 3: return ("+1 \(area) \(rest)", [])
        case 4: return ("+44 7\(random.text(3)) \(random.text(6))", [])
        case 5: return ("+49 30 \(random.within(1_000_000...99_999_999))", [])
        case 6: return ("+33 \(random.within(1...7)) " + pairs(4, &random), [])
        case 7: return ("0\(random.within(1...7)) " + pairs(4, &random), [])
        case 8: return ("07\(random.text(3)) \(random.text(6))", [])
        case 9:
            return (
                "0\(random.within(30...99)) \(random.within(1_000_000...9_999_999))",
                ["Tel.", "phone"]
            )
        case 10: return ("\(area)\(rest)".replacing("-", with: ""), ["call", "mobile", "cell"])
        // Only a person sees that this is a telephone number.
        default: return (rest, ["ask for Kim at", "the desk is"])
        }
    }

    private static func pairs(_ count: Int, _ random: inout SafeguardRandom) -> String {
        (0..<count).map { _ in random.text(2) }.joined(separator: " ")
    }

    private static func card(_ random: inout SafeguardRandom) -> String {
        let number = LabelledNumbers.card(&random)
        let groups = number.count == 15 ? [4, 6, 5] : [4, 4, 4, 4]
        switch random.upTo(20) {
        case 0: return LabelledNumbers.grouped(number, [2, 6, 4, 4], by: " ")
        case 1...8: return number
        case 9...12: return LabelledNumbers.grouped(number, groups, by: "-")
        default: return LabelledNumbers.grouped(number, groups, by: " ")
        }
    }

    private static func ip(_ random: inout SafeguardRandom) -> String {
        if random.chance(60) {
            return (0..<4).map { _ in String(random.within(1...255)) }.joined(separator: ".")
        }
        var groups = (0..<8).map { _ in String(random.upTo(65536), radix: 16) }
        if random.chance(70) {
            let start = random.within(1...4)
            groups.replaceSubrange(start..<start + random.within(2...3), with: [""])
        }
        return groups.joined(separator: ":")
    }

    private static func url(_ random: inout SafeguardRandom) -> String {
        let name = random.letters(7)
        switch random.upTo(20) {
        // A name under a country's domain may be a sentence without a space.
        case 0: return "\(name).de"
        case 1...4: return "www.\(name).\(random.one(of: ["com", "de", "fr"]))"
        case 5...7: return "\(name).com/\(random.letters(5))"
        default:
            return
                "https://\(name).\(random.one(of: ["org", "net", "se"]))/\(random.letters(4))?q=\(random.text(3))"
        }
    }

    private static func date(_ random: inout SafeguardRandom) -> String {
        let day = random.within(1...28)
        let month = random.one(of: ["January", "March", "May", "August", "December"])
        let year = random.within(1950...2029)
        switch random.upTo(12) {
        case 0, 1: return "\(year)-\(random.padded(1...12, 2))-\(random.padded(1...28, 2))"
        case 2: return "\(random.padded(1...28, 2))/\(random.padded(1...12, 2))/\(year)"
        case 3: return "\(random.within(1...28)).\(random.within(1...12)).\(year)"
        case 4: return "\(month) \(day), \(year)"
        case 5: return "\(day) \(month) \(year)"
        case 6: return "\(day). Oktober \(year)"
        case 7: return "\(day) de enero de \(year)"
        case 8:
            return
                "\(year)-\(random.padded(1...12, 2))-\(random.padded(1...28, 2))T10:\(random.padded(0...59, 2)):00Z"
        case 9:
            return
                "\(random.within(1...12)):\(random.padded(0...59, 2)) \(random.one(of: ["am", "PM"]))"
        case 10: return "\(day) février \(year)"
        default:
            return random.one(of: ["the third of \(month)", "\(month) the fifth", "next Tuesday"])
        }
    }

    /// Published addresses: the standards' examples and well-known ones.
    private static let coins = [
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ]

    private static func crypto(_ random: inout SafeguardRandom) -> String {
        random.chance(70)
            ? random.one(of: coins) : "0x" + random.letters(40, of: "0123456789abcdef")
    }
}
