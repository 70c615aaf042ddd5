import Allocations
import Glibc

/// What must hold for every input.
enum Property {
    /// Ends the process when `holds` is false; the fuzzer then keeps the input.
    static func require(_ holds: Bool, _ words: @autoclosure () -> String) {
        guard !holds else { return }
        tell(words())
        abort()
    }

    /// Writes a line where the fuzzer writes its own.
    static func tell(_ words: String) {
        let line = Array("fuzz: \(words)\n".utf8)
        // Nothing can be done about a terminal that is gone.
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// Runs `body` and requires that what it held at once was at most `budget` bytes.
    static func allocating<Result, Failure: Error>(
        atMost budget: Int, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        turnpike_allocations_begin()
        defer {
            let most = turnpike_allocations_end()
            require(most <= budget, "\(most) bytes were held at once, where \(budget) are allowed")
        }
        return try body()
    }
}
