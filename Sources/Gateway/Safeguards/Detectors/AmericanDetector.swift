/// Finds social security and taxpayer numbers of the United States, which have no check digit: the
/// hyphens or a word beside them must say what they are.
enum AmericanDetector {
    static func find(in text: ScannedText, at index: Int, into found: inout [EntityFinding]) {
        let length = text.tokens[index].count
        guard length == 3 || length == 9,
            let number = text.groups([3, 2, 4], from: index, by: [.hyphen, .space, .dot])
                ?? text.groups([9], from: index, by: []),
            text.isIsolated(index, through: number.last),
            let entity = entity(number.digits)
        else { return }
        let isCalledSo = text.context(of: index, through: number.last).contains(.socialSecurity)
        guard isCalledSo || number.separator == .hyphen else { return }
        let score = isCalledSo ? 95 : 85
        found.append(text.finding(entity, index, through: number.last, score: score))
    }

    /// What nine digits are: no area 000 or 666, no group 00, no serial 0000; from 900 on a taxpayer
    /// number, whose group the tax office hands out from 50 on.
    private static func entity(_ digits: [Int]) -> EntityType? {
        let area = digits[0] * 100 + digits[1] * 10 + digits[2]
        let group = digits[3] * 10 + digits[4]
        let serial = digits[5...].reduce(0) { $0 * 10 + $1 }
        guard area != 0, area != 666, group != 0, serial != 0 else { return nil }
        if area < 900 { return .usSSN }
        return group >= 50 && group != 89 && group != 93 ? .usITIN : nil
    }
}
