/// Numbers with check digits, made apart from the program's own arithmetic, so that a mistake there
/// is not repeated here.
enum LabelledNumbers {
    static func luhn(_ body: String) -> String {
        var sum = 0
        for (index, character) in body.reversed().enumerated() {
            let digit = character.wholeNumberValue ?? 0
            sum += index.isMultiple(of: 2) ? [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][digit] : digit
        }
        return body + String((100_000 - sum) % 10)
    }

    static func card(_ random: inout SafeguardRandom) -> String {
        switch random.upTo(5) {
        case 0: luhn("4" + random.text(14))
        case 1: luhn("5\(random.within(1...5))" + random.text(13))
        case 2: luhn(random.one(of: ["34", "37"]) + random.text(12))
        case 3: luhn("6011" + random.text(11))
        default: luhn("35\(random.within(30...88))" + random.text(11))
        }
    }

    /// A country's letters and the shape of its part: `n` a digit, `a` a capital.
    private static let ibans = [
        "DEnnnnnnnnnnnnnnnnnn", "GBaaaannnnnnnnnnnnnn", "FRnnnnnnnnnnaaaaaaaaaaann",
        "ESnnnnnnnnnnnnnnnnnnnn", "ITannnnnnnnnnnnnnnnnnnnnn", "NLaaaannnnnnnnnn", "NOnnnnnnnnnnn",
        "PLnnnnnnnnnnnnnnnnnnnnnnnn", "CHnnnnnaaaaaaaaaaaa", "SEnnnnnnnnnnnnnnnnnnnn",
    ]

    static func iban(_ random: inout SafeguardRandom) -> String {
        let shape = random.one(of: ibans)
        let country = shape.prefix(2)
        var account = ""
        for character in shape.dropFirst(2) {
            account +=
                character == "n" ? random.text(1) : random.letters(1, of: "ABCDEFGHIJKLMNOPQR")
        }
        var remainder = 0
        for character in account + country + "00" {
            for digit in String(Int(String(character), radix: 36) ?? 0) {
                remainder = (remainder * 10 + (digit.wholeNumberValue ?? 0)) % 97
            }
        }
        let check = String(98 - remainder)
        return country + (check.count == 1 ? "0" : "") + check + account
    }

    static func digits(_ text: String) -> [Int] { text.compactMap(\.wholeNumberValue) }

    static func health(_ random: inout SafeguardRandom) -> String {
        while true {
            let body = random.one(of: ["4", "6", "7"]) + random.text(8)
            var sum = 0
            for (index, digit) in digits(body).enumerated() { sum += (10 - index) * digit }
            let check = 11 - sum % 11
            if check == 11 { return body + "0" }
            if check < 10 { return body + String(check) }
        }
    }

    static func taxID(_ random: inout SafeguardRandom) -> String {
        while true {
            let body = random.text(10)
            let counts = Dictionary(grouping: body, by: { $0 }).values.map(\.count).sorted()
            guard body.first != "0", counts.last == 2 || counts.last == 3,
                counts.dropLast().allSatisfy({ $0 == 1 })
            else { continue }
            var product = 10
            for digit in digits(body) {
                let sum = (digit + product) % 10
                product = 2 * (sum == 0 ? 10 : sum) % 11
            }
            return body + String(product == 1 ? 0 : 11 - product)
        }
    }

    static func spanish(_ random: inout SafeguardRandom, foreign: Bool) -> String {
        let letters = Array("TRWAGMYFPDXBNJZSQVHLCKE")
        let digits = foreign ? random.text(7) : String(random.within(10_000_000...99_999_999))
        let series = foreign ? random.upTo(3) : 0
        let number = (Int(digits) ?? 0) + series * 10_000_000
        return (foreign ? ["X", "Y", "Z"][series] : "") + digits + String(letters[number % 23])
    }

    static func french(_ random: inout SafeguardRandom) -> String {
        let body =
            String(random.within(1...2)) + random.text(2) + random.padded(1...12, 2)
            + random.padded(1...95, 2) + random.padded(1...989, 3) + random.padded(1...999, 3)
        let key = 97 - (Int(body) ?? 0) % 97
        return body + (key < 10 ? "0" : "") + String(key)
    }

