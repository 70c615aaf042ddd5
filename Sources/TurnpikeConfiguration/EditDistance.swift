/// How many letters two words differ by (Levenshtein, two rows), to guess what a mistyped key was
/// meant to be.
enum EditDistance {
    /// The least number of insertions, deletions and replacements that make `right` of `left`.
    static func between(_ left: String, _ right: String) -> Int {
        let left = Array(left.utf8)
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (index, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in right.enumerated() {
                let replaced = diagonal + (letter == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }

    /// The word of `words` nearest to `word`, if it is near enough that a slip of the hand explains
    /// it: one letter in three, at most three. Longer words than 64 bytes are not compared.
    static func nearest(to word: String, in words: [String]) -> String? {
        guard word.utf8.count <= 64 else { return nil }
        let allowed = min(3, max(1, word.utf8.count / 3))
        return words.map { (between(word.lowercased(), $0), $0) }
            .filter { $0.0 <= allowed }
            .min { $0 < $1 }?.1
    }
}
