/// The numbering plans of countries (ITU-T E.164): how many digits a number has with its code.
enum PhoneCountries {
    private static let lengths: [Int: ClosedRange<Int>] = [
        1: 11...11, 7: 11...11, 20: 11...12, 27: 11...11, 30: 12...12, 31: 11...11, 32: 10...11,
        33: 11...11, 34: 11...11, 36: 10...11, 39: 8...13, 40: 11...11, 41: 11...11, 43: 8...15,
        44: 11...12, 45: 10...10, 46: 9...12, 47: 10...10, 48: 11...11, 49: 9...14, 51: 10...11,
        52: 12...13, 54: 12...13, 55: 12...13, 56: 11...11, 57: 12...12, 60: 10...12, 61: 11...11,
        62: 10...14, 63: 12...12, 64: 10...12, 65: 10...10, 66: 10...11, 81: 11...12, 82: 10...12,
        84: 11...12, 86: 12...13, 90: 12...12, 91: 12...12, 92: 12...12, 351: 12...12,
        353: 10...12, 358: 8...13, 380: 12...12, 420: 12...12, 852: 11...11, 971: 11...12,
        972: 11...12,
    ]
    /// The codes of two digits; 1 and 7 are whole codes, every other code has three.
    private static let pairs: Set<Int> = [
        20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55,
        56, 57, 58, 60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
    ]

    /// How many digits the code at the start of a number has.
    static func codeLength(_ digits: some Sequence<UInt8>) -> Int {
        let first = digits.prefix(2).map { Int($0) - 0x30 }
        guard first.count == 2 else { return 1 }
        if first[0] == 1 || first[0] == 7 { return 1 }
        return pairs.contains(first[0] * 10 + first[1]) ? 2 : 3
    }

    /// How many digits a number that begins with these has; nil when no country's does.
    static func lengths(_ digits: some Collection<UInt8>) -> ClosedRange<Int>? {
        guard let first = digits.first, first != 0x30 else { return nil }
        let code = digits.prefix(codeLength(digits)).reduce(0) { $0 * 10 + Int($1) - 0x30 }
        return lengths[code] ?? 8...15
    }
}