    static func italian(_ random: inout SafeguardRandom) -> String {
        let body =
            random.letters(6, of: "BCDFGLMNPRSTVZ") + random.text(2)
            + random.letters(1, of: "ABCDEHLMPRST") + random.padded(1...28, 2)
            + random.letters(1, of: "ABCDEFGHIL") + random.text(3)
        let odd: [Character: Int] = [
            "0": 1, "1": 0, "2": 5, "3": 7, "4": 9, "5": 13, "6": 15, "7": 17, "8": 19, "9": 21,
            "A": 1, "B": 0, "C": 5, "D": 7, "E": 9, "F": 13, "G": 15, "H": 17, "I": 19, "J": 21,
            "K": 2, "L": 4, "M": 18, "N": 20, "O": 11, "P": 3, "Q": 6, "R": 8, "S": 12, "T": 14,
            "U": 16, "V": 10, "W": 22, "X": 25, "Y": 24, "Z": 23,
        ]
        var sum = 0
        for (index, character) in body.enumerated() {
            let even = character.wholeNumberValue ?? Int(character.asciiValue ?? 65) - 65
            sum += index.isMultiple(of: 2) ? odd[character] ?? 0 : even
        }
        return body + String(Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ")[sum % 26])
    }

    static func pesel(_ random: inout SafeguardRandom) -> String {
        let body =
            random.text(2) + random.padded(1...12, 2) + random.padded(1...28, 2) + random.text(4)
        var sum = 0
        for (digit, weight) in zip(digits(body), [9, 7, 3, 1, 9, 7, 3, 1, 9, 7]) {
            sum += digit * weight
        }
        return body + String(sum % 10)
    }

    static func finnish(_ random: inout SafeguardRandom) -> String {
        let birth = random.padded(1...28, 2) + random.padded(1...12, 2) + random.text(2)
        let serial = random.padded(2...899, 3)
        let check = Array("0123456789ABCDEFHJKLMNPRSTUVWXY")[(Int(birth + serial) ?? 0) % 31]
        return birth + random.one(of: ["-", "A", "+"]) + serial + String(check)
    }

    static func swedish(_ random: inout SafeguardRandom) -> String {
        let birth = random.text(2) + random.padded(1...12, 2) + random.padded(1...28, 2)
        let number = luhn(birth + random.text(3))
        return birth + "-" + number.suffix(4)
    }

    static func singaporean(_ random: inout SafeguardRandom) -> String {
        let digits = random.text(7)
        var sum = 0
        for (digit, weight) in zip(Self.digits(digits), [2, 7, 6, 5, 4, 3, 2]) {
            sum += digit * weight
        }
        let old = random.chance(50)
        let check = Array("JZIHGFEDCBA")[(sum + (old ? 0 : 4)) % 11]
        return (old ? "S" : "T") + digits + String(check)
    }

    static func aadhaar(_ random: inout SafeguardRandom) -> String {
        // The tables as Verhoeff printed them.
        let product = [
            "0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321",
            "6598710432", "7659821043", "8765932104", "9876543210",
        ].map(digits)
        let permuted = [
            "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901",
            "2793806415", "7046913258",
        ].map(digits)
        let body = String(random.within(2...9)) + random.text(10)
        for check in 0...9 {
            var state = 0
            for (index, digit) in digits(body + String(check)).reversed().enumerated() {
                state = product[state][permuted[index % 8][digit]]
            }
            if state == 0 { return body + String(check) }
        }
        return body
    }

    static func insurance(_ random: inout SafeguardRandom) -> String {
        random.one(of: ["AB", "CE", "HJ", "JK", "LM", "NP", "PR", "SX", "WK", "YZ"])
            + random.text(6) + random.letters(1, of: "ABCD")
    }

    static func socialSecurity(_ random: inout SafeguardRandom) -> String {
        random.padded(1...665, 3) + random.padded(1...99, 2) + random.padded(1...9999, 4)
    }

    /// Cuts a number into groups; what is left over stays in the last.
    static func grouped(_ number: String, _ lengths: [Int], by separator: String) -> String {
        var rest = Substring(number)
        var groups: [Substring] = []
        for length in lengths where !rest.isEmpty {
            groups.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        if !rest.isEmpty { groups.append(rest) }
        return groups.joined(separator: separator)
    }
}
