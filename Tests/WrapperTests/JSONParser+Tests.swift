import JSON

extension JSONParser {
    /// A parser with limits that no text of these tests reaches unless it means to.
    static func roomy() -> JSONParser {
        JSONParser(maximumBytes: 64 << 20, maximumDepth: 1024, maximumNodes: 10_000_000)
    }

    /// The error that parsing ends in; nil if it succeeds.
    func error(_ bytes: [UInt8]) -> JSONError? {
        do throws(JSONError) {
            _ = try parse(bytes)
            return nil
        } catch {
            return error
        }
    }
}
