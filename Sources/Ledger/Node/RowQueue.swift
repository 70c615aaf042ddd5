/// Rows in the order they came. Taking some from the front costs their number and not the queue's:
/// an outage may leave a hundred thousand.
struct RowQueue<Row> {
    private var rows: [Row] = []
    private var head = 0

    var count: Int { rows.count - head }
    var isEmpty: Bool { head == rows.count }

    mutating func append(_ row: Row) { rows.append(row) }

    /// Takes rows from the front, at most `limit`, as long as `condition` holds.
    mutating func take(_ limit: Int, while condition: (Row) -> Bool = { _ in true }) -> [Row] {
        let taken = Array(rows[head...].prefix(limit).prefix(while: condition))
        head += taken.count
        if head == rows.count {
            rows.removeAll(keepingCapacity: rows.count <= 1024)
            head = 0
        } else if head > rows.count / 2, head > 1024 {
            rows.removeFirst(head)
            head = 0
        }
        return taken
    }

    /// Everything, in order.
    mutating func takeAll() -> [Row] {
        defer {
            rows = []
            head = 0
        }
        return Array(rows[head...])
    }
}
