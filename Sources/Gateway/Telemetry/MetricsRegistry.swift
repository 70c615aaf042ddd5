public import Metrics
import Synchronization

/// Every metric of this process and its value now, to be read by Prometheus and its kind.
///
/// A factory of its own and not the process's: several gateways may run in one process. Labels are
/// this program's and its operator's, so that there are only so many of them.
public final class MetricsRegistry: MetricsFactory, Sendable {
    private struct Name: Hashable {
        let label: String
        let dimensions: String
    }

    private let cells = Mutex<[Name: MetricCell]>([:])

    /// Makes a registry without metrics.
    public init() {}

    private func cell(
        _ label: String, _ dimensions: [(String, String)], _ kind: MetricCell.Kind
    ) -> MetricCell {
        let name = Name(
            label: label,
            dimensions: dimensions.map { "\($0)=\"\(Self.escaped($1))\"" }
                .joined(separator: ","))
        return cells.withLock { cells in
            if let known = cells[name] { return known }
            let cell = MetricCell(kind)
            cells[name] = cell
            return cell
        }
    }

    /// See `MetricsFactory`.
    public func makeCounter(
        label: String, dimensions: [(String, String)]
    ) -> any CounterHandler { cell(label, dimensions, .counter) }

    /// See `MetricsFactory`.
    public func makeMeter(
        label: String, dimensions: [(String, String)]
    ) -> any MeterHandler { cell(label, dimensions, .gauge) }

    /// See `MetricsFactory`. What is recorded last is what is told.
    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler { cell(label, dimensions, .gauge) }

    /// See `MetricsFactory`.
    public func makeTimer(
        label: String, dimensions: [(String, String)]
    ) -> any TimerHandler { cell(label, dimensions, .histogram) }

    /// See `MetricsFactory`. Metrics live as long as the process.
    public func destroyCounter(_ handler: any CounterHandler) {}
    /// See `MetricsFactory`.
    public func destroyMeter(_ handler: any MeterHandler) {}
    /// See `MetricsFactory`.
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    /// See `MetricsFactory`.
    public func destroyTimer(_ handler: any TimerHandler) {}

    /// Everything in Prometheus' text format, version 0.0.4, sorted by name.
    func text() -> String {
        let all = cells.withLock { $0 }
        var lines: [String] = []
        for (label, group) in Dictionary(grouping: all, by: \.key.label).sorted(by: {
            $0.key < $1.key
        }) {
            guard let kind = group.first?.value.kind else { continue }
            if let help = GatewayMetrics.help[label] { lines.append("# HELP \(label) \(help)") }
            lines.append("# TYPE \(label) \(kind.rawValue)")
            for (name, cell) in group.sorted(by: { $0.key.dimensions < $1.key.dimensions }) {
                lines += cell.lines(label, name.dimensions)
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func escaped(_ value: String) -> String {
        value.reduce(into: "") { text, character in
            switch character {
            case "\\": text += #"\\"#
            case "\"": text += #"\""#
            case "\n": text += #"\n"#
            default: text.append(character)
            }
        }
    }
}

/// One metric with one set of labels.
final class MetricCell: Sendable {
    /// What Prometheus calls it.
    enum Kind: String { case counter, gauge, histogram }

    private struct Value {
        var number = 0.0
        /// Of a histogram: how many were within each of the bounds, and in all.
        var within = [Int64](repeating: 0, count: MetricCell.bounds.count)
        var count: Int64 = 0
    }

    let kind: Kind
    private let value = Mutex(Value())

    /// Seconds: from what an answer out of memory takes to what a long stream does.
    fileprivate static let bounds = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
    ]

    init(_ kind: Kind) { self.kind = kind }

    /// The lines that tell its value.
    fileprivate func lines(_ label: String, _ dimensions: String) -> [String] {
        let value = value.withLock { $0 }
        func line(_ suffix: String, _ more: String, _ number: String) -> String {
            let labels = [dimensions, more].filter { !$0.isEmpty }.joined(separator: ",")
            return label + suffix + (labels.isEmpty ? "" : "{\(labels)}") + " " + number
        }
        guard kind == .histogram else { return [line("", "", Self.words(value.number))] }
        return zip(Self.bounds, value.within).map { bound, count in
            line("_bucket", "le=\"\(Self.words(bound))\"", "\(count)")
        } + [
            line("_bucket", "le=\"+Inf\"", "\(value.count)"),
            line("_sum", "", Self.words(value.number)), line("_count", "", "\(value.count)"),
        ]
    }

    private static func words(_ number: Double) -> String {
        Int64(exactly: number).map { "\($0)" } ?? "\(number)"
    }
}

extension MetricCell: CounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    func increment(by amount: Int64) { value.withLock { $0.number += Double(amount) } }
    func increment(by amount: Double) { value.withLock { $0.number += amount } }
    func decrement(by amount: Double) { value.withLock { $0.number -= amount } }
    func reset() { value.withLock { $0 = Value() } }
    func set(_ number: Int64) { set(Double(number)) }
    func set(_ number: Double) { value.withLock { $0.number = number } }
    func record(_ number: Int64) { set(Double(number)) }
    func record(_ number: Double) { set(number) }

    func recordNanoseconds(_ duration: Int64) {
        let seconds = Double(duration) / 1_000_000_000
        value.withLock { value in
            value.number += seconds
            value.count += 1
            for (index, bound) in Self.bounds.enumerated() where seconds <= bound {
                value.within[index] += 1
            }
        }
    }
}
