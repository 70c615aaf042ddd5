/// Finds international bank account numbers: a country's letters and length and the remainder by
/// 97, in one piece or grouped by spaces or hyphens.
enum IBANDetector {
    static func find(in text: ScannedText, at index: Int, into found: inout [EntityFinding]) {
        let word = text.word(index)
        let start = word.startIndex
        guard word.count >= 4 || word.count == 2, ASCII.isLetter(word[start]),
            ASCII.isLetter(word[start + 1]),
            let length = IBANCountries.length(word[start], word[start + 1]), word.count <= length,
            word.count == 2 || ASCII.isDigit(word[start + 2]),
            let number = text.compact(length, from: index, by: [.space, .hyphen]),
            number.characters[2..<4].allSatisfy(ASCII.isDigit),
            DigitChecks.mod97(number.characters) == 1
        else { return }
        found.append(text.finding(.ibanCode, index, through: number.last, score: 100))
    }
}
