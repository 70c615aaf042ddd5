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

    /// Runs `body` on `bytes` bytes and requires that it needed no more memory and time than such a
    /// number of them may need.
    ///
    /// - Parameter memory: how many bytes may be held at once for each byte read.
    static func bounded<Result, Failure: Error>(
        _ bytes: Int, memory: Int, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        turnpike_allocations_begin()
        let start = processorTime()
        defer {
            let time = processorTime() - start
            let most = turnpike_allocations_end()
            let budget = memory * bytes + fixedMemory
            require(most <= budget, "\(most) bytes were held at once, where \(budget) are allowed")
            let longest = timePerByte * Int64(bytes) + fixedTime
            require(time <= longest, "\(time) ns were needed, where \(longest) are allowed")
        }
        return try body()
    }

    private static let fixedMemory = 256 << 10
    /// In nanoseconds of the processor, instrumented and with the sanitizer: some ten times what is
    /// needed.
    private static let timePerByte: Int64 = 200
    private static let fixedTime: Int64 = 200_000_000

    /// What this thread has used of the processor, in nanoseconds: other load does not count.
    private static func processorTime() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
