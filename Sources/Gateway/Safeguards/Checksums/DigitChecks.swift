/// The check digits that people's and cards' numbers carry. Each takes digits as values from 0 to 9.
enum DigitChecks {
    /// Whether the last digit is Luhn's (ISO/IEC 7812-1, annex B).
    static func luhn(_ digits: some BidirectionalCollection<Int>) -> Bool {
        luhnSum(digits) % 10 == 0
    }

    /// The digit that makes `digits` and it pass `luhn`.
    static func luhnDigit(for digits: [Int]) -> Int {
        (10 - luhnSum(digits + [0]) % 10) % 10
    }

    private static func luhnSum(_ digits: some BidirectionalCollection<Int>) -> Int {
        var sum = 0
        for (index, digit) in digits.reversed().enumerated() {
            let doubled = index % 2 == 1 ? digit * 2 : digit
            sum += doubled > 9 ? doubled - 9 : doubled
        }
        return sum
    }

    /// The sum of each digit times its weight; the shorter of the two decides how many.
    static func weighted(_ digits: some Sequence<Int>, by weights: [Int]) -> Int {
        zip(digits, weights).reduce(0) { $0 + $1.0 * $1.1 }
    }

    /// The check digit of ISO 7064, MOD 11,10, which the German tax id uses.
    static func mod11And10(_ digits: some Sequence<Int>) -> Int {
        var product = 10
        for digit in digits {
            let sum = (digit + product) % 10
            product = (sum == 0 ? 10 : sum) * 2 % 11
        }
        return (11 - product) % 10
    }

    /// Whether the last digit is Verhoeff's (Verhoeff, 1969): the dihedral group of order ten.
    static func verhoeff(_ digits: [Int]) -> Bool { verhoeffState(digits) == 0 }

    /// The digit that makes `digits` and it pass `verhoeff`.
    static func verhoeffDigit(for digits: [Int]) -> Int {
        // The group's elements below five undo themselves when negated; reflections are their own
        // inverse.
        let state = verhoeffState(digits + [0])
        return state < 5 ? (5 - state) % 5 : state
    }

    private static func verhoeffState(_ digits: [Int]) -> Int {
        var state = 0
        for (index, digit) in digits.reversed().enumerated() {
            var permuted = digit
            for _ in 0..<index % 8 { permuted = verhoeffPermutation[permuted] }
            state = dihedralProduct(state, permuted)
        }
        return state
    }

    private static let verhoeffPermutation = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]

    private static func dihedralProduct(_ left: Int, _ right: Int) -> Int {
        switch (left < 5, right < 5) {
        case (true, true): (left + right) % 5
        case (true, false): 5 + (left + right - 5) % 5
        case (false, true): 5 + (left - 5 - right + 5) % 5
        case (false, false): (left - right + 5) % 5
        }
    }

    /// The remainder by 97 of an account number (ISO 13616): its first four characters stand last,
    /// and a letter counts as two digits from 10. Nil when a character is neither.
    static func mod97(_ characters: some Collection<UInt8>) -> Int? {
        guard characters.count > 4 else { return nil }
        var remainder = 0
        for byte in Array(characters.dropFirst(4)) + Array(characters.prefix(4)) {
            let upper = ASCII.upper(byte)
            if ASCII.isDigit(upper) {
                remainder = (remainder * 10 + Int(upper) - 0x30) % 97
            } else if ASCII.isUpper(upper) {
                remainder = (remainder * 100 + Int(upper) - 0x41 + 10) % 97
            } else {
                return nil
            }
        }
        return remainder
    }
}
