import Foundation

/// Many measurements of one thing.
struct Spread {
    private let sorted: [Double]

    init(_ values: [Double]) { sorted = values.sorted() }

    var median: Double { quantile(0.5) }

    func quantile(_ part: Double) -> Double {
        guard !sorted.isEmpty else { return .nan }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
    }

    var lowest: Double { sorted.first ?? .nan }
    var highest: Double { sorted.last ?? .nan }
    var mean: Double { sorted.reduce(0, +) / Double(sorted.count) }
}

/// One line of the table: what was measured, beside its goal.
struct Figure {
    let name: String
    let goal: String
    let isMet: Bool?
    let text: String

    static func atMost(
        _ goal: Double, _ name: String, _ value: Double, _ unit: String, _ more: String = ""
    ) {
        Figure(
            name: name, goal: "<= \(number(goal)) \(unit)", isMet: value <= goal,
            text: "\(number(value)) \(unit) \(more)"
        ).print()
    }

    static func atLeast(
        _ goal: Double, _ name: String, _ value: Double, _ unit: String, _ more: String = ""
    ) {
        Figure(
            name: name, goal: ">= \(number(goal)) \(unit)", isMet: value >= goal,
            text: "\(number(value)) \(unit) \(more)"
        ).print()
    }

    func print() {
        let verdict = isMet.map { $0 ? "met   " : "MISSED" } ?? "      "
        Swift.print("\(verdict)  \(Self.padded(name, 46)) \(Self.padded(goal, 16)) \(text)")
        fflush(nil)
    }

    static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    static func left(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    static func number(_ value: Double) -> String {
        value >= 100 || value == value.rounded()
            ? String(Int(value.rounded()))
            : String(format: value >= 10 ? "%.1f" : "%.2f", value)
    }
}

/// What the operating system says of processor time.
enum ProcessorTime {
    /// Microseconds used by this process, all threads.
    static var own: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return microseconds(usage.ru_utime) + microseconds(usage.ru_stime)
    }

    /// Microseconds used by a Postgres server: the postmaster, its children that ended, and those
    /// that live. In steps of 10 ms a process.
    static func server(_ postmaster: Int) -> Double {
        var ticks = 0.0
        if let stat = fields(postmaster) { ticks += stat[11] + stat[12] + stat[13] + stat[14] }
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let process = Int(entry), let stat = fields(process), Int(stat[1]) == postmaster
            else { continue }
            ticks += stat[11] + stat[12]
        }
        return ticks / Double(sysconf(Int32(_SC_CLK_TCK))) * 1e6
    }

    /// Fields of `/proc/PID/stat` from the third on (the state, as 0).
    private static func fields(_ process: Int) -> [Double]? {
        // Files of /proc have no size; Foundation reads nothing of them.
        guard let file = fopen("/proc/\(process)/stat", "r") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = fread(&buffer, 1, buffer.count, file)
        let text = String(decoding: buffer[..<count], as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        let words = text[end...].dropFirst(2).split(separator: " ")
        return words.count > 20 ? words.map { Double($0) ?? 0 } : nil
    }

    private static func microseconds(_ time: timeval) -> Double {
        Double(time.tv_sec) * 1e6 + Double(time.tv_usec)
    }

    /// Nanoseconds of a clock that never goes back.
    static var nanoseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// How often this thread asked for memory. Counted by `deploy/bench.d/allocations.c`, which is
/// loaded before the C library; nil without it.
struct AllocationCounter {
    private typealias Count = @convention(c) () -> UInt64
    private let count: Count

    init?() {
        guard let symbol = dlsym(nil, "bench_allocations") else { return nil }
        count = unsafeBitCast(symbol, to: Count.self)
    }

    var now: UInt64 { count() }
}
