extension JSONWriter {
    /// Writes a parsed value again: the same members in the same order, integers digit for digit,
    /// doubles in their shortest form, strings with the escapes of this writer. Without recursion,
    /// however deep.
    public mutating func value(_ value: JSONValue) {
        beginValue()
        let storage = value.storage
        let end = storage.next(after: value.index)
        var index = value.index
        // The containers around the one at hand; true for an object. Empty for a scalar, so no
        // allocation.
        var around: [Bool] = []
        var isObject = false
        var isName = false
        var needsComma = false
        while index < end {
            let tag = storage.tag(index)
            if tag == JSONTag.objectEnd || tag == JSONTag.arrayEnd {
                bytes.append(tag)
                isObject = around.removeLast()
                (isName, needsComma) = (isObject, true)
                index += 1
                continue
            }
            if needsComma { bytes.append(UInt8(ascii: ",")) }
            if tag == JSONTag.object || tag == JSONTag.array {
                bytes.append(tag)
                around.append(isObject)
                isObject = tag == JSONTag.object
                (isName, needsComma) = (isObject, false)
                index += 1
                continue
            }
            appendScalar(storage, index)
            if isName { bytes.append(UInt8(ascii: ":")) }
            needsComma = !isName
            isName = isObject && !isName
            index = storage.next(after: index)
        }
    }

    private mutating func appendScalar(_ storage: JSONStorage, _ index: Int) {
        switch storage.tag(index) {
        case JSONTag.string:
            unsafe appendQuoted(storage.utf8(index))
        case JSONTag.integer:
            let number = Int64(bitPattern: storage.word(index + 1))
            if number < 0 { bytes.append(UInt8(ascii: "-")) }
            appendDigits(number.magnitude)
        case JSONTag.unsigned:
            appendDigits(storage.word(index + 1))
        case JSONTag.double:
            appendDouble(Double(bitPattern: storage.word(index + 1)))
        case JSONTag.yes:
            append("true")
        case JSONTag.no:
            append("false")
        default:
            append("null")
        }
    }

    mutating func appendDigits(_ value: UInt64) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var rest = value
        var first = 20
        repeat {
            first -= 1
            digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        for position in first..<20 { bytes.append(digits[position]) }
    }

    mutating func appendDouble(_ value: Double) {
        precondition(value.isFinite, "JSON has no infinity and no NaN")
        bytes.append(contentsOf: value.description.utf8)
    }
}
