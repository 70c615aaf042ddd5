/// A name of the domain name system in a text.
struct DomainName {
    /// The most bytes a name and a label of it have (RFC 1035).
    private static let longest = 253
    private static let longestLabel = 63

    /// The byte behind the name.
    let end: Int
    /// Where the last label begins.
    let lastLabel: Int
    /// How many labels it has.
    let labels: Int
    /// Whether the last label is one that a name can end with: letters, or encoded ones.
    let hasLetterEnding: Bool

    /// The longest name at `start`; nil when there is none of two labels. A full stop behind it is
    /// the sentence's.
    static func end(_ bytes: [UInt8], from start: Int) -> DomainName? {
        var index = start
        var labels = 0
        var lastLabel = start
        var end = start
        while index < bytes.count, index - start < longest {
            let label = index
            while index < bytes.count, index - label <= longestLabel,
                isLabelByte(bytes[index], bytes, index)
            {
                index += 1
            }
            var labelEnd = index
            while labelEnd > label, bytes[labelEnd - 1] == 0x2D { labelEnd -= 1 }
            guard labelEnd > label, bytes[label] != 0x2D, labelEnd - label <= longestLabel else {
                break
            }
            labels += 1
            lastLabel = label
            end = labelEnd
            guard labelEnd == index, index < bytes.count, bytes[index] == 0x2E else { break }
            index += 1
        }
        guard labels >= 2 else { return nil }
        let last = bytes[lastLabel..<end]
        let isEncoded = last.starts(with: [0x78, 0x6E, 0x2D, 0x2D])
        let isLetters = last.count >= 2 && last.allSatisfy { ASCII.isLetter($0) || $0 >= 0x80 }
        return DomainName(
            end: end, lastLabel: lastLabel, labels: labels,
            hasLetterEnding: isEncoded || isLetters)
    }

    private static func isLabelByte(_ byte: UInt8, _ bytes: [UInt8], _ index: Int) -> Bool {
        if ASCII.isAlphanumeric(byte) || byte == 0x2D { return true }
        if ASCII.isExtendedLead(byte) { return true }
        return ASCII.isContinuation(byte) && index > 0 && ASCII.isExtendedLead(bytes[index - 1])
    }
}
