import CSimdJSON

/// Parses JSON texts one after another with reused memory. One per task or connection: it is a
/// class without a lock and not `Sendable`.
///
/// Decisions where RFC 8259 leaves room: one UTF-8 byte order mark at the start is skipped; a `\u`
/// escape that is half of a surrogate pair is refused; a name twice in one object is refused unless
/// told not to; a number outside of 64-bit integers or finite doubles is refused; `-0` reads as the
/// integer 0.
@safe public final class JSONParser {
    private let limits: JSONLimits
    private var machine: OpaquePointer?
    private var storage: JSONStorage?
    private var scratch = JSONCheckScratch()

    /// Memory beyond this, in bytes, is returned after a parse rather than kept for the next.
    private static let retainedBytes = 256 * 1024

    /// Makes a parser that refuses texts beyond the limits.
    ///
    /// - Parameters:
    ///   - maximumBytes: of the text, at most 1 GiB.
    ///   - maximumDepth: of nested objects and arrays; 0 allows only a scalar.
    ///   - maximumNodes: of values and member names together.
    ///   - checkDuplicateKeys: whether a name twice in one object is an error. Without it the
    ///     first member of the name is the one found.
    public init(
        maximumBytes: Int, maximumDepth: Int, maximumNodes: Int, checkDuplicateKeys: Bool = true,
    ) {
        precondition((1...(1 << 30)).contains(maximumBytes), "a JSON limit is 1 byte to 1 GiB")
        precondition((0...(1 << 24)).contains(maximumDepth), "a JSON depth limit is 0 to 2^24")
        precondition(maximumNodes > 0, "a JSON text has at least one node")
        limits = JSONLimits(
            maximumBytes: maximumBytes, maximumDepth: maximumDepth, maximumNodes: maximumNodes,
            refusesDuplicateKeys: checkDuplicateKeys)
    }

    deinit { releaseMachine() }

    /// Parses the whole of `bytes`.
    public func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONDocument {
        try parse(bytes.span)
    }

    /// Parses the whole of `bytes`.
    public func parse(_ bytes: ArraySlice<UInt8>) throws(JSONError) -> JSONDocument {
        try parse(bytes.span)
    }

    /// Parses the bytes of `bytes` in `range`, without a copy of the array.
    public func parse(_ bytes: [UInt8], in range: Range<Int>) throws(JSONError) -> JSONDocument {
        try parse(bytes[range])
    }

    /// Parses the UTF-8 of `text`.
    public func parse(_ text: String) throws(JSONError) -> JSONDocument {
        try parse(text.utf8.span)
    }

    /// Parses the whole of `bytes`.
    public func parse(_ bytes: Span<UInt8>) throws(JSONError) -> JSONDocument {
        try unsafe bytes.withUnsafeBytes { buffer throws(JSONError) in try unsafe parse(buffer) }
    }

    /// Parses the whole of `bytes`, reading nothing outside of it.
    public func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSONDocument {
        guard bytes.count <= limits.maximumBytes else {
            throw .tooLarge(limit: limits.maximumBytes)
        }
        let isMarked = unsafe bytes.starts(with: [0xEF, 0xBB, 0xBF])
        let text = unsafe UnsafeRawBufferPointer(rebasing: bytes.dropFirst(isMarked ? 3 : 0))
        guard let start = unsafe text.bindMemory(to: UInt8.self).baseAddress, text.count > 0 else {
            throw .empty
        }
        defer { releaseExcess(after: text.count) }

        let machine = unsafe makeMachine()
        var tokens = 0
        let indexed = unsafe turnpike_json_index(machine, start, text.count, &tokens)
        try unsafe refuse(indexed, bytes)
        // A node has at most three tokens: its start, its end and a comma or colon. Asked before
        // the tape is built, so that its memory too is bounded by the limit.
        guard tokens / 3 <= limits.maximumNodes else {
            throw .tooManyNodes(limit: limits.maximumNodes)
        }
        let storage = makeStorage(bytes: text.count, tokens: tokens)
        let built = unsafe turnpike_json_build(machine, storage.tape, storage.strings)
        try unsafe refuse(built, bytes)
        try storage.check(limits, scratch: &scratch)
        return JSONDocument(storage: storage)
    }

    private func makeMachine() -> OpaquePointer {
        if let machine = unsafe machine { return unsafe machine }
        // simdjson counts from the level outside of the text, and does not count an empty
        // container; the exact limit is kept by the check of the tape.
        guard let made = unsafe turnpike_json_parser_create(limits.maximumDepth + 2) else {
            preconditionFailure("the system has no memory for a JSON parser")
        }
        unsafe machine = made
        return unsafe made
    }

    /// The memory of the last document if nobody holds it and it is large enough, or else new
    /// memory.
    private func makeStorage(bytes: Int, tokens: Int) -> JSONStorage {
        let words = turnpike_json_tape_words(tokens)
        let characters = turnpike_json_string_bytes(bytes, tokens)
        if isKnownUniquelyReferenced(&storage), let storage, storage.tapeCapacity >= words,
            storage.stringCapacity >= characters
        {
            return storage
        }
        let isSmall = words * 8 + characters <= Self.retainedBytes / 2
        // Small ones are rounded up so that a stream of slightly longer chunks does not allocate
        // for each.
        let made = JSONStorage(
            tapeCapacity: isSmall ? max(512, (words + 511) & ~511) : words,
            stringCapacity: isSmall ? max(4096, (characters + 4095) & ~4095) : characters)
        storage = made
        return made
    }

    private func refuse(_ code: Int32, _ bytes: UnsafeRawBufferPointer) throws(JSONError) {
        switch UInt32(bitPattern: code) {
        case TURNPIKE_JSON_OK.rawValue: return
        case TURNPIKE_JSON_TOO_DEEP.rawValue: throw .tooDeep(limit: limits.maximumDepth)
        case TURNPIKE_JSON_INVALID_UTF8.rawValue: throw .invalidUTF8
        case TURNPIKE_JSON_EMPTY.rawValue: throw .empty
        case TURNPIKE_JSON_NO_MEMORY.rawValue:
            preconditionFailure("the system has no memory for a JSON text")
        default:
            var locator = unsafe JSONFaultLocator(
                bytes: Array(bytes), maximumDepth: limits.maximumDepth)
            throw locator.locate() ?? .notJSON("the text is malformed", offset: nil)
        }
    }

    private func releaseExcess(after count: Int) {
        if count > Self.retainedBytes { releaseMachine() }
        if let held = storage, held.footprint > Self.retainedBytes { storage = nil }
        if scratch.keys.capacity + scratch.table.capacity > Self.retainedBytes / 8 {
            scratch = JSONCheckScratch()
        }
    }

    private func releaseMachine() {
        if let machine = unsafe machine { unsafe turnpike_json_parser_destroy(machine) }
        unsafe machine = nil
    }
}
