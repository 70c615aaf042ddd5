@testable import Gateway

/// A text and what stands in it.
struct LabelledText {
    let text: String
    let findings: [Label]

    struct Label: Hashable {
        let entity: EntityType
        let range: Range<Int>
    }
}

/// Sentences in several languages, made from a seed: values in their many writings, and things that
/// look like them and are not.
enum LabelledSet {
    private static let around: [(String, String)] = [
        ("It is ", "."), ("Please note ", " for later."), ("", ""), ("We have (", ") on file."),
        ("> ", "\n> Thanks, Kim"), ("Bitte ", " übernehmen."), ("C'est ", ", merci."),
        ("请记下", "。"), ("{\"note\": \"", "\"}"), ("| id | ", " |"), ("Anota: ", "!"),
    ]

    static func texts(_ count: Int, seed: UInt64) -> [LabelledText] {
        var random = SafeguardRandom(seed: seed)
        return (0..<count).map { _ in
            random.chance(40) ? negative(&random) : positive(&random)
        }
    }

    private static func positive(_ random: inout SafeguardRandom) -> LabelledText {
        var text = ""
        var labels: [LabelledText.Label] = []
        for _ in 0..<(random.chance(20) ? 2 : 1) {
            let value = LabelledValue.make(random.one(of: LabelledValue.entities), &random)
            let (before, behind) = random.one(of: around)
            text += text.isEmpty ? before : " \(before)"
            if !value.words.isEmpty { text += random.one(of: value.words) + " " }
            let start = text.utf8.count
            text += value.text
            labels.append(.init(entity: value.entity, range: start..<text.utf8.count))
            text += behind
        }
        return LabelledText(text: text, findings: labels)
    }

    private static func negative(_ random: inout SafeguardRandom) -> LabelledText {
        let (before, behind) = random.one(of: around)
        return LabelledText(text: before + nothing(&random) + behind, findings: [])
    }

    /// Something that is no personal data, however much it looks so. A random number may carry a
    /// right check digit by chance: it is still none.
    private static func nothing(_ random: inout SafeguardRandom) -> String {
        let hex = "0123456789abcdef"
        switch random.upTo(26) {
        case 0: return "order \(random.within(10_000_000...999_999_999_999))"
        case 1: return "tracking number \(random.within(3...6))\(random.text(15))"
        case 2: return "reference \(random.within(1...9))\(random.text(10))"
        case 3:
            return "article \(random.text(4)) \(random.text(4)) \(random.text(4)) \(random.text(4))"
        case 4: return "part \(random.text(3)) \(random.text(3)) \(random.text(4))"
        case 5: return "commit \(random.letters(40, of: hex))"
        case 6:
            let groups = [8, 4, 4, 4, 12].map { random.letters($0, of: hex) }
            return groups.joined(separator: "-")
        case 7:
            return
                "version \(random.upTo(20)).\(random.upTo(20)).\(random.upTo(9)).\(random.upTo(300))"
        case 8: return "$\(random.within(1...999)),\(random.text(3)).\(random.text(2))"
        case 9: return "\(random.within(1_500_000_000_000...1_800_000_000_000)) ms"
        case 10:
            return
                "\(random.letters(6)).\(random.one(of: ["py", "rs", "md", "js", "swift", "txt"]))"
        case 11: return "std::\(random.letters(5)) and \(random.letters(4))::new()"
        case 12:
            return
                "a ratio of \(random.upTo(20)):\(random.within(1...9)), \(random.upTo(9))/\(random.within(1...9))"
        case 13:
            return
                "ISBN 978-\(random.upTo(9))-\(random.text(3))-\(random.text(5))-\(random.upTo(9))"
        case 14:
            return
                "SKU \(random.letters(2, of: "ABCEGHJ"))\(random.text(6))\(random.letters(1, of: "EFGH"))"
        case 15: return "@\(random.letters(6)) #\(random.text(6))"
        case 16:
            return "\(random.upTo(89)).\(random.text(6)), -\(random.upTo(179)).\(random.text(6))"
        case 17: return "DE\(random.text(20))"
        case 18:
            return "serial \(random.text(8))\(random.letters(1, of: "TRWAGMYFPDXBNJZSQVHLCKE"))"
        case 19: return "0x\(random.letters(64, of: hex))"
        case 20:
            return
                "1\(random.letters(33, of: "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"))"
        case 21: return (0..<6).map { _ in random.letters(2, of: hex) }.joined(separator: ":")
        case 22: return "x = \(random.text(7)) * \(random.text(7)) + \(random.text(3))"
        case 23: return "call it \(random.text(4)) times, i.e. \(random.text(6)) calls"
        case 24: return "ticket \(random.text(6))-\(random.text(4))"
        default:
            return
                "e.g. chapter \(random.upTo(99)).\(random.upTo(99)), John 3:\(random.upTo(36)), may \(random.upTo(9))"
        }
    }
}
