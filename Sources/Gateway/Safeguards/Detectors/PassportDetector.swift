/// Finds passport numbers, which have no check digit of their own: a word beside them must say
/// what they are, and may say whose.
enum PassportDetector {
    private static let germanStarts = Set("CFGHJK".utf8)
    private static let germanCharacters = Set("0123456789CFGHJKLMNPRTVWXYZ".utf8)

    static func find(in text: ScannedText, at index: Int, into found: inout [EntityFinding]) {
        let token = text.tokens[index]
        guard token.count == 9 || token.count == 10, token.hasDigits,
            text.isIsolated(index, through: index)
        else { return }
        let context = text.context(of: index, through: index)
        guard context.contains(.passport), let entity = entity(Array(text.word(index)), context)
        else { return }
        found.append(text.finding(entity, index, through: index, score: 90))
    }

    private static func entity(_ word: [UInt8], _ context: ContextWords) -> EntityType? {
        if context.contains(.german), germanStarts.contains(word[0]),
            word.prefix(9).allSatisfy(germanCharacters.contains),
            word.count == 9 || ASCII.isDigit(word[9])
        {
            return .dePassport
        }
        guard word.count == 9 else { return nil }
        let letters = word.prefix(while: ASCII.isUpper).count
        guard word.dropFirst(letters).allSatisfy(ASCII.isDigit) else { return nil }
        switch letters {
        case 0: return context.contains(.british) ? .ukPassport : .usPassport
        case 1: return .usPassport
        case 2: return context.contains(.italian) ? .itPassport : nil
        default: return nil
        }
    }
}
